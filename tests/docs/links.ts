// What the texts point at: other texts, their headings, files and folders of this repository.

import * as fs from "node:fs";
import * as path from "node:path";
import { codeBlocks, prose } from "../support/markdown";
import { root } from "../support/sandbox";
import { markdownFiles, read } from "./texts";

const exists = (file: string) => fs.existsSync(path.join(root, file));

/** Headings as addresses within the text, as GitHub makes them. */
function anchors(file: string): Set<string> {
    const found = new Set<string>();
    for (const line of prose(read(file))) {
        const heading = /^#+ +(.*?)(?: +#+)?$/.exec(line)?.[1];
        if (heading === undefined) continue;
        const words = heading.replace(/\[([^\]]*)\]\([^)]*\)/g, "$1").toLowerCase();
        const slug = words.replace(/[^\p{L}\p{N}\p{M} _-]/gu, "").replaceAll(" ", "-");
        let address = slug;
        for (let n = 1; found.has(address); n += 1) address = `${slug}-${n}`;
        found.add(address);
    }
    return found;
}

function linkProblems(file: string): string[] {
    return prose(read(file)).flatMap((line, index) => {
        const text = line.replace(/`[^`]*`/g, "code");
        const links = [...text.matchAll(/\]\(<?([^)\s>]+)[^)]*\)/g), ...text.matchAll(/^\[[^\]]+\]: *(\S+)/g)];
        return links.flatMap(([, link]) => {
            const problem = linkProblem(file, link);
            return problem ? [`${file}:${index + 1}: ${problem}`] : [];
        });
    });
}

function linkProblem(file: string, link: string): string | undefined {
    // Whether other hosts have what is linked is theirs to say.
    if (/^[a-z]+:/.test(link)) return undefined;
    const [target, anchor] = link.split("#");
    const meant = target === "" ? file : path.join(path.dirname(file), decodeURI(target));
    if (!exists(meant)) return `there is no ${meant}`;
    if (anchor && meant.endsWith(".md") && !anchors(meant).has(anchor)) return `${meant} has no heading #${anchor}`;
    return undefined;
}

/** Folders that a path in a text may begin with; in the code's own guide, also those of src. */
const folders = ["", "src"].flatMap((base) => fs.readdirSync(path.join(root, base), { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith(".") && entry.name !== "target")
    .map((entry) => ({ base, name: entry.name })));

/** A path in code within the text, such as `docs/sandbox.md`: as far as its first wildcard. */
function pathProblems(file: string): string[] {
    return prose(read(file)).flatMap((line, index) =>
        [...line.matchAll(/`([\w.-]+\/[\w./*-]*)`/g)].flatMap(([, text]) => {
            const bases = folders.filter(({ name }) => name === text.split("/")[0]).map(({ base }) => base);
            const isPath = /\/$|\*|\.(rs|ts|js|mjs|py|go|sh|md|json|toml|yaml)$/.test(text);
            if (!isPath || bases.length === 0) return [];
            const fixed = text.replace(/[^/]*\*.*$/, "");
            const found = [...bases, path.dirname(file)].some((base) => exists(path.join(base, fixed)));
            return found ? [] : [`${file}:${index + 1}: there is no ${text}`];
        }));
}

/** `src/main.rs    start, …`: a line of a tree of files. */
const treeLine = /^([\w.-]+\/[\w./-]*|[\w-]+\.(?:json|toml|md)) {2,}\S/;

/** A block that is such a tree and nothing else. */
function treeProblems(file: string): string[] {
    return codeBlocks(read(file)).flatMap(({ language, line, code }) => {
        const entries = code.split("\n").map((text) => treeLine.exec(text)?.[1]);
        if (language !== "" || entries.some((entry) => entry === undefined)) return [];
        return entries.flatMap((entry, index) =>
            exists(entry as string) ? [] : [`${file}:${line + index}: there is no ${entry}`]);
    });
}

export function referenceProblems(): string[] {
    return markdownFiles().flatMap((file) => [...linkProblems(file), ...pathProblems(file), ...treeProblems(file)]);
}
