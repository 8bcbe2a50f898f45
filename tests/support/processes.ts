// The processes of a run: the CLI, and the providers that its engine has started.

import { execFileSync } from "node:child_process";
import { until } from "./until";

interface Process {
    pid: number;
    parent: number;
    /** How it is; an orphan that nobody has buried yet is a zombie. */
    state: string;
    command: string;
}

export type Whom = "the CLI" | "the CLI and its providers";

/** Those of one `pulumi` command that runs now, found by the name of its stack. */
export class Run {
    private constructor(private readonly cli: number, private readonly providers: number[]) {}

    static of(stack: string): Run {
        const all = processes();
        const clis = all.filter(({ parent, command }) => parent === process.pid && `${command} `.includes(` --stack ${stack} `));
        if (clis.length !== 1) throw new Error(`one CLI should be at work on ${stack}, and there are ${clis.length}`);
        const [{ pid: cli }] = clis;
        const providers = all.filter(({ parent, command }) => parent === cli && command.includes("pulumi-resource-"));
        return new Run(cli, providers.map(({ pid }) => pid));
    }

    /** What the terminal does to the CLI when somebody presses Ctrl-C. */
    interrupt(): void {
        send("SIGINT", this.cli);
    }

    kill(whom: Whom): void {
        for (const pid of whom === "the CLI" ? [this.cli] : [this.cli, ...this.providers]) send("SIGKILL", pid);
    }

    /** Waits until no process of it is left. */
    async ended(): Promise<void> {
        const ours = new Set([this.cli, ...this.providers]);
        await until(() => !processes().some(({ pid, state }) => ours.has(pid) && !state.startsWith("Z")));
    }
}

function send(signal: NodeJS.Signals, pid: number) {
    try {
        process.kill(pid, signal);
    } catch (error) {
        // It may have ended in the same moment.
        if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
    }
}

function processes(): Process[] {
    const listed = execFileSync("ps", ["-A", "-o", "pid=,ppid=,stat=,args="], { encoding: "utf8", maxBuffer: 1 << 26 });
    return listed.trim().split("\n").map((line) => {
        const [pid, parent, state, ...command] = line.trim().split(/\s+/);
        return { pid: Number(pid), parent: Number(parent), state, command: command.join(" ") };
    });
}
