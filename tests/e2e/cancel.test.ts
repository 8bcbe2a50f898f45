// Ctrl-C, once and twice, wherever a rollout may be; and `pulumi cancel` from another terminal.

import * as assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { StopDeploymentCommand } from "@aws-sdk/client-codedeploy";
import { interrupted } from "../support/disturbed";
import { Gate } from "../support/gate";
import { answering, hook } from "../support/programs";
import { Sandbox } from "../support/sandbox";
import { Shop, takenUp } from "../support/shop";
import { until } from "../support/until";

let sandbox: Sandbox;

before(async () => {
    sandbox = await Sandbox.start();
});

after(async () => {
    await sandbox?.stop();
});

const gated = (gate: Gate) => hook("Succeeded").replace("await fetch", `${gate.wait} await fetch`);

describe("Ctrl-C", { concurrency: 3 }, () => {
    for (const times of [1, 2]) {
        test(`in the smoke test, pressed ${times} times, ends it, and nothing was started`, async () => {
            const [shop, gate] = [await Shop.open(sandbox, `smoke-${times}`), new Gate()];
            shop.get().code = `exports.handler = async () => { ${gate.wait} return {}; };`;
            shop.get().args = { smokeTest: { payload: "{}", timeout: "15 minutes" } };
            const said = await interrupted(shop, () => gate.isReached, times);
            // A CLI that was told twice need not wait for what its providers say.
            if (times === 1) assert.match(said, /the smoke test was cut short: the operation was cancelled/);
            assert.deepEqual(await shop.deployed(), []);
            gate.open();
            await shop.settles({ orders: "2" });
            assert.deepEqual(await shop.deployed(), ["2"]);
            await shop.vanishes();
            gate.close();
        });
    }

    test("twice in the smoke test of a first version leaves nothing behind", async () => {
        const [shop, gate] = [await Shop.create(sandbox, "smoke-first"), new Gate()];
        shop.get().code = `exports.handler = async () => { ${gate.wait} return {}; };`;
        shop.get().args = { smokeTest: { payload: "{}", timeout: "15 minutes" } };
        await interrupted(shop, () => gate.isReached, 2);
        gate.open();
        const rollouts = (await shop.sandbox.leftovers()).filter((piece) => piece.includes("rollout-"));
        assert.deepEqual(rollouts, []);
        await shop.settles({ orders: "1" });
        assert.deepEqual(await shop.deployed(), []);
        await shop.vanishes();
        gate.close();
    });

    test("while a hook runs leaves the deployment, and the next update takes it up", async () => {
        const [shop, gate] = [await Shop.open(sandbox, "hook"), new Gate()];
        Object.assign(shop.get(), { code: answering("two"), guard: gated(gate) });
        assert.match(await interrupted(shop, () => gate.isReached), /deployment d-\w+ of version 2 goes on by itself/);
        const taken = until(() => shop.said.includes("is running already; waiting for that one")).then(() => gate.open());
        await shop.settles({ orders: "2" });
        await taken;
        assert.deepEqual(await shop.deployed(), ["2"]);
        await shop.vanishes();
        gate.close();
    });

    test("while a hook runs stops the deployment where that is asked for, and the next update tries again", async () => {
        const [shop, gate] = [await Shop.open(sandbox, "hook-stop"), new Gate()];
        Object.assign(shop.get(), { code: answering("two"), guard: gated(gate), args: { onCancel: "stop" } });
        const said = await interrupted(shop, () => gate.isReached);
        assert.match(said, /deployment d-\w+ was told to stop and to roll back to version 1/);
        gate.open();
        await shop.settles({ orders: "2" });
        assert.deepEqual(await shop.deployed(), ["2", "2"]);
        await shop.vanishes();
        gate.close();
    });

    for (const [times, onCancel] of [[1, "leave"], [2, "leave"], [2, "stop"]] as const) {
        test(`while somebody else's deployment is waited for, pressed ${times} times, leaves that one alone (onCancel: ${onCancel})`, async () => {
            const shop = await Shop.open(sandbox, `waiting-${times}-${onCancel}`);
            const theirs = await shop.deployByHand(await shop.publish());
            Object.assign(shop.get(), { code: answering("three"), args: { onConflict: "wait", onCancel } });
            const said = await interrupted(shop, () => shop.said.includes(`waiting for deployment ${theirs} of version 2`), times);
            if (times === 1) {
                assert.match(said, new RegExp(`deployment ${theirs} is still running, nothing was started: the operation was cancelled`));
            }
            assert.equal(await shop.status(theirs), "InProgress");
            await shop.codeDeploy.send(new StopDeploymentCommand({ deploymentId: theirs, autoRollbackEnabled: true }));
            await shop.settles({ orders: "3" });
            assert.deepEqual(await shop.deployed(), ["3"]);
            await shop.vanishes();
        });
    }

    test("twice while a hook runs is as good as once", async () => {
        const [shop, gate] = [await Shop.open(sandbox, "hook-twice"), new Gate()];
        Object.assign(shop.get(), { code: answering("two"), guard: gated(gate) });
        await interrupted(shop, () => gate.isReached, 2);
        gate.open();
        assert.match(await shop.settles({ orders: "2" }), takenUp);
        assert.deepEqual(await shop.deployed(), ["2"]);
        await shop.vanishes();
        gate.close();
    });

    test("twice while traffic shifts and while it bakes is as good as once", async () => {
        const shop = await Shop.open(sandbox, "shift-twice");
        Object.assign(shop.get(), { code: answering("two"), args: { bake: "20 minutes" } });
        await interrupted(shop, () => shop.sandbox.isSplit("orders"), 2);
        await interrupted(shop, () => shop.said.includes("watching for"), 2);
        assert.match(await shop.settles({ orders: "2" }), takenUp);
        assert.deepEqual(await shop.deployed(), ["2"]);
        await shop.vanishes();
    });

    test("`pulumi cancel` from another terminal takes only the lock, and a second update waits for the same deployment", async () => {
        const [shop, gate] = [await Shop.open(sandbox, "lock"), new Gate()];
        Object.assign(shop.get(), { code: answering("two"), guard: gated(gate) });
        const first = shop.stack.up();
        await until(() => gate.isReached);
        await shop.stack.cancel();
        const second = shop.up();
        await until(() => shop.said.includes("is running already; waiting for that one"));
        gate.open();
        const ends = await Promise.allSettled([first, second]);
        // Without a lock two CLIs write one history, and may trip over each other at their very end.
        const failed = ends.flatMap((end) => (end.status === "rejected" ? [`${end.reason}`] : []));
        assert.deepEqual(failed.filter((said) => !said.includes("saving update info")), []);
        await shop.settles({ orders: "2" });
        assert.deepEqual(await shop.deployed(), ["2"]);
        await shop.vanishes();
        gate.close();
    });

    test("while others wait for their turn to start, starts none of them", async () => {
        const config = { "lambda-rollout:deploymentStartsPerSecond": "0.001" };
        const functions = ["orders", "stock", "mail"];
        const shop = await Shop.open(sandbox, "turns", functions, { config });
        for (const fn of functions) shop.get(fn).code = answering("two");
        const since = await sandbox.lastCall();
        const count = async (operation: string) =>
            (await shop.sandbox.journal(since)).filter((call) => call.operation === operation).length;
        const isTime = async () => (await count("CreateDeployment")) === 1 && (await count("PutMetricAlarm")) === 3;
        const said = await interrupted(shop, isTime);
        assert.match(said, /nothing was started: the operation was cancelled/);
        assert.equal(await count("CreateDeployment"), 1);
        await shop.vanishes();
    });

    test("twice while AWS does not answer a start loses nothing", async () => {
        const shop = await Shop.open(sandbox, "start");
        shop.get().code = answering("two");
        await shop.sandbox.fault({ operation: "CreateDeployment", kind: "delay", delayMs: 6000, count: 1 });
        const since = await sandbox.lastCall();
        const isTime = async () => (await shop.sandbox.journal(since)).some((call) => call.operation === "PutMetricAlarm");
        assert.match(await interrupted(shop, isTime, 2), /\^C received; terminating/);
        await shop.settles({ orders: "2" });
        assert.deepEqual(await shop.deployed(), ["2"]);
        await shop.vanishes();
    });
});
