//! `DeploymentWaiter`: waits for one deployment or for many, and fails once for those that failed.

use std::time::Duration;

use crate::pulumi::diff::Diff;
use crate::pulumi::{
    CheckFailure, Checked, Created, Failure, Operation, PropertyMap, PropertyValue, ReadState, Reader,
    Updated,
};
use crate::resources::canonical::{self, Meaning};
use crate::resources::gather::{self, Gather, Unknowns};
use crate::resources::reporter::EngineReporter;
use crate::resources::session::Session;
use crate::resources::{partial, secrets, state};
use crate::rollout::names::short_hash;
use crate::rollout::waiter::{Outcome, wait_for_all};

const MEANINGS: &[(&str, Meaning)] =
    &[("bake", Meaning::Duration(Some("0s"))), ("onFailed", Meaning::Text("keep"))];

/// CodeDeploy lets a deployment run for fifty hours.
const LIMIT: Duration = Duration::from_hours(50);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum OnFailed {
    Keep,
    Fail,
}

struct Declared {
    ids: Vec<String>,
    bake: Duration,
    on_failed: OnFailed,
    unknowns: Unknowns,
    failures: Vec<CheckFailure>,
}

fn read_inputs(inputs: &PropertyMap) -> Declared {
    let u = Gather::default();
    let r = Reader::new(inputs);
    let given = |key: &str| inputs.get(key).is_some_and(|value| !value.is_null());
    match (given("deploymentId"), given("deploymentIds")) {
        (false, false) => {
            r.misplaced("deploymentId", "is required, but neither it nor `deploymentIds` was given");
        }
        (true, true) => {
            r.misplaced("deploymentIds", "cannot be given together with `deploymentId`: keep one of the two");
        }
        _ => {}
    }
    let mut ids: Vec<String> = u.texts(&r, "deploymentIds").unwrap_or_default();
    check_ids(&r, "deploymentIds", &ids);
    let id = u.text(&r, "deploymentId");
    check_ids(&r, "deploymentId", id.as_slice());
    ids.extend(id);
    // An empty id is what a rollout that deployed nothing has.
    ids.retain(|id| !id.is_empty());
    ids.dedup();
    Declared {
        ids,
        bake: gather::bake(&u, &r).unwrap_or_default(),
        on_failed: u
            .choice(&r, "onFailed", &[("keep", OnFailed::Keep), ("fail", OnFailed::Fail)])
            .unwrap_or(OnFailed::Keep),
        unknowns: u.unknowns(),
        failures: r.finish(),
    }
}

fn check_ids(r: &Reader<'_>, key: &'static str, ids: &[String]) {
    for id in ids.iter().filter(|id| !id.is_empty() && !id.starts_with("d-")) {
        r.fail(key, format!("cannot be \"{id}\": a deployment id looks like \"d-A1B2C3D4E\""));
    }
}

pub fn check(news: PropertyMap) -> Checked {
    Checked { failures: read_inputs(&news).failures, inputs: news }
}

pub fn diff(old_inputs: &PropertyMap, news: &PropertyMap) -> Diff {
    canonical::compare(old_inputs, news, MEANINGS, &[])
}

pub async fn create(session: &Session, op: &Operation, inputs: PropertyMap) -> Result<Created, Failure> {
    let declared = read_inputs(&inputs);
    if op.preview {
        return Ok(Created { id: String::new(), outputs: inputs, refresh_before_update: false });
    }
    let id = format!("waiter-{}", short_hash(op.urn.as_str()));
    let waited = wait(session, op, &declared, Vec::new()).await;
    let outputs = outputs(inputs, &waited.outcomes);
    match waited.complaint {
        None => Ok(Created { id, outputs, refresh_before_update: false }),
        Some(complaint) => Err(partial(&id, outputs, complaint, false)),
    }
}

pub async fn update(
    session: &Session,
    op: &Operation,
    id: &str,
    old_outputs: &PropertyMap,
    inputs: PropertyMap,
) -> Result<Updated, Failure> {
    let declared = read_inputs(&inputs);
    let seen = seen_before(old_outputs);
    if op.preview {
        return Ok(Updated {
            outputs: preview(old_outputs, inputs, &declared, &seen),
            refresh_before_update: false,
        });
    }
    let waited = wait(session, op, &declared, seen).await;
    let outputs = outputs(inputs, &waited.outcomes);
    match waited.complaint {
        None => Ok(Updated { outputs, refresh_before_update: false }),
        Some(complaint) => Err(partial(id, outputs, complaint, false)),
    }
}

fn preview(
    old_outputs: &PropertyMap,
    inputs: PropertyMap,
    declared: &Declared,
    seen: &[Outcome],
) -> PropertyMap {
    let all_seen = declared.unknowns.is_empty()
        && declared.ids.iter().all(|id| seen.iter().any(|outcome| outcome.id == *id));
    let mut outputs = inputs;
    if let Some(deployments) = old_outputs.get("deployments").filter(|_| all_seen) {
        outputs.insert("deployments".to_owned(), deployments.clone());
    }
    secrets::spread(&mut outputs);
    outputs
}

struct Waited {
    /// One for each deployment that has ended.
    outcomes: Vec<Outcome>,
    /// What to fail with.
    complaint: Option<String>,
}

/// Waits for what has not been seen to end yet.
async fn wait(session: &Session, op: &Operation, declared: &Declared, seen: Vec<Outcome>) -> Waited {
    let reporter = EngineReporter::new(op.log.clone());
    let cx = session.context(op, &reporter, LIMIT + declared.bake);
    let (mut outcomes, open): (Vec<_>, Vec<_>) =
        declared.ids.iter().fold((Vec::new(), Vec::new()), |(mut ended, mut open), id| {
            match seen.iter().find(|outcome| outcome.id == *id) {
                Some(outcome) => ended.push(outcome.clone()),
                None => open.push(id.clone()),
            }
            (ended, open)
        });
    let mut complaints = Vec::new();
    for outcome in outcomes.iter().filter(|outcome| !outcome.succeeded()) {
        let text = format!("deployment {} failed before: {}", outcome.id, outcome.message);
        match declared.on_failed {
            OnFailed::Fail => complaints.push(text),
            OnFailed::Keep => op.log.warn(text),
        }
    }
    for result in wait_for_all(&cx, &open, declared.bake).await {
        match result {
            Ok(outcome) => {
                if !outcome.succeeded() {
                    complaints.push(format!("deployment {}: {}", outcome.id, outcome.message));
                }
                outcomes.push(outcome);
            }
            Err(error) => complaints.push(error.to_string()),
        }
    }
    op.log.status("");
    outcomes.sort_by_key(|outcome| declared.ids.iter().position(|id| *id == outcome.id));
    Waited { outcomes, complaint: (!complaints.is_empty()).then(|| complaints.join("\n")) }
}

fn outputs(inputs: PropertyMap, outcomes: &[Outcome]) -> PropertyMap {
    let mut outputs = inputs;
    let deployments = outcomes.iter().map(|outcome| {
        PropertyValue::Object(PropertyMap::from([
            ("deploymentId".to_owned(), PropertyValue::String(outcome.id.clone())),
            ("status".to_owned(), PropertyValue::String(outcome.status.clone())),
            ("message".to_owned(), PropertyValue::String(first_line(&outcome.message))),
        ]))
    });
    outputs.insert("deployments".to_owned(), PropertyValue::Array(deployments.collect()));
    state::write_shape_only(&mut outputs);
    outputs
}

/// Log lines of the function never go into the state.
fn first_line(message: &str) -> String {
    message.lines().next().unwrap_or_default().to_owned()
}

fn seen_before(outputs: &PropertyMap) -> Vec<Outcome> {
    let deployments = outputs.get("deployments").and_then(PropertyValue::as_array).unwrap_or_default();
    let text = |map: &PropertyMap, key: &str| {
        map.get(key).and_then(PropertyValue::as_str).unwrap_or_default().to_owned()
    };
    deployments
        .iter()
        .filter_map(PropertyValue::as_object)
        .map(|map| Outcome {
            id: text(map, "deploymentId"),
            status: text(map, "status"),
            message: text(map, "message"),
        })
        .collect()
}

/// A waiter is nothing in AWS: it is what it was.
pub fn read(
    id: &str,
    inputs: Option<PropertyMap>,
    outputs: Option<PropertyMap>,
) -> Result<Option<ReadState>, Failure> {
    match (inputs, outputs) {
        (Some(inputs), Some(outputs)) => {
            Ok(Some(ReadState { id: id.to_owned(), inputs, outputs, refresh_before_update: false }))
        }
        _ => Err(Failure::plain(
            "a DeploymentWaiter cannot be imported, because nothing of it exists in AWS: declare it anew",
        )),
    }
}
