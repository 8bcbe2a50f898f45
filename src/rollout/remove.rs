//! Takes a rollout away: what runs, then the aliases with what hangs on them beside CodeDeploy's pieces; the role last.

use super::apply::drop_config;
use super::clear;
use super::cloud::{
    AliasState, Cloud, CloudError, CloudErrorKind, DeploymentStatus, GroupState, Identity, Tags,
};
use super::context::{Context, Doing, RolloutError};
use super::memory::Memory;
use super::names;
use super::observe::live_target;
use super::owner::{Maker, Owner};
use super::place::read_here;
use super::strategy;
use super::sweep::drop_leftover;

/// What to take away. The function and alias names come from the id, the rest is remembered.
#[derive(Debug, Clone, Copy)]
pub struct Doomed<'a> {
    pub function: &'a str,
    pub alias: &'a str,
    pub memory: &'a Memory,
}

/// What is there of it.
struct Found {
    stable: Option<AliasState>,
    latest: Option<AliasState>,
    group: Option<GroupState>,
    /// Whether the group, the application and the role are of this making of the resource.
    group_is_ours: bool,
    application_is_ours: bool,
    role_is_ours: bool,
    groups_of_application: Vec<String>,
    alarms: Vec<String>,
}

pub async fn remove<C: Cloud>(cx: &Context<'_, C>, doomed: Doomed<'_>) -> Result<(), RolloutError> {
    let mut found = find(cx, doomed).await?;
    let holder = doomed.other_holder(&found);
    if holder.as_ref().is_some_and(|holder| doomed.memory.is_same_resource(holder)) {
        // A replacement of the same name has taken everything over.
        return Ok(());
    }
    // What runs for another rollout, which has taken the alias over, and what watches it, are not ours.
    if holder.is_none() && stop_live(cx, doomed, found.group.as_ref()).await? {
        // That took its time.
        found = find(cx, doomed).await?;
    }
    let latest = doomed.memory.latest_alias_name.as_str();
    // What was begun is ended, whatever becomes of the rest.
    let (stable, latest, pieces, alarms) = tokio::join!(
        remove_alias(cx, doomed, doomed.alias, found.stable.as_ref()),
        remove_alias(cx, doomed, latest, found.latest.as_ref()),
        remove_pieces(cx, doomed, &found),
        remove_alarms(cx, doomed, &found),
    );
    stable.and(latest).and(pieces).and(alarms)?;
    remove_config(cx, &doomed.memory.deployment_config).await?;
    remove_leftovers(cx, doomed).await?;
    if found.role_is_ours { remove_role(cx, doomed).await } else { Ok(()) }
}

async fn find<C: Cloud>(cx: &Context<'_, C>, doomed: Doomed<'_>) -> Result<Found, RolloutError> {
    let Doomed { function, alias, memory } = doomed;
    let Memory { application, group, latest_alias_name: latest, .. } = memory;
    let (cloud, made) = (cx.cloud, memory.made);
    let role = names::role(function, alias, &memory.region);
    let alarms = names::alarm_prefix(function, alias);
    let group_resource = format!("deploymentgroup:{application}/{group}");
    let application_resource = format!("application:{application}");
    let read = async {
        tokio::try_join!(
            cloud.alias(function, alias),
            only_if(!latest.is_empty(), cloud.alias(function, latest)),
            // Without a group it was imported.
            only_if(!application.is_empty() && !group.is_empty(), cloud.group(application, group)),
            only_if(made.group, is_ours(cx, doomed, &group_resource)),
            only_if(made.application, is_ours(cx, doomed, &application_resource)),
            only_if(made.application, cloud.groups(application)),
            only_if(made.group || made.alias, cloud.alarms_with_prefix(&alarms)),
            only_if(made.role, cloud.role(&role)),
        )
    };
    let id = format!("{function}:{alias}");
    let check = |here: &Identity| memory.check_place(&id, here);
    let (_, (stable, latest, group, group_is_ours, application_is_ours, groups, alarms, role)) =
        read_here(cx, &id, check, read).await?;
    Ok(Found {
        stable,
        latest,
        group,
        group_is_ours,
        application_is_ours,
        role_is_ours: role.is_some_and(|role| doomed.made_what_is_tagged(&role.tags)),
        groups_of_application: groups,
        alarms: alarms.into_iter().map(|alarm| alarm.name).collect(),
    })
}

/// What was never made is not looked for.
async fn only_if<T: Default>(
    wanted: bool,
    read: impl Future<Output = Result<T, CloudError>>,
) -> Result<T, CloudError> {
    if wanted { read.await } else { Ok(T::default()) }
}

async fn is_ours<C: Cloud>(
    cx: &Context<'_, C>,
    doomed: Doomed<'_>,
    resource: &str,
) -> Result<bool, CloudError> {
    match cx.cloud.code_deploy_tags(resource).await {
        Ok(tags) => Ok(doomed.made_what_is_tagged(&tags)),
        Err(error) if error.kind == CloudErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

impl Doomed<'_> {
    /// Whether tags name this making of the resource, or nobody.
    fn made_what_is_tagged(&self, tags: &Tags) -> bool {
        Owner::from_tags(tags).is_none_or(|holder| self.memory.is_holder(&holder))
    }

    /// Which other rollout the alias belongs to now: a later making of this same resource, or one that took it over.
    fn other_holder(&self, found: &Found) -> Option<Owner> {
        let mark = Owner::from_alias_description(&found.stable.as_ref()?.description);
        mark.filter(|(maker, holder)| *maker == Maker::Rollout && !self.memory.is_holder(holder))
            .map(|(_, holder)| holder)
    }
}

/// Stops what runs for this rollout, and waits for its end; answers whether anything did.
async fn stop_live<C: Cloud>(
    cx: &Context<'_, C>,
    doomed: Doomed<'_>,
    group: Option<&GroupState>,
) -> Result<bool, RolloutError> {
    let last = group.and_then(|group| group.last_attempted.as_deref());
    let Some(id) = last.filter(|id| !doomed.memory.saw_end(id)) else {
        return Ok(false);
    };
    let seen = cx.cloud.deployment(id).await.doing(|| format!("could not read deployment {id}"))?;
    let Some(deployment) = seen.filter(|seen| seen.status == DeploymentStatus::Live) else {
        return Ok(false);
    };
    let target = live_target(cx, id).await.doing(|| format!("could not read deployment {id}"))?;
    if !target.is_some_and(|t| t.function == doomed.function && t.alias == doomed.alias) {
        return Ok(false);
    }
    cx.reporter.info(&format!("stopping deployment {id}"));
    // A way back is never stopped: it would end at the version that failed.
    if deployment.is_way_back() {
        super::follow::await_end(cx, id).await?;
    } else {
        clear::stop(cx, id).await?;
    }
    Ok(true)
}

/// The alias with its URL and its permissions, if it is of this making of the resource.
async fn remove_alias<C: Cloud>(
    cx: &Context<'_, C>,
    doomed: Doomed<'_>,
    alias: &str,
    state: Option<&AliasState>,
) -> Result<(), RolloutError> {
    let (cloud, function) = (cx.cloud, doomed.function);
    let Some(state) = state else { return Ok(()) };
    let is_stable = alias == doomed.alias;
    let made = if is_stable { doomed.memory.made.alias } else { doomed.memory.made.latest_alias };
    let holder = Owner::from_alias_description(&state.description);
    let succeeded = holder.as_ref().is_some_and(|(_, holder)| !doomed.memory.is_holder(holder));
    let made_by_alias = holder.as_ref().is_some_and(|(maker, _)| *maker == Maker::Alias);
    if !made || succeeded || made_by_alias {
        let url = if is_stable { &doomed.memory.url } else { &doomed.memory.latest_url };
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

/// The group, and its application unless others have put their groups into it.
async fn remove_pieces<C: Cloud>(
    cx: &Context<'_, C>,
    doomed: Doomed<'_>,
    found: &Found,
) -> Result<(), RolloutError> {
    let Memory { application, group, .. } = doomed.memory;
    if found.group_is_ours {
        let deleted = cx.cloud.delete_group(application, group).await;
        deleted.doing(|| format!("could not delete deployment group {group}"))?;
    }
    // It would take them along.
    let stays = |name: &String| !found.group_is_ours || name != group;
    if !found.application_is_ours || found.groups_of_application.iter().any(stays) {
        return Ok(());
    }
    let deleted = cx.cloud.delete_application(application).await;
    deleted.doing(|| format!("could not delete CodeDeploy application {application}"))
}

async fn remove_alarms<C: Cloud>(
    cx: &Context<'_, C>,
    doomed: Doomed<'_>,
    found: &Found,
) -> Result<(), RolloutError> {
    if found.alarms.is_empty() || doomed.other_holder(found).is_some() {
        return Ok(());
    }
    cx.cloud.delete_alarms(&found.alarms).await.doing(|| "could not delete the error alarms".to_owned())
}

async fn remove_config<C: Cloud>(cx: &Context<'_, C>, name: &str) -> Result<(), RolloutError> {
    if !strategy::is_shared(name) {
        return Ok(());
    }
    drop_config(cx.cloud, name).await.doing(|| format!("could not delete deployment configuration {name}"))
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

async fn remove_role<C: Cloud>(cx: &Context<'_, C>, doomed: Doomed<'_>) -> Result<(), RolloutError> {
    let name = names::role(doomed.function, doomed.alias, &doomed.memory.region);
    cx.cloud.delete_role(&name, names::ROLE_POLICY).await.doing(|| format!("could not delete role {name}"))
}
