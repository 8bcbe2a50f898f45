// The provider's settings, as the schema has them.

import { schema } from "./texts";

type Type = { type?: string; $ref?: string; additionalProperties?: Type };

const variables: Record<string, Type> = schema.config.variables;

/** What is wrong with a setting, by the path to it. Without a value, only the path is looked at. */
export function settingProblem([name, ...members]: string[], value?: unknown): string | undefined {
    const known = variables[name];
    if (known === undefined) return `the provider has no setting ${name}; it has ${Object.keys(variables).join(", ")}`;
    return typeProblem(name, known, members.reduceRight<unknown>((inner, member) => ({ [member]: inner }), value));
}

function typeProblem(name: string, type: Type, value: unknown): string | undefined {
    // One that is asked for when the command runs, and one that is encrypted.
    if (value === undefined || (typeof value === "object" && value !== null && "secure" in value)) return undefined;
    if (type.$ref) return definitionProblem(name, schema.types[type.$ref.replace("#/types/", "")], value);
    if (type.additionalProperties) return isObject(parsed(value)) ? undefined : `${name} is an object, not ${value}`;
    switch (type.type) {
        case "boolean":
            return ["true", "false"].includes(String(value)) ? undefined : `${name} is true or false, not ${value}`;
        case "integer":
            return Number.isInteger(Number(value)) ? undefined : `${name} is a whole number, not ${value}`;
        case "number":
            return Number.isFinite(Number(value)) ? undefined : `${name} is a number, not ${value}`;
        default:
            return typeof value === "object" ? `${name} is a text, not an object` : undefined;
    }
}

function definitionProblem(name: string, definition: any, value: unknown): string | undefined {
    if (definition.enum) {
        const choices = definition.enum.map((choice: { value: string }) => choice.value);
        return choices.includes(value) ? undefined : `${name} is one of ${choices.join(", ")}, not ${value}`;
    }
    const object = parsed(value);
    if (!isObject(object)) return `${name} is an object, not ${value}`;
    for (const [member, inner] of Object.entries(object)) {
        const known = definition.properties[member];
        if (known === undefined) return `${name} has no ${member}; it has ${Object.keys(definition.properties).join(", ")}`;
        const problem = typeProblem(`${name}.${member}`, known, inner);
        if (problem) return problem;
    }
    return undefined;
}

/** On the command line, an object is JSON. */
function parsed(value: unknown): unknown {
    if (typeof value !== "string") return value;
    try {
        return JSON.parse(value);
    } catch {
        return undefined;
    }
}

const isObject = (value: unknown): value is object => typeof value === "object" && value !== null && !Array.isArray(value);
