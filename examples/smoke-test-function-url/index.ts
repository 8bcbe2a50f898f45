import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { buildSync } from "esbuild";
import * as lambdaRollout from "pulumi-lambda-rollout";

const assumeRolePolicy = aws.iam.assumeRolePolicyForPrincipal({ Service: "lambda.amazonaws.com" });
const logs = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole";

const role = new aws.iam.Role("shop", { assumeRolePolicy });
new aws.iam.RolePolicyAttachment("shop-logs", { role: role.name, policyArn: logs });
const shop = new aws.lambda.Function("shop", {
    runtime: "nodejs22.x",
    handler: "index.handler",
    role: role.arn,
    code: new pulumi.asset.FileArchive("./function"),
    publish: true,
});

// The newest version has a URL of its own, which the hook can know before there is a rollout.
const latest = new lambdaRollout.FunctionAlias("shop-latest", {
    functionName: shop.name,
    aliasName: "latest",
    version: shop.version,
    functionUrl: { authorizationType: "NONE" },
});

const hookRole = new aws.iam.Role("shop-smoke-test", { assumeRolePolicy });
const hookLogs = new aws.iam.RolePolicyAttachment("shop-smoke-test-logs", { role: hookRole.name, policyArn: logs });
const hookPolicy = new aws.iam.RolePolicy("shop-smoke-test", {
    role: hookRole.name,
    policy: aws.iam.getPolicyDocumentOutput({
        statements: [{ actions: ["codedeploy:PutLifecycleEventHookExecutionStatus"], resources: ["*"] }],
    }).json,
});
const hook = new aws.lambda.Function("shop-smoke-test", {
    runtime: "nodejs22.x",
    handler: "index.handler",
    role: hookRole.arn,
    // One file with everything in it; minified, so that it is the same on every machine.
    code: new pulumi.asset.AssetArchive({
        "index.js": new pulumi.asset.StringAsset(
            buildSync({ entryPoints: ["hook/index.ts"], bundle: true, minify: true, platform: "node", write: false })
                .outputFiles[0].text,
        ),
    }),
    timeout: 30,
    environment: { variables: { LATEST_URL: latest.url } },
}, { dependsOn: [hookLogs, hookPolicy] });

const rollout = new lambdaRollout.FunctionRollout("shop", {
    functionName: shop.name,
    version: shop.version,
    hooks: { beforeTraffic: hook.arn },
    functionUrl: { authorizationType: "NONE" },
}, { dependsOn: latest });

export const url = rollout.url;
export const latestUrl = latest.url;
export const servingVersion = rollout.servingVersion;
