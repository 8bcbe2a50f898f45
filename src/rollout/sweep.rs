//! Sweeps up: pieces of an earlier declaration, and the error alarms of versions that are no longer in play.

use super::apply::drop_config;
use super::cloud::{Cloud, CloudError, CloudErrorKind};
use super::context::Context;
use super::leftover::Leftover;
use super::memory::Memory;
use super::names;
use super::owner::{Maker, Owner};
use super::spec::RolloutSpec;

/// After an update. What cannot be removed now is remembered, and never stands in the way of a rollout.
pub async fn sweep<C: Cloud>(cx: &Context<'_, C>, spec: &RolloutSpec, memory: &mut Memory) {
    let mut kept = Vec::new();
    for leftover in std::mem::take(&mut memory.leftovers) {
        if kept.iter().any(|kept: &Leftover| kept.is_in(&leftover)) {
            kept.push(leftover);
            continue;
        }
        if let Err(error) = drop_leftover(cx.cloud, &spec.function.name, &memory.owner, &leftover).await {
            cx.reporter
                .warn(&format!("{leftover} is of no use any more and stays until the next update: {error}"));
            kept.push(leftover);
        }
    }
    memory.leftovers = kept;
    drop_old_alarms(cx, spec, memory).await;
}

/// Removes a leftover, unless it belongs to somebody else by now: then it is none of ours.
pub async fn drop_leftover<C: Cloud>(
    cloud: &C,
    function: &str,
    owner: &Owner,
    leftover: &Leftover,
) -> Result<(), CloudError> {
    match is_ours(cloud, function, owner, leftover).await {
        Ok(true) => {}
        Ok(false) => return Ok(()),
        Err(error) if error.kind == CloudErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    }
    match leftover {
        Leftover::Alias(alias) => {
            cloud.delete_function_url(function, alias).await?;
            cloud.delete_alias(function, alias).await
        }
        Leftover::Group { application, name } => cloud.delete_group(application, name).await,
        Leftover::Application(name) => cloud.delete_application(name).await,
        Leftover::Config(name) => drop_config(cloud, name).await,
        Leftover::Role(name) => cloud.delete_role(name, names::ROLE_POLICY).await,
    }
}

async fn is_ours<C: Cloud>(
    cloud: &C,
    function: &str,
    owner: &Owner,
    leftover: &Leftover,
) -> Result<bool, CloudError> {
    let marked = |tags| Owner::from_tags(&tags).as_ref() == Some(owner);
    Ok(match leftover {
        Leftover::Alias(alias) => {
            let description = cloud.alias(function, alias).await?.map(|state| state.description);
            let mark = description.and_then(|text| Owner::from_alias_description(&text));
            mark.is_some_and(|(maker, holder)| maker == Maker::Rollout && holder == *owner)
        }
        Leftover::Group { application, name } => {
            marked(cloud.code_deploy_tags(&format!("deploymentgroup:{application}/{name}")).await?)
        }
        // Deleting an application takes all of its groups along, and others may have put theirs into it.
        Leftover::Application(name) => {
            marked(cloud.code_deploy_tags(&format!("application:{name}")).await?)
                && cloud.groups(name).await?.is_empty()
        }
        // Named by content, without an owner, and CodeDeploy keeps it while it is in use.
        Leftover::Config(_) => true,
        Leftover::Role(name) => cloud.role(name).await?.is_some_and(|role| marked(role.tags)),
    })
}

/// Removes the error alarms of versions that are no longer in play, also those that a crash left behind.
async fn drop_old_alarms<C: Cloud>(cx: &Context<'_, C>, spec: &RolloutSpec, memory: &mut Memory) {
    let live = memory.deployment_status == "InProgress";
    let prefix = names::alarm_prefix(&spec.function.name, &spec.alias);
    let Ok(alarms) = cx.cloud.alarms_with_prefix(&prefix).await else {
        return;
    };
    let serving = format!("{prefix}{}-", memory.serving_version);
    let newest =
        alarms.iter().map(|alarm| alarm.name.clone()).filter(|name| name.starts_with(&serving)).max();
    let keep = if live { Some(memory.error_alarm.clone()) } else { newest };
    let old: Vec<String> =
        alarms.into_iter().map(|alarm| alarm.name).filter(|name| Some(name) != keep.as_ref()).collect();
    if !live {
        memory.error_alarm = keep.unwrap_or_default();
    }
    if old.is_empty() {
        return;
    }
    if let Err(error) = cx.cloud.delete_alarms(&old).await {
        cx.reporter.warn(&format!("old error alarms stay until the next update: {error}"));
    }
}
