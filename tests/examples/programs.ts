// How a program of each language is started, so that its SDK finds the engine.

import type { RunRequest } from "@pulumi/pulumi/proto/language_pb";
import * as path from "node:path";
import { root } from "../support/sandbox";
import { translate } from "./yaml";

export interface Start {
    command: string[];
    env?: Record<string, string>;
}

export type Language = (request: RunRequest, engine: string) => Promise<Start>;

/** Pulumi's own entry point for programs in TypeScript and JavaScript. */
const nodejs: Language = async (request, engine) => ({
    command: [
        process.execPath,
        require.resolve("@pulumi/pulumi/cmd/run"),
        `--monitor=${request.getMonitorAddress()}`,
        `--engine=${engine}`,
        `--project=${request.getProject()}`,
        `--stack=${request.getStack()}`,
        `--organization=${request.getOrganization()}`,
        `--parallel=${request.getParallel()}`,
        `--root-directory=${request.getInfo()?.getRootDirectory()}`,
        ...(request.getDryrun() ? ["--dry-run"] : []),
        ".",
    ],
    // Types are checked for all examples at once, by check.sh.
    env: { PULUMI_NODEJS_TYPESCRIPT: "true", PULUMI_NODEJS_TRANSPILE_ONLY: "true" },
});

const go: Language = async () => ({ command: ["go", "run", "."] });

const python: Language = async () => ({
    command: [path.join(root, ".tools/examples/bin/python"), path.join(root, "tests/examples/run_python.py")],
});

/** There is no entry point for YAML: a program of the same meaning in TypeScript is run. */
const yaml: Language = async (request, engine) => {
    await translate(request.getInfo()?.getProgramDirectory() ?? "");
    return nodejs(request, engine);
};

export const languages: Record<string, Language> = { nodejs, go, python, yaml };
