//! Waiting for deployments that were started elsewhere, many at once.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;

use futures_util::future::join_all;

use super::bake;
use super::cloud::{Cloud, Deployment, DeploymentStatus, Target};
use super::context::{Context, Doing, RolloutError};
use super::failure;
use super::follow::{Ended, percent};
use super::memory::Memory;
use super::owner::Owner;
use super::pieces::Pieces;
use super::spec::RolloutSpec;

const LOOK: Duration = Duration::from_secs(10);

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
    let deployment = loop {
        let seen = cx
            .or_interrupted(cx.cloud.watch(id, LOOK))
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
        let target = cx.cloud.target(id).await.unwrap_or_default();
        board.put(cx, id, target.map_or(0, |target| percent(target.weight)));
    };
    board.done(cx, id);
    let target = cx.cloud.target(id).await.unwrap_or_default();
    judge(cx, &deployment, target, bake).await
}

async fn judge<C: Cloud>(
    cx: &Context<'_, C>,
    deployment: &Deployment,
    target: Option<Target>,
    bake: Duration,
) -> Result<Outcome, RolloutError> {
    let outcome = |message: String| Outcome {
        id: deployment.id.clone(),
        status: deployment.status_text.clone(),
        message,
    };
    let succeeded = deployment.status == DeploymentStatus::Succeeded;
    let Some(target) = target else {
        let message = if succeeded { String::new() } else { deployment.error_message.clone() };
        return Ok(outcome(message));
    };
    let identity = cx.cloud.identity().await.doing(|| "could not ask who the caller is".to_owned())?;
    let spec = RolloutSpec { bake, ..RolloutSpec::of_target(&target) };
    let mut memory = Memory::new(Owner::nobody(), &identity.account, &identity.region, &identity.partition);
    let ended = Ended::seen(deployment.clone(), Some(&target), cx.now());
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

/// How many deployments are where, for one line of progress.
struct Board {
    /// Percent of the new version; `None` = ended.
    places: Mutex<BTreeMap<String, Option<u8>>>,
}

impl Board {
    fn new(ids: &[String]) -> Self {
        Self { places: Mutex::new(ids.iter().map(|id| (id.clone(), Some(0))).collect()) }
    }

    fn put<C: Cloud>(&self, cx: &Context<'_, C>, id: &str, percent: u8) {
        self.change(cx, id, Some(percent));
    }

    fn done<C: Cloud>(&self, cx: &Context<'_, C>, id: &str) {
        self.change(cx, id, None);
    }

    fn change<C: Cloud>(&self, cx: &Context<'_, C>, id: &str, place: Option<u8>) {
        let mut places = self.places.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        places.insert(id.to_owned(), place);
        cx.reporter.status(&summary(&places));
    }
}

fn summary(places: &BTreeMap<String, Option<u8>>) -> String {
    let done = places.values().filter(|place| place.is_none()).count();
    let mut shares: BTreeMap<u8, usize> = BTreeMap::new();
    for percent in places.values().flatten() {
        *shares.entry(*percent).or_default() += 1;
    }
    let rest: Vec<String> = shares.iter().map(|(percent, count)| format!("{count} at {percent} %")).collect();
    let rest = if rest.is_empty() { String::new() } else { format!(" · {}", rest.join(", ")) };
    format!("[{done}/{}] ended{rest}", places.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_says_how_many_are_where() {
        let places = BTreeMap::from([
            ("a".to_owned(), None),
            ("b".to_owned(), Some(10)),
            ("c".to_owned(), Some(10)),
            ("d".to_owned(), Some(0)),
        ]);
        assert_eq!(summary(&places), "[1/4] ended · 1 at 0 %, 2 at 10 %");
    }
}
