// Somebody else is at work on the same group, or on the same function.

import * as assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { StopDeploymentCommand } from "@aws-sdk/client-codedeploy";
import { answering } from "../support/programs";
import { Sandbox } from "../support/sandbox";
import { Shop } from "../support/shop";
import { failureOf } from "../support/stack";
import { until } from "../support/until";

let sandbox: Sandbox;

before(async () => {
    sandbox = await Sandbox.start();
});

after(async () => {
    await sandbox?.stop();
});

const declare = (shop: Shop, onConflict: "stop" | "wait" | "fail") =>
    Object.assign(shop.get(), { code: answering("three"), args: { onConflict } });

describe("a deployment that somebody else has started", { concurrency: 3 }, () => {
    test("is taken up if it is of the same version", async () => {
        const shop = await Shop.open(sandbox, "same");
        const version = await shop.publish();
        const theirs = await shop.deployByHand(version, "CodeDeployDefault.LambdaCanary10Percent5Minutes");
        // Declared as it stands: the version that is on its way.
        shop.get().args = { version, onConflict: "fail" };
        const said = await shop.settles({ orders: version });
        assert.match(said, new RegExp(`deployment ${theirs} of version 2 is running already; waiting for that one`));
        assert.deepEqual(await shop.deployed(), []);
        await shop.vanishes();
    });

    test("is stopped with rollback by `onConflict: stop`", async () => {
        const shop = await Shop.open(sandbox, "stop");
        const theirs = await shop.deployByHand(await shop.publish());
        declare(shop, "stop");
        const said = await shop.settles({ orders: "3" });
        assert.match(said, new RegExp(`deployment ${theirs} of version 2 is stopped in favour of version 3`));
        assert.equal(await shop.status(theirs), "Stopped");
        assert.deepEqual(await shop.deployed(), ["3"]);
        // From version 1: the other one had been taken back before this one began.
        assert.match((await shop.deployments())[0].description!, /version 1 to 3/);
        await shop.vanishes();
    });

    test("is waited for by `onConflict: wait`", async () => {
        const shop = await Shop.open(sandbox, "wait");
        const theirs = await shop.deployByHand(await shop.publish(), "CodeDeployDefault.LambdaCanary10Percent5Minutes");
        declare(shop, "wait");
        assert.match(await shop.settles({ orders: "3" }), new RegExp(`waiting for deployment ${theirs} of version 2`));
        assert.equal(await shop.status(theirs), "Succeeded");
        assert.match((await shop.deployments())[0].description!, /version 2 to 3/);
        await shop.vanishes();
    });

    test("is a failure with `onConflict: fail`, and nothing is touched", async () => {
        const shop = await Shop.open(sandbox, "fail");
        const theirs = await shop.deployByHand(await shop.publish());
        declare(shop, "fail");
        const refusal = await failureOf(shop.up());
        assert.match(refusal, new RegExp(`deployment ${theirs} of version 2 is running on orders:stable: wait for its end, or choose`));
        assert.equal(await shop.status(theirs), "InProgress");
        await shop.codeDeploy.send(new StopDeploymentCommand({ deploymentId: theirs, autoRollbackEnabled: true }));
        await until(async () => (await shop.status(theirs)) === "Stopped");
        await shop.settles({ orders: "3" });
        assert.deepEqual(await shop.deployed(), ["3"]);
        await shop.vanishes();
    });

    test("is stopped with rollback by a destruction", async () => {
        const shop = await Shop.open(sandbox, "destruction");
        const theirs = await shop.deployByHand(await shop.publish());
        await until(() => shop.sandbox.isSplit("orders"));
        await shop.destroy();
        assert.match(shop.said, new RegExp(`stopping deployment ${theirs}`));
        assert.deepEqual(await shop.sandbox.leftovers(), []);
        await shop.stack.remove();
    });
});

describe("two stacks on one function", () => {
    test("the second is refused, and works with another alias or by taking over", async () => {
        const first = await Shop.open(sandbox, "first");
        const second = await first.beside("second");
        const refusal = await failureOf(second.up());
        assert.match(refusal, /alias "orders:stable" exists already and belongs to shop\/first\/orders: choose another `aliasName`, import it, .*, or set `adopt: true` to take it over/);
        second.get().args = { version: "1", aliasName: "second", latestAliasName: "" };
        await second.settles({});
        assert.equal(await second.serves("orders", "second"), "1");
        await second.destroy();
        await first.settles({ orders: "1" });

        second.get().args = { version: "1", adopt: true };
        await second.settles({ orders: "1" });
        const theirs = await first.deployByHand(await first.publish());
        await until(() => first.sandbox.isSplit("orders"));
        // What was taken over is not the first one's any more: its end touches neither the pieces nor what runs.
        first.get().unrolled = true;
        await first.up();
        assert.equal(await first.status(theirs), "InProgress");
        second.get().args = { version: "2", adopt: true };
        await second.settles({ orders: "2" });
        await second.destroy();
        await first.vanishes();
        await second.stack.remove();
    });
});

// The faults of the sandbox hit every account, so these are by themselves.

test("a deployment that succeeds in the moment in which it is to be stopped is the version that is shifted from", async () => {
    const shop = await Shop.open(sandbox, "race");
    const theirs = await shop.deployByHand(await shop.publish(), "CodeDeployDefault.LambdaCanary10Percent5Minutes");
    declare(shop, "stop");
    // Our stop reaches AWS when the other one has long succeeded.
    await sandbox.fault({ service: "codedeploy", operation: "StopDeployment", kind: "delay", delayMs: 12_000, count: 1 });
    const said = await shop.settles({ orders: "3" });
    assert.match(said, new RegExp(`deployment ${theirs} of version 2 is stopped in favour of version 3`));
    assert.equal(await shop.status(theirs), "Succeeded");
    assert.match((await shop.deployments())[0].description!, /version 2 to 3/);
    assert.deepEqual(await shop.deployed(), ["3"]);
    await shop.vanishes();
});
