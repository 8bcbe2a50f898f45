// The policies in docs/permissions.md, as a reader would copy them.

import * as fs from "node:fs";
import * as path from "node:path";
import { root } from "./sandbox";

/** One action on one resource, out of a documented policy. */
export interface Grant {
    /** The heading that it stands under. */
    title: string;
    sid: string;
    statement: { Effect: string; Action: string; Resource: string; Condition?: unknown };
}

/** What the guide tells to put in place of its capitals. */
export type Names = Record<string, string>;

/** The policy under each heading of the guide, or the statements that the heading adds to another policy. */
export function policies(): Map<string, any[]> {
    const found = new Map<string, any[]>();
    const guide = fs.readFileSync(path.join(root, "docs/permissions.md"), "utf8");
    for (const section of guide.split(/^#+ /m)) {
        const title = section.split("\n", 1)[0];
        const statements = [...section.matchAll(/^```json\n(.*?)^```/gms)].flatMap(([, text]) => {
            const policy = JSON.parse(text);
            return policy.Statement ?? policy;
        });
        if (statements.length > 0) found.set(title, statements);
    }
    return found;
}

export function grants(title: string, names: Names): Grant[] {
    const statements = policies().get(title);
    if (!statements) throw new Error(`docs/permissions.md has no policy under "${title}"`);
    return statements.flatMap(({ Sid, Effect, Action, Resource, Condition }) =>
        [Action].flat().flatMap((action: string) =>
            [Resource].flat().map((resource: string) => ({
                title,
                sid: Sid,
                statement: { Effect, Action: action, Resource: filled(resource, names), ...(Condition && { Condition }) },
            })),
        ),
    );
}

export function filled(resource: string, names: Names): string {
    return resource.replace(/\b[A-Z_]{4,}\b/g, (name) => {
        if (!(name in names)) throw new Error(`nobody said what ${name} in ${resource} is`);
        return names[name];
    });
}
