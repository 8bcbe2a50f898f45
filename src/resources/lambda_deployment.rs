//! `LambdaDeployment`: one CodeDeploy deployment, for those who bring their own application and group.

use std::time::Duration;

use crate::pulumi::diff::Diff;
use crate::pulumi::{
    CheckFailure, Checked, Created, Failure, Operation, PropertyMap, PropertyValue, ReadState, Reader,
    Updated,
};
use crate::resources::canonical::{self, Meaning};
use crate::resources::function_rollout::inputs::ON_CONFLICT;
use crate::resources::gather::{self, Gather, Unknowns};
use crate::resources::reporter::EngineReporter;
use crate::resources::session::Session;
use crate::resources::{new_owner, partial, secrets, state};
use crate::rollout::cloud::{Cloud, Identity};
use crate::rollout::context::RolloutError;
use crate::rollout::memory::Memory;
use crate::rollout::owner::Owner;
use crate::rollout::pieces;
use crate::rollout::place::{here, read_here};
use crate::rollout::plan::check_function_place;
use crate::rollout::refusal::Refusal;
use crate::rollout::single::{GroupDefaults, GroupRef, Started, forget, start_single};
use crate::rollout::spec::{OnConflict, RolloutSpec, Routing};

const REPLACE_KEYS: &[&str] = &["applicationName", "deploymentGroupName", "functionName", "aliasName"];

const MEANINGS: &[(&str, Meaning)] = &[
    ("functionName", Meaning::Function),
    ("version", Meaning::Version),
    ("onConflict", Meaning::Text("stop")),
];

const LIMIT: Duration = Duration::from_hours(1);
const COMPUTED: [&str; 4] = ["deploymentId", "currentVersion", "targetVersion", "consoleUrl"];

struct Declared {
    application: String,
    group: String,
    spec: RolloutSpec,
    defaults: GroupDefaults,
    unknowns: Unknowns,
    failures: Vec<CheckFailure>,
}

impl Declared {
    fn id(&self) -> String {
        format!("{}/{}/{}", self.application, self.group, self.spec.id())
    }
}

fn read_inputs(inputs: &PropertyMap) -> Declared {
    let u = Gather::default();
    let r = Reader::new(inputs);
    let application = u.required_text(&r, "applicationName");
    let group = u.required_text(&r, "deploymentGroupName");
    let function = u.function(&r, "functionName");
    if r.string("aliasName").is_absent() {
        r.misplaced("aliasName", "is required, but was not given");
    }
    let alias = u.alias(&r, "aliasName").unwrap_or_default();
    let version = u.version(&r, "version");
    let config = u.text(&r, "deploymentConfigName");
    let alarms = u.texts(&r, "alarms");
    let given = |key: &str| inputs.get(key).is_some_and(|value| !value.is_null());
    let defaults = GroupDefaults {
        deployment_config: config.is_none(),
        alarms: alarms.is_none(),
        auto_rollback: !given("autoRollback"),
    };
    let plain = RolloutSpec::plain(function, &alias, &version);
    let spec = RolloutSpec {
        routing: config.map_or_else(|| plain.routing.clone(), Routing::Named),
        hooks: u.object(&r, "hooks", gather::hooks).unwrap_or_default(),
        alarms: alarms.unwrap_or_default(),
        auto_rollback: gather::auto_rollback(&u, &r),
        on_conflict: u.choice(&r, "onConflict", &ON_CONFLICT).unwrap_or(OnConflict::Stop),
        description: gather::description(&u, &r),
        triggers: u.text_map(&r, "triggers"),
        ..plain
    };
    Declared { application, group, spec, defaults, unknowns: u.unknowns(), failures: r.finish() }
}

pub fn check(news: PropertyMap) -> Checked {
    Checked { failures: read_inputs(&news).failures, inputs: news }
}

/// What the program still declares keeps its deployment. An old half that an earlier run was to delete is deleted after
/// everything that is declared has been compared, so it learns by this that it has a successor.
pub fn keep(session: &Session, old_outputs: &PropertyMap) {
    if let Some(memory) = state::read(old_outputs) {
        session.hold(deployment_id(old_outputs), &memory.owner.generation);
    }
}

fn deployment_id(outputs: &PropertyMap) -> &str {
    outputs.get("deploymentId").and_then(PropertyValue::as_str).unwrap_or_default()
}

pub fn diff(old_inputs: &PropertyMap, news: &PropertyMap) -> Diff {
    canonical::compare(old_inputs, news, MEANINGS, REPLACE_KEYS)
}

pub async fn create(session: &Session, op: &Operation, inputs: PropertyMap) -> Result<Created, Failure> {
    let declared = read_inputs(&inputs);
    if op.preview {
        let mut outputs = inputs;
        if !declared.unknowns.contains("version") {
            let version = PropertyValue::String(declared.spec.version);
            outputs.insert("targetVersion".to_owned(), version);
        }
        secrets::spread(&mut outputs);
        return Ok(Created { id: String::new(), outputs, refresh_before_update: false });
    }
    let owner = new_owner(&op.urn);
    let (memory, started) =
        run(session, op, &declared, &owner, None).await.map_err(|error| Failure::plain(error.to_string()))?;
    let outputs = outputs(inputs, &memory, &started);
    Ok(Created { id: declared.id(), outputs, refresh_before_update: false })
}

/// A changed version, or changed triggers, is a new deployment; anything else only changes the state.
pub async fn update(
    session: &Session,
    op: &Operation,
    id: &str,
    old_outputs: &PropertyMap,
    inputs: PropertyMap,
) -> Result<Updated, Failure> {
    let declared = read_inputs(&inputs);
    let memory = state::read(old_outputs);
    if op.preview {
        return Ok(Updated {
            outputs: preview(old_outputs, inputs, &declared),
            refresh_before_update: false,
        });
    }
    if !deploys(old_outputs, &inputs, &declared) {
        let mut outputs = old_outputs.clone();
        outputs.retain(|key, _| COMPUTED.contains(&key.as_str()) || key.starts_with("__"));
        outputs.extend(inputs);
        secrets::spread(&mut outputs);
        return Ok(Updated { outputs, refresh_before_update: false });
    }
    let owner = memory.as_ref().map_or_else(|| new_owner(&op.urn), |memory| memory.owner.clone());
    match run(session, op, &declared, &owner, memory).await {
        Ok((memory, started)) => {
            let started =
                if started.deployment_id.is_empty() { unchanged(old_outputs, started) } else { started };
            Ok(Updated { outputs: outputs(inputs, &memory, &started), refresh_before_update: false })
        }
        Err(error) => Err(partial(id, old_outputs.clone(), error.to_string(), false)),
    }
}

/// The last deployment stays the one to know when no new one was needed.
fn unchanged(old_outputs: &PropertyMap, started: Started) -> Started {
    let old = |key: &str| old_outputs.get(key).and_then(PropertyValue::as_str).unwrap_or_default().to_owned();
    if old("targetVersion") != started.target_version {
        return started;
    }
    Started { deployment_id: old("deploymentId"), current_version: old("currentVersion"), ..started }
}

/// Whether the change asks for a deployment: another version, or other triggers, than those of the last one.
fn deploys(old_outputs: &PropertyMap, inputs: &PropertyMap, declared: &Declared) -> bool {
    let unknown = declared.unknowns.contains("version") || declared.unknowns.contains("triggers");
    let nothing = PropertyValue::Null;
    let triggers = |map: &PropertyMap| map.get("triggers").unwrap_or(&nothing).clone();
    let target = old_outputs.get("targetVersion").and_then(PropertyValue::as_str).unwrap_or_default();
    unknown || target != declared.spec.version || !triggers(old_outputs).same_as(&triggers(inputs))
}

fn preview(old_outputs: &PropertyMap, inputs: PropertyMap, declared: &Declared) -> PropertyMap {
    let deploys = deploys(old_outputs, &inputs, declared);
    let mut outputs = inputs;
    if !deploys {
        let kept =
            COMPUTED.iter().filter_map(|key| Some(((*key).to_owned(), old_outputs.get(*key)?.clone())));
        outputs.extend(kept);
    } else if !declared.unknowns.contains("version") {
        outputs.insert("targetVersion".to_owned(), PropertyValue::String(declared.spec.version.clone()));
    }
    secrets::spread(&mut outputs);
    outputs
}

async fn run(
    session: &Session,
    op: &Operation,
    declared: &Declared,
    owner: &Owner,
    known: Option<Memory>,
) -> Result<(Memory, Started), RolloutError> {
    let reporter = EngineReporter::new(op.log.clone());
    let cx = session.context(op, &reporter, LIMIT);
    let group =
        GroupRef { application: &declared.application, name: &declared.group, defaults: &declared.defaults };
    let check = |here: &Identity| {
        check_known(known.as_ref(), &declared.id(), here)?;
        check_function_place(declared.spec.function.place.as_ref(), here)
    };
    let started = start_single(&cx, &declared.spec, group, check).await?;
    op.log.status("");
    let here = here(&cx).await?;
    let memory = known.unwrap_or_else(|| memory_of(owner, &here));
    session.hold(&started.deployment_id, &memory.owner.generation);
    Ok((memory, started))
}

/// Refuses what we remember to have made elsewhere.
fn check_known(known: Option<&Memory>, id: &str, here: &Identity) -> Result<(), Refusal> {
    known.map_or(Ok(()), |known| known.check_place(id, here))
}

fn memory_of(owner: &Owner, here: &Identity) -> Memory {
    Memory::new(owner.clone(), &here.account, &here.region, &here.partition)
}

fn outputs(inputs: PropertyMap, memory: &Memory, started: &Started) -> PropertyMap {
    let mut outputs = inputs;
    let url = pieces::console_url(&memory.partition, &memory.region, &started.deployment_id);
    let mut put = |key: &str, value: &str| {
        outputs.insert(key.to_owned(), PropertyValue::String(value.to_owned()));
    };
    put("deploymentId", &started.deployment_id);
    put("currentVersion", &started.current_version);
    put("targetVersion", &started.target_version);
    put("consoleUrl", &url);
    state::write_private_only(&mut outputs, memory);
    outputs
}

pub async fn read(
    session: &Session,
    op: &Operation,
    id: &str,
    inputs: PropertyMap,
    outputs: PropertyMap,
) -> Result<Option<ReadState>, Failure> {
    let plain = |error: RolloutError| Failure::plain(error.to_string());
    let Some((application, group, function, alias)) = split_id(id) else {
        return Err(Failure::plain(format!(
            "\"{id}\" is not an id of a LambdaDeployment: it is APPLICATION/GROUP/FUNCTION:ALIAS"
        )));
    };
    let reporter = EngineReporter::new(op.log.clone());
    let cx = session.context(op, &reporter, LIMIT);
    let known = state::read(&outputs);
    let read =
        async { tokio::try_join!(cx.cloud.alias(function, alias), cx.cloud.group(application, group)) };
    let check = |here: &Identity| check_known(known.as_ref(), id, here);
    let (here, (found, state)) = read_here(&cx, id, check, read).await.map_err(plain)?;
    let (Some(found), Some(state)) = (found, state) else { return Ok(None) };
    if known.is_some() {
        return Ok(Some(ReadState { id: id.to_owned(), inputs, outputs, refresh_before_update: false }));
    }
    let memory = memory_of(&Owner::nobody(), &here);
    let text = |text: &str| PropertyValue::String(text.to_owned());
    let inputs = PropertyMap::from([
        ("applicationName".to_owned(), text(application)),
        ("deploymentGroupName".to_owned(), text(group)),
        ("functionName".to_owned(), text(function)),
        ("aliasName".to_owned(), text(alias)),
        ("version".to_owned(), text(&found.version)),
    ]);
    let started = Started {
        deployment_id: state.last_attempted.unwrap_or_default(),
        current_version: found.version.clone(),
        target_version: found.version,
    };
    let outputs = self::outputs(inputs.clone(), &memory, &started);
    Ok(Some(ReadState { id: id.to_owned(), inputs, outputs, refresh_before_update: false }))
}

fn split_id(id: &str) -> Option<(&str, &str, &str, &str)> {
    let (pieces, alias) = id.rsplit_once(':')?;
    let (pieces, function) = pieces.rsplit_once('/')?;
    let (application, group) = pieces.split_once('/')?;
    Some((application, group, function, alias))
}

/// Stops what still runs, unless another making of the resource counts on it; a deployment that ended is only forgotten.
pub async fn delete(
    session: &Session,
    op: &Operation,
    id: &str,
    outputs: &PropertyMap,
) -> Result<(), Failure> {
    let plain = |error: RolloutError| Failure::plain(error.to_string());
    let reporter = EngineReporter::new(op.log.clone());
    let cx = session.context(op, &reporter, LIMIT);
    let known = state::read(outputs);
    let here = here(&cx).await.map_err(plain)?;
    check_known(known.as_ref(), id, &here).map_err(|refusal| plain(refusal.into()))?;
    let deployment = deployment_id(outputs);
    let generation = known.map_or_else(String::new, |known| known.owner.generation);
    if deployment.is_empty() || session.release(deployment, &generation) {
        return Ok(());
    }
    forget(&cx, deployment).await.map_err(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_says_everything_that_an_import_needs() {
        assert_eq!(split_id("app/group/api:stable"), Some(("app", "group", "api", "stable")));
        assert_eq!(split_id("api:stable"), None);
    }
}
