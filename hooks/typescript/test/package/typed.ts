import { rollout, type HookEvent, type Verdict } from "lambda-rollout-hooks";
import { FakeCodeDeploy, fakeContext, fakeEvent } from "lambda-rollout-hooks/testing";

export const handler = rollout.handler(async (event: HookEvent) => {
    const answer: { ok: boolean } = await rollout.invoke<{ ok: boolean }>({ version: event.targetVersion });
    if (!answer.ok) throw new Error("not ok");
});

export async function run(): Promise<Verdict> {
    const codeDeploy = await FakeCodeDeploy.start({ answer: () => ({ ok: true }) });
    await codeDeploy.stop();
    return handler(fakeEvent(), fakeContext({ timeout: 3 }));
}

// @ts-expect-error: a test that returns false would be taken for a success
rollout.handler(async () => false);

// @ts-expect-error: there are two statuses
void rollout.report(fakeEvent(), "Passed");
