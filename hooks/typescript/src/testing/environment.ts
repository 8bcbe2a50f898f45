// The variables that send the SDK to the fake, and never anywhere else.

export class Environment {
    private constructor(private readonly before: Record<string, string | undefined>) {}

    static pointAt(url: string): Environment {
        const variables: Record<string, string> = {
            AWS_ENDPOINT_URL_CODEDEPLOY: url,
            AWS_ENDPOINT_URL_LAMBDA: url,
            AWS_REGION: "us-east-1",
            AWS_ACCESS_KEY_ID: "fake",
            AWS_SECRET_ACCESS_KEY: "fake",
            AWS_SESSION_TOKEN: "fake",
        };
        const before = Object.fromEntries(Object.keys(variables).map((name) => [name, process.env[name]]));
        Object.assign(process.env, variables);
        return new Environment(before);
    }

    restore(): void {
        for (const [name, value] of Object.entries(this.before)) {
            if (value === undefined) delete process.env[name];
            else process.env[name] = value;
        }
    }
}
