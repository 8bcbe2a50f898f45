// What Lambda hands to a hook.

import { randomBytes, randomUUID } from "node:crypto";
import type { HookPayload } from "../event.js";
import type { HookContext } from "../handler.js";

/** What CodeDeploy sends, with ids of their own each time. */
export function fakeEvent(): HookPayload {
    return {
        DeploymentId: `d-${randomBytes(5).toString("hex").slice(0, 9).toUpperCase()}`,
        LifecycleEventHookExecutionId: randomBytes(48).toString("base64"),
    };
}

/** Lambda's context, for a function with that many seconds to run, counted from now. */
export function fakeContext({ timeout = 30 }: { timeout?: number } = {}): Required<HookContext> {
    const end = Date.now() + timeout * 1_000;
    return { awsRequestId: randomUUID(), getRemainingTimeInMillis: () => Math.max(0, end - Date.now()) };
}
