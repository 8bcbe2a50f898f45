// What the processes of one program use, as the kernel tells it.

import * as fs from "node:fs";

/** Clock ticks a second, on every Linux that matters. */
const TICKS = 100;
const LOOK = 50;

export interface Usage {
    /** Seconds of a processor, of all processes together. */
    cpu: number;
    /** The most memory that one of them had, in KiB. */
    peak: number;
}

/** Watches the processes that are started from now on, until it is told to stop. */
export function watch(program: string) {
    const before = new Set(running(program));
    const seen = new Map<number, Usage>();
    const look = () => {
        for (const pid of running(program)) {
            const usage = before.has(pid) ? undefined : read(pid);
            if (usage) seen.set(pid, usage);
        }
    };
    const timer = setInterval(look, LOOK);
    return {
        stop(): Usage {
            clearInterval(timer);
            const all = [...seen.values()];
            return {
                cpu: all.reduce((sum, usage) => sum + usage.cpu, 0),
                peak: Math.max(0, ...all.map((usage) => usage.peak)),
            };
        },
    };
}

function running(program: string): number[] {
    const pids = fs.readdirSync("/proc").filter((name) => /^\d+$/.test(name)).map(Number);
    return pids.filter((pid) => text(`/proc/${pid}/cmdline`)?.split("\0")[0].endsWith(program));
}

function read(pid: number): Usage | undefined {
    const [stat, status] = [text(`/proc/${pid}/stat`), text(`/proc/${pid}/status`)];
    if (!stat || !status) return undefined;
    // The name, in parentheses, may hold spaces; the fields after it do not.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return {
        cpu: (Number(fields[11]) + Number(fields[12])) / TICKS,
        peak: Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0),
    };
}

/** A process may end in the same moment. */
function text(file: string): string | undefined {
    try {
        return fs.readFileSync(file, "utf8");
    } catch {
        return undefined;
    }
}
