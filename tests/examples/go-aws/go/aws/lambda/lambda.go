// Package lambda has what the examples use of the real package of that name.
package lambda

import (
	"reflect"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

type Function struct {
	pulumi.CustomResourceState

	Arn     pulumi.StringOutput `pulumi:"arn"`
	Name    pulumi.StringOutput `pulumi:"name"`
	Version pulumi.StringOutput `pulumi:"version"`
}

type functionArgs struct {
	Code    pulumi.Archive `pulumi:"code"`
	Handler *string        `pulumi:"handler"`
	Publish *bool          `pulumi:"publish"`
	Role    string         `pulumi:"role"`
	Runtime *string        `pulumi:"runtime"`
}

type FunctionArgs struct {
	Code    pulumi.ArchiveInput
	Handler pulumi.StringPtrInput
	Publish pulumi.BoolPtrInput
	Role    pulumi.StringInput
	Runtime pulumi.StringPtrInput
}

func (FunctionArgs) ElementType() reflect.Type { return reflect.TypeOf((*functionArgs)(nil)).Elem() }

func NewFunction(
	ctx *pulumi.Context, name string, args *FunctionArgs, opts ...pulumi.ResourceOption,
) (*Function, error) {
	var resource Function
	err := ctx.RegisterResource("aws:lambda/function:Function", name, args, &resource, opts...)
	return &resource, err
}

type EventSourceMapping struct {
	pulumi.CustomResourceState
}

type eventSourceMappingArgs struct {
	EventSourceArn *string `pulumi:"eventSourceArn"`
	FunctionName   string  `pulumi:"functionName"`
}

type EventSourceMappingArgs struct {
	EventSourceArn pulumi.StringPtrInput
	FunctionName   pulumi.StringInput
}

func (EventSourceMappingArgs) ElementType() reflect.Type {
	return reflect.TypeOf((*eventSourceMappingArgs)(nil)).Elem()
}

func NewEventSourceMapping(
	ctx *pulumi.Context, name string, args *EventSourceMappingArgs, opts ...pulumi.ResourceOption,
) (*EventSourceMapping, error) {
	var resource EventSourceMapping
	err := ctx.RegisterResource("aws:lambda/eventSourceMapping:EventSourceMapping", name, args, &resource, opts...)
	return &resource, err
}
