// The main path of a hook: what CodeDeploy sent, the test, the verdict, the report.

import { underTest } from "./current.js";
import { describe, identify, type HookEvent, type HookPayload } from "./event.js";
import { limitsOf, OutOfTime, within, type Limits } from "./limits.js";
import { writeLine } from "./log.js";
import { reasonOf, stackOf } from "./reason.js";
import { tell, type Verdict } from "./report.js";

/** What a hook needs of Lambda's context. */
export interface HookContext {
    getRemainingTimeInMillis(): number;
    readonly awsRequestId?: string;
}

/**
 * Your test. When it returns, the version is good; when it throws, it is not.
 *
 * It returns nothing: a `false` would be taken for success.
 */
export type HookFunction = (event: HookEvent, context: HookContext) => void | Promise<void>;

/** What Lambda calls. It resolves to the verdict, once CodeDeploy has it. */
export type HookHandler = (payload: HookPayload, context: HookContext) => Promise<Verdict>;

/** Makes a Lambda handler of a test: it always reports, also when the test throws or hangs. */
export function handler(test: HookFunction): HookHandler {
    return async (payload, context) => {
        const ids = { ...identify(payload), requestId: context.awsRequestId };
        writeLine(ids, { status: "Started" });
        const limits = limitsOf(context.getRemainingTimeInMillis());
        const event = await describe(ids, limits.lookup);
        const verdict = await judge((signal) => underTest.run({ event, signal }, () => test(event, context)), limits);
        await tell({ ...ids, lifecycleEvent: event.lifecycleEvent }, verdict, limits.report);
        return verdict.reason === undefined ? { status: verdict.status } : { status: verdict.status, reason: verdict.reason };
    };
}

/** Runs the test, and stops waiting for it in time to report. */
async function judge(test: (signal: AbortSignal) => unknown, limits: Limits): Promise<Verdict & { stack?: string | undefined }> {
    try {
        await within(limits.test, test);
        return { status: "Succeeded" };
    } catch (error) {
        if (error instanceof OutOfTime) return { status: "Failed", reason: stillRunning(error) };
        return { status: "Failed", reason: reasonOf(error), stack: stackOf(error) };
    }
}

function stillRunning({ seconds }: OutOfTime): string {
    return `still running after ${seconds.toFixed(1)} s, when the function's time was nearly up`;
}
