import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import * as lambdaRollout from "pulumi-lambda-rollout";

const role = new aws.iam.Role("invoices", {
    assumeRolePolicy: aws.iam.assumeRolePolicyForPrincipal({ Service: "lambda.amazonaws.com" }),
});
new aws.iam.RolePolicyAttachment("invoices-logs", {
    role: role.name,
    policyArn: "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole",
});
const fn = new aws.lambda.Function("invoices", {
    runtime: "nodejs22.x",
    handler: "index.handler",
    role: role.arn,
    code: new pulumi.asset.FileArchive("./function"),
    publish: true,
});

// The alias is made at the first version. From then on only deployments move it.
const live = new lambdaRollout.FunctionAlias("invoices-live", {
    functionName: fn.name,
    aliasName: "live",
    version: fn.version,
    follow: false,
});

// An application, a configuration and a group, as you may have them already.
const deployRole = new aws.iam.Role("invoices-deploy", {
    assumeRolePolicy: aws.iam.assumeRolePolicyForPrincipal({ Service: "codedeploy.amazonaws.com" }),
});
const mayDeploy = new aws.iam.RolePolicyAttachment("invoices-deploy", {
    role: deployRole.name,
    policyArn: "arn:aws:iam::aws:policy/service-role/AWSCodeDeployRoleForLambda",
});
const application = new aws.codedeploy.Application("invoices", { computePlatform: "Lambda" });
const quarters = new aws.codedeploy.DeploymentConfig("invoices", {
    computePlatform: "Lambda",
    trafficRoutingConfig: { type: "TimeBasedLinear", timeBasedLinear: { percentage: 25, interval: 1 } },
});
const errors = new aws.cloudwatch.MetricAlarm("invoices-errors", {
    namespace: "AWS/Lambda",
    metricName: "Errors",
    dimensions: { FunctionName: fn.name, Resource: pulumi.interpolate`${fn.name}:live` },
    statistic: "Sum",
    comparisonOperator: "GreaterThanThreshold",
    threshold: 0,
    period: 60,
    evaluationPeriods: 1,
    treatMissingData: "notBreaching",
});
const group = new aws.codedeploy.DeploymentGroup("invoices", {
    appName: application.name,
    deploymentGroupName: "invoices",
    serviceRoleArn: deployRole.arn,
    deploymentConfigName: quarters.deploymentConfigName,
    deploymentStyle: { deploymentType: "BLUE_GREEN", deploymentOption: "WITH_TRAFFIC_CONTROL" },
    autoRollbackConfiguration: { enabled: true, events: ["DEPLOYMENT_FAILURE", "DEPLOYMENT_STOP_ON_ALARM"] },
    alarmConfiguration: { enabled: true, alarms: [errors.name] },
}, { dependsOn: mayDeploy });

// A new version is a new deployment of that group. This one starts it; the waiter sees how it ends.
const deployment = new lambdaRollout.LambdaDeployment("invoices", {
    applicationName: application.name,
    deploymentGroupName: group.deploymentGroupName,
    functionName: fn.name,
    aliasName: live.qualifier,
    version: fn.version,
});
new lambdaRollout.DeploymentWaiter("invoices", {
    deploymentId: deployment.deploymentId,
    bake: "3 minutes",
});

export const targetArn = live.targetArn;
export const deploymentId = deployment.deploymentId;
