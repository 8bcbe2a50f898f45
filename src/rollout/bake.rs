//! After all traffic has moved: keep watching, because CloudWatch is minutes late, and go back if it was a mistake.

use std::time::{Duration, SystemTime};

use super::alarm;
use super::appspec::{Hooks, app_spec};
use super::cloud::{Alarm, Cloud, CloudError, CloudErrorKind, NewDeployment, Traffic};
use super::context::{Context, Doing, RolloutError};
use super::deploy::Run;
use super::duration;
use super::failure;
use super::follow;
use super::memory::Memory;
use super::pieces::Pieces;
use super::pulse;
use super::report::{Cause, FailureReport, Serving};
use super::spec::{RollbackEvent, RolloutSpec};
use super::start::start;
use super::strategy::Strategy;
use super::way_back::{self, Reason};

const LOOK: Duration = Duration::from_secs(15);
/// Lambda's metrics come in points of a minute.
const POINT: Duration = Duration::from_mins(1);

pub async fn bake<C: Cloud>(
    cx: &Context<'_, C>,
    spec: &RolloutSpec,
    pieces: &Pieces,
    run: &Run,
    last_shift: SystemTime,
    memory: &mut Memory,
) -> Result<(), RolloutError> {
    let left = || {
        let baked = cx.clock.passed(cx.now().duration_since(last_shift).unwrap_or_default());
        spec.bake.saturating_sub(baked)
    };
    let mut blind: Option<CloudError> = None;
    let mut looked = false;
    if spec.bake.is_zero() {
        return Ok(());
    }
    cx.reporter.info(&baking(spec, &run.to));
    loop {
        let over = left().is_zero();
        let mut doing = String::new();
        match look(cx, spec, run, last_shift).await {
            Ok(Look { trouble: Some(cause), .. }) => {
                return Err(go_back(cx, spec, pieces, run, cause, memory).await);
            }
            Ok(Look { trouble: None, traffic, alarms }) => {
                looked = true;
                doing = pulse::in_words(traffic, &alarms);
            }
            Err(error) => {
                if blind.is_none() {
                    cx.reporter.warn(&format!("cannot watch version {} at the moment: {error}", run.to));
                }
                blind = Some(error);
            }
        }
        // Whoever sets the machine's clock does not end the bake: the look has just heard what time it is.
        let left = left();
        if over && left.is_zero() {
            return end_of_bake(run, looked, blind);
        }
        cx.reporter.tick(&still_baking(&run.to, left, &doing));
        if let Err(why) = cx.pause(left.min(LOOK)).await {
            return Err(RolloutError::Left(format!(
                "{why} while version {} was watched; it serves all traffic, and the next `pulumi up` looks at what it did",
                run.to
            )));
        }
    }
}

/// `[2/2] 100 % on version 42 · watching for 3 minutes`
pub fn baking(spec: &RolloutSpec, version: &str) -> String {
    let steps = spec.strategy().map(|strategy| strategy.shifts().len());
    let step = steps.map(|steps| format!("[{steps}/{steps}] ")).unwrap_or_default();
    format!("{step}100 % on version {version} · watching for {}", duration::format(spec.bake))
}

pub fn still_baking(version: &str, left: Duration, doing: &str) -> String {
    format!("100 % on version {version} · watching for another {}{doing}", duration::short(left))
}

/// A bake in which nobody could look is no success, unless looking is not allowed at all.
fn end_of_bake(run: &Run, looked: bool, blind: Option<CloudError>) -> Result<(), RolloutError> {
    match blind {
        Some(error) if !looked && error.kind != CloudErrorKind::Denied => Err(RolloutError::Left(format!(
            "version {} has all traffic, but nobody could see how it does ({error}); the next `pulumi up` looks again",
            run.to
        ))),
        _ => Ok(()),
    }
}

/// Requests and errors of the new version: while traffic was split, and after the last shift by the alias alone,
/// because Lambda need not name the version of an alias without weights.
pub async fn exposure<C: Cloud>(
    cx: &Context<'_, C>,
    spec: &RolloutSpec,
    run: &Run,
    last_shift: Option<SystemTime>,
) -> Result<Traffic, CloudError> {
    let (function, alias) = (&spec.function.name, &spec.alias);
    let now = cx.now();
    let version = Some(run.to.as_str());
    let Some(last_shift) = last_shift else {
        return cx.cloud.traffic(function, alias, version, run.started, now).await;
    };
    let (by_version, alone, split) = tokio::try_join!(
        cx.cloud.traffic(function, alias, version, run.started, now),
        cx.cloud.traffic(function, alias, None, next_point(cx, last_shift), now),
        cx.cloud.traffic(function, alias, version, run.started, last_shift),
    )?;
    Ok(Traffic {
        requests: by_version.requests.max(split.requests + alone.requests),
        errors: by_version.errors.max(split.errors + alone.errors),
    })
}

/// What a bake sees at one time.
struct Look {
    trouble: Option<Cause>,
    /// Since the last shift, if the error alarm is on.
    traffic: Option<Traffic>,
    alarms: Vec<Alarm>,
}

async fn look<C: Cloud>(
    cx: &Context<'_, C>,
    spec: &RolloutSpec,
    run: &Run,
    last_shift: SystemTime,
) -> Result<Look, CloudError> {
    // A bake that is looked at later is judged by what happened in it, not by the weather of the day.
    let end = last_shift + cx.clock.scaled(spec.bake);
    let in_time = |alarm: &Alarm| alarm.since.is_none_or(|since| since <= end);
    let alarms = if run.alarms.is_empty() { Vec::new() } else { cx.cloud.alarms(&run.alarms).await? };
    let firing: Vec<_> = alarms
        .iter()
        .filter(|alarm| alarm.state == "ALARM" && in_time(alarm))
        .map(|alarm| (alarm.name.clone(), alarm.reason.clone()))
        .collect();
    if !firing.is_empty() {
        let fired = failure::explain(cx, spec, run, Some(last_shift), firing).await;
        let trouble = Some(Cause::Alarm { alarms: fired, while_baking: true });
        return Ok(Look { trouble, traffic: None, alarms });
    }
    let Some(settings) = &spec.error_alarm else {
        return Ok(Look { trouble: None, traffic: None, alarms });
    };
    let (function, alias) = (&spec.function.name, &spec.alias);
    let until = end.min(cx.now());
    let new = cx.cloud.traffic(function, alias, None, next_point(cx, last_shift), until).await?;
    if new.errors <= 0.0 {
        return Ok(Look { trouble: None, traffic: Some(new), alarms });
    }
    let old = cx.cloud.traffic(function, alias, Some(&run.from), run.started, last_shift).await?;
    let trouble = alarm::is_bad(settings, new, old).then(|| Cause::Errors {
        detail: format!(
            "{:.0} of {:.0} requests failed while all traffic was on version {}",
            new.errors, new.requests, run.to
        ),
    });
    Ok(Look { trouble, traffic: Some(new), alarms })
}

/// The first metric point that begins after `time`: an earlier one may count what the old version did.
fn next_point<C: Cloud>(cx: &Context<'_, C>, time: SystemTime) -> SystemTime {
    let point = cx.clock.scaled(POINT).as_nanos().max(1);
    let since_epoch = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_nanos();
    let next = since_epoch.div_ceil(point) * point;
    SystemTime::UNIX_EPOCH + Duration::from_nanos(u64::try_from(next).unwrap_or(u64::MAX))
}

/// CodeDeploy is done with this deployment, so going back is a deployment of our own.
async fn go_back<C: Cloud>(
    cx: &Context<'_, C>,
    spec: &RolloutSpec,
    pieces: &Pieces,
    run: &Run,
    cause: Cause,
    memory: &mut Memory,
) -> RolloutError {
    let wanted = spec.auto_rollback.contains(&RollbackEvent::Alarm);
    let serving = if wanted {
        cx.reporter.warn(&format!(
            "version {}: {}; going back to version {}",
            run.to,
            cause.summary(),
            run.from
        ));
        match deploy_back(cx, spec, pieces, run, cause.summary()).await {
            Ok(rollback) => Serving::RolledBack { version: run.from.clone(), rollback },
            Err(error) => Serving::RollbackFailed {
                version: run.to.clone(),
                second: None,
                good: run.from.clone(),
                rollback: String::new(),
                detail: error.to_string(),
            },
        }
    } else {
        Serving::NotRolledBack { version: run.to.clone(), second: None, back_to: None }
    };
    let report = FailureReport {
        cause,
        serving,
        reached: 100,
        after: cx.clock.passed(cx.now().duration_since(run.started).unwrap_or_default()),
        ..failure::blank(spec)
    };
    failure::complete(cx, spec, run, report, memory).await
}

async fn deploy_back<C: Cloud>(
    cx: &Context<'_, C>,
    spec: &RolloutSpec,
    pieces: &Pieces,
    run: &Run,
    cause: String,
) -> Result<String, RolloutError> {
    let reason = Reason { deployment: run.id.clone(), cause };
    let deployment = NewDeployment {
        application: pieces.application.clone(),
        group: pieces.group.clone(),
        deployment_config: Strategy::AllAtOnce.config_name(),
        app_spec: app_spec(&spec.function.name, &spec.alias, &run.to, &run.from, &Hooks::default()),
        description: way_back::describe(&spec.id(), (&run.to, &run.from), &reason),
        alarms: Vec::new(),
        ignore_alarm_poll_failure: true,
        rollback_events: Vec::new(),
    };
    cx.cloud.turn_to_start(true).await;
    let id = start(cx, &deployment)
        .await
        .doing(|| format!("could not start going back to version {}", run.from))?;
    let ended = follow::await_end(cx, &id).await?;
    if ended.status == super::cloud::DeploymentStatus::Succeeded {
        return Ok(id);
    }
    Err(RolloutError::Left(format!("deployment {id} ended as {}", failure::end_in_words(&ended))))
}
