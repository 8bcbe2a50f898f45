// The test kit: `import { FakeCodeDeploy, fakeContext, fakeEvent } from "lambda-rollout-hooks/testing"`.

export { fakeContext, fakeEvent } from "./fakes.js";
export { FakeCodeDeploy, type FakeOptions, type Report } from "./fake-code-deploy.js";
