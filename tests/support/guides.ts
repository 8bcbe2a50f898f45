// The TypeScript in the guides, as a reader would copy it.

import * as fs from "node:fs";
import * as path from "node:path";
import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import * as lambdaRollout from "pulumi-lambda-rollout";
import * as ts from "typescript";
import { codeBlocks } from "./markdown";
import { root } from "./sandbox";

/** What a guide takes for granted: these imports, and a function `fn`. */
export const given = `
import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import * as lambdaRollout from "pulumi-lambda-rollout";
declare const fn: aws.lambda.Function;
`;

export interface Section {
    /** The heading above the code. */
    title: string;
    /** All code under that heading, at the lines where it stands in the guide. */
    code: string;
}

/** The sections of `docs/NAME` that have code. */
export function sections(name: string): Section[] {
    return sectionsOf(path.join("docs", name));
}

/** The sections of a file that have code. Only blocks that are marked `ts` and nothing else are meant. */
export function sectionsOf(file: string): Section[] {
    const found: { title: string; lines: string[] }[] = [];
    for (const { language, title, line, code } of codeBlocks(fs.readFileSync(path.join(root, file), "utf8"))) {
        if (language !== "ts") continue;
        let section = found.at(-1);
        if (section?.title !== title) found.push((section = { title, lines: [] }));
        while (section.lines.length < line - 1) section.lines.push("");
        section.lines.push(...code.split("\n"));
    }
    return found.map(({ title, lines }) => ({ title, code: lines.join("\n") }));
}

/** The code of one section as a function: it is given `fn`, and answers what the expression says. */
export function program<T>(guide: string, title: string, expression: string): (fn?: aws.lambda.Function) => T {
    const section = sections(guide).find((section) => section.title === title);
    if (!section) throw new Error(`docs/${guide} has no code under "${title}"`);
    const { outputText } = ts.transpileModule(`${section.code}\nreturn ${expression};`, {
        compilerOptions: { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext },
    });
    const body = new Function("aws", "pulumi", "lambdaRollout", "fn", outputText);
    return (fn) => body(aws, pulumi, lambdaRollout, fn);
}
