// mdBook's preprocessor: makes of each page in docs/ what mdBook understands.
//
// The same files are read on GitHub and in Pulumi's Registry. The Registry's pages have front matter, and show code by
// language with shortcodes; links that leave docs/ work on GitHub only; and the Registry calls its first page `_index`.

import * as fs from "node:fs";
import * as path from "node:path";

interface Chapter {
    name: string;
    content: string;
    path: string | null;
    source_path: string | null;
    sub_items: Item[];
}

type Item = { Chapter: Chapter } | { PartTitle: string } | "Separator";

interface Context {
    root: string;
    config: { book: { src: string }; output: { html: { "git-repository-url": string } } };
}

const languages: Record<string, string> = {
    typescript: "TypeScript",
    javascript: "JavaScript",
    python: "Python",
    go: "Go",
    yaml: "YAML",
};

function main() {
    // `prepare supports RENDERER` asks whether the renderer is one for us. All are.
    if (process.argv[2] === "supports") return;
    const [context, book]: [Context, { items: Item[] }] = JSON.parse(fs.readFileSync(0, "utf8"));
    const chapters = chaptersOf(book.items);
    allAreIn(chapters, context);
    for (const chapter of chapters) {
        const named = (what: string) => new Error(`${context.config.book.src}/${chapter.source_path}: ${what}`);
        const page = path.basename(chapter.source_path ?? "", ".md");
        chapter.content = prepare(chapter.content, new Choosers(page), context, named);
        if (chapter.path === "_index.md") chapter.path = "index.md";
    }
    process.stdout.write(JSON.stringify(book));
}

function chaptersOf(items: Item[]): Chapter[] {
    return items.flatMap((item) =>
        typeof item === "object" && "Chapter" in item ? [item.Chapter, ...chaptersOf(item.Chapter.sub_items)] : [],
    );
}

/** A page that the summary forgot would be nowhere in the book. */
function allAreIn(chapters: Chapter[], { root, config }: Context) {
    const known = ["SUMMARY.md", ...chapters.map((chapter) => chapter.source_path)];
    const pages = fs.readdirSync(path.join(root, config.book.src)).filter((name) => name.endsWith(".md"));
    const forgotten = pages.filter((name) => !known.includes(name));
    if (forgotten.length > 0) throw new Error(`${config.book.src}/SUMMARY.md lacks ${forgotten.join(", ")}`);
}

type Named = (what: string) => Error;

function prepare(text: string, choosers: Choosers, context: Context, named: Named): string {
    const lines = withTitle(text).split("\n");
    let fence: string | undefined;
    return lines
        .map((line) => {
            const mark = /^\s*(```+|~~~+)/.exec(line)?.[1];
            if (mark && (fence === undefined || mark.startsWith(fence))) fence = fence === undefined ? mark : undefined;
            if (mark || fence !== undefined) return line;
            const html = choosers.html(line);
            if (html === undefined && /\{\{[<%]/.test(line)) throw named(`the book has no such shortcode: ${line}`);
            return html ?? withLinks(line, context, named);
        })
        .join("\n");
}

/** Front matter goes; its title is the page's heading where the page has none. */
function withTitle(text: string): string {
    const [matter, fields] = /^---\n(.*?)\n---\n/s.exec(text) ?? [];
    if (matter === undefined) return text;
    const body = text.slice(matter.length);
    const title = /^title: *"?(.*?)"?$/m.exec(fields)?.[1];
    return title === undefined || /^\s*# /.test(body) ? body : `# ${title}\n${body}`;
}

/** The Registry's choosers as tabs that need no script: radio buttons, and what the chosen one shows. */
class Choosers {
    private number = 0;
    private tabs = 0;

    /** Buttons are named after the page as well, since all pages are printed as one. */
    constructor(private readonly page: string) {}

    /** What stands for a line with a shortcode, or nothing if the line has none that we know. */
    html(line: string): string | undefined {
        if (/^\s*\{\{< chooser .* >\}\}\s*$/.test(line)) {
            this.number += 1;
            this.tabs = 0;
            return '\n<div class="chooser">\n';
        }
        const language = /^\s*\{\{% choosable (?:language )?"?([a-z]+)[^%]*%\}\}\s*$/.exec(line)?.[1];
        if (language !== undefined) return this.tab(languages[language] ?? language);
        if (/^\s*\{\{[%<] \/choosable [%>]\}\}\s*$/.test(line)) return "\n</div>\n";
        if (/^\s*\{\{< \/chooser >\}\}\s*$/.test(line)) return "\n</div>\n";
        return undefined;
    }

    private tab(title: string): string {
        this.tabs += 1;
        const name = `${this.page}-chooser-${this.number}`;
        const id = `${name}-${this.tabs}`;
        const checked = this.tabs === 1 ? " checked" : "";
        // The first tag is alone on its line: Markdown takes it for a paragraph otherwise.
        return (
            `\n<input type="radio" name="${name}" id="${id}"${checked}>\n` +
            `<label for="${id}">${title}</label>\n<div class="choosable">\n`
        );
    }
}

/** Makes of every link in a line one for the book. */
function withLinks(line: string, context: Context, named: Named): string {
    const lead = (target: string) => destination(target, context, named);
    return line
        .replace(/\]\(([^()\s]+)((?:\s+"[^"]*")?)\)/g, (_, target, title) => `](${lead(target)}${title})`)
        .replace(/^(\s*\[[^\]]+\]:\s+)(\S+)/, (_, label, target) => `${label}${lead(target)}`);
}

/**
 * A page may be linked as a file beside this one, as the Registry knows it, or in the repository; each leads to the book's
 * own page. What is no page of the book is in the repository, or elsewhere on the Registry's site.
 */
function destination(target: string, context: Context, named: Named): string {
    const { root, config } = context;
    const repository = config.output.html["git-repository-url"];
    const [place, hash] = target.split(/(?=#)/, 2);
    const anchor = hash ?? "";

    const registered = /^(?:\.|\/registry\/packages\/lambda-rollout)\/(?:([a-z-]+)\/)?$/.exec(place);
    if (registered) return `${registered[1] ?? "index"}.md${anchor}`;
    if (place.startsWith("/")) return `https://www.pulumi.com${target}`;

    const inRepository = place.startsWith(repository) ? /^\/(?:blob|tree)\/main\/(.*)$/.exec(place.slice(repository.length)) : null;
    if (!inRepository && !place.startsWith("../")) return target.replace(/^_(?=index\.md)/, "");
    const file = path.posix.normalize(inRepository?.[1] ?? path.posix.join(config.book.src, place)).replace(/\/$/, "");
    const page = path.posix.relative(config.book.src, file);
    if (/^_?[a-z][a-z-]*\.md$/.test(page)) return `${page.replace(/^_/, "")}${anchor}`;
    const found = fs.statSync(path.join(root, file), { throwIfNoEntry: false });
    if (!found) throw named(`the link to ${target} leads nowhere`);
    return `${repository}/${found.isDirectory() ? "tree" : "blob"}/main/${file}${anchor}`;
}

try {
    main();
} catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exit(1);
}
