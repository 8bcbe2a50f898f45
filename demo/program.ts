// What a user writes: a function, and one resource that ships its versions.

import * as path from "node:path";
import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import * as lambdaRollout from "pulumi-lambda-rollout";

/** One chapter of the story: which code the function has, and whether a smoke test guards it. */
export interface Chapter {
    code: string;
    smokeTest?: boolean;
}

export function program(chapter: () => Chapter) {
    return async () => {
        const { code, smokeTest } = chapter();

        const role = new aws.iam.Role("orders", {
            assumeRolePolicy: aws.iam.assumeRolePolicyForPrincipal({ Service: "lambda.amazonaws.com" }),
        });
        const fn = new aws.lambda.Function("orders", {
            name: "orders",
            runtime: "nodejs20.x",
            handler: "index.handler",
            role: role.arn,
            code: new pulumi.asset.AssetArchive({
                "index.js": new pulumi.asset.FileAsset(path.resolve("demo/versions", code)),
            }),
            publish: true,
        });

        const rollout = new lambdaRollout.FunctionRollout("orders", {
            functionName: fn.name,
            version: fn.version,
            ...(smokeTest && {
                smokeTest: {
                    payload: JSON.stringify({ items: [{ price: 60, count: 2 }] }),
                    expect: JSON.stringify({ total: 108 }),
                },
            }),
        });

        return { targetArn: rollout.targetArn, servingVersion: rollout.servingVersion };
    };
}
