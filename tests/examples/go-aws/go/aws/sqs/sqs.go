// Package sqs has what the examples use of the real package of that name.
package sqs

import (
	"reflect"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

type Queue struct {
	pulumi.CustomResourceState

	Arn pulumi.StringOutput `pulumi:"arn"`
}

type queueArgs struct{}

type QueueArgs struct{}

func (QueueArgs) ElementType() reflect.Type { return reflect.TypeOf((*queueArgs)(nil)).Elem() }

func NewQueue(ctx *pulumi.Context, name string, args *QueueArgs, opts ...pulumi.ResourceOption) (*Queue, error) {
	if args == nil {
		args = &QueueArgs{}
	}
	var resource Queue
	err := ctx.RegisterResource("aws:sqs/queue:Queue", name, args, &resource, opts...)
	return &resource, err
}
