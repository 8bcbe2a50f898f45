// What an example can be asked by: function aliases and URLs. Each answers with the release of its code.

import { Sandbox } from "../support/sandbox";
import { LambdaClient, InvokeCommand } from "@aws-sdk/client-lambda";

export type Target = () => Promise<number>;

/** The targets among a stack's outputs: `targetArn`, `targetArns` and `url`. */
export function targets(sandbox: Sandbox, outputs: Record<string, unknown>): Target[] {
    const arns = [outputs.targetArn ?? [], outputs.targetArns ?? []].flat() as string[];
    const urls = [outputs.url ?? []].flat() as string[];
    const lambda = new LambdaClient({ ...sandbox.clientConfig, maxAttempts: 1 });
    const found = [...arns.map((arn) => () => invoke(lambda, arn)), ...urls.map((url) => () => get(url))];
    if (found.length === 0) throw new Error("the example exports neither targetArn, targetArns nor url");
    return found;
}

async function invoke(lambda: LambdaClient, arn: string): Promise<number> {
    const answer = await lambda.send(new InvokeCommand({ FunctionName: arn, Payload: Buffer.from("{}") }));
    const text = Buffer.from(answer.Payload ?? []).toString();
    if (answer.FunctionError) throw new Error(`${arn} failed: ${text}`);
    return release(arn, text);
}

async function get(url: string): Promise<number> {
    const answer = await fetch(url);
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${url} answered ${answer.status}: ${text}`);
    return release(url, text);
}

/** `"release":2`, also within a text that is JSON itself. */
function release(what: string, text: string): number {
    const found = /release\\?"\s*:\s*(\d+)/.exec(text)?.[1];
    if (!found) throw new Error(`${what} answered without a release: ${text}`);
    return Number(found);
}
