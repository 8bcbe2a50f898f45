//! Upgrades: states that were written by this version and earlier ones mean the same to every later one.
//!
//! `states/v1` holds what the resources had in their state in several situations. They are recorded by
//!
//!     cargo test --locked --test reliability -- --ignored record_states
//!
//! when a situation is added. A state that was recorded once stays, because stacks have it.

use std::{collections::HashSet, fs, path::PathBuf};

use lambda_rollout::pulumi::{PropertyMap, PropertyValue, properties, proto, wire};
use prost_types::value::Kind;
use serde_json::{Value, json};

use crate::{
    death::single,
    engine::{End, Resource, State},
    gate::{Gate, Verdict},
    proxy::Trouble,
    stories::Story,
    world::World,
};

const SPEED: u32 = 600;
const TOKENS: [&str; 4] = ["FunctionRollout", "FunctionAlias", "LambdaDeployment", "DeploymentWaiter"];
/// What a refresh found to be mended: the next update has something to do.
const DRIFTED: &str = "rollout-drifted";
/// What an update of it would say depends on what runs.
const IN_FLIGHT: &str = "rollout-in-flight";
/// A key of a later version that has not changed the shape.
const FROM_THE_FUTURE: &str = "fromTheFuture";
/// Keys of the private part that states have had from the beginning.
const FIRST_KEYS: [&str; 8] =
    ["v", "owner", "generation", "account", "region", "partition", "made", "triggerMark"];

/// What a stack holds of a resource, and what its program declares.
struct Recorded {
    situation: String,
    name: String,
    token: &'static str,
    declared: PropertyMap,
    state: State,
}

impl Recorded {
    fn resource(&self, world: &World) -> Resource {
        let mut resource = Resource::new(self.token, &self.name, &world.endpoint, world.speed);
        resource.state = Some(self.state.clone());
        resource
    }
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/reliability/states/v1")
}

fn all() -> Vec<Recorded> {
    let mut files: Vec<_> = fs::read_dir(folder()).unwrap().map(|file| file.unwrap().path()).collect();
    files.sort();
    files.into_iter().map(|file| read(&file)).collect()
}

fn read(file: &PathBuf) -> Recorded {
    let text: Value = serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap();
    let string = |key: &str| text[key].as_str().unwrap().to_owned();
    let map = |key: &str| from_json(&text[key]);
    Recorded {
        situation: file.file_stem().unwrap().to_str().unwrap().to_owned(),
        name: string("name"),
        token: TOKENS.into_iter().find(|token| text["token"] == *token).unwrap(),
        declared: map("declared"),
        state: State {
            id: string("id"),
            inputs: map("inputs"),
            outputs: map("outputs"),
            failed: false,
            refresh_before_update: false,
        },
    }
}

fn record(situation: &str, name: &str, resource: &Resource, declared: &PropertyMap) {
    let file = folder().join(format!("{situation}.json"));
    if file.exists() {
        return;
    }
    let state = resource.state.as_ref().unwrap();
    let recorded = json!({
        "token": resource.token, "name": name, "id": state.id, "declared": to_json(declared),
        "inputs": to_json(&state.inputs), "outputs": to_json(&state.outputs),
    });
    let text = serde_json::to_string_pretty(&recorded).unwrap();
    fs::create_dir_all(folder()).unwrap();
    fs::write(file, text + "\n").unwrap();
}

fn to_json(map: &PropertyMap) -> Value {
    fn plain(value: prost_types::Value) -> Value {
        match value.kind.unwrap() {
            Kind::NullValue(_) => Value::Null,
            Kind::NumberValue(number) => json!(number),
            Kind::StringValue(text) => json!(text),
            Kind::BoolValue(flag) => json!(flag),
            Kind::StructValue(object) => object.fields.into_iter().map(|(key, v)| (key, plain(v))).collect(),
            Kind::ListValue(list) => list.values.into_iter().map(plain).collect(),
        }
    }
    wire::encode(map).fields.into_iter().map(|(key, value)| (key, plain(value))).collect()
}

fn from_json(value: &Value) -> PropertyMap {
    fn wired(value: &Value) -> prost_types::Value {
        let kind = match value {
            Value::Null => Kind::NullValue(0),
            Value::Bool(flag) => Kind::BoolValue(*flag),
            Value::Number(number) => Kind::NumberValue(number.as_f64().unwrap()),
            Value::String(text) => Kind::StringValue(text.clone()),
            Value::Array(items) => {
                Kind::ListValue(prost_types::ListValue { values: items.iter().map(wired).collect() })
            }
            Value::Object(_) => Kind::StructValue(fields(value)),
        };
        prost_types::Value { kind: Some(kind) }
    }
    fn fields(value: &Value) -> prost_types::Struct {
        let members = value.as_object().unwrap().iter();
        prost_types::Struct { fields: members.map(|(key, value)| (key.clone(), wired(value))).collect() }
    }
    wire::decode(fields(value)).unwrap()
}

/// What a preview of the program says. Of what has not changed it asks AWS nothing.
async fn preview(recorded: &Recorded, world: &World) -> (bool, PropertyMap) {
    let resource = recorded.resource(world);
    let State { id, inputs, outputs, .. } = recorded.state.clone();
    let provider = resource.start(Trouble::default()).await;
    let mut client = provider.client.clone();
    let (olds, old_inputs) = (Some(wire::encode(&outputs)), Some(wire::encode(&inputs)));
    let check = proto::CheckRequest {
        urn: resource.urn(),
        olds: old_inputs.clone(),
        news: Some(wire::encode(&recorded.declared)),
        ..proto::CheckRequest::default()
    };
    let news = client.check(check).await.unwrap().into_inner().inputs;
    let diff = proto::DiffRequest {
        id: id.clone(),
        urn: resource.urn(),
        olds: olds.clone(),
        news: news.clone(),
        old_inputs: old_inputs.clone(),
        ..proto::DiffRequest::default()
    };
    let diff = client.diff(diff).await.unwrap().into_inner();
    assert!(diff.replaces.is_empty(), "{}: {:?}", recorded.situation, diff.replaces);
    let update = proto::UpdateRequest {
        id,
        urn: resource.urn(),
        olds,
        news,
        old_inputs,
        preview: true,
        ..proto::UpdateRequest::default()
    };
    let answer = client.update(update).await.unwrap().into_inner();
    // A version that is on its way may still meet nobody.
    let asks = usize::from(recorded.situation == IN_FLIGHT);
    assert_eq!(provider.proxy.calls(), asks, "{}: what a preview asks AWS", recorded.situation);
    let changes = diff.changes != i32::from(proto::diff_response::DiffChanges::DiffNone);
    (changes, wire::decode(answer.properties.unwrap()).unwrap())
}

async fn means_nothing_to_do(recorded: &Recorded, world: &World, shape: &str) {
    let situation = &recorded.situation;
    let (changes, outputs) = preview(recorded, world).await;
    assert_eq!(changes, situation == DRIFTED, "{situation}, {shape}");
    let known = |key: &&String| !key.starts_with("__") && *key != FROM_THE_FUTURE;
    let settled = situation != DRIFTED && situation != IN_FLIGHT;
    for key in recorded.state.outputs.keys().filter(known).filter(|_| settled) {
        let value = &recorded.state.outputs[key];
        let kept = outputs.get(key).is_some_and(|previewed| previewed.same_as(value));
        assert!(kept, "{situation}, {shape}: {key} was {value:?} and is {:?}", outputs.get(key));
    }
    if situation != DRIFTED {
        let mut resource = recorded.resource(world);
        assert_eq!(resource.up(&recorded.declared).await, End::Same, "{situation}, {shape}");
        assert_eq!(resource.calls, 0, "{situation}, {shape}: an update without a change asks AWS");
    }
}

/// The private part of a state, if its resource keeps one.
fn private(state: &mut State) -> Option<&mut PropertyMap> {
    match state.outputs.get_mut("__rollout") {
        Some(PropertyValue::Object(private)) => Some(private),
        _ => None,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_recorded_state_means_the_same_today() {
    let world = World::start(SPEED).await;
    let recorded = all();
    for token in TOKENS {
        assert!(recorded.iter().any(|one| one.token == token), "nothing of a {token} is recorded");
    }
    for one in &recorded {
        means_nothing_to_do(one, &world, "as recorded").await;
    }
    assert_eq!(world.pieces_of("states").await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn states_without_the_keys_that_came_later_and_with_unknown_ones_mean_the_same() {
    let world = World::start(SPEED).await;
    for mut one in all().into_iter().filter(|one| one.situation != DRIFTED) {
        one.state.outputs.insert(FROM_THE_FUTURE.to_owned(), "some text".into());
        if let Some(private) = private(&mut one.state) {
            private.insert(FROM_THE_FUTURE.to_owned(), PropertyValue::Array(vec!["a".into()]));
        }
        means_nothing_to_do(&one, &world, "with unknown keys").await;
        one.state.outputs.remove(FROM_THE_FUTURE);
        if let Some(private) = private(&mut one.state) {
            private.retain(|key, _| FIRST_KEYS.contains(&key.as_str()));
        }
        means_nothing_to_do(&one, &world, "with the first keys alone").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rollout_goes_on_from_an_old_state_without_deploying() {
    let world = World::start(SPEED).await;
    world.make_function("older").await;
    let first = world.publish("older", "first", true).await;
    let second = world.publish("older", "second", true).await;
    let mut story = Story::new(&world, "older");
    story.settles(&first, &first).await;
    story.settles(&second, &second).await;
    let state = story.rollout.state.as_mut().unwrap();
    private(state).unwrap().retain(|key, _| FIRST_KEYS.contains(&key.as_str()));
    let mut declared = story.declared(&second);
    declared.insert("bake".to_owned(), "2 minutes".into());
    assert_eq!(story.rollout.up(&declared).await, End::Done);
    assert_eq!(world.deployments("older").await.len(), 1, "it was deployed again");
    story.settles_as(&declared, &second).await;
    story.vanishes().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_state_of_a_later_version_is_refused_by_every_operation() {
    let world = World::start(SPEED).await;
    let mut refused = HashSet::new();
    for mut one in all() {
        // A waiter that was made before waiters had a private part.
        let Some(private) = private(&mut one.state) else { continue };
        refused.insert(one.token);
        private.insert("v".to_owned(), 2.0.into());
        let mut resource = one.resource(&world);
        for end in [resource.up(&one.declared).await, resource.refresh().await, resource.destroy().await] {
            let End::Failed(message) = end else { panic!("{}: {end:?}", one.situation) };
            assert!(message.contains("upgrade the plugin"), "{}: {message}", one.situation);
            assert_eq!(resource.calls, 0, "{}: AWS was asked", one.situation);
        }
        assert!(resource.state.is_some(), "{}: the state was dropped", one.situation);
    }
    assert_eq!(refused, HashSet::from(TOKENS), "a resource whose state has no shape");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_waiter_from_before_waiters_had_a_shape_gets_one_with_its_next_update() {
    let world = World::start(SPEED).await;
    let mut old = all().into_iter().find(|one| one.situation == "waiter-of-one").unwrap();
    let mut waiter = old.resource(&world);
    old.declared.insert("onFailed".to_owned(), "fail".into());
    assert_eq!(waiter.up(&old.declared).await, End::Done);
    let state = waiter.state.as_mut().unwrap();
    assert!(state.outputs["deployments"].same_as(&old.state.outputs["deployments"]), "{:?}", state.outputs);
    let shape = private(state).and_then(|private| private.get("v")?.as_number());
    assert_eq!(shape, Some(1.0));
    assert_eq!(waiter.up(&old.declared).await, End::Same);
}

/// Makes every situation, and writes down what is in the state then.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "records the states that other tests read"]
async fn record_states() {
    let world = World::start(SPEED).await;
    let function = "states";
    world.make_function(function).await;
    let first = world.publish(function, "first", true).await;
    let second = world.publish(function, "second", true).await;
    let bad = world.publish(function, "bad", false).await;
    let mut story = Story::new(&world, function);
    let keep = |situation: &str, story: &Story<'_>, declared: &PropertyMap| {
        record(situation, story.function, &story.rollout, declared);
    };

    let mut declared = story.declared(&first);
    story.rollout.up(&declared).await;
    keep("rollout-fresh", &story, &declared);
    declared = story.declared(&second);
    story.rollout.up(&declared).await;
    keep("rollout-after-a-rollout", &story, &declared);
    declared = story.declared(&bad);
    assert!(matches!(story.rollout.up(&declared).await, End::Failed(_)));
    story.rollout.up(&declared).await;
    keep("rollout-after-a-failed-version", &story, &declared);

    // Everything that a rollout can have, and a group of an earlier name that could not be deleted.
    let gate = Gate::before(&world.endpoint).await;
    gate.judge(|call| {
        let denied = ["DeleteDeploymentGroup", "DeleteApplication"].iter().any(|kind| call.is(kind));
        if denied { Verdict::Refuse(400, "AccessDeniedException") } else { Verdict::Pass }
    });
    story.rollout.endpoint.clone_from(&gate.url);
    declared = story.declared(&second);
    declared.insert("applicationName".to_owned(), "renamed-states".into());
    let url = properties([("authorizationType", "AWS_IAM".into())]);
    declared.insert("functionUrl".to_owned(), PropertyValue::Object(url));
    declared.insert("triggers".to_owned(), PropertyValue::Object(properties([("run", "1".into())])));
    declared.insert("tags".to_owned(), PropertyValue::Object(properties([("team", "shop".into())])));
    story.rollout.up(&declared).await;
    keep("rollout-with-leftovers", &story, &declared);
    world
        .lambda
        .delete_function_url_config()
        .function_name(function)
        .qualifier("stable")
        .send()
        .await
        .unwrap();
    story.rollout.refresh().await;
    keep(DRIFTED, &story, &declared);
    story.rollout.endpoint.clone_from(&world.endpoint);
    story.rollout.up(&declared).await;

    // In flight, with a deployment that somebody else follows.
    declared = properties([("functionName", function.into()), ("version", first.as_str().into())]);
    declared.insert("wait".to_owned(), false.into());
    story.rollout.up(&declared).await;
    keep(IN_FLIGHT, &story, &declared);
    let id = story.rollout.state.as_ref().unwrap().outputs["deploymentId"].as_str().unwrap().to_owned();
    let declared = properties([("deploymentId", id.as_str().into())]);
    let mut waiter = Resource::new("DeploymentWaiter", "waiter", &world.endpoint, SPEED);
    assert_eq!(waiter.up(&declared).await, End::Done);
    record("waiter-of-one", "waiter", &waiter, &declared);
    let ids = PropertyValue::Array(vec!["".into(), id.as_str().into()]);
    let declared = properties([("deploymentIds", ids), ("onFailed", "fail".into())]);
    let mut waiter = Resource::new("DeploymentWaiter", "waiter-of-many", &world.endpoint, SPEED);
    assert_eq!(waiter.up(&declared).await, End::Done);
    record("waiter-of-many", "waiter-of-many", &waiter, &declared);

    let mut imported = Resource::new("FunctionRollout", "imported", &world.endpoint, SPEED);
    let nothing = State {
        id: format!("{function}:stable"),
        inputs: PropertyMap::new(),
        outputs: PropertyMap::new(),
        failed: false,
        refresh_before_update: false,
    };
    imported.state = Some(nothing);
    assert_eq!(imported.refresh().await, End::Done);
    let declared = imported.state.as_ref().unwrap().inputs.clone();
    record("rollout-imported", "imported", &imported, &declared);

    let declared = properties([
        ("functionName", function.into()),
        ("aliasName", "live".into()),
        ("version", first.as_str().into()),
        ("functionUrl", PropertyValue::Object(properties([("authorizationType", "NONE".into())]))),
    ]);
    let mut alias = Resource::new("FunctionAlias", "live", &world.endpoint, SPEED);
    assert_eq!(alias.up(&declared).await, End::Done);
    record("alias-with-a-url", "live", &alias, &declared);

    let mut deployment = Resource::new("LambdaDeployment", "single", &world.endpoint, SPEED);
    let declared = single(function, &first);
    assert_eq!(deployment.up(&declared).await, End::Done);
    record("deployment-of-nothing", "single", &deployment, &declared);
    let declared = single(function, &second);
    assert_eq!(deployment.up(&declared).await, End::Done);
    record("deployment-after-an-update", "single", &deployment, &declared);
}
