// An update that is cut short while the traffic of a version that failed is taken back.

import * as assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { interrupted, killed } from "../support/disturbed";
import { Failing } from "../support/failing";
import { Sandbox } from "../support/sandbox";
import { Shop } from "../support/shop";

let sandbox: Sandbox;

before(async () => {
    sandbox = await Sandbox.start();
});

after(async () => {
    await sandbox?.stop();
});

const bothWays = { "CodeDeploy rolls back": Failing.whileShifting, "the provider goes back": Failing.whileBaking };

/** Nobody was told of the failure, so the next update tells it, and takes back what nobody has; no version is tried again. */
async function isToldAndSettled(shop: Shop, deployed: string[]) {
    await shop.up().catch((error) => assert.match(`${error}`, /update failed/));
    assert.match(shop.said, /version 2 was rolled back at \d+ % of traffic/);
    assert.match(shop.said, /Now serving: stable → version 1, 100 %/);
    await shop.settles({ orders: "1" });
    assert.deepEqual(await shop.deployed(), deployed);
    await shop.vanishes();
}

describe("traffic that is taken back", { concurrency: 3 }, () => {
    for (const onCancel of ["leave", "stop"] as const) {
        test(`is all back after Ctrl-C twice while CodeDeploy rolls back (onCancel: ${onCancel})`, async () => {
            const shop = await Shop.open(sandbox, `twice-${onCancel}`);
            const failing = Failing.whileShifting(shop);
            shop.get().args.onCancel = onCancel;
            await interrupted(shop, () => failing.isTakenBack(), 2);
            await failing.ends();
            await isToldAndSettled(shop, ["2"]);
        });
    }

    test("is all back after Ctrl-C twice while the provider goes back", async () => {
        const shop = await Shop.open(sandbox, "twice-baking");
        const failing = Failing.whileBaking(shop);
        shop.get().args.onCancel = "stop";
        await interrupted(shop, () => failing.isTakenBack(), 2);
        await failing.ends();
        await isToldAndSettled(shop, ["2", "1"]);
    });

    test("is waited for after Ctrl-C once", async () => {
        const shop = await Shop.open(sandbox, "once");
        const failing = Failing.whileBaking(shop);
        const said = await interrupted(shop, () => failing.isTakenBack());
        await failing.ends();
        assert.match(said, /version 2 was rolled back at 100 % of traffic/);
        assert.match(said, /Now serving: stable → version 1, 100 %/);
        assert.match(await shop.settles({ orders: "1" }), /version 2 failed before, so nothing was deployed/);
        assert.deepEqual(await shop.deployed(), ["2", "1"]);
        await shop.vanishes();
    });

    for (const [how, fail] of Object.entries(bothWays)) {
        test(`is all back after the CLI and its providers were killed while ${how}`, async () => {
            const shop = await Shop.open(sandbox, `killed-${fail.name.toLowerCase()}`);
            const failing = fail(shop);
            await killed(shop, () => shop.up(), () => failing.isTakenBack(), "the CLI and its providers");
            await failing.ends();
            await isToldAndSettled(shop, fail === Failing.whileShifting ? ["2"] : ["2", "1"]);
        });
    }
});
