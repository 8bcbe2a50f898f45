// What the test that runs now is about, so that `rollout.invoke` needs no more than a payload.

import { AsyncLocalStorage } from "node:async_hooks";
import type { HookEvent } from "./event.js";

export interface UnderTest {
    event: HookEvent;
    /** Aborted when the test has no time left. */
    signal: AbortSignal;
}

export const underTest = new AsyncLocalStorage<UnderTest>();
