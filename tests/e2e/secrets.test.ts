// What must not be told: credentials and payloads in no log, at no level, and neither they nor what functions say in the state.

import * as assert from "node:assert/strict";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { after, before, test } from "node:test";
import { EngineEvent } from "@pulumi/pulumi/automation/index.js";
import * as lambdaRollout from "pulumi-lambda-rollout";
import { answering, hook, hookFunction, publishedFunction } from "../support/programs";
import { Sandbox, root } from "../support/sandbox";
import { TestStack, failureOf } from "../support/stack";

const config = { accessKey: "AKIAHUSHCONFIG", secretKey: "hush-secret-key", token: "hush-session-token" };
const environment = { AWS_ACCESS_KEY_ID: "AKIAHUSHENVIRONMENT", AWS_SECRET_ACCESS_KEY: "hush-environment-key", AWS_SESSION_TOKEN: "hush-environment-token" };
const payload = "hush-payload";
/** A person at the terminal is told this, and of what functions say the state has a hook's reason alone. */
const logLine = "hush-log-line";
const reason = "hush-reason";

let sandbox: Sandbox;
let home: string;
let log: string;

before(async () => {
    sandbox = await Sandbox.start({ speed: 120 });
    home = fs.mkdtempSync(path.join(os.tmpdir(), "lambda-rollout-"));
    log = path.join(home, "stderr");
    // The flags are those that the engine gives to its plugins with -v=9.
    const provider = path.join(root, "target/debug/pulumi-resource-lambda-rollout");
    const script = `#!/bin/sh\nexec "${provider}" -v=9 --logtostderr --logflow "$@" 2>> "${log}"\n`;
    fs.writeFileSync(path.join(home, "pulumi-resource-lambda-rollout"), script, { mode: 0o755 });
});

after(async () => {
    await sandbox?.stop();
    fs.rmSync(home, { recursive: true });
});

function lacks(where: string, text: string, secrets: string[]) {
    for (const secret of secrets) {
        const at = text.indexOf(secret);
        assert.ok(at < 0, `${where} tells ${secret}: …${text.slice(Math.max(0, at - 200), at + 50)}…`);
    }
}

for (const [where, env, settings] of [
    ["its configuration", {}, config],
    ["the environment", environment, {}],
] as const) {
    test(`at its most talkative the provider tells no credentials of ${where}, and no payload`, async () => {
        fs.writeFileSync(log, "");
        let code = answering("one");
        let guard = hook("Succeeded");
        let told = "";
        const stack = await TestStack.create(sandbox, async () => {
            const fn = publishedFunction("orders", code);
            const hooked = hookFunction("guard", guard);
            new lambdaRollout.FunctionRollout("orders", {
                functionName: fn.name,
                version: fn.version,
                hooks: { beforeTraffic: hooked.name },
                smokeTest: { payload: JSON.stringify({ apiKey: payload }) },
            }, { dependsOn: [hooked] });
        }, { plugin: home, env: { RUST_LOG: "trace", RUST_BACKTRACE: "full", ...env } });
        // With --debug the program's own SDK tells what it declares, so that only what is said of our resource counts.
        const talkative = {
            debug: true,
            onEvent: ({ diagnosticEvent: line }: EngineEvent) => {
                if (line?.urn?.includes("lambda-rollout:index:FunctionRollout")) told += line.message;
            },
        };
        for (const [key, value] of Object.entries(settings)) await stack.stack.setConfig(`lambda-rollout:${key}`, { value, secret: true });
        await stack.up(talkative);
        // The function says what it was asked, too. Its code is in the state, and must not hold the line itself.
        code = `exports.handler = async (event) => { console.error("hush-log" + "-line", event); return event; };`;
        guard = hook("Failed").replace("await fetch", `console.error(JSON.stringify({
            lambdaRollout: "hook", deploymentId: event.DeploymentId, status: "Failed", reason: "${reason}",
        })); await fetch`);
        await failureOf(stack.up(talkative));
        await stack.refresh(talkative);

        const secrets = [...Object.values(config), ...Object.values(environment), payload];
        const stderr = fs.readFileSync(log, "utf8");
        lacks("the provider's standard error", stderr, [...secrets, logLine, reason]);
        assert.match(told, /hook guard reported Failed after .*: hush-reason/);
        lacks("the terminal", told, secrets);
        lacks("the state", everything(path.join(stack.home, "state")), [...secrets, logLine]);
        lacks("the sandbox's journal", JSON.stringify(await sandbox.journal()), [...secrets, logLine, reason]);
        await stack.destroy(talkative);
        await stack.remove();
        assert.deepEqual(await sandbox.leftovers(), []);
    });
}

test("what a program printed instead of credentials is told to nobody", async () => {
    fs.writeFileSync(log, "");
    const aws = path.join(home, "aws");
    fs.writeFileSync(aws, `[default]\ncredential_process = sh -c "echo hush-printed; echo hush-complained >&2; exit 3"\n`);
    const stack = await TestStack.create(sandbox, async () => {
        new lambdaRollout.FunctionRollout("orders", { functionName: "orders", version: "1" });
    }, { plugin: home, env: { AWS_ACCESS_KEY_ID: "", AWS_SECRET_ACCESS_KEY: "", AWS_CONFIG_FILE: aws } });
    const failure = await failureOf(stack.up());
    assert.match(failure, /no usable AWS credentials from the environment \(.*exited with .* 3\)/);
    lacks("the terminal", failure, ["hush-printed", "hush-complained"]);
    lacks("the provider's standard error", fs.readFileSync(log, "utf8"), ["hush-printed", "hush-complained"]);
    await stack.remove();
});

/** All files of a folder as one text. */
function everything(folder: string): string {
    const files = fs.readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    return files.map((file) => fs.readFileSync(path.join(file.parentPath, file.name), "utf8")).join("\n");
}
