// What a rollout allows others: CodeDeploy's role may do what the guide says and no more, and nobody may call an alias who was
// not asked to.

import * as assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import { GetRoleCommand, GetRolePolicyCommand, IAMClient, ListAttachedRolePoliciesCommand, ListRolePoliciesCommand } from "@aws-sdk/client-iam";
import { GetFunctionUrlConfigCommand, GetPolicyCommand, LambdaClient, ResourceNotFoundException } from "@aws-sdk/client-lambda";
import * as aws from "@pulumi/aws";
import * as lambdaRollout from "pulumi-lambda-rollout";
import { filled, policies } from "../support/policies";
import { answering, hook, hookFunction, publishedFunction } from "../support/programs";
import { Sandbox } from "../support/sandbox";
import { TestStack } from "../support/stack";

let sandbox: Sandbox;
let stack: TestStack;
let iam: IAMClient;
let lambda: LambdaClient;
let args: (fn: aws.lambda.Function) => Partial<lambdaRollout.FunctionRolloutArgs>;

const role = { RoleName: "rollout-orders.stable.us-east-1" };
const names = { REGION: "us-east-1", ACCOUNT: "000000000000", FUNCTION: "orders", ALIAS: "stable", HOOK: "guard", TOPIC: "releases" };

before(async () => {
    sandbox = await Sandbox.start();
    iam = new IAMClient(sandbox.clientConfig);
    lambda = new LambdaClient(sandbox.clientConfig);
});

beforeEach(async () => {
    args = () => ({});
    stack = await TestStack.create(sandbox, async () => {
        const fn = publishedFunction("orders", answering("one"));
        new lambdaRollout.FunctionRollout("orders", { functionName: fn.name, version: fn.version, ...args(fn) });
    });
});

after(async () => {
    await sandbox?.stop();
});

function scenario(name: string, body: () => Promise<void>) {
    test(name, async () => {
        await body();
        await stack.destroy();
        assert.deepEqual(await sandbox.leftovers(), []);
        await stack.remove();
    });
}

const decoded = (document?: string) => JSON.parse(decodeURIComponent(document ?? "null"));

/** The one policy of the role. */
async function rolePolicy(): Promise<any> {
    const attached = await iam.send(new ListAttachedRolePoliciesCommand(role));
    assert.deepEqual(attached.AttachedPolicies ?? [], []);
    const { PolicyNames: [PolicyName, ...more] = [] } = await iam.send(new ListRolePoliciesCommand(role));
    assert.deepEqual(more, []);
    return decoded((await iam.send(new GetRolePolicyCommand({ ...role, PolicyName }))).PolicyDocument);
}

/** The guide's policy for the role, without these statements. */
function guide(...without: string[]): any {
    const statements = policies().get("The role that a rollout makes")!.filter(({ Sid }) => !without.includes(Sid));
    return { Version: "2012-10-17", Statement: JSON.parse(filled(JSON.stringify(statements), names)) };
}

scenario("the role may do what the guide says, and only CodeDeploy of this account may take it on", async () => {
    await stack.up();
    assert.deepEqual(await rolePolicy(), guide("CallHooks", "Notify"));
    const { Role: made } = await iam.send(new GetRoleCommand(role));
    assert.deepEqual(decoded(made?.AssumeRolePolicyDocument).Statement, [{
        Effect: "Allow",
        Principal: { Service: "codedeploy.amazonaws.com" },
        Action: "sts:AssumeRole",
        Condition: { StringEquals: { "aws:SourceAccount": "000000000000" } },
    }]);

    args = () => {
        const topic = new aws.sns.Topic("releases", { name: "releases" });
        const hooked = hookFunction("guard", hook("Succeeded"));
        return { hooks: { beforeTraffic: hooked.name }, notifications: [{ topicArn: topic.arn }] };
    };
    await stack.up();
    assert.deepEqual(await rolePolicy(), guide());

    args = () => ({});
    await stack.up();
    assert.deepEqual(await rolePolicy(), guide("CallHooks", "Notify"), "what is no longer declared is still allowed");
});

/** Who may do what with the alias, by its own policy. */
async function aliasPolicy(alias: string): Promise<string[]> {
    const answer = await lambda.send(new GetPolicyCommand({ FunctionName: "orders", Qualifier: alias })).catch((error) => {
        if (error instanceof ResourceNotFoundException) return undefined;
        throw error;
    });
    const { Statement: statements } = JSON.parse(answer?.Policy ?? `{"Statement":[]}`);
    return statements.map(({ Principal: principal, Action: action }: any) => `${principal.AWS ?? principal.Service ?? principal} ${action}`).sort();
}

scenario("a function URL is public only when that is asked for", async () => {
    const everybody = ["* lambda:InvokeFunction", "* lambda:InvokeFunctionUrl"];
    args = () => ({ functionUrl: {}, latestFunctionUrl: {} });
    await stack.up();
    for (const alias of ["stable", "latest"]) {
        const url = await lambda.send(new GetFunctionUrlConfigCommand({ FunctionName: "orders", Qualifier: alias }));
        assert.equal(url.AuthType, "AWS_IAM");
        assert.deepEqual(await aliasPolicy(alias), []);
    }

    args = () => ({ functionUrl: { authorizationType: "NONE" }, latestFunctionUrl: {} });
    await stack.up();
    assert.deepEqual([await aliasPolicy("stable"), await aliasPolicy("latest")], [everybody, []]);

    args = () => ({ functionUrl: { authorizationType: "AWS_IAM" }, latestFunctionUrl: {} });
    await stack.up();
    assert.deepEqual([await aliasPolicy("stable"), await aliasPolicy("latest")], [[], []]);
});
