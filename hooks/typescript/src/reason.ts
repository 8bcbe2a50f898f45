// An error in words, for the people who read why a rollout failed.

import { inspect, types } from "node:util";

/** How many causes of causes are told; an error may be its own. */
const DEPTH = 5;

/** The message of an error and of what caused it: `TypeError: fetch failed: connect ECONNREFUSED`. */
export function reasonOf(error: unknown, depth = DEPTH): string {
    if (!isError(error)) return typeof error === "string" ? error : inspect(error);
    const { name, cause, code } = error as NodeJS.ErrnoException & { cause?: unknown };
    const words = String(error.message || code || "");
    const named = name === "Error" && words ? words : [name, words].filter(Boolean).join(": ");
    return cause === undefined || depth === 0 ? named : `${named}: ${reasonOf(cause, depth - 1)}`;
}

export function stackOf(error: unknown): string | undefined {
    return isError(error) ? error.stack : undefined;
}

/** An error of another realm, as test runners make them, is one, too. */
function isError(error: unknown): error is Error {
    return error instanceof Error || types.isNativeError(error);
}
