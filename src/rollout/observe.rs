//! What is in AWS now, read in as few rounds as the answers allow.

use std::time::Duration;

use super::cloud::{
    AliasState, Cloud, CloudError, Deployment, DeploymentStatus, FunctionUrl, GroupState, Identity, Role,
    Target, VersionInfo,
};
use super::context::{Context, Doing, RolloutError};
use super::memory::Memory;
use super::names;
use super::owner::Owner;
use super::pieces::Pieces;
use super::place::{here, read_here};
use super::spec::{RolloutSpec, Routing};
use super::strategy;

/// How often, and how far apart, a deployment that has just been made is looked at until it has started.
const START_LOOKS: u32 = 10;
const START_LOOK: Duration = Duration::from_secs(2);

#[derive(Debug, Clone, PartialEq)]
pub struct Observed {
    pub identity: Identity,
    pub version: Option<VersionInfo>,
    pub alias: Option<AliasState>,
    pub latest: Option<AliasState>,
    pub application: Piece,
    pub group: Option<GroupState>,
    pub group_owner: Option<Owner>,
    /// The role that the rollout makes, if it does.
    pub role: Option<Role>,
    pub role_policy: Option<String>,
    /// Routings of this run or of the group that have no configuration yet.
    pub missing_configs: Vec<Routing>,
    pub url: Option<(FunctionUrl, String)>,
    pub latest_url: Option<(FunctionUrl, String)>,
    pub permissions: Vec<String>,
    pub latest_permissions: Vec<String>,
    /// The group's newest deployment, unless an earlier run has seen its end. While a hook runs, the alias alone does
    /// not tell that one is live.
    pub last: Option<LastDeployment>,
}

/// A piece whose owner may stand in its tags. The tags are read only when the memory does not know whose it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    Missing,
    Exists(Option<Owner>),
}

#[derive(Debug, Clone, PartialEq)]
pub struct LastDeployment {
    pub deployment: Deployment,
    /// What it was to do, as far as that matters; a rollback's never does.
    pub target: Option<Target>,
    /// The deployment that was rolled back, when the newest one is a rollback, as far as that matters.
    pub rolled_back: Option<(Deployment, Option<Target>)>,
}

impl LastDeployment {
    pub fn is_live(&self) -> bool {
        self.deployment.status == DeploymentStatus::Live
    }

    /// A group that the user brings may be at work for another function.
    pub fn moves_traffic_of(&self, spec: &RolloutSpec) -> bool {
        let is_ours = |target: &Target| target.function == spec.function.name && target.alias == spec.alias;
        self.is_live() && self.target.as_ref().is_some_and(is_ours)
    }

    /// The deployment of a version, as opposed to the rollback that followed it.
    pub fn forward(&self) -> (&Deployment, Option<&Target>) {
        match &self.rolled_back {
            Some((deployment, target)) => (deployment, target.as_ref()),
            None => (&self.deployment, self.target.as_ref()),
        }
    }

    /// What was read of one deployment.
    pub fn find(&self, id: &str) -> Option<(&Deployment, Option<&Target>)> {
        [self.forward(), (&self.deployment, self.target.as_ref())]
            .into_iter()
            .find(|(deployment, _)| deployment.id == id)
    }
}

/// Looks at everything that the plan depends on.
pub async fn observe<C: Cloud>(
    cx: &Context<'_, C>,
    spec: &RolloutSpec,
    memory: Option<&Memory>,
) -> Result<Observed, RolloutError> {
    let id = spec.id();
    let Some(known) = memory else {
        let identity = here(cx).await?;
        let seen = Box::pin(look(cx, spec, None, identity)).await;
        return seen.doing(|| format!("could not read what exists for {id}"));
    };
    // Boxed: it is large, and a rollout that waits for minutes would keep room for it, twice.
    let look = Box::pin(look(cx, spec, memory, known.identity()));
    let (identity, seen) = read_here(cx, &id, |here| known.check_place(&id, here), look).await?;
    Ok(Observed { identity, ..seen })
}

async fn look<C: Cloud>(
    cx: &Context<'_, C>,
    spec: &RolloutSpec,
    memory: Option<&Memory>,
    identity: Identity,
) -> Result<Observed, CloudError> {
    let cloud = cx.cloud;
    let pieces = Pieces::of(spec, &identity);
    let (function, alias) = (&spec.function.name, &spec.alias);

    let aliases = async {
        tokio::try_join!(
            cloud.version(function, &spec.version),
            cloud.alias(function, alias),
            look_at_latest(cloud, spec),
            look_at_permissions(cloud, function, Some(alias)),
            look_at_permissions(cloud, function, spec.latest_alias.as_ref()),
        )
    };
    let deploy_pieces = async {
        tokio::try_join!(
            look_at_application(cloud, &pieces, memory),
            look_at_group(cloud, &pieces, memory),
            look_at_role(cloud, &pieces),
            missing_configs(cloud, spec),
        )
    };
    let (
        (version, alias, latest, permissions, latest_permissions),
        (url, latest_url),
        (application, (group, group_owner), (role, role_policy), missing_configs),
    ) = tokio::try_join!(aliases, look_at_urls(cloud, spec, memory), deploy_pieces)?;

    let split = alias.as_ref().is_some_and(|alias| alias.weight.is_some());
    let last = look_at_last(cx, &pieces, group.as_ref(), memory, split).await?;
    Ok(Observed {
        identity,
        version,
        alias,
        latest,
        application,
        group,
        group_owner,
        role,
        role_policy,
        missing_configs,
        url,
        latest_url,
        permissions,
        latest_permissions,
        last,
    })
}

/// A deployment with its target and, if it is a rollback, the deployment that it rolls back. Of one that has ended,
/// only what `matters` is read.
pub async fn last_deployment<C: Cloud>(
    cx: &Context<'_, C>,
    id: &str,
    matters: impl Fn(&str) -> bool,
) -> Result<Option<LastDeployment>, CloudError> {
    let Some(deployment) = cx.cloud.deployment(id).await? else {
        return Ok(None);
    };
    let live = deployment.status == DeploymentStatus::Live;
    let (target, rolled_back) = match &deployment.rolls_back {
        Some(id) if matters(id) => (None, with_target(cx.cloud, id).await?),
        None if live => (live_target(cx, id).await?, None),
        None if matters(id) => (cx.cloud.target(id).await?, None),
        _ => (None, None),
    };
    Ok(Some(LastDeployment { deployment, target, rolled_back }))
}

/// What a live deployment is to do. CodeDeploy says so only when it has started, a moment after it was made.
pub async fn live_target<C: Cloud>(cx: &Context<'_, C>, id: &str) -> Result<Option<Target>, CloudError> {
    for _ in 1..START_LOOKS {
        if let Some(target) = cx.cloud.target(id).await? {
            return Ok(Some(target));
        }
        cx.clock.sleep(START_LOOK).await;
    }
    cx.cloud.target(id).await
}

async fn with_target<C: Cloud>(
    cloud: &C,
    id: &str,
) -> Result<Option<(Deployment, Option<Target>)>, CloudError> {
    let (deployment, target) = tokio::try_join!(cloud.deployment(id), cloud.target(id))?;
    Ok(deployment.map(|deployment| (deployment, target)))
}

async fn look_at_latest<C: Cloud>(cloud: &C, spec: &RolloutSpec) -> Result<Option<AliasState>, CloudError> {
    match &spec.latest_alias {
        Some(latest) => cloud.alias(&spec.function.name, latest).await,
        None => Ok(None),
    }
}

/// The URLs of the alias and of the latest alias, where one is declared or was made.
async fn look_at_urls<C: Cloud>(
    cloud: &C,
    spec: &RolloutSpec,
    memory: Option<&Memory>,
) -> Result<(Option<(FunctionUrl, String)>, Option<(FunctionUrl, String)>), CloudError> {
    let had = |url: Option<&String>| url.is_some_and(|url| !url.is_empty());
    let url = spec.function_url.is_some() || had(memory.map(|m| &m.url));
    let latest_url = spec.latest_function_url.is_some() || had(memory.map(|m| &m.latest_url));
    let function = &spec.function.name;
    tokio::try_join!(
        look_at_url(cloud, function, Some(&spec.alias), url),
        look_at_url(cloud, function, spec.latest_alias.as_ref(), latest_url),
    )
}

async fn look_at_url<C: Cloud>(
    cloud: &C,
    function: &str,
    alias: Option<&String>,
    wanted: bool,
) -> Result<Option<(FunctionUrl, String)>, CloudError> {
    match alias {
        Some(alias) if wanted => cloud.function_url(function, alias).await,
        _ => Ok(None),
    }
}

async fn look_at_permissions<C: Cloud>(
    cloud: &C,
    function: &str,
    alias: Option<&String>,
) -> Result<Vec<String>, CloudError> {
    match alias {
        Some(alias) => cloud.permissions(function, alias).await,
        None => Ok(Vec::new()),
    }
}

async fn look_at_application<C: Cloud>(
    cloud: &C,
    pieces: &Pieces,
    memory: Option<&Memory>,
) -> Result<Piece, CloudError> {
    if cloud.application(&pieces.application).await?.is_none() {
        return Ok(Piece::Missing);
    }
    if memory.is_some_and(|m| m.made_application(&pieces.application)) {
        return Ok(Piece::Exists(None));
    }
    let tags = cloud.code_deploy_tags(&format!("application:{}", pieces.application)).await?;
    Ok(Piece::Exists(Owner::from_tags(&tags)))
}

async fn look_at_group<C: Cloud>(
    cloud: &C,
    pieces: &Pieces,
    memory: Option<&Memory>,
) -> Result<(Option<GroupState>, Option<Owner>), CloudError> {
    let Some(group) = cloud.group(&pieces.application, &pieces.group).await? else {
        return Ok((None, None));
    };
    if memory.is_some_and(|m| m.made_group(&pieces.application, &pieces.group)) {
        return Ok((Some(group), None));
    }
    let tags =
        cloud.code_deploy_tags(&format!("deploymentgroup:{}/{}", pieces.application, pieces.group)).await?;
    Ok((Some(group), Owner::from_tags(&tags)))
}

async fn look_at_role<C: Cloud>(
    cloud: &C,
    pieces: &Pieces,
) -> Result<(Option<Role>, Option<String>), CloudError> {
    match &pieces.role_name {
        Some(name) => tokio::try_join!(cloud.role(name), cloud.role_policy(name, names::ROLE_POLICY)),
        None => Ok((None, None)),
    }
}

async fn missing_configs<C: Cloud>(cloud: &C, spec: &RolloutSpec) -> Result<Vec<Routing>, CloudError> {
    let mut missing = Vec::new();
    for routing in [Some(&spec.routing), spec.declared_routing.as_ref()].into_iter().flatten() {
        let name = routing.config_name();
        let made_by_aws = matches!(routing, Routing::Strategy(_)) && strategy::is_predefined(&name);
        if !made_by_aws && cloud.deployment_config(&name).await?.is_none() {
            missing.push(routing.clone());
        }
    }
    Ok(missing)
}

/// The newest deployment, also if it ran in a group that was left behind since. One whose end an earlier run has seen
/// tells nothing new, unless traffic is split.
async fn look_at_last<C: Cloud>(
    cx: &Context<'_, C>,
    pieces: &Pieces,
    group: Option<&GroupState>,
    memory: Option<&Memory>,
    split: bool,
) -> Result<Option<LastDeployment>, CloudError> {
    let saw_end = |id: &str| memory.is_some_and(|memory| memory.saw_end(id));
    let moved_from = memory.filter(|memory| {
        !memory.group.is_empty()
            && (&memory.application, &memory.group) != (&pieces.application, &pieces.group)
    });
    let before = match moved_from {
        Some(memory) => cx.cloud.group(&memory.application, &memory.group).await?,
        None => None,
    };
    let mut newest: Option<LastDeployment> = None;
    for id in group.into_iter().chain(&before).filter_map(|group| group.last_attempted.as_deref()) {
        if saw_end(id) && !split {
            continue;
        }
        let matters = |id: &str| split || (memory.is_some() && !saw_end(id));
        let found = last_deployment(cx, id, matters).await?;
        let created = |last: &Option<LastDeployment>| last.as_ref().and_then(|last| last.deployment.created);
        if newest.is_none() || created(&found) > created(&newest) {
            newest = found;
        }
    }
    Ok(newest)
}
