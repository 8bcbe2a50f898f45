//! One deployment with an application and a group that somebody else made.

use super::appspec::app_spec;
use super::clear::{clear, stop};
use super::cloud::{Cloud, CloudErrorKind, DeploymentStatus, NewDeployment};
use super::context::{Context, Doing, RolloutError};
use super::names;
use super::observe::last_deployment;
use super::plan::obstacle;
use super::preflight;
use super::refusal::Refusal;
use super::spec::RolloutSpec;

const ROUNDS: u32 = 5;

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

/// Starts the deployment of the declared version, or finds the one that is running already.
pub async fn start_single<C: Cloud>(
    cx: &Context<'_, C>,
    spec: &RolloutSpec,
    application: &str,
    group: &str,
    defaults: &GroupDefaults,
) -> Result<Started, RolloutError> {
    for _ in 0..ROUNDS {
        let (state, alias) = tokio::try_join!(
            cx.cloud.group(application, group),
            cx.cloud.alias(&spec.function.name, &spec.alias)
        )
        .doing(|| format!("could not read what exists for {}", spec.id()))?;
        let Some(state) = state else {
            let (application, group) = (application.to_owned(), group.to_owned());
            return Err(Refusal::NoGroup { application, group }.into());
        };
        let Some(alias) = alias else {
            let (function, alias) = (spec.function.name.clone(), spec.alias.clone());
            return Err(Refusal::NoAlias { function, alias }.into());
        };
        let last = match &state.last_attempted {
            Some(id) => {
                last_deployment(cx.cloud, id).await.doing(|| format!("could not read deployment {id}"))?
            }
            None => None,
        };
        if let Some(obstacle) = obstacle(spec, Some(&alias), last.as_ref())? {
            clear(cx, spec, &obstacle).await?;
            continue;
        }
        let started = |id: String| Started {
            deployment_id: id,
            current_version: alias.version.clone(),
            target_version: spec.version.clone(),
        };
        if let Some(live) = last.filter(super::observe::LastDeployment::is_live) {
            cx.reporter.info(&format!(
                "deployment {} of version {} is running already",
                live.deployment.id, spec.version
            ));
            return Ok(started(live.deployment.id));
        }
        if alias.version == spec.version {
            cx.reporter.info(&format!(
                "{} serves version {} already; nothing to deploy",
                spec.id(),
                spec.version
            ));
            return Ok(started(String::new()));
        }
        preflight::await_active(cx, spec, None).await?;
        let quiet = preflight::check_deployment(cx, spec, &alias.version, false).await?;
        let deployment = NewDeployment {
            application: application.to_owned(),
            group: group.to_owned(),
            deployment_config: if defaults.deployment_config {
                state.group.deployment_config
            } else {
                spec.routing.config_name()
            },
            app_spec: app_spec(&spec.function.name, &spec.alias, &alias.version, &spec.version, &spec.hooks),
            description: spec.description.clone().unwrap_or_else(|| {
                names::cut(&format!("{}: version {} to {}", spec.id(), alias.version, spec.version), 256)
            }),
            alarms: if defaults.alarms { state.group.alarms } else { quiet },
            ignore_alarm_poll_failure: state.group.ignore_alarm_poll_failure,
            rollback_events: if defaults.auto_rollback {
                state.group.rollback_events
            } else {
                spec.rollback_codes()
            },
        };
        match cx.cloud.create_deployment(&deployment).await {
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

/// Stops a deployment that is still running; one that has ended is only forgotten.
pub async fn forget<C: Cloud>(cx: &Context<'_, C>, id: &str) -> Result<(), RolloutError> {
    let seen = cx.cloud.deployment(id).await.doing(|| format!("could not read deployment {id}"))?;
    match seen {
        Some(deployment) if deployment.status == DeploymentStatus::Live => stop(cx, id).await,
        _ => Ok(()),
    }
}
