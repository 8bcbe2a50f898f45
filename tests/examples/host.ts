// A stand-in for Pulumi's language hosts, which come with the CLI's installer and not as packages: it starts a program
// the way they do, with everything that the program's SDK needs to find the engine. `pulumi up` starts it, as
// `pulumi-language-nodejs` and so on, and runs an example exactly as it lies in its folder.

import { ServerUnaryCall, Server, ServerCredentials, sendUnaryData } from "@grpc/grpc-js";
import * as languageService from "@pulumi/pulumi/proto/language_grpc_pb";
import * as language from "@pulumi/pulumi/proto/language_pb";
import * as plugin from "@pulumi/pulumi/proto/plugin_pb";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { Language, languages } from "./programs";

/** What Pulumi's SDKs read. */
function environment(request: language.RunRequest, engine: string): Record<string, string> {
    return {
        PULUMI_MONITOR: request.getMonitorAddress(),
        PULUMI_ENGINE: engine,
        PULUMI_PROJECT: request.getProject(),
        PULUMI_STACK: request.getStack(),
        PULUMI_ORGANIZATION: request.getOrganization(),
        PULUMI_ROOT_DIRECTORY: request.getInfo()?.getRootDirectory() ?? "",
        PULUMI_PARALLEL: `${request.getParallel()}`,
        PULUMI_DRY_RUN: `${request.getDryrun()}`,
        PULUMI_CONFIG: JSON.stringify(Object.fromEntries(request.getConfigMap().toObject())),
        PULUMI_CONFIG_SECRET_KEYS: JSON.stringify(request.getConfigsecretkeysList()),
    };
}

class Host {
    constructor(private readonly language: Language, private readonly engine: string) {}

    async run(call: ServerUnaryCall<language.RunRequest, unknown>, answer: sendUnaryData<language.RunResponse>) {
        const response = new language.RunResponse();
        try {
            await this.runProgram(call.request);
        } catch (error) {
            response.setError(error instanceof Error ? error.message : `${error}`);
        }
        answer(null, response);
    }

    private async runProgram(request: language.RunRequest) {
        const { command, env } = await this.language(request, this.engine);
        const program = spawn(command[0], command.slice(1), {
            cwd: request.getInfo()?.getProgramDirectory(),
            env: { ...process.env, ...environment(request, this.engine), ...env },
            stdio: ["ignore", "pipe", "pipe"],
        });
        const said: string[] = [];
        for (const stream of [program.stdout, program.stderr]) {
            createInterface({ input: stream }).on("line", (line) => said.push(line));
        }
        const [code, signal] = await once(program, "close");
        if (code !== 0) throw new Error(`the program ended with ${code ?? signal}:\n${said.slice(-30).join("\n")}`);
    }

    getPluginInfo(_: unknown, answer: sendUnaryData<plugin.PluginInfo>) {
        const info = new plugin.PluginInfo();
        info.setVersion("1.0.0");
        answer(null, info);
    }

    handshake(_: unknown, answer: sendUnaryData<language.LanguageHandshakeResponse>) {
        answer(null, new language.LanguageHandshakeResponse());
    }

    /** None: the runner has installed the plugins. */
    getRequiredPackages(_: unknown, answer: sendUnaryData<language.GetRequiredPackagesResponse>) {
        answer(null, new language.GetRequiredPackagesResponse());
    }

    getRequiredPlugins(_: unknown, answer: sendUnaryData<language.GetRequiredPluginsResponse>) {
        answer(null, new language.GetRequiredPluginsResponse());
    }
}

async function main([name, ...args]: string[]) {
    const started = languages[name];
    if (!started) throw new Error(`there is no language host for ${name}`);
    const engine = args.filter((arg) => !arg.startsWith("-")).at(-1) ?? "";
    const host = new Host(started, engine);
    const server = new Server();
    const { LanguageRuntimeService: methods } = languageService as any;
    const handlers = Object.keys(methods).filter((method) => method in host);
    const bound = handlers.map((method) => [method, (host as any)[method].bind(host)]);
    server.addService(methods, Object.fromEntries(bound));
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, port) => {
        if (error) throw error;
        process.stdout.write(`${port}\n`);
    });
}

void main(process.argv.slice(2));
