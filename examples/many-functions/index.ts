import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import * as lambdaRollout from "pulumi-lambda-rollout";

const services = [
    "accounts", "baskets", "billing", "catalogue", "checkout", "coupons", "customers", "delivery", "invoices", "mail",
    "orders", "payments", "prices", "ratings", "refunds", "returns", "search", "stock", "taxes", "wishes",
];

const role = new aws.iam.Role("services", {
    assumeRolePolicy: aws.iam.assumeRolePolicyForPrincipal({ Service: "lambda.amazonaws.com" }),
});
new aws.iam.RolePolicyAttachment("services-logs", {
    role: role.name,
    policyArn: "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole",
});

// A rollout that does not wait has started its deployment when it is done, so all twenty run side by side.
const rollouts = services.map((service) => {
    const fn = new aws.lambda.Function(service, {
        runtime: "nodejs22.x",
        handler: "index.handler",
        role: role.arn,
        code: new pulumi.asset.FileArchive("./function"),
        environment: { variables: { SERVICE: service } },
        publish: true,
    });
    return new lambdaRollout.FunctionRollout(service, { functionName: fn.name, version: fn.version, wait: false });
});

// One resource waits for all of them, and tells how they go. `pulumi up` fails if one of them does.
new lambdaRollout.DeploymentWaiter("services", {
    deploymentIds: rollouts.map((rollout) => rollout.deploymentId),
    bake: "3 minutes",
});

export const targetArns = rollouts.map((rollout) => rollout.targetArn);
