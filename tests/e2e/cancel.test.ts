// Ctrl-C, once and twice, wherever a rollout may be; and `pulumi cancel` from another terminal.

import * as assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { StopDeploymentCommand } from "@aws-sdk/client-codedeploy";
import { Gate } from "../support/gate";
import { answering, hook } from "../support/programs";
import { Sandbox } from "../support/sandbox";
import { Shop, takenUp } from "../support/shop";
import { Traffic } from "../support/traffic";
import { until } from "../support/until";

let sandbox: Sandbox;

before(async () => {
    sandbox = await Sandbox.start();
});

after(async () => {
    await sandbox?.stop();
});

/** Presses Ctrl-C when it is time, and tells what the update said. */
async function interrupted(shop: Shop, isTime: () => boolean | Promise<boolean>, times = 1): Promise<string> {
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

const gated = (gate: Gate) => hook("Succeeded").replace("await fetch", `${gate.wait} await fetch`);

describe("Ctrl-C", { concurrency: 3 }, () => {
    test("in the smoke test ends it, and nothing was started", async () => {
        const [shop, gate] = [await Shop.open(sandbox, "smoke"), new Gate()];
        shop.get().code = `exports.handler = async () => { ${gate.wait} return {}; };`;
        shop.get().args = { smokeTest: { payload: "{}", timeout: "15 minutes" } };
        assert.match(await interrupted(shop, () => gate.isReached), /the smoke test was cut short: the operation was cancelled/);
        assert.deepEqual(await shop.deployed(), []);
        gate.open();
        await shop.settles({ orders: "2" });
        assert.deepEqual(await shop.deployed(), ["2"]);
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

    test("while somebody else's deployment is waited for leaves that one alone", async () => {
        const shop = await Shop.open(sandbox, "waiting");
        const theirs = await shop.deployByHand(await shop.publish());
        Object.assign(shop.get(), { code: answering("three"), args: { onConflict: "wait" } });
        const said = await interrupted(shop, () => shop.said.includes(`waiting for deployment ${theirs} of version 2`));
        assert.match(said, new RegExp(`deployment ${theirs} is still running, nothing was started: the operation was cancelled`));
        assert.equal(await shop.status(theirs), "InProgress");
        await shop.codeDeploy.send(new StopDeploymentCommand({ deploymentId: theirs, autoRollbackEnabled: true }));
        await shop.settles({ orders: "3" });
        assert.deepEqual(await shop.deployed(), ["3"]);
        await shop.vanishes();
    });

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
});

// The faults of the sandbox hit every account, so these are by themselves.

test("Ctrl-C while traffic is taken back waits for the end of that", async () => {
    const shop = await Shop.create(sandbox, "rollback");
    const target = (await shop.up()).outputs.orders.value;
    shop.get().code = `exports.handler = async (event) => { if (event.late) throw new Error("too late"); return {}; };`;
    shop.get().args = { strategy: { type: "allAtOnce" }, bake: "20 minutes" };
    let traffic: Traffic | undefined;
    const said = await interrupted(shop, async () => {
        if (!traffic && shop.said.includes("watching for")) {
            await sandbox.fault({ service: "codedeploy", operation: "CreateDeployment", kind: "delay", delayMs: 2000, count: 1 });
            traffic = new Traffic(shop.sandbox, target, () => ({ late: true }));
        }
        return shop.said.includes("going back to version 1");
    });
    await traffic?.stop();
    assert.match(said, /version 2 was rolled back at 100 % of traffic/);
    assert.match(said, /Now serving: stable → version 1, 100 %/);
    assert.match(await shop.settles({ orders: "1" }), /version 2 failed before .* nothing was deployed/);
    assert.deepEqual(await shop.deployed(), ["2", "1"]);
    await shop.vanishes();
});

test("Ctrl-C twice while AWS does not answer a start loses nothing", async () => {
    const shop = await Shop.open(sandbox, "start");
    shop.get().code = answering("two");
    await sandbox.fault({ service: "codedeploy", operation: "CreateDeployment", kind: "delay", delayMs: 6000, count: 1 });
    const since = await sandbox.lastCall();
    const isTime = async () => (await shop.sandbox.journal(since)).some((call) => call.operation === "PutMetricAlarm");
    assert.match(await interrupted(shop, isTime, 2), /\^C received; terminating/);
    await shop.settles({ orders: "2" });
    assert.deepEqual(await shop.deployed(), ["2"]);
    await shop.vanishes();
});
