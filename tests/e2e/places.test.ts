// Many at once, and in other places: regions, the wrong place, notifications, a limit on how many run side by side.

import * as assert from "node:assert/strict";
import * as fs from "node:fs/promises";
import * as path from "node:path";
import { after, before, beforeEach } from "node:test";
import * as aws from "@pulumi/aws";
import { BatchGetDeploymentsCommand, CodeDeployClient, ListDeploymentsCommand } from "@aws-sdk/client-codedeploy";
import * as pulumi from "@pulumi/pulumi";
import * as lambdaRollout from "pulumi-lambda-rollout";
import { answering, publishedFunction } from "../support/programs";
import { Sandbox, region } from "../support/sandbox";
import { scenarios } from "../support/scenario";
import { TestStack, failureOf } from "../support/stack";
import { invoke } from "../support/traffic";

let sandbox: Sandbox;
let stack: TestStack;
let code: string;
let program: pulumi.automation.PulumiFn;

before(async () => {
    sandbox = await Sandbox.start();
});

beforeEach(async () => {
    code = answering("one");
    stack = await TestStack.create(sandbox, () => program());
});

after(async () => {
    await sandbox?.stop();
});

const scenario = scenarios(() => ({ sandbox, stack }));

scenario("two regions are served by one program, each by its own provider", async () => {
    program = async () => {
        const outputs: Record<string, pulumi.Output<string>> = {};
        for (const place of ["us-east-1", "eu-west-1"]) {
            const there = new aws.Provider(place, { region: place as aws.Region });
            const fn = publishedFunction(place, code, { name: "orders", provider: there });
            const provider = new lambdaRollout.Provider(place, { region: place });
            const rollout = new lambdaRollout.FunctionRollout(place, { functionName: fn.name, version: fn.version }, { provider });
            outputs[place] = pulumi.interpolate`${rollout.targetArn} ${rollout.servingVersion}`;
        }
        return outputs;
    };
    await stack.up();
    code = answering("two");
    const { outputs } = await stack.up();
    assert.match(outputs["us-east-1"].value, /:us-east-1:.*:orders:stable 2$/);
    assert.match(outputs["eu-west-1"].value, /:eu-west-1:.*:orders:stable 2$/);
});

scenario("credentials of another place are refused, and nothing is dropped or made there", async () => {
    program = async () => {
        const here = new aws.Provider("here", { region });
        const fn = publishedFunction("orders", code, { provider: here });
        const rollout = new lambdaRollout.FunctionRollout("orders", { functionName: fn.name, version: fn.version });
        return { targetArn: rollout.targetArn };
    };
    const { outputs } = await stack.up();
    const refused = /orders:stable belongs to account \d+ in us-east-1, and the credentials are of account \d+ in eu-west-1/;
    stack.environment.AWS_REGION = "eu-west-1";
    assert.match(await failureOf(stack.refresh()), refused);
    code = answering("two");
    assert.match(await failureOf(stack.up()), refused);
    assert.match(await failureOf(stack.destroy()), refused);
    assert.ok((await sandbox.leftovers()).every((found) => found.startsWith("us-east-1 ") || found.includes(" iam ")));

    stack.environment.AWS_REGION = region;
    await stack.up();
    assert.equal((await invoke(sandbox, outputs.targetArn.value, {})).body.answer, "two");
});

scenario("nothing of any kind is looked for, changed or dropped in the place of another profile", async () => {
    program = async () => void ["orders", "returns"].forEach((name) => publishedFunction(name, answering("one")));
    await stack.up();
    await sandbox.makeGroup("theirs", "group");

    let description = "as it was";
    const others = await TestStack.create(sandbox, async () => {
        const [functionName, aliasName, version] = ["returns", "live", "1"];
        new lambdaRollout.FunctionRollout("rollout", { functionName: "orders", version, description });
        const alias = new lambdaRollout.FunctionAlias("alias", { functionName, aliasName, version, description, follow: false });
        const deployment = new lambdaRollout.LambdaDeployment("deployment", {
            applicationName: "theirs", deploymentGroupName: "group", functionName, aliasName, version,
            triggers: { description },
        }, { dependsOn: alias });
        new lambdaRollout.DeploymentWaiter("waiter", { deploymentId: deployment.deploymentId });
    }, { name: "others" });
    await fs.writeFile(path.join(others.home, "credentials"), profiles);
    for (const key of ["AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"]) delete others.environment[key];
    const { environment } = others;
    environment.AWS_CONFIG_FILE = environment.AWS_SHARED_CREDENTIALS_FILE = path.join(others.home, "credentials");
    environment.AWS_PROFILE = "here";
    await others.up();
    const made = (await sandbox.leftovers()).sort();

    environment.AWS_PROFILE = "there";
    const refused = (id: string) => new RegExp(`${id} belongs to account 0{12} in us-east-1, and the credentials are of account 2{12} in eu-west-1`);
    const ids = { FunctionRollout: "orders:stable", FunctionAlias: "returns:live", LambdaDeployment: "theirs/group/returns:live" };
    description = "changed";
    for (const [type, id] of Object.entries(ids)) {
        const target = [(await others.resource(type)).urn];
        assert.match(await failureOf(others.refresh({ target })), refused(id));
        assert.match(await failureOf(others.up({ target })), refused(id));
        assert.match(await failureOf(others.destroy({ target, targetDependents: true })), refused(id));
    }
    assert.deepEqual((await sandbox.leftovers()).sort(), made);

    environment.AWS_PROFILE = "here";
    await others.up();
    assert.deepEqual(Object.keys((await others.up()).summary.resourceChanges ?? {}), ["same"]);
    await others.destroy();
    await others.remove();
    await sandbox.removeGroup("theirs");
});

scenario("the topic hears what CodeDeploy does", async () => {
    program = async () => {
        const fn = publishedFunction("orders", code);
        const topic = new aws.sns.Topic("rollouts", { name: "rollouts" });
        const queue = new aws.sqs.Queue("heard", { name: "heard" });
        const heard = new aws.sns.TopicSubscription("heard", { topic: topic.arn, protocol: "sqs", endpoint: queue.arn });
        new lambdaRollout.FunctionRollout("orders", {
            functionName: fn.name, version: fn.version, notifications: [{ topicArn: topic.arn, events: ["start", "success"] }],
        }, { dependsOn: heard });
        return { queue: queue.url };
    };
    const { outputs } = await stack.up();
    code = answering("two");
    await stack.up();
    // The first one says in words that a trigger was made.
    const messages = await sandbox.receive(outputs.queue.value, 3);
    const texts: string[] = messages.map((message) => JSON.parse(message).Message);
    const heard = texts.filter((text) => text.startsWith("{")).map((text) => JSON.parse(text).status);
    assert.deepEqual(heard.sort(), ["CREATED", "SUCCEEDED"]);
});

scenario("no more deployments run at once than the provider is told", async () => {
    const names = ["orders", "returns", "stock"];
    program = async () => {
        const provider = new lambdaRollout.Provider("slowly", { region, maxConcurrentDeployments: 1 });
        for (const name of names) {
            const fn = publishedFunction(name, code);
            new lambdaRollout.FunctionRollout(name, {
                functionName: fn.name, version: fn.version, strategy: { type: "canary", interval: "1 minute" }, bake: "0s",
            }, { provider });
        }
    };
    await stack.up();
    code = answering("two");
    await stack.up();
    const runs = await deployments();
    assert.equal(runs.length, names.length);
    for (const [index, run] of runs.entries()) {
        const next = runs[index + 1];
        assert.ok(!next || next.createTime!.getTime() >= run.completeTime!.getTime(), "two ran at once");
    }
});

const profiles = `
[here]
region = us-east-1
aws_access_key_id = test
aws_secret_access_key = test

[there]
region = eu-west-1
aws_access_key_id = 222222222222
aws_secret_access_key = test
`;

/** All deployments of the default region, in the order of their creation. */
async function deployments() {
    const client = new CodeDeployClient(sandbox.clientConfig);
    const { deployments = [] } = await client.send(new ListDeploymentsCommand({}));
    const { deploymentsInfo = [] } = await client.send(new BatchGetDeploymentsCommand({ deploymentIds: deployments }));
    return deploymentsInfo.sort((a, b) => a.createTime!.getTime() - b.createTime!.getTime());
}
