// What somebody deleted or left half done, of several rollouts at once: a refresh tells it, and an update mends it with or without.

import * as assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { CloudWatchClient, DeleteAlarmsCommand, DescribeAlarmsCommand, PutMetricAlarmCommand } from "@aws-sdk/client-cloudwatch";
import {
    DeleteApplicationCommand, DeleteDeploymentConfigCommand, DeleteDeploymentGroupCommand, StopDeploymentCommand,
    UpdateDeploymentGroupCommand,
} from "@aws-sdk/client-codedeploy";
import { DeleteRoleCommand, DeleteRolePolicyCommand, IAMClient } from "@aws-sdk/client-iam";
import { DeleteFunctionCommand, UpdateAliasCommand } from "@aws-sdk/client-lambda";
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

interface Damage {
    cause(shop: Shop): Promise<unknown>;
    /** What a refresh says of it, if it is of any consequence. */
    told?: string;
}

/** Splits the alias as somebody else would. */
async function weigh(shop: Shop, fn: string, weights: Record<string, number>) {
    await shop.lambda.send(new UpdateAliasCommand({
        FunctionName: fn, Name: "stable", RoutingConfig: { AdditionalVersionWeights: weights },
    }));
}

/** By the function that it befalls. */
const damages: Record<string, Damage> = {
    half: {
        async cause(shop) {
            const theirs = await shop.deployByHand(await shop.publish("half"), undefined, "half");
            await until(() => shop.sandbox.isSplit("half"));
            await shop.codeDeploy.send(new StopDeploymentCommand({ deploymentId: theirs, autoRollbackEnabled: false }));
            await until(async () => (await shop.status(theirs)) === "Stopped");
        },
        told: "put all traffic back on version \\d+",
    },
    group: {
        cause: (shop) => shop.codeDeploy.send(new DeleteDeploymentGroupCommand({
            applicationName: "rollout-group.stable", deploymentGroupName: "stable",
        })),
        told: "create deployment group stable",
    },
    application: {
        cause: (shop) => shop.codeDeploy.send(new DeleteApplicationCommand({ applicationName: "rollout-application.stable" })),
        told: "create CodeDeploy application rollout-application\\.stable, create deployment group stable",
    },
    role: {
        async cause(shop) {
            const iam = new IAMClient(shop.sandbox.clientConfig);
            const RoleName = "rollout-role.stable.us-east-1";
            await iam.send(new DeleteRolePolicyCommand({ RoleName, PolicyName: "lambda-rollout" }));
            await iam.send(new DeleteRoleCommand({ RoleName }));
        },
        told: "create role rollout-role\\.stable\\.us-east-1",
    },
    config: {
        async cause(shop) {
            // CodeDeploy deletes none that a group uses.
            await shop.codeDeploy.send(new UpdateDeploymentGroupCommand({
                applicationName: "rollout-config.stable",
                currentDeploymentGroupName: "stable",
                deploymentConfigName: "CodeDeployDefault.LambdaAllAtOnce",
            }));
            await shop.codeDeploy.send(new DeleteDeploymentConfigCommand({ deploymentConfigName: "rollout-canary-20pct-2m" }));
        },
        told: "create deployment configuration rollout-canary-20pct-2m, update deployment group stable",
    },
    alarm: {
        async cause(shop) {
            const cloudWatch = new CloudWatchClient(shop.sandbox.clientConfig);
            const { MetricAlarms = [] } = await cloudWatch.send(new DescribeAlarmsCommand({ AlarmNamePrefix: "rollout-alarm.stable" }));
            await cloudWatch.send(new DeleteAlarmsCommand({ AlarmNames: MetricAlarms.map((alarm) => alarm.AlarmName!) }));
        },
    },
};

const functions = Object.keys(damages);

async function damage(shop: Shop) {
    for (const { cause } of Object.values(damages)) await cause(shop);
}

function release(shop: Shop, what: string) {
    for (const fn of functions) shop.get(fn).code = answering(what);
}

test("damage of every kind is told, mended with and without a refresh, and no obstacle to a destruction", async () => {
    const shop = await Shop.create(sandbox, "damage", functions);
    shop.get("config").args = { strategy: { type: "canary", percentage: 20, interval: "2 minutes" } };
    await shop.up();
    release(shop, "two");
    await shop.settles();

    await damage(shop);
    await shop.refresh();
    for (const [fn, { told }] of Object.entries(damages)) {
        const said = new RegExp(`${fn}:stable is not as it was left; the next update will ${told}`);
        if (told) assert.match(shop.said, said);
        else assert.doesNotMatch(shop.said, new RegExp(`${fn}:stable is not as it was left`));
    }
    await shop.settles();
    // CodeDeploy forgets the deployments of an application that is gone.
    for (const fn of functions) assert.deepEqual(await shop.deployed(fn), fn === "application" ? [] : ["2"], fn);

    await damage(shop);
    await shop.up({ refresh: true });
    await shop.settles();

    await damage(shop);
    release(shop, "three");
    await shop.settles();
    for (const fn of functions) assert.equal((await shop.deployed(fn)).at(-1), await shop.serves(fn), fn);

    await damage(shop);
    await shop.vanishes();
});

describe("what is damaged is", { concurrency: 3 }, () => {
    test("an alias with somebody else's weights, which is refused until it is whole", async () => {
        const shop = await Shop.open(sandbox, "weights");
        await weigh(shop, "orders", { [await shop.publish()]: 0.3 });
        await shop.refresh();
        const refused = /alias orders:stable is split between version 1 and version 2 \(30 %\), and no deployment of this rollout made that/;
        assert.match(shop.said, refused);
        shop.get().code = answering("three");
        assert.match(await failureOf(shop.up()), refused);
        assert.deepEqual(await shop.deployed(), []);
        assert.ok(await shop.sandbox.isSplit("orders"));
        await weigh(shop, "orders", {});
        await shop.settles({ orders: "3" });
        await weigh(shop, "orders", { 2: 0.3 });
        await shop.vanishes();
    });

    test("an alarm of the user that is gone, which is refused with its name", async () => {
        const cloudWatch = (shop: Shop) => new CloudWatchClient(shop.sandbox.clientConfig);
        const shop = await Shop.create(sandbox, "own-alarm");
        await cloudWatch(shop).send(new PutMetricAlarmCommand({
            AlarmName: "latency", Namespace: "Shop", MetricName: "Latency", Statistic: "Maximum",
            Period: 60, EvaluationPeriods: 1, Threshold: 1, ComparisonOperator: "GreaterThanThreshold",
        }));
        shop.get().args = { alarms: ["latency"] };
        await shop.up();
        await cloudWatch(shop).send(new DeleteAlarmsCommand({ AlarmNames: ["latency"] }));
        await shop.refresh();
        shop.get().code = answering("two");
        assert.match(await failureOf(shop.up()), /alarm "latency" does not exist in this account and region: create it first, or take it out of `alarms`/);
        assert.deepEqual(await shop.deployed(), []);
        assert.equal(await shop.serves(), "1");
        shop.get().args = {};
        await shop.settles({ orders: "2" });
        await shop.vanishes();
    });

    test("a function that is gone, which is made anew with everything that hung on it", async () => {
        const shop = await Shop.open(sandbox, "gone");
        shop.get().code = answering("two");
        await shop.settles({ orders: "2" });
        await shop.lambda.send(new DeleteFunctionCommand({ FunctionName: "orders" }));
        await shop.refresh();
        assert.match(shop.said, /orders:stable is not as it was left; the next update will create alias stable/);
        await shop.settles({ orders: "1" });
        await shop.lambda.send(new DeleteFunctionCommand({ FunctionName: "orders" }));
        await shop.up({ refresh: true });
        await shop.settles({ orders: "1" });
        // Version 2 of the function that is gone was deployed; this is another one.
        shop.get().code = answering("three");
        await shop.settles({ orders: "2" });
        await shop.lambda.send(new DeleteFunctionCommand({ FunctionName: "orders" }));
        await shop.vanishes();
    });

    test("nothing at all while a deployment that nobody waits for shifts", async () => {
        const shop = await Shop.open(sandbox, "live");
        const long = { wait: false, strategy: { type: "canary", interval: "90 minutes" } } as const;
        Object.assign(shop.get(), { code: answering("two"), args: long });
        await shop.up();
        await until(() => shop.sandbox.isSplit("orders"));
        for (const command of [() => shop.refresh(), () => shop.up({ refresh: true }), () => shop.up()]) {
            await command();
            assert.doesNotMatch(shop.said, /is not as it was left|would be refused/);
        }
        const [{ deploymentId }] = await shop.deployments();
        assert.equal(await shop.status(deploymentId!), "InProgress");
        assert.deepEqual(await shop.deployed(), ["2"]);
        // Somebody stops it, which says nothing about the version.
        await shop.codeDeploy.send(new StopDeploymentCommand({ deploymentId, autoRollbackEnabled: true }));
        await until(async () => (await shop.status(deploymentId!)) === "Stopped");
        shop.get().args = {};
        await shop.settles({ orders: "2" });
        assert.deepEqual(await shop.deployed(), ["2", "2"]);
        await shop.vanishes();
    });
});

// The faults of the sandbox hit every account, so this is by itself.

test("a refresh and a destruction get through while AWS throttles", async () => {
    const shop = await Shop.open(sandbox, "throttled");
    const throttle = async (...services: string[]) => {
        for (const service of services) await sandbox.fault({ service, kind: "throttle", count: 3 });
    };
    await throttle("codedeploy", "sts");
    const refreshed = await shop.refresh();
    assert.deepEqual(Object.keys(refreshed.summary.resourceChanges ?? {}), ["same"]);
    await throttle("codedeploy", "sts", "cloudwatch");
    await shop.vanishes();
    const refusals = (await shop.sandbox.journal()).filter((call) => call.errorCode?.startsWith("Throttling"));
    assert.equal(refusals.length, 15);
});
