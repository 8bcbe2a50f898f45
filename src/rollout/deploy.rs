//! One deployment of a version: asked, started, followed, baked, and judged.

use std::time::SystemTime;

use serde_json::json;

use super::alarm::{self, Watched};
use super::appspec::app_spec;
use super::bake;
use super::cloud::{Cloud, CloudErrorKind, NO_ANSWER, NewDeployment, Traffic};
use super::context::{Context, Doing, RolloutError};
use super::failure;
use super::follow;
use super::lint::lints;
use super::memory::{LastRollout, Memory};
use super::names;
use super::outlook::Outlook;
use super::pieces::{self, Pieces};
use super::preflight;
use super::report::{Cause, FailureReport, Serving, requests_in_words, traffic_in_words};
use super::smoke::{self, Mismatch};
use super::spec::{ErrorAlarm, RolloutSpec};
use super::start;

const DESCRIPTION_LIMIT: usize = 256;
/// How often a start is tried again when the group is taken in the same moment.
const START_ATTEMPTS: u32 = 3;

/// A deployment on its way.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    pub id: String,
    pub from: String,
    pub to: String,
    pub started: SystemTime,
    /// The alarms that it watches, the error alarm among them.
    pub alarms: Vec<String>,
}

/// Rolls the declared version out, from `from`, and waits as long as the user wants to wait. Of the user's alarms it
/// watches those that the preflight has left.
pub async fn deploy<C: Cloud>(
    cx: &Context<'_, C>,
    spec: &RolloutSpec,
    pieces: &Pieces,
    from: &str,
    mut alarms: Vec<String>,
    memory: &mut Memory,
) -> Result<(), RolloutError> {
    await_quiet_errors(cx, spec, memory).await?;
    for lint in lints(spec, &Outlook::default(), cx.left()) {
        cx.reporter.warn(&lint);
    }
    begin(spec, memory, cx.now());
    from.clone_into(&mut memory.previous_version);
    smoke_test(cx, spec, from, memory).await?;
    if let Some(settings) = &spec.error_alarm {
        let name = put_error_alarm(cx, spec, settings, from, memory).await?;
        memory.error_alarm.clone_from(&name);
        alarms.push(name);
    }
    let id = match start(cx, spec, pieces, from, &alarms).await {
        Ok(id) => id,
        Err(error) => {
            not_started(memory, &error, cx.now());
            return Err(error);
        }
    };
    let run = Run { id, from: from.to_owned(), to: spec.version.clone(), started: cx.now(), alarms };
    announce(cx, spec, &run, memory);
    if spec.wait { finish(cx, spec, pieces, &run, memory).await } else { Ok(()) }
}

/// Waits for the end of a deployment, bakes it, and judges it.
pub async fn finish<C: Cloud>(
    cx: &Context<'_, C>,
    spec: &RolloutSpec,
    pieces: &Pieces,
    run: &Run,
    memory: &mut Memory,
) -> Result<(), RolloutError> {
    let ended = follow::follow(cx, spec, run).await?;
    ended.deployment.status_text.clone_into(&mut memory.deployment_status);
    if ended.deployment.status != super::cloud::DeploymentStatus::Succeeded {
        return Err(failure::of_deployment(cx, spec, run, &ended, memory).await);
    }
    let last_shift = ended.last_shift;
    run.to.clone_into(&mut memory.serving_version);
    bake::bake(cx, spec, pieces, run, last_shift, memory).await?;
    succeed(cx, spec, run, last_shift, memory).await;
    Ok(())
}

/// The smoke test, if one is declared. `from` is what the alias serves meanwhile; empty = nothing yet.
pub async fn smoke_test<C: Cloud>(
    cx: &Context<'_, C>,
    spec: &RolloutSpec,
    from: &str,
    memory: &mut Memory,
) -> Result<(), RolloutError> {
    let Some(test) = &spec.smoke_test else {
        return Ok(());
    };
    let marker = json!({ "smokeTest": true, "alias": spec.alias, "version": spec.version }).to_string();
    let mut last = (Mismatch { reason: String::new(), said: String::new() }, Vec::new());
    for attempt in 1..=test.attempts {
        let count = if test.attempts > 1 { format!(" ({attempt}/{})", test.attempts) } else { String::new() };
        cx.reporter.status(&format!("smoke test of version {}{count}", spec.version));
        let asked = cx.cloud.invoke(&spec.function.name, &spec.version, &test.payload, &marker, test.timeout);
        let answer = cx
            .or_interrupted(asked)
            .await
            .map_err(|why| preflight::left("the smoke test was cut short", why))?;
        last = match answer {
            Ok(answer) => match smoke::judge(test, &answer) {
                Ok(()) => {
                    cx.reporter.info(&format!("smoke test of version {} passed", spec.version));
                    return Ok(());
                }
                Err(mismatch) => (mismatch, answer.log_tail),
            },
            Err(error) if error.code == NO_ANSWER => {
                let reason = format!("no answer within {}", super::duration::format(test.timeout));
                (Mismatch { reason, said: String::new() }, Vec::new())
            }
            Err(error) => return Err(error).doing(|| "could not run the smoke test".to_owned()),
        };
    }
    let (Mismatch { reason, said }, log_lines) = last;
    if !said.is_empty() {
        cx.reporter.info(&format!("version {} answered the smoke test: {said}", spec.version));
    }
    failure::tell_log(cx, spec, &spec.version, &log_lines);
    let serving =
        if from.is_empty() { Serving::Nothing } else { Serving::Untouched { version: from.to_owned() } };
    let report =
        FailureReport { cause: Cause::SmokeTest { difference: reason }, serving, ..failure::blank(spec) };
    failure::remember(&report, memory, cx.now());
    Err(RolloutError::Failed(Box::new(report)))
}

/// The same version again must not be judged by the errors of its last attempt.
async fn await_quiet_errors<C: Cloud>(
    cx: &Context<'_, C>,
    spec: &RolloutSpec,
    memory: &Memory,
) -> Result<(), RolloutError> {
    let last = memory.last_rollout.as_ref().filter(|last| last.version == spec.version);
    let (Some(settings), Some(ended)) = (&spec.error_alarm, last.and_then(|last| last.ended)) else {
        return Ok(());
    };
    let passed = cx.clock.passed(cx.now().duration_since(ended).unwrap_or_default());
    let Some(left) = alarm::memory_of_errors(settings).checked_sub(passed) else {
        return Ok(());
    };
    cx.reporter.status(&format!(
        "waiting {} until the errors of the last attempt have left the alarm's window",
        super::duration::short(left)
    ));
    cx.pause(left).await.map_err(|why| preflight::left("nothing was started", why))
}

async fn put_error_alarm<C: Cloud>(
    cx: &Context<'_, C>,
    spec: &RolloutSpec,
    settings: &ErrorAlarm,
    from: &str,
    memory: &Memory,
) -> Result<String, RolloutError> {
    let attempt = cx.now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_millis();
    let name = names::alarm(&spec.function.name, &spec.alias, &spec.version, &format!("{attempt:x}"));
    let watched = Watched {
        function: &spec.function.name,
        alias: &spec.alias,
        from,
        to: &spec.version,
        url: spec.function_url.is_some(),
    };
    let alarm = alarm::error_alarm(&name, settings, watched, pieces::tags(spec, &memory.owner));
    cx.cloud.put_alarm(&alarm).await.doing(|| format!("could not create the error alarm {name}"))?;
    Ok(name)
}

async fn start<C: Cloud>(
    cx: &Context<'_, C>,
    spec: &RolloutSpec,
    pieces: &Pieces,
    from: &str,
    alarms: &[String],
) -> Result<String, RolloutError> {
    let deployment = NewDeployment {
        application: pieces.application.clone(),
        group: pieces.group.clone(),
        deployment_config: spec.routing.config_name(),
        app_spec: app_spec(&spec.function.name, &spec.alias, from, &spec.version, &spec.hooks),
        description: description(spec, from),
        alarms: alarms.to_vec(),
        ignore_alarm_poll_failure: spec.ignore_alarm_poll_failure,
        rollback_events: spec.rollback_codes(),
    };
    let mut attempt = 1;
    loop {
        start::await_turn(cx).await?;
        match start::start(cx, &deployment).await {
            Err(error) if error.kind == CloudErrorKind::RoleNotReady && attempt < START_ATTEMPTS => {}
            other => {
                return other.doing(|| format!("could not start the deployment of version {}", spec.version));
            }
        }
        attempt += 1;
        cx.pause(std::time::Duration::from_secs(10))
            .await
            .map_err(|why| preflight::left("nothing was started", why))?;
    }
}

fn description(spec: &RolloutSpec, from: &str) -> String {
    let text = spec
        .description
        .clone()
        .unwrap_or_else(|| format!("{}: version {from} to {}", spec.id(), spec.version));
    names::cut(&text, DESCRIPTION_LIMIT)
}

/// A deployment that was never made is no rollout in progress.
fn not_started(memory: &mut Memory, error: &RolloutError, now: SystemTime) {
    if let Some(last) = &mut memory.last_rollout {
        "Failed".clone_into(&mut last.status);
        last.reason = error.to_string();
        last.ended = Some(now);
    }
}

pub fn begin(spec: &RolloutSpec, memory: &mut Memory, now: SystemTime) {
    memory.deployment_id.clear();
    memory.deployment_status.clear();
    memory.failed_version.clear();
    memory.trigger_mark = spec.trigger_mark();
    memory.last_rollout = Some(LastRollout::of(&spec.version, now));
}

fn announce<C: Cloud>(cx: &Context<'_, C>, spec: &RolloutSpec, run: &Run, memory: &mut Memory) {
    run.id.clone_into(&mut memory.deployment_id);
    "InProgress".clone_into(&mut memory.deployment_status);
    let url = pieces::console_url(&memory.partition, &memory.region, &run.id);
    cx.reporter.info(&format!("{}: {}", spec.id(), start_line(spec, run, &url)));
}

pub fn start_line(spec: &RolloutSpec, run: &Run, url: &str) -> String {
    let Run { id, from, to, .. } = run;
    format!("version {from} → {to}, {} · deployment {id} {url}", spec.routing.describe())
}

async fn succeed<C: Cloud>(
    cx: &Context<'_, C>,
    spec: &RolloutSpec,
    run: &Run,
    last_shift: SystemTime,
    memory: &mut Memory,
) {
    memory.record_serving(&run.to);
    let traffic = bake::exposure(cx, spec, run, Some(last_shift)).await.unwrap_or_default();
    // Whole numbers of requests, far below where a double loses precision.
    #[expect(clippy::cast_precision_loss)]
    let conclusive = traffic.requests >= spec.min_requests as f64;
    let status = if conclusive { "Succeeded" } else { "Inconclusive" };
    if let Some(last) = &mut memory.last_rollout {
        status.clone_into(&mut last.status);
        last.percentage = 100;
        last.requests = traffic.requests;
        last.errors = traffic.errors;
        last.ended = Some(cx.now());
    }
    cx.reporter.info(&format!("{}: {}", spec.id(), success_line(&run.to, traffic)));
    if !conclusive {
        cx.reporter.warn(&format!("{}: {}", spec.id(), inconclusive_line(spec, traffic)));
    }
}

pub fn success_line(version: &str, traffic: Traffic) -> String {
    let counted = if traffic.requests > 0.0 {
        traffic_in_words(traffic)
    } else {
        "it got no request that CloudWatch has counted, so the rollout proved nothing".to_owned()
    };
    format!("version {version} serves all traffic · {counted}")
}

pub fn inconclusive_line(spec: &RolloutSpec, traffic: Traffic) -> String {
    format!(
        "inconclusive: version {} got {} and `minRequests` asks for {}",
        spec.version,
        requests_in_words(traffic.requests),
        spec.min_requests
    )
}
