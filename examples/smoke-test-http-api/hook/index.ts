// Runs before the new version gets any traffic. If it throws, the version gets none.

import { rollout } from "lambda-rollout-hooks";

export const handler = rollout.handler(async () => {
    const answer = await fetch(`${process.env.LATEST_URL}/health`);
    if (!answer.ok) throw new Error(`/health said ${answer.status}`);
});
