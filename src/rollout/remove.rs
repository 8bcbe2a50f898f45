//! Takes a rollout away: what runs, what hangs on the aliases, the aliases, then the pieces; the role last.

use super::apply::drop_config;
use super::clear;
use super::cloud::{Cloud, CloudErrorKind, DeploymentStatus};
use super::context::{Context, Doing, RolloutError};
use super::memory::Memory;
use super::names;
use super::owner::{Maker, Owner};
use super::strategy;
use super::sweep::drop_leftover;
use super::way_back::is_way_back;

/// What to take away. The function and alias names come from the id, the rest is remembered.
#[derive(Debug, Clone, Copy)]
pub struct Doomed<'a> {
    pub function: &'a str,
    pub alias: &'a str,
    pub memory: &'a Memory,
}

pub async fn remove<C: Cloud>(cx: &Context<'_, C>, doomed: Doomed<'_>) -> Result<(), RolloutError> {
    check_place(cx, doomed).await?;
    let holder = alias_holder(cx, doomed).await?;
    if holder.as_ref().is_some_and(|holder| holder.is_same_resource(&doomed.memory.owner)) {
        // A replacement of the same name has taken everything over.
        return Ok(());
    }
    // What runs for another rollout, which has taken the alias over, and what watches it, are not ours.
    if holder.is_none() {
        stop_live(cx, doomed).await?;
    }
    let latest = doomed.memory.latest_alias_name.as_str();
    remove_alias(cx, doomed, doomed.alias, doomed.memory.made.alias).await?;
    if !latest.is_empty() {
        remove_alias(cx, doomed, latest, doomed.memory.made.latest_alias).await?;
    }
    remove_group(cx, doomed).await?;
    remove_application(cx, doomed).await?;
    if holder.is_none() {
        remove_alarms(cx, doomed).await?;
    }
    remove_config(cx, &doomed.memory.deployment_config).await?;
    remove_leftovers(cx, doomed).await?;
    remove_role(cx, doomed).await
}

/// What an earlier declaration made and no update has removed since.
async fn remove_leftovers<C: Cloud>(cx: &Context<'_, C>, doomed: Doomed<'_>) -> Result<(), RolloutError> {
    for leftover in &doomed.memory.leftovers {
        drop_leftover(cx.cloud, doomed.function, &doomed.memory.owner, leftover)
            .await
            .doing(|| format!("could not delete {leftover}"))?;
    }
    Ok(())
}

async fn check_place<C: Cloud>(cx: &Context<'_, C>, doomed: Doomed<'_>) -> Result<(), RolloutError> {
    let here = cx.cloud.identity().await.doing(|| "could not ask who the caller is".to_owned())?;
    let id = format!("{}:{}", doomed.function, doomed.alias);
    Ok(doomed.memory.check_place(&id, &here)?)
}

/// Which other rollout the alias belongs to now: a later making of this same resource, or one that took it over.
async fn alias_holder<C: Cloud>(
    cx: &Context<'_, C>,
    doomed: Doomed<'_>,
) -> Result<Option<Owner>, RolloutError> {
    let alias = doomed.alias;
    let state =
        cx.cloud.alias(doomed.function, alias).await.doing(|| format!("could not read alias {alias}"))?;
    let mark = state.and_then(|state| Owner::from_alias_description(&state.description));
    Ok(mark
        .filter(|(maker, holder)| *maker == Maker::Rollout && *holder != doomed.memory.owner)
        .map(|(_, holder)| holder))
}

async fn stop_live<C: Cloud>(cx: &Context<'_, C>, doomed: Doomed<'_>) -> Result<(), RolloutError> {
    let memory = doomed.memory;
    if memory.application.is_empty() || memory.group.is_empty() {
        // Imported without a group.
        return Ok(());
    }
    let Some(group) = cx
        .cloud
        .group(&memory.application, &memory.group)
        .await
        .doing(|| format!("could not read deployment group {}", memory.group))?
    else {
        return Ok(());
    };
    let Some(id) = group.last_attempted else {
        return Ok(());
    };
    let target = cx.cloud.target(&id).await.doing(|| format!("could not read deployment {id}"))?;
    if !target.is_some_and(|t| t.function == doomed.function && t.alias == doomed.alias) {
        return Ok(());
    }
    let seen = cx.cloud.deployment(&id).await.doing(|| format!("could not read deployment {id}"))?;
    match seen {
        Some(deployment) if deployment.status == DeploymentStatus::Live => {
            cx.reporter.info(&format!("stopping deployment {id}"));
            // A way back is never stopped: it would end at the version that failed.
            if deployment.rolls_back.is_some() || is_way_back(&deployment.description) {
                super::follow::await_end(cx, &id).await.map(drop)
            } else {
                clear::stop(cx, &id).await
            }
        }
        _ => Ok(()),
    }
}

/// The alias with its URL and its permissions, if it is of this making of the resource.
async fn remove_alias<C: Cloud>(
    cx: &Context<'_, C>,
    doomed: Doomed<'_>,
    alias: &str,
    made: bool,
) -> Result<(), RolloutError> {
    let (cloud, function) = (cx.cloud, doomed.function);
    let Some(state) = cloud.alias(function, alias).await.doing(|| format!("could not read alias {alias}"))?
    else {
        return Ok(());
    };
    let holder = Owner::from_alias_description(&state.description);
    let succeeded = holder.as_ref().is_some_and(|(_, holder)| *holder != doomed.memory.owner);
    let made_by_alias = holder.as_ref().is_some_and(|(maker, _)| *maker == Maker::Alias);
    if !made || succeeded || made_by_alias {
        let url = if alias == doomed.alias { &doomed.memory.url } else { &doomed.memory.latest_url };
        if !made && !url.is_empty() {
            let deleted = cloud.delete_function_url(function, alias).await;
            deleted.doing(|| format!("could not delete the function URL of alias {alias}"))?;
        }
        return remove_statements(cx, doomed, alias).await;
    }
    cloud
        .delete_function_url(function, alias)
        .await
        .doing(|| format!("could not delete the function URL of alias {alias}"))?;
    // The alias takes its resource policy with it.
    cloud.delete_alias(function, alias).await.doing(|| format!("could not delete alias {alias}"))
}

/// On an alias that stays, only our statements go.
async fn remove_statements<C: Cloud>(
    cx: &Context<'_, C>,
    doomed: Doomed<'_>,
    alias: &str,
) -> Result<(), RolloutError> {
    let known = cx
        .cloud
        .permissions(doomed.function, alias)
        .await
        .doing(|| format!("could not read the permissions of alias {alias}"))?;
    let prefix = doomed.memory.owner.statement_prefix(Maker::Rollout);
    for id in known.iter().filter(|id| id.starts_with(&prefix)) {
        cx.cloud
            .remove_permission(doomed.function, alias, id)
            .await
            .doing(|| format!("could not remove statement {id} from alias {alias}"))?;
    }
    Ok(())
}

async fn remove_group<C: Cloud>(cx: &Context<'_, C>, doomed: Doomed<'_>) -> Result<(), RolloutError> {
    let memory = doomed.memory;
    let resource = format!("deploymentgroup:{}/{}", memory.application, memory.group);
    if !memory.made.group || !is_of_this_making(cx, doomed, &resource).await? {
        return Ok(());
    }
    cx.cloud
        .delete_group(&memory.application, &memory.group)
        .await
        .doing(|| format!("could not delete deployment group {}", memory.group))
}

async fn remove_application<C: Cloud>(cx: &Context<'_, C>, doomed: Doomed<'_>) -> Result<(), RolloutError> {
    let memory = doomed.memory;
    let resource = format!("application:{}", memory.application);
    if !memory.made.application || !is_of_this_making(cx, doomed, &resource).await? {
        return Ok(());
    }
    let groups = cx.cloud.groups(&memory.application).await;
    let groups = groups.doing(|| format!("could not list the groups of {}", memory.application))?;
    if !groups.is_empty() {
        // It would take them along, and they are not ours.
        return Ok(());
    }
    cx.cloud
        .delete_application(&memory.application)
        .await
        .doing(|| format!("could not delete CodeDeploy application {}", memory.application))
}

async fn is_of_this_making<C: Cloud>(
    cx: &Context<'_, C>,
    doomed: Doomed<'_>,
    resource: &str,
) -> Result<bool, RolloutError> {
    match cx.cloud.code_deploy_tags(resource).await {
        Ok(tags) => Ok(Owner::from_tags(&tags).is_none_or(|holder| holder == doomed.memory.owner)),
        Err(error) if error.kind == CloudErrorKind::NotFound => Ok(false),
        Err(error) => Err(error).doing(|| format!("could not read the tags of {resource}")),
    }
}

async fn remove_alarms<C: Cloud>(cx: &Context<'_, C>, doomed: Doomed<'_>) -> Result<(), RolloutError> {
    if !doomed.memory.made.group && !doomed.memory.made.alias {
        return Ok(());
    }
    let prefix = names::alarm_prefix(doomed.function, doomed.alias);
    let alarms =
        cx.cloud.alarms_with_prefix(&prefix).await.doing(|| "could not list the error alarms".to_owned())?;
    let names: Vec<String> = alarms.into_iter().map(|alarm| alarm.name).collect();
    if names.is_empty() {
        return Ok(());
    }
    cx.cloud.delete_alarms(&names).await.doing(|| "could not delete the error alarms".to_owned())
}

async fn remove_config<C: Cloud>(cx: &Context<'_, C>, name: &str) -> Result<(), RolloutError> {
    if !strategy::is_shared(name) {
        return Ok(());
    }
    drop_config(cx.cloud, name).await.doing(|| format!("could not delete deployment configuration {name}"))
}

async fn remove_role<C: Cloud>(cx: &Context<'_, C>, doomed: Doomed<'_>) -> Result<(), RolloutError> {
    if !doomed.memory.made.role {
        return Ok(());
    }
    let name = names::role(doomed.function, doomed.alias, &doomed.memory.region);
    let role = cx.cloud.role(&name).await.doing(|| format!("could not read role {name}"))?;
    let ours = role.is_some_and(|role| Owner::from_tags(&role.tags).is_none_or(|o| o == doomed.memory.owner));
    if !ours {
        return Ok(());
    }
    cx.cloud.delete_role(&name, names::ROLE_POLICY).await.doing(|| format!("could not delete role {name}"))
}
