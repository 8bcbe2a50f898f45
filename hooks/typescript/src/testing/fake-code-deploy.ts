// CodeDeploy on this machine, and the version under test: an HTTP server that the SDK is sent to by its environment.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { LifecycleEvent } from "../event.js";
import type { Status } from "../report.js";
import { Environment } from "./environment.js";

export interface FakeOptions {
    lifecycleEvent?: LifecycleEvent;
    functionName?: string;
    alias?: string;
    currentVersion?: string;
    targetVersion?: string;
    /** What the version under test answers to `rollout.invoke`; what it throws is a function error. */
    answer?: (payload: any) => unknown;
    /** Operations that the hook's role does not allow, such as `PutLifecycleEventHookExecutionStatus`. */
    denied?: string[];
    /** How many calls are throttled before the first that is not. */
    throttled?: number;
}

/** A report that CodeDeploy got. */
export interface Report {
    deploymentId: string;
    hookExecutionId: string;
    status: Status;
}

type Answer = [status: number, body: unknown, headers?: Record<string, string>];

export class FakeCodeDeploy {
    /** What was reported, in order. */
    readonly reports: Report[] = [];
    /** The names of all operations that were called, in order. */
    readonly calls: string[] = [];

    private constructor(
        private readonly server: Server,
        private readonly environment: Environment,
        private readonly options: FakeOptions,
    ) {}

    /** Starts it, and sends every hook of this process to it until `stop`. */
    static async start(options: FakeOptions = {}): Promise<FakeCodeDeploy> {
        const server = createServer();
        await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
        const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
        const fake = new FakeCodeDeploy(server, Environment.pointAt(url), options);
        server.on("request", (request, response) => void fake.serve(request, response));
        return fake;
    }

    /** Ends it, and puts the environment back as it was. */
    async stop(): Promise<void> {
        this.environment.restore();
        this.server.closeAllConnections();
        await new Promise((resolve) => this.server.close(resolve));
    }

    private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
        const chunks: Buffer[] = [];
        for await (const chunk of request) chunks.push(chunk as Buffer);
        const [status, body, headers] = await this.answer(request, JSON.parse(Buffer.concat(chunks).toString()));
        response.writeHead(status, { "content-type": "application/json", ...headers });
        response.end(body === undefined ? "" : JSON.stringify(body));
    }

    private async answer(request: IncomingMessage, input: any): Promise<Answer> {
        const target = request.headers["x-amz-target"] as string | undefined;
        const operation = target?.split(".").pop() ?? "Invoke";
        this.calls.push(operation);
        const { denied = [], throttled = 0 } = this.options;
        if (this.calls.length <= throttled) return throttle(operation);
        if (denied.includes(operation)) return refuse("AccessDeniedException", `not authorized to perform ${operation}`);
        switch (operation) {
            case "PutLifecycleEventHookExecutionStatus":
                return this.put(input);
            case "ListDeploymentTargets":
                return [200, { targetIds: [this.subject.functionName] }];
            case "GetDeploymentTarget":
                return [200, { deploymentTarget: { deploymentTargetType: "LambdaFunction", lambdaTarget: this.target(input) } }];
            case "Invoke":
                return this.invoke(request, input);
            default:
                return refuse("UnknownOperationException", `the test kit does not know ${operation}`);
        }
    }

    /** CodeDeploy takes one report for each run of a hook. */
    private put(input: any): Answer {
        const hookExecutionId: string = input.lifecycleEventHookExecutionId;
        if (this.reports.some((report) => report.hookExecutionId === hookExecutionId)) {
            return refuse("LifecycleEventAlreadyCompletedException", "The lifecycle event has already completed");
        }
        this.reports.push({ deploymentId: input.deploymentId, hookExecutionId, status: input.status });
        return [200, { lifecycleEventHookExecutionId: hookExecutionId }];
    }

    private async invoke(request: IncomingMessage, payload: unknown): Promise<Answer> {
        const { functionName, targetVersion } = this.subject;
        const expected = `/functions/${encodeURIComponent(functionName)}/invocations?Qualifier=${targetVersion}`;
        if (!request.url!.endsWith(expected)) return refuse("ResourceNotFoundException", `Function not found: ${request.url}`);
        try {
            return [200, await this.options.answer?.(payload)];
        } catch (error) {
            const { name, message } = error as Error;
            return [200, { errorType: name, errorMessage: message }, { "x-amz-function-error": "Unhandled" }];
        }
    }

    private target({ deploymentId, targetId }: { deploymentId: string; targetId: string }) {
        const { lifecycleEvent, functionName, alias, currentVersion, targetVersion } = this.subject;
        const status = (name: string) => (name === lifecycleEvent ? "InProgress" : lifecycleEvent.startsWith("After") ? "Succeeded" : "Pending");
        const names = ["BeforeAllowTraffic", "AllowTraffic", "AfterAllowTraffic"];
        return {
            deploymentId,
            targetId,
            status: "InProgress",
            lifecycleEvents: names.map((name) => ({ lifecycleEventName: name, status: status(name) })),
            lambdaFunctionInfo: { functionName, functionAlias: alias, currentVersion, targetVersion },
        };
    }

    private get subject() {
        const { lifecycleEvent = "BeforeAllowTraffic", functionName = "my-function", alias = "stable" } = this.options;
        const { currentVersion = "1", targetVersion = "2" } = this.options;
        return { lifecycleEvent, functionName, alias, currentVersion, targetVersion };
    }
}

function throttle(operation: string): Answer {
    return operation === "Invoke" ? refuse("TooManyRequestsException", "Rate Exceeded.", 429) : refuse("ThrottlingException", "Rate exceeded");
}

function refuse(code: string, message: string, status = 400): Answer {
    return [status, { __type: code, message }, { "x-amzn-errortype": code }];
}
