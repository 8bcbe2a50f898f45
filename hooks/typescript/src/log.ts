// The log lines by which `pulumi up` knows what a hook said. Their format is a contract: docs/hooks.md.

export interface Identity {
    deploymentId: string;
    hookExecutionId: string;
    lifecycleEvent?: string | undefined;
    requestId?: string | undefined;
}

export interface Saying {
    status: "Started" | "Succeeded" | "Failed" | "NotReported";
    verdict?: "Succeeded" | "Failed";
    reason?: string | undefined;
    stack?: string | undefined;
}

/** Writes one line to the standard error stream itself: `console` would put other things around it. */
export function writeLine(identity: Identity, saying: Saying): void {
    const { deploymentId, lifecycleEvent, requestId, hookExecutionId } = identity;
    const { status, verdict, reason, stack } = saying;
    const line = JSON.stringify({
        lambdaRollout: "hook",
        deploymentId,
        status,
        verdict,
        reason: cut(reason, 1_000),
        lifecycleEvent,
        requestId,
        hookExecutionId,
        level: status === "Failed" || status === "NotReported" ? "ERROR" : "INFO",
        timestamp: new Date().toISOString(),
        stack: cut(stack, 2_000),
    });
    process.stderr.write(`${line}\n`);
}

function cut(text: string | undefined, length: number): string | undefined {
    if (text === undefined) return undefined;
    const short = text.length > length ? `${text.slice(0, length - 1)}…` : text;
    // A character that was cut in two would be JSON that not every reader takes.
    return Buffer.from(short).toString();
}
