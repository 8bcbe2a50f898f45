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

// One API with two stages. A stage names the alias that it calls, in the variable `alias`.
const api = new aws.apigatewayv2.Api("shop", { protocolType: "HTTP" });
const invoke = pulumi.interpolate`arn:aws:apigateway:${aws.getRegionOutput().region}:lambda:path/2015-03-31`;
const integration = new aws.apigatewayv2.Integration("shop", {
    apiId: api.id,
    integrationType: "AWS_PROXY",
    integrationUri: pulumi.interpolate`${invoke}/functions/${shop.arn}:\${stageVariables.alias}/invocations`,
    payloadFormatVersion: "2.0",
});
const route = new aws.apigatewayv2.Route("shop", {
    apiId: api.id,
    routeKey: "$default",
    target: pulumi.interpolate`integrations/${integration.id}`,
});

// Both aliases are there before the rollout, so that the API, and the hook that calls it, need not wait for one.
const permissions = [
    { principal: "apigateway.amazonaws.com", sourceArn: pulumi.interpolate`${api.executionArn}/*/$default` },
];
const stable = new lambdaRollout.FunctionAlias("shop-stable", {
    functionName: shop.name,
    aliasName: "stable",
    version: shop.version,
    follow: false, // it is moved by the rollout
    permissions,
});
const latest = new lambdaRollout.FunctionAlias("shop-latest", {
    functionName: shop.name,
    aliasName: "latest",
    version: shop.version,
    permissions,
});
const everybody = new aws.apigatewayv2.Stage("shop", {
    apiId: api.id,
    name: "$default",
    autoDeploy: true,
    stageVariables: { alias: stable.qualifier },
}, { dependsOn: route });
const underTest = new aws.apigatewayv2.Stage("shop-latest", {
    apiId: api.id,
    name: "latest",
    autoDeploy: true,
    stageVariables: { alias: latest.qualifier },
}, { dependsOn: route });

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
    environment: { variables: { LATEST_URL: underTest.invokeUrl } },
}, { dependsOn: [hookLogs, hookPolicy] });

const rollout = new lambdaRollout.FunctionRollout("shop", {
    functionName: shop.name,
    version: shop.version,
    hooks: { beforeTraffic: hook.arn },
}, { dependsOn: [stable, latest] });

export const url = everybody.invokeUrl;
export const latestUrl = underTest.invokeUrl;
export const servingVersion = rollout.servingVersion;
