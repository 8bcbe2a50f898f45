// What SST would write to `sst-env.d.ts`, and the part of its npm package that the example uses.

declare module "sst" {
    export const Resource: {
        OrdersRollout: { type: string; targetArn: string; latestQualifier: string };
    };
}

declare module "aws-lambda" {
    export interface SQSEvent {
        Records: { messageId: string; body: string }[];
    }
    export interface S3Event {
        Records: { s3: { bucket: { name: string }; object: { key: string } } }[];
    }
}
