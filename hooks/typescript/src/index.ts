// What a hook imports: `import { rollout } from "lambda-rollout-hooks"`.

import { handler } from "./handler.js";
import { invoke } from "./invoke.js";
import { report } from "./report.js";

/** Tests a new version of a Lambda function, and tells CodeDeploy. */
export const rollout = { handler, report, invoke };

export type { HookContext, HookFunction, HookHandler } from "./handler.js";
export type { HookEvent, HookPayload, LifecycleEvent } from "./event.js";
export { FunctionError } from "./invoke.js";
export { NotReportedError, type Status, type Verdict } from "./report.js";
