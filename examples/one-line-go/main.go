package main

import (
	"github.com/lambda-rollout/pulumi-lambda-rollout/sdk-gen/go/lambdarollout"
	"github.com/pulumi/pulumi-aws/sdk/v7/go/aws/iam"
	"github.com/pulumi/pulumi-aws/sdk/v7/go/aws/lambda"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

const assumeRolePolicy = `{
    "Version": "2012-10-17",
    "Statement": [{ "Effect": "Allow", "Principal": { "Service": "lambda.amazonaws.com" }, "Action": "sts:AssumeRole" }]
}`

func main() {
	pulumi.Run(func(ctx *pulumi.Context) error {
		role, err := iam.NewRole(ctx, "orders", &iam.RoleArgs{
			AssumeRolePolicy: pulumi.String(assumeRolePolicy),
		})
		if err != nil {
			return err
		}
		_, err = iam.NewRolePolicyAttachment(ctx, "orders-logs", &iam.RolePolicyAttachmentArgs{
			Role:      role.Name,
			PolicyArn: pulumi.String("arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"),
		})
		if err != nil {
			return err
		}
		fn, err := lambda.NewFunction(ctx, "orders", &lambda.FunctionArgs{
			Runtime: pulumi.String("nodejs22.x"),
			Handler: pulumi.String("index.handler"),
			Role:    role.Arn,
			Code:    pulumi.NewFileArchive("./function"),
			Publish: pulumi.Bool(true),
		})
		if err != nil {
			return err
		}

		// This is all: 10 % of the traffic for five minutes, then the rest, and back if the new version errs.
		orders, err := lambdarollout.NewFunctionRollout(ctx, "orders", &lambdarollout.FunctionRolloutArgs{
			FunctionName: fn.Name,
			Version:      fn.Version,
		})
		if err != nil {
			return err
		}

		// What event sources should call.
		ctx.Export("targetArn", orders.TargetArn)
		ctx.Export("servingVersion", orders.ServingVersion)
		return nil
	})
}
