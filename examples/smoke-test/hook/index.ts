// Runs before the new version gets any traffic. If it throws, the version gets none.

import { rollout } from "lambda-rollout-hooks";

export const handler = rollout.handler(async () => {
    const answer = await rollout.invoke<{ orders: string[] }>({ path: "/orders" });
    if (answer.orders.length === 0) throw new Error("the new version has lost all orders");
});
