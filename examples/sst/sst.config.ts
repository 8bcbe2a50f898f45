/// <reference path="./.sst/platform/config.d.ts" />

export default $config({
    app(input) {
        return {
            name: "orders",
            home: "aws",
            removal: input?.stage === "production" ? "retain" : "remove",
            // `sst add lambda-rollout` writes this line.
            providers: { aws: "7.48.0", "lambda-rollout": "0.1.0" },
        };
    },
    async run() {
        // What links a rollout gets its ARN and may invoke it.
        sst.Linkable.wrap(lambdarollout.FunctionRollout, (rollout) => ({
            properties: { targetArn: rollout.targetArn, latestQualifier: rollout.latestQualifier },
            include: [sst.aws.permission({ actions: ["lambda:InvokeFunction"], resources: [rollout.targetArn] })],
        }));

        const jobs = new sst.aws.Queue("Jobs");
        const uploads = new sst.aws.Bucket("Uploads");

        const orders = new sst.aws.Function("Orders", {
            handler: "src/orders.handler",
            link: [jobs, uploads],
            versioning: true, // each deployment publishes a version
        });
        const version = orders.nodes.function.version;

        // The queue and the bucket call this alias. It is there before the rollout, so they need not wait for one.
        const stable = new lambdarollout.FunctionAlias("OrdersStable", {
            functionName: orders.name,
            aliasName: "stable",
            version,
            follow: false, // it is moved by the rollout
            permissions: [{ principal: "s3.amazonaws.com", sourceArn: uploads.arn }],
        });
        // `jobs.subscribe(orders.arn)` would call the newest version at once: it knows no aliases.
        new aws.lambda.EventSourceMapping("OrdersJobs", {
            eventSourceArn: jobs.arn,
            functionName: stable.targetArn,
            batchSize: 10,
        });
        new aws.s3.BucketNotification("OrdersUploads", {
            bucket: uploads.name,
            lambdaFunctions: [{ lambdaFunctionArn: stable.targetArn, events: ["s3:ObjectCreated:*"] }],
        });

        const rollout = new lambdarollout.FunctionRollout("OrdersRollout", {
            functionName: orders.name,
            version,
        }, { dependsOn: stable });

        // Another function calls the stable version: `Resource.OrdersRollout.targetArn`.
        new sst.aws.Function("Reports", { handler: "src/reports.handler", link: [rollout] });

        return { targetArn: stable.targetArn, servingVersion: rollout.servingVersion };
    },
});
