// Calling the version under test.

import assert from "node:assert/strict";
import { test } from "node:test";
import { FunctionError, rollout, type HookFunction } from "lambda-rollout-hooks";
import { FakeCodeDeploy, fakeContext, fakeEvent, type FakeOptions } from "lambda-rollout-hooks/testing";
import { logged } from "./logged.js";

async function reasonOf(hook: HookFunction, options: FakeOptions = {}): Promise<string | undefined> {
    const codeDeploy = await FakeCodeDeploy.start(options);
    try {
        return (await logged(() => rollout.handler(hook)(fakeEvent(), fakeContext()))).result!.reason;
    } finally {
        await codeDeploy.stop();
    }
}

test("it answers what the version under test answers", async () => {
    const hook: HookFunction = async () => {
        assert.deepEqual(await rollout.invoke({ price: "4 €" }), { got: { price: "4 €" } });
        assert.deepEqual(await rollout.invoke(), { got: {} });
    };
    assert.equal(await reasonOf(hook, { functionName: "orders", targetVersion: "8", answer: (got) => ({ got }) }), undefined);
});

test("it throws what the version under test throws", async () => {
    const answer = () => { throw new TypeError("no basket"); };
    const reason = "FunctionError: version 8 of orders failed: TypeError: no basket";
    const options = { functionName: "orders", targetVersion: "8", answer };
    assert.equal(await reasonOf(async () => { await rollout.invoke({}); }, options), reason);
    const catching: HookFunction = async () => {
        const error = await rollout.invoke({}).catch((error) => error);
        assert.ok(error instanceof FunctionError);
        assert.equal(error.errorType, "TypeError");
    };
    assert.equal(await reasonOf(catching, options), undefined);
});

test("without the permission it names it", async () => {
    const reason = await reasonOf(async () => { await rollout.invoke(); }, { functionName: "orders", targetVersion: "8", denied: ["Invoke"] });
    assert.match(reason!, /^allow lambda:InvokeFunction on orders:8 in the role of this function/);
});

test("a throttled invocation is made again", async (t) => {
    const given = { LIFECYCLE_EVENT: "BeforeAllowTraffic", FUNCTION_NAME: "orders", ALIAS: "live", CURRENT_VERSION: "7", TARGET_VERSION: "8" };
    for (const [name, value] of Object.entries(given)) process.env[`LAMBDA_ROLLOUT_${name}`] = value;
    t.after(() => Object.keys(given).forEach((name) => delete process.env[`LAMBDA_ROLLOUT_${name}`]));
    const hook: HookFunction = async () => { await rollout.invoke(); };
    assert.equal(await reasonOf(hook, { functionName: "orders", targetVersion: "8", throttled: 2 }), undefined);
});

test("when it does not know the version under test, it says what to allow or set", async () => {
    const reason = await reasonOf(async () => { await rollout.invoke(); }, { denied: ["GetDeploymentTarget"] });
    assert.match(reason!, /allow codedeploy:ListDeploymentTargets .* or set LAMBDA_ROLLOUT_FUNCTION_NAME/);
});

test("outside of a hook it refuses", async () => {
    await assert.rejects(rollout.invoke({}), /only inside the function given to rollout.handler/);
});
