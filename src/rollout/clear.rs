//! Clears the way for a rollout: what runs on the group, and what an earlier deployment left behind.

use super::cloud::{AliasChange, Cloud, CloudError, CloudErrorKind, DeploymentStatus};
use super::context::{Context, Doing, RolloutError};
use super::failure;
use super::follow;
use super::memory::Memory;
use super::plan::{GiveBack, Obstacle};
use super::preflight::left;
use super::spec::RolloutSpec;

const LOOK: std::time::Duration = std::time::Duration::from_secs(10);

pub async fn clear<C: Cloud>(
    cx: &Context<'_, C>,
    spec: &RolloutSpec,
    obstacle: &Obstacle,
) -> Result<(), RolloutError> {
    let said = format!("{}: {}", spec.id(), in_words(obstacle, &spec.version));
    match obstacle {
        Obstacle::Rollback { deployment } => {
            cx.reporter.info(&said);
            follow::await_end(cx, deployment).await.map(drop)
        }
        Obstacle::Running { deployment, .. } => {
            cx.reporter.info(&said);
            await_other(cx, deployment).await
        }
        Obstacle::Superseded { deployment, .. } => {
            cx.reporter.warn(&said);
            stop(cx, deployment).await
        }
        Obstacle::HalfShifted { main, revision, .. } => {
            cx.reporter.warn(&said);
            put_back(cx, spec, main, revision).await.map(drop).doing(|| could_not_put_back(spec))
        }
    }
}

/// What is in the way of `version`, and what becomes of it.
pub fn in_words(obstacle: &Obstacle, version: &str) -> String {
    match obstacle {
        Obstacle::Rollback { deployment } => format!("waiting for rollback {deployment}"),
        Obstacle::Running { deployment, version } => {
            format!("waiting for deployment {deployment} of version {version}")
        }
        Obstacle::Superseded { deployment, version: old } => {
            format!("deployment {deployment} of version {old} is stopped in favour of version {version}")
        }
        Obstacle::HalfShifted { main, second, .. } => format!(
            "an ended deployment left traffic split between versions {main} and {second}; putting all of it on version \
             {main}"
        ),
    }
}

/// Takes all the traffic from a version that failed.
pub async fn give_back<C: Cloud>(
    cx: &Context<'_, C>,
    spec: &RolloutSpec,
    back: &GiveBack,
    memory: &mut Memory,
) -> Result<(), RolloutError> {
    let GiveBack { failed, good, revision } = back;
    let function = &spec.function.name;
    let known = cx.cloud.version(function, good).await.doing(|| format!("could not read version {good}"))?;
    if known.is_none() {
        cx.reporter.warn(&format!(
            "{}: version {failed} failed, and version {good}, which served before, is deleted",
            spec.id()
        ));
        memory.forget_version(good);
        return Ok(());
    }
    cx.reporter.warn(&format!("{}: {}", spec.id(), giving_back(failed, good)));
    if put_back(cx, spec, good, revision).await.doing(|| could_not_put_back(spec))? {
        memory.record_serving(good);
    }
    Ok(())
}

pub fn giving_back(failed: &str, good: &str) -> String {
    format!("version {failed} failed and has all the traffic; putting it back on version {good}")
}

fn could_not_put_back(spec: &RolloutSpec) -> String {
    format!("could not put alias {} back", spec.alias)
}

/// All traffic on one version, unless somebody else has changed the alias since it was looked at.
async fn put_back<C: Cloud>(
    cx: &Context<'_, C>,
    spec: &RolloutSpec,
    version: &str,
    revision: &str,
) -> Result<bool, CloudError> {
    let change = AliasChange {
        version: Some(version.to_owned()),
        clear_weights: true,
        if_revision: Some(revision.to_owned()),
        ..AliasChange::default()
    };
    match cx.cloud.update_alias(&spec.function.name, &spec.alias, &change).await {
        // Somebody was faster; the next look tells what it is now.
        Err(error) if error.kind == CloudErrorKind::Changed => Ok(false),
        other => other.map(|_| true),
    }
}

/// Stops a deployment with rollback, and waits until the alias is whole again.
pub async fn stop<C: Cloud>(cx: &Context<'_, C>, id: &str) -> Result<(), RolloutError> {
    match cx.cloud.stop_deployment(id, true).await {
        // It ended in the same moment: nothing is left to stop.
        Err(error) if matches!(error.kind, CloudErrorKind::AlreadyEnded | CloudErrorKind::NotFound) => {}
        other => other.doing(|| format!("could not stop deployment {id}"))?,
    }
    let ended = follow::await_end(cx, id).await?;
    if ended.status != DeploymentStatus::Stopped {
        return Ok(());
    }
    match failure::find_rollback(cx, &ended, true).await {
        Some(rollback) => follow::await_end(cx, &rollback).await.map(drop),
        None => Ok(()),
    }
}

async fn await_other<C: Cloud>(cx: &Context<'_, C>, id: &str) -> Result<(), RolloutError> {
    loop {
        let seen = cx
            .or_interrupted(cx.cloud.watch(id, LOOK))
            .await
            .map_err(|why| left(&format!("deployment {id} is still running, nothing was started"), why))?
            .doing(|| format!("could not read deployment {id}"))?;
        if seen.is_none_or(|deployment| deployment.status != DeploymentStatus::Live) {
            return Ok(());
        }
    }
}
