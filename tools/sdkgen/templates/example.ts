import * as lambdaRollout from "pulumi-lambda-rollout";

const api = new lambdaRollout.FunctionRollout("api", {
    functionName: "api",
    version: "7",
    strategy: { type: "linear", percentage: 20, interval: "2 minutes" },
});

export const target = api.targetArn;
