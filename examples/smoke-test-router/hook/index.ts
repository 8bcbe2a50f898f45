// Runs before the new version gets any traffic, and goes through the same door as everybody. If it throws, the version
// gets none.

import { rollout } from "lambda-rollout-hooks";

export const handler = rollout.handler(async () => {
    const answer = await fetch(`${process.env.ROUTER_URL}health`, { headers: { "x-version": "latest" } });
    if (!answer.ok) throw new Error(`/health said ${answer.status}`);
});
