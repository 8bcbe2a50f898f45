// What `sst install` would write to `.sst/platform/config.d.ts`, as far as the example uses it: our own declarations, since
// SST's platform is no npm package. SST's globals for providers are the packages themselves.

import * as _aws from "@pulumi/aws";
import * as _pulumi from "@pulumi/pulumi";
import * as _lambdarollout from "pulumi-lambda-rollout";

type Input<T> = _pulumi.Input<T>;
type Output<T> = _pulumi.Output<T>;

interface App {
    name: string;
    home: "aws" | "cloudflare" | "local";
    removal?: "remove" | "retain" | "retain-all";
    protect?: boolean;
    providers?: Record<string, string | boolean | Record<string, unknown>>;
}

interface Config {
    app(input: { stage?: string }): App;
    run(): Promise<Record<string, unknown> | void>;
}

interface Permission {
    actions: string[];
    resources: Input<Input<string>[]>;
}

interface Include extends Permission {
    type: "aws.permission";
}

interface Linked {
    properties: Record<string, unknown>;
    include?: Include[];
}

declare global {
    export import aws = _aws;
    export import lambdarollout = _lambdarollout;

    const $dev: boolean;
    function $config(config: Config): Config;

    namespace sst {
        class Linkable {
            static wrap<Resource>(
                cls: { new (...args: any[]): Resource },
                callback: (resource: Resource) => Linked,
            ): void;
        }

        namespace aws {
            function permission(permission: Permission): Include;

            class Queue extends _pulumi.ComponentResource {
                constructor(name: string, args?: { fifo?: Input<boolean> });
                get arn(): Output<string>;
                get url(): Output<string>;
            }

            class Bucket extends _pulumi.ComponentResource {
                constructor(name: string, args?: { versioning?: Input<boolean> });
                get arn(): Output<string>;
                get name(): Output<string>;
            }

            interface FunctionArgs {
                handler: Input<string>;
                link?: Input<unknown[]>;
                permissions?: Input<Permission[]>;
                versioning?: Input<true>;
            }

            class Function extends _pulumi.ComponentResource {
                constructor(name: string, args: FunctionArgs);
                get arn(): Output<string>;
                get name(): Output<string>;
                get nodes(): { function: Output<_aws.lambda.Function> };
            }
        }
    }
}
