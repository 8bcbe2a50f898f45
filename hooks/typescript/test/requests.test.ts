// What goes over the wire: signatures, and where the credentials are from.

import assert from "node:assert/strict";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, test } from "node:test";
import { AwsV4Signer } from "aws4fetch";
import { rollout } from "lambda-rollout-hooks";
import { fakeContext, fakeEvent } from "lambda-rollout-hooks/testing";
import { logged } from "./logged.js";

interface Seen {
    url: string;
    headers: IncomingMessage["headers"];
    body: string;
}

const seen: Seen[] = [];
const credentials = { AccessKeyId: "ASIASNAP", SecretAccessKey: "secret/of+snap", Token: "token==" };

const server = createServer(async (request, response) => {
    const chunks = await request.toArray();
    seen.push({ url: request.url!, headers: request.headers, body: Buffer.concat(chunks).toString() });
    response.end(JSON.stringify(request.url === "/credentials" ? credentials : {}));
});

let url: string;
before(async () => {
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
after(() => server.close());

/** Runs a hook that invokes the version under test, with this environment, and gives the requests that it sent. */
async function requests(environment: Record<string, string>): Promise<Seen[]> {
    const all = {
        AWS_ENDPOINT_URL: `${url}/`,
        AWS_REGION: "eu-west-1",
        LAMBDA_ROLLOUT_LIFECYCLE_EVENT: "BeforeAllowTraffic",
        LAMBDA_ROLLOUT_FUNCTION_NAME: "arn:aws:lambda:eu-west-1:123456789012:function:orders",
        LAMBDA_ROLLOUT_ALIAS: "stable",
        LAMBDA_ROLLOUT_CURRENT_VERSION: "1",
        LAMBDA_ROLLOUT_TARGET_VERSION: "2",
        ...environment,
    };
    Object.assign(process.env, all);
    try {
        const hook = rollout.handler(async () => { await rollout.invoke({ text: "grüße (*')" }); });
        const { result } = await logged(() => hook(fakeEvent(), fakeContext()));
        assert.deepEqual(result, { status: "Succeeded" });
        return seen.splice(0);
    } finally {
        for (const name of Object.keys(all)) delete process.env[name];
    }
}

/** The signature that another implementation makes of the same request. */
async function expected(request: Seen, service: string, sessionToken: string | undefined, [accessKeyId, secretAccessKey]: [string, string]) {
    const signed = request.headers.authorization!.match(/SignedHeaders=([^,]+)/)![1]!.split(";");
    const headers = Object.fromEntries(
        signed.filter((name) => !["host", "x-amz-date", "x-amz-security-token"].includes(name)).map((name) => [name, request.headers[name] as string]),
    );
    const signer = new AwsV4Signer({
        method: "POST", url: url + request.url, headers, body: request.body, service, region: "eu-west-1", accessKeyId, secretAccessKey,
        ...(sessionToken ? { sessionToken } : {}), datetime: request.headers["x-amz-date"] as string, allHeaders: true,
    });
    return (await signer.sign()).headers.get("authorization");
}

test("requests are signed as another implementation signs them", async () => {
    const [invoke, report] = await requests({ AWS_ACCESS_KEY_ID: "AKIAHOOK", AWS_SECRET_ACCESS_KEY: "secret", AWS_SESSION_TOKEN: "token" });
    assert.match(invoke!.url, /%3Afunction%3Aorders\/invocations\?Qualifier=2$/);
    assert.equal(invoke!.headers.authorization, await expected(invoke!, "lambda", "token", ["AKIAHOOK", "secret"]));
    assert.equal(report!.headers["x-amz-target"], "CodeDeploy_20141006.PutLifecycleEventHookExecutionStatus");
    assert.equal(report!.headers.authorization, await expected(report!, "codedeploy", "token", ["AKIAHOOK", "secret"]));
});

test("a restored function takes its credentials from where Lambda has them", async () => {
    const [asked, invoke] = await requests({
        AWS_CONTAINER_CREDENTIALS_FULL_URI: `${url}/credentials`,
        AWS_CONTAINER_AUTHORIZATION_TOKEN: "let me in",
    });
    assert.equal(asked!.headers.authorization, "let me in");
    assert.equal(invoke!.headers.authorization, await expected(invoke!, "lambda", credentials.Token, [credentials.AccessKeyId, credentials.SecretAccessKey]));
});

test("the endpoint of one service comes before that of all", async () => {
    const [report] = await requests({ AWS_ACCESS_KEY_ID: "a", AWS_SECRET_ACCESS_KEY: "b", AWS_ENDPOINT_URL_CODEDEPLOY: `${url}/code-deploy` }).then(
        (all) => all.filter((request) => request.headers["x-amz-target"]),
    );
    assert.equal(report!.url, "/code-deploy/");
});
