//! Starts a deployment, once. CodeDeploy takes no token that would tell a repeated call from a new one, so an answer that
//! was lost is looked for before anybody calls again.

use std::time::{Duration, SystemTime};

use super::cloud::{Cloud, CloudError, CloudErrorKind, NewDeployment};
use super::context::{Context, RolloutError};
use super::observe::last_deployment;
use super::preflight;

const TRIES: u32 = 6;
/// CodeDeploy may show a new deployment a moment after it has made it.
const LOOKS: u32 = 3;
const PAUSE: Duration = Duration::from_secs(3);
/// How well we know CodeDeploy's clock.
const SKEW: Duration = Duration::from_secs(5);

/// Waits for a turn to start, which may be long when there are many. Nothing has been asked for until then.
pub async fn await_turn<C: Cloud>(cx: &Context<'_, C>) -> Result<(), RolloutError> {
    let turn = cx.or_interrupted(cx.cloud.turn_to_start(false)).await;
    turn.map_err(|why| preflight::left("nothing was started", why))
}

pub async fn start<C: Cloud>(cx: &Context<'_, C>, deployment: &NewDeployment) -> Result<String, CloudError> {
    let mut attempt = 1;
    loop {
        let begun = cx.now();
        let error = match cx.cloud.create_deployment(deployment).await {
            Ok(id) => return Ok(id),
            Err(error) => error,
        };
        let passing = matches!(error.kind, CloudErrorKind::Throttled | CloudErrorKind::Unreachable);
        if !passing || attempt == TRIES {
            return Err(error);
        }
        if error.kind == CloudErrorKind::Unreachable
            && let Some(id) = find(cx, deployment, begun).await?
        {
            return Ok(id);
        }
        cx.clock.sleep(PAUSE * attempt).await;
        attempt += 1;
    }
}

/// The deployment that a call made whose answer was lost.
async fn find<C: Cloud>(
    cx: &Context<'_, C>,
    wanted: &NewDeployment,
    begun: SystemTime,
) -> Result<Option<String>, CloudError> {
    let not_before = begun.checked_sub(SKEW).unwrap_or(begun);
    for _ in 0..LOOKS {
        cx.clock.sleep(PAUSE).await;
        let group = cx.cloud.group(&wanted.application, &wanted.group).await?;
        let Some(id) = group.and_then(|group| group.last_attempted) else { continue };
        let Some(last) = last_deployment(cx, &id, |_| true).await? else { continue };
        // It may have failed and been rolled back by now: then the newest one is the rollback.
        let (found, _) = last.forward();
        if found.description == wanted.description
            && found.created.is_some_and(|created| created >= not_before)
        {
            return Ok(Some(found.id.clone()));
        }
    }
    Ok(None)
}
