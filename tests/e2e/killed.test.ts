// The CLI is killed in the middle of something. What a user does then: `pulumi cancel`, and the same command again.

import * as assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { Gate } from "../support/gate";
import { answering, hook } from "../support/programs";
import { Sandbox } from "../support/sandbox";
import { Shop, takenUp } from "../support/shop";
import { failureOf } from "../support/stack";

let sandbox: Sandbox;

before(async () => {
    sandbox = await Sandbox.start();
});

after(async () => {
    await sandbox?.stop();
});

type Whom = "the CLI" | "the CLI and its providers";

/** The lock of the dead CLI is in the way, and `pulumi cancel` takes it off. No provider is left when this is over. */
async function killed(
    shop: Shop, command: () => Promise<unknown>, isTime: () => boolean | Promise<boolean>, whom: Whom = "the CLI",
) {
    const { run, failure } = await shop.disturb(command, isTime);
    run.kill(whom);
    await failure;
    await run.ended();
    assert.match(await failureOf(command()), /the stack is currently locked by 1 lock\(s\).*`pulumi cancel`/);
    await shop.stack.cancel();
}

const called = (shop: Shop, operation: string) => async () =>
    (await shop.sandbox.journal()).some((call) => call.operation === operation && call.status < 300);

describe("a CLI that is killed", { concurrency: 3 }, () => {
    for (const whom of ["the CLI", "the CLI and its providers"] as const) {
        test(`while traffic shifts, leaves the deployment to the next update (${whom})`, async () => {
            const shop = await Shop.open(sandbox, whom === "the CLI" ? "shifting" : "shifting-alone");
            shop.get().code = answering("two");
            await killed(shop, () => shop.up(), () => shop.sandbox.isSplit("orders"), whom);
            assert.match(await shop.settles({ orders: "2" }), takenUp);
            assert.deepEqual(await shop.deployed(), ["2"]);
            await shop.vanishes();
        });
    }

    test("while the hook before traffic runs, leaves the deployment to the next update", async () => {
        const [shop, gate] = [await Shop.open(sandbox, "hook"), new Gate()];
        shop.get().code = answering("two");
        shop.get().guard = hook("Succeeded").replace("await fetch", `${gate.wait} await fetch`);
        await killed(shop, () => shop.up(), () => gate.isReached);
        gate.open();
        assert.match(await shop.settles({ orders: "2" }), takenUp);
        assert.deepEqual(await shop.deployed(), ["2"]);
        await shop.vanishes();
        gate.close();
    });

    test("while the version bakes, is no success before the next update has looked", async () => {
        const shop = await Shop.open(sandbox, "bake");
        Object.assign(shop.get(), { code: answering("two"), args: { strategy: { type: "allAtOnce" }, bake: "5 minutes" } });
        await killed(shop, () => shop.up(), () => shop.said.includes("watching for"));
        assert.match(await shop.settles({ orders: "2" }), /version 2 succeeded while nobody watched; looking at what it did/);
        assert.deepEqual(await shop.deployed(), ["2"]);
        await shop.vanishes();
    });
});

// The faults of the sandbox hit every account, so these are by themselves.

test("a CLI that is killed in the first creation has made nothing that the next update does not take up", async () => {
    const shop = await Shop.create(sandbox, "creation");
    await sandbox.fault({ service: "codedeploy", operation: "CreateDeploymentGroup", kind: "delay", delayMs: 2000, count: 1 });
    await killed(shop, () => shop.up(), called(shop, "CreateApplication"));
    await shop.settles({ orders: "1" });
    assert.deepEqual(await shop.deployed(), []);
    await shop.vanishes();
});

test("a CLI that is killed in a destruction leaves the rest to the next one", async () => {
    const shop = await Shop.open(sandbox, "destruction");
    await sandbox.fault({ service: "codedeploy", operation: "DeleteDeploymentGroup", kind: "delay", delayMs: 2000, count: 1 });
    await killed(shop, () => shop.destroy(), called(shop, "DeleteAlias"));
    await shop.vanishes();
});
