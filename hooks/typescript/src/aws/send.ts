// One call to AWS: signed, and tried again as its caller allows.

import { setTimeout as sleep } from "node:timers/promises";
import { credentials } from "./credentials.js";
import { endpoint, region, type Service } from "./environment.js";
import { AwsError } from "./errors.js";
import { exchange, type HttpResponse } from "./http.js";
import { sign } from "./sign.js";

export interface Call {
    service: Service;
    path: string;
    query?: string;
    headers: Record<string, string>;
    body: string;
    fresh?: boolean;
}

export interface Attempts {
    /** Whether a failed attempt may be made again. */
    retry(error: unknown): boolean;
    /** Ends all attempts. */
    signal: AbortSignal;
}

const ATTEMPTS = 10;

export async function send(call: Call, attempts: Attempts): Promise<HttpResponse> {
    for (let failed = 1; ; failed++) {
        try {
            return await attempt(call, attempts.signal);
        } catch (error) {
            if (failed === ATTEMPTS || attempts.signal.aborted || !attempts.retry(error)) throw error;
            await sleep(Math.random() * Math.min(5_000, 100 * 2 ** failed), undefined, { signal: attempts.signal });
        }
    }
}

async function attempt(call: Call, signal: AbortSignal): Promise<HttpResponse> {
    const url = new URL(endpoint(call.service) + call.path + (call.query ? `?${call.query}` : ""));
    const { headers, body, fresh = false } = call;
    const scope = { service: call.service, region: region() };
    const response = await exchange(sign({ method: "POST", url, headers, body, fresh }, scope, await credentials(signal)), signal);
    if (response.status >= 300) throw refusal(response);
    return response;
}

function refusal({ status, headers, body }: HttpResponse): AwsError {
    const said = parse(body);
    const type = String(headers["x-amzn-errortype"] ?? said.__type ?? status);
    // Services write a name in front of the code, or an address behind it.
    const code = type.split("#").pop()!.split(":")[0]!;
    return new AwsError(status, code, String(said.message ?? said.Message ?? (body || "AWS said no more")));
}

function parse(body: string): Record<string, unknown> {
    try {
        return Object(JSON.parse(body));
    } catch {
        return {};
    }
}
