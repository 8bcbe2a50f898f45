import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { buildSync } from "esbuild";
import * as lambdaRollout from "pulumi-lambda-rollout";
import { cloudFront } from "./cloudfront";

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

// Both aliases have a URL and are there before the rollout, so that the router need not wait for it.
const stable = new lambdaRollout.FunctionAlias("shop-stable", {
    functionName: shop.name,
    aliasName: "stable",
    version: shop.version,
    follow: false, // it is moved by the rollout
    functionUrl: { authorizationType: "NONE" },
});
const latest = new lambdaRollout.FunctionAlias("shop-latest", {
    functionName: shop.name,
    aliasName: "latest",
    version: shop.version,
    functionUrl: { authorizationType: "NONE" },
});

// `pulumi config set router cloudfront` puts CloudFront in front; by default it is a function of your own.
const router = new pulumi.Config().get("router") === "cloudfront"
    ? cloudFront("shop", stable.url, latest.url)
    : functionRouter("shop-router", stable.url, latest.url);

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
    environment: { variables: { ROUTER_URL: router } },
}, { dependsOn: [hookLogs, hookPolicy] });

const rollout = new lambdaRollout.FunctionRollout("shop", {
    functionName: shop.name,
    version: shop.version,
    hooks: { beforeTraffic: hook.arn },
}, { dependsOn: [stable, latest] });

export const url = router;
export const servingVersion = rollout.servingVersion;

/** The router as a function: it asks one URL or the other. */
function functionRouter(name: string, stableUrl: pulumi.Input<string>, latestUrl: pulumi.Input<string>) {
    const fn = new aws.lambda.Function(name, {
        runtime: "nodejs22.x",
        handler: "index.handler",
        role: role.arn,
        code: new pulumi.asset.FileArchive("./router"),
        timeout: 30,
        environment: { variables: { STABLE_URL: stableUrl, LATEST_URL: latestUrl } },
        publish: true,
    });
    const live = new lambdaRollout.FunctionAlias(name, {
        functionName: fn.name,
        aliasName: "live",
        version: fn.version,
        functionUrl: { authorizationType: "NONE" },
    });
    return live.url;
}
