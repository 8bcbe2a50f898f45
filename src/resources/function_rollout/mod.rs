//! `FunctionRollout`: everything for one function, from its CodeDeploy application to the traffic of its versions.

mod drift;
mod import;
pub mod inputs;
mod preview;
mod refresh;

use std::time::Duration;

use crate::pulumi::diff::{Change, ChangeKind, Diff};
use crate::pulumi::{Checked, Created, Failure, Operation, ReadState, Updated};
use crate::pulumi::{PropertyMap, PropertyPath, PropertyValue};
use crate::resources::canonical::{self, Meaning};
use crate::resources::reporter::EngineReporter;
use crate::resources::session::Session;
use crate::resources::{new_owner, partial, secrets, state};
use crate::rollout::function::FunctionRef;
use crate::rollout::memory::Memory;
use crate::rollout::owner::Owner;
use crate::rollout::reconcile::{Reconciled, reconcile};
use crate::rollout::remove::{Doomed, remove};
use crate::rollout::spec::RolloutSpec;

use inputs::Declared;
use preview::Traffic;

const REPLACE_KEYS: &[&str] = &["functionName", "aliasName"];

const MEANINGS: &[(&str, Meaning)] = &[
    ("functionName", Meaning::Function),
    ("version", Meaning::Version),
    ("aliasName", Meaning::Text("stable")),
    ("latestAliasName", Meaning::Text("latest")),
    ("strategy", Meaning::Object(canonical::STRATEGY)),
    ("bake", Meaning::Duration(Some("3 minutes"))),
    ("errorAlarm", Meaning::ObjectOrDefault(ERROR_ALARM)),
    ("minRequests", Meaning::Number(0.0)),
    ("alarms", Meaning::Set(&[])),
    ("alarmsAlreadyFiring", Meaning::Text("fail")),
    ("ignoreAlarmPollFailure", Meaning::Flag(false)),
    ("autoRollback", Meaning::Set(&["alarm", "failure", "stop"])),
    ("smokeTest", Meaning::Object(SMOKE_TEST)),
    ("notifications", Meaning::Objects(NOTIFICATION)),
    ("onConflict", Meaning::Text("stop")),
    ("onFailedVersion", Meaning::Text("keep")),
    ("wait", Meaning::Flag(true)),
    ("onCancel", Meaning::Text("leave")),
    ("adopt", Meaning::Flag(false)),
    ("functionUrl", Meaning::Object(canonical::FUNCTION_URL)),
    ("latestFunctionUrl", Meaning::Object(canonical::FUNCTION_URL)),
    ("permissions", Meaning::Objects(canonical::PERMISSION)),
    ("showLogs", Meaning::Flag(true)),
];

const ERROR_ALARM: &[(&str, Meaning)] = &[
    ("enabled", Meaning::Flag(true)),
    ("mode", Meaning::Text("relative")),
    ("threshold", Meaning::Number(1.0)),
    ("period", Meaning::Duration(Some("1 minute"))),
    ("evaluationPeriods", Meaning::Number(1.0)),
    ("alarmActions", Meaning::Set(&[])),
];

const SMOKE_TEST: &[(&str, Meaning)] =
    &[("timeout", Meaning::Duration(Some("30 seconds"))), ("attempts", Meaning::Number(1.0))];

const NOTIFICATION: &[(&str, Meaning)] =
    &[("events", Meaning::Set(&["failure", "rollback", "start", "stop", "success"]))];

pub fn check(news: PropertyMap) -> Checked {
    let failures = inputs::read(&news).failures;
    Checked { inputs: secrets::mark(news), failures }
}

/// Compares what is declared; also says, without a step, that the declared version failed before.
pub fn diff(op: &Operation, old_inputs: &PropertyMap, old_outputs: &PropertyMap, news: &PropertyMap) -> Diff {
    let mut diff = canonical::compare(old_inputs, news, MEANINGS, REPLACE_KEYS);
    let Some(memory) = state::read(old_outputs) else { return diff };
    if diff.is_empty() {
        diff.changes = drift::changes(&memory);
        diff.changes.extend(other_place(&memory, news));
        warn_of_failed_version(op, &memory, news);
    } else if diff.touches("aliasName") && !memory.serving_version.is_empty() {
        op.log.warn(format!(
            "another `aliasName` is a new alias: it gets the declared version at once, without a rollout, and the old \
             alias, which serves version {}, goes",
            memory.serving_version
        ));
    }
    diff
}

/// A function of the same name in another account or region is another function.
fn other_place(memory: &Memory, news: &PropertyMap) -> Option<Change> {
    let place = FunctionRef::parse(news.get("functionName")?.as_str()?).ok()?.place?;
    let same = place.account == memory.account && place.region == memory.region;
    let change = Change::new(PropertyPath::root().key("functionName"), ChangeKind::Update);
    (!same).then_some(Change { replace: true, ..change })
}

fn warn_of_failed_version(op: &Operation, memory: &Memory, news: &PropertyMap) {
    if memory.failed_version.is_empty() {
        return;
    }
    let new = canonical::canonical(news, MEANINGS);
    let declared = new.get("version").and_then(PropertyValue::as_str).unwrap_or_default();
    if memory.failed_version == declared {
        op.log.warn(format!(
            "{}: version {declared} failed, and version {} serves all traffic; nothing is deployed until the version or `triggers` change",
            op.urn.name(),
            memory.serving_version
        ));
    }
}

pub async fn create(session: &Session, op: &Operation, inputs: PropertyMap) -> Result<Created, Failure> {
    let Declared { mut spec, unknowns, .. } = inputs::read(&inputs);
    session.override_spec(&mut spec, op);
    if op.preview {
        let outputs = preview::create(op, &inputs, &spec, &unknowns);
        return Ok(Created { id: String::new(), outputs, refresh_before_update: false });
    }
    let owner = new_owner(&op.urn);
    let Reconciled { memory, result } = run(session, op, &spec, None, &owner).await;
    let Some(memory) = memory else {
        return Err(Failure::plain(result.err().map(|e| e.to_string()).unwrap_or_default()));
    };
    let outputs = outputs(&inputs, &memory, &spec);
    let refresh_before_update = state::is_live(&memory);
    match result {
        Ok(()) => Ok(Created { id: spec.id(), outputs, refresh_before_update }),
        Err(error) => Err(partial(&spec.id(), outputs, error.to_string(), refresh_before_update)),
    }
}

pub async fn update(
    session: &Session,
    op: &Operation,
    id: &str,
    old_outputs: PropertyMap,
    inputs: PropertyMap,
) -> Result<Updated, Failure> {
    let Declared { mut spec, unknowns, .. } = inputs::read(&inputs);
    let memory = state::read(&old_outputs);
    session.override_spec(&mut spec, op);
    if op.preview {
        let (outputs, traffic) =
            preview::update(op, &old_outputs, &inputs, &spec, &unknowns, memory.as_ref());
        if let Some(memory) = memory.filter(|_| traffic == Traffic::RollsOut) {
            let reporter = EngineReporter::new(op.log.clone());
            let cx = session.context(op, &reporter, default_limit(&spec));
            preview::say_rollout(op, &cx, &spec, &unknowns, &memory).await;
        }
        return Ok(Updated { outputs, refresh_before_update: false });
    }
    drop(old_outputs);
    let owner = taken_over(op, memory.as_ref());
    let Reconciled { memory, result } = run(session, op, &spec, memory, &owner).await;
    let Some(memory) = memory else {
        return Err(Failure::plain(result.err().map(|e| e.to_string()).unwrap_or_default()));
    };
    let outputs = outputs(&inputs, &memory, &spec);
    let refresh_before_update = state::is_live(&memory);
    match result {
        Ok(()) => Ok(Updated { outputs, refresh_before_update }),
        Err(error) => Err(partial(id, outputs, error.to_string(), refresh_before_update)),
    }
}

/// The owner stays who it was at first creation; an imported rollout gets the one who imported it.
fn taken_over(op: &Operation, memory: Option<&Memory>) -> Owner {
    match memory {
        Some(memory) if !memory.imported => memory.owner.clone(),
        // What was begun is ended under the same mark.
        Some(Memory { heir: Some(heir), .. }) => heir.clone(),
        _ => new_owner(&op.urn),
    }
}

async fn run(
    session: &Session,
    op: &Operation,
    spec: &RolloutSpec,
    memory: Option<Memory>,
    owner: &Owner,
) -> Reconciled {
    let _slot = session.slot(op).await;
    let reporter = EngineReporter::new(op.log.clone());
    let cx = session.context(op, &reporter, default_limit(spec));
    let reconciled = reconcile(&cx, spec, memory, owner).await;
    op.log.status("");
    reconciled
}

/// For AWS to be slow in, and for a thousand others that start before.
const SLOWNESS: Duration = Duration::from_hours(1);

/// What the strategy, the hooks, the smoke test and the bake can take, and more.
fn default_limit(spec: &RolloutSpec) -> Duration {
    let shift = spec.strategy().map_or(Duration::from_hours(48), |strategy| strategy.length());
    let hooks = u32::try_from(spec.hooks.iter().count()).unwrap_or(0);
    let smoke = spec.smoke_test.as_ref().map_or(Duration::ZERO, |test| test.timeout * test.attempts);
    smoke + shift + Duration::from_hours(1) * hooks + spec.bake + SLOWNESS
}

/// The inputs again, and the memory.
fn outputs(inputs: &PropertyMap, memory: &Memory, spec: &RolloutSpec) -> PropertyMap {
    let mut outputs = inputs.clone();
    state::write(&mut outputs, memory, &spec.function.name, &spec.alias);
    outputs
}

pub async fn read(
    session: &Session,
    op: &Operation,
    id: &str,
    old_inputs: PropertyMap,
    old_outputs: PropertyMap,
) -> Result<Option<ReadState>, Failure> {
    let Some((function, alias)) = id.split_once(':') else {
        return Err(Failure::plain(format!(
            "\"{id}\" is not an id of a FunctionRollout: it is FUNCTION:ALIAS"
        )));
    };
    let reporter = EngineReporter::new(op.log.clone());
    let cx = session.context(op, &reporter, Duration::from_mins(5));
    let Some(memory) = state::read(&old_outputs) else {
        return import::import(&cx, function, alias).await.map_err(|error| Failure::plain(error.to_string()));
    };
    let acted_on = drift::acted_on(&old_outputs, &memory);
    refresh::refresh(&cx, &acted_on, memory, old_inputs)
        .await
        .map_err(|error| Failure::plain(error.to_string()))
}

pub async fn delete(
    session: &Session,
    op: &Operation,
    id: &str,
    outputs: &PropertyMap,
) -> Result<(), Failure> {
    let (Some(memory), Some((function, alias))) = (state::read(outputs), id.split_once(':')) else {
        return Err(Failure::plain(format!("the state of {id} holds nothing that says what to delete")));
    };
    let reporter = EngineReporter::new(op.log.clone());
    let cx = session.context(op, &reporter, Duration::from_mins(30));
    let result = remove(&cx, Doomed { function, alias, memory: &memory }).await;
    op.log.status("");
    result.map_err(|error| Failure::plain(error.to_string()))
}
