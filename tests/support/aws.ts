// Calls to services of the sandbox for which there is no client here: plain requests, with a signature that nobody verifies.

import { Sandbox, region } from "./sandbox";

const targets = {
    sqs: "AmazonSQS",
    dynamodb: "DynamoDB_20120810",
    kinesis: "Kinesis_20131202",
    events: "AWSEvents",
    "cognito-idp": "AWSCognitoIdentityProviderService",
};

export type Service = keyof typeof targets;

/** An operation of a service that speaks JSON. */
export async function call(sandbox: Sandbox, service: Service, operation: string, body: unknown): Promise<any> {
    const type = "application/x-amz-json-1.1";
    return send(sandbox, service, JSON.stringify(body), { "content-type": type, "x-amz-target": `${targets[service]}.${operation}` });
}

export async function publish(sandbox: Sandbox, topic: string, message: string): Promise<void> {
    const form = new URLSearchParams({ Action: "Publish", Version: "2010-03-31", TopicArn: topic, Message: message });
    await send(sandbox, "sns", form.toString(), { "content-type": "application/x-www-form-urlencoded" });
}

export async function putObject(sandbox: Sandbox, bucket: string, key: string): Promise<void> {
    await send(sandbox, "s3", "a picture", {}, "PUT", `/${bucket}/${key}`);
}

export async function deleteObject(sandbox: Sandbox, bucket: string, key: string): Promise<void> {
    await send(sandbox, "s3", undefined, {}, "DELETE", `/${bucket}/${key}`);
}

async function send(
    sandbox: Sandbox,
    service: string,
    body: string | undefined,
    headers: Record<string, string>,
    method = "POST",
    path = "/",
): Promise<any> {
    const credential = `test/20260101/${region}/${service}/aws4_request`;
    const authorization = `AWS4-HMAC-SHA256 Credential=${credential}, SignedHeaders=host, Signature=none`;
    const answer = await fetch(sandbox.endpoint + path, { method, body, headers: { ...headers, authorization } });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${service} answered ${answer.status}: ${text}`);
    return text.startsWith("{") ? JSON.parse(text) : text;
}

/** What functions tell: each call of one sends who answered, and this waits for it. */
export class Answers {
    /** The code of a function that tells its release in this queue. It returns what came, with an answer for HTTP callers. */
    static readonly code = `
        exports.handler = async (event) => {
            const { ANSWERS, RELEASE, AWS_LAMBDA_FUNCTION_NAME, AWS_ENDPOINT_URL } = process.env;
            const answer = await fetch(AWS_ENDPOINT_URL, {
                method: "POST",
                headers: {
                    "content-type": "application/x-amz-json-1.0",
                    "x-amz-target": "AmazonSQS.SendMessage",
                    authorization: "AWS4-HMAC-SHA256 Credential=test/20260101/${region}/sqs/aws4_request, SignedHeaders=host, Signature=none",
                },
                body: JSON.stringify({ QueueUrl: ANSWERS, MessageBody: AWS_LAMBDA_FUNCTION_NAME + " " + RELEASE }),
            });
            if (!answer.ok) throw new Error("no answer could be told: " + await answer.text());
            return { ...event, statusCode: 200, body: RELEASE };
        };`;

    private readonly told = new Map<string, string[]>();
    private readonly waiting = new Map<string, (release: string) => void>();
    private running = true;
    private readonly collected: Promise<void>;

    private constructor(private readonly sandbox: Sandbox, readonly url: string) {
        this.collected = this.collect();
    }

    static async open(sandbox: Sandbox): Promise<Answers> {
        const { QueueUrl: url } = await call(sandbox, "sqs", "CreateQueue", { QueueName: "answers" });
        return new Answers(sandbox, url);
    }

    /** The release that answered for this function next. */
    next(fn: string): Promise<string> {
        const known = this.told.get(fn)?.shift();
        if (known !== undefined) return Promise.resolve(known);
        return new Promise((resolve) => this.waiting.set(fn, resolve));
    }

    async close(): Promise<void> {
        this.running = false;
        await this.collected;
        await call(this.sandbox, "sqs", "DeleteQueue", { QueueUrl: this.url });
    }

    private async collect(): Promise<void> {
        while (this.running) {
            const { Messages: messages = [] } = await call(this.sandbox, "sqs", "ReceiveMessage", {
                QueueUrl: this.url, WaitTimeSeconds: 1, MaxNumberOfMessages: 10,
            });
            for (const { Body: body, ReceiptHandle: receipt } of messages) {
                await call(this.sandbox, "sqs", "DeleteMessage", { QueueUrl: this.url, ReceiptHandle: receipt });
                this.tell(...(body.split(" ") as [string, string]));
            }
        }
    }

    private tell(fn: string, release: string) {
        const waiting = this.waiting.get(fn);
        this.waiting.delete(fn);
        if (waiting) waiting(release);
        else this.told.set(fn, [...(this.told.get(fn) ?? []), release]);
    }
}
