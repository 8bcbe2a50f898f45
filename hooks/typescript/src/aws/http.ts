// One HTTP exchange. Not by `fetch`: that stops waiting for an answer after five minutes, and functions run longer.

import { request as overHttp, type IncomingHttpHeaders } from "node:http";
import { request as overHttps } from "node:https";
import { UnreachableError } from "./errors.js";

export interface HttpRequest {
    method: "GET" | "POST";
    url: URL;
    headers: Record<string, string>;
    body: string;
    /** Not over a connection kept from an earlier invocation: it may have died while the function was frozen. */
    fresh?: boolean;
}

export interface HttpResponse {
    status: number;
    headers: IncomingHttpHeaders;
    body: string;
}

const CONNECT_TIMEOUT = 3_000;

export function exchange({ method, url, headers, body, fresh = false }: HttpRequest, signal: AbortSignal): Promise<HttpResponse> {
    const open = url.protocol === "http:" ? overHttp : overHttps;
    return new Promise((resolve, reject) => {
        const fail = (error: Error) => reject(signal.aborted ? signal.reason : unreachable(url, error));
        const request = open(url, { method, headers, signal, ...(fresh && { agent: false }) }, (response) => {
            const chunks: Buffer[] = [];
            response.on("data", (chunk: Buffer) => chunks.push(chunk));
            response.on("error", fail);
            response.on("end", () => {
                resolve({ status: response.statusCode!, headers: response.headers, body: Buffer.concat(chunks).toString() });
            });
        });
        request.on("error", fail);
        request.once("socket", (socket) => {
            if (!socket.connecting) return;
            const timer = setTimeout(() => request.destroy(new Error(`no connection in ${CONNECT_TIMEOUT} ms`)), CONNECT_TIMEOUT);
            for (const event of ["connect", "close"]) socket.once(event, () => clearTimeout(timer));
        });
        request.end(body);
    });
}

function unreachable(url: URL, error: Error): UnreachableError {
    return new UnreachableError(`${url.host} cannot be reached: ${error.message || (error as NodeJS.ErrnoException).code}`);
}
