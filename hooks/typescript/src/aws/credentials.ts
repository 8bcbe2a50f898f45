// The credentials that Lambda gives to a function.

import { exchange } from "./http.js";

export interface Credentials {
    accessKeyId: string;
    secretAccessKey: string;
    sessionToken?: string | undefined;
}

export async function credentials(signal: AbortSignal): Promise<Credentials> {
    const { env } = process;
    if (env.AWS_ACCESS_KEY_ID && env.AWS_SECRET_ACCESS_KEY) {
        return {
            accessKeyId: env.AWS_ACCESS_KEY_ID,
            secretAccessKey: env.AWS_SECRET_ACCESS_KEY,
            sessionToken: env.AWS_SESSION_TOKEN,
        };
    }
    if (env.AWS_CONTAINER_CREDENTIALS_FULL_URI) return fromContainer(env.AWS_CONTAINER_CREDENTIALS_FULL_URI, signal);
    throw new Error("there are no AWS credentials in the environment; Lambda sets AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY");
}

/** A function that was restored from a snapshot asks for its credentials, since those of the snapshot are old. */
async function fromContainer(uri: string, signal: AbortSignal): Promise<Credentials> {
    const token = process.env.AWS_CONTAINER_AUTHORIZATION_TOKEN;
    const response = await exchange({ method: "GET", url: new URL(uri), headers: token ? { authorization: token } : {}, body: "" }, signal);
    if (response.status !== 200) throw new Error(`Lambda gave no credentials: ${response.status} ${response.body}`);
    const found = JSON.parse(response.body);
    return { accessKeyId: found.AccessKeyId, secretAccessKey: found.SecretAccessKey, sessionToken: found.Token };
}
