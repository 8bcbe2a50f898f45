// What happens when an update is cut short: by Ctrl-C, or by the user's own time limit.

import * as assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { after, before, test } from "node:test";
import * as lambdaRollout from "pulumi-lambda-rollout";
import { answering, publishedFunction } from "../support/programs";
import { Sandbox } from "../support/sandbox";
import { TestStack, failureOf } from "../support/stack";
import { invoke } from "../support/traffic";

let sandbox: Sandbox;
let stack: TestStack;
let code = answering("one");
let limit: string | undefined;
let onCancel: "leave" | "stop" = "leave";
let target: string;

before(async () => {
    sandbox = await Sandbox.start();
    stack = await TestStack.create(sandbox, async () => {
        const fn = publishedFunction("orders", code);
        const rollout = new lambdaRollout.FunctionRollout(
            "orders",
            { functionName: fn.name, version: fn.version, onCancel },
            { customTimeouts: { update: limit } },
        );
        return { targetArn: rollout.targetArn, servingVersion: rollout.servingVersion };
    });
    target = (await stack.up()).outputs.targetArn.value;
});

after(async () => {
    await stack?.destroy();
    assert.deepEqual(await sandbox?.leftovers(), []);
    await sandbox?.stop();
    await stack?.remove();
});

const started = async () =>
    (await sandbox.journal()).filter((call) => call.operation === "CreateDeployment" && call.status === 200).length;

/** Presses Ctrl-C as soon as traffic is split, or as soon as the CLI has said something. */
async function interruptedUp(said?: string): Promise<string> {
    let output = "";
    const up = failureOf(stack.up({ onOutput: (text: string) => (output += text) }));
    const isTime = async () => (said ? output.includes(said) : sandbox.isSplit("orders"));
    while (!(await isTime())) await new Promise((resolve) => setTimeout(resolve, 20));
    const pid = execFileSync("pgrep", ["-P", `${process.pid}`, "pulumi"]).toString().trim();
    process.kill(Number(pid), "SIGINT");
    return up;
}

test("Ctrl-C leaves the deployment, and the next update takes it up", async () => {
    code = answering("two");
    const before = await started();
    const said = await interruptedUp();
    assert.match(said, /deployment d-\w+ of version 2 goes on by itself, and the next `pulumi up` waits for it/);
    const result = await stack.up();
    assert.match(result.stdout, /deployment d-\w+ of version 2 is running already; waiting for that one/);
    assert.equal(result.outputs.servingVersion.value, "2");
    assert.equal(await started(), before + 1, "the version was deployed twice");
});

test("Ctrl-C while the version bakes does not make it a success: the next update looks at what it did", async () => {
    code = answering("two and a half");
    const before = await started();
    const said = await interruptedUp("watching for");
    assert.match(said, /cancelled while version 3 was watched/);
    await stack.refresh();
    const preview = await stack.preview();
    assert.equal(preview.changeSummary.update, 1, preview.stdout);
    const result = await stack.up();
    assert.match(result.stdout, /deployment d-\w+ of version 3 succeeded while nobody watched; looking at what it did/);
    assert.equal(await started(), before + 1, "the version was deployed twice");
    assert.deepEqual(Object.keys((await stack.up()).summary.resourceChanges ?? {}), ["same"]);
});

test("with onCancel stop, Ctrl-C takes the traffic back, and the next update tries again", async () => {
    code = answering("three");
    onCancel = "stop";
    const said = await interruptedUp();
    assert.match(said, /was told to stop and to roll back to version 3/);
    const result = await stack.up();
    assert.equal(result.outputs.servingVersion.value, "4");
    assert.equal((await invoke(sandbox, target, {})).body.answer, "three");
});

test("the user's time limit stops the deployment with rollback, and says nothing about the version", async () => {
    code = answering("four");
    limit = "2s";
    const said = await failureOf(stack.up());
    assert.match(said, /time limit of the operation was reached/);
    assert.match(said, /roll back to version 4/);
    limit = undefined;
    const result = await stack.up();
    assert.equal(result.outputs.servingVersion.value, "5");
});
