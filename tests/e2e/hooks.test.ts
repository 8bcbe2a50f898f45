// Hooks: what they report, what keeps them from it, and what happens when they crash.

import * as assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import * as lambdaRollout from "pulumi-lambda-rollout";
import { answering, hook, hookFunction, publishedFunction, throwing } from "../support/programs";
import { Sandbox } from "../support/sandbox";
import { scenariosAfterUp } from "../support/scenario";
import { TestStack, failureOf } from "../support/stack";
import { invoke } from "../support/traffic";

let whole: Sandbox;
/** An account for each test, so that what a failed one leaves behind is in nobody's way. */
let sandbox: Sandbox;
let stack: TestStack;
let code: string;
let guard: { code: string; policy?: string } | undefined;
let extra: Partial<lambdaRollout.FunctionRolloutArgs>;

before(async () => {
    whole = await Sandbox.start();
});

beforeEach(async () => {
    sandbox = whole.alone();
    code = answering("one");
    guard = undefined;
    extra = {};
    stack = await TestStack.create(sandbox, async () => {
        const fn = publishedFunction("orders", code);
        const hooked = guard && hookFunction("guard", guard.code, guard.policy);
        const rollout = new lambdaRollout.FunctionRollout("orders", {
            functionName: fn.name,
            version: fn.version,
            ...(hooked && { hooks: { beforeTraffic: hooked.name } }),
            ...extra,
        }, { dependsOn: hooked ? [hooked] : [] });
        return { targetArn: rollout.targetArn, servingVersion: rollout.servingVersion };
    });
});

after(async () => {
    await whole?.stop();
});

const scenario = scenariosAfterUp(() => ({ sandbox, stack }));

scenario("a hook that reports Failed keeps the version from any traffic, and one that reports Succeeded lets it pass", async (target) => {
    code = answering("two");
    guard = { code: hook("Failed") };
    const failure = await failureOf(stack.up());
    assert.match(failure, /version 2 was refused before it got any traffic/);
    assert.match(failure, /Cause: +the before-traffic hook guard reported Failed/);
    assert.equal((await invoke(sandbox, target, {})).version, "1");

    code = answering("three");
    guard = { code: hook("Succeeded") };
    const result = await stack.up();
    assert.equal(result.outputs.servingVersion.value, "3");
});

scenario("the reason that a hook writes into its log is in the failure message, also if the log is late", async () => {
    code = answering("two");
    const line = `console.error(JSON.stringify({
        lambdaRollout: "hook", deploymentId: event.DeploymentId, status: "Failed", reason: "health said 503",
    }));`;
    // The log gets a call's first line at once, the others when it ends: here a while after it has reported.
    const later = "await new Promise((resolve) => setTimeout(resolve, 1_000));";
    guard = { code: hook("Failed").replace(/};$/, `${line} ${later} };`) };
    assert.match(await failureOf(stack.up()), /hook guard reported Failed after .*: health said 503/);
});

scenario("a hook that does not exist is refused before anything is deployed", async () => {
    code = answering("two");
    extra = { hooks: { afterTraffic: "nobody" } };
    assert.match(await failureOf(stack.up()), /hook nobody does not exist/);
});

scenario("a hook whose role may not report is refused, and deployed once the role may", async () => {
    code = answering("two");
    guard = { code: hook("Succeeded"), policy: "" };
    const started = (await sandbox.journal()).length;
    const refusal = await failureOf(stack.up());
    assert.match(refusal, /hook guard could never report: its role .*guard.* may not do codedeploy:PutLifecycleEventHookExecutionStatus/);
    const calls = (await sandbox.journal()).slice(started).map((call) => call.operation);
    assert.ok(!calls.includes("CreateDeployment"), "nothing was deployed");

    guard = { code: hook("Succeeded") };
    assert.equal((await stack.up()).outputs.servingVersion.value, "2");
});

scenario("a hook that crashes is said at once, and the deployment is stopped instead of waiting an hour", async (target) => {
    code = answering("two");
    guard = { code: throwing("no such host") };
    const failure = await failureOf(stack.up());
    assert.match(failure, /the before-traffic hook guard crashed before it reported: Error: no such host, at .*index\.js:\d+:\d+\); Lambda tries it again/);
    assert.match(failure, /version 2 was not rolled out, and no traffic moved/);
    assert.match(failure, /Cause: +the before-traffic hook guard crashed 3 times without reporting/);
    assert.match(failure, /Next: +mend the hook function/);
    assert.equal((await invoke(sandbox, target, {})).version, "1");

    // The crash says nothing about the version: it is tried again once the hook is mended.
    guard = { code: hook("Succeeded") };
    assert.equal((await stack.up()).outputs.servingVersion.value, "2");
});

test("a brought service role that may not call the hook is refused", async () => {
    await sandbox.makeGroup("theirs", "theirs");
    extra = { applicationName: "theirs", deploymentGroupName: "theirs" };
    await stack.up();
    code = answering("two");
    guard = { code: hook("Succeeded") };
    assert.match(await failureOf(stack.up()), /service role arn:aws:iam::\d+:role\/theirs may not call hook guard: .*CodeDeployHook_/);
    await stack.destroy();
    await sandbox.removeGroup("theirs");
    assert.deepEqual(await sandbox.leftovers(), []);
    await stack.remove();
});
