import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { buildSync } from "esbuild";
import * as lambdaRollout from "pulumi-lambda-rollout";

const assumeRolePolicy = aws.iam.assumeRolePolicyForPrincipal({ Service: "lambda.amazonaws.com" });
const logs = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole";

const role = new aws.iam.Role("orders", { assumeRolePolicy });
new aws.iam.RolePolicyAttachment("orders-logs", { role: role.name, policyArn: logs });
const orders = new aws.lambda.Function("orders", {
    runtime: "nodejs22.x",
    handler: "index.handler",
    role: role.arn,
    code: new pulumi.asset.FileArchive("./function"),
    publish: true,
});

// The newest version, under a name that the hook can know before there is a rollout. The rollout below uses it.
const latest = new lambdaRollout.FunctionAlias("orders-latest", {
    functionName: orders.name,
    aliasName: "latest",
    version: orders.version,
});

// The hook: it may write its log, invoke the version under test, and tell CodeDeploy.
const hookRole = new aws.iam.Role("orders-smoke-test", { assumeRolePolicy });
const hookLogs = new aws.iam.RolePolicyAttachment("orders-smoke-test-logs", { role: hookRole.name, policyArn: logs });
const hookPolicy = new aws.iam.RolePolicy("orders-smoke-test", {
    role: hookRole.name,
    policy: aws.iam.getPolicyDocumentOutput({
        statements: [
            { actions: ["codedeploy:PutLifecycleEventHookExecutionStatus"], resources: ["*"] },
            { actions: ["codedeploy:ListDeploymentTargets", "codedeploy:GetDeploymentTarget"], resources: ["*"] },
            { actions: ["lambda:InvokeFunction"], resources: [latest.targetArn] },
        ],
    }).json,
});
const hook = new aws.lambda.Function("orders-smoke-test", {
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
    environment: {
        variables: {
            LAMBDA_ROLLOUT_FUNCTION_NAME: orders.name,
            LAMBDA_ROLLOUT_TARGET_VERSION: latest.qualifier,
        },
    },
}, { dependsOn: [hookLogs, hookPolicy] });

const rollout = new lambdaRollout.FunctionRollout("orders", {
    functionName: orders.name,
    version: orders.version,
    hooks: { beforeTraffic: hook.arn },
}, { dependsOn: latest });

export const targetArn = rollout.targetArn;
export const servingVersion = rollout.servingVersion;
