// Where a function waits until the test lets it go on, so that nothing depends on how fast a machine is.

import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";

/** The sandbox runs functions on this machine, so a folder is all that is needed. */
export class Gate {
    private readonly folder = fs.mkdtempSync(path.join(os.tmpdir(), "lambda-rollout-gate-"));

    /** What stands in a function's code before that for which it has to wait. */
    get wait(): string {
        const [reached, opened] = [this.file("reached"), this.file("opened")].map((file) => JSON.stringify(file));
        return `
            require("fs").writeFileSync(${reached}, "");
            while (!require("fs").existsSync(${opened})) await new Promise((resolve) => setTimeout(resolve, 20));`;
    }

    get isReached(): boolean {
        return fs.existsSync(this.file("reached"));
    }

    open(): void {
        fs.writeFileSync(this.file("opened"), "");
    }

    close(): void {
        fs.rmSync(this.folder, { recursive: true });
    }

    private file(name: string): string {
        return path.join(this.folder, name);
    }
}
