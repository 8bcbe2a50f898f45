// The demo: one function, five versions, told with the real CLI in front of the sandbox.

import { CommandError } from "@pulumi/pulumi/automation/index.js";
import { Sandbox } from "../tests/support/sandbox";
import { TestStack } from "../tests/support/stack";
import { Tally, Traffic, invoke } from "../tests/support/traffic";
import { Chapter, program } from "./program";

const order = (n: number) => ({
    items: [{ price: 60, count: 2 }],
    // Every third order is a guest's: it has no customer.
    ...(n % 3 !== 0 && { customer: { member: n % 2 === 0 } }),
});

let chapter: Chapter = { code: "v1.js" };
let failures = 0;

async function main() {
    say("Starting a sandbox: Lambda, CodeDeploy and CloudWatch on this machine, 60 times as fast as AWS.");
    const sandbox = await Sandbox.start({ speed: 60 });
    const stack = await TestStack.create(sandbox, program(() => chapter), {
        project: "shop",
        name: "demo",
        color: "always",
        onOutput: (text) => process.stdout.write(text),
    });
    onInterrupt(async () => {
        await stack.stack.cancel().catch(() => undefined);
        await sandbox.stop();
        await stack.remove();
    });
    try {
        await tell(sandbox, stack);
    } finally {
        await sandbox.stop();
        await stack.remove();
    }
    if (failures > 0) throw new Error(`${failures} step(s) did not come out as told`);
    say("That is all: seven steps, each as told.");
}

async function tell(sandbox: Sandbox, stack: TestStack) {
    title(1, "Version 1 goes live. There is nothing to shift from, so it gets all traffic.");
    const first = await stack.up();
    const target: string = first.outputs.targetArn.value;
    const answer = await invoke(sandbox, target, order(0));
    check(`an invocation through ${target} answers ${JSON.stringify(answer.body)}`, answer.body?.total === 120);

    await customers(sandbox, target, 150);

    title(2, "Version 2 gives a discount. What would `pulumi up` do to traffic?");
    chapter = { code: "v2.js" };
    await stack.preview();
    say("Now for real, with requests coming in all the time.");
    const second = await withTraffic(sandbox, target, () => stack.up());
    report(second.tally, "1", "2");
    const shares = second.tally.byVersion;
    check("both versions answered while traffic was split", (shares.get("1") ?? 0) > 0 && (shares.get("2") ?? 0) > 0);
    check("no request failed", second.tally.failed === 0);
    check("version 2 serves", second.result?.outputs.servingVersion.value === "2");

    title(3, "Version 3 throws when an order has no customer. Ten percent of the traffic finds out.");
    chapter = { code: "v3.js" };
    const third = await withTraffic(sandbox, target, () => stack.up());
    report(third.tally, "2", "3");
    say("   CloudWatch counts a little late, so the message may know fewer of them.");
    say("   Pulumi puts a minus before the outputs of an update that failed; nothing was removed.");
    check("`pulumi up` failed", third.result === undefined);
    check("some requests failed, and only a few", third.tally.failed > 0 && third.tally.failed < third.tally.requests / 5);
    check("version 2 serves again", (await serving(sandbox, target)) === "2");

    title(4, "`pulumi up` again, without a change.");
    const before = await deployments(sandbox);
    const fourth = await attempt(() => stack.up());
    check("it succeeds", fourth !== undefined);
    check("it deployed nothing, though Pulumi calls it an update", (await deployments(sandbox)) === before);
    check("version 2 serves", fourth?.outputs.servingVersion.value === "2");

    title(5, "Version 4 mends it. The errors of version 3 are still in the metrics, and do not matter.");
    chapter = { code: "v4.js" };
    const fifth = await withTraffic(sandbox, target, () => stack.up());
    report(fifth.tally, "2", "4");
    check("version 4 serves", fifth.result?.outputs.servingVersion.value === "4");

    title(6, "Version 5 is wrong in a way that no alarm sees. A smoke test asks it one question first.");
    chapter = { code: "v5.js", smokeTest: true };
    const sixth = await withTraffic(sandbox, target, () => stack.up());
    report(sixth.tally, "4", "5");
    check("`pulumi up` failed", sixth.result === undefined);
    check("version 5 answered no request", !sixth.tally.byVersion.has("5"));
    check("version 4 serves", (await serving(sandbox, target)) === "4");

    title(7, "Drift, and the end.");
    const refreshed = await stack.refresh();
    const changes = Object.entries(refreshed.summary.resourceChanges ?? {}).filter(([kind]) => kind !== "same");
    check("`pulumi refresh` finds no drift", changes.length === 0);
    await stack.destroy();
    const left = await sandbox.leftovers();
    say(`What is left in AWS: ${left.length === 0 ? "nothing" : left.join(", ")}`);
    check("`pulumi destroy` left nothing behind", left.length === 0);
}

/** Requests from before a rollout: without any, its preview would warn that a canary proves nothing. */
async function customers(sandbox: Sandbox, target: string, count: number) {
    say(`   ${count} customers order.`);
    const some = 10;
    for (let n = 0; n < count; n += some) {
        await Promise.all(Array.from({ length: some }, (_, index) => invoke(sandbox, target, order(n + index))));
    }
}

/** Runs `action` while requests come in; a failing action is part of the story. */
async function withTraffic<T>(sandbox: Sandbox, target: string, action: () => Promise<T>) {
    const traffic = new Traffic(sandbox, target, order);
    const result = await attempt(action);
    return { result, tally: await traffic.stop() };
}

async function attempt<T>(action: () => Promise<T>): Promise<T | undefined> {
    try {
        return await action();
    } catch (error) {
        // The CLI has printed what went wrong; only a fault of the story itself is news.
        if (!(error instanceof CommandError)) throw error;
        return undefined;
    }
}

async function serving(sandbox: Sandbox, target: string): Promise<string> {
    return (await invoke(sandbox, target, order(1))).version;
}

async function deployments(sandbox: Sandbox): Promise<number> {
    const calls = await sandbox.journal();
    return calls.filter((call) => call.operation === "CreateDeployment").length;
}

function title(step: number, text: string) {
    process.stdout.write(`\n\x1b[1;36m── ${step}. ${text}\x1b[0m\n\n`);
}

function say(text: string) {
    process.stdout.write(`\x1b[36m${text}\x1b[0m\n`);
}

function check(what: string, holds: boolean) {
    if (!holds) failures += 1;
    process.stdout.write(`   ${holds ? "\x1b[32m✔" : "\x1b[31m✘ NOT:"} ${what}\x1b[0m\n`);
}

/** What each version really answered while traffic was split between the two. */
function report({ requests, failed, answers }: Tally, from: string, to: string) {
    const split = answers.slice(answers.indexOf(to), answers.lastIndexOf(from) + 1);
    const share = (version: string) => {
        const count = split.filter((answer) => answer === version).length;
        return `version ${version} answered ${count} (${((100 * count) / split.length).toFixed(1)} %)`;
    };
    say(`   ${requests} requests meanwhile, ${failed} of them failed (a second here is a minute on AWS)`);
    if (!answers.includes(to)) say(`   version ${from} answered all of them`);
    else say(`   while traffic was split, ${share(from)} and ${share(to)}`);
}

/** Once somebody wants the story to end, what breaks off is no news. */
let ending = false;

function onInterrupt(cleanUp: () => Promise<void>) {
    for (const signal of ["SIGINT", "SIGTERM"] as const) {
        process.on(signal, () => {
            if (ending) return;
            ending = true;
            void cleanUp().finally(() => process.exit(130));
        });
    }
}

main().then(
    () => process.exit(0),
    (error) => {
        if (ending) return;
        console.error(error instanceof Error ? (error.stack ?? error.message) : error);
        process.exit(1);
    },
);
