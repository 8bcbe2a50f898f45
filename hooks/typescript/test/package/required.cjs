const { rollout } = require("lambda-rollout-hooks");
const { FakeCodeDeploy, fakeContext, fakeEvent } = require("lambda-rollout-hooks/testing");

FakeCodeDeploy.start().then(async (codeDeploy) => {
    console.log("require:", (await rollout.handler(() => {})(fakeEvent(), fakeContext())).status, codeDeploy.reports.length);
    await codeDeploy.stop();
});
