// From a program in YAML to one in TypeScript that means the same, with the real SDKs' types. As much of the language
// as the examples and the guides use.

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
    const { name, runtime, description, config, variables, resources, outputs, ...rest } = program;
    refuse(rest, "the program");
    return [
        head,
        ...Object.entries<any>(config ?? {}).map(([key, { type }]) => `const $${key} = ${setting(key, type)};`),
        ...Object.entries<any>(variables ?? {}).map(([key, value]) => `const $${key} = ${expression(value)};`),
        ...Object.entries<any>(resources ?? {}).map(([key, value]) => `const $${key} = ${resource(key, value)};`),
        ...Object.entries<any>(outputs ?? {}).map(([key, value]) => `export const ${key} = ${expression(value)};`),
        "",
    ].join("\n");
}

function setting(key: string, type: unknown): string {
    const getters: Record<string, string> = { string: "require", integer: "requireNumber", boolean: "requireBoolean" };
    const getter = getters[String(type)];
    if (!getter) throw new Error(`the translation knows no type ${type}, which config.${key} has`);
    return `new pulumi.Config().${getter}(${JSON.stringify(key)})`;
}

function resource(name: string, { type, properties, options, ...rest }: any): string {
    refuse(rest, name);
    const values = [JSON.stringify(name), expression(properties ?? {}), ...(options ? [expression(options)] : [])];
    return `new ${member(type)}(${values.join(", ")})`;
}

/** `aws:lambda:Function`, or `aws:lambda/function:Function`, is `aws.lambda.Function`; a module `index` is not named. */
function member(type: string): string {
    const [name, ...rest] = String(type).split(":");
    const known = packages[name];
    if (!known) throw new Error(`the translation knows no package ${name}, which is in "${type}"`);
    const modules = rest.slice(0, -1).map((module) => module.split("/")[0]).filter((module) => module !== "index");
    return [known, ...modules, ...rest.slice(-1)].join(".");
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
        case "fn::secret":
            return `pulumi.secret(${expression(argument)})`;
        case "fn::invoke":
            return invoke(argument);
        default:
            throw new Error(`the translation knows no ${name}`);
    }
}

function invoke({ function: type, arguments: given, return: chosen, ...rest }: any): string {
    refuse(rest, type);
    const answer = `${member(type)}Output(${expression(given ?? {})})`;
    return chosen ? `${answer}.${chosen}` : answer;
}

/** `${a.b}` and `${a.b[0]}` are values, whatever their type; within other text they are text. */
function text(value: string): string {
    const reference = String.raw`\$\{(\w+(?:\.\w+|\[\d+\])*)\}`;
    const whole = new RegExp(`^${reference}$`).exec(value)?.[1];
    if (whole) return `$${whole}`;
    if (!value.includes("${")) return JSON.stringify(value);
    const escaped = value.replace(/[`\\]/g, "\\$&");
    return `pulumi.interpolate\`${escaped.replace(new RegExp(reference, "g"), (_, name) => `\${$${name}}`)}\``;
}

function refuse(rest: object, name: string) {
    const unknown = Object.keys(rest);
    if (unknown.length > 0) throw new Error(`the translation does not know ${unknown.join(", ")} of ${name}`);
}
