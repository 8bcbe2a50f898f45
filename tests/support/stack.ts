// A Pulumi stack with a state of its own, run by the real CLI with an inline program.

import type { ClientOptions } from "@grpc/grpc-js";
import { execFile } from "node:child_process";
import * as fs from "node:fs/promises";
import * as os from "node:os";
import * as path from "node:path";
import { promisify } from "node:util";
import {
    LocalWorkspace, PulumiCommand, PulumiFn, Stack, UpResult,
} from "@pulumi/pulumi/automation/index.js";
import { Sandbox, root } from "./sandbox";

// Each run has an engine of its own, whose port may be that of an earlier one. gRPC would keep the earlier connection for
// a while, as one that failed, and use it again; Pulumi takes such a failure for the end of the program, so that a run
// would succeed without having declared anything. A pool of its own for each connection knows no earlier one.
const { grpcClientOptions } = require("@pulumi/pulumi/runtime/settings") as { grpcClientOptions: ClientOptions };
grpcClientOptions["grpc.use_local_subchannel_pool"] = 1;

export interface StackOptions {
    name?: string;
    project?: string;
    config?: Record<string, string>;
    env?: Record<string, string>;
    onOutput?: (text: string) => void;
    color?: "always" | "never";
    /** The folder of another stack, to have the same backend as that one. */
    home?: string;
    /** The folder with the provider to run, if it is not the one that was built. */
    plugin?: string;
}

/** A stack, the folder that holds its state, and the ways to run it. */
export class TestStack {
    private constructor(
        readonly stack: Stack,
        readonly home: string,
        private readonly options: StackOptions,
    ) {}

    static async create(sandbox: Sandbox, program: PulumiFn, options: StackOptions = {}): Promise<TestStack> {
        const home = options.home ?? (await fs.mkdtemp(path.join(os.tmpdir(), "lambda-rollout-")));
        const state = path.join(home, "state");
        await fs.mkdir(state, { recursive: true });
        const project = options.project ?? "shop";
        const stackName = options.name ?? "dev";
        const bin = path.join(root, "target/debug");
        const stack = await LocalWorkspace.createOrSelectStack(
            { stackName, projectName: project, program },
            {
                pulumiCommand: await PulumiCommand.get({ root: path.join(home, "cli"), skipVersionCheck: true }).catch(
                    () => PulumiCommand.get({ skipVersionCheck: true }),
                ),
                workDir: home,
                pulumiHome: path.join(home, "pulumi"),
                envVars: {
                    ...sandbox.env,
                    PULUMI_BACKEND_URL: `file://${state}`,
                    PULUMI_CONFIG_PASSPHRASE: "correct horse",
                    PULUMI_SKIP_UPDATE_CHECK: "true",
                    PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
                    ...options.env,
                },
                projectSettings: {
                    name: project,
                    runtime: "nodejs",
                    backend: { url: `file://${state}` },
                    plugins: {
                        providers: [
                            { name: "lambda-rollout", path: options.plugin ?? bin },
                            { name: "aws", path: bin },
                        ],
                    },
                } as any,
            },
        );
        for (const [key, value] of Object.entries(options.config ?? {})) await stack.setConfig(key, { value });
        return new TestStack(stack, home, options);
    }

    /** What the CLI and its plugins find in their environment from now on. */
    get environment(): Record<string, string> {
        return this.stack.workspace.envVars;
    }

    async up(extra: Record<string, unknown> = {}): Promise<UpResult> {
        return this.stack.up({ ...this.common, suppressProgress: true, ...extra });
    }

    async preview(extra: Record<string, unknown> = {}) {
        return this.stack.preview({ ...this.common, ...extra });
    }

    async refresh(extra: Record<string, unknown> = {}) {
        return this.stack.refresh({ ...this.common, ...extra });
    }

    async destroy(extra: Record<string, unknown> = {}) {
        return this.stack.destroy({ ...this.common, ...extra });
    }

    /** `pulumi cancel`, as from another terminal. */
    async cancel(): Promise<void> {
        await this.stack.cancel();
    }

    async rename(name: string): Promise<void> {
        await this.stack.rename({ stackName: name });
        this.options.name = name;
    }

    /** `pulumi state move` to another stack of the same backend. */
    async move(urn: string, to: TestStack): Promise<void> {
        const [source, dest] = [this.names.name, to.names.name];
        const args = ["state", "move", "--yes", "--source", source, "--dest", dest, urn];
        const env = { ...process.env, ...this.environment, PULUMI_HOME: path.join(this.home, "pulumi") };
        await promisify(execFile)("pulumi", args, { cwd: this.home, env });
    }

    /** Puts the state of another stack in place of the own one, as somebody would who edits the export. */
    async take(from: TestStack): Promise<void> {
        const text = JSON.stringify(await from.stack.exportStack());
        await this.stack.importStack(JSON.parse(text.replaceAll(`urn:pulumi:${from.names.name}::`, `urn:pulumi:${this.names.name}::`)));
    }

    /** The resources of the state as they lie in its file, secrets encrypted. */
    async resources(): Promise<any[]> {
        const { project, name } = this.names;
        const file = path.join(this.home, "state", ".pulumi", "stacks", project, `${name}.json`);
        return JSON.parse(await fs.readFile(file, "utf8")).checkpoint.latest?.resources ?? [];
    }

    async resource(type: string): Promise<any> {
        return (await this.resources()).find((resource) => resource.type.endsWith(type));
    }

    async remove(): Promise<void> {
        await fs.rm(this.home, { recursive: true, force: true });
    }

    private get names() {
        return { project: this.options.project ?? "shop", name: this.options.name ?? "dev" };
    }

    private get common() {
        return { onOutput: this.options.onOutput, color: this.options.color ?? "never" };
    }
}

/** What a failing command printed; it is a failure of the test if it does not fail. */
export async function failureOf(command: Promise<unknown>): Promise<string> {
    const error: unknown = await command.then(
        () => undefined,
        (error) => error,
    );
    if (!(error instanceof Error)) throw new Error("the command succeeded");
    return error.message;
}
