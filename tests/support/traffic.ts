// Requests through an alias, and which version answered them.

import { InvokeCommand, LambdaClient } from "@aws-sdk/client-lambda";
import { Sandbox } from "./sandbox";

export interface Tally {
    requests: number;
    failed: number;
    byVersion: Map<string, number>;
    /** The versions that answered, in order. */
    answers: string[];
}

export async function invoke(sandbox: Sandbox, target: string, payload: unknown) {
    const client = lambda(sandbox);
    const answer = await client.send(
        new InvokeCommand({ FunctionName: target, Payload: Buffer.from(JSON.stringify(payload)) }),
    );
    const text = Buffer.from(answer.Payload ?? []).toString();
    return { version: answer.ExecutedVersion ?? "?", error: answer.FunctionError, body: JSON.parse(text || "null") };
}

/** Sends requests, one after the other, until it is told to stop. */
export class Traffic {
    private running = true;
    private readonly tally: Tally = { requests: 0, failed: 0, byVersion: new Map(), answers: [] };
    private readonly done: Promise<void>;

    constructor(sandbox: Sandbox, target: string, payload: (n: number) => unknown, lanes = 2) {
        const lane = async (offset: number) => {
            for (let n = offset; this.running; n += lanes) this.count(await invoke(sandbox, target, payload(n)));
        };
        this.done = Promise.all(Array.from({ length: lanes }, (_, offset) => lane(offset))).then(() => undefined);
    }

    async stop(): Promise<Tally> {
        this.running = false;
        await this.done;
        return this.tally;
    }

    private count(answer: { version: string; error?: string }) {
        this.tally.requests += 1;
        this.tally.answers.push(answer.version);
        if (answer.error) this.tally.failed += 1;
        this.tally.byVersion.set(answer.version, (this.tally.byVersion.get(answer.version) ?? 0) + 1);
    }
}

const clients = new Map<string, LambdaClient>();

function lambda(sandbox: Sandbox): LambdaClient {
    const who = `${sandbox.endpoint} ${sandbox.clientConfig.credentials.accessKeyId}`;
    const known = clients.get(who);
    if (known) return known;
    const client = new LambdaClient({ ...sandbox.clientConfig, maxAttempts: 1 });
    clients.set(who, client);
    return client;
}
