// The CLI is killed in the middle of something. What a user does then: `pulumi cancel`, and the same command again.

import * as assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { killed } from "../support/disturbed";
import { Gate } from "../support/gate";
import { answering, hook } from "../support/programs";
import { Sandbox } from "../support/sandbox";
import { Shop, takenUp } from "../support/shop";

let sandbox: Sandbox;

before(async () => {
    sandbox = await Sandbox.start();
});

after(async () => {
    await sandbox?.stop();
});

const called = (shop: Shop, operation: string) => async () =>
    (await shop.sandbox.journal()).some((call) => call.operation === operation && call.status < 300);

describe("a CLI that is killed", { concurrency: 3 }, () => {
    for (const [short, whom] of [["alone", "the CLI"], ["all", "the CLI and its providers"]] as const) {
        test(`while traffic shifts, leaves the deployment to the next update (${whom})`, async () => {
            const shop = await Shop.open(sandbox, `shifting-${short}`);
            shop.get().code = answering("two");
            await killed(shop, () => shop.up(), () => shop.sandbox.isSplit("orders"), whom);
            assert.match(await shop.settles({ orders: "2" }), takenUp);
            assert.deepEqual(await shop.deployed(), ["2"]);
            await shop.vanishes();
        });

        test(`while the hook before traffic runs, leaves the deployment to the next update (${whom})`, async () => {
            const [shop, gate] = [await Shop.open(sandbox, `hook-${short}`), new Gate()];
            shop.get().code = answering("two");
            shop.get().guard = hook("Succeeded").replace("await fetch", `${gate.wait} await fetch`);
            await killed(shop, () => shop.up(), () => gate.isReached, whom);
            gate.open();
            assert.match(await shop.settles({ orders: "2" }), takenUp);
            assert.deepEqual(await shop.deployed(), ["2"]);
            await shop.vanishes();
            gate.close();
        });

        test(`while the version bakes, is no success before the next update has looked (${whom})`, async () => {
            const shop = await Shop.open(sandbox, `bake-${short}`);
            Object.assign(shop.get(), { code: answering("two"), args: { strategy: { type: "allAtOnce" }, bake: "5 minutes" } });
            await killed(shop, () => shop.up(), () => shop.said.includes("watching for"), whom);
            assert.match(await shop.settles({ orders: "2" }), /version 2 succeeded while nobody watched; looking at what it did/);
            assert.deepEqual(await shop.deployed(), ["2"]);
            await shop.vanishes();
        });

        test(`in the first creation has made nothing that the next update does not take up (${whom})`, async () => {
            const shop = await Shop.create(sandbox, `creation-${short}`);
            await shop.sandbox.fault({ operation: "CreateDeploymentGroup", kind: "delay", delayMs: 2000, count: 1 });
            await killed(shop, () => shop.up(), called(shop, "CreateApplication"), whom);
            await shop.settles({ orders: "1" });
            assert.deepEqual(await shop.deployed(), []);
            await shop.vanishes();
        });

        test(`in a destruction leaves the rest to the next one (${whom})`, async () => {
            const shop = await Shop.open(sandbox, `destruction-${short}`);
            await shop.sandbox.fault({ operation: "DeleteDeploymentGroup", kind: "delay", delayMs: 2000, count: 1 });
            await killed(shop, () => shop.destroy(), called(shop, "DeleteAlias"), whom);
            await shop.vanishes();
        });
    }
});
