import { rollout } from "lambda-rollout-hooks";
import { FakeCodeDeploy, fakeContext, fakeEvent } from "lambda-rollout-hooks/testing";

const codeDeploy = await FakeCodeDeploy.start();
console.log("import:", (await rollout.handler(() => {})(fakeEvent(), fakeContext())).status, codeDeploy.reports.length);
await codeDeploy.stop();
