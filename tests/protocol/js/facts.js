// Prints what the protocol's generated JavaScript code knows of its messages, enums and calls: one fact a line.
// Names are in lower case and without underscores, because the generated code has lost both.
"use strict";

const fs = require("fs");

const FILES = ["provider", "plugin", "errors", "engine"];
const source = (name) => fs.readFileSync(require.resolve(`@pulumi/pulumi/proto/${name}.js`), "utf8");
const plain = (name) => name.toLowerCase().replaceAll("_", "");

/** The type that a case of a message's reader reads. */
function typeOf(body) {
    const map = body.match(/jspb\.Map\.deserializeBinary\(message, reader, (.*)\)/);
    if (map) {
        const [key, value, of] = map[1].split(", ").map((part) => part.trim());
        return `map<${scalar(key)},${value.endsWith("readMessage") ? reference(of) : scalar(value)}>`;
    }
    const message = body.match(/new ([\w.]+)/);
    if (message) {
        return reference(message[1]);
    }
    const enumeration = body.match(/@type \{!(proto\.pulumirpc\.[\w.]+)\}/);
    return enumeration ? reference(enumeration[1]) : scalar(body);
}

const scalar = (text) => text.match(/read(?:Packed)?([A-Z]\w+)/)[1].toLowerCase();

const reference = (name) =>
    name
        .replace(/^proto\./, "")
        .replace(/^google_protobuf_\w+_pb\./, "google.protobuf.")
        .replace(/\.deserializeBinaryFromReader$/, "");

function printMessage(name, reader, writer) {
    for (const [, number, body] of reader.matchAll(/case (\d+):\n([\s\S]*?)break;/g)) {
        const [, verb, field] = body.match(/msg\.(set|add|get)(\w+?)(?:Map|\$)?\(/);
        const optional = new RegExp(`jspb\\.Message\\.getField\\(message, ${number}\\)`).test(writer);
        const label = verb === "add" ? "repeated " : optional ? "optional " : "";
        console.log(`field ${name} ${number} ${plain(field)} ${label}${typeOf(body)}`);
    }
}

for (const file of FILES) {
    const code = source(`${file}_pb`);
    const bodies = (method) =>
        new Map(
            [...code.matchAll(new RegExp(`^proto\\.(pulumirpc\\.[\\w.]+)\\.${method} = function\\(.*\\{\\n([\\s\\S]*?)^\\};`, "gm"))]
                .map(([, name, body]) => [name, body]),
        );
    const writers = bodies("serializeBinaryToWriter");
    for (const [name, reader] of bodies("deserializeBinaryFromReader")) {
        console.log(`message ${name}`);
        printMessage(name, reader, writers.get(name));
    }
    for (const [, name, values] of code.matchAll(/^proto\.(pulumirpc\.[\w.]+) = \{\n([\s\S]*?)\n\};/gm)) {
        for (const [, value, number] of values.matchAll(/(\w+): (\d+)/g)) {
            console.log(`enum ${name} ${value} ${number}`);
        }
    }
}

for (const file of ["provider_grpc_pb", "engine_grpc_pb"]) {
    const calls = /path: '\/pulumirpc\.(\w+)\/(\w+)',\s*requestStream: (\w+),\s*responseStream: (\w+),\s*requestType: ([\w.]+),\s*responseType: ([\w.]+)/g;
    for (const [, service, call, requests, responses, request, response] of source(file).matchAll(calls)) {
        const type = (name) => name.replace(/^google_protobuf_\w+_pb\./, "google.protobuf.").replace(/^(?:pulumi_)?\w+_pb\./, "pulumirpc.");
        console.log(`call ${service} ${call} ${type(request)} ${type(response)} ${requests} ${responses}`);
    }
}
