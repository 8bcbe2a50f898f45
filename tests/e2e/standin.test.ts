// The stand-in for the AWS provider: every type that it has, made, changed, looked at and removed in the sandbox.

import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import * as assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { answering, publishedFunction } from "../support/programs";
import { Sandbox } from "../support/sandbox";
import { TestStack, failureOf } from "../support/stack";

let sandbox: Sandbox;
let stack: TestStack;
let change = false;
let extra: () => void = () => undefined;

before(async () => {
    sandbox = await Sandbox.start();
    stack = await TestStack.create(sandbox, async () => {
        const { fn, alias } = lambda();
        const arns = [messages(alias), storage(alias), events(alias), monitoring(alias), apis(fn), codeDeploy()];
        extra();
        return { arns: pulumi.all(arns.flat()), account: aws.getCallerIdentityOutput().accountId };
    });
});

after(async () => {
    await sandbox?.stop();
    await stack?.remove();
});

function lambda() {
    const fn = publishedFunction("jobs", answering("one"));
    const alias = new aws.lambda.Alias("jobs", {
        name: "stable",
        functionName: fn.name,
        functionVersion: fn.version,
        description: change ? "changed" : "made",
    });
    new aws.lambda.FunctionUrl("jobs", {
        functionName: fn.name,
        qualifier: alias.name,
        authorizationType: change ? "NONE" : "AWS_IAM",
        cors: { allowOrigins: ["*"], maxAge: 60 },
    });
    new aws.lambda.Permission("jobs", {
        function: fn.name,
        qualifier: alias.name,
        action: "lambda:InvokeFunction",
        principal: "events.amazonaws.com",
    });
    const policy = new aws.iam.Policy("jobs", {
        policy: aws.iam.getPolicyDocumentOutput({ statements: [{ actions: ["sqs:*"], resources: ["*"] }] }).json,
    });
    new aws.iam.RolePolicyAttachment("jobs", { role: "jobs-other", policyArn: policy.arn }, { dependsOn: role() });
    return { fn, alias };
}

function role() {
    const role = new aws.iam.Role("jobs-other", {
        name: "jobs-other",
        description: change ? "changed" : "made",
        assumeRolePolicy: aws.iam.assumeRolePolicyForPrincipal({ Service: "lambda.amazonaws.com" }),
    });
    new aws.iam.RolePolicy("jobs-other", {
        role: role.id,
        policy: { Version: "2012-10-17", Statement: [{ Effect: "Allow", Action: "sns:*", Resource: "*" }] },
    });
    return role;
}

function messages(alias: aws.lambda.Alias) {
    const queue = new aws.sqs.Queue("jobs", { visibilityTimeoutSeconds: change ? 60 : 30 });
    new aws.lambda.EventSourceMapping("jobs", {
        eventSourceArn: queue.arn,
        functionName: alias.arn,
        batchSize: change ? 5 : 1,
    });
    const topic = new aws.sns.Topic("jobs");
    new aws.sns.TopicSubscription("jobs", { topic: topic.arn, protocol: "sqs", endpoint: queue.arn });
    const stream = new aws.kinesis.Stream("jobs", { shardCount: 1 });
    return [queue.arn, topic.arn, stream.arn];
}

function storage(alias: aws.lambda.Alias) {
    const bucket = new aws.s3.Bucket("jobs");
    const allowed = new aws.lambda.Permission("jobs-bucket", {
        function: alias.functionName,
        qualifier: alias.name,
        action: "lambda:InvokeFunction",
        principal: "s3.amazonaws.com",
        sourceArn: bucket.arn,
    });
    new aws.s3.BucketNotification("jobs", {
        bucket: bucket.id,
        lambdaFunctions: [
            { lambdaFunctionArn: alias.arn, events: ["s3:ObjectCreated:*"], filterSuffix: change ? ".png" : ".jpg" },
        ],
    }, { dependsOn: allowed });
    const table = new aws.dynamodb.Table("jobs", {
        attributes: [{ name: "id", type: "S" }],
        hashKey: "id",
        billingMode: "PAY_PER_REQUEST",
        streamEnabled: true,
        streamViewType: "NEW_IMAGE",
    });
    const users = new aws.cognito.UserPool("jobs", { lambdaConfig: { postConfirmation: alias.arn } });
    new aws.cognito.UserPoolClient("jobs", { userPoolId: users.id });
    return [bucket.arn, table.arn, table.streamArn, users.arn];
}

function events(alias: aws.lambda.Alias) {
    const rule = new aws.cloudwatch.EventRule("jobs", { scheduleExpression: change ? "rate(2 hours)" : "rate(1 hour)" });
    new aws.cloudwatch.EventTarget("jobs", { rule: rule.name, arn: alias.arn });
    return [rule.arn];
}

function monitoring(alias: aws.lambda.Alias) {
    const alarm = new aws.cloudwatch.MetricAlarm("jobs", {
        comparisonOperator: "GreaterThanThreshold",
        evaluationPeriods: 1,
        threshold: change ? 2 : 1,
        metricQueries: [
            { id: "rate", expression: "errors * 100", returnData: true },
            { id: "errors", metric: { namespace: "AWS/Lambda", metricName: "Errors", period: 60, stat: "Sum" } },
        ],
    });
    const group = new aws.cloudwatch.LogGroup("jobs", { retentionInDays: change ? 3 : 1 });
    const allowed = new aws.lambda.Permission("jobs-logs", {
        function: alias.functionName,
        qualifier: alias.name,
        action: "lambda:InvokeFunction",
        principal: "logs.amazonaws.com",
    });
    new aws.cloudwatch.LogSubscriptionFilter("jobs", {
        logGroup: group.name,
        filterPattern: change ? "ERROR" : "",
        destinationArn: alias.arn,
    }, { dependsOn: allowed });
    return [alarm.arn, group.arn];
}

function apis(fn: aws.lambda.Function) {
    const http = new aws.apigatewayv2.Api("jobs", { protocolType: "HTTP" });
    const integration = new aws.apigatewayv2.Integration("jobs", {
        apiId: http.id,
        integrationType: "AWS_PROXY",
        integrationUri: fn.invokeArn,
        payloadFormatVersion: change ? "2.0" : "1.0",
    });
    new aws.apigatewayv2.Route("jobs", {
        apiId: http.id,
        routeKey: change ? "GET /jobs" : "$default",
        target: pulumi.interpolate`integrations/${integration.id}`,
    });
    new aws.apigatewayv2.Stage("jobs", { apiId: http.id, name: "$default", autoDeploy: true });

    const rest = new aws.apigateway.RestApi("jobs");
    const restApi = rest.id;
    const resource = new aws.apigateway.Resource("jobs", { restApi, parentId: rest.rootResourceId, pathPart: "jobs" });
    const at = { restApi, resourceId: resource.id, httpMethod: "GET" };
    const method = new aws.apigateway.Method("jobs", { ...at, authorization: "NONE" });
    const proxy = new aws.apigateway.Integration("jobs", {
        ...at,
        type: "AWS_PROXY",
        integrationHttpMethod: "POST",
        uri: fn.invokeArn,
    }, { dependsOn: method });
    const deployment = new aws.apigateway.Deployment("jobs", {
        restApi,
        triggers: { change: `${change}` },
    }, { dependsOn: proxy });
    new aws.apigateway.Stage("jobs", { restApi, deployment: deployment.id, stageName: "live" });
    return [http.arn, rest.arn];
}

function codeDeploy() {
    const role = new aws.iam.Role("jobs-deploy", {
        assumeRolePolicy: aws.iam.assumeRolePolicyForPrincipal({ Service: "codedeploy.amazonaws.com" }),
    });
    const application = new aws.codedeploy.Application("jobs", { computePlatform: "Lambda" });
    const config = new aws.codedeploy.DeploymentConfig("jobs", {
        computePlatform: "Lambda",
        trafficRoutingConfig: { type: "TimeBasedCanary", timeBasedCanary: { percentage: 10, interval: 5 } },
    });
    const group = new aws.codedeploy.DeploymentGroup("jobs", {
        appName: application.name,
        deploymentGroupName: "jobs",
        serviceRoleArn: role.arn,
        deploymentConfigName: config.deploymentConfigName,
        deploymentStyle: { deploymentType: "BLUE_GREEN", deploymentOption: "WITH_TRAFFIC_CONTROL" },
        autoRollbackConfiguration: { enabled: change, events: change ? ["DEPLOYMENT_FAILURE"] : [] },
    });
    return [application.arn, config.arn, group.arn];
}

/** Nothing differs from what the program says, and nothing is done by running it again. */
async function settled() {
    const refreshed = await stack.refresh();
    assert.deepEqual(Object.keys(refreshed.summary.resourceChanges ?? {}), ["same"]);
    const again = await stack.up();
    assert.deepEqual(Object.keys(again.summary.resourceChanges ?? {}), ["same"]);
}

test("every type is made", async () => {
    const made = await stack.up();
    for (const arn of made.outputs.arns.value) assert.match(arn, /^arn:aws:/);
    assert.equal(made.outputs.account.value, "000000000000");
    await settled();
});

test("what can be changed is changed in place", async () => {
    change = true;
    const changed = await stack.up();
    // Only the deployment of a REST API is a new one.
    assert.equal(changed.summary.resourceChanges?.replace, 1);
    await settled();
});

test("an unknown type is an error that names it and says who speaks", async () => {
    extra = () => void new aws.ec2.Vpc("jobs", { cidrBlock: "10.0.0.0/16" });
    const failure = await failureOf(stack.preview());
    extra = () => undefined;
    assert.match(failure, /stand-in for the AWS provider .* has no aws:ec2\/vpc:Vpc/);
});

test("all is removed in the end", async () => {
    await stack.destroy();
    assert.deepEqual(await sandbox.leftovers(), []);
});
