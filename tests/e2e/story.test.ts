// The life of a rollout, with the real CLI: first version, shift, failure, rollback, fix, smoke test, refresh, end.

import * as assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { EngineEvent } from "@pulumi/pulumi/automation/index.js";
import * as lambdaRollout from "pulumi-lambda-rollout";
import { answering, publishedFunction, throwing } from "../support/programs";
import { Sandbox } from "../support/sandbox";
import { TestStack, failureOf } from "../support/stack";
import { Traffic, invoke } from "../support/traffic";

let sandbox: Sandbox;
let stack: TestStack;
let code = answering("one");
let extra: Partial<lambdaRollout.FunctionRolloutArgs> = {};
let target: string;

before(async () => {
    sandbox = await Sandbox.start();
    stack = await TestStack.create(sandbox, async () => {
        const fn = publishedFunction("orders", code);
        const rollout = new lambdaRollout.FunctionRollout("orders", {
            functionName: fn.name,
            version: fn.version,
            ...extra,
        });
        return {
            targetArn: rollout.targetArn,
            servingVersion: rollout.servingVersion,
            failedVersion: rollout.failedVersion,
            status: rollout.lastRollout.apply((last) => last?.status),
        };
    });
});

after(async () => {
    await sandbox?.stop();
    await stack?.remove();
});

const mutations = async (since: number) =>
    (await sandbox.journal(since)).filter((call) => call.mutating).map((call) => call.operation);

const now = async () => (await sandbox.journal()).length;

const rollout = () => stack.resource("FunctionRollout");

test("a first deployment gets all traffic, and says so", async () => {
    const preview = await stack.preview();
    assert.match(preview.stdout, /first deployment: the next version gets all traffic/);
    assert.deepEqual(await mutations(0), [], "a preview changed something");

    const result = await stack.up();
    assert.match(result.stdout, /first deployment: version 1 serves all traffic/);
    target = result.outputs.targetArn.value;
    assert.match(target, /:function:orders:stable$/);
    assert.equal((await invoke(sandbox, target, {})).body.answer, "one");
});

test("an unchanged program changes nothing and asks AWS nothing", async () => {
    const since = await now();
    const result = await stack.up();
    assert.deepEqual(Object.keys(result.summary.resourceChanges ?? {}), ["same"]);
    const calls = await sandbox.journal(since);
    assert.deepEqual(calls.map((call) => call.operation), []);
});

test("a new version is shifted in steps, and both answer meanwhile", async () => {
    code = answering("two");
    const preview = await stack.preview();
    assert.match(preview.stdout, /version 1 → the next version: 10 % for 5 minutes, then 100 %/);
    // What depends on the rollout shows no change: its ARN is known.
    assert.doesNotMatch(preview.stdout, /targetArn/);

    const traffic = new Traffic(sandbox, target, () => ({}));
    const result = await stack.up();
    const { byVersion, failed } = await traffic.stop();
    assert.match(result.stdout, /\[1\/2\] 10 % on version 2/);
    assert.match(result.stdout, /version 2 serves all traffic · \d+ requests?, 0 errors/);
    assert.equal(failed, 0);
    assert.ok((byVersion.get("1") ?? 0) > (byVersion.get("2") ?? 0) * 0.5, "version 1 had most of the canary");
    assert.ok((byVersion.get("2") ?? 0) > 0);
    assert.equal(result.outputs.servingVersion.value, "2");
    assert.equal(result.outputs.status.value, "Succeeded");
});

test("a version that throws is rolled back, and the update fails with the whole story", async () => {
    code = throwing("no sku");
    const traffic = new Traffic(sandbox, target, () => ({}));
    const failure = await failureOf(stack.up());
    const { failed, requests } = await traffic.stop();
    assert.match(failure, /orders: version 3 was rolled back at 10 % of traffic after/);
    assert.match(failure, /Now serving: stable → version 2, 100 % \(rollback d-\w+ finished\)/);
    assert.match(failure, /Cause: +version 3 failed \d+ of \d+ requests .*, and version 2 failed 0 of \d+ requests \(0 %\); alarm "rollout-orders\.stable\.v3-\w+" fired/);
    assert.match(failure, /Exposure: +\d+ requests? reached version 3/);
    assert.match(failure, /no sku/);
    assert.match(failure, /the next `pulumi up` succeeds and deploys nothing/);
    assert.ok(failed > 0 && failed < requests / 2);
    assert.equal((await invoke(sandbox, target, {})).version, "2");
});

test("after a failed update the engine keeps the old inputs and the errors, and we keep what was acted on", async () => {
    const resource = await rollout();
    assert.equal(resource.inputs.version, "2");
    assert.equal(resource.outputs.failedVersion, "3");
    assert.equal(resource.outputs.servingVersion, "2");
    assert.equal(resource.initErrors.length, 1);
    assert.doesNotMatch(JSON.stringify(resource), /no sku/, "log lines are in the state");
    const { version, status, reason, percentage, rollbackDeploymentId, next } = resource.outputs.lastRollout;
    assert.deepEqual([version, status, percentage], ["3", "Failed", 10]);
    assert.match(reason, /version 3 failed \d+ of \d+ requests/);
    assert.match(rollbackDeploymentId, /^d-\w+$/);
    assert.match(next, /publish a version that mends it/);
});

test("the next update succeeds, says that the version failed, and deploys nothing", async () => {
    const since = await now();
    const result = await stack.up();
    assert.match(result.stdout, /version 3 failed before, so nothing was deployed, and version 2 serves all traffic/);
    assert.ok(!(await mutations(since)).includes("CreateDeployment"));
    assert.equal((await rollout()).initErrors ?? undefined, undefined);
    assert.equal((await rollout()).inputs.version, "3");
});

test("from then on nothing is to be done, and a warning says why", async () => {
    const since = await now();
    const result = await stack.up();
    assert.deepEqual(Object.keys(result.summary.resourceChanges ?? {}), ["same"]);
    assert.match(result.stdout + result.stderr, /version 3 failed, and version 2 serves all traffic/);
    assert.deepEqual(await mutations(since), []);
});

test("under SST, which shows no warnings, it is said as information", async () => {
    const said: string[] = [];
    stack.environment.SST_AWS_REGION = "us-east-1";
    const onEvent = ({ diagnosticEvent: line }: EngineEvent) => {
        if (line && !line.ephemeral) said.push(`${line.severity} ${line.message}`);
    };
    await stack.up({ onEvent }).finally(() => delete stack.environment.SST_AWS_REGION);
    assert.match(said.join("\n"), /^info(#err)? warning: orders: version 3 failed, and version 2 serves all traffic/m);
});

test("a fixed version goes live although the errors of the last one are on the books", async () => {
    code = answering("four");
    const traffic = new Traffic(sandbox, target, () => ({}));
    const result = await stack.up();
    await traffic.stop();
    assert.equal(result.outputs.servingVersion.value, "4");
    assert.equal(result.outputs.failedVersion.value, "");
});

test("a smoke test refuses a version before any traffic moves", async () => {
    code = answering("five");
    extra = { smokeTest: { payload: JSON.stringify({ secret: "hunter2" }), expect: JSON.stringify({ answer: "six" }) } };
    const since = await now();
    const failure = await failureOf(stack.up());
    assert.match(failure, /orders: version 5 was refused before it got any traffic/);
    assert.match(failure, /"answer" should be "six" and is "five"/);
    assert.ok(!(await mutations(since)).includes("CreateDeployment"));
    const state = JSON.stringify(await stack.resources());
    assert.doesNotMatch(state, /hunter2/, "the payload is in the state in clear");
});

test("going back to the serving version clears the failure and deploys nothing", async () => {
    const since = await now();
    code = answering("four");
    extra = {};
    const result = await stack.up();
    // The same code publishes no new version, so the declared version is the serving one or a twin of it.
    assert.ok(["4", "6"].includes(result.outputs.servingVersion.value));
    if (result.outputs.servingVersion.value === "4") {
        assert.ok(!(await mutations(since)).includes("CreateDeployment"));
    }
    assert.equal(result.outputs.failedVersion.value, "");
});

test("refresh finds no drift", async () => {
    const result = await stack.refresh();
    const changes = Object.keys(result.summary.resourceChanges ?? {}).filter((kind) => kind !== "same");
    assert.deepEqual(changes, []);
});

test("an alias that was moved by hand is drift, and the next update deploys the declared version again", async () => {
    const before = (await rollout()).outputs.servingVersion;
    await sandbox.moveAlias("orders", "stable", "1");
    await stack.refresh();
    assert.equal((await rollout()).outputs.servingVersion, "1");
    const result = await stack.up();
    assert.equal(result.outputs.servingVersion.value, before);
});

test("destroy leaves nothing behind", async () => {
    await stack.destroy();
    assert.deepEqual(await sandbox.leftovers(), []);
});
