// A stack of functions, each with a rollout of its own, in an account of its own; and what must be true of it in the end.

import {
    BatchGetDeploymentsCommand, CodeDeployClient, CreateDeploymentCommand, DeploymentInfo, GetDeploymentCommand, ListDeploymentsCommand,
} from "@aws-sdk/client-codedeploy";
import { GetAliasCommand, LambdaClient, PublishVersionCommand, UpdateFunctionConfigurationCommand } from "@aws-sdk/client-lambda";
import * as pulumi from "@pulumi/pulumi";
import * as lambdaRollout from "pulumi-lambda-rollout";
import * as assert from "node:assert/strict";
import { Run } from "./processes";
import { answering, hookFunction, publishedFunction } from "./programs";
import { Sandbox } from "./sandbox";
import { hasNothingToDo, vanishes } from "./scenario";
import { StackOptions, TestStack, failureOf } from "./stack";
import { until } from "./until";

/** What an update says that finds a deployment of version 2 which an earlier run has started. */
export const takenUp =
    /deployment d-\w+ of version 2 (is running already; waiting for that one|succeeded while nobody watched; looking at what it did)/;

/** What is declared of one function and its rollout; both bear the function's name. */
export interface Article {
    code: string;
    /** Whose function it is: with `brought`, another stack's, and then `args` say the version. */
    brought?: boolean;
    /** Without a rollout only the function is declared. */
    unrolled?: boolean;
    /** The name of the rollout's resource, if it is not that of the function. */
    resource?: string;
    /** The code of a hook that is called before traffic. */
    guard?: string;
    args: Partial<lambdaRollout.FunctionRolloutArgs>;
    options: pulumi.CustomResourceOptions;
}

export class Shop {
    /** Everything that the command which runs now, or ran last, has printed. */
    said = "";
    readonly lambda: LambdaClient;
    readonly codeDeploy: CodeDeployClient;

    private constructor(
        readonly sandbox: Sandbox,
        readonly stack: TestStack,
        private name: string,
        private readonly articles: Map<string, Article>,
    ) {
        this.lambda = new LambdaClient(sandbox.clientConfig);
        this.codeDeploy = new CodeDeployClient(sandbox.clientConfig);
    }

    /** A stack of this name, not yet up. The name is the test's alone: processes are found by it. */
    static async create(whole: Sandbox, name: string, functions = ["orders"], options: StackOptions = {}): Promise<Shop> {
        const sandbox = whole.alone();
        const articles = new Map<string, Article>(
            functions.map((fn) => [fn, { code: answering("one"), args: {}, options: {} }]),
        );
        const stack = await TestStack.create(sandbox, () => declare(articles), { name, ...options });
        return new Shop(sandbox, stack, name, articles);
    }

    /** The same, with the first version of everything up. */
    static async open(whole: Sandbox, name: string, functions?: string[], options?: StackOptions): Promise<Shop> {
        const shop = await Shop.create(whole, name, functions, options);
        await shop.up();
        return shop;
    }

    /** Another stack in the same account and backend, with rollouts of the functions of this one. */
    async beside(name: string): Promise<Shop> {
        const articles = new Map<string, Article>();
        for (const fn of this.articles.keys()) articles.set(fn, { code: "", brought: true, args: { version: "1" }, options: {} });
        const stack = await TestStack.create(this.sandbox, () => declare(articles), { name, home: this.stack.home });
        return new Shop(this.sandbox, stack, name, articles);
    }

    /** A stack of another name that takes over this one's state; this one is of no use any more. */
    async exportTo(name: string): Promise<Shop> {
        const stack = await TestStack.create(this.sandbox, () => declare(this.articles), { name });
        await stack.take(this.stack);
        await this.stack.remove();
        return new Shop(this.sandbox, stack, name, this.articles);
    }

    async rename(name: string): Promise<void> {
        await this.stack.rename(name);
        this.name = name;
    }

    /** The declaration of a function, to be changed before the next `up`. */
    get(fn = "orders"): Article {
        const article = this.articles.get(fn);
        if (!article) throw new Error(`nothing is declared of ${fn}`);
        return article;
    }

    drop(fn: string): void {
        this.articles.delete(fn);
    }

    up(extra: Record<string, unknown> = {}) {
        return this.stack.up(this.heard(extra));
    }

    refresh(extra: Record<string, unknown> = {}) {
        return this.stack.refresh(this.heard(extra));
    }

    destroy(extra: Record<string, unknown> = {}) {
        return this.stack.destroy(this.heard(extra));
    }

    /** Begins a command that is to fail, and waits until it is time to disturb it; also finds its processes. */
    async disturb(command: () => Promise<unknown>, isTime: () => boolean | Promise<boolean>) {
        let over = false;
        const failure = failureOf(command()).finally(() => (over = true));
        failure.catch(() => undefined);
        // A command that ends too early says why.
        await until(async () => over || isTime());
        if (over) throw new Error(`it was over before its time: ${await failure}`);
        return { failure, run: Run.of(this.name) };
    }

    /** The URN of the rollout of a function. */
    urn(fn = "orders"): string {
        return `urn:pulumi:${this.name}::shop::lambda-rollout:index:FunctionRollout::${fn}`;
    }

    /** What callers in the same account call. */
    target(fn = "orders"): string {
        return `${fn}:stable`;
    }

    /** A version that somebody else publishes, with the code that the function has. */
    async publish(fn = "orders"): Promise<string> {
        await this.lambda.send(new UpdateFunctionConfigurationCommand({ FunctionName: fn, Description: "by hand" }));
        return (await this.lambda.send(new PublishVersionCommand({ FunctionName: fn }))).Version!;
    }

    /** A deployment that somebody else starts on our group; unless it is told otherwise, the slowest that CodeDeploy has. */
    async deployByHand(to: string, config = "CodeDeployDefault.LambdaLinear10PercentEvery10Minutes", fn = "orders"): Promise<string> {
        const properties = { Name: fn, Alias: "stable", CurrentVersion: await this.serves(fn), TargetVersion: to };
        const resource = { Type: "AWS::Lambda::Function", Properties: properties };
        const { deploymentId } = await this.codeDeploy.send(new CreateDeploymentCommand({
            applicationName: `rollout-${fn}.stable`,
            deploymentGroupName: "stable",
            deploymentConfigName: config,
            revision: {
                revisionType: "AppSpecContent",
                appSpecContent: { content: JSON.stringify({ version: "0.0", Resources: [{ [fn]: resource }] }) },
            },
        }));
        return deploymentId!;
    }

    async status(deployment: string): Promise<string> {
        const { deploymentInfo } = await this.codeDeploy.send(new GetDeploymentCommand({ deploymentId: deployment }));
        return deploymentInfo!.status!;
    }

    /** Every deployment in the order of its creation; CodeDeploy's own rollbacks are left out. */
    async deployments(fn = "orders"): Promise<DeploymentInfo[]> {
        const { deployments = [] } = await this.codeDeploy.send(new ListDeploymentsCommand({}));
        if (deployments.length === 0) return [];
        const { deploymentsInfo = [] } = await this.codeDeploy.send(new BatchGetDeploymentsCommand({ deploymentIds: deployments }));
        return deploymentsInfo
            .filter((info) => info.creator !== "codeDeployRollback" && info.description?.startsWith(`${fn}:`))
            .sort((a, b) => a.createTime!.getTime() - b.createTime!.getTime());
    }

    /** The versions that were deployed, in order: each by its description. */
    async deployed(fn = "orders"): Promise<string[]> {
        return (await this.deployments(fn)).map((info) => / version \d+ to (\d+)/.exec(info.description!)![1]);
    }

    /** The version that an alias serves, if it serves one alone. */
    async serves(fn = "orders", alias = "stable"): Promise<string> {
        const found = await this.lambda.send(new GetAliasCommand({ FunctionName: fn, Name: alias }));
        const weights = found.RoutingConfig?.AdditionalVersionWeights ?? {};
        assert.deepEqual(weights, {}, `alias ${alias} of ${fn} is split`);
        return found.FunctionVersion!;
    }

    /** The version that each function of this stack has been published as. */
    private async declaredVersions(): Promise<Record<string, string>> {
        const functions = (await this.stack.resources()).filter((resource) => resource.type === "aws:lambda/function:Function");
        const isRolledOut = (name: string) => this.articles.has(name) && !this.articles.get(name)!.unrolled;
        const rolled = functions.filter(({ outputs }) => isRolledOut(outputs.name));
        return Object.fromEntries(rolled.map(({ outputs }) => [outputs.name, outputs.version]));
    }

    /** A plain `up` gets there, and the next one finds nothing to do and asks AWS nothing. */
    async settles(serving: Record<string, string> = {}): Promise<string> {
        const { stdout, stderr } = await this.up();
        await hasNothingToDo(this.sandbox, () => this.up());
        const expected = { ...(await this.declaredVersions()), ...serving };
        for (const [fn, version] of Object.entries(expected)) assert.equal(await this.serves(fn), version, fn);
        return stdout + stderr;
    }

    vanishes(): Promise<void> {
        return vanishes(this);
    }

    private heard(extra: Record<string, unknown>) {
        this.said = "";
        return { ...extra, onOutput: (text: string) => (this.said += text) };
    }
}

async function declare(articles: Map<string, Article>) {
    const outputs: Record<string, pulumi.Output<string>> = {};
    for (const [name, { code, brought, unrolled, resource, guard, args, options }] of articles) {
        const fn = brought ? { name, version: "" } : publishedFunction(name, code, { timeout: 300 });
        if (unrolled) continue;
        const hook = guard && hookFunction(`${name}-guard`, guard);
        const rollout = new lambdaRollout.FunctionRollout(resource ?? name, {
            functionName: fn.name,
            version: fn.version,
            ...(hook && { hooks: { beforeTraffic: hook.name } }),
            ...args,
        }, { ...(hook && { dependsOn: hook }), ...options });
        outputs[name] = rollout.targetArn;
    }
    return outputs;
}
