// Package iam has what the examples use of the real package of that name.
package iam

import (
	"reflect"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

type Role struct {
	pulumi.CustomResourceState

	Arn  pulumi.StringOutput `pulumi:"arn"`
	Name pulumi.StringOutput `pulumi:"name"`
}

type roleArgs struct {
	AssumeRolePolicy interface{} `pulumi:"assumeRolePolicy"`
}

type RoleArgs struct {
	AssumeRolePolicy pulumi.Input
}

func (RoleArgs) ElementType() reflect.Type { return reflect.TypeOf((*roleArgs)(nil)).Elem() }

func NewRole(ctx *pulumi.Context, name string, args *RoleArgs, opts ...pulumi.ResourceOption) (*Role, error) {
	var resource Role
	err := ctx.RegisterResource("aws:iam/role:Role", name, args, &resource, opts...)
	return &resource, err
}

type RolePolicyAttachment struct {
	pulumi.CustomResourceState
}

type rolePolicyAttachmentArgs struct {
	PolicyArn string      `pulumi:"policyArn"`
	Role      interface{} `pulumi:"role"`
}

type RolePolicyAttachmentArgs struct {
	PolicyArn pulumi.StringInput
	Role      pulumi.Input
}

func (RolePolicyAttachmentArgs) ElementType() reflect.Type {
	return reflect.TypeOf((*rolePolicyAttachmentArgs)(nil)).Elem()
}

func NewRolePolicyAttachment(
	ctx *pulumi.Context, name string, args *RolePolicyAttachmentArgs, opts ...pulumi.ResourceOption,
) (*RolePolicyAttachment, error) {
	var resource RolePolicyAttachment
	err := ctx.RegisterResource("aws:iam/rolePolicyAttachment:RolePolicyAttachment", name, args, &resource, opts...)
	return &resource, err
}
