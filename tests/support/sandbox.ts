// Starts the sandbox, and asks it what exists and what was called.

import {
    CodeDeployClient, CreateApplicationCommand, CreateDeploymentGroupCommand, DeleteApplicationCommand, DeploymentInfo,
    GetDeploymentCommand,
} from "@aws-sdk/client-codedeploy";
import {
    AttachRolePolicyCommand, CreateRoleCommand, DeleteRoleCommand, DetachRolePolicyCommand, IAMClient,
} from "@aws-sdk/client-iam";
import { LambdaClient, ListAliasesCommand, UpdateAliasCommand } from "@aws-sdk/client-lambda";
import { ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import * as path from "node:path";
import { until } from "./until";

export const root = process.env.LAMBDA_ROLLOUT_ROOT ?? process.cwd();
export const region = "us-east-1";

const codeDeployTrust = JSON.stringify({
    Version: "2012-10-17",
    Statement: [{ Effect: "Allow", Principal: { Service: "codedeploy.amazonaws.com" }, Action: "sts:AssumeRole" }],
});

/** One call to AWS, as the sandbox's journal has it. */
export interface Call {
    n: number;
    /** Seconds since 1970. */
    time: number;
    service: string;
    operation: string;
    mutating: boolean;
    status: number;
    errorCode?: string | null;
    account?: string;
    region?: string;
}

let accounts = 0;

export class Sandbox {
    private constructor(
        private readonly child: ChildProcess,
        readonly endpoint: string,
        readonly speed: number,
        private readonly account?: string,
    ) {}

    static async start(options: { speed?: number; args?: string[]; folder?: string } = {}): Promise<Sandbox> {
        const speed = options.speed ?? 60;
        const binary = path.join(root, options.folder ?? "target/debug", "rollout-sandbox");
        const args = ["--port", "0", "--speed", `${speed}`, "--exit-with-stdin", ...(options.args ?? [])];
        // A process group of its own: the terminal's Ctrl-C is for us to handle, so that things end in order.
        const child = spawn(binary, args, { stdio: ["pipe", "pipe", "inherit"], detached: true });
        const endpoint = await readyLine(child);
        return new Sandbox(child, endpoint, speed);
    }

    /** The same sandbox as another account sees it, so that tests side by side do not meet. Twelve digits. */
    as(account: string): Sandbox {
        return new Sandbox(this.child, this.endpoint, this.speed, account);
    }

    /** The same for an account that nobody else has. */
    alone(): Sandbox {
        accounts += 1;
        return this.as(`${accounts}`.padStart(12, "1"));
    }

    /** What a program, the CLI or an SDK needs to talk to the sandbox instead of AWS. */
    get env(): Record<string, string> {
        return {
            AWS_ENDPOINT_URL: this.endpoint,
            AWS_ACCESS_KEY_ID: this.account ?? "test",
            AWS_SECRET_ACCESS_KEY: "test",
            AWS_REGION: region,
            AWS_EC2_METADATA_DISABLED: "true",
            LAMBDA_ROLLOUT_CLOCK_SPEED: `${this.speed}`,
        };
    }

    get clientConfig() {
        return {
            endpoint: this.endpoint,
            region,
            credentials: { accessKeyId: this.account ?? "test", secretAccessKey: "test" },
        };
    }

    async journal(since = 0): Promise<Call[]> {
        const { calls } = await this.admin(`journal?since=${since}`);
        return calls.filter((call: Call) => !this.account || call.account === this.account);
    }

    /** The number of the last call, for those who ask the journal what came after. */
    async lastCall(): Promise<number> {
        return (await this.admin("journal")).last;
    }

    /** Everything that exists. */
    async state(): Promise<any> {
        const state = await this.admin("state");
        return { ...state, scopes: state.scopes.filter((scope: any) => !this.account || scope.account === this.account) };
    }

    /** Makes calls go wrong: those of this account, if this is one account's view. */
    async fault(rule: Record<string, unknown>): Promise<void> {
        await this.admin("faults", { method: "POST", body: JSON.stringify({ account: this.account, ...rule }) });
    }

    async forgetFaults(): Promise<void> {
        await this.admin(this.account ? `faults?account=${this.account}` : "faults", { method: "DELETE" });
    }

    /** Names of everything that exists, whatever kind it is. */
    async leftovers(): Promise<string[]> {
        return leftovers(await this.state());
    }

    /** Whether any alias of the function serves two versions. */
    async isSplit(fn: string): Promise<boolean> {
        const { Aliases } = await this.lambda.send(new ListAliasesCommand({ FunctionName: fn }));
        return (Aliases ?? []).some((alias) => Object.keys(alias.RoutingConfig?.AdditionalVersionWeights ?? {}).length > 0);
    }

    /** What a person would do in the console. */
    async moveAlias(fn: string, alias: string, version: string): Promise<void> {
        await this.lambda.send(
            new UpdateAliasCommand({
                FunctionName: fn,
                Name: alias,
                FunctionVersion: version,
                RoutingConfig: { AdditionalVersionWeights: {} },
            }),
        );
    }

    /** An application and a group with a role of their own, as somebody else would have made them. */
    async makeGroup(application: string, group: string): Promise<void> {
        const role = await this.iam.send(
            new CreateRoleCommand({ RoleName: application, AssumeRolePolicyDocument: codeDeployTrust }),
        );
        await this.iam.send(
            new AttachRolePolicyCommand({
                RoleName: application,
                PolicyArn: "arn:aws:iam::aws:policy/service-role/AWSCodeDeployRoleForLambda",
            }),
        );
        await this.codeDeploy.send(new CreateApplicationCommand({ applicationName: application, computePlatform: "Lambda" }));
        await this.codeDeploy.send(
            new CreateDeploymentGroupCommand({
                applicationName: application,
                deploymentGroupName: group,
                serviceRoleArn: role.Role!.Arn!,
                deploymentConfigName: "CodeDeployDefault.LambdaCanary10Percent5Minutes",
                deploymentStyle: { deploymentType: "BLUE_GREEN", deploymentOption: "WITH_TRAFFIC_CONTROL" },
            }),
        );
    }

    async removeGroup(application: string): Promise<void> {
        await this.codeDeploy.send(new DeleteApplicationCommand({ applicationName: application }));
        await this.iam.send(
            new DetachRolePolicyCommand({
                RoleName: application,
                PolicyArn: "arn:aws:iam::aws:policy/service-role/AWSCodeDeployRoleForLambda",
            }),
        );
        await this.iam.send(new DeleteRoleCommand({ RoleName: application }));
    }

    /** Waits until a deployment has ended; answers how. */
    async deploymentEnds(deploymentId: string): Promise<DeploymentInfo> {
        let found: DeploymentInfo | undefined;
        await until(async () => {
            found = (await this.codeDeploy.send(new GetDeploymentCommand({ deploymentId }))).deploymentInfo;
            return ["Succeeded", "Failed", "Stopped"].includes(found!.status!);
        });
        return found!;
    }

    /** Waits for this many messages of a queue. */
    async receive(queueUrl: string, count: number): Promise<string[]> {
        const bodies: string[] = [];
        while (bodies.length < count) {
            const answer = await fetch(this.endpoint, {
                method: "POST",
                headers: {
                    "content-type": "application/x-amz-json-1.0",
                    "x-amz-target": "AmazonSQS.ReceiveMessage",
                    authorization: `AWS4-HMAC-SHA256 Credential=test/20260101/${region}/sqs/aws4_request, SignedHeaders=host, Signature=none`,
                },
                body: JSON.stringify({ QueueUrl: queueUrl, WaitTimeSeconds: 20, MaxNumberOfMessages: 10 }),
            });
            const { Messages: messages = [] } = (await answer.json()) as any;
            bodies.push(...messages.map((message: any) => message.Body));
        }
        return bodies;
    }

    private get lambda() {
        return new LambdaClient(this.clientConfig);
    }

    private get codeDeploy() {
        return new CodeDeployClient(this.clientConfig);
    }

    private get iam() {
        return new IAMClient(this.clientConfig);
    }

    async stop(): Promise<void> {
        if (this.child.exitCode !== null || this.child.signalCode !== null) return;
        const gone = new Promise((resolve) => this.child.once("exit", resolve));
        this.child.stdin?.end();
        await gone;
    }

    private async admin(what: string, init?: RequestInit): Promise<any> {
        const response = await fetch(`${this.endpoint}/_sandbox/${what}`, init);
        const text = await response.text();
        if (!response.ok) throw new Error(`the sandbox answered ${response.status} to ${what}: ${text}`);
        return text ? JSON.parse(text) : undefined;
    }
}

function readyLine(child: ChildProcess): Promise<string> {
    return new Promise((resolve, reject) => {
        child.once("error", reject);
        child.once("exit", (code) => reject(new Error(`rollout-sandbox ended with code ${code} before it was ready`)));
        createInterface({ input: child.stdout! }).once("line", (line) => {
            const endpoint = /http:\/\/[^ ]+/.exec(line)?.[0];
            if (endpoint) resolve(endpoint);
            else reject(new Error(`rollout-sandbox said "${line}" instead of its endpoint`));
        });
    });
}

function leftovers(state: any): string[] {
    const found: string[] = [];
    for (const { region, account: _, ...services } of state.scopes) {
        for (const [service, kinds] of Object.entries<any>(services)) {
            for (const [kind, things] of Object.entries<any>(kinds)) {
                for (const thing of things) found.push(`${region} ${service} ${kind}: ${thing.name ?? JSON.stringify(thing)}`);
            }
        }
    }
    return found;
}
