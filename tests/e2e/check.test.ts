// Bad input is refused in the preview, with the property, the value and the cure, before any call to AWS.

import * as assert from "node:assert/strict";
import { after, before, test } from "node:test";
import * as lambdaRollout from "pulumi-lambda-rollout";
import { Sandbox } from "../support/sandbox";
import { TestStack } from "../support/stack";

let sandbox: Sandbox;
let stack: TestStack;
let inputs: Record<string, unknown> = {};

before(async () => {
    sandbox = await Sandbox.start();
    stack = await TestStack.create(sandbox, async () => {
        new lambdaRollout.FunctionRollout("orders", {
            functionName: "orders",
            version: "1",
            ...inputs,
        } as lambdaRollout.FunctionRolloutArgs);
    });
});

after(async () => {
    await sandbox?.stop();
    await stack?.remove();
});

const refused: [string, Record<string, unknown>, RegExp[]][] = [
    ["$LATEST", { version: "$LATEST" }, [/version/, /\$LATEST/, /publish: true/]],
    ["a version that is no number", { version: "v2" }, [/version/, /"v2"/, /number/]],
    ["an alias as the function", { functionName: "orders:live" }, [/functionName/, /give the function alone, "orders"/]],
    ["a malformed ARN", { functionName: "arn:aws:lambda:eu-west-1:12:function:orders" }, [/functionName/, /ARN/]],
    ["a canary of 0 %", { strategy: { type: "canary", percentage: 0 } }, [/strategy\.percentage/, /cannot be 0/, /1 to 99/]],
    ["a canary of 100 %", { strategy: { type: "canary", percentage: 100 } }, [/cannot be 100/, /allAtOnce/]],
    ["an unknown strategy", { strategy: { type: "canery" } }, [/strategy\.type/, /did you mean "canary"/]],
    [
        "a linear over CodeDeploy's limit",
        { strategy: { type: "linear", percentage: 10, interval: "6 hours" } },
        [/strategy\.interval/, /3240 minutes/, /2880/, /320 minutes/],
    ],
    ["an interval that is no duration", { strategy: { type: "canary", interval: "soon" } }, [/"soon"/, /"5 minutes"/]],
    ["half a minute", { strategy: { type: "canary", interval: "30s" } }, [/interval/, /whole minutes/]],
    [
        "a strategy and a configuration",
        { strategy: { type: "canary" }, deploymentConfigName: "mine" },
        [/deploymentConfigName/, /together with `strategy`/],
    ],
    ["a role that is no ARN", { serviceRoleArn: "my-role" }, [/serviceRoleArn/, /"my-role"/, /arn:aws:iam/]],
    ["a topic that is no ARN", { notifications: [{ topicArn: "topic" }] }, [/notifications\[0\]\.topicArn/, /arn:aws:sns/]],
    ["an unknown input", { strategy: { type: "canary", percent: 10 } }, [/strategy\.percent /, /did you mean "percentage"/]],
    ["bake without waiting", { bake: "1m", wait: false }, [/bake/, /DeploymentWaiter/]],
    ["a payload that is no JSON", { smokeTest: { payload: "{" } }, [/smokeTest/, /JSON/]],
    [
        "an alarm that looks back too far",
        { errorAlarm: { period: "30 minutes", evaluationPeriods: 49 } },
        [/errorAlarm\.evaluationPeriods/, /cannot be 49/, /at most 48/],
    ],
    ["more actions than an alarm has", { errorAlarm: { alarmActions: [1, 2, 3, 4, 5, 6].map(String) } }, [/alarmActions/, /6/, /at most 5/]],
    ["two aliases of one name", { latestAliasName: "stable" }, [/latestAliasName/, /choose another/]],
    ["an unknown event", { autoRollback: ["alarms"] }, [/autoRollback/, /did you mean "alarm"/]],
];

for (const [what, wrong, says] of refused) {
    test(`${what} is refused`, async () => {
        inputs = wrong;
        const calls = (await sandbox.journal()).length;
        const error: Error = await stack.preview().then(
            () => assert.fail("the preview went through"),
            (error) => error,
        );
        for (const pattern of says) assert.match(error.message, pattern);
        assert.equal((await sandbox.journal()).length, calls, "a call to AWS was made");
    });
}

test("every mistake is named at once", async () => {
    inputs = { version: "$LATEST", strategy: { type: "canary", percentage: 0, interval: "soon" } };
    const error: Error = await stack.preview().then(() => assert.fail("the preview went through"), (error) => error);
    for (const pattern of [/publish: true/, /cannot be 0/, /"soon"/]) assert.match(error.message, pattern);
});
