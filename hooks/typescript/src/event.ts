// What a hook is told: by CodeDeploy's payload, by the environment, and by the deployment itself.

import { targetOf } from "./aws/code-deploy.js";
import { reasonOf } from "./reason.js";
import { within } from "./limits.js";

/** What CodeDeploy sends to a hook. */
export interface HookPayload {
    DeploymentId: string;
    LifecycleEventHookExecutionId: string;
}

export type LifecycleEvent = "BeforeAllowTraffic" | "AfterAllowTraffic";

/** What is tested. Only the first two are always there; the README says what the others need. */
export interface HookEvent {
    readonly deploymentId: string;
    readonly hookExecutionId: string;
    /** Before the new version gets traffic, or after it has all of it. */
    readonly lifecycleEvent?: LifecycleEvent | undefined;
    readonly functionName?: string | undefined;
    /** The alias whose traffic moves. */
    readonly alias?: string | undefined;
    /** The version that served before. */
    readonly currentVersion?: string | undefined;
    /** The version under test. */
    readonly targetVersion?: string | undefined;
    /** Why the deployment could not be asked for what is missing. */
    readonly lookupError?: string | undefined;
}

type Ids = Pick<HookEvent, "deploymentId" | "hookExecutionId">;
export type Subject = Pick<HookEvent, "lifecycleEvent" | "functionName" | "alias" | "currentVersion" | "targetVersion">;

/** The ids in what CodeDeploy sent, or in an event made from it. */
export function identify(event: HookPayload | HookEvent): Ids {
    if (event && "DeploymentId" in event && "LifecycleEventHookExecutionId" in event) {
        return { deploymentId: event.DeploymentId, hookExecutionId: event.LifecycleEventHookExecutionId };
    }
    if (event && "deploymentId" in event && "hookExecutionId" in event) {
        return { deploymentId: event.deploymentId, hookExecutionId: event.hookExecutionId };
    }
    throw new Error("this is not an event of CodeDeploy: it has no DeploymentId and LifecycleEventHookExecutionId");
}

/** Everything that can be known about what is tested. It is given up when it takes too long: the test comes first. */
export async function describe(ids: Ids, end: number): Promise<HookEvent> {
    const { deploymentId, hookExecutionId } = ids;
    const given = fromEnvironment();
    if (Object.values(given).every(Boolean)) return { deploymentId, hookExecutionId, ...given };
    try {
        const found = await within(end, (signal) => targetOf(deploymentId, signal));
        return { deploymentId, hookExecutionId, ...found, ...present(given) };
    } catch (error) {
        return { deploymentId, hookExecutionId, ...given, lookupError: reasonOf(error) };
    }
}

function fromEnvironment(): Subject {
    const { env } = process;
    return {
        lifecycleEvent: env.LAMBDA_ROLLOUT_LIFECYCLE_EVENT as LifecycleEvent | undefined,
        functionName: env.LAMBDA_ROLLOUT_FUNCTION_NAME,
        alias: env.LAMBDA_ROLLOUT_ALIAS,
        currentVersion: env.LAMBDA_ROLLOUT_CURRENT_VERSION,
        targetVersion: env.LAMBDA_ROLLOUT_TARGET_VERSION,
    };
}

function present(subject: Subject): Partial<Subject> {
    return Object.fromEntries(Object.entries(subject).filter(([, value]) => value));
}
