// What the guide uses of SST besides what the example does: our own declarations, as in tests/examples/sst.

import * as pulumi from "@pulumi/pulumi";

declare global {
    namespace sst.aws {
        interface Queue {
            subscribe(subscriber: pulumi.Input<string>): void;
        }

        interface Bucket {
            notify(args: { notifications: { name: string; function: pulumi.Input<string>; events?: string[] }[] }): void;
        }

        class SnsTopic extends pulumi.ComponentResource {
            constructor(name: string);
            subscribe(name: string, subscriber: pulumi.Input<string>): void;
        }

        class ApiGatewayV2 extends pulumi.ComponentResource {
            constructor(name: string);
            route(route: string, handler: pulumi.Input<string>): void;
        }

        class Cron extends pulumi.ComponentResource {
            constructor(name: string, args: { schedule: pulumi.Input<string>; function: pulumi.Input<string> });
        }
    }
}
