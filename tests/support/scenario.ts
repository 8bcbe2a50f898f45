// A test with a stack of its own, of which nothing may be left at the end.

import * as assert from "node:assert/strict";
import { test } from "node:test";
import { UpResult } from "@pulumi/pulumi/automation/index.js";
import { Sandbox } from "./sandbox";
import { TestStack } from "./stack";

interface Scene {
    sandbox: Sandbox;
    stack: TestStack;
}

/** Makes scenarios of what the file's hooks have prepared when a test begins. */
export function scenarios(scene: () => Scene) {
    return (name: string, body: () => Promise<void>) =>
        test(name, async () => {
            await body();
            await vanishes(scene());
        });
}

/** The same for stacks that are up already when the body begins; it is given the ARN that callers use. */
export function scenariosAfterUp(scene: () => Scene) {
    return (name: string, body: (target: string) => Promise<void>) =>
        test(name, async () => {
            const { outputs } = await scene().stack.up();
            await body(outputs.targetArn.value);
            await vanishes(scene());
        });
}

/** An update without a change changes nothing, and asks AWS nothing. */
export async function hasNothingToDo(sandbox: Sandbox, up: () => Promise<UpResult>): Promise<void> {
    const since = await sandbox.lastCall();
    const { summary, stdout } = await up();
    assert.deepEqual(Object.keys(summary.resourceChanges ?? {}), ["same"], stdout);
    const asked = (await sandbox.journal(since)).map((call) => call.operation);
    assert.deepEqual(asked, [], "an update without a change asks AWS");
}

/** Takes the stack away; nothing may be left of it. */
export async function vanishes({ sandbox, stack }: Scene): Promise<void> {
    await stack.destroy();
    assert.deepEqual(await sandbox.leftovers(), []);
    await stack.remove();
}
