// Pieces of programs that the tests put together.

import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";

export const answering = (what: string) => `exports.handler = async () => ({ answer: ${JSON.stringify(what)} });`;

export const throwing = (what: string) => `exports.handler = async () => { throw new Error(${JSON.stringify(what)}); };`;

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
