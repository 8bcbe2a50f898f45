// The links in Markdown, as GitHub follows them: each file exists, and each heading.

import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { test } from "node:test";
import { root } from "../support/sandbox";

function files(): string[] {
    const listed = ["ls-files", "--cached", "--others", "--exclude-standard", "*.md"];
    const names = execFileSync("git", listed, { cwd: root, encoding: "utf8" }).trim().split("\n");
    return names.filter((name) => fs.existsSync(path.join(root, name)));
}

/** The text without its code, line by line. */
function prose(file: string): string[] {
    const text = fs.readFileSync(path.join(root, file), "utf8");
    return text.replace(/^ *(```+)[^`].*?^ *\1$/gms, (code) => code.replace(/.*/g, "")).split("\n");
}

function anchors(file: string): Set<string> {
    const found = new Set<string>();
    for (const line of prose(file)) {
        const title = /^#+ (.*)/.exec(line)?.[1];
        if (title === undefined) continue;
        const slug = title.toLowerCase().replace(/[^\p{L}\p{N}\s_-]/gu, "").replaceAll(" ", "-");
        let name = slug;
        for (let number = 1; found.has(name); number += 1) name = `${slug}-${number}`;
        found.add(name);
    }
    return found;
}

/** What is wrong with a link, if anything is. Other sites are not asked. */
function fault(file: string, link: string): string | undefined {
    if (/^[a-z]+:/.test(link)) return undefined;
    const [target, anchor] = link.split("#");
    // Pulumi's Registry links a page as a folder.
    const page = target.replace(/^\.\/([a-z-]+)\/$/, "$1.md");
    const name = target === "" ? file : path.join(path.dirname(file), page);
    if (!fs.existsSync(path.join(root, name))) return `there is no ${name}`;
    if (!anchor || anchors(name).has(anchor)) return undefined;
    return `${name} has no heading for "${anchor}"`;
}

test("every link in Markdown leads somewhere", () => {
    const faults = files().flatMap((file) =>
        prose(file).flatMap((line, number) =>
            [...line.replace(/`[^`]*`/g, "").matchAll(/\]\(([^()\s]+)[^()]*\)/g)].flatMap(([, link]) => {
                const found = fault(file, link);
                return found === undefined ? [] : [`${file}:${number + 1}: ${link}: ${found}`];
            }),
        ),
    );
    if (faults.length > 0) throw new Error(faults.join("\n"));
});
