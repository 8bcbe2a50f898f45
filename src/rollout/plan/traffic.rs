//! What happens to traffic: nothing, a deployment, or a word about a version that failed before.

use super::Traffic;
use crate::rollout::cloud::{Deployment, DeploymentStatus, Target};
use crate::rollout::memory::Memory;
use crate::rollout::observe::{LastDeployment, Observed};
use crate::rollout::spec::{OnFailedVersion, RolloutSpec};
use crate::rollout::way_back::is_way_back;

pub(super) fn traffic(spec: &RolloutSpec, memory: Option<&Memory>, seen: &Observed) -> Traffic {
    let failed_before = memory.is_some_and(|memory| has_failed(spec, memory));
    let Some(alias) = &seen.alias else {
        let Some(serving) = restored_version(spec, memory) else { return Traffic::FirstVersion };
        return match spec.on_failed_version {
            OnFailedVersion::Keep if failed_before => Traffic::KeepFailed,
            OnFailedVersion::Fail if failed_before => Traffic::FailAgain,
            _ => Traffic::Deploy { from: serving.to_owned() },
        };
    };
    if let Some(live) = seen.last.as_ref().filter(|last| last.is_live()) {
        // All traffic may be on the new version already, while a hook still decides.
        let from = live.target.as_ref().map_or(&alias.version, |target| &target.current_version);
        return Traffic::Adopt { deployment: live.deployment.id.clone(), from: from.clone() };
    }
    let serves = alias.version == spec.version && alias.weight.is_none();
    match spec.on_failed_version {
        OnFailedVersion::Keep if failed_before => return Traffic::KeepFailed,
        OnFailedVersion::Fail if failed_before => return Traffic::FailAgain,
        _ => {}
    }
    // Before anything else: a version that failed may serve, where `autoRollback` leaves its case out.
    if let Some(found) = seen.last.as_ref().and_then(|last| found_failed(spec, memory, last)) {
        return found;
    }
    if let Some(found) =
        seen.last.as_ref().filter(|_| !serves).and_then(|last| found_way_back(spec, memory, last))
    {
        return found;
    }
    if serves {
        return unwatched(spec, memory, seen).unwrap_or(Traffic::Unchanged);
    }
    Traffic::Deploy { from: alias.version.clone() }
}

/// Whether the declared version has failed, and nobody has asked to try it again.
pub fn has_failed(spec: &RolloutSpec, memory: &Memory) -> bool {
    memory.failed_version == spec.version && memory.trigger_mark == spec.trigger_mark()
}

/// The version at which a lost alias is made again when the declared one has failed, even if it is to be tried again.
pub(super) fn restored_version<'a>(spec: &RolloutSpec, memory: Option<&'a Memory>) -> Option<&'a str> {
    let memory = memory.filter(|memory| memory.failed_version == spec.version)?;
    let serving = memory.serving_version.as_str();
    (!serving.is_empty() && serving != spec.version).then_some(serving)
}

/// A deployment of the declared version that was judged bad after the last time that we looked.
fn found_failed(spec: &RolloutSpec, memory: Option<&Memory>, last: &LastDeployment) -> Option<Traffic> {
    let (deployment, target) = last.forward();
    let judged = is_judgement(&deployment.error_code);
    let unseen = memory.is_some_and(|memory| is_unseen(spec, memory, deployment));
    let from = target.filter(|target| is_of(spec, Some(target)))?.current_version.clone();
    (judged && unseen).then(|| Traffic::FoundFailed { deployment: Box::new(deployment.clone()), from })
}

/// A way back from the declared version that ended after the last run that we know of.
fn found_way_back(spec: &RolloutSpec, memory: Option<&Memory>, last: &LastDeployment) -> Option<Traffic> {
    let LastDeployment { deployment, target, .. } = last;
    let target = target
        .as_ref()
        .filter(|target| target.function == spec.function.name && target.alias == spec.alias)?;
    let from_declared = is_way_back(&deployment.description) && target.current_version == spec.version;
    let unseen = memory.is_some_and(|memory| {
        let ended = memory.last_rollout.as_ref().and_then(|last| last.ended);
        let newer = ended.is_none_or(|ended| deployment.created.is_some_and(|created| created > ended));
        newer && memory.failed_version != spec.version && memory.trigger_mark == spec.trigger_mark()
    });
    (from_declared && unseen && deployment.status == DeploymentStatus::Succeeded)
        .then(|| Traffic::FoundWayBack { deployment: Box::new(deployment.clone()) })
}

/// A deployment that succeeded while nobody watched what its version then did.
fn unwatched(spec: &RolloutSpec, memory: Option<&Memory>, seen: &Observed) -> Option<Traffic> {
    let last = seen.last.as_ref().filter(|last| !last.deployment.is_way_back())?;
    let LastDeployment { deployment, target, .. } = last;
    let ended_well = deployment.status == DeploymentStatus::Succeeded && is_of(spec, target.as_ref());
    let unseen = memory.is_some_and(|memory| is_unseen(spec, memory, deployment));
    let from = target.as_ref().map(|target| target.current_version.clone())?;
    (ended_well && unseen && spec.wait && !spec.bake.is_zero())
        .then(|| Traffic::Bake { deployment: deployment.id.clone(), from })
}

fn is_of(spec: &RolloutSpec, target: Option<&Target>) -> bool {
    target.is_some_and(|target| {
        target.function == spec.function.name
            && target.target_version == spec.version
            && target.alias == spec.alias
    })
}

/// Whether no earlier run has recorded the end of this deployment: the run that waited for it was cut off, or the one
/// that started it was killed before it could save the id.
fn is_unseen(spec: &RolloutSpec, memory: &Memory, deployment: &Deployment) -> bool {
    let last = memory.last_rollout.as_ref();
    if memory.deployment_id == deployment.id {
        return last.is_some_and(|last| last.status == IN_PROGRESS);
    }
    let newer = last.is_none_or(|last| deployment.created.is_some_and(|created| created > last.started));
    let served = memory.serving_version == spec.version;
    newer && !served && memory.trigger_mark == spec.trigger_mark()
}

/// Whether a deployment that ended with this code says that the version is bad.
pub fn is_judgement(error_code: &str) -> bool {
    matches!(error_code, "ALARM_ACTIVE" | "HOOK_EXECUTION_FAILURE")
}

/// The status of a rollout whose end nobody has seen yet.
pub const IN_PROGRESS: &str = "InProgress";
