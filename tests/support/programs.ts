// Pieces of programs that the tests put together.

import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";

export const answering = (what: string) => `exports.handler = async () => ({ answer: ${JSON.stringify(what)} });`;

export const throwing = (what: string) => `exports.handler = async () => { throw new Error(${JSON.stringify(what)}); };`;

/** A hook that reports this, by a request that it makes itself. */
export const hook = (status: "Succeeded" | "Failed") => `
exports.handler = async (event) => {
    await fetch(process.env.AWS_ENDPOINT_URL, {
        method: "POST",
        headers: {
            "content-type": "application/x-amz-json-1.1",
            "x-amz-target": "CodeDeploy_20141006.PutLifecycleEventHookExecutionStatus",
            authorization: "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/codedeploy/aws4_request, SignedHeaders=host, Signature=none",
        },
        body: JSON.stringify({
            deploymentId: event.DeploymentId,
            lifecycleEventHookExecutionId: event.LifecycleEventHookExecutionId,
            status: ${JSON.stringify(status)},
        }),
    });
};`;

/** A function whose code is this text, published as a new version whenever it changes. */
export function publishedFunction(name: string, code: string): aws.lambda.Function {
    const role = new aws.iam.Role(name, {
        assumeRolePolicy: aws.iam.assumeRolePolicyForPrincipal({ Service: "lambda.amazonaws.com" }),
    });
    return new aws.lambda.Function(name, {
        name,
        runtime: "nodejs20.x",
        handler: "index.handler",
        role: role.arn,
        code: new pulumi.asset.AssetArchive({ "index.js": new pulumi.asset.StringAsset(code) }),
        publish: true,
    });
}
