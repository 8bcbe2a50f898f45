// Checks the book: every link inside it leads to a page, and every anchor to a place on that page. `node links.js BOOK`

import * as fs from "node:fs";
import * as path from "node:path";

interface Page {
    /** What an anchor can lead to. */
    places: Set<string>;
    /** What the page links or shows. */
    links: string[];
}

function pages(book: string): Map<string, Page> {
    const names = fs.readdirSync(book, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".html"));
    return new Map(names.map((name) => [name, page(fs.readFileSync(path.join(book, name), "utf8"))]));
}

/** Only tags are looked at: code that shows HTML has its angle brackets escaped. */
function page(html: string): Page {
    const tags = html.replace(/<!--.*?-->|<(script|style)\b.*?<\/\1>/gs, "").match(/<[a-z][^>]*>/gi) ?? [];
    const values = (names: string) =>
        tags.flatMap((tag) => [...tag.matchAll(new RegExp(`\\s(?:${names})="([^"]*)"`, "g"))].map((found) => unescaped(found[1])));
    return { places: new Set(values("id|name")), links: values("href|src") };
}

function unescaped(text: string): string {
    return text.replaceAll("&quot;", '"').replaceAll("&#39;", "'").replaceAll("&lt;", "<").replaceAll("&amp;", "&");
}

/** What is wrong with a link, if anything is. Links to other sites are not followed. */
function fault(book: string, pages: Map<string, Page>, from: string, link: string): string | undefined {
    if (/^[a-z][a-z0-9+.-]*:|^\/\//i.test(link)) return undefined;
    const [target, anchor] = link.split("#", 2).map(decodeURIComponent);
    const name = target === "" ? from : path.join(target.startsWith("/") ? "." : path.dirname(from), target);
    if (!fs.existsSync(path.join(book, name))) return `there is no ${name}`;
    if (!anchor || pages.get(name)?.places.has(anchor)) return undefined;
    return `${name} has no place "${anchor}"`;
}

function main() {
    const book = process.argv[2];
    const all = pages(book);
    const count = [...all.values()].reduce((sum, page) => sum + page.links.length, 0);
    const faults = [...all].flatMap(([name, { links }]) =>
        [...new Set(links)].flatMap((link) => {
            const found = fault(book, all, name, link);
            return found === undefined ? [] : [`${name}: the link "${link}" is dead: ${found}`];
        }),
    );
    if (count === 0) faults.push(`${book} has no links at all: is that the book?`);
    if (faults.length > 0) {
        console.error(faults.join("\n"));
        process.exit(1);
    }
    console.log(`${all.size} pages, ${count} links: none is dead`);
}

main();
