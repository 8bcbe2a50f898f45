// Types of programs that are nowhere in a file: against the real declarations of @pulumi/aws and of our SDK; what is
// SST's, against declarations of our own.

import * as path from "node:path";
import * as ts from "typescript";
import { root } from "../support/sandbox";

export interface Program {
    /** For a person. */
    place: string;
    code: string;
    /** Whether it is a translation, whose lines nobody has seen. */
    translated?: boolean;
}

const options: ts.CompilerOptions = {
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.Node16,
    moduleResolution: ts.ModuleResolutionKind.Node16,
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    types: ["node"],
};

const sst = ["tests/examples/sst/config.d.ts", "tests/support/sst.d.ts"].map((file) => path.join(root, file));

/** "used before its declaration": the order is free in YAML. */
const orderInYaml = new Set([2448, 2454]);
/** "is missing in": right where a line says by an ellipsis that there is more. */
const missing = new Set([2739, 2740, 2741]);

/** What is wrong with the programs, as lines for a person. */
export function typeProblems(programs: Program[]): string[] {
    const files = new Map(programs.map((program, index) => [path.join(root, `checked.${index}.ts`), program]));
    const host = ts.createCompilerHost(options);
    const { getSourceFile, fileExists, readFile } = host;
    host.fileExists = (name) => files.has(name) || fileExists(name);
    host.readFile = (name) => files.get(name)?.code ?? readFile(name);
    host.getSourceFile = (name, version, ...rest) => {
        const program = files.get(name);
        return program ? ts.createSourceFile(name, program.code, version) : getSourceFile(name, version, ...rest);
    };
    const program = ts.createProgram([...files.keys(), ...sst], options, host);
    return ts.getPreEmitDiagnostics(program).flatMap((diagnostic) => {
        const source = diagnostic.file && files.get(diagnostic.file.fileName);
        return source && isMeant(diagnostic, source) ? [] : [describe(diagnostic, source)];
    });
}

function isMeant(diagnostic: ts.Diagnostic, { code, translated }: Program): boolean {
    if (translated) return orderInYaml.has(diagnostic.code);
    return lineOf(diagnostic, code).includes("/* … */") && codes(diagnostic).some((code) => missing.has(code));
}

/** The codes of the message and of all that explain it. */
function codes(diagnostic: ts.Diagnostic): number[] {
    const within = (chain: ts.DiagnosticMessageChain): number[] => [chain.code, ...(chain.next ?? []).flatMap(within)];
    const { code, messageText } = diagnostic;
    return typeof messageText === "string" ? [code] : within(messageText);
}

function describe(diagnostic: ts.Diagnostic, source?: Program): string {
    const message = ts.flattenDiagnosticMessageText(diagnostic.messageText, "\n");
    if (source === undefined) return `${diagnostic.file?.fileName}: ${message}`;
    if (source.translated) return `${source.place}: ${message}\n    in ${lineOf(diagnostic, source.code).trim()}`;
    return `${source.place}:${lineNumber(diagnostic) + 1}: ${message}`;
}

const lineNumber = ({ file, start }: ts.Diagnostic) => file?.getLineAndCharacterOfPosition(start ?? 0).line ?? 0;

const lineOf = (diagnostic: ts.Diagnostic, code: string) => code.split("\n")[lineNumber(diagnostic)];
