// What watches a new version: the user's own alarms, and the bake.

import * as assert from "node:assert/strict";
import { after, before, beforeEach } from "node:test";
import { CloudWatchClient, DeleteAlarmsCommand, PutMetricAlarmCommand, SetAlarmStateCommand } from "@aws-sdk/client-cloudwatch";
import { EngineEvent } from "@pulumi/pulumi/automation/index.js";
import * as lambdaRollout from "pulumi-lambda-rollout";
import { answering, publishedFunction } from "../support/programs";
import { Sandbox } from "../support/sandbox";
import { scenariosAfterUp } from "../support/scenario";
import { TestStack, failureOf } from "../support/stack";
import { Traffic, invoke } from "../support/traffic";

let sandbox: Sandbox;
let stack: TestStack;
let code: string;
let extra: Partial<lambdaRollout.FunctionRolloutArgs>;
let cloudWatch: CloudWatchClient;

before(async () => {
    sandbox = await Sandbox.start();
    cloudWatch = new CloudWatchClient(sandbox.clientConfig);
});

beforeEach(async () => {
    code = answering("one");
    extra = {};
    stack = await TestStack.create(sandbox, async () => {
        const fn = publishedFunction("orders", code);
        const rollout = new lambdaRollout.FunctionRollout("orders", {
            functionName: fn.name,
            version: fn.version,
            ...extra,
        });
        return { targetArn: rollout.targetArn, servingVersion: rollout.servingVersion, status: rollout.deploymentStatus };
    });
});

after(async () => {
    await sandbox?.stop();
});

const scenario = scenariosAfterUp(() => ({ sandbox, stack }));

scenario("an alarm that fires already refuses the rollout, or is left out of it", async () => {
    await cloudWatch.send(new PutMetricAlarmCommand({
        AlarmName: "latency", Namespace: "Shop", MetricName: "Latency", Statistic: "Maximum",
        Period: 3600, EvaluationPeriods: 1, Threshold: 1, ComparisonOperator: "GreaterThanThreshold",
    }));
    await cloudWatch.send(new SetAlarmStateCommand({ AlarmName: "latency", StateValue: "ALARM", StateReason: "p99 is 2.4 s" }));
    code = answering("two");
    extra = { alarms: ["latency"] };
    const preview = (await stack.preview()).stdout;
    assert.match(preview, /version 1 → the next version: .*; watched: errors of the next version, alarm latency \(FIRING NOW\)/);
    assert.match(preview, /warning: alarm latency needs 1h01m to fire/);
    assert.match(preview, /warning: orders:stable got no request in the last hour/);
    const refusal = await failureOf(stack.up());
    assert.match(refusal, /alarm "latency" is firing already, for .* \(p99 is 2\.4 s\)/);
    assert.match(refusal, /alarmsAlreadyFiring/);

    extra = { alarms: ["latency"], alarmsAlreadyFiring: "ignore" };
    await cloudWatch.send(new SetAlarmStateCommand({ AlarmName: "latency", StateValue: "ALARM", StateReason: "p99 is 2.4 s" }));
    const result = await stack.up();
    assert.match(result.stdout + result.stderr, /left out of this deployment: latency/);
    assert.equal(result.outputs.servingVersion.value, "2");
    await cloudWatch.send(new DeleteAlarmsCommand({ AlarmNames: ["latency"] }));
});

scenario("a version that fails only under all the traffic is taken back while it bakes", async (target) => {
    code = `exports.handler = async (event) => { if (event.late) throw new Error("too late"); return {}; };`;
    extra = { strategy: { type: "allAtOnce" }, bake: "10 minutes" };
    const up = failureOf(stack.up());
    while ((await invoke(sandbox, target, {})).version !== "2") await new Promise((resolve) => setTimeout(resolve, 20));
    const traffic = new Traffic(sandbox, target, () => ({ late: true }));
    const failure = await up;
    await traffic.stop();
    assert.match(failure, /version 2 was rolled back at 100 % of traffic/);
    assert.match(failure, /Now serving: stable → version 1, 100 %/);
    assert.equal((await invoke(sandbox, target, {})).version, "1");
});

scenario("without automatic rollback a version that fails keeps its traffic until the next update restores the old one", async (target) => {
    code = `exports.handler = async (event) => { if (event.late) throw new Error("too late"); return {}; };`;
    extra = { strategy: { type: "allAtOnce" }, bake: "10 minutes", autoRollback: [] };
    const up = failureOf(stack.up());
    while ((await invoke(sandbox, target, {})).version !== "2") await new Promise((resolve) => setTimeout(resolve, 20));
    const traffic = new Traffic(sandbox, target, () => ({ late: true }));
    const failure = await up;
    await traffic.stop();
    assert.match(failure, /Now serving: stable → version 2, 100 % \(`autoRollback` leaves this case out\); the next `pulumi up` goes back to version 1/);
    assert.equal((await invoke(sandbox, target, {})).version, "2");
    assert.match((await stack.preview()).stdout, /version 2 failed and has all the traffic: it goes back to version 1 first/);

    const next = await stack.up();
    assert.match(next.stdout + next.stderr, /version 2 failed and has all the traffic; putting it back on version 1/);
    assert.equal(next.outputs.servingVersion.value, "1");
    assert.equal((await invoke(sandbox, target, {})).version, "1");
    assert.deepEqual(Object.keys((await stack.up()).summary.resourceChanges ?? {}), ["same"]);
});

scenario("fewer requests than asked for are no success of the canary", async () => {
    code = answering("two");
    extra = { strategy: { type: "canary" }, minRequests: 5 };
    const result = await stack.up();
    assert.match(result.stdout + result.stderr, /inconclusive: version 2 got 0 requests and `minRequests` asks for 5/);
    assert.equal(result.outputs.servingVersion.value, "2");
});

scenario("while traffic shifts, the row tells what the new version does", async (target) => {
    code = answering("two");
    // The row counts time every ten seconds of a watch on the wall, which is ten minutes here.
    extra = { strategy: { type: "canary", percentage: 50, interval: "25 minutes" } };
    const traffic = new Traffic(sandbox, target, () => ({}));
    const rows: string[] = [];
    const onEvent = ({ diagnosticEvent: said }: EngineEvent) => {
        if (said?.ephemeral) rows.push(said.message);
    };
    await stack.up({ onEvent }).finally(() => traffic.stop());
    const row = /^\[1\/2\] 50 % on version 2 · \S+ to the next step · [1-9]\d* requests?, 0 errors · alarm quiet$/m;
    assert.match(rows.join("\n"), row);
});
