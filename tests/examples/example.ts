// The life of one example: a first version, a second one that somebody edited, and the end. Nothing in its folder is
// changed but the line that a user would change: the release in the function's code.

import { execFile } from "node:child_process";
import * as fs from "node:fs/promises";
import * as os from "node:os";
import * as path from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { promisify } from "node:util";
import { goWorkspace } from "../support/go";
import { Sandbox, root } from "../support/sandbox";
import { Cli } from "./cli";
import { Target, targets } from "./targets";

export async function runExample(sandbox: Sandbox, name: string, onOutput: (text: string) => void): Promise<void> {
    if (name === "sst") return checkTypes(onOutput);
    const say = (text: string) => onOutput(`\n\x1b[36m── ${text}\x1b[0m\n`);
    const home = await fs.mkdtemp(path.join(os.tmpdir(), `lambda-rollout-${name}-`));
    try {
        const folder = await copy(name, home);
        const cli = await Cli.prepare(home, folder, sandbox.env, onOutput);
        await cli.run("stack", "init", "sandbox");

        say("A preview, and the first version");
        await cli.run("preview");
        await cli.run("up", "--yes", "--skip-preview");
        const found = targets(sandbox, await cli.outputs());
        await expect(found, 1);
        say(`${found.length} target(s) answer with release 1`);

        say("The code is edited: release 2");
        await edit(folder);
        const traffic = new Requests(found[0]);
        await cli.run("up", "--yes", "--skip-preview").finally(() => traffic.stop());
        say(`Meanwhile, ${await traffic.summary()}`);
        await expect(found, 2);
        say(`${found.length} target(s) answer with release 2`);

        say("No drift, and the end");
        await cli.run("refresh", "--yes", "--skip-preview", "--expect-no-changes");
        await cli.run("destroy", "--yes", "--skip-preview");
    } finally {
        await fs.rm(home, { recursive: true, force: true });
    }
}

/** SST brings its own engine and types, so its example is not run. Its types are checked, as are all others'. */
async function checkTypes(onOutput: (text: string) => void): Promise<void> {
    onOutput("Nothing is run: SST brings its own engine. Types are checked, against our own declarations of SST's.\n");
    const check = path.join(root, "tests/examples/check.sh");
    await promisify(execFile)(check, [path.join(__dirname, "yaml.js")]).catch(({ stdout, stderr }) => {
        throw new Error(`types are wrong:\n${stdout}${stderr}`);
    });
}

/** The example as somebody has it who copied it and installed its packages. */
async function copy(name: string, home: string): Promise<string> {
    const folder = path.join(home, name);
    await fs.cp(path.join(root, "examples", name), folder, { recursive: true });
    await fs.symlink(path.join(root, "node_modules"), path.join(folder, "node_modules"));
    await goWorkspace(home, name);
    return folder;
}

/** Turns release 1 into release 2 wherever the code says it. */
async function edit(folder: string): Promise<void> {
    let edited = 0;
    for (const entry of await fs.readdir(folder, { recursive: true, withFileTypes: true })) {
        const file = path.join(entry.parentPath, entry.name);
        if (!entry.isFile()) continue;
        const text = await fs.readFile(file, "utf8");
        if (!text.includes("release = 1")) continue;
        await fs.writeFile(file, text.replaceAll("release = 1", "release = 2"));
        edited += 1;
    }
    if (edited === 0) throw new Error("no file of the example says \"release = 1\"");
}

async function expect(found: Target[], release: number): Promise<void> {
    for (const target of found) {
        const answer = await target();
        if (answer !== release) throw new Error(`release ${answer} answers instead of release ${release}`);
    }
}

/** Somebody who uses the function all the time. A request that fails is a failure of the example. */
class Requests {
    private running = true;
    private readonly answers: number[] = [];
    private readonly done: Promise<void>;

    constructor(private readonly target: Target) {
        this.done = this.send();
        // Told in the summary.
        this.done.catch(() => undefined);
    }

    stop() {
        this.running = false;
    }

    async summary(): Promise<string> {
        await this.done;
        const count = (release: number) => this.answers.filter((answer) => answer === release).length;
        return `release 1 answered ${count(1)} requests and release 2 ${count(2)}; none failed`;
    }

    private async send() {
        while (this.running) {
            this.answers.push(await this.target());
            await pause(250);
        }
    }
}
