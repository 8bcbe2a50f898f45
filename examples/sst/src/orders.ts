import type { S3Event, SQSEvent } from "aws-lambda";

export const handler = async (event: SQSEvent | S3Event) => {
    for (const record of event.Records) {
        if ("s3" in record) console.log(`uploaded: ${record.s3.object.key}`);
        else console.log(`job: ${record.body}`);
    }
};
