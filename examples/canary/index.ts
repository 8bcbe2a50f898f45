import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import * as lambdaRollout from "pulumi-lambda-rollout";

const config = new pulumi.Config();

const role = new aws.iam.Role("checkout", {
    assumeRolePolicy: aws.iam.assumeRolePolicyForPrincipal({ Service: "lambda.amazonaws.com" }),
});
new aws.iam.RolePolicyAttachment("checkout-logs", {
    role: role.name,
    policyArn: "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole",
});
const fn = new aws.lambda.Function("checkout", {
    runtime: "nodejs22.x",
    handler: "index.handler",
    role: role.arn,
    code: new pulumi.asset.FileArchive("./function"),
    publish: true,
});

// News of every rollout. With `pulumi config set email you@example.com` they come by mail.
const news = new aws.sns.Topic("checkout-rollouts");
const email = config.get("email");
if (email) {
    new aws.sns.TopicSubscription("checkout-rollouts", { topic: news.arn, protocol: "email", endpoint: email });
}

// What is bad besides errors, which the rollout watches by itself: slow answers, and too many at once.
const stable = { FunctionName: fn.name, Resource: pulumi.interpolate`${fn.name}:stable` };
const slow = new aws.cloudwatch.MetricAlarm("checkout-slow", {
    alarmDescription: "One checkout in twenty takes longer than a second.",
    namespace: "AWS/Lambda",
    metricName: "Duration",
    dimensions: stable,
    extendedStatistic: "p95",
    comparisonOperator: "GreaterThanThreshold",
    threshold: 1000,
    period: 60,
    evaluationPeriods: 2,
    treatMissingData: "notBreaching",
});
const throttled = new aws.cloudwatch.MetricAlarm("checkout-throttled", {
    alarmDescription: "Checkouts are refused because too many run at the same time.",
    namespace: "AWS/Lambda",
    metricName: "Throttles",
    dimensions: stable,
    statistic: "Sum",
    comparisonOperator: "GreaterThanThreshold",
    threshold: 0,
    period: 60,
    evaluationPeriods: 1,
    treatMissingData: "notBreaching",
    alarmActions: [news.arn],
});

const checkout = new lambdaRollout.FunctionRollout("checkout", {
    functionName: fn.name,
    version: fn.version,
    // A tenth of the traffic for ten minutes, then all of it, and five more minutes of watching.
    strategy: { type: "canary", percentage: 10, interval: "10 minutes" },
    bake: "5 minutes",
    alarms: [slow.name, throttled.name],
    notifications: [{ topicArn: news.arn, events: ["start", "success", "failure", "rollback"] }],
});

export const targetArn = checkout.targetArn;
export const servingVersion = checkout.servingVersion;
