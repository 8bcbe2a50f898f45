// Pulumi's CLI with a home of its own: the plugins under test, the language hosts, and a state in a folder.

import { spawn } from "node:child_process";
import * as fs from "node:fs/promises";
import * as path from "node:path";
import { root } from "../support/sandbox";

const plugins = { aws: "7.48.0", "lambda-rollout": "0.1.0" };
const languages = ["nodejs", "go", "python", "yaml"];

export class Cli {
    private constructor(
        private readonly folder: string,
        private readonly env: Record<string, string>,
        private readonly onOutput: (text: string) => void,
    ) {}

    /** `home` is for everything that the CLI keeps, `folder` has the project. */
    static async prepare(
        home: string,
        folder: string,
        sandbox: Record<string, string>,
        onOutput: (text: string) => void,
    ): Promise<Cli> {
        for (const [name, version] of Object.entries(plugins)) await install(home, name, version);
        for (const language of languages) await installHost(home, language);
        await fs.mkdir(path.join(home, "state"));
        const env = {
            ...sandbox,
            PULUMI_HOME: home,
            PULUMI_BACKEND_URL: `file://${path.join(home, "state")}`,
            PULUMI_CONFIG_PASSPHRASE: "correct horse",
            PULUMI_SKIP_UPDATE_CHECK: "true",
            PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
        };
        return new Cli(folder, env, onOutput);
    }

    /** What the command prints on standard output. What it prints at all goes to whoever looks on. */
    async run(...args: string[]): Promise<string> {
        this.onOutput(`\n$ pulumi ${args.join(" ")}\n`);
        const child = spawn("pulumi", [...args, "--non-interactive"], {
            cwd: this.folder,
            env: { ...process.env, ...this.env },
            stdio: ["ignore", "pipe", "pipe"],
        });
        let stdout = "";
        child.stdout.setEncoding("utf8").on("data", (text: string) => {
            stdout += text;
            this.onOutput(text);
        });
        child.stderr.setEncoding("utf8").on("data", this.onOutput);
        const code = await new Promise((resolve, reject) => {
            child.once("error", reject);
            child.once("close", resolve);
        });
        if (code !== 0) throw new Error(`pulumi ${args.join(" ")} ended with ${code}`);
        return stdout;
    }

    async outputs(): Promise<Record<string, unknown>> {
        return JSON.parse(await this.run("stack", "output", "--json"));
    }
}

/** What `pulumi plugin install` would leave behind. */
async function install(home: string, name: string, version: string) {
    const folder = path.join(home, "plugins", `resource-${name}-v${version}`);
    const binary = `pulumi-resource-${name}`;
    await fs.mkdir(folder, { recursive: true });
    await fs.symlink(path.join(root, "target/debug", binary), path.join(folder, binary));
}

async function installHost(home: string, language: string) {
    const folder = path.join(home, "plugins", `language-${language}-v1.0.0`);
    await fs.mkdir(folder, { recursive: true });
    const script = `#!/bin/sh\nexec "${process.execPath}" "${path.join(__dirname, "host.js")}" ${language} "$@"\n`;
    await fs.writeFile(path.join(folder, `pulumi-language-${language}`), script, { mode: 0o755 });
}
