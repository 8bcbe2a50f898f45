// The code blocks of a text in Markdown.

export interface CodeBlock {
    /** What stands behind the fence: `ts`, and so on; nothing at all if there is nothing. */
    language: string;
    /** The heading above it. */
    title: string;
    /** The line of its first line of code in the text; the first line of all is 1. */
    line: number;
    code: string;
}

interface Open extends CodeBlock {
    fence: string;
    indent: number;
    lines: string[];
}

export function codeBlocks(text: string): CodeBlock[] {
    const found: CodeBlock[] = [];
    let title = "";
    let open: Open | undefined;
    for (const [index, line] of text.split("\n").entries()) {
        const [, indent, fence, language] = /^( *)(`{3,}|~{3,})(.*)$/.exec(line) ?? [];
        if (open === undefined) {
            title = /^#+ (.*)/.exec(line)?.[1] ?? title;
            if (fence === undefined) continue;
            open = { language: language.trim(), title, line: index + 2, code: "", fence, indent: indent.length, lines: [] };
        } else if (fence?.startsWith(open.fence) && language.trim() === "") {
            found.push({ language: open.language, title: open.title, line: open.line, code: open.lines.join("\n") });
            open = undefined;
        } else {
            open.lines.push(line.slice(Math.min(open.indent, line.search(/\S|$/))));
        }
    }
    if (open !== undefined) throw new Error(`the code that begins in line ${open.line} does not end`);
    return found;
}

/** The text without its code blocks, line by line as before. */
export function prose(text: string): string[] {
    const lines = text.split("\n");
    for (const { line, code } of codeBlocks(text)) lines.fill("", line - 2, line + code.split("\n").length);
    return lines;
}
