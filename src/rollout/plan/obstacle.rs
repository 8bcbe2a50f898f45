//! What is in the way: a live deployment, a rollback, or a split that nothing is working on any more.

use super::traffic::has_failed;
use super::{GiveBack, Obstacle};
use crate::rollout::cloud::{AliasState, Target};
use crate::rollout::memory::Memory;
use crate::rollout::observe::{LastDeployment, Observed};
use crate::rollout::pieces::Pieces;
use crate::rollout::refusal::Refusal;
use crate::rollout::spec::{OnConflict, RolloutSpec};
use crate::rollout::way_back::is_way_back;

/// A live deployment of another version, a running rollback, or a split that nothing is working on any more.
pub fn obstacle(
    spec: &RolloutSpec,
    pieces: &Pieces,
    alias: Option<&AliasState>,
    last: Option<&LastDeployment>,
) -> Result<Option<Obstacle>, Refusal> {
    let Some(alias) = alias else { return Ok(None) };
    if let Some(last) = last.filter(|last| last.is_live()) {
        return live_obstacle(spec, pieces, last);
    }
    let Some((second, share)) = &alias.weight else {
        return Ok(None);
    };
    let ours = last.and_then(|last| last.forward().1).is_some_and(|t| is_pair(t, spec, alias, second));
    if !ours {
        return Err(Refusal::ForeignWeights {
            alias: spec.id(),
            main: alias.version.clone(),
            second: second.clone(),
            percent: format!("{:.0}", share * 100.0),
        });
    }
    Ok(Some(Obstacle::HalfShifted {
        main: alias.version.clone(),
        second: second.clone(),
        revision: alias.revision_id.clone(),
    }))
}

/// Whoever wants to keep a version that failed says so by declaring it with other `triggers`.
pub fn give_back(spec: &RolloutSpec, memory: &Memory, seen: &Observed) -> Option<GiveBack> {
    let alias = seen.alias.as_ref()?;
    let failed = memory.failed_version.as_str();
    let wanted = spec.version == failed && !has_failed(spec, memory);
    let serves = alias.version == failed && memory.serving_version == failed;
    if !serves || wanted || seen.last.as_ref().is_some_and(LastDeployment::is_live) {
        return None;
    }
    Some(GiveBack {
        failed: failed.to_owned(),
        good: memory.good_before(failed)?.to_owned(),
        revision: alias.revision_id.clone(),
    })
}

fn live_obstacle(
    spec: &RolloutSpec,
    pieces: &Pieces,
    last: &LastDeployment,
) -> Result<Option<Obstacle>, Refusal> {
    let deployment = last.deployment.id.clone();
    if last.is_rollback() || is_way_back(&last.deployment.description) {
        return Ok(Some(Obstacle::Rollback { deployment }));
    }
    let target = last.target.as_ref();
    let version = target.map(|t| t.target_version.clone()).unwrap_or_default();
    // A group that the user brings may be at work for another function: that is never stopped, and never ours.
    let ours = target.is_some_and(|t| t.function == spec.function.name && t.alias == spec.alias);
    if ours && version == spec.version {
        let here = last.deployment.application == pieces.application && last.deployment.group == pieces.group;
        // One that runs in a group of an earlier name must end before that group can go.
        return Ok((!here).then_some(Obstacle::Running { deployment, version }));
    }
    match spec.on_conflict {
        OnConflict::Fail => Err(Refusal::Busy { id: spec.id(), deployment, version }),
        OnConflict::Stop if ours => Ok(Some(Obstacle::Superseded { deployment, version })),
        OnConflict::Stop | OnConflict::Wait => Ok(Some(Obstacle::Running { deployment, version })),
    }
}

fn is_pair(target: &Target, spec: &RolloutSpec, alias: &AliasState, second: &str) -> bool {
    target.function == spec.function.name
        && target.alias == spec.alias
        && target.current_version == alias.version
        && target.target_version == second
}

impl std::fmt::Display for Obstacle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Rollback { deployment } => write!(f, "rollback {deployment} runs"),
            Self::Running { deployment, version } | Self::Superseded { deployment, version } => {
                write!(f, "deployment {deployment} of version {version} runs")
            }
            Self::HalfShifted { main, second, .. } => {
                write!(f, "traffic is split between versions {main} and {second}")
            }
        }
    }
}
