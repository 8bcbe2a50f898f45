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
            authorization: "AWS4-HMAC-SHA256 Credential=" + process.env.AWS_ACCESS_KEY_ID
                + "/20260101/us-east-1/codedeploy/aws4_request, SignedHeaders=host, Signature=none",
        },
        body: JSON.stringify({
            deploymentId: event.DeploymentId,
            lifecycleEventHookExecutionId: event.LifecycleEventHookExecutionId,
            status: ${JSON.stringify(status)},
        }),
    });
};`;

export interface FunctionOptions {
    /** Its name, if it is not that of the resource. */
    name?: string;
    role?: aws.iam.Role;
    /** In seconds. */
    timeout?: number;
    provider?: aws.Provider;
}

/** A function whose code is this text, published as a new version whenever it changes. */
export function publishedFunction(resource: string, code: string, options: FunctionOptions = {}): aws.lambda.Function {
    const { name = resource, role = roleOf(resource), timeout, provider } = options;
    return new aws.lambda.Function(resource, {
        name,
        runtime: "nodejs20.x",
        handler: "index.handler",
        role: role.arn,
        timeout,
        code: new pulumi.asset.AssetArchive({ "index.js": new pulumi.asset.StringAsset(code) }),
        publish: true,
    }, { provider });
}

const mayReport = JSON.stringify({
    Version: "2012-10-17",
    Statement: [{
        Effect: "Allow",
        Action: "codedeploy:PutLifecycleEventHookExecutionStatus",
        Resource: "arn:aws:codedeploy:*:*:deploymentgroup:*",
    }],
});

/** The same for a hook, which may report to CodeDeploy unless it is given another policy; an empty one is none. */
export function hookFunction(name: string, code: string, policy = mayReport): aws.lambda.Function {
    const role = roleOf(name);
    if (policy) new aws.iam.RolePolicy(name, { name: "report", role: role.name, policy });
    return publishedFunction(name, code, { role, timeout: 300 });
}

function roleOf(name: string): aws.iam.Role {
    return new aws.iam.Role(name, {
        assumeRolePolicy: aws.iam.assumeRolePolicyForPrincipal({ Service: "lambda.amazonaws.com" }),
    });
}
