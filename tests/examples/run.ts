// `make example NAME=…` and `make examples`: runs examples against a sandbox, and says what came of them.

import * as fs from "node:fs/promises";
import * as path from "node:path";
import { Sandbox, root } from "../support/sandbox";
import { runExample } from "./example";

/** How many run at the same time; more only wait for one another. */
const lanes = 4;

async function main(names: string[]) {
    const known = await available();
    const unknown = names.filter((name) => !known.includes(name));
    if (unknown.length > 0) throw new Error(`there is no example ${unknown.join(", ")}; there are ${known.join(", ")}`);
    const sandbox = await Sandbox.start();
    try {
        return await runAll(sandbox, names.length > 0 ? names : known);
    } finally {
        await sandbox.stop();
    }
}

/** A folder is an example. */
async function available(): Promise<string[]> {
    const folders = await fs.readdir(path.join(root, "examples"), { withFileTypes: true });
    return folders.filter((folder) => folder.isDirectory()).map((folder) => folder.name).sort();
}

async function runAll(sandbox: Sandbox, names: string[]): Promise<boolean> {
    const waiting = [...names];
    let failed = 0;
    const lane = async () => {
        for (let name = waiting.shift(); name; name = waiting.shift()) {
            if (!(await passes(sandbox, name, names.length === 1))) failed += 1;
        }
    };
    await Promise.all(Array.from({ length: lanes }, lane));
    // One that failed has had no chance to clean up.
    const left = failed === 0 ? await sandbox.leftovers() : [];
    if (left.length > 0) {
        failed += 1;
        say(`\x1b[31m✘ something is left behind: ${left.join(", ")}\x1b[0m`);
    }
    say(`examples: ${names.length - failed} passed, ${failed} failed`);
    return failed === 0;
}

/** Runs one example. What it prints is shown at once if it is the only one, and otherwise if it fails. */
async function passes(sandbox: Sandbox, name: string, loud: boolean): Promise<boolean> {
    const started = Date.now();
    let output = "";
    const onOutput = (text: string) => {
        if (loud) process.stdout.write(text);
        else output += text;
    };
    try {
        await runExample(sandbox, name, onOutput);
        say(`\x1b[32m✔ ${name}\x1b[0m (${Math.round((Date.now() - started) / 1000)} s)`);
        return true;
    } catch (error) {
        say(`${output}\x1b[31m✘ ${name}: ${error instanceof Error ? error.message : error}\x1b[0m`);
        return false;
    }
}

function say(text: string) {
    process.stdout.write(`${text}\n`);
}

main(process.argv.slice(2)).then(
    (passed) => process.exit(passed ? 0 : 1),
    (error) => {
        console.error(error instanceof Error ? error.message : error);
        process.exit(1);
    },
);
