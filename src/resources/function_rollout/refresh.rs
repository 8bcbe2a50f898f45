//! Refresh: brings the memory up to date. A live shift is no drift, and neither is a version that failed.

use std::time::SystemTime;

use super::inputs;
use crate::pulumi::{PropertyMap, PropertyValue, ReadState};
use crate::resources::state;
use crate::rollout::cloud::{AliasState, Cloud, DeploymentStatus};
use crate::rollout::context::{Context, Doing, RolloutError};
use crate::rollout::memory::Memory;
use crate::rollout::observe::{LastDeployment, last_deployment};
use crate::rollout::plan::{IN_PROGRESS, WAY_BACK, is_judgement};
use crate::rollout::spec::OnFailedVersion;

pub(super) async fn refresh<C: Cloud>(
    cx: &Context<'_, C>,
    (function, alias): (&str, &str),
    mut memory: Memory,
    mut inputs: PropertyMap,
) -> Result<Option<ReadState>, RolloutError> {
    let id = format!("{function}:{alias}");
    let here = cx.cloud.identity().await.doing(|| "could not ask who the caller is".to_owned())?;
    memory.check_place(&id, &here)?;
    let state = cx.cloud.alias(function, alias).await.doing(|| format!("could not read alias {alias}"))?;
    let Some(state) = state else { return Ok(None) };
    let last = if memory.deployment_id.is_empty() {
        None
    } else {
        last_deployment(cx.cloud, &memory.deployment_id)
            .await
            .doing(|| format!("could not read deployment {}", memory.deployment_id))?
    };
    let live = last.as_ref().is_some_and(|last| last.deployment.status == DeploymentStatus::Live);
    if !live {
        if let Some(last) = &last {
            if last.deployment.status == DeploymentStatus::Succeeded {
                notice_way_back(cx, &mut memory, &state).await?;
            }
            settle(&mut memory, &mut inputs, last, &state);
        }
        notice_move(&mut memory, &mut inputs, &state);
    }
    let mut outputs = inputs.clone();
    state::write(&mut outputs, &memory, function, alias);
    Ok(Some(ReadState { id, inputs, outputs, refresh_before_update: live }))
}

/// Learns the end of a deployment that nobody waited for.
fn settle(memory: &mut Memory, inputs: &mut PropertyMap, last: &LastDeployment, alias: &AliasState) {
    last.deployment.status_text.clone_into(&mut memory.deployment_status);
    let Some(rollout) = memory.last_rollout.as_mut().filter(|rollout| rollout.status == IN_PROGRESS) else {
        return;
    };
    let version = rollout.version.clone();
    rollout.ended = Some(last.deployment.completed.unwrap_or_else(SystemTime::now));
    if last.deployment.status == DeploymentStatus::Succeeded {
        "Succeeded".clone_into(&mut rollout.status);
        memory.record_serving(&version);
        return;
    }
    "Failed".clone_into(&mut rollout.status);
    last.deployment.error_message.clone_into(&mut rollout.reason);
    let judged = is_judgement(&last.deployment.error_code);
    if judged {
        version.clone_into(&mut memory.failed_version);
    }
    alias.version.clone_into(&mut memory.serving_version);
    // What is to be tried again, or to fail again, needs an update: the declared version must differ from this one.
    if !judged || inputs::read(inputs).spec.on_failed_version != OnFailedVersion::Keep {
        put_version(inputs, &alias.version);
    }
}

/// A waiter that baked the deployment may have taken it back: then its version has failed.
async fn notice_way_back<C: Cloud>(
    cx: &Context<'_, C>,
    memory: &mut Memory,
    alias: &AliasState,
) -> Result<(), RolloutError> {
    let group = cx.cloud.group(&memory.application, &memory.group).await;
    let group = group.doing(|| format!("could not read deployment group {}", memory.group))?;
    let Some(id) = group.and_then(|group| group.last_attempted) else { return Ok(()) };
    let seen = cx.cloud.deployment(&id).await.doing(|| format!("could not read deployment {id}"))?;
    let Some(rollout) = memory.last_rollout.as_mut().filter(|rollout| rollout.status == IN_PROGRESS) else {
        return Ok(());
    };
    if rollout.version != alias.version && seen.is_some_and(|seen| seen.description.contains(WAY_BACK)) {
        "Failed".clone_into(&mut rollout.status);
        "it was taken back while it baked".clone_into(&mut rollout.reason);
        rollout.ended = Some(SystemTime::now());
        memory.failed_version.clone_from(&rollout.version);
        alias.version.clone_into(&mut memory.serving_version);
    }
    Ok(())
}

/// Somebody moved the alias: the next update compares with what it really serves.
fn notice_move(memory: &mut Memory, inputs: &mut PropertyMap, alias: &AliasState) {
    if alias.version != memory.serving_version && alias.weight.is_none() {
        put_version(inputs, &alias.version);
        alias.version.clone_into(&mut memory.serving_version);
    }
}

fn put_version(inputs: &mut PropertyMap, version: &str) {
    inputs.insert("version".to_owned(), PropertyValue::String(version.to_owned()));
}
