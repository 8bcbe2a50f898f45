//! `FunctionAlias`: an alias of its own, for hooks that must know what is under test, and for event sources.

use std::time::Duration;

use crate::pulumi::diff::{self, Diff};
use crate::pulumi::{
    CheckFailure, Checked, Created, Failure, Operation, PropertyMap, PropertyValue, ReadState, Reader,
    Updated,
};
use crate::resources::canonical::{self, Meaning};
use crate::resources::gather::{self, Gather, Unknowns};
use crate::resources::reporter::EngineReporter;
use crate::resources::session::Session;
use crate::resources::{new_owner, partial, secrets, state};
use crate::rollout::alias::{AliasSpec, reconcile_alias, remove_alias};
use crate::rollout::cloud::{Cloud, Identity};
use crate::rollout::context::{Context, RolloutError};
use crate::rollout::function::Place;
use crate::rollout::memory::Memory;
use crate::rollout::owner::Owner;
use crate::rollout::pieces;
use crate::rollout::place::{here, read_here};
use crate::rollout::plan::check_function_place;

const REPLACE_KEYS: &[&str] = &["functionName", "aliasName"];

const MEANINGS: &[(&str, Meaning)] = &[
    ("functionName", Meaning::Function),
    ("version", Meaning::Version),
    ("follow", Meaning::Flag(true)),
    ("functionUrl", Meaning::Object(canonical::FUNCTION_URL)),
    ("permissions", Meaning::Objects(canonical::PERMISSION)),
    ("adopt", Meaning::Flag(false)),
];

const LIMIT: Duration = Duration::from_mins(10);

struct Declared {
    spec: AliasSpec,
    place: Option<Place>,
    unknowns: Unknowns,
    failures: Vec<CheckFailure>,
}

fn read_inputs(inputs: &PropertyMap) -> Declared {
    let u = Gather::default();
    let r = Reader::new(inputs);
    let function = u.function(&r, "functionName");
    if r.string("aliasName").is_absent() {
        r.misplaced("aliasName", "is required, but was not given");
    }
    let spec = AliasSpec {
        function: function.name,
        alias: u.alias(&r, "aliasName").unwrap_or_default(),
        version: u.version(&r, "version"),
        follow: u.flag(&r, "follow", true),
        url: u.object(&r, "functionUrl", gather::function_url),
        permissions: u.objects(&r, "permissions", gather::permission),
        adopt: u.flag(&r, "adopt", false),
        description: gather::description(&u, &r),
    };
    Declared { spec, place: function.place, unknowns: u.unknowns(), failures: r.finish() }
}

pub fn check(news: PropertyMap) -> Checked {
    Checked { failures: read_inputs(&news).failures, inputs: news }
}

/// An alias that does not follow is left alone, so a new version means nothing to it.
pub fn diff(old_inputs: &PropertyMap, news: &PropertyMap) -> Diff {
    let mut old = canonical::canonical(old_inputs, MEANINGS);
    let mut new = canonical::canonical(news, MEANINGS);
    let left_alone = |inputs: &PropertyMap| inputs.get("follow") == Some(&PropertyValue::Bool(false));
    if left_alone(&old) && left_alone(&new) {
        old.remove("version");
        new.remove("version");
    }
    diff::compare(&old, &new, REPLACE_KEYS)
}

pub async fn create(session: &Session, op: &Operation, inputs: PropertyMap) -> Result<Created, Failure> {
    let Declared { spec, place, unknowns, .. } = read_inputs(&inputs);
    let id = format!("{}:{}", spec.function, spec.alias);
    if op.preview {
        let mut outputs = PropertyMap::new();
        if let Some(place) = place.clone().filter(|_| unknowns.is_empty()) {
            let identity =
                Identity { account: place.account, region: place.region, partition: place.partition };
            put_names(&mut outputs, &spec, &identity);
        }
        if !unknowns.contains("aliasName") {
            outputs.insert("qualifier".to_owned(), PropertyValue::String(spec.alias.clone()));
        }
        outputs.extend(inputs);
        secrets::spread(&mut outputs);
        return Ok(Created { id: String::new(), outputs, refresh_before_update: false });
    }
    let owner = new_owner(&op.urn);
    match run(session, op, (&spec, place.as_ref()), &owner, None).await {
        Ok(memory) => {
            Ok(Created { id, outputs: outputs(inputs, &spec, &memory), refresh_before_update: false })
        }
        Err((error, None)) => Err(Failure::plain(error.to_string())),
        Err((error, Some(memory))) => {
            Err(partial(&id, outputs(inputs, &spec, &memory), error.to_string(), false))
        }
    }
}

pub async fn update(
    session: &Session,
    op: &Operation,
    id: &str,
    old_outputs: &PropertyMap,
    inputs: PropertyMap,
) -> Result<Updated, Failure> {
    let Declared { spec, place, .. } = read_inputs(&inputs);
    let memory = state::read(old_outputs);
    if op.preview {
        return Ok(Updated { outputs: preview(old_outputs, inputs, &spec), refresh_before_update: false });
    }
    let owner = match &memory {
        Some(memory) if !memory.imported => memory.owner.clone(),
        _ => new_owner(&op.urn),
    };
    match run(session, op, (&spec, place.as_ref()), &owner, memory).await {
        Ok(memory) => Ok(Updated { outputs: outputs(inputs, &spec, &memory), refresh_before_update: false }),
        Err((error, None)) => Err(Failure::plain(error.to_string())),
        Err((error, Some(memory))) => {
            Err(partial(id, outputs(inputs, &spec, &memory), error.to_string(), false))
        }
    }
}

fn preview(old_outputs: &PropertyMap, inputs: PropertyMap, spec: &AliasSpec) -> PropertyMap {
    let mut outputs = old_outputs.clone();
    let kept = ["targetArn", "invokeArn", "qualifier", "url"];
    outputs.retain(|key, _| kept.contains(&key.as_str()) || key.starts_with("__"));
    let had_url = old_outputs.get("url").and_then(PropertyValue::as_str).is_some_and(|url| !url.is_empty());
    match (&spec.url, had_url) {
        (Some(_), false) => drop(outputs.remove("url")),
        (None, _) => drop(outputs.insert("url".to_owned(), PropertyValue::String(String::new()))),
        (Some(_), true) => {}
    }
    outputs.extend(inputs);
    secrets::spread(&mut outputs);
    outputs
}

/// The memory after it went well, or, beside the error, the one to keep: there is one once something may be made.
async fn run(
    session: &Session,
    op: &Operation,
    (spec, place): (&AliasSpec, Option<&Place>),
    owner: &Owner,
    memory: Option<Memory>,
) -> Result<Memory, (RolloutError, Option<Memory>)> {
    let reporter = EngineReporter::new(op.log.clone());
    let cx = session.context(op, &reporter, LIMIT);
    let id = format!("{}:{}", spec.function, spec.alias);
    let check = |here: &Identity| {
        memory.as_ref().map_or(Ok(()), |memory| memory.check_place(&id, here))?;
        check_function_place(place, here)
    };
    match reconcile_alias(&cx, spec, owner, check, memory.as_ref()).await {
        Ok(memory) => Ok(memory),
        // Nothing is made before all that may be refused has been looked at.
        Err(error) if memory.is_some() || matches!(error, RolloutError::Refused(_)) => Err((error, memory)),
        Err(error) => Err((error, made_before_failing(&cx, spec, owner).await)),
    }
}

/// What a failed creation leaves is in the state, if AWS can tell that it is ours.
async fn made_before_failing<C: Cloud>(
    cx: &Context<'_, C>,
    spec: &AliasSpec,
    owner: &Owner,
) -> Option<Memory> {
    let here = here(cx).await.ok()?;
    let made = cx.cloud.alias(&spec.function, &spec.alias).await.ok()??;
    let (_, holder) = Owner::from_alias_description(&made.description)?;
    (holder == *owner).then(|| Memory::new(holder, &here.account, &here.region, &here.partition))
}

fn outputs(inputs: PropertyMap, spec: &AliasSpec, memory: &Memory) -> PropertyMap {
    let mut outputs = inputs;
    put_names(&mut outputs, spec, &memory.identity());
    outputs.insert("url".to_owned(), PropertyValue::String(memory.url.clone()));
    state::write_private_only(&mut outputs, memory);
    outputs
}

fn put_names(outputs: &mut PropertyMap, spec: &AliasSpec, identity: &Identity) {
    let arn = format!("{}:{}", pieces::function_arn(&spec.function, identity), spec.alias);
    outputs.insert("invokeArn".to_owned(), PropertyValue::String(pieces::invoke_arn(&arn, identity)));
    outputs.insert("targetArn".to_owned(), PropertyValue::String(arn));
    outputs.insert("qualifier".to_owned(), PropertyValue::String(spec.alias.clone()));
}

pub async fn read(
    session: &Session,
    op: &Operation,
    id: &str,
    mut inputs: PropertyMap,
    old_outputs: &PropertyMap,
) -> Result<Option<ReadState>, Failure> {
    let Some((function, alias)) = id.split_once(':') else {
        return Err(Failure::plain(format!(
            "\"{id}\" is not an id of a FunctionAlias: it is FUNCTION:ALIAS"
        )));
    };
    let reporter = EngineReporter::new(op.log.clone());
    let cx = session.context(op, &reporter, LIMIT);
    let plain = |error: RolloutError| Failure::plain(error.to_string());
    let known = state::read(old_outputs);
    let read =
        async { tokio::try_join!(cx.cloud.alias(function, alias), cx.cloud.function_url(function, alias)) };
    let check = |here: &Identity| known.as_ref().map_or(Ok(()), |known| known.check_place(id, here));
    let (here, (found, url)) = read_here(&cx, id, check, read).await.map_err(plain)?;
    let Some(found) = found else { return Ok(None) };
    let follows = inputs.get("follow").and_then(PropertyValue::as_bool).unwrap_or(true);
    if known.is_none() {
        inputs = PropertyMap::from([
            ("functionName".to_owned(), PropertyValue::String(function.to_owned())),
            ("aliasName".to_owned(), PropertyValue::String(alias.to_owned())),
        ]);
    }
    if follows || known.is_none() {
        inputs.insert("version".to_owned(), PropertyValue::String(found.version.clone()));
    }
    let mut memory = known.unwrap_or_else(|| {
        let holder = Owner::from_alias_description(&found.description);
        let owner = holder.map_or_else(Owner::nobody, |(_, owner)| owner);
        let memory = Memory::new(owner, &here.account, &here.region, &here.partition);
        Memory { imported: true, ..memory }
    });
    memory.url = url.map(|(_, address)| address).unwrap_or_default();
    let Declared { spec, .. } = read_inputs(&inputs);
    let outputs = outputs(inputs.clone(), &spec, &memory);
    Ok(Some(ReadState { id: id.to_owned(), inputs, outputs, refresh_before_update: false }))
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
    let cx = session.context(op, &reporter, LIMIT);
    remove_alias(&cx, function, alias, &memory).await.map_err(|error| Failure::plain(error.to_string()))
}
