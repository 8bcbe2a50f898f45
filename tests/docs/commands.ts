// Commands that the texts give: `make`, and settings of the provider in `pulumi config set` and in a stack's file.

import * as fs from "node:fs";
import * as path from "node:path";
import { codeBlocks, prose } from "../support/markdown";
import { root } from "../support/sandbox";
import { markdownFiles, read } from "./texts";
import { settingProblem } from "./settings";

interface Command {
    place: string;
    text: string;
}

const shell = new Set(["", "sh", "bash", "shell", "console"]);

/** The lines of blocks for a shell, and what stands in the text as code. */
function commands(file: string): Command[] {
    const text = read(file);
    const blocks = codeBlocks(text).filter(({ language }) => shell.has(language)).flatMap(({ line, code }) =>
        joined(code).map((text, index) => ({ place: `${file}:${line + index}`, text })));
    const inline = prose(text).flatMap((line, index) =>
        [...line.matchAll(/`([^`]+)`/g)].map(([, text]) => ({ place: `${file}:${index + 1}`, text })));
    return [...blocks, ...inline];
}

/** Lines, of which one that goes on in the next has all. */
function joined(code: string): string[] {
    const lines = code.split("\n");
    return lines.map((line, index) => {
        let [whole, next] = [line, index];
        while (whole.endsWith("\\") && next + 1 < lines.length) whole = `${whole.slice(0, -1)}${lines[++next]}`;
        return whole;
    });
}

const targets = new Set([...read("Makefile").matchAll(/^([a-z][a-z-]*):/gm)].map(([, target]) => target));

function makeProblems({ place, text }: Command): string[] {
    return [...text.matchAll(/(?:^|&&|\|\||;)\s*(?:\$ )?(?:\w+=\S+ )*make((?: +[^\s#&|;]+)*)/g)].flatMap(([, given]) => {
        const words = given.trim().split(/ +/).filter((word) => word !== "" && !word.startsWith("-"));
        const wrong = words.filter((word) => !word.includes("=") && !targets.has(word));
        const name = /\bNAME=([\w-]+)/.exec(given)?.[1];
        return [
            ...wrong.map((word) => `${place}: the Makefile has no target ${word}`),
            ...(name && !fs.existsSync(path.join(root, "examples", name)) ? [`${place}: there is no example ${name}`] : []),
        ];
    });
}

/** Whether the provider has the setting, and takes the value. */
function configProblems({ place, text }: Command): string[] {
    return [...text.matchAll(/pulumi config set\b(.*?)(?:$|&&|;)/g)].flatMap(([, given]) => {
        const words = [...given.matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g)].map((word) => word[1] ?? word[2] ?? word[3]);
        const [key, value] = words.filter((word) => !word.startsWith("--"));
        const setting = /^lambda-rollout:(.*)$/.exec(key ?? "")?.[1];
        if (setting === undefined) return [];
        const problem = settingProblem(setting.split("."), value);
        return problem ? [`${place}: ${problem}`] : [];
    });
}

/** What no shell would find. */
function scriptProblems({ place, text }: Command): string[] {
    const scripts = [...text.matchAll(/(?:^|[\s"'(])((?:tools|tests|hooks|bench|sandbox)\/[\w./-]+\.(?:sh|py|js|mjs))\b/g)];
    const wrong = scripts.filter(([, script]) => !fs.existsSync(path.join(root, script)));
    return wrong.map(([, script]) => `${place}: there is no ${script}`);
}

export function commandProblems(): string[] {
    return markdownFiles().flatMap(commands).flatMap((command) => [
        ...makeProblems(command), ...configProblems(command), ...scriptProblems(command),
    ]);
}
