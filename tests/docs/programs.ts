// Every program of the guides and of the schema as one in TypeScript, whatever it is written in: one check for all.

import { execFileSync } from "node:child_process";
import * as path from "node:path";
import { typescript } from "../examples/yaml";
import { given, sectionsOf } from "../support/guides";
import { root } from "../support/sandbox";
import { settingProblem } from "./settings";
import { exampleCode, guideCode, guides } from "./texts";
import { Program } from "./typescript";

const yaml = require("js-yaml");

/** CloudFormation's tags, such as `!Ref`. */
const anyTag = ["scalar", "sequence", "mapping"].map((kind) => new yaml.Type("!", { kind, multi: true }));
const yamlSchema = yaml.DEFAULT_SCHEMA.extend(anyTag);

/** The programs, and what is wrong with those that are none. */
export interface Found {
    programs: Program[];
    problems: string[];
}

/** One program for each section of a guide: its blocks belong together. */
export function typescriptOfGuides(): Program[] {
    return guides.flatMap((place) => sectionsOf(place).map(({ code }) => {
        // A blank line stands before each block, and the fence, so that there is room for one line.
        const head = /^import /m.test(code) || place.endsWith("sst.md") ? "export {};" : assumed(code);
        return { place, code: code.replace("\n", `${head}\n`) };
    }));
}

/** What the guides take for granted, but for what the code declares itself. */
function assumed(code: string): string {
    const lines = given.trim().split("\n");
    return lines.filter((line) => !(line.startsWith("declare const fn") && /^const fn\b/m.test(code))).join(" ");
}

export function typescriptOfExamples(): Program[] {
    return exampleCode.filter(({ language }) => language === "typescript");
}

/** A document that has a `runtime`, or speaks of this package, is a program; one that has only `config` is a stack's. */
export function yamlPrograms(): Found {
    const found: Found = { programs: [], problems: [] };
    for (const { place, line, code, language } of [...guideCode, ...exampleCode]) {
        if (language !== "yaml") continue;
        const where = `${place}:${line}`;
        try {
            const document = yaml.load(code, { schema: yamlSchema });
            if (document.runtime === undefined && !code.includes("lambda-rollout:")) continue;
            if (Object.keys(document).join() === "config") {
                found.problems.push(...configProblems(document.config).map((problem) => `${where}: ${problem}`));
                continue;
            }
            if (!document.name || document.runtime !== "yaml") throw new Error("a program has a name, and runtime: yaml");
            found.programs.push({ place: where, code: typescript(document), translated: true });
        } catch (error) {
            found.problems.push(`${where}: ${(error as Error).message}`);
        }
    }
    return found;
}

/** What is wrong with the settings in a stack's file. */
function configProblems(config: Record<string, unknown>): string[] {
    return Object.entries(config).flatMap(([key, value]) => {
        const [name, setting] = key.split(":");
        return name === "lambda-rollout" ? (settingProblem([setting], value) ?? []) : [];
    });
}

/** Programs in Python are run without an engine; what they declare is the program in TypeScript. */
export function pythonPrograms(): Found {
    const blocks = [...guideCode, ...exampleCode].filter(({ language }) => language === "python");
    const input = JSON.stringify(blocks.map(({ place, line, code }) => ({ place: `${place}:${line}`, code })));
    const python = path.join(root, ".tools/examples/bin/python");
    // What it says on its standard error counts only if it fails itself.
    const options = { input, encoding: "utf8", stdio: "pipe" } as const;
    const output = execFileSync(python, [path.join(root, "tests/docs/declare.py")], options);
    const found: Found = { programs: [], problems: [] };
    for (const { place, problem, resources } of JSON.parse(output)) {
        if (problem) found.problems.push(`${place}: ${problem}`);
        else found.programs.push({ place, code: typescript({ resources }), translated: true });
    }
    return found;
}
