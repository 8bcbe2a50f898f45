// The report to CodeDeploy.

import { AwsError, UnreachableError } from "./aws/errors.js";
import { putStatus } from "./aws/code-deploy.js";
import { region } from "./aws/environment.js";
import { identify, type HookEvent, type HookPayload } from "./event.js";
import { OutOfTime, within } from "./limits.js";
import { writeLine, type Identity } from "./log.js";
import { reasonOf } from "./reason.js";

export type Status = "Succeeded" | "Failed";

export interface Verdict {
    status: Status;
    reason?: string | undefined;
}

/** CodeDeploy could not be told. The message says what to do about it. */
export class NotReportedError extends Error {
    override readonly name = "NotReportedError";
}

/** How long `rollout.report` tries, when no function's time limit says so. */
const PATIENCE = 60_000;

/**
 * Reports how a hook went. `rollout.handler` does it by itself; this is for a test that goes on after the hook
 * function has returned. Takes the event, or what CodeDeploy sent. That it was reported before is no error.
 */
export async function report(event: HookEvent | HookPayload, status: Status, reason?: string): Promise<void> {
    const lifecycleEvent = "lifecycleEvent" in event ? event.lifecycleEvent : undefined;
    await tell({ ...identify(event), lifecycleEvent }, { status, reason }, Date.now() + PATIENCE);
}

/** Writes the verdict into the log, and reports it. */
export async function tell(identity: Identity, verdict: Verdict & { stack?: string | undefined }, end: number): Promise<void> {
    // First the log: when CodeDeploy ends the deployment, whoever reads why shall find it.
    writeLine(identity, verdict);
    try {
        await within(end, (signal) => putStatus(identity.deploymentId, identity.hookExecutionId, verdict.status, signal));
    } catch (error) {
        if (error instanceof AwsError && error.code === "LifecycleEventAlreadyCompletedException") return;
        const reason = `CodeDeploy was not told "${verdict.status}": ${cure(error, identity.deploymentId)}`;
        writeLine(identity, { status: "NotReported", verdict: verdict.status, reason });
        throw new NotReportedError(reason, { cause: error });
    }
}

function cure(error: unknown, deploymentId: string): string {
    if (error instanceof UnreachableError || error instanceof OutOfTime) {
        return `${reasonOf(error)}; a function in a VPC needs a NAT gateway or a VPC endpoint for CodeDeploy`;
    }
    if (!(error instanceof AwsError)) return reasonOf(error);
    if (error.code.startsWith("AccessDenied")) {
        return `allow codedeploy:PutLifecycleEventHookExecutionStatus on the deployment group in the role of this function (${error.message})`;
    }
    if (error.code === "DeploymentDoesNotExistException") {
        return `there is no deployment ${deploymentId} in ${region()}; the hook has to run in the deployment's account and region`;
    }
    return `${error.code}: ${error.message}`;
}
