// The three operations of CodeDeploy that a hook needs.

import type { LifecycleEvent, Subject } from "../event.js";
import type { Status } from "../report.js";
import { AwsError, UnreachableError } from "./errors.js";
import { send } from "./send.js";

export async function putStatus(deploymentId: string, hookExecutionId: string, status: Status, signal: AbortSignal): Promise<void> {
    const input = { deploymentId, lifecycleEventHookExecutionId: hookExecutionId, status };
    await call("PutLifecycleEventHookExecutionStatus", input, signal);
}

/** What a deployment says about the function that it deploys. */
export async function targetOf(deploymentId: string, signal: AbortSignal): Promise<Subject> {
    const { targetIds } = await call("ListDeploymentTargets", { deploymentId }, signal);
    const found = await call("GetDeploymentTarget", { deploymentId, targetId: targetIds[0] }, signal);
    const { lambdaFunctionInfo: info, lifecycleEvents } = found.deploymentTarget.lambdaTarget;
    const running = lifecycleEvents?.find((event: { status: string }) => event.status === "InProgress");
    return {
        lifecycleEvent: running?.lifecycleEventName as LifecycleEvent | undefined,
        functionName: info?.functionName,
        alias: info?.functionAlias,
        currentVersion: info?.currentVersion,
        targetVersion: info?.targetVersion,
    };
}

async function call(operation: string, input: object, signal: AbortSignal): Promise<any> {
    const headers = { "content-type": "application/x-amz-json-1.1", "x-amz-target": `CodeDeploy_20141006.${operation}` };
    const response = await send({ service: "codedeploy", path: "/", headers, body: JSON.stringify(input) }, { retry, signal });
    return response.body === "" ? {} : JSON.parse(response.body);
}

/** Each of these operations may be repeated, so whatever may pass is tried again. */
function retry(error: unknown): boolean {
    return error instanceof UnreachableError || (error instanceof AwsError && (error.throttled || error.status >= 500));
}
