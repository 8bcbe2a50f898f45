//! What happens to traffic: nothing, a deployment, or a word about a version that failed before.

use super::Traffic;
use crate::rollout::cloud::Deployment;
use crate::rollout::memory::Memory;
use crate::rollout::observe::{LastDeployment, Observed};
use crate::rollout::spec::{OnFailedVersion, RolloutSpec};

pub(super) fn traffic(spec: &RolloutSpec, memory: Option<&Memory>, seen: &Observed) -> Traffic {
    let Some(alias) = &seen.alias else {
        return Traffic::FirstVersion;
    };
    if let Some(live) = seen.last.as_ref().filter(|last| last.is_live()) {
        // All traffic may be on the new version already, while a hook still decides.
        let from = live.target.as_ref().map_or(&alias.version, |target| &target.current_version);
        return Traffic::Adopt { deployment: live.deployment.id.clone(), from: from.clone() };
    }
    let serves = alias.version == spec.version && alias.weight.is_none();
    let failed_before =
        memory.is_some_and(|m| m.failed_version == spec.version && m.trigger_mark == spec.trigger_mark());
    match spec.on_failed_version {
        OnFailedVersion::Keep if failed_before => return Traffic::KeepFailed,
        OnFailedVersion::Fail if failed_before => return Traffic::FailAgain,
        _ if serves => return Traffic::Unchanged,
        _ => {}
    }
    let found = seen.last.as_ref().and_then(|last| found_failed(spec, memory, last));
    match found {
        Some(deployment) => Traffic::FoundFailed { deployment: Box::new(deployment) },
        None => Traffic::Deploy { from: alias.version.clone() },
    }
}

/// A deployment of the declared version that was judged bad after the last time that we looked.
fn found_failed(spec: &RolloutSpec, memory: Option<&Memory>, last: &LastDeployment) -> Option<Deployment> {
    let (deployment, target) = last.forward();
    let judged = is_judgement(&deployment.error_code);
    let ours = target.is_some_and(|t| t.target_version == spec.version && t.alias == spec.alias);
    let unseen = memory.is_some_and(|m| {
        m.deployment_id == deployment.id && m.last_rollout.as_ref().is_some_and(|l| l.status == IN_PROGRESS)
    });
    (judged && ours && unseen).then(|| deployment.clone())
}

/// Whether a deployment that ended with this code says that the version is bad.
pub fn is_judgement(error_code: &str) -> bool {
    matches!(error_code, "ALARM_ACTIVE" | "HOOK_EXECUTION_FAILURE")
}

/// The status of a rollout whose end nobody has seen yet.
pub const IN_PROGRESS: &str = "InProgress";
