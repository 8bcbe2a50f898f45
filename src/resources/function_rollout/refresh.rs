//! Refresh: brings the memory up to date. A live shift is no drift, and neither is a version that failed.

use std::time::SystemTime;

use super::drift;
use crate::pulumi::{PropertyMap, PropertyValue, ReadState};
use crate::resources::state;
use crate::rollout::bake;
use crate::rollout::cloud::{AliasState, Cloud, Deployment, DeploymentStatus, Target};
use crate::rollout::context::{Context, Doing, RolloutError};
use crate::rollout::failure;
use crate::rollout::follow::Ended;
use crate::rollout::memory::{Drift, Memory};
use crate::rollout::observe::{LastDeployment, Observed, last_deployment};
use crate::rollout::plan::IN_PROGRESS;
use crate::rollout::spec::{OnFailedVersion, RolloutSpec};
use crate::rollout::way_back::{self, is_way_back};

/// `spec` is what the last run acted on.
pub(super) async fn refresh<C: Cloud>(
    cx: &Context<'_, C>,
    spec: &RolloutSpec,
    mut memory: Memory,
    mut inputs: PropertyMap,
) -> Result<Option<ReadState>, RolloutError> {
    let id = spec.id();
    let (seen, mut drift) = drift::find(cx, spec, &memory).await?;
    if drift::is_gone(&memory, &seen) {
        return Ok(None);
    }
    let unseen = unseen_deployment(cx, &memory, &seen).await?;
    let live = unseen.as_ref().is_some_and(|(deployment, _)| deployment.status == DeploymentStatus::Live);
    let others_live = seen.last.as_ref().is_some_and(|newest| newest.moves_traffic_of(spec));
    if let Some(alias) = seen.alias.as_ref().filter(|_| !live) {
        if let Some((deployment, target)) = &unseen {
            notice_way_back(&mut memory, seen.last.as_ref(), alias, cx.now());
            let ended = Ended::seen(cx, deployment.clone(), target.as_ref()).await;
            drift.extend(settle(cx, spec, &mut memory, &mut inputs, &ended, alias).await);
        }
        notice_move(&mut memory, &mut inputs, alias);
    }
    let address = |url: Option<(_, String)>| url.map(|(_, address)| address).unwrap_or_default();
    memory.url = address(seen.url);
    memory.latest_url = address(seen.latest_url);
    memory.drift = drift;
    let mut outputs = inputs.clone();
    state::write(&mut outputs, &memory, &spec.function.name, &spec.alias);
    Ok(Some(ReadState { id, inputs, outputs, refresh_before_update: live || others_live }))
}

/// The rollout's own deployment, unless an earlier run has seen its end.
async fn unseen_deployment<C: Cloud>(
    cx: &Context<'_, C>,
    memory: &Memory,
    seen: &Observed,
) -> Result<Option<(Deployment, Option<Target>)>, RolloutError> {
    let id = memory.deployment_id.as_str();
    if id.is_empty() || memory.saw_end(id) {
        return Ok(None);
    }
    if let Some((deployment, target)) = seen.last.as_ref().and_then(|last| last.find(id)) {
        return Ok(Some((deployment.clone(), target.cloned())));
    }
    let found = last_deployment(cx, id, |_| true).await;
    let found = found.doing(|| format!("could not read deployment {id}"))?;
    Ok(found.map(|last| (last.deployment, last.target)))
}

/// Learns the end of a deployment that nobody waited for, in the same words as one who waited.
async fn settle<C: Cloud>(
    cx: &Context<'_, C>,
    spec: &RolloutSpec,
    memory: &mut Memory,
    inputs: &mut PropertyMap,
    ended: &Ended,
    alias: &AliasState,
) -> Option<Drift> {
    ended.deployment.status_text.clone_into(&mut memory.deployment_status);
    let rollout = memory.last_rollout.as_mut().filter(|rollout| rollout.status == IN_PROGRESS)?;
    let version = rollout.version.clone();
    let succeeded = ended.deployment.status == DeploymentStatus::Succeeded;
    if succeeded && spec.wait && !spec.bake.is_zero() && version == alias.version {
        // Nobody has seen the bake to its end: the next update looks at what the version did.
        let mend = format!("look at what version {version} did since it got all traffic");
        return Some(Drift { property: "version".to_owned(), mend });
    }
    let spec = RolloutSpec { version: version.clone(), ..spec.clone() };
    let run = ended.run();
    if succeeded {
        "Succeeded".clone_into(&mut rollout.status);
        rollout.ended = Some(ended.last_shift);
        let traffic = bake::exposure(cx, &spec, &run, Some(ended.last_shift)).await.unwrap_or_default();
        (rollout.requests, rollout.errors) = (traffic.requests, traffic.errors);
        memory.record_serving(&version);
        return None;
    }
    // It goes into the memory; who refreshes is not to be failed for it.
    let report = failure::of_deployment(cx, &spec, &run, ended, memory).await;
    cx.reporter.warn(&report.to_string());
    let judged = memory.failed_version == version;
    // What is to be tried again, or to fail again, needs an update: the declared version must differ from this one.
    if !judged || spec.on_failed_version != OnFailedVersion::Keep {
        put_version(inputs, &alias.version);
    }
    let serves = judged && alias.version == version;
    memory.good_before(&version).filter(|_| serves).map(drift::back_to)
}

/// A waiter that baked the deployment may have taken it back: then its version has failed.
fn notice_way_back(
    memory: &mut Memory,
    newest: Option<&LastDeployment>,
    alias: &AliasState,
    now: SystemTime,
) {
    let Some(rollout) = memory.last_rollout.as_mut().filter(|rollout| rollout.status == IN_PROGRESS) else {
        return;
    };
    let way_back =
        newest.map(|newest| newest.deployment.description.as_str()).filter(|said| is_way_back(said));
    if let Some(way_back) = way_back.filter(|_| rollout.version != alias.version) {
        "Failed".clone_into(&mut rollout.status);
        rollout.reason = way_back::reason(way_back).cause;
        rollout.ended = Some(now);
        memory.failed_version.clone_from(&rollout.version);
        alias.version.clone_into(&mut memory.serving_version);
    }
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
