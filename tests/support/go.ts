// Where Go programs find the modules that they would otherwise download: our SDK, and the stand-in for Pulumi's for AWS.

import * as fs from "node:fs/promises";
import * as path from "node:path";
import { root } from "./sandbox";

/** Makes `folder` a workspace around the module in its folder `name`. */
export async function goWorkspace(folder: string, name: string): Promise<void> {
    await fs.writeFile(path.join(folder, "go.work"), workspace(name));
    await fs.copyFile(path.join(root, "tests/go/go.sum"), path.join(folder, "go.work.sum"));
}

const workspace = (name: string) => `go 1.25.11

use ./${name}

replace (
	github.com/lambda-rollout/pulumi-lambda-rollout/sdk-gen/go/lambdarollout => ${root}/sdk-gen/go/lambdarollout
	github.com/pulumi/pulumi-aws/sdk/v7 => ${root}/tests/examples/go-aws
)
`;
