// The TypeScript in the guides is checked against the real declarations of @pulumi/aws and of our SDK; what is SST's, against
// declarations of our own.

import * as fs from "node:fs";
import * as path from "node:path";
import { test } from "node:test";
import * as ts from "typescript";
import { given, sections } from "../support/guides";
import { root } from "../support/sandbox";

const options: ts.CompilerOptions = {
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.Node16,
    moduleResolution: ts.ModuleResolutionKind.Node16,
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    types: ["node"],
};

const sst = ["tests/examples/sst/config.d.ts", "tests/support/sst.d.ts"].map((file) => path.join(root, file));

/** One file for each section, named after the guide, with its code at the guide's own lines. */
function files(): Map<string, string> {
    const files = new Map<string, string>();
    for (const guide of fs.readdirSync(path.join(root, "docs")).filter((name) => name.endsWith(".md"))) {
        for (const [index, { code }] of sections(guide).entries()) {
            // A blank line stands before each block, and the fence, so that there is room for one line.
            const head = /^import /m.test(code) || guide === "sst.md" ? "export {};" : given.replaceAll("\n", " ");
            files.set(path.join(root, "docs", `${guide}.${index}.ts`), code.replace("\n", `${head}\n`));
        }
    }
    return files;
}

function problems(files: Map<string, string>): string[] {
    const host = ts.createCompilerHost(options);
    const { getSourceFile, fileExists, readFile } = host;
    host.fileExists = (name) => files.has(name) || fileExists(name);
    host.readFile = (name) => files.get(name) ?? readFile(name);
    host.getSourceFile = (name, version, ...rest) => {
        const text = files.get(name);
        return text === undefined ? getSourceFile(name, version, ...rest) : ts.createSourceFile(name, text, version);
    };
    const program = ts.createProgram([...files.keys(), ...sst], options, host);
    return ts.getPreEmitDiagnostics(program).map(({ file, start, messageText }) => {
        const guide = file && path.relative(root, file.fileName).replace(/\.\d+\.ts$/, "");
        const line = file && file.getLineAndCharacterOfPosition(start ?? 0).line + 1;
        return `${guide}:${line}: ${ts.flattenDiagnosticMessageText(messageText, "\n")}`;
    });
}

test("the code in the guides is right by its types", () => {
    const found = problems(files());
    if (found.length > 0) throw new Error(found.join("\n"));
});
