// What a hook tells CodeDeploy, and what it writes into its log.

import assert from "node:assert/strict";
import { test } from "node:test";
import { rollout, type HookEvent, type HookFunction } from "lambda-rollout-hooks";
import { FakeCodeDeploy, fakeContext, fakeEvent, type FakeOptions } from "lambda-rollout-hooks/testing";
import { logged } from "./logged.js";

/** Runs a hook once, against a CodeDeploy of its own. */
async function run(hook: HookFunction, options: FakeOptions = {}, timeout = 30) {
    const codeDeploy = await FakeCodeDeploy.start(options);
    const payload = fakeEvent();
    try {
        const { result, error, lines } = await logged(() => rollout.handler(hook)(payload, fakeContext({ timeout })));
        for (const line of lines) assert.equal(line.deploymentId, payload.DeploymentId);
        return { verdict: result, error, lines, payload, reports: codeDeploy.reports, calls: codeDeploy.calls };
    } finally {
        await codeDeploy.stop();
    }
}

test("returning is success", async () => {
    const { verdict, reports, payload, lines } = await run(() => {});
    assert.deepEqual(verdict, { status: "Succeeded" });
    assert.deepEqual(reports, [
        { deploymentId: payload.DeploymentId, hookExecutionId: payload.LifecycleEventHookExecutionId, status: "Succeeded" },
    ]);
    assert.deepEqual(lines.map((line) => line.status), ["Started", "Succeeded"]);
});

for (const [how, hook] of Object.entries<HookFunction>({
    throwing: () => { throw new Error("health said 503"); },
    rejecting: async () => Promise.reject(new Error("health said 503")),
})) {
    test(`${how} is failure, with the reason`, async () => {
        const { verdict, reports, lines, payload } = await run(hook);
        assert.deepEqual(verdict, { status: "Failed", reason: "health said 503" });
        assert.deepEqual(reports.map((report) => report.status), ["Failed"]);
        const { requestId, timestamp, stack, ...line } = lines[1]!;
        assert.deepEqual(line, {
            lambdaRollout: "hook",
            deploymentId: payload.DeploymentId,
            status: "Failed",
            reason: "health said 503",
            lifecycleEvent: "BeforeAllowTraffic",
            hookExecutionId: payload.LifecycleEventHookExecutionId,
            level: "ERROR",
        });
        assert.match(requestId!, /^[0-9a-f-]{36}$/);
        assert.match(timestamp, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
        assert.match(stack!, /^Error: health said 503\n {4}at /);
    });
}

test("the reason tells the kind of an error, and its causes", async () => {
    const reasonOf = async (thrown: unknown) => (await run(() => { throw thrown; })).verdict!.reason;
    assert.equal(await reasonOf(new TypeError("x is not a function")), "TypeError: x is not a function");
    const refused = Object.assign(new AggregateError([], ""), { code: "ECONNREFUSED" });
    const failed = new TypeError("fetch failed", { cause: refused });
    assert.equal(await reasonOf(failed), "TypeError: fetch failed: AggregateError: ECONNREFUSED");
    assert.equal(await reasonOf("just words"), "just words");
    assert.equal(await reasonOf({ count: 3n }), "{ count: 3n }");
    assert.equal(await reasonOf(undefined), "undefined");
});

test("a long reason is cut, and stays JSON", async () => {
    const { lines } = await run(() => { throw new Error(`${"x".repeat(998)}😀😀 and more`); });
    assert.equal(lines[1]!.reason!.length, 1_000);
    assert.match(lines[1]!.reason!, /x\uFFFD…$/);
});

test("a hook that hangs is reported as failed before its time is up", async () => {
    const { verdict, reports, error } = await run(() => new Promise(() => {}), {}, 3);
    assert.equal(error, undefined);
    assert.match(verdict!.reason!, /^still running after \d+\.\d s, when the function's time was nearly up$/);
    assert.deepEqual(reports.map((report) => report.status), ["Failed"]);
});

test("the event says what is tested", async () => {
    let seen: HookEvent | undefined;
    const options: FakeOptions = {
        lifecycleEvent: "AfterAllowTraffic", functionName: "orders", alias: "live", currentVersion: "7", targetVersion: "8",
    };
    const { payload } = await run((event) => { seen = event; }, options);
    assert.deepEqual(seen, {
        deploymentId: payload.DeploymentId, hookExecutionId: payload.LifecycleEventHookExecutionId, ...options,
    });
});

test("without the permission to look, a hook works and knows the two ids and why", async () => {
    let seen: HookEvent | undefined;
    const { verdict } = await run((event) => { seen = event; }, { denied: ["ListDeploymentTargets"] });
    assert.equal(verdict!.status, "Succeeded");
    assert.equal(seen!.targetVersion, undefined);
    assert.match(seen!.lookupError!, /not authorized to perform ListDeploymentTargets/);
});

test("what the environment says is not asked", async (t) => {
    const given = { LIFECYCLE_EVENT: "BeforeAllowTraffic", FUNCTION_NAME: "orders", ALIAS: "live", CURRENT_VERSION: "7", TARGET_VERSION: "latest" };
    for (const [name, value] of Object.entries(given)) process.env[`LAMBDA_ROLLOUT_${name}`] = value;
    t.after(() => Object.keys(given).forEach((name) => delete process.env[`LAMBDA_ROLLOUT_${name}`]));
    let seen: HookEvent | undefined;
    const { calls } = await run((event) => { seen = event; });
    assert.equal(seen!.targetVersion, "latest");
    assert.deepEqual(calls, ["PutLifecycleEventHookExecutionStatus"]);

    delete process.env.LAMBDA_ROLLOUT_ALIAS;
    await run((event) => { seen = event; }, { alias: "stable", targetVersion: "9" });
    assert.deepEqual([seen!.alias, seen!.targetVersion], ["stable", "latest"], "the environment comes first");
});

test("that it was reported already is no error", async () => {
    const { error, reports } = await run((event) => rollout.report(event, "Failed", "seen before"));
    assert.equal(error, undefined);
    assert.deepEqual(reports.map((report) => report.status), ["Failed"]);
});

test("without the permission to report, Lambda sees an error that names it", async () => {
    const { error, lines, reports } = await run(() => {}, { denied: ["PutLifecycleEventHookExecutionStatus"] });
    assert.equal((error as Error).name, "NotReportedError");
    assert.match((error as Error).message, /allow codedeploy:PutLifecycleEventHookExecutionStatus/);
    const { status, verdict, reason, level } = lines.at(-1)!;
    assert.deepEqual([status, verdict, level], ["NotReported", "Succeeded", "ERROR"]);
    assert.equal(reason, (error as Error).message);
    assert.deepEqual(reports, []);
});

test("throttled calls are made again", async () => {
    const { verdict, calls } = await run(() => {}, { throttled: 2 });
    assert.equal(verdict!.status, "Succeeded");
    assert.deepEqual(calls.slice(0, 3), Array(3).fill("ListDeploymentTargets"));
});

test("a CodeDeploy that cannot be reached is said, with the cure", async () => {
    const codeDeploy = await FakeCodeDeploy.start();
    const hook = rollout.handler(() => {});
    const unreachable = process.env.AWS_ENDPOINT_URL_CODEDEPLOY!;
    await codeDeploy.stop();
    process.env.AWS_ENDPOINT_URL_CODEDEPLOY = unreachable;
    Object.assign(process.env, { AWS_REGION: "us-east-1", AWS_ACCESS_KEY_ID: "fake", AWS_SECRET_ACCESS_KEY: "fake" });
    const { error, lines } = await logged(() => hook(fakeEvent(), fakeContext({ timeout: 2 })));
    delete process.env.AWS_ENDPOINT_URL_CODEDEPLOY;
    assert.match((error as Error).message, /VPC endpoint for CodeDeploy/);
    assert.deepEqual(lines.map((line) => line.status), ["Started", "Succeeded", "NotReported"]);
});

test("anything but an event of CodeDeploy is refused", async () => {
    const hook = rollout.handler(() => {});
    await assert.rejects(hook({} as never, fakeContext()), /not an event of CodeDeploy/);
});
