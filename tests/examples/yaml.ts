// From a program in YAML to one in TypeScript that means the same, with the real SDKs' types. As much of the language
// as the example uses.

import * as fs from "node:fs/promises";
import * as path from "node:path";

const { load } = require("js-yaml") as { load(text: string): any };

/** Where a package's resources are in TypeScript. */
const packages: Record<string, string> = { aws: "aws", "lambda-rollout": "lambdaRollout" };

const head = `import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import * as lambdaRollout from "pulumi-lambda-rollout";
`;

/** Puts the translation beside the folder's Pulumi.yaml. */
export async function translate(folder: string): Promise<void> {
    const program = load(await fs.readFile(path.join(folder, "Pulumi.yaml"), "utf8"));
    await fs.writeFile(path.join(folder, "index.ts"), typescript(program));
    await fs.writeFile(path.join(folder, "package.json"), JSON.stringify({ private: true, main: "index.ts" }));
}

export function typescript(program: any): string {
    const resources = Object.entries<any>(program.resources).map(
        ([name, { type, properties, ...rest }]) => {
            refuse(rest, name);
            const made = `new ${constructor(type)}(${JSON.stringify(name)}, ${expression(properties ?? {})})`;
            return `const $${name} = ${made};`;
        },
    );
    const outputs = Object.entries(program.outputs ?? {}).map(
        ([name, value]) => `export const ${name} = ${expression(value)};`,
    );
    return [head, ...resources, ...outputs, ""].join("\n");
}

/** `aws:lambda:Function` is `aws.lambda.Function`. */
function constructor(type: string): string {
    const [name, ...rest] = type.split(":");
    const known = packages[name];
    if (!known) throw new Error(`the translation knows no package ${name}`);
    return [known, ...rest].join(".");
}

function expression(value: any): string {
    if (typeof value === "string") return text(value);
    if (Array.isArray(value)) return `[${value.map(expression).join(", ")}]`;
    if (value === null || typeof value !== "object") return JSON.stringify(value);
    const entries = Object.entries<any>(value);
    const [[name, argument]] = entries.length > 0 ? entries : [["", undefined]];
    if (name.startsWith("fn::")) return call(name, argument);
    return `{ ${entries.map(([key, member]) => `${JSON.stringify(key)}: ${expression(member)}`).join(", ")} }`;
}

function call(name: string, argument: any): string {
    switch (name) {
        case "fn::toJSON":
            return `pulumi.jsonStringify(${expression(argument)})`;
        case "fn::fileArchive":
            return `new pulumi.asset.FileArchive(${expression(argument)})`;
        default:
            throw new Error(`the translation knows no ${name}`);
    }
}

/** `${a.b}` is a value, whatever its type; within other text it is text. */
function text(value: string): string {
    const whole = /^\$\{([\w.]+)\}$/.exec(value)?.[1];
    if (whole) return `$${whole}`;
    if (!value.includes("${")) return JSON.stringify(value);
    const escaped = value.replace(/[`\\]/g, "\\$&");
    return `pulumi.interpolate\`${escaped.replace(/\$\{([\w.]+)\}/g, (_, reference) => `\${$${reference}}`)}\``;
}

function refuse(rest: object, name: string) {
    const unknown = Object.keys(rest);
    if (unknown.length > 0) throw new Error(`the translation does not know ${unknown.join(", ")} of ${name}`);
}
