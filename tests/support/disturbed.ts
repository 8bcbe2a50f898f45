// A command that is cut short in the middle, and what its user does before the next one.

import * as assert from "node:assert/strict";
import { Whom } from "./processes";
import { Shop } from "./shop";
import { failureOf } from "./stack";
import { until } from "./until";

type IsTime = () => boolean | Promise<boolean>;

/** Presses Ctrl-C when it is time, and tells what the update said. */
export async function interrupted(shop: Shop, isTime: IsTime, times = 1): Promise<string> {
    const { run, failure } = await shop.disturb(() => shop.up(), isTime);
    run.interrupt();
    if (times > 1) {
        await until(() => shop.said.includes("press ^C again"));
        run.interrupt();
    }
    const said = await failure;
    await run.ended();
    // A CLI that was told twice may have ended before it took its lock away.
    if (times > 1) await shop.stack.cancel();
    return said;
}

/** The lock of the dead CLI is in the way, and `pulumi cancel` takes it off. No provider is left when this is over. */
export async function killed(shop: Shop, command: () => Promise<unknown>, isTime: IsTime, whom: Whom): Promise<void> {
    const { run, failure } = await shop.disturb(command, isTime);
    run.kill(whom);
    await failure;
    await run.ended();
    assert.match(await failureOf(command()), /the stack is currently locked by 1 lock\(s\).*`pulumi cancel`/);
    await shop.stack.cancel();
}
