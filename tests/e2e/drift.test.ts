// What somebody changed by hand: a refresh shows it, the next update mends it, and then nothing is to be done.

import * as assert from "node:assert/strict";
import { after, before, beforeEach } from "node:test";
import { CodeDeployClient, DeleteApplicationCommand, DeleteDeploymentGroupCommand, ListApplicationsCommand } from "@aws-sdk/client-codedeploy";
import { DeleteRoleCommand, DeleteRolePolicyCommand, IAMClient } from "@aws-sdk/client-iam";
import {
    DeleteAliasCommand, GetAliasCommand, GetFunctionUrlConfigCommand, GetPolicyCommand, LambdaClient, RemovePermissionCommand,
    UpdateFunctionUrlConfigCommand,
} from "@aws-sdk/client-lambda";
import * as lambdaRollout from "pulumi-lambda-rollout";
import { answering, publishedFunction } from "../support/programs";
import { Sandbox } from "../support/sandbox";
import { scenariosAfterUp } from "../support/scenario";
import { TestStack, failureOf } from "../support/stack";
import { invoke } from "../support/traffic";

let sandbox: Sandbox;
let stack: TestStack;
let code: string;
let extra: Partial<lambdaRollout.FunctionRolloutArgs>;
let lambda: LambdaClient;
let codeDeploy: CodeDeployClient;
let iam: IAMClient;

const application = "rollout-orders.stable";
const role = "rollout-orders.stable.us-east-1";
const stable = { FunctionName: "orders", Qualifier: "stable" };

before(async () => {
    sandbox = await Sandbox.start();
    lambda = new LambdaClient(sandbox.clientConfig);
    codeDeploy = new CodeDeployClient(sandbox.clientConfig);
    iam = new IAMClient(sandbox.clientConfig);
});

beforeEach(async () => {
    code = answering("one");
    extra = {};
    stack = await TestStack.create(sandbox, async () => {
        const fn = publishedFunction("orders", code);
        const rollout = new lambdaRollout.FunctionRollout("orders", { functionName: fn.name, version: fn.version, ...extra });
        return { targetArn: rollout.targetArn, servingVersion: rollout.servingVersion, url: rollout.url };
    });
});

after(async () => {
    await sandbox?.stop();
});

const scenario = scenariosAfterUp(() => ({ sandbox, stack }));

/** A refresh that must say this, an update that mends it, and one that finds nothing to do. */
async function mended(said: RegExp) {
    const refreshed = await stack.refresh();
    assert.match(refreshed.stdout + refreshed.stderr, said);
    const preview = await stack.preview();
    assert.equal(preview.changeSummary.update, 1, preview.stdout);
    assert.match(preview.stdout, /the update will /);
    await stack.up();
    const again = await stack.up();
    assert.deepEqual(Object.keys(again.summary.resourceChanges ?? {}), ["same"]);
    assert.doesNotMatch((await stack.refresh()).stdout, /is not as it was left/);
}

scenario("a URL made public by hand, a permission removed and a moved latest alias are put right", async () => {
    extra = {
        functionUrl: {},
        permissions: [{ principal: "events.amazonaws.com" }],
    };
    await stack.up();
    const policy = JSON.parse((await lambda.send(new GetPolicyCommand(stable))).Policy!);
    await lambda.send(new RemovePermissionCommand({ ...stable, StatementId: policy.Statement[0].Sid }));
    await lambda.send(new UpdateFunctionUrlConfigCommand({ ...stable, AuthType: "NONE" }));
    await mended(/orders:stable is not as it was left; the next update will update the function URL of alias stable, allow events\.amazonaws\.com to invoke alias stable/);
    const url = await lambda.send(new GetFunctionUrlConfigCommand(stable));
    assert.equal(url.AuthType, "AWS_IAM");
    assert.equal(JSON.parse((await lambda.send(new GetPolicyCommand(stable))).Policy!).Statement.length, 1);
});

scenario("an application with its group and a role that are gone are made again", async () => {
    await codeDeploy.send(new DeleteDeploymentGroupCommand({ applicationName: application, deploymentGroupName: "stable" }));
    await codeDeploy.send(new DeleteApplicationCommand({ applicationName: application }));
    await iam.send(new DeleteRolePolicyCommand({ RoleName: role, PolicyName: "lambda-rollout" }));
    await iam.send(new DeleteRoleCommand({ RoleName: role }));
    await mended(/will create role rollout-orders.*, create CodeDeploy application rollout-orders\.stable, create deployment group stable/);
    code = answering("two");
    assert.equal((await stack.up()).outputs.servingVersion.value, "2");
});

scenario("a lost alias is made again, but never at a version that failed", async (target) => {
    code = answering("two");
    extra = { smokeTest: { payload: "{}", expect: JSON.stringify({ answer: "something else" }) } };
    assert.match(await failureOf(stack.up()), /version 2 was refused/);
    await stack.up();
    await lambda.send(new DeleteAliasCommand({ FunctionName: "orders", Name: "stable" }));
    await mended(/will create alias stable at version 1/);
    assert.equal((await lambda.send(new GetAliasCommand({ FunctionName: "orders", Name: "stable" }))).FunctionVersion, "1");
    assert.equal((await invoke(sandbox, target, {})).body.answer, "one");
});

scenario("a renamed application leaves nothing of the old name behind", async () => {
    code = answering("two");
    extra = { applicationName: "shop-orders", deploymentGroupName: "live" };
    await stack.up();
    const { applications = [] } = await codeDeploy.send(new ListApplicationsCommand({}));
    assert.deepEqual(applications, ["shop-orders"]);
});
