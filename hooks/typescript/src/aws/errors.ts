// What can go wrong with a call.

/** AWS refused. */
export class AwsError extends Error {
    override readonly name = "AwsError";

    constructor(
        readonly status: number,
        readonly code: string,
        message: string,
    ) {
        super(message);
    }

    get throttled(): boolean {
        return this.status === 429 || /Throttl|TooManyRequests|RequestLimitExceeded/.test(this.code);
    }
}

/** No answer came. */
export class UnreachableError extends Error {
    override readonly name = "UnreachableError";
}
