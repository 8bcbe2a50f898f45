import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import * as lambdaRollout from "pulumi-lambda-rollout";

const role = new aws.iam.Role("orders", {
    assumeRolePolicy: aws.iam.assumeRolePolicyForPrincipal({ Service: "lambda.amazonaws.com" }),
});
new aws.iam.RolePolicyAttachment("orders-logs", {
    role: role.name,
    policyArn: "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole",
});

const fn = new aws.lambda.Function("orders", {
    runtime: "nodejs22.x",
    handler: "index.handler",
    role: role.arn,
    code: new pulumi.asset.FileArchive("./function"),
    publish: true,
});

// This is all: 10 % of the traffic for five minutes, then the rest, and back if the new version errs.
const orders = new lambdaRollout.FunctionRollout("orders", {
    functionName: fn.name,
    version: fn.version,
});

// What event sources should call.
export const targetArn = orders.targetArn;
export const servingVersion = orders.servingVersion;
