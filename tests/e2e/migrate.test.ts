// An alias of @pulumi/aws changes hands, as the guide says and with the guide's code, while somebody uses it all the time.

import * as assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { after, before, beforeEach, test } from "node:test";
import { promisify } from "node:util";
import * as aws from "@pulumi/aws";
import { program } from "../support/guides";
import { answering, publishedFunction } from "../support/programs";
import { Sandbox } from "../support/sandbox";
import { TestStack } from "../support/stack";
import { Traffic, invoke } from "../support/traffic";

const steps = {
    before: program<aws.lambda.Alias["arn"]>("migrate.md", "Before", "live.arn"),
    letGo: program<aws.lambda.Alias["arn"]>("migrate.md", "First `pulumi up`: let go", "live.arn"),
    takeOver: program<aws.lambda.Alias["arn"]>("migrate.md", "Second `pulumi up`: take over", "live.targetArn"),
    /** An alias on which nothing hangs. */
    alone: (fn?: aws.lambda.Function) =>
        new aws.lambda.Alias("live", { name: "live", functionName: fn!.name, functionVersion: fn!.version }).arn,
};

let sandbox: Sandbox;
let stack: TestStack;
let step: keyof typeof steps;
let code: string;

before(async () => {
    sandbox = await Sandbox.start();
});

beforeEach(async () => {
    code = answering("one");
    stack = await TestStack.create(sandbox, async () => ({ target: steps[step](publishedFunction("orders", code)) }));
});

after(async () => {
    await sandbox?.stop();
});

function scenario(name: string, start: keyof typeof steps, body: (target: string) => Promise<void>) {
    test(name, async () => {
        const first = await takeStep(start);
        await body(first.outputs.target.value);
        await stack.destroy();
        assert.deepEqual(await sandbox.leftovers(), []);
        await stack.remove();
    });
}

async function takeStep(next: keyof typeof steps) {
    step = next;
    return stack.up();
}

/** What could have taken the alias away or moved it, since this call. */
async function moves(since: number): Promise<string[]> {
    const calls = await sandbox.journal(since);
    return calls.map((call) => call.operation).filter((operation) => /^(DeleteAlias|CreateDeployment$)/.test(operation));
}

scenario("let go, take over, roll out: no request fails, and none is answered by another version before the rollout", "before", async (target) => {
    const started = (await sandbox.journal()).length;
    const untouched = new Traffic(sandbox, target, () => ({}));
    const letGo = await takeStep("letGo");
    assert.deepEqual(Object.keys(letGo.summary.resourceChanges ?? {}), ["same"]);
    const takenOver = await takeStep("takeOver");
    const { same, ...changes } = takenOver.summary.resourceChanges ?? {};
    assert.deepEqual(changes, { create: 1, delete: 1 }, "the alias is dropped and the rollout made, and nothing else");
    assert.equal(takenOver.outputs.target.value, target);
    const before = await untouched.stop();
    assert.equal(before.failed, 0);
    assert.deepEqual([...before.byVersion.keys()], ["1"]);
    assert.deepEqual(await moves(started), []);

    code = answering("two");
    const traffic = new Traffic(sandbox, target, () => ({}));
    await stack.up();
    const during = await traffic.stop();
    assert.equal(during.failed, 0);
    assert.deepEqual([...during.byVersion.keys()].sort(), ["1", "2"]);
    assert.equal((await invoke(sandbox, target, {})).body.answer, "two");
});

scenario("an alias that was taken out of the state is taken over, and new code in the same step rolled out", "alone", async (target) => {
    const { urn } = await stack.resource("aws:lambda/alias:Alias");
    const env = { ...process.env, ...stack.environment };
    await promisify(execFile)("pulumi", ["state", "delete", urn, "--yes", "--stack", "dev"], { cwd: stack.home, env });
    code = answering("two");
    const traffic = new Traffic(sandbox, target, () => ({}));
    await takeStep("takeOver");
    const { failed, answers } = await traffic.stop();
    assert.equal(failed, 0);
    assert.ok(answers.indexOf("1", answers.indexOf("2")) > 0, "the new version got all the traffic at once");
    assert.equal((await invoke(sandbox, target, {})).body.answer, "two");
});
