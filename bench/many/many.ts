// A thousand rollouts in one `pulumi up`: the real CLI and the release build of the provider, in the sandbox with AWS's
// limits. Prints what it took, and writes it into the guide.

import {
    CreateFunctionCommand, GetAliasCommand, LambdaClient, PublishVersionCommand, UpdateFunctionConfigurationCommand,
} from "@aws-sdk/client-lambda";
import * as fs from "node:fs/promises";
import * as path from "node:path";
import * as lambdaRollout from "pulumi-lambda-rollout";
import { Call, Sandbox, root } from "../../tests/support/sandbox";
import { TestStack } from "../../tests/support/stack";
import { Usage, watch } from "./usage";

const speed = 40;
/** A quick look, which leaves the guide as it is, makes do with fewer. */
const quick = process.env.BENCH_REPEATS !== undefined;
const count = quick ? 50 : 1000;
/** An archive of one file, `index.mjs`, with a handler that answers. */
const code = Buffer.from(
    "UEsDBBQAAAAAAAAAIVw+vm+ZKAAAACgAAAAJAAAAaW5kZXgubWpzZXhwb3J0IGNvbnN0IGhhbmRsZXIgPSBhc3luYyAoKSA9PiAib2siO1BLAQIUAxQAAAAAAAAAIVw+vm+ZKAAAACgAAAAJAAAAAAAAAAAAAACAAQAAAABpbmRleC5tanNQSwUGAAAAAAEAAQA3AAAATwAAAAAA",
    "base64",
);

interface Row extends Usage {
    what: string;
    /** Of the service's time. */
    seconds: number;
    calls: Call[];
    lost: number;
}

const names = Array.from({ length: count }, (_, number) => `shop-${number}`);
let version = "1";

async function program() {
    for (const functionName of names) new lambdaRollout.FunctionRollout(functionName, { functionName, version });
}

async function main() {
    const sandbox = await Sandbox.start({ speed, args: ["--limits", "aws"], folder: "target/release" });
    const stack = await TestStack.create(sandbox, program, {
        plugin: path.join(root, "target/release"),
        // Each step would write the state of all, which is the engine's time and not the provider's.
        env: { PULUMI_EXPERIMENTAL: "true", PULUMI_SKIP_CHECKPOINTS: "true" },
    });
    const lambda = new LambdaClient({ ...sandbox.clientConfig, maxAttempts: 100 });
    try {
        await eachOf(names, (name) => publishTwice(lambda, name));
        const rows = [await measured("first create", sandbox, stack, lambda)];
        version = "2";
        rows.push(await measured("new version", sandbox, stack, lambda));
        const text = table(rows);
        process.stdout.write(text);
        if (!quick) await put(text);
    } finally {
        await sandbox.stop();
        await stack.remove();
    }
}

async function publishTwice(lambda: LambdaClient, name: string) {
    await lambda.send(
        new CreateFunctionCommand({
            FunctionName: name, Runtime: "nodejs22.x", Handler: "index.handler", Publish: true,
            Role: "arn:aws:iam::000000000000:role/shop", Code: { ZipFile: code },
        }),
    );
    await lambda.send(new UpdateFunctionConfigurationCommand({ FunctionName: name, Description: "the second" }));
    await lambda.send(new PublishVersionCommand({ FunctionName: name }));
}

async function measured(what: string, sandbox: Sandbox, stack: TestStack, lambda: LambdaClient): Promise<Row> {
    const last = await sandbox.lastCall();
    const usage = watch("target/release/pulumi-resource-lambda-rollout");
    const begun = performance.now();
    await stack.up({ parallel: count, suppressOutputs: true });
    const seconds = ((performance.now() - begun) / 1000) * speed;
    const used = await usage.stop();
    const calls = await sandbox.journal(last);
    let lost = 0;
    await eachOf(names, async (FunctionName) => {
        const alias = await lambda.send(new GetAliasCommand({ FunctionName, Name: "stable" })).catch(() => undefined);
        const weights = Object.keys(alias?.RoutingConfig?.AdditionalVersionWeights ?? {});
        if (alias?.FunctionVersion !== version || weights.length > 0) lost += 1;
    });
    return { what, seconds, calls, lost, ...used };
}

/** A few at a time, as a person's own tools would. */
async function eachOf<T>(items: T[], action: (item: T) => Promise<void>) {
    const rest = [...items];
    const worker = async () => {
        for (let item = rest.pop(); item !== undefined; item = rest.pop()) await action(item);
    };
    await Promise.all(Array.from({ length: 16 }, worker));
}

function table(rows: Row[]): string {
    const line = (name: string, figure: (row: Row) => string) => `| ${[name, ...rows.map(figure)].join(" | ")} |`;
    return [
        `| ${count} rollouts | ${rows.map((row) => row.what).join(" | ")} |`,
        `| --- |${" ---: |".repeat(rows.length)}`,
        line("time until all are done, minutes", (row) => (row.seconds / 60).toFixed(1)),
        line("calls", (row) => `${row.calls.length}`),
        line("calls a second", (row) => (row.calls.length / row.seconds).toFixed(1)),
        line("calls a second, in the busiest minute", (row) => busiestMinute(row.calls).toFixed(1)),
        line("throttled", (row) => throttled(row.calls)),
        line("rollouts that do not serve what is declared", (row) => `${row.lost}`),
        line("memory at its peak, MiB", (row) => (row.peak / 1024).toFixed(1)),
        line("processor, % of one core", (row) => ((100 * row.cpu) / row.seconds).toFixed(1)),
        "",
    ].join("\n");
}

/** How many, and which. */
function throttled(calls: Call[]): string {
    const names = calls.filter((call) => /Throttl|TooManyRequests/.test(call.errorCode ?? "")).map((call) => call.operation);
    if (names.length === 0) return "0";
    const each = [...new Set(names)].map((name) => `${name} ${names.filter((other) => other === name).length}`);
    return `${names.length} (${each.sort().join(", ")})`;
}

function busiestMinute(calls: Call[]): number {
    const times = calls.map((call) => call.time * speed).sort((a, b) => a - b);
    let most = 0;
    for (let from = 0, to = 0; to < times.length; to += 1) {
        while (times[to] - times[from] > 60) from += 1;
        most = Math.max(most, to - from + 1);
    }
    return most / 60;
}

async function put(text: string) {
    const guide = path.join(root, "docs/performance.md");
    const [begin, end] = ["<!-- many -->\n", "<!-- /many -->"];
    const page = await fs.readFile(guide, "utf8");
    const [from, to] = [page.indexOf(begin), page.indexOf(end)];
    if (from < 0 || to < from) throw new Error(`${guide} has no place for the table`);
    await fs.writeFile(guide, page.slice(0, from) + begin + text + page.slice(to));
}

main().catch((error) => {
    console.error(error);
    process.exitCode = 1;
});
