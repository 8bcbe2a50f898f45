// A function whose alias is deployed through a group that somebody else made, and the resources that do it.

import * as pulumi from "@pulumi/pulumi";
import * as lambdaRollout from "pulumi-lambda-rollout";
import { hookFunction, publishedFunction } from "./programs";

/** What the group is called in the sandbox's account; `Sandbox.makeGroup` makes it. */
export const theirs = { applicationName: "theirs", deploymentGroupName: "group" };

/** The group's role may call hooks of such names alone. */
const hookName = "CodeDeployHook_guard";

export interface Brought {
    code: string;
    /** The version, if the function is another stack's, and the hook too. */
    version?: string;
    /** The code of a hook that is called before traffic. */
    guard?: string;
    /** The name of the alias's resource, and that of the deployment's and the waiter's. */
    names?: { alias: string; deployment: string };
    /** Those of all three resources. */
    options?: pulumi.CustomResourceOptions;
    /** With a waiter for the deployment. */
    waiter?: Partial<lambdaRollout.DeploymentWaiterArgs>;
}

/** The function and its hook alone. */
export function declareFunctions({ code, version, guard }: Brought) {
    if (version) return { fn: { name: "orders", version }, hook: guard && { name: hookName } };
    return { fn: publishedFunction("orders", code), hook: guard && hookFunction(hookName, guard) };
}

export function declareBrought(declared: Brought) {
    const { names, options, waiter } = declared;
    const { fn, hook } = declareFunctions(declared);
    const alias = new lambdaRollout.FunctionAlias(names?.alias ?? "orders", {
        functionName: fn.name, aliasName: "live", version: fn.version, follow: false,
    }, options);
    const name = names?.deployment ?? "orders";
    const deployment = new lambdaRollout.LambdaDeployment(name, {
        ...theirs,
        functionName: fn.name,
        aliasName: alias.aliasName,
        version: fn.version,
        ...(hook && { hooks: { beforeTraffic: hook.name } }),
    }, options);
    if (waiter) new lambdaRollout.DeploymentWaiter(name, { deploymentIds: [deployment.deploymentId], ...waiter }, options);
    return { fn, alias, deployment };
}
