// The programs in Go compile: against our SDK as it is generated, and declarations of what they use of Pulumi's for AWS.

import * as assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import * as fs from "node:fs/promises";
import * as os from "node:os";
import * as path from "node:path";
import { test } from "node:test";
import { goWorkspace } from "../support/go";
import { root } from "../support/sandbox";
import { Code, exampleCode, guideCode } from "./texts";

test("programs in Go compile, and are formatted", async () => {
    const programs = [...guideCode, ...exampleCode].filter(({ language }) => language === "go");
    const home = await fs.mkdtemp(path.join(os.tmpdir(), "lambda-rollout-docs-"));
    try {
        const module = path.join(home, "programs");
        await fs.mkdir(module);
        await goWorkspace(home, "programs");
        // What a program needs, it says by its example that is run.
        const needs = await fs.readFile(path.join(root, "examples/one-line-go/go.mod"), "utf8");
        await fs.writeFile(path.join(module, "go.mod"), needs);
        for (const [index, { place, line, code }] of programs.entries()) {
            const folder = path.join(module, `program${index}`);
            await fs.mkdir(folder);
            // Problems are told by where the code stands, not by this file.
            const [clause, ...rest] = code.split("\n");
            await fs.writeFile(path.join(folder, "main.go"), `${clause}\n//line ${place}:${line + 1}\n${rest.join("\n")}\n`);
        }
        const problems = [...vet(module), ...programs.filter(isUnformatted).map(({ place, line }) =>
            `${place}:${line}: gofmt would format it otherwise`)];
        assert.equal(problems.length, 0, problems.join("\n"));
    } finally {
        await fs.rm(home, { recursive: true, force: true });
    }
});

/** What `go vet` complains about. */
function vet(module: string): string[] {
    const { status, error, stderr } = spawnSync("go", ["vet", "./..."], { cwd: module, encoding: "utf8" });
    if (error) throw error;
    const lines = stderr.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
    return status === 0 ? [] : [`go vet ended with ${status}`, ...lines.map((line) => line.replace(/program\d+\//, ""))];
}

function isUnformatted({ code }: Code): boolean {
    const { error, stdout } = spawnSync("gofmt", [], { input: code, encoding: "utf8" });
    if (error) throw error;
    return stdout.trimEnd() !== code.trimEnd();
}
