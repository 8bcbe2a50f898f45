// Calls a provider with the protocol's official JavaScript client, and checks every answer.
"use strict";

const assert = require("node:assert/strict");
const grpc = require("@grpc/grpc-js");
const empty = require("google-protobuf/google/protobuf/empty_pb.js");
const struct = require("google-protobuf/google/protobuf/struct_pb.js");
const plugin = require("@pulumi/pulumi/proto/plugin_pb.js");
const provider = require("@pulumi/pulumi/proto/provider_pb.js");
const { ResourceProviderClient } = require("@pulumi/pulumi/proto/provider_grpc_pb.js");
const { Status } = require("@pulumi/pulumi/proto/status_pb.js");

const [address, engine] = process.argv.slice(2);
const URN = "urn:pulumi:dev::project::echo:index:Thing::thing";
const MARK = "4dabf18193072939515e22adb298388d";
const UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";
const SECRET = "1b47061264138c4ac30d75fd1eb44270";
const secret = (value) => ({ [MARK]: SECRET, value });
const wire = (properties) => struct.Struct.fromJavaScript(properties);

const client = new ResourceProviderClient(address, grpc.credentials.createInsecure());

/** A message with some of its fields set. */
function message(Type, fields) {
    const result = new Type();
    for (const [name, value] of Object.entries(fields)) {
        result[`set${name[0].toUpperCase()}${name.slice(1)}`](value);
    }
    return result;
}

const call = (name, request) =>
    new Promise((resolve, reject) =>
        client[name](request, (error, response) => (error ? reject(error) : resolve(response))),
    );

async function failure(name, request) {
    return call(name, request).then(
        () => assert.fail(`${name} should have failed`),
        (error) => error,
    );
}

/** The partial state in an error, read with the official messages. */
function partial(error) {
    const status = Status.deserializeBinary(error.metadata.get("grpc-status-details-bin")[0]);
    assert.equal(status.getMessage(), error.details);
    const [any] = status.getDetailsList();
    return any.unpack(provider.ErrorResourceInitFailed.deserializeBinary, "pulumirpc.ErrorResourceInitFailed");
}

async function begin() {
    const can = await call("handshake", message(provider.ProviderHandshakeRequest, { engineAddress: engine }));
    assert.equal(can.getAcceptSecrets() && can.getAcceptResources(), true);
    await call("attach", message(plugin.PluginAttach, { address: engine }));
    assert.equal((await call("getPluginInfo", new empty.Empty())).getVersion(), "1.2.3");
    const schema = await call("getSchema", new provider.GetSchemaRequest());
    assert.equal(JSON.parse(schema.getSchema()).name, "echo");
    const args = { region: "here", token: secret("t") };
    const checked = await call("checkConfig", message(provider.CheckRequest, { urn: URN, news: wire({ region: "here" }) }));
    assert.deepEqual(checked.getInputs().toJavaScript(), { region: "here" });
    const configured = await call("configure", message(provider.ConfigureRequest, { args: wire(args) }));
    assert.equal(configured.getSupportspreview(), true);
}

async function check() {
    const inputs = { text: secret("s"), flag: UNKNOWN, names: ["a", UNKNOWN], tags: { k: "v" } };
    const good = await call("check", message(provider.CheckRequest, { urn: URN, olds: wire({}), news: wire(inputs) }));
    assert.deepEqual(good.getInputs().toJavaScript(), inputs);
    assert.deepEqual(good.getFailuresList(), []);
    const bad = await call("check", message(provider.CheckRequest, { urn: URN, news: wire({ flag: "yes" }) }));
    assert.deepEqual(
        bad.getFailuresList().map((failed) => failed.toObject()),
        [
            { property: "", reason: "text is required, but was not given" },
            { property: "flag", reason: 'must be true or false, not "yes"' },
        ],
    );
}

async function diff() {
    const old = wire({ text: "t", tags: { "a.b": "1", same: "x" } });
    const news = wire({ text: secret("t"), tags: { "a.b": "2", same: "x" } });
    const answer = await call("diff", message(provider.DiffRequest, { urn: URN, olds: old, oldInputs: old, news }));
    assert.equal(answer.getChanges(), provider.DiffResponse.DiffChanges.DIFF_SOME);
    const changes = answer.getDetaileddiffMap();
    assert.deepEqual([...changes.keys()], ['tags["a.b"]']);
    assert.deepEqual(changes.get('tags["a.b"]').toObject(), { kind: 4, inputdiff: true });
    assert.deepEqual(answer.getReplacesList(), []);
}

async function change() {
    const create = (inputs, more) =>
        message(provider.CreateRequest, { urn: URN, properties: wire({ text: "t", ...inputs }), ...more });
    const created = await call("create", create({ tags: { k: secret("v") } }, { timeout: 3 }));
    assert.equal(created.getId(), "thing-1");
    assert.equal(created.getProperties().toJavaScript().timeout, 3);
    assert.deepEqual(created.getProperties().toJavaScript().tags, { k: secret("v") });
    const preview = await call("create", create({ behaviour: "vague" }, { preview: true }));
    assert.equal(preview.getProperties().toJavaScript().vague, UNKNOWN);

    const state = partial(await failure("create", create({ behaviour: "partial" })));
    assert.equal(state.getId(), "thing-1");
    assert.deepEqual(state.getReasonsList(), ["It failed on demand.", "Ask for something else."]);
    assert.equal(state.getProperties().toJavaScript().text, "t");

    const update = { id: "thing-1", urn: URN, olds: wire({}), oldInputs: wire({}), news: wire({ text: "new" }) };
    const updated = await call("update", message(provider.UpdateRequest, update));
    assert.equal(updated.getProperties().toJavaScript().text, "new");
}

async function readAndDelete() {
    const gone = await call("read", message(provider.ReadRequest, { id: "gone", urn: URN }));
    assert.equal(gone.getId(), "");
    assert.equal(gone.hasProperties(), false);
    const found = await call("read", message(provider.ReadRequest, { id: "thing-1", urn: URN }));
    assert.deepEqual(found.getInputs().toJavaScript(), { text: "found" });
    await call("delete", message(provider.DeleteRequest, { id: "thing-1", urn: URN }));
}

async function functions() {
    const request = { tok: "echo:index:say", args: wire({ what: secret("hi") }) };
    const answer = await call("invoke", message(provider.InvokeRequest, request));
    assert.deepEqual(answer.getReturn().toJavaScript(), { what: secret("hi"), preview: false });
    const mapping = await call("getMapping", message(provider.GetMappingRequest, { key: "terraform" }));
    assert.equal(mapping.getProvider(), "");
    for (const [name, request] of [
        ["construct", new provider.ConstructRequest()],
        ["call", new provider.CallRequest()],
        ["parameterize", new provider.ParameterizeRequest()],
    ]) {
        assert.equal((await failure(name, request)).code, grpc.status.UNIMPLEMENTED);
    }
}

/** A creation at work is cancelled and answers with what there is. */
async function cancel() {
    const properties = wire({ text: "t", behaviour: "work" });
    const work = failure("create", message(provider.CreateRequest, { urn: URN, properties }));
    const crash = message(provider.CreateRequest, { urn: URN, properties: wire({ text: "t", behaviour: "crash" }) });
    assert.equal((await failure("create", crash)).code, grpc.status.INTERNAL);
    await call("cancel", new empty.Empty());
    assert.deepEqual(partial(await work).getReasonsList()[0], "It was cancelled.");
}

async function main() {
    for (const part of [begin, check, diff, change, readAndDelete, functions, cancel]) {
        await part();
    }
    console.log("all calls answered");
    client.close();
}

main().catch((error) => {
    console.error(error);
    process.exitCode = 1;
});
