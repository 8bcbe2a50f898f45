//! One deployment with an application and a group that somebody else made.

use super::appspec::app_spec;
use super::clear::{clear, stop};
use super::cloud::{
    AliasState, Cloud, CloudErrorKind, DeploymentStatus, Group, Identity, NewDeployment, VersionInfo,
};
use super::context::{Context, Doing, RolloutError};
use super::names;
use super::observe::{LastDeployment, last_deployment};
use super::pieces::Pieces;
use super::place::read_here;
use super::plan::obstacle;
use super::preflight;
use super::refusal::Refusal;
use super::spec::RolloutSpec;
use super::start;

const ROUNDS: u32 = 5;
const DESCRIPTION_LIMIT: usize = 256;

/// What was started; no id: nothing had to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Started {
    pub deployment_id: String,
    pub current_version: String,
    pub target_version: String,
}

/// What the user leaves to the group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupDefaults {
    pub deployment_config: bool,
    pub alarms: bool,
    pub auto_rollback: bool,
}

/// The group that somebody else made.
#[derive(Debug, Clone, Copy)]
pub struct GroupRef<'a> {
    pub application: &'a str,
    pub name: &'a str,
    pub defaults: &'a GroupDefaults,
}

/// What a single deployment depends on.
struct Scene {
    group: Group,
    alias: AliasState,
    version: Option<VersionInfo>,
    last: Option<LastDeployment>,
}

/// Starts the deployment of the declared version, or finds the one that is running already; in no place that `check`
/// refuses.
pub async fn start_single<C: Cloud>(
    cx: &Context<'_, C>,
    spec: &RolloutSpec,
    group: GroupRef<'_>,
    check: impl Fn(&Identity) -> Result<(), Refusal>,
) -> Result<Started, RolloutError> {
    for _ in 0..ROUNDS {
        let scene = look(cx, spec, group, &check).await?;
        let pieces = Pieces::of_group(&scene.group);
        if let Some(obstacle) = obstacle(spec, &pieces, Some(&scene.alias), scene.last.as_ref())? {
            clear(cx, spec, &obstacle).await?;
            continue;
        }
        let started = |id: String| Started {
            deployment_id: id,
            current_version: scene.alias.version.clone(),
            target_version: spec.version.clone(),
        };
        if let Some(live) = scene.last.as_ref().filter(|last| last.is_live()) {
            let id = live.deployment.id.clone();
            cx.reporter.info(&format!("deployment {id} of version {} is running already", spec.version));
            return Ok(started(id));
        }
        if scene.alias.version == spec.version {
            let (id, version) = (spec.id(), &spec.version);
            cx.reporter.info(&format!("{id} serves version {version} already; nothing to deploy"));
            return Ok(started(String::new()));
        }
        preflight::await_active(cx, spec, scene.version.as_ref()).await?;
        let quiet = preflight::check_deployment(
            cx,
            spec,
            &pieces,
            (&scene.alias.version, scene.version.as_ref()),
            false,
        )
        .await?;
        start::await_turn(cx).await?;
        match start::start(cx, &deployment(spec, group, &scene, quiet)).await {
            Err(error) if error.kind == CloudErrorKind::GroupBusy => {}
            other => {
                return other
                    .map(started)
                    .doing(|| format!("could not start the deployment of version {}", spec.version));
            }
        }
    }
    Err(RolloutError::Left(format!("{} was taken by others {ROUNDS} times: run again", spec.id())))
}

async fn look<C: Cloud>(
    cx: &Context<'_, C>,
    spec: &RolloutSpec,
    group: GroupRef<'_>,
    check: impl Fn(&Identity) -> Result<(), Refusal>,
) -> Result<Scene, RolloutError> {
    let read = async {
        tokio::try_join!(
            cx.cloud.group(group.application, group.name),
            cx.cloud.alias(&spec.function.name, &spec.alias),
            cx.cloud.version(&spec.function.name, &spec.version),
        )
    };
    let (_, (state, alias, version)) = read_here(cx, &spec.id(), check, read).await?;
    let Some(state) = state else {
        let (application, group) = (group.application.to_owned(), group.name.to_owned());
        return Err(Refusal::NoGroup { application, group }.into());
    };
    let Some(alias) = alias else {
        let (function, alias) = (spec.function.name.clone(), spec.alias.clone());
        return Err(Refusal::NoAlias { function, alias }.into());
    };
    let last = match &state.last_attempted {
        Some(id) => {
            let last = last_deployment(cx, id, |_| alias.weight.is_some()).await;
            last.doing(|| format!("could not read deployment {id}"))?
        }
        None => None,
    };
    Ok(Scene { group: state.group, alias, version, last })
}

/// What the user leaves out is the group's.
fn deployment(spec: &RolloutSpec, group: GroupRef<'_>, scene: &Scene, quiet: Vec<String>) -> NewDeployment {
    let GroupRef { application, name, defaults } = group;
    let theirs = &scene.group;
    let from = &scene.alias.version;
    let described =
        || names::cut(&format!("{}: version {from} to {}", spec.id(), spec.version), DESCRIPTION_LIMIT);
    NewDeployment {
        application: application.to_owned(),
        group: name.to_owned(),
        deployment_config: if defaults.deployment_config {
            theirs.deployment_config.clone()
        } else {
            spec.routing.config_name()
        },
        app_spec: app_spec(&spec.function.name, &spec.alias, from, &spec.version, &spec.hooks),
        description: spec.description.clone().unwrap_or_else(described),
        alarms: if defaults.alarms { theirs.alarms.clone() } else { quiet },
        ignore_alarm_poll_failure: theirs.ignore_alarm_poll_failure,
        rollback_events: if defaults.auto_rollback {
            theirs.rollback_events.clone()
        } else {
            spec.rollback_codes()
        },
    }
}

/// Stops a deployment that is still running; one that has ended is only forgotten.
pub async fn forget<C: Cloud>(cx: &Context<'_, C>, id: &str) -> Result<(), RolloutError> {
    let seen = cx.cloud.deployment(id).await.doing(|| format!("could not read deployment {id}"))?;
    match seen {
        Some(deployment) if deployment.status == DeploymentStatus::Live => stop(cx, id).await,
        _ => Ok(()),
    }
}
