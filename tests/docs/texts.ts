// What people read: the guides, the READMEs, and the descriptions in the schema.

import * as fs from "node:fs";
import * as path from "node:path";
import { CodeBlock, codeBlocks } from "../support/markdown";
import { root } from "../support/sandbox";

/** Code, and where it stands. */
export interface Code extends CodeBlock {
    /** A file and, in the schema, what is described. */
    place: string;
}

export const schema = JSON.parse(fs.readFileSync(path.join(root, "schema.json"), "utf8"));

export const read = (file: string) => fs.readFileSync(path.join(root, file), "utf8");

const elsewhere = new Set(["node_modules", "target", "build", "dist", "venv"]);

/** Every file in Markdown, by its path from the root. */
export function markdownFiles(folder = "."): string[] {
    return fs.readdirSync(path.join(root, folder), { withFileTypes: true }).flatMap((entry) => {
        const file = path.join(folder, entry.name);
        if (entry.name.startsWith(".") || elsewhere.has(entry.name)) return [];
        if (entry.isDirectory()) return markdownFiles(file);
        return entry.name.endsWith(".md") ? [file] : [];
    });
}

/** The texts whose programs are checked here. Other READMEs have tests of their own, beside what they are about. */
export const guides = markdownFiles().filter((file) => file === "README.md" || file.startsWith(`docs${path.sep}`));

export const guideCode: Code[] = guides.flatMap((place) =>
    codeBlocks(read(place)).map((block) => ({ ...block, place })));

export interface Example {
    /** What it is an example of, and its title. */
    place: string;
    blocks: Code[];
}

/** The examples of the schema, in Pulumi's format for them. */
export const examples: Example[] = Object.entries<{ description: string }>({ ...schema.resources, ...schema.functions })
    .flatMap(([token, { description }]) => {
        const texts = [...description.matchAll(/^\{\{% example %\}\}\n(.*?)^\{\{% \/example %\}\}$/gms)];
        if (texts.length === 0) throw new Error(`schema.json: ${token} has no example`);
        return texts.map(([, text]) => {
            const title = /^### (.*)$/m.exec(text)?.[1];
            const place = `schema.json, ${token.split(":").pop()}, "${title}"`;
            return { place, blocks: codeBlocks(text).map((block) => ({ ...block, place })) };
        });
    });

export const exampleCode: Code[] = examples.flatMap(({ blocks }) => blocks);
