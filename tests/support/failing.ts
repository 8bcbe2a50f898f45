// A rollout of a version that fails once it has traffic, and the moment in which that traffic is taken back.

import { Shop } from "./shop";
import { Traffic } from "./traffic";

export const failingLate = `exports.handler = async (event) => { if (event.late) throw new Error("too late"); return {}; };`;

interface Scene {
    /** When the traffic begins on which the version fails. */
    begins: () => boolean | Promise<boolean>;
    /** What AWS answers late from then on, in milliseconds, so that the provider is still at it when it is disturbed. */
    late: Record<string, number>;
    /** What the provider says while the traffic is taken back. */
    sign: RegExp;
}

export class Failing {
    private traffic?: Traffic;

    private constructor(private readonly shop: Shop, private readonly scene: Scene) {
        shop.get().code = failingLate;
    }

    /** Version 2 fails while traffic shifts: CodeDeploy rolls it back. */
    static whileShifting(shop: Shop): Failing {
        // Long enough for the alarm to be heard before the last shift, also on a busy machine.
        Object.assign(shop.get().args, { strategy: { type: "canary", percentage: 50, interval: "30 minutes" } });
        return new Failing(shop, {
            begins: () => shop.sandbox.isSplit("orders"),
            late: { BatchGetDeployments: 1000, GetAlias: 10_000 },
            sign: /version 2 failed; rollback d-\w+ is running/,
        });
    }

    /** Version 2 fails when CodeDeploy is done with it: the provider starts the way back. */
    static whileBaking(shop: Shop): Failing {
        Object.assign(shop.get().args, { strategy: { type: "allAtOnce" }, bake: "20 minutes" });
        return new Failing(shop, {
            begins: () => shop.said.includes("watching for"),
            late: { CreateDeployment: 4000 },
            sign: /going back to version 1/,
        });
    }

    /** Whether traffic is taken back now; to be asked again and again while version 2 is rolled out. */
    async isTakenBack(): Promise<boolean> {
        const { shop, scene } = this;
        if (!this.traffic && (await scene.begins())) {
            for (const [operation, delayMs] of Object.entries(scene.late)) await shop.sandbox.fault({ operation, kind: "delay", delayMs });
            this.traffic = new Traffic(shop.sandbox, shop.target(), () => ({ late: true }));
        }
        return scene.sign.test(shop.said);
    }

    /** No more of that traffic, and AWS is as fast as ever. */
    async ends(): Promise<void> {
        await this.traffic?.stop();
        await this.shop.sandbox.forgetFaults();
    }
}
