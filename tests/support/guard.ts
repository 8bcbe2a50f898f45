// Stands between the provider and AWS, and lets through what the caller's policy allows: IAM in front of the sandbox, which
// itself takes anybody's word.

import { CodeDeployClient, GetDeploymentCommand } from "@aws-sdk/client-codedeploy";
import { IAMClient, SimulateCustomPolicyCommand } from "@aws-sdk/client-iam";
import * as http from "node:http";
import { AddressInfo } from "node:net";
import { Access, Request, accesses } from "./actions";
import { Grant } from "./policies";
import { Sandbox, region } from "./sandbox";

export class Guard {
    /** What the caller may do. */
    grants: Grant[] = [];
    /** What the caller did, or tried to. */
    readonly seen: Access[] = [];
    readonly refused: string[] = [];
    /** The grants that were needed. */
    readonly used = new Set<Grant>();

    private readonly answers = new Map<string, Promise<Grant[]>>();
    private readonly groups = new Map<string, string>();
    private readonly iam: IAMClient;
    private readonly codeDeploy: CodeDeployClient;
    private readonly server = http.createServer((request, answer) => {
        this.serve(request, answer).catch((error) => answer.destroy(error));
    });

    private constructor(private readonly sandbox: Sandbox) {
        this.iam = new IAMClient(sandbox.clientConfig);
        this.codeDeploy = new CodeDeployClient(sandbox.clientConfig);
    }

    static async start(sandbox: Sandbox): Promise<Guard> {
        const guard = new Guard(sandbox);
        await new Promise<void>((resolve) => guard.server.listen(0, "127.0.0.1", resolve));
        return guard;
    }

    /** Leads the provider here. The stand-in for the AWS provider reads none of these. */
    get env(): Record<string, string> {
        const url = `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
        const services = ["CODEDEPLOY", "LAMBDA", "IAM", "CLOUDWATCH", "CLOUDWATCH_LOGS", "STS"];
        return Object.fromEntries(services.map((service) => [`AWS_ENDPOINT_URL_${service}`, url]));
    }

    async stop(): Promise<void> {
        this.server.closeAllConnections();
        await new Promise((resolve) => this.server.close(resolve));
    }

    private async serve(incoming: http.IncomingMessage, answer: http.ServerResponse) {
        const chunks: Buffer[] = [];
        for await (const chunk of incoming) chunks.push(chunk);
        const { method = "GET", headers } = incoming;
        const request = { method, headers, url: new URL(incoming.url!, this.sandbox.endpoint), body: Buffer.concat(chunks) };
        const denied = await this.denied(request);
        if (denied) return refuse(answer, denied);
        const { status, headers: told, body } = await this.forward(request);
        answer.writeHead(status, told).end(body);
    }

    /** The first access of a request that no grant allows. */
    private async denied(request: Request): Promise<Access | undefined> {
        const needed = await accesses(request, (id) => this.groupOf(id));
        this.seen.push(...needed);
        let denied: Access | undefined;
        for (const access of needed) {
            const grants = await this.allowedBy(access);
            for (const grant of grants) this.used.add(grant);
            if (grants.length > 0) continue;
            this.refused.push(`${access.action} on ${access.resource}`);
            denied ??= access;
        }
        return denied;
    }

    private allowedBy(access: Access): Promise<Grant[]> {
        const key = JSON.stringify([access, this.grants]);
        const known = this.answers.get(key);
        if (known) return known;
        const asked = this.simulate(access);
        this.answers.set(key, asked);
        return asked;
    }

    /** Each grant is a policy of its own, so that the simulator says which of them it was. */
    private async simulate({ action, resource, context = {} }: Access): Promise<Grant[]> {
        const { grants } = this;
        if (grants.length === 0) return [];
        const answer = await this.iam.send(new SimulateCustomPolicyCommand({
            PolicyInputList: grants.map(({ statement }) => JSON.stringify({ Version: "2012-10-17", Statement: [statement] })),
            ActionNames: [action],
            ResourceArns: [resource],
            ContextEntries: Object.entries(context).map(([key, value]) => ({
                ContextKeyName: key, ContextKeyType: "string", ContextKeyValues: [value],
            })),
        }));
        const result = answer.EvaluationResults![0];
        if (result.EvalDecision !== "allowed") return [];
        return result.MatchedStatements!.map(({ SourcePolicyId: id }) => grants[Number(id!.split(".")[1]) - 1]);
    }

    private async groupOf(deployment: string): Promise<string> {
        const known = this.groups.get(deployment);
        if (known) return known;
        const { deploymentInfo: info } = await this.codeDeploy.send(new GetDeploymentCommand({ deploymentId: deployment }));
        const group = `arn:aws:codedeploy:${region}:000000000000:deploymentgroup:${info!.applicationName}/${info!.deploymentGroupName}`;
        this.groups.set(deployment, group);
        return group;
    }

    private forward({ method, url, headers, body }: Request): Promise<{ status: number; headers: http.IncomingHttpHeaders; body: Buffer }> {
        return new Promise((resolve, reject) => {
            const { host, port } = new URL(this.sandbox.endpoint);
            const onward = http.request({ host: "127.0.0.1", port, method, path: url.pathname + url.search, headers: { ...headers, host } });
            onward.once("error", reject).once("response", async (response) => {
                const chunks: Buffer[] = [];
                for await (const chunk of response) chunks.push(chunk);
                resolve({ status: response.statusCode!, headers: response.headers, body: Buffer.concat(chunks) });
            });
            onward.end(body);
        });
    }
}

/** In the words of most services; the AWS SDK takes them from all. */
function refuse(answer: http.ServerResponse, { action, resource }: Access) {
    const message = `the caller is not authorized to perform: ${action} on resource: ${resource}`;
    answer
        .writeHead(403, { "content-type": "application/x-amz-json-1.1", "x-amzn-errortype": "AccessDeniedException" })
        .end(JSON.stringify({ __type: "AccessDeniedException", message }));
}
