import json

import pulumi
import pulumi_aws as aws
import pulumi_lambda_rollout as lambda_rollout

role = aws.iam.Role(
    "orders",
    assume_role_policy=json.dumps({
        "Version": "2012-10-17",
        "Statement": [{
            "Effect": "Allow",
            "Principal": {"Service": "lambda.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }],
    }),
)
aws.iam.RolePolicyAttachment(
    "orders-logs",
    role=role.name,
    policy_arn="arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole",
)
fn = aws.lambda_.Function(
    "orders",
    runtime="nodejs22.x",
    handler="index.handler",
    role=role.arn,
    code=pulumi.FileArchive("./function"),
    publish=True,
)

# This is all: 10 % of the traffic for five minutes, then the rest, and back if the new version errs.
orders = lambda_rollout.FunctionRollout(
    "orders",
    function_name=fn.name,
    version=fn.version,
)

# What event sources should call.
pulumi.export("targetArn", orders.target_arn)
pulumi.export("servingVersion", orders.serving_version)
