// Collects the lines that a hook writes into its log.

export interface Line {
    lambdaRollout: string;
    deploymentId: string;
    status: string;
    verdict?: string;
    reason?: string;
    requestId?: string;
    level: string;
    timestamp: string;
    stack?: string;
}

export async function logged<T>(run: () => Promise<T>): Promise<{ result?: T; error?: unknown; lines: Line[] }> {
    const lines: Line[] = [];
    const write = process.stderr.write;
    process.stderr.write = ((text: string) => {
        if (!text.startsWith('{"lambdaRollout":"hook","deploymentId":"d-') || !text.endsWith("}\n")) throw new Error(`not a line: ${text}`);
        return lines.push(JSON.parse(text)) > 0;
    }) as typeof write;
    try {
        return { result: await run(), lines };
    } catch (error) {
        return { error, lines };
    } finally {
        process.stderr.write = write;
    }
}
