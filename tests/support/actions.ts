// What IAM asks about a request to AWS: which actions, on which resources. An operation may need more actions than the one
// of its name, and not every action can be narrowed to a resource; both as the Service Authorization Reference has it.

import { cbor } from "@smithy/core/cbor";
import { IncomingHttpHeaders } from "node:http";
import { region } from "./sandbox";

const account = "000000000000";

export interface Request {
    method: string;
    url: URL;
    headers: IncomingHttpHeaders;
    body: Buffer;
}

export interface Access {
    action: string;
    resource: string;
    /** Condition keys that IAM knows of this access. */
    context?: Record<string, string>;
}

/** Which group a deployment is of. The caller names the deployment alone; the service looks. */
export type GroupOf = (deployment: string) => Promise<string>;

export async function accesses(request: Request, groupOf: GroupOf): Promise<Access[]> {
    const service = /Credential=[^/]+\/\d+\/[^/]+\/([a-z]+)\//.exec(request.headers.authorization ?? "")?.[1];
    switch (service) {
        case "codedeploy":
            return codeDeploy(targetOf(request), json(request), groupOf);
        case "lambda":
            return lambda(request);
        case "iam":
            return iam(new URLSearchParams(request.body.toString()));
        case "monitoring":
            return cloudWatch(request.url.pathname.split("/").at(-1)!, cbor.deserialize(request.body));
        case "logs":
            return [{ action: `logs:${targetOf(request)}`, resource: arn("logs", `log-group:${json(request).logGroupName}:*`) }];
        case "sts":
            return sts(new URLSearchParams(request.body.toString()));
        default:
            throw new Error(`a request to ${service ?? "nobody"}: ${request.method} ${request.url}`);
    }
}

const targetOf = (request: Request) => `${request.headers["x-amz-target"]}`.split(".")[1];
const json = (request: Request) => JSON.parse(request.body.toString() || "{}");
const arn = (service: string, resource: string) => `arn:aws:${service}:${region}:${account}:${resource}`;
const roleArn = (name: string) => `arn:aws:iam::${account}:role/${name}`;
const passRole = (role: string) => ({
    action: "iam:PassRole", resource: role, context: { "iam:PassedToService": "codedeploy.amazonaws.com" },
});

async function codeDeploy(operation: string, input: any, groupOf: GroupOf): Promise<Access[]> {
    const { applicationName, deploymentGroupName, currentDeploymentGroupName, deploymentConfigName } = input;
    const on = (resource: string, action = operation) => ({ action: `codedeploy:${action}`, resource });
    const application = arn("codedeploy", `application:${applicationName}`);
    const group = arn("codedeploy", `deploymentgroup:${applicationName}/${deploymentGroupName ?? currentDeploymentGroupName}`);
    const config = arn("codedeploy", `deploymentconfig:${deploymentConfigName}`);
    const tagging = (resource: string) => (input.tags ? [on(resource, "TagResource")] : []);
    switch (operation) {
        case "CreateApplication":
            return [on(application), ...tagging(application)];
        case "GetApplication":
        case "DeleteApplication":
        case "ListDeploymentGroups":
            return [on(application)];
        case "CreateDeploymentGroup":
            return [on(group), ...tagging(group), passRole(input.serviceRoleArn)];
        case "UpdateDeploymentGroup":
            return [on(group), passRole(input.serviceRoleArn)];
        case "GetDeploymentGroup":
        case "DeleteDeploymentGroup":
            return [on(group)];
        case "CreateDeployment":
            return [
                on(group),
                on(config, "GetDeploymentConfig"),
                on(application, "GetApplicationRevision"),
                on(application, "RegisterApplicationRevision"),
                ...(input.overrideAlarmConfiguration ? [on(group, "UpdateDeploymentGroup")] : []),
            ];
        case "CreateDeploymentConfig":
        case "GetDeploymentConfig":
        case "DeleteDeploymentConfig":
            return [on(config)];
        case "TagResource":
        case "ListTagsForResource":
            return [on(input.ResourceArn)];
        case "GetDeployment":
            return [on(await groupOf(input.deploymentId))];
        case "BatchGetDeployments":
            return Promise.all(input.deploymentIds.map(async (id: string) => on(await groupOf(id))));
        case "ListDeployments":
            return [on(applicationName ? group : "*")];
        // These cannot be narrowed.
        case "StopDeployment":
        case "ListDeploymentTargets":
        case "GetDeploymentTarget":
            return [on("*")];
        default:
            throw new Error(`nothing is known of codedeploy:${operation}`);
    }
}

const lambdaActions: [method: string, path: RegExp, action: string][] = [
    ["GET", /^configuration$/, "GetFunctionConfiguration"],
    ["POST", /^invocations$/, "InvokeFunction"],
    ["POST", /^aliases$/, "CreateAlias"],
    ["GET", /^aliases\/(.+)$/, "GetAlias"],
    ["PUT", /^aliases\/(.+)$/, "UpdateAlias"],
    ["DELETE", /^aliases\/(.+)$/, "DeleteAlias"],
    ["GET", /^url$/, "GetFunctionUrlConfig"],
    ["POST", /^url$/, "CreateFunctionUrlConfig"],
    ["PUT", /^url$/, "UpdateFunctionUrlConfig"],
    ["DELETE", /^url$/, "DeleteFunctionUrlConfig"],
    ["GET", /^policy$/, "GetPolicy"],
    ["POST", /^policy$/, "AddPermission"],
    ["DELETE", /^policy\/.+$/, "RemovePermission"],
    ["GET", /^event-invoke-config$/, "GetFunctionEventInvokeConfig"],
];

/** The function itself and, where a version or alias is named, that: which one Lambda checks differs among its actions. */
function lambda({ method, url, body }: Request): Access[] {
    const [, name, rest] = /^\/[\d-]+\/functions\/([^/]+)\/(.*?)\/?$/.exec(decodeURIComponent(url.pathname)) ?? [];
    const known = lambdaActions.find(([verb, path]) => verb === method && path.test(rest ?? ""));
    if (!known) throw new Error(`nothing is known of ${method} ${url.pathname}`);
    const [, path, action] = known;
    const made = action === "CreateAlias" ? JSON.parse(body.toString()).Name : undefined;
    const qualifier = made ?? url.searchParams.get("Qualifier") ?? path.exec(rest)?.[1];
    const of = (resource: string) => ({ action: `lambda:${action}`, resource: arn("lambda", `function:${resource}`) });
    return qualifier ? [of(name), of(`${name}:${qualifier}`)] : [of(name)];
}

function iam(form: URLSearchParams): Access[] {
    const operation = form.get("Action")!;
    const resource = form.get("PolicySourceArn") ?? roleArn(form.get("RoleName")!);
    const tagging = operation === "CreateRole" && form.has("Tags.member.1.Key");
    return [operation, ...(tagging ? ["TagRole"] : [])].map((action) => ({ action: `iam:${action}`, resource }));
}

function cloudWatch(operation: string, input: any): Access[] {
    const on = (resource: string, action = operation) => ({ action: `cloudwatch:${action}`, resource });
    const alarm = (name: string) => arn("cloudwatch", `alarm:${name}`);
    switch (operation) {
        case "PutMetricAlarm":
            return [on(alarm(input.AlarmName)), ...(input.Tags ? [on(alarm(input.AlarmName), "TagResource")] : [])];
        case "DeleteAlarms":
            return input.AlarmNames.map((name: string) => on(alarm(name)));
        // Composite alarms are not found with less.
        case "DescribeAlarms":
        case "GetMetricData":
            return [on("*")];
        default:
            throw new Error(`nothing is known of cloudwatch:${operation}`);
    }
}

/** Who the caller is may be asked by everybody. */
function sts(form: URLSearchParams): Access[] {
    const operation = form.get("Action")!;
    return operation === "GetCallerIdentity" ? [] : [{ action: `sts:${operation}`, resource: form.get("RoleArn")! }];
}
