// A FunctionAlias, a LambdaDeployment and a DeploymentWaiter that are made anew under their own names, renamed, moved or let
// go: traffic never moves by that, a deployment that runs goes on, and nothing is lost.

import * as assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { BatchGetDeploymentsCommand, CodeDeployClient, DeploymentInfo, ListDeploymentsCommand } from "@aws-sdk/client-codedeploy";
import { GetAliasCommand, LambdaClient } from "@aws-sdk/client-lambda";
import * as lambdaRollout from "pulumi-lambda-rollout";
import { Brought, declareBrought, declareFunctions, theirs } from "../support/brought";
import { Gate } from "../support/gate";
import { Run } from "../support/processes";
import { answering, hook } from "../support/programs";
import { Sandbox } from "../support/sandbox";
import { hasNothingToDo } from "../support/scenario";
import { TestStack, failureOf } from "../support/stack";
import { until } from "../support/until";

let sandbox: Sandbox;

before(async () => {
    sandbox = await Sandbox.start();
});

after(async () => {
    await sandbox?.stop();
});

interface Declared extends Brought {
    /** Without it only the functions are declared. */
    deployed: boolean;
    /** With a resource, made after all others, that cannot be made. */
    broken: boolean;
}

/** A stack whose deployments are held in their hook until the gate opens. */
class Stall {
    readonly gate = new Gate();
    said = "";

    private constructor(readonly sandbox: Sandbox, readonly stack: TestStack, readonly declared: Declared) {}

    private static async create(sandbox: Sandbox, name: string, declared: Declared, home?: string): Promise<Stall> {
        return new Stall(sandbox, await TestStack.create(sandbox, () => declare(declared), { name, home }), declared);
    }

    /** With the first version up. The name is the test's alone: processes are found by it. */
    static async open(name: string, extra: Partial<Declared> = {}): Promise<Stall> {
        const account = sandbox.alone();
        await account.makeGroup(theirs.applicationName, theirs.deploymentGroupName);
        const stall = await Stall.create(account, name, { code: answering("one"), deployed: true, broken: false, ...extra });
        await stall.up();
        return stall;
    }

    /** With a deployment of the second version that runs until the gate opens; also tells its id. */
    static async withLiveDeployment(name: string): Promise<[Stall, string]> {
        const stall = await Stall.open(name);
        const guard = hook("Succeeded").replace("await fetch", `${stall.gate.wait} await fetch`);
        Object.assign(stall.declared, { code: answering("two"), guard });
        const { outputs } = await stall.up();
        await until(() => stall.gate.isReached);
        return [stall, outputs.deploymentId.value];
    }

    /** Another stack of the same account and backend, for the second version of this one's function. */
    beside(name: string): Promise<Stall> {
        return Stall.create(this.sandbox, name, { code: "", version: "2", deployed: true, broken: false }, this.stack.home);
    }

    up(extra: Record<string, unknown> = {}) {
        this.said = "";
        return this.stack.up({ ...extra, onOutput: (text: string) => (this.said += text) });
    }

    /** The URNs of our resources. */
    async urns(): Promise<string[]> {
        const resources = await this.stack.resources();
        return resources.filter(({ type }) => type.startsWith("lambda-rollout:")).map(({ urn }) => urn);
    }

    /** Every deployment in the order of its creation; CodeDeploy's own rollbacks are left out. */
    async deployments(): Promise<DeploymentInfo[]> {
        const codeDeploy = new CodeDeployClient(this.sandbox.clientConfig);
        const { deployments = [] } = await codeDeploy.send(new ListDeploymentsCommand({}));
        if (deployments.length === 0) return [];
        const { deploymentsInfo = [] } = await codeDeploy.send(new BatchGetDeploymentsCommand({ deploymentIds: deployments }));
        const forward = deploymentsInfo.filter(({ creator }) => creator !== "codeDeployRollback");
        return forward.sort((a, b) => a.createTime!.getTime() - b.createTime!.getTime());
    }

    /** How each deployment stands. */
    async standing(): Promise<[string, string][]> {
        return (await this.deployments()).map(({ deploymentId, status }) => [deploymentId!, status!]);
    }

    /** What could have moved traffic, or taken the alias away, since this call. */
    async moves(since: number): Promise<string[]> {
        const calls = await this.sandbox.journal(since);
        return calls.map((call) => call.operation).filter((operation) => /^(DeleteAlias|CreateDeployment|StopDeployment)$/.test(operation));
    }

    async serves(): Promise<string> {
        const found = await new LambdaClient(this.sandbox.clientConfig).send(new GetAliasCommand({ FunctionName: "orders", Name: "live" }));
        assert.deepEqual(found.RoutingConfig?.AdditionalVersionWeights ?? {}, {}, "the alias is split");
        return found.FunctionVersion!;
    }

    /** A plain `up` gets there, and the next one has nothing to do. */
    async settles(version: string): Promise<void> {
        await this.up();
        await hasNothingToDo(this.sandbox, () => this.up());
        for (const { deploymentId } of await this.deployments()) await this.sandbox.deploymentEnds(deploymentId!);
        assert.equal(await this.serves(), version);
    }

    /** That everything is whole: the next version is deployed, once. */
    async stillDeploys(version: string): Promise<void> {
        const before = await this.deployments();
        this.declared.code = answering("the next");
        await this.settles(version);
        assert.equal((await this.deployments()).length, before.length + 1);
    }

    /** Lets the deployment that runs go on; it is the only one, and nothing is left in the end. */
    async ends(live: string): Promise<void> {
        assert.deepEqual(await this.standing(), [[live, "InProgress"]]);
        this.gate.open();
        await this.settles("2");
        assert.deepEqual(await this.standing(), [[live, "Succeeded"]]);
        await this.vanishes();
    }

    async vanishes(): Promise<void> {
        this.gate.open();
        await this.stack.destroy();
        await this.sandbox.removeGroup(theirs.applicationName);
        assert.deepEqual(await this.sandbox.leftovers(), []);
        await this.stack.remove();
        this.gate.close();
    }
}

async function declare(declared: Declared) {
    if (!declared.deployed) {
        declareFunctions(declared);
        return;
    }
    const { alias, deployment } = declareBrought(declared);
    if (declared.broken) {
        new lambdaRollout.FunctionAlias("broken", { functionName: "nothing", aliasName: "live", version: "1" }, { dependsOn: [deployment] });
    }
    return { targetArn: alias.targetArn, deploymentId: deployment.deploymentId };
}

describe("three resources that are replaced under their own names", { concurrency: 3 }, () => {
    for (const deleteBeforeReplace of [false, true]) {
        test(`by force move no traffic (deleteBeforeReplace: ${deleteBeforeReplace})`, async () => {
            const stall = await Stall.open(`forced-${deleteBeforeReplace}`, { options: { deleteBeforeReplace }, waiter: {} });
            stall.declared.code = answering("two");
            await stall.settles("2");
            const [before, since] = [await stall.standing(), await stall.sandbox.lastCall()];
            const result = await stall.up({ replace: await stall.urns() });
            assert.equal(result.summary.resourceChanges?.replace, 3, result.stdout);
            // With its old half the alias goes for a moment, as was asked.
            assert.deepEqual(await stall.moves(since), deleteBeforeReplace ? ["DeleteAlias"] : []);
            await stall.settles("2");
            assert.deepEqual(await stall.standing(), before);
            await stall.stillDeploys("3");
            await stall.vanishes();
        });
    }

    test("by `replaceOnChanges` deploy the new version as an update would", async () => {
        const stall = await Stall.open("on-changes", { options: { replaceOnChanges: ["version", "deploymentIds"] }, waiter: {} });
        stall.declared.code = answering("two");
        const result = await stall.up();
        assert.ok(result.summary.resourceChanges!.replace! >= 2, result.stdout);
        assert.equal(await stall.serves(), "2");
        await stall.settles("2");
        assert.equal((await stall.deployments()).length, 1);
        await stall.stillDeploys("3");
        await stall.vanishes();
    });
});

describe("a deployment that runs", { concurrency: 3 }, () => {
    test("goes on when a later run deletes the old half of its resource", async () => {
        const [stall, live] = await Stall.withLiveDeployment("later");
        stall.declared.broken = true;
        const said = await failureOf(stall.up({ replace: [(await stall.stack.resource("LambdaDeployment")).urn] }));
        assert.match(said, /nothing/);
        const halves = (await stall.stack.resources()).filter(({ type }) => type.endsWith("LambdaDeployment"));
        assert.equal(halves.length, 2, "the old half is gone already");
        stall.declared.broken = false;
        await hasDeletedTheOldHalf(stall);
        await stall.ends(live);
    });

    test("goes on when the CLI is killed between the two halves", async () => {
        const [stall, live] = await Stall.withLiveDeployment("halves");
        const urn = (await stall.stack.resource("LambdaDeployment")).urn;
        stall.declared.waiter = {};
        const failure = failureOf(stall.up({ replace: [urn] }));
        await until(async () => (await stall.stack.resources()).filter((resource) => resource.urn === urn).length === 2);
        const run = Run.of("halves");
        run.kill("the CLI and its providers");
        await failure;
        await run.ended();
        await stall.stack.cancel();
        stall.declared.waiter = undefined;
        await hasDeletedTheOldHalf(stall);
        await stall.ends(live);
    });

    test("goes on when its resource gets another name without Pulumi's `aliases`", async () => {
        const [stall, live] = await Stall.withLiveDeployment("renamed-alone");
        stall.declared.names = { alias: "orders", deployment: "purchases" };
        const result = await stall.up();
        assert.equal(result.outputs.deploymentId.value, live);
        await stall.ends(live);
    });

    test("goes on when all three get other names: an alias without Pulumi's `aliases` is refused, with them it is the same", async () => {
        const [stall, live] = await Stall.withLiveDeployment("renamed");
        const since = await stall.sandbox.lastCall();
        stall.declared.names = { alias: "purchases", deployment: "purchases" };
        assert.match(await failureOf(stall.up()), /alias "orders:live" exists already and belongs to shop\/renamed\/orders: .*`aliases` option/);
        stall.declared.options = { aliases: [{ name: "orders" }] };
        const result = await stall.up();
        assert.equal(result.outputs.deploymentId.value, live);
        assert.deepEqual(await stall.moves(since), []);
        await stall.ends(live);
    });

    test("goes on when its stack gets another name", async () => {
        const [stall, live] = await Stall.withLiveDeployment("older");
        await stall.stack.rename("newer");
        const result = await stall.up();
        assert.equal(result.outputs.deploymentId.value, live);
        await stall.ends(live);
    });

    test("goes on when its resource is moved to another stack", async () => {
        const [stall, live] = await Stall.withLiveDeployment("source");
        const other = await stall.beside("target");
        for (const urn of await stall.urns()) await stall.stack.move(urn, other.stack);
        const since = await stall.sandbox.lastCall();
        stall.declared.deployed = false;
        await stall.up();
        other.declared.guard = stall.declared.guard;
        await other.up();
        assert.deepEqual(await stall.moves(since), []);
        assert.deepEqual(await stall.standing(), [[live, "InProgress"]]);
        stall.gate.open();
        await other.settles("2");
        await other.stack.destroy();
        await stall.vanishes();
        await other.stack.remove();
        other.gate.close();
    });

    test("goes on with `retainOnDelete`, and the same resource takes it up again", async () => {
        const [stall, live] = await Stall.withLiveDeployment("retained");
        const since = await stall.sandbox.lastCall();
        stall.declared.options = { retainOnDelete: true };
        await stall.up();
        stall.declared.deployed = false;
        await stall.up();
        Object.assign(stall.declared, { deployed: true, options: {} });
        const result = await stall.up();
        assert.equal(result.outputs.deploymentId.value, live);
        assert.deepEqual(await stall.moves(since), []);
        await stall.ends(live);
    });

    test("is stopped, and its version deployed anew, where `deleteBeforeReplace` asks for it", async () => {
        const [stall, live] = await Stall.withLiveDeployment("before");
        stall.declared.options = { deleteBeforeReplace: true };
        const result = await stall.up({ replace: [(await stall.stack.resource("LambdaDeployment")).urn] });
        const second = result.outputs.deploymentId.value;
        assert.deepEqual(await stall.standing(), [[live, "Stopped"], [second, "InProgress"]]);
        stall.gate.open();
        await stall.settles("2");
        assert.deepEqual(await stall.standing(), [[live, "Stopped"], [second, "Succeeded"]]);
        await stall.vanishes();
    });

    test("is stopped with rollback when its resource is no longer declared", async () => {
        const [stall, live] = await Stall.withLiveDeployment("dropped");
        stall.declared.deployed = false;
        await stall.up();
        assert.deepEqual(await stall.standing(), [[live, "Stopped"]]);
        await stall.vanishes();
    });
});

/** A plain `up` finishes what the one before has left. */
async function hasDeletedTheOldHalf(stall: Stall) {
    const { outputs } = await stall.up();
    const halves = (await stall.stack.resources()).filter(({ type }) => type.endsWith("LambdaDeployment"));
    assert.deepEqual(halves.map((half) => half.outputs.deploymentId), [outputs.deploymentId.value]);
}
