// The policies in docs/permissions.md are right to the letter: every feature works with what the guide says that it needs, and
// the guide allows nothing that no feature needs. A guard in front of the sandbox refuses what the policies do not allow.

import * as assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import { CloudWatchClient, DeleteAlarmsCommand, PutMetricAlarmCommand } from "@aws-sdk/client-cloudwatch";
import { CodeDeployClient, GetDeploymentCommand, StopDeploymentCommand } from "@aws-sdk/client-codedeploy";
import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import * as lambdaRollout from "pulumi-lambda-rollout";
import { Guard } from "../support/guard";
import { Grant, grants, policies } from "../support/policies";
import { answering, hook, hookFunction, publishedFunction, throwing } from "../support/programs";
import { Sandbox } from "../support/sandbox";
import { TestStack, failureOf } from "../support/stack";
import { Traffic } from "../support/traffic";

const names = {
    REGION: "us-east-1", ACCOUNT: "000000000000", FUNCTION: "orders", HOOK: "guard", HOOK_ROLE: "guard*", SERVICE_ROLE: "theirs",
    ALIAS: "stable", TOPIC: "releases", APPLICATION: "rollout-orders.stable", GROUP: "stable",
};

let sandbox: Sandbox;
let guard: Guard;
let cloudWatch: CloudWatchClient;
let codeDeploy: CodeDeployClient;
let stack: TestStack;
let program: () => pulumi.Input<any>;
let code: string;
const documented = new Map<string, Grant[]>();

before(async () => {
    sandbox = await Sandbox.start();
    cloudWatch = new CloudWatchClient(sandbox.clientConfig);
    codeDeploy = new CodeDeployClient(sandbox.clientConfig);
    guard = await Guard.start(sandbox);
    for (const title of policies().keys()) documented.set(title, grants(title, names));
});

beforeEach(async () => {
    code = answering("one");
    guard.refused.length = 0;
    stack = await TestStack.create(sandbox, async () => program(), { env: guard.env });
});

after(async () => {
    await guard?.stop();
    await sandbox?.stop();
});

/** Runs a story with the policies under these headings of the guide, without the statements that others take the place of. */
function scenario(name: string, titles: string[], body: () => Promise<void>, without: string[] = []) {
    test(name, async () => {
        const all = () => allow(titles, without);
        all();
        await body();
        all();
        await stack.destroy();
        await stack.remove();
        assert.deepEqual([...new Set(guard.refused)], [], "the guide does not allow what was needed");
        assert.deepEqual(await sandbox.leftovers(), []);
    });
}

function allow(titles: string[], without: string[] = []) {
    const found = titles.flatMap((title) => documented.get(title) ?? assert.fail(`docs/permissions.md has no "${title}"`));
    guard.grants = found.filter((grant) => !without.includes(grant.sid));
}

const base = "A rollout";
const logs = "Log lines in messages";
// Long enough that it is still on its way.
const canary = { type: "canary" as const, percentage: 10, interval: "30 minutes" };
const target = "arn:aws:lambda:us-east-1:000000000000:function:orders:stable";
const orders = () => publishedFunction("orders", code);

/** An alarm of somebody else's that never fires. */
async function putAlarm(): Promise<void> {
    await cloudWatch.send(new PutMetricAlarmCommand({
        AlarmName: "latency", Namespace: "Shop", MetricName: "Latency", Statistic: "Maximum", TreatMissingData: "notBreaching",
        Period: 60, EvaluationPeriods: 1, Threshold: 1, ComparisonOperator: "GreaterThanThreshold",
    }));
}

const deleteAlarm = () => cloudWatch.send(new DeleteAlarmsCommand({ AlarmNames: ["latency"] }));

/** Waits until a deployment has ended, and what rolls it back. */
async function ended(id: string): Promise<void> {
    for (;;) {
        const { deploymentInfo: info } = await codeDeploy.send(new GetDeploymentCommand({ deploymentId: id }));
        const rollback = info!.rollbackInfo?.rollbackDeploymentId;
        if (rollback) return ended(rollback);
        if (["Succeeded", "Failed", "Stopped"].includes(info!.status!)) return;
        await new Promise((resolve) => setTimeout(resolve, 50));
    }
}

/** For roles that call AWS themselves, past the guard. */
const policyOf = (title: string) =>
    JSON.stringify({ Version: "2012-10-17", Statement: documented.get(title)!.map(({ statement }) => statement) });

async function split(id: string): Promise<void> {
    while (!(await sandbox.isSplit("orders"))) {
        const { deploymentInfo: info } = await codeDeploy.send(new GetDeploymentCommand({ deploymentId: id }));
        assert.ok(!info!.completeTime, `deployment ${id} ended before anybody could stop it`);
        await new Promise((resolve) => setTimeout(resolve, 20));
    }
}

function rollout(args: Partial<lambdaRollout.FunctionRolloutArgs> = {}, options: pulumi.CustomResourceOptions = {}) {
    const fn = orders();
    return new lambdaRollout.FunctionRollout("orders", { functionName: fn.name, version: fn.version, ...args }, options);
}

/** An update to a version that fails under traffic. */
async function failing(on = target): Promise<string> {
    code = throwing("broken");
    const traffic = new Traffic(sandbox, on, () => ({}));
    const failure = await failureOf(stack.up());
    await traffic.stop();
    return failure;
}

scenario("the two-line program", [base, logs], async () => {
    program = () => rollout();
    await stack.up();
    code = answering("two");
    await stack.up();
    assert.match(await failing(), /version 3 was rolled back[^]*broken/);
    await stack.refresh();
    await stack.up();
});

scenario("a preview asks how busy an alias is that gets a new version, and nothing else", [base], async () => {
    program = () => rollout();
    const before = guard.seen.length;
    await stack.preview();
    assert.equal(guard.seen.length, before);
    await stack.up();
    code = answering("two");
    const made = guard.seen.length;
    await stack.preview();
    assert.deepEqual(guard.seen.slice(made).map(({ action }) => action), ["cloudwatch:GetMetricData"]);
});

scenario("what is changed on the way, and a destroy while traffic moves", [base], async () => {
    let args: Partial<lambdaRollout.FunctionRolloutArgs> = {};
    program = () => {
        const topic = new aws.sns.Topic("releases", { name: "releases" });
        rollout({ ...args, ...(args.tags && { notifications: [{ topicArn: topic.arn }] }) });
    };
    await stack.up();
    args = { tags: { team: "shop" } };
    await stack.up();
    await putAlarm();
    args = { tags: { team: "shop" }, alarms: ["latency"], strategy: canary, wait: false };
    code = answering("two");
    await stack.up();
    await stack.destroy();
    await deleteAlarm();
});

scenario("a strategy of one's own, and another one", [base, "A strategy of your own"], async () => {
    let interval = "1 minute";
    program = () => rollout({ strategy: { type: "linear", percentage: 50, interval } });
    await stack.up();
    interval = "2 minutes";
    await stack.up();
});

scenario("a smoke test", [base, "A smoke test"], async () => {
    program = () => rollout({ smokeTest: { payload: "{}", expect: JSON.stringify({ answer: "one" }) } });
    await stack.up();
});

scenario("hooks, one of which crashes", [base, "Hooks"], async () => {
    let guarding = throwing("no such host");
    program = () => {
        const hooked = hookFunction("guard", guarding);
        rollout({ hooks: { beforeTraffic: hooked.name }, strategy: { type: "allAtOnce" }, bake: "0s" }, { dependsOn: [hooked] });
    };
    await stack.up();
    code = answering("two");
    assert.match(await failureOf(stack.up()), /hook guard crashed 3 times without reporting/);
    guarding = hook("Succeeded");
    await stack.up();
});

scenario("function URLs for callers that AWS knows", [base, "Function URLs"], async () => {
    let functionUrl: lambdaRollout.types.input.FunctionUrlArgs | undefined = {};
    program = () => rollout({ functionUrl });
    await stack.up();
    functionUrl = { cors: { allowOrigins: ["https://example.com"] } };
    await stack.up();
    functionUrl = undefined;
    await stack.up();
});

scenario("a public function URL", [base, "Function URLs", "Permissions on the alias"], async () => {
    program = () => rollout({ functionUrl: { authorizationType: "NONE" } });
    await stack.up();
});

scenario("permissions on the alias", [base, "Permissions on the alias"], async () => {
    let permissions: lambdaRollout.types.input.PermissionArgs[] = [{ principal: "events.amazonaws.com" }];
    program = () => rollout({ permissions });
    await stack.up();
    permissions = [];
    await stack.up();
});

scenario("a permissions boundary", [base, "A permissions boundary"], async () => {
    let permissionsBoundary: string | undefined;
    program = () => rollout({ permissionsBoundary });
    await stack.up();
    permissionsBoundary = "arn:aws:iam::aws:policy/PowerUserAccess";
    await stack.up();
    permissionsBoundary = undefined;
    await stack.up();
});

const brought = "A role that you bring";

scenario("a role that is brought, with a hook", [base, "Hooks", brought, "A hook with a role that you bring"], async () => {
    program = () => {
        const role = new aws.iam.Role("theirs", {
            name: "theirs",
            assumeRolePolicy: aws.iam.assumeRolePolicyForPrincipal({ Service: "codedeploy.amazonaws.com" }),
        });
        const policy = new aws.iam.RolePolicy("theirs", {
            name: "deploy", role: role.name, policy: policyOf("The role that a rollout makes"),
        });
        const hooked = hookFunction("guard", hook("Succeeded"), policyOf("The report"));
        rollout(
            { serviceRoleArn: role.arn, hooks: { beforeTraffic: hooked.name }, strategy: { type: "allAtOnce" }, bake: "0s" },
            { dependsOn: [hooked, policy] },
        );
    };
    await stack.up();
    code = answering("two");
    await stack.up();
}, ["Role", "RoleForCodeDeploy"]);

scenario("an import", [base, "Import"], async () => {
    program = () => rollout();
    await stack.up();
    const heirs = await TestStack.create(sandbox, async () => {
        new lambdaRollout.FunctionRollout("mine", { functionName: "orders", version: "1" }, { import: "orders:stable" });
    }, { name: "heirs", env: guard.env });
    await heirs.up();
    await heirs.up();
    await heirs.destroy();
    await heirs.remove();
});

scenario("a refresh needs to read, and nothing else", [base, logs, "A strategy of your own", "Function URLs"], async () => {
    program = () => ({ id: rollout({
        functionUrl: {}, latestFunctionUrl: {}, wait: false, strategy: { type: "canary", percentage: 50, interval: "10 minutes" },
    }).deploymentId });
    await stack.up();
    code = throwing("broken");
    const traffic = new Traffic(sandbox, target, () => ({}));
    const { outputs: { id } } = await stack.up();
    await ended(id.value);
    await traffic.stop();
    allow(["Refresh"]);
    assert.match((await stack.refresh()).stdout, /version 2 was rolled back/);
});

scenario("an alias alone", ["FunctionAlias alone"], async () => {
    program = () => {
        const fn = orders();
        new lambdaRollout.FunctionAlias("live", { functionName: fn.name, aliasName: "live", version: fn.version });
    };
    await stack.up();
    code = answering("two");
    await stack.up();
    await stack.refresh();
});

/** A function with an alias, deployed by a rollout that does not wait. */
async function deploying(version: string, args: Partial<lambdaRollout.FunctionRolloutArgs> = {}): Promise<string> {
    program = () => ({ id: rollout({ wait: false, ...args }).deploymentId });
    code = version;
    return (await stack.up()).outputs.id.value;
}

/** A stack of its own beside it, with the policies under these headings. */
async function beside(titles: string[], body: (other: TestStack) => Promise<void>, its: () => pulumi.Input<any>) {
    const other = await TestStack.create(sandbox, async () => its(), { name: "other", env: guard.env });
    allow(titles);
    await body(other);
    await other.destroy();
    await other.remove();
}

scenario("one deployment with a group that is there", [base], async () => {
    await deploying(answering("one"));
    const version = async () => (await stack.resource("aws:lambda/function:Function")).outputs.version;
    code = answering("two");
    // The rollout stays, as somebody else's.
    program = () => ({ id: rollout({ version: "1" }).deploymentId });
    await stack.up();
    const declared = { applicationName: "rollout-orders.stable", deploymentGroupName: "stable", functionName: "orders", aliasName: "stable" };
    // The longest that AWS has, so that there is time to stop it.
    const deploymentConfigName = "CodeDeployDefault.LambdaCanary10Percent30Minutes";
    let wanted = await version();
    await putAlarm();
    await beside(["LambdaDeployment alone"], async (other) => {
        await other.up();
        // Somebody stops it half way, and the next one puts the alias right.
        const id = (await other.resource("LambdaDeployment")).outputs.deploymentId;
        await split(id);
        await codeDeploy.send(new StopDeploymentCommand({ deploymentId: id, autoRollbackEnabled: false }));
        await ended(id);
        code = answering("three");
        allow([base]);
        await stack.up();
        allow(["LambdaDeployment alone"]);
        wanted = await version();
        await other.up();
        await other.refresh();
    }, () => new lambdaRollout.LambdaDeployment("orders", { ...declared, deploymentConfigName, alarms: ["latency"], version: wanted }));
    await deleteAlarm();
});

scenario("waiting for a deployment that fails", [base, logs], async () => {
    await deploying(answering("one"));
    const id = await deploying(throwing("broken"));
    const traffic = new Traffic(sandbox, target, () => ({}));
    await beside(["DeploymentWaiter alone", logs], async (other) => {
        assert.match(await failureOf(other.up()), /version 2 was rolled back/);
        await other.refresh();
    }, () => new lambdaRollout.DeploymentWaiter("orders", { deploymentId: id }));
    await traffic.stop();
});

scenario("waiting for a deployment and its bake", [base, logs], async () => {
    await deploying(answering("one"));
    const id = await deploying(throwing("too late"), { strategy: { type: "allAtOnce" } });
    await ended(id);
    const traffic = new Traffic(sandbox, target, () => ({}));
    // Its answer is lost, so that the provider has to look whether it took the version back.
    await sandbox.fault({ service: "codedeploy", operation: "CreateDeployment", kind: "reset-after", count: 1 });
    await beside(["DeploymentWaiter alone", "A DeploymentWaiter that bakes", logs], async (other) => {
        assert.match(await failureOf(other.up()), /version 2 was rolled back/);
    }, () => new lambdaRollout.DeploymentWaiter("orders", { deploymentId: id, bake: "10 minutes" }));
    await traffic.stop();
});

scenario("the functions", [base, "A strategy of your own"], async () => {
    await deploying(answering("one"));
    const id = await deploying(answering("two"), { strategy: { type: "canary", percentage: 10, interval: "10 hours" } });
    await beside(["getDeployment and getRollout"], async (other) => {
        const { outputs } = await other.up();
        assert.equal(outputs.seen.value.deploymentId, id);
        assert.equal(outputs.deployment.value.targetVersion, "2");
    }, () => ({
        seen: lambdaRollout.getRolloutOutput({ functionName: "orders" }),
        deployment: lambdaRollout.getDeploymentOutput({ deploymentId: id }),
    }));
});

test("the guide allows nothing that no feature needs", () => {
    const ofRoles = ["The role that a rollout makes", "The report"];
    const unused = [...documented.values()].flat().filter((grant) => !guard.used.has(grant) && !ofRoles.includes(grant.title));
    assert.deepEqual(unused.map(({ title, statement }) => `${title}: ${statement.Action} on ${statement.Resource}`), []);
});
