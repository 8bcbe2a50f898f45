// The other resources, and the ways in which people use a provider.

import * as assert from "node:assert/strict";
import { after, before, beforeEach } from "node:test";
import * as pulumi from "@pulumi/pulumi";
import * as lambdaRollout from "pulumi-lambda-rollout";
import { declareBrought, theirs } from "../support/brought";
import { Gate } from "../support/gate";
import { answering, hook, publishedFunction, throwing } from "../support/programs";
import { Sandbox } from "../support/sandbox";
import { scenarios } from "../support/scenario";
import { TestStack, failureOf } from "../support/stack";
import { Traffic, invoke } from "../support/traffic";
import { until } from "../support/until";

let sandbox: Sandbox;
let stack: TestStack;
let program: pulumi.automation.PulumiFn = async () => undefined;

before(async () => {
    sandbox = await Sandbox.start();
});

beforeEach(async () => {
    stack = await TestStack.create(sandbox, () => program());
});

after(async () => {
    await sandbox?.stop();
});

const scenario = scenarios(() => ({ sandbox, stack }));

scenario("a rollout that does not wait hands its deployment to a waiter", async () => {
    let code = answering("one");
    program = async () => {
        const fn = publishedFunction("orders", code);
        const rollout = new lambdaRollout.FunctionRollout("orders", { functionName: fn.name, version: fn.version, wait: false });
        const waiter = new lambdaRollout.DeploymentWaiter("orders", { deploymentId: rollout.deploymentId });
        return { deploymentId: rollout.deploymentId, deployments: waiter.deployments, targetArn: rollout.targetArn };
    };
    const first = await stack.up();
    assert.equal(first.outputs.deploymentId.value, "");
    assert.deepEqual(first.outputs.deployments.value, []);

    code = answering("two");
    const second = await stack.up();
    const id = second.outputs.deploymentId.value;
    assert.match(id, /^d-/);
    assert.deepEqual(second.outputs.deployments.value, [{ deploymentId: id, status: "Succeeded", message: "" }]);
    assert.equal((await invoke(sandbox, second.outputs.targetArn.value, {})).body.answer, "two");

    code = throwing("broken");
    const traffic = new Traffic(sandbox, second.outputs.targetArn.value, () => ({}));
    const failure = await failureOf(stack.up());
    await traffic.stop();
    assert.match(failure, /version 3 was rolled back/);
    const again = await stack.up();
    assert.match(again.stdout, /failed before/);
});

scenario("an alias of its own is used by a rollout, and never owned or deleted by it", async () => {
    let withRollout = true;
    program = async () => {
        const fn = publishedFunction("orders", answering("one"));
        const alias = new lambdaRollout.FunctionAlias("stable", {
            functionName: fn.name,
            aliasName: "stable",
            version: fn.version,
            follow: false,
        });
        if (withRollout) {
            new lambdaRollout.FunctionRollout("orders", { functionName: fn.name, version: fn.version }, { dependsOn: [alias] });
        }
        return { targetArn: alias.targetArn };
    };
    const result = await stack.up();
    withRollout = false;
    await stack.up();
    assert.equal((await invoke(sandbox, result.outputs.targetArn.value, {})).body.answer, "one", "the alias is gone");
});

scenario("an explicit provider rolls out in a region of its own", async () => {
    program = async () => {
        const provider = new lambdaRollout.Provider("there", { region: "eu-west-1", maxRetries: 3, defaultTags: { team: "shop" } });
        new lambdaRollout.FunctionRollout("orders", { functionName: "orders", version: "1" }, { provider });
    };
    const failure = await failureOf(stack.up());
    assert.match(failure, /version 1 of orders does not exist in eu-west-1/);
    const calls = await sandbox.journal();
    assert.ok(calls.some((call) => call.operation.startsWith("GetAlias") && call.region === "eu-west-1"));
});

scenario("a function given as an ARN is the same function, and its name another one", async () => {
    let byArn = false;
    let elsewhere = false;
    let name = "orders";
    program = async () => {
        const fn = publishedFunction("orders", answering("one"));
        const other = publishedFunction("returns", answering("other"));
        const chosen = name === "orders" ? fn : other;
        const rollout = new lambdaRollout.FunctionRollout("orders", {
            functionName: elsewhere
                ? "arn:aws:lambda:eu-west-1:000000000000:function:orders"
                : byArn ? chosen.arn : chosen.name,
            version: chosen.version,
        });
        return { targetArn: rollout.targetArn };
    };
    await stack.up();
    byArn = true;
    const same = await stack.up();
    assert.deepEqual(Object.keys(same.summary.resourceChanges ?? {}), ["same"]);
    elsewhere = true;
    assert.match(await failureOf(stack.up()), /functionName names account 000000000000 in eu-west-1/);
    elsewhere = false;
    name = "returns";
    const replaced = await stack.up();
    assert.equal(replaced.summary.resourceChanges?.replace, 1);
    assert.match(replaced.outputs.targetArn.value, /function:returns:stable$/);
    assert.equal((await invoke(sandbox, replaced.outputs.targetArn.value, {})).body.answer, "other");
});

scenario("secrets in inputs stay secret in the state", async () => {
    program = async () => {
        const fn = publishedFunction("orders", answering("one"));
        new lambdaRollout.FunctionRollout("orders", {
            functionName: fn.name,
            version: fn.version,
            description: pulumi.secret("the code word is tangerine"),
            triggers: { run: pulumi.secret("apricot") },
        });
    };
    await stack.up();
    const state = JSON.stringify(await stack.resources());
    assert.doesNotMatch(state, /tangerine|apricot/);
    const again = await stack.up();
    assert.deepEqual(Object.keys(again.summary.resourceChanges ?? {}), ["same"]);
});

scenario("what a function says to a secret payload stays out of the state, and the payload out of the terminal", async () => {
    let code = answering("one");
    program = async () => {
        const fn = publishedFunction("orders", code);
        const smokeTest = { payload: JSON.stringify({ apiKey: "hush-9000" }), expect: JSON.stringify({ ok: true }) };
        new lambdaRollout.FunctionRollout("orders", { functionName: fn.name, version: fn.version, ...(code.includes("echo") && { smokeTest }) });
    };
    await stack.up();
    code = `exports.handler = async (event) => ({ ok: false, echo: event, customer: "tanger" + "ine" });`;
    const failure = await failureOf(stack.up());
    assert.match(failure, /the smoke test failed: "ok" should be true and is false/);
    assert.match(failure, /answered the smoke test: .*tangerine/);
    assert.doesNotMatch(failure, /hush-9000/);
    assert.doesNotMatch(JSON.stringify(await stack.resources()), /hush-9000|tangerine/);
});

scenario("what another stack made is refused, and can be imported", async () => {
    const other = await TestStack.create(sandbox, async () => {
        const fn = publishedFunction("orders", answering("one"));
        new lambdaRollout.FunctionRollout("orders", {
            functionName: fn.name,
            version: fn.version,
            strategy: { type: "linear", percentage: 25, interval: "2 minutes" },
        });
    }, { name: "other" });
    await other.up();
    let options: pulumi.CustomResourceOptions = {};
    program = async () => {
        new lambdaRollout.FunctionRollout("mine", {
            functionName: "orders",
            version: "1",
            strategy: { type: "linear", percentage: 25, interval: "2m" },
        }, options);
    };
    const refusal = await failureOf(stack.up());
    assert.match(refusal, /exists already and belongs to shop\/other\/orders/);
    assert.match(refusal, /adopt: true/);

    options = { import: "orders:stable" };
    const imported = await stack.up();
    assert.equal(imported.summary.resourceChanges?.import, 1);
    options = {};
    const same = await stack.up();
    assert.deepEqual(Object.keys(same.summary.resourceChanges ?? {}), ["same"]);

    await stack.destroy();
    // The first owner finds nothing of its own any more, and is fine with that.
    await other.destroy();
    await other.remove();
});

scenario("a deployment with an application and a group that somebody else made", async () => {
    await sandbox.makeGroup(theirs.applicationName, theirs.deploymentGroupName);
    let code = answering("one");
    program = async () => {
        const { fn, alias, deployment } = declareBrought({ code, waiter: { bake: "1m" } });
        const seen = lambdaRollout.getRolloutOutput({ functionName: fn.name, aliasName: "live" }, { dependsOn: [deployment] } as any);
        return { deploymentId: deployment.deploymentId, targetArn: alias.targetArn, seen };
    };
    const first = await stack.up();
    assert.equal(first.outputs.deploymentId.value, "");
    code = answering("two");
    const second = await stack.up();
    assert.match(second.outputs.deploymentId.value, /^d-/);
    assert.equal((await invoke(sandbox, second.outputs.targetArn.value, {})).body.answer, "two");
    await stack.destroy();
    await sandbox.removeGroup(theirs.applicationName);
});

scenario("a deployment that is replaced while it runs is taken up by its successor, and goes on", async () => {
    await sandbox.makeGroup(theirs.applicationName, theirs.deploymentGroupName);
    const gate = new Gate();
    const guard = hook("Succeeded").replace("await fetch", `${gate.wait} await fetch`);
    let code = answering("one");
    program = async () => {
        const { alias, deployment } = declareBrought({ code, guard });
        return { deploymentId: deployment.deploymentId, targetArn: alias.targetArn };
    };
    await stack.up();
    code = answering("two");
    const started = await stack.up();
    await until(() => gate.isReached);
    const { urn } = await stack.resource("LambdaDeployment");
    const replaced = await stack.up({ replace: [urn] });
    assert.equal(replaced.summary.resourceChanges?.replace, 1, replaced.stdout);
    assert.equal(replaced.outputs.deploymentId.value, started.outputs.deploymentId.value);
    gate.open();
    const ended = await sandbox.deploymentEnds(started.outputs.deploymentId.value);
    assert.equal(ended.status, "Succeeded", JSON.stringify(ended));
    assert.equal((await invoke(sandbox, started.outputs.targetArn.value, {})).body.answer, "two");
    await stack.destroy();
    await sandbox.removeGroup(theirs.applicationName);
    gate.close();
});

scenario("what is no longer declared is removed, a public URL first of all", async () => {
    let args: Partial<lambdaRollout.FunctionRolloutArgs> = {
        strategy: { type: "canary", percentage: 20, interval: "4m" },
        latestFunctionUrl: { authorizationType: "NONE" },
        functionUrl: { authorizationType: "NONE" },
    };
    program = async () => {
        const fn = publishedFunction("orders", answering("one"));
        const rollout = new lambdaRollout.FunctionRollout("orders", { functionName: fn.name, version: fn.version, ...args });
        return { url: rollout.url, latestUrl: rollout.latestUrl };
    };
    const first = await stack.up();
    const { url, latestUrl } = first.outputs;
    assert.equal((await fetch(url.value)).status, 200);
    assert.equal((await fetch(latestUrl.value)).status, 200);

    args = { strategy: { type: "linear", percentage: 25, interval: "3m" }, latestAliasName: "" };
    const second = await stack.up();
    assert.equal(second.outputs.url.value, "");
    assert.notEqual((await fetch(url.value)).status, 200, "the public URL still answers");
    assert.notEqual((await fetch(latestUrl.value)).status, 200, "the public URL of the latest alias still answers");
    const { scopes } = await sandbox.state();
    assert.deepEqual(scopes.flatMap((scope: any) => scope.codedeploy.deploymentConfigs), ["rollout-linear-25pct-3m"]);
    const aliases = scopes.flatMap((scope: any) => scope.lambda.functions.flatMap((fn: any) => fn.aliases));
    assert.deepEqual(aliases.map((alias: any) => alias.name), ["stable"]);
});
