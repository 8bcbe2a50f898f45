// Calls the version under test.

import { AwsError } from "./aws/errors.js";
import { send } from "./aws/send.js";
import { underTest } from "./current.js";
import type { HookEvent } from "./event.js";

/** The version under test answered with an error. */
export class FunctionError extends Error {
    override readonly name = "FunctionError";

    constructor(
        message: string,
        /** The name of the error that the function threw. */
        readonly errorType: string | undefined,
    ) {
        super(message);
    }
}

/** Invokes the version under test and waits for its answer; throws when the function does. Works inside `rollout.handler`. */
export async function invoke<Result = unknown>(payload?: unknown): Promise<Result> {
    const current = underTest.getStore();
    if (!current) throw new Error("rollout.invoke works only inside the function given to rollout.handler");
    const { functionName, targetVersion } = known(current.event);
    const response = await call(functionName, targetVersion, JSON.stringify(payload ?? {}), current.signal);
    const answer = response.body === "" ? undefined : JSON.parse(response.body);
    if (response.headers["x-amz-function-error"] === undefined) return answer as Result;
    const type = answer?.errorType as string | undefined;
    const said = [type, answer?.errorMessage].filter(Boolean).join(": ");
    throw new FunctionError(`version ${targetVersion} of ${functionName} failed: ${said || response.body}`, type);
}

async function call(functionName: string, version: string, body: string, signal: AbortSignal) {
    const path = `/2015-03-31/functions/${encodeURIComponent(functionName)}/invocations`;
    try {
        return await send(
            // What was sent may have run: it goes over a good connection, and only what Lambda refused to run is sent again.
            { service: "lambda", path, query: `Qualifier=${encodeURIComponent(version)}`, headers: {}, body, fresh: true },
            { retry: (error) => error instanceof AwsError && error.throttled, signal },
        );
    } catch (error) {
        if (error instanceof AwsError && error.code.startsWith("AccessDenied")) {
            throw new Error(`allow lambda:InvokeFunction on ${functionName}:${version} in the role of this function (${error.message})`);
        }
        throw error;
    }
}

function known(event: HookEvent): { functionName: string; targetVersion: string } {
    const { functionName, targetVersion, lookupError } = event;
    if (functionName && targetVersion) return { functionName, targetVersion };
    throw new Error(
        "rollout.invoke does not know the version under test: allow codedeploy:ListDeploymentTargets and " +
            "codedeploy:GetDeploymentTarget in the role of this function, or set LAMBDA_ROLLOUT_FUNCTION_NAME and " +
            `LAMBDA_ROLLOUT_TARGET_VERSION (${lookupError ?? "the deployment does not say it"})`,
    );
}
