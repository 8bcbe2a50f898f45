//! Waiting for deployments that were started elsewhere, many at once.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;

use futures_util::future::join_all;

use super::appspec::Hooks;
use super::bake;
use super::cloud::{Cloud, Deployment, DeploymentStatus};
use super::context::{Context, Doing, RolloutError};
use super::failure;
use super::follow::Ended;
use super::memory::Memory;
use super::owner::Owner;
use super::pieces::Pieces;
use super::progress::{Progress, percent};
use super::spec::RolloutSpec;
use super::timetable::Timetable;

/// How one deployment ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    pub id: String,
    /// CodeDeploy's word: `Succeeded`, `Failed`, `Stopped`.
    pub status: String,
    /// What to know about a deployment that did not succeed; empty otherwise.
    pub message: String,
}

impl Outcome {
    pub fn succeeded(&self) -> bool {
        self.status == "Succeeded"
    }
}

/// Waits for all; deployments that cannot be read or are left by Ctrl-C are errors, failed ones are outcomes.
pub async fn wait_for_all<C: Cloud>(
    cx: &Context<'_, C>,
    ids: &[String],
    bake: Duration,
) -> Vec<Result<Outcome, RolloutError>> {
    let board = Board::new(ids);
    join_all(ids.iter().map(|id| wait_for(cx, id, bake, &board))).await
}

async fn wait_for<C: Cloud>(
    cx: &Context<'_, C>,
    id: &str,
    bake: Duration,
    board: &Board,
) -> Result<Outcome, RolloutError> {
    let mut progress: Option<Progress> = None;
    let deployment = loop {
        let due = progress.as_ref().map_or(Duration::ZERO, |progress| progress.next_look(cx));
        let seen = cx
            .or_interrupted(cx.cloud.watch(id, due))
            .await
            .map_err(|why| RolloutError::Left(format!("{why}; deployment {id} goes on by itself")))?
            .doing(|| format!("could not read deployment {id}"))?;
        let Some(deployment) = seen else {
            return Err(RolloutError::Left(format!(
                "deployment {id} does not exist in this account and region"
            )));
        };
        if deployment.status != DeploymentStatus::Live {
            break deployment;
        }
        let progress = progress.get_or_insert_with(|| {
            Progress::new(Timetable::by_name(&deployment.deployment_config), Hooks::default(), cx.now())
        });
        progress.see(cx, &deployment).await;
        if let Some(target) = progress.target() {
            board.put(cx, id, Place::At(percent(target.weight)));
        }
    };
    board.put(cx, id, Place::Ended);
    // Boxed, because a thousand may wait at once, and only those that have ended need the room.
    Box::pin(judge(cx, &deployment, bake)).await
}

async fn judge<C: Cloud>(
    cx: &Context<'_, C>,
    deployment: &Deployment,
    bake: Duration,
) -> Result<Outcome, RolloutError> {
    let outcome = |message: String| Outcome {
        id: deployment.id.clone(),
        status: deployment.status_text.clone(),
        message,
    };
    let succeeded = deployment.status == DeploymentStatus::Succeeded;
    if succeeded && bake.is_zero() {
        return Ok(outcome(String::new()));
    }
    let Some(target) = cx.cloud.target(&deployment.id).await.unwrap_or_default() else {
        let message = if succeeded { String::new() } else { deployment.error_message.clone() };
        return Ok(outcome(message));
    };
    let identity = cx.cloud.identity().await.doing(|| "could not ask who the caller is".to_owned())?;
    let spec = RolloutSpec { bake, ..RolloutSpec::of_target(&target) };
    let mut memory = Memory::new(Owner::nobody(), &identity.account, &identity.region, &identity.partition);
    let ended = Ended::seen(cx, deployment.clone(), Some(&target)).await;
    let run = ended.run();
    if !succeeded {
        let error = failure::of_deployment(cx, &spec, &run, &ended, &mut memory).await;
        return Ok(outcome(error.to_string()));
    }
    let mut pieces = Pieces::of(&spec, &identity);
    pieces.application.clone_from(&deployment.application);
    pieces.group.clone_from(&deployment.group);
    let last_shift = deployment.completed.unwrap_or(run.started);
    match bake::bake(cx, &spec, &pieces, &run, last_shift, &mut memory).await {
        Ok(()) => Ok(outcome(String::new())),
        Err(RolloutError::Failed(report)) => {
            Ok(Outcome { status: "Failed".to_owned(), ..outcome(report.to_string()) })
        }
        Err(error) => Err(error),
    }
}

/// Where a deployment is, as far as anybody has looked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    Open,
    /// Percent of the new version.
    At(u8),
    Ended,
}

/// How many deployments are where, for one line of progress.
struct Board {
    places: Mutex<BTreeMap<String, Place>>,
}

impl Board {
    fn new(ids: &[String]) -> Self {
        Self { places: Mutex::new(ids.iter().map(|id| (id.clone(), Place::Open)).collect()) }
    }

    fn put<C: Cloud>(&self, cx: &Context<'_, C>, id: &str, place: Place) {
        let mut places = self.places.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if places.insert(id.to_owned(), place) != Some(place) {
            cx.reporter.status(&summary(places.values().copied()));
        }
    }
}

fn summary(places: impl Iterator<Item = Place>) -> String {
    let mut counts: BTreeMap<Place, usize> = BTreeMap::new();
    for place in places {
        *counts.entry(place).or_default() += 1;
    }
    let all: usize = counts.values().sum();
    let ended = counts.remove(&Place::Ended).unwrap_or_default();
    let rest: Vec<String> = counts
        .iter()
        .map(|(place, count)| match place {
            Place::At(percent) => format!("{count} at {percent} %"),
            _ => format!("{count} under way"),
        })
        .collect();
    let rest = if rest.is_empty() { String::new() } else { format!(" · {}", rest.join(", ")) };
    format!("[{ended}/{all}] ended{rest}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_says_how_many_are_where() {
        let places = [Place::Ended, Place::At(10), Place::At(10), Place::Open, Place::At(0)];
        assert_eq!(summary(places.into_iter()), "[1/5] ended · 1 under way, 1 at 0 %, 2 at 10 %");
        assert_eq!(summary([Place::Ended].into_iter()), "[1/1] ended");
    }
}
