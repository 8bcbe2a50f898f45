// A resource that is made anew under its own name, renamed, moved or let go: traffic never moves by that, and nothing is lost.

import * as assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { ListDeploymentsCommand } from "@aws-sdk/client-codedeploy";
import { answering } from "../support/programs";
import { Sandbox } from "../support/sandbox";
import { Shop } from "../support/shop";
import { failureOf } from "../support/stack";

let sandbox: Sandbox;

before(async () => {
    sandbox = await Sandbox.start();
});

after(async () => {
    await sandbox?.stop();
});

/** What exists, by name, without the order in which it is listed. */
const pieces = async (shop: Shop) => (await shop.sandbox.leftovers()).sort();

/** That the newest making of a rollout is whole: it can still roll out. */
async function stillRollsOut(shop: Shop, fn = "orders") {
    shop.get(fn).code = answering("the next");
    const before = await shop.deployed(fn);
    const version = String(Number(await shop.serves(fn)) + 1);
    await shop.settles({ [fn]: version });
    assert.deepEqual(await shop.deployed(fn), [...before, version]);
}

describe("a replacement with the same id", { concurrency: 3 }, () => {
    test("that a user forces leaves the successor everything, and moves no traffic", async () => {
        const shop = await Shop.open(sandbox, "forced");
        const before = await pieces(shop);
        const result = await shop.up({ replace: [shop.urn()] });
        assert.equal(result.summary.resourceChanges?.replace, 1, result.stdout);
        assert.deepEqual(await pieces(shop), before);
        await shop.settles({ orders: "1" });
        assert.deepEqual(await shop.deployed(), []);
        await stillRollsOut(shop);
        await shop.vanishes();
    });

    test("by `replaceOnChanges` rolls the new version out as an update would", async () => {
        const shop = await Shop.open(sandbox, "on-changes");
        Object.assign(shop.get(), { code: answering("two"), options: { replaceOnChanges: ["version"] } });
        const result = await shop.up();
        assert.equal(result.summary.resourceChanges?.replace, 1, result.stdout);
        assert.match(result.stdout, /\[1\/2\] 10 % on version 2/);
        assert.equal(await shop.serves(), "2");
        await shop.settles({ orders: "2" });
        assert.deepEqual(await shop.deployed(), ["2"]);
        await shop.vanishes();
    });

    test("with `deleteBeforeReplace` makes everything anew, and says that traffic had nowhere to go", async () => {
        const shop = await Shop.open(sandbox, "before");
        shop.get().options = { deleteBeforeReplace: true };
        const result = await shop.up({ replace: [shop.urn()] });
        assert.match(result.stdout, /first deployment: version 1 serves all traffic/);
        await shop.settles({ orders: "1" });
        await stillRollsOut(shop);
        await shop.vanishes();
    });
});

describe("a rollout that goes by another name", { concurrency: 3 }, () => {
    test("is refused with the cure without Pulumi's `aliases`, and is the same with them", async () => {
        const shop = await Shop.open(sandbox, "renamed");
        const before = await pieces(shop);
        shop.get().resource = "purchases";
        const refusal = await failureOf(shop.up());
        assert.match(refusal, /alias "orders:stable" exists already and belongs to shop\/renamed\/orders: .*for a renamed resource use Pulumi's `aliases` option/);
        assert.deepEqual(await pieces(shop), before);
        shop.get().options = { aliases: [{ name: "orders" }] };
        await shop.settles({ orders: "1" });
        assert.deepEqual(await pieces(shop), before);
        await stillRollsOut(shop);
        // The alias of the resource may go once the state has the new name.
        shop.get().options = {};
        await shop.settles({ orders: "2" });
        await shop.vanishes();
    });

    test("in a stack that was renamed is the same rollout", async () => {
        const shop = await Shop.open(sandbox, "old-stack");
        const before = await pieces(shop);
        await shop.rename("new-stack");
        await shop.settles({ orders: "1" });
        assert.deepEqual(await pieces(shop), before);
        await stillRollsOut(shop);
        await shop.vanishes();
    });

    test("and was exported into a stack of another name is the same rollout", async () => {
        const shop = await Shop.open(sandbox, "exported");
        const other = await shop.exportTo("imported");
        await other.settles({ orders: "1" });
        await stillRollsOut(other);
        await other.vanishes();
    });

    test("and was moved with `pulumi state move` is the same rollout", async () => {
        const shop = await Shop.open(sandbox, "source");
        const other = await shop.beside("target");
        await shop.stack.move(shop.urn(), other.stack);
        shop.get().unrolled = true;
        await shop.up();
        other.get().args = { version: "1" };
        await other.settles({ orders: "1" });
        assert.equal(await shop.sandbox.isSplit("orders"), false);
        await other.destroy();
        await shop.vanishes();
        await other.stack.remove();
    });
});

test("a rollout with `retainOnDelete` stays in AWS, and another one takes it over", async () => {
    const shop = await Shop.open(sandbox, "retained");
    const before = await pieces(shop);
    shop.get().options = { retainOnDelete: true };
    await shop.settles({ orders: "1" });
    shop.get().unrolled = true;
    await shop.up();
    assert.deepEqual(await pieces(shop), before);
    Object.assign(shop.get(), { unrolled: false, options: {} });
    const said = await shop.settles({ orders: "1" });
    assert.doesNotMatch(said, /first deployment/);
    const { deployments } = await shop.codeDeploy.send(new ListDeploymentsCommand({}));
    assert.deepEqual(deployments, []);
    assert.deepEqual(await pieces(shop), before);
    await shop.vanishes();
});
