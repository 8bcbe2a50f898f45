// How the time that Lambda gives is shared out: for the lookup, the test, and the report.

/** Times at which each must be over, as `Date.now()` has them. */
export interface Limits {
    lookup: number;
    test: number;
    report: number;
}

/** Left after the report, to write down that it did not get through. */
const LAST_WORDS = 250;

/** Shares out what is left of the function's time: a fifth of it is kept for the report, and never more than five seconds. */
export function limitsOf(remaining: number, now = Date.now()): Limits {
    const reserve = Math.min(remaining / 2, Math.max(1_000, Math.min(remaining / 5, 5_000)));
    return {
        lookup: now + Math.min(5_000, remaining * 0.4),
        test: now + remaining - reserve,
        report: now + remaining - LAST_WORDS,
    };
}

export class OutOfTime extends Error {
    constructor(readonly seconds: number) {
        super(`no answer after ${seconds.toFixed(1)} s`);
    }
}

/** Runs something that must be over at a time; its signal is aborted if it is not. */
export async function within<T>(end: number, run: (signal: AbortSignal) => T): Promise<Awaited<T>> {
    const start = Date.now();
    const controller = new AbortController();
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
        // Keeps Node alive, too: with nothing else to wait for it would end before a hanging test could be reported.
        timer = setTimeout(() => {
            const error = new OutOfTime((Date.now() - start) / 1_000);
            controller.abort(error);
            reject(error);
        }, Math.max(0, end - start));
    });
    try {
        return await Promise.race([(async () => run(controller.signal))(), late]);
    } finally {
        clearTimeout(timer);
    }
}
