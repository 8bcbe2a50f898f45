// The code of the guide to event sources, run as it stands there: events come through the alias, before and after a rollout.
// All sources are in one stack, each with a function of its own, so that all rollouts run side by side.

import * as assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { LambdaClient, UpdateFunctionConfigurationCommand } from "@aws-sdk/client-lambda";
import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { Answers, Service, call, deleteObject, publish, putObject } from "../support/aws";
import { program, sections } from "../support/guides";
import { Sandbox } from "../support/sandbox";
import { TestStack } from "../support/stack";

interface Source {
    /** The heading in the guide. */
    title: string;
    /** What of the code there an event is sent to. */
    target: string;
    /** Makes an event happen; each time it is another number. */
    send(target: any, n: number): Promise<unknown>;
    /** How many calls of the function that makes, if it is more than one. */
    calls?: number;
}

const json = (service: Service, operation: string, body: unknown) => call(sandbox, service, operation, body);

async function request(url: string) {
    const answer = await fetch(url);
    assert.equal(answer.status, 200, `${url} answered ${answer.status}`);
}

/** Somebody signs in, and gets a token. */
async function signIn(pool: string, n: number) {
    const user = { UserPoolId: pool, Username: `user-${n}` };
    const password = "Correct-Horse-1";
    const { UserPoolClient: client } = await json("cognito-idp", "CreateUserPoolClient", {
        UserPoolId: pool, ClientName: `client-${n}`, ExplicitAuthFlows: ["ALLOW_ADMIN_USER_PASSWORD_AUTH"],
    });
    await json("cognito-idp", "AdminCreateUser", { ...user, MessageAction: "SUPPRESS" });
    await json("cognito-idp", "AdminSetUserPassword", { ...user, Password: password, Permanent: true });
    await json("cognito-idp", "AdminInitiateAuth", {
        UserPoolId: pool,
        ClientId: client.ClientId,
        AuthFlow: "ADMIN_USER_PASSWORD_AUTH",
        AuthParameters: { USERNAME: user.Username, PASSWORD: password },
    });
}

const sources: Source[] = [
    { title: "SQS", target: "jobs.url", send: (url) => json("sqs", "SendMessage", { QueueUrl: url, MessageBody: "job" }) },
    {
        title: "DynamoDB streams",
        target: "products.name",
        send: (table, n) => json("dynamodb", "PutItem", { TableName: table, Item: { id: { S: `${n}` } } }),
    },
    {
        title: "Kinesis",
        target: "clicks.name",
        send: (stream) => json("kinesis", "PutRecord", { StreamName: stream, PartitionKey: "a", Data: btoa("click") }),
    },
    { title: "SNS", target: "signups.arn", send: (topic) => publish(sandbox, topic, "welcome") },
    { title: "S3", target: "uploads.bucket", send: (bucket) => putObject(sandbox, bucket, "picture") },
    {
        title: "EventBridge rule",
        target: "paid.name",
        send: () => json("events", "PutEvents", { Entries: [{ Source: "shop", DetailType: "order paid", Detail: "{}" }] }),
    },
    { title: "API Gateway v1 (REST)", target: "stage.invokeUrl", send: (url) => request(`${url}/`) },
    { title: "API Gateway v2 (HTTP)", target: "shopStage.invokeUrl", send: (url) => request(url) },
    { title: "Function URL", target: "address", send: (url) => request(url) },
    { title: "Cognito trigger", target: "users.id", send: signIn },
    {
        title: "More than one source",
        target: "{ queue: orders.url, topic: changes.arn }",
        send: async ({ queue, topic }) => {
            await json("sqs", "SendMessage", { QueueUrl: queue, MessageBody: "order" });
            await publish(sandbox, topic, "change");
        },
        calls: 2,
    },
];

/** Its events come by themselves. */
const schedule: Source = { title: "Schedule (cron)", target: "everyMinute.name", send: async () => undefined };
/** Its code does what it should not. */
const mistake: Source = { title: "The mistake", target: "news.arn", send: (topic) => publish(sandbox, topic, "news") };

const all = [...sources, schedule, mistake];

/** What the guide says is not run. */
const typesOnly = ["EventBridge Scheduler", "IoT (realtime) authorizer", "CloudWatch Logs"];

const nameOf = (source: Source) => source.title.toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/-$/, "");

let sandbox: Sandbox;
let stack: TestStack;
let answers: Answers;
let release: string;

before(async () => {
    sandbox = await Sandbox.start();
    answers = await Answers.open(sandbox);
    stack = await TestStack.create(sandbox, async () => {
        const role = new aws.iam.Role("functions", {
            assumeRolePolicy: aws.iam.assumeRolePolicyForPrincipal({ Service: "lambda.amazonaws.com" }),
        });
        const targets = all.map((source) => {
            const target = program<unknown>("event-sources.md", source.title, source.target);
            return [nameOf(source), target(tellingFunction(nameOf(source), role))];
        });
        return { targets: pulumi.output(Object.fromEntries(targets)) };
    });
});

after(async () => {
    await answers?.close();
    await sandbox?.stop();
});

function tellingFunction(name: string, role: aws.iam.Role) {
    return new aws.lambda.Function(name, {
        name,
        runtime: "nodejs20.x",
        handler: "index.handler",
        role: role.arn,
        code: new pulumi.asset.AssetArchive({ "index.js": new pulumi.asset.StringAsset(Answers.code) }),
        environment: { variables: environment(release) },
        publish: true,
    });
}

const environment = (release: string) => ({ RELEASE: release, ANSWERS: answers.url });

/** New code is uploaded, and nothing is published. */
async function upload(release: string) {
    const lambda = new LambdaClient(sandbox.clientConfig);
    for (const source of all) {
        const Environment = { Variables: environment(release) };
        await lambda.send(new UpdateFunctionConfigurationCommand({ FunctionName: nameOf(source), Environment }));
    }
}

/** Sends an event from each source, and says which releases answered. */
async function answered(from: Source[], targets: Record<string, any>, n: number): Promise<Record<string, string[]>> {
    const each = from.map(async (source) => {
        const fn = nameOf(source);
        await source.send(targets[fn], n);
        const releases: string[] = [];
        while (releases.length < (source.calls ?? 1)) releases.push(await answers.next(fn));
        return [source.title, releases];
    });
    return Object.fromEntries(await Promise.all(each));
}

const expected = (from: Source[], release: string) =>
    Object.fromEntries(from.map((source) => [source.title, Array(source.calls ?? 1).fill(release)]));

test("each piece of the guide's code is run here, but for what it says is not", () => {
    const titles = sections("event-sources.md").map((section) => section.title);
    const imports = "Event sources";
    assert.deepEqual(titles.sort(), [imports, ...all.map((source) => source.title), ...typesOnly].sort());
});

test("events come to the version that the alias serves", { timeout: 600_000 }, async () => {
    release = "one";
    const targets = (await stack.up()).outputs.targets.value;

    await upload("unpublished");
    assert.deepEqual(await answered(sources, targets, 1), expected(sources, "one"));
    assert.deepEqual(await answered([schedule], targets, 1), expected([schedule], "one"));
    assert.deepEqual(await answered([mistake], targets, 1), expected([mistake], "unpublished"), "the bare ARN is not $LATEST");

    release = "two";
    await stack.up();
    assert.deepEqual(await answered(sources, targets, 2), expected(sources, "two"));
    // What the rule sent before the rollout was over may be told first.
    let scheduled = await answers.next(nameOf(schedule));
    while (scheduled === "one") scheduled = await answers.next(nameOf(schedule));
    assert.equal(scheduled, "two");

    await deleteObject(sandbox, targets.s3, "picture");
    await stack.destroy();
    assert.deepEqual(await sandbox.leftovers(), []);
    await stack.remove();
});
