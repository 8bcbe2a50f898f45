// Somebody else is at work on the same group, or on the same function.

import * as assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { ListTagsForResourceCommand, StopDeploymentCommand } from "@aws-sdk/client-codedeploy";
import { GetRoleCommand, IAMClient } from "@aws-sdk/client-iam";
import { GetAliasCommand } from "@aws-sdk/client-lambda";
import { answering } from "../support/programs";
import { Sandbox, region } from "../support/sandbox";
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
        const theirs = await shop.deployByHand(version, "CodeDeployDefault.LambdaCanary10Percent30Minutes");
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
        const theirs = await shop.deployByHand(await shop.publish(), "CodeDeployDefault.LambdaCanary10Percent30Minutes");
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

    test("a deployment that succeeds in the moment in which it is to be stopped is the version that is shifted from", async () => {
        const shop = await Shop.open(sandbox, "race");
        const theirs = await shop.deployByHand(await shop.publish(), "CodeDeployDefault.LambdaCanary10Percent15Minutes");
        declare(shop, "stop");
        // Our stop reaches AWS when the other one has long succeeded.
        await shop.sandbox.fault({ operation: "StopDeployment", kind: "delay", delayMs: 20_000, count: 1 });
        const said = await shop.settles({ orders: "3" });
        assert.match(said, new RegExp(`deployment ${theirs} of version 2 is stopped in favour of version 3`));
        assert.equal(await shop.status(theirs), "Succeeded");
        assert.match((await shop.deployments())[0].description!, /version 2 to 3/);
        assert.deepEqual(await shop.deployed(), ["3"]);
        await shop.vanishes();
    });
});

/** Whose the pieces of `orders:stable` are, as AWS has it. */
async function owners({ lambda, codeDeploy, sandbox }: Shop): Promise<Record<string, string | undefined>> {
    const mark = "lambda-rollout:owner";
    const account = sandbox.clientConfig.credentials.accessKeyId;
    const tagged = async (piece: string) => {
        const ResourceArn = `arn:aws:codedeploy:${region}:${account}:${piece}`;
        const { Tags = [] } = await codeDeploy.send(new ListTagsForResourceCommand({ ResourceArn }));
        return Tags.find(({ Key }) => Key === mark)?.Value;
    };
    const described = async (Name: string) => {
        const { Description = "" } = await lambda.send(new GetAliasCommand({ FunctionName: "orders", Name }));
        return /^lambda-rollout rollout (\S+) #/.exec(Description)?.[1];
    };
    const role = await new IAMClient(sandbox.clientConfig).send(new GetRoleCommand({ RoleName: `rollout-orders.stable.${region}` }));
    return {
        stable: await described("stable"),
        latest: await described("latest"),
        application: await tagged("application:rollout-orders.stable"),
        group: await tagged("deploymentgroup:rollout-orders.stable/stable"),
        role: role.Role!.Tags?.find(({ Key }) => Key === mark)?.Value,
    };
}

const allOf = (owner: string) => ({ stable: owner, latest: owner, application: owner, group: owner, role: owner });

describe("two stacks on one function", { concurrency: 3 }, () => {
    test("the second is refused, also while the first one's deployment runs, and works with another alias", async () => {
        const first = await Shop.open(sandbox, "first");
        const second = await first.beside("second");
        const theirs = await first.deployByHand(await first.publish());
        const refusal = await failureOf(second.up());
        assert.match(refusal, /alias "orders:stable" exists already and belongs to shop\/first\/orders: choose another `aliasName`, import it, .*, or set `adopt: true` to take it over/);
        assert.notEqual(await first.status(theirs), "Stopped");
        assert.deepEqual(await owners(first), allOf("shop/first/orders"));
        second.get().args = { version: "1", aliasName: "second", latestAliasName: "" };
        await second.settles({});
        assert.equal(await second.serves("orders", "second"), "1");
        await second.destroy();
        assert.deepEqual(await owners(first), allOf("shop/first/orders"));
        await first.vanishes();
        await second.stack.remove();
    });

    test("the second takes over with `adopt`, and what the first has lost it neither updates nor destroys", async () => {
        const first = await Shop.open(sandbox, "losing");
        const second = await first.beside("adopting");
        assert.deepEqual(await owners(first), allOf("shop/losing/orders"));
        second.get().args = { version: "1", adopt: true };
        await second.settles({ orders: "1" });
        assert.deepEqual(await owners(first), allOf("shop/adopting/orders"));

        const theirs = await first.deployByHand(await first.publish(), "CodeDeployDefault.LambdaCanary10Percent30Minutes");
        await until(() => first.sandbox.isSplit("orders"));
        first.get().code = answering("three");
        assert.match(await failureOf(first.up()), /alias orders:stable belongs to shop\/adopting\/orders now, which took it over/);
        // Its end touches neither the pieces nor what runs.
        first.get().unrolled = true;
        await first.up();
        assert.notEqual(await first.status(theirs), "Stopped");
        assert.deepEqual(await owners(first), allOf("shop/adopting/orders"));

        second.get().args = { version: "2", adopt: true };
        await second.settles({ orders: "2" });
        await second.destroy();
        await first.vanishes();
        await second.stack.remove();
    });
});
