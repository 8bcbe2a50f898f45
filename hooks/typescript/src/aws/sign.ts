// AWS Signature Version 4.

import { createHash, createHmac } from "node:crypto";
import type { Credentials } from "./credentials.js";
import type { HttpRequest } from "./http.js";

export interface Scope {
    service: string;
    region: string;
}

/** The request with the headers that prove who sends it. */
export function sign(request: HttpRequest, scope: Scope, credentials: Credentials, now = new Date()): HttpRequest {
    const time = now.toISOString().replace(/[-:]|\.\d+/g, "");
    const headers: Record<string, string> = { ...request.headers, host: request.url.host, "x-amz-date": time };
    if (credentials.sessionToken) headers["x-amz-security-token"] = credentials.sessionToken;

    const names = Object.keys(headers).sort();
    const canonical = [
        request.method,
        request.url.pathname.split("/").map(encodeAgain).join("/"),
        request.url.search.slice(1),
        ...names.map((name) => `${name}:${headers[name]}`),
        "",
        names.join(";"),
        sha256(request.body),
    ].join("\n");

    const credentialScope = [time.slice(0, 8), scope.region, scope.service, "aws4_request"];
    const toSign = ["AWS4-HMAC-SHA256", time, credentialScope.join("/"), sha256(canonical)].join("\n");
    const key = credentialScope.reduce<string | Buffer>(hmac, `AWS4${credentials.secretAccessKey}`);
    const signature = hmac(key, toSign).toString("hex");
    headers.authorization =
        `AWS4-HMAC-SHA256 Credential=${credentials.accessKeyId}/${credentialScope.join("/")}, ` +
        `SignedHeaders=${names.join(";")}, Signature=${signature}`;
    return { ...request, headers };
}

/** What is signed is the path encoded twice, except with S3. */
function encodeAgain(part: string): string {
    return encodeURIComponent(part).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
}

function hmac(key: string | Buffer, text: string): Buffer {
    return createHmac("sha256", key).update(text).digest();
}

function sha256(text: string): string {
    return createHash("sha256").update(text).digest("hex");
}
