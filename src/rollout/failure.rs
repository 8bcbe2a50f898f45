//! From a deployment that ended badly to what a person should know about it.

use std::time::{Duration, SystemTime};

use super::bake;
use super::cloud::{Alarm, Cloud, Deployment, DeploymentStatus};
use super::context::{Context, RolloutError};
use super::deploy::Run;
use super::follow::{self, Ended};
use super::hook::line::readable;
use super::hook::log::{Reason, SKEW, failed_reason};
use super::hook::watch::{Running, function_name, hook_of};
use super::memory::{LastRollout, Memory};
use super::names;
use super::pieces;
use super::plan::is_judgement;
use super::progress::percent;
use super::report::{self, Cause, FailureReport, Fired, Serving};
use super::spec::{OnFailedVersion, RollbackEvent, RolloutSpec};

const LOG_LINES: usize = 4;
/// CodeDeploy may name the rollback a little after the deployment has ended.
const ROLLBACK_LOOKS: u32 = 15;
const ROLLBACK_LOOK: Duration = Duration::from_secs(2);
/// How long a line takes into CloudWatch Logs has nothing to do with the clock of a deployment, however fast that runs.
const LOG_LOOKS: u32 = 15;
const LOG_LOOK: Duration = Duration::from_secs(1);
/// CodeDeploy waits an hour for a hook.
const HOOK_LIMIT: Duration = Duration::from_hours(1);

/// Waits for the rollback, reads what is served, and makes the report. The memory learns what happened.
pub async fn of_deployment<C: Cloud>(
    cx: &Context<'_, C>,
    spec: &RolloutSpec,
    run: &Run,
    ended: &Ended,
    memory: &mut Memory,
) -> RolloutError {
    let Ended { deployment, reached, stopped_for, .. } = ended;
    let reached = *reached;
    let expected = is_rollback_due(spec, ended);
    // It may have been judged in the same moment in which we stopped it.
    let cause = match stopped_for.as_ref().filter(|_| !is_judgement(&deployment.error_code)) {
        Some(cause) => cause.clone(),
        None => cause(cx, spec, run, deployment).await,
    };
    let serving = serving(cx, spec, run, deployment, reached, expected).await;
    let end = deployment.completed.unwrap_or_else(|| cx.now());
    let report = FailureReport {
        cause,
        serving,
        reached,
        after: cx
            .clock
            .passed(end.duration_since(deployment.started.unwrap_or(run.started)).unwrap_or_default()),
        ..blank(spec)
    };
    complete(cx, spec, run, report, memory).await
}

/// Adds exposure, log lines and links, and records the end.
pub async fn complete<C: Cloud>(
    cx: &Context<'_, C>,
    spec: &RolloutSpec,
    run: &Run,
    mut report: FailureReport,
    memory: &mut Memory,
) -> RolloutError {
    if report.reached > 0 {
        report.exposure = bake::exposure(cx, spec, run, None).await.ok();
    }
    if spec.show_logs && report.cause.judges_version() {
        let lines = cx.cloud.error_lines(&spec.function.name, &run.to, run.started, LOG_LINES).await;
        tell_log(cx, spec, &run.to, &lines.unwrap_or_default());
    }
    if let Serving::NotRolledBack { second: None, back_to, .. } = &mut report.serving
        && report.cause.judges_version()
    {
        *back_to = memory.good_before(&report.version).map(str::to_owned);
    }
    report.deployment_id.clone_from(&run.id);
    report.console_url = pieces::console_url(&memory.partition, &memory.region, &run.id);
    remember(&report, memory, cx.now());
    RolloutError::Failed(Box::new(report))
}

/// Writes the end of a failed rollout into the memory.
pub fn remember(report: &FailureReport, memory: &mut Memory, now: SystemTime) {
    match &report.serving {
        Serving::Untouched { version }
        | Serving::RolledBack { version, .. }
        | Serving::RollbackFailed { version, .. }
        | Serving::NotRolledBack { version, .. } => version.clone_into(&mut memory.serving_version),
        Serving::Nothing => memory.serving_version.clear(),
        // The worst that it can be, until somebody can look.
        Serving::Unseen { .. } if report.reached > 0 => {
            report.version.clone_into(&mut memory.serving_version);
        }
        Serving::Gone | Serving::Unseen { .. } => {}
    }
    if report.cause.judges_version() && report.serving != Serving::Nothing {
        report.version.clone_into(&mut memory.failed_version);
    }
    let started = memory.last_rollout.as_ref().map_or(now, |last| last.started);
    let exposure = report.exposure.unwrap_or_default();
    memory.last_rollout = Some(LastRollout {
        status: "Failed".to_owned(),
        reason: report.cause.summary(),
        percentage: report.reached,
        rollback: report.serving.rollback().to_owned(),
        next: report.next(),
        requests: exposure.requests,
        errors: exposure.errors,
        ended: Some(now),
        ..LastRollout::of(&report.version, started)
    });
}

/// A report in which nothing has happened yet.
pub fn blank(spec: &RolloutSpec) -> FailureReport {
    FailureReport {
        function: spec.function.name.clone(),
        alias: spec.alias.clone(),
        version: spec.version.clone(),
        reached: 0,
        after: Duration::ZERO,
        cause: Cause::Stopped,
        serving: Serving::Nothing,
        exposure: None,
        latest: spec.latest_alias.clone(),
        deployment_id: String::new(),
        console_url: String::new(),
        on_failed_version: spec.on_failed_version,
    }
}

/// What the next runs say about a version that failed before, while `onFailedVersion` is `keep` or `fail`.
pub fn said_again(spec: &RolloutSpec, memory: &Memory) -> String {
    let reason =
        memory.last_rollout.as_ref().map(|last| last.reason.trim_end_matches('.')).unwrap_or_default();
    let serving = &memory.serving_version;
    let version = &spec.version;
    let mut said = format!(
        "{}: version {version} failed before, so nothing was deployed, and version {serving} serves all traffic",
        spec.id()
    );
    said += &report::labelled("Cause:", reason);
    if spec.on_failed_version != OnFailedVersion::Retry {
        let next =
            format!("publish a version that mends it, or change `triggers` to try version {version} again");
        said += &report::labelled("Next:", &next);
    }
    said
}

/// Shows the last error lines of a version. They are for the terminal: what is in the report goes into the state.
pub fn tell_log<C: Cloud>(cx: &Context<'_, C>, spec: &RolloutSpec, version: &str, lines: &[String]) {
    let lines = shown_lines(lines);
    if spec.show_logs && !lines.is_empty() {
        let lines = match lines.as_slice() {
            [only] => format!(" {only}"),
            several => format!("\n  {}", several.join("\n  ")),
        };
        cx.reporter.info(&format!("the log of version {version}:{lines}"));
    }
}

/// The lines worth showing: without the frames of a stack trace and without repetition.
fn shown_lines(lines: &[String]) -> Vec<String> {
    let mut shown: Vec<String> = Vec::new();
    for line in lines.iter().map(|line| line.trim()) {
        let frame = line.starts_with("at ") || line.starts_with("File \"");
        let platform = ["START ", "END ", "REPORT ", "INIT_START "].iter().any(|word| line.starts_with(word));
        let line = readable(line);
        if !line.is_empty() && !frame && !platform && !shown.contains(&line) {
            shown.push(line);
        }
    }
    let first = shown.len().saturating_sub(LOG_LINES);
    shown.split_off(first)
}

async fn cause<C: Cloud>(
    cx: &Context<'_, C>,
    spec: &RolloutSpec,
    run: &Run,
    deployment: &Deployment,
) -> Cause {
    match deployment.error_code.as_str() {
        "ALARM_ACTIVE" => {
            let known = cx.cloud.alarms(&run.alarms).await.unwrap_or_default();
            let fired = fired(&known, &deployment.error_message);
            Cause::Alarm { alarms: explain(cx, spec, run, None, fired).await, while_baking: false }
        }
        "HOOK_EXECUTION_FAILURE" => {
            hook_cause(cx, spec, deployment).await.unwrap_or_else(|| Cause::CodeDeploy {
                code: deployment.error_code.clone(),
                message: deployment.error_message.clone(),
            })
        }
        "MANUAL_STOP" => Cause::Stopped,
        _ => Cause::CodeDeploy {
            code: deployment.error_code.clone(),
            message: deployment.error_message.clone(),
        },
    }
}

/// The alarms that stopped the deployment: those that CodeDeploy names, with CloudWatch's reason.
fn fired(known: &[Alarm], message: &str) -> Vec<(String, String)> {
    let named = |alarm: &&Alarm| message.contains(&alarm.name) || alarm.state == "ALARM";
    let alarms: Vec<_> = known.iter().filter(named).map(|a| (a.name.clone(), a.reason.clone())).collect();
    if !alarms.is_empty() {
        return alarms;
    }
    let listed = message.rsplit_once(": ").map_or(message, |(_, listed)| listed);
    vec![(listed.trim_matches(['<', '>', '.']).to_owned(), String::new())]
}

/// What alarms stand for: the error alarm in the numbers of the two versions, the others in CloudWatch's words.
pub async fn explain<C: Cloud>(
    cx: &Context<'_, C>,
    spec: &RolloutSpec,
    run: &Run,
    last_shift: Option<SystemTime>,
    alarms: Vec<(String, String)>,
) -> Vec<Fired> {
    let prefix = names::alarm_prefix(&spec.function.name, &spec.alias);
    let mut fired: Vec<Fired> = alarms
        .into_iter()
        .map(|(name, reason)| Fired { own: name.starts_with(&prefix), name, reason })
        .collect();
    let Some(own) = fired.iter_mut().find(|alarm| alarm.own) else { return fired };
    let until = last_shift.unwrap_or_else(|| cx.now());
    let (function, alias) = (&spec.function.name, &spec.alias);
    let (new, old) = tokio::join!(
        bake::exposure(cx, spec, run, last_shift),
        cx.cloud.traffic(function, alias, Some(&run.from), run.started, until),
    );
    let (new, old) = (new.unwrap_or_default(), old.unwrap_or_default());
    own.reason = report::errors_in_words(spec.error_alarm.as_ref(), (&run.from, old), (&run.to, new));
    fired
}

async fn hook_cause<C: Cloud>(
    cx: &Context<'_, C>,
    spec: &RolloutSpec,
    deployment: &Deployment,
) -> Option<Cause> {
    let target = cx.cloud.target(&deployment.id).await.ok()??;
    let event = target.events.iter().find(|event| event.status == "Failed")?;
    let hook = hook_of(&spec.hooks, event)?;
    let ran = match (event.started, event.ended) {
        (Some(started), Some(ended)) => ended.duration_since(started).unwrap_or_default(),
        _ => Duration::ZERO,
    };
    let detail = if ran >= HOOK_LIMIT {
        "did not report within an hour".to_owned()
    } else {
        let after = super::duration::short(ran);
        match hook_reason(cx, spec, &deployment.id, hook).await {
            Some(reason) => format!("reported Failed after {after}: {reason}"),
            None => format!("reported Failed after {after}"),
        }
    };
    Some(Cause::Hook { name: hook.name.to_owned(), stage: hook.stage, detail })
}

/// What the hook itself logged, if it wrote the line of our hook SDKs. CloudWatch Logs may be a moment late.
async fn hook_reason<C: Cloud>(
    cx: &Context<'_, C>,
    spec: &RolloutSpec,
    deployment: &str,
    hook: Running<'_>,
) -> Option<String> {
    let started = hook.event.started.filter(|_| spec.show_logs)?;
    let since = started.checked_sub(SKEW).unwrap_or(started);
    for look in 0..LOG_LOOKS {
        if look > 0 {
            cx.or_interrupted(tokio::time::sleep(LOG_LOOK)).await.ok()?;
        }
        let lines = cx.cloud.log(&function_name(hook.name), since).await.ok()?;
        match failed_reason(&lines, deployment) {
            Reason::Given(reason) => return Some(reason),
            Reason::NotGiven => return None,
            Reason::NotThereYet => {}
        }
    }
    None
}

/// Whether traffic goes back by itself after this end.
fn is_rollback_due(spec: &RolloutSpec, ended: &Ended) -> bool {
    let event = match ended.stopped_for {
        // We stopped it for a failure that CodeDeploy would have found later.
        Some(_) if !is_judgement(&ended.deployment.error_code) => RollbackEvent::Failure,
        _ => RollbackEvent::of_error(&ended.deployment.error_code),
    };
    spec.auto_rollback.contains(&event)
}

/// Awaits the rollback, if one is due, and reads the alias.
async fn serving<C: Cloud>(
    cx: &Context<'_, C>,
    spec: &RolloutSpec,
    run: &Run,
    deployment: &Deployment,
    reached: u8,
    expected: bool,
) -> Serving {
    let rollback = match find_rollback(cx, deployment, expected).await {
        Some(id) => {
            cx.reporter.status(&format!("version {} failed; rollback {id} is running", run.to));
            Some((follow::await_end(cx, &id).await, id))
        }
        None => None,
    };
    let alias = match cx.cloud.alias(&spec.function.name, &spec.alias).await {
        Ok(Some(alias)) => alias,
        Ok(None) => return Serving::Gone,
        Err(error) => return Serving::Unseen { detail: error.to_string() },
    };
    let (version, weight) = (alias.version, alias.weight);
    let whole = version == run.from && weight.is_none();
    let second = weight.map(|(version, share)| (version, percent(share)));
    match rollback {
        // A rollback that could not do anything had nothing to do.
        _ if whole && reached == 0 => Serving::Untouched { version },
        Some((Ok(ended), id)) if ended.status == DeploymentStatus::Succeeded && whole => {
            Serving::RolledBack { version, rollback: id }
        }
        Some((result, id)) => {
            let detail = result.map_or_else(|error| error.to_string(), |ended| end_in_words(&ended));
            Serving::RollbackFailed { version, second, good: run.from.clone(), rollback: id, detail }
        }
        None if whole => Serving::Untouched { version },
        None => Serving::NotRolledBack { version, second, back_to: None },
    }
}

/// `Failed: …`, with CodeDeploy's reason.
pub fn end_in_words(ended: &Deployment) -> String {
    let Deployment { status_text, error_code, error_message, .. } = ended;
    if error_code.is_empty() {
        return status_text.clone();
    }
    format!("{status_text}: {} ({error_code})", error_message.trim_end_matches('.'))
}

/// The deployment that rolls this one back; looked for a while if one is expected.
pub async fn find_rollback<C: Cloud>(
    cx: &Context<'_, C>,
    deployment: &Deployment,
    expected: bool,
) -> Option<String> {
    if deployment.rolled_back_by.is_some() {
        return deployment.rolled_back_by.clone();
    }
    let looks = if expected { ROLLBACK_LOOKS } else { 1 };
    for _ in 0..looks {
        cx.clock.sleep(ROLLBACK_LOOK).await;
        let again = cx.cloud.deployment(&deployment.id).await.ok().flatten();
        if let Some(id) = again.and_then(|deployment| deployment.rolled_back_by) {
            return Some(id);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn log_lines_are_few_and_said_once() {
        let lines: Vec<String> =
            ["START RequestId: 1", "Error: boom", "    at handler (index.js:1)", "Error: boom", "", "b"]
                .map(str::to_owned)
                .to_vec();
        assert_eq!(shown_lines(&lines), ["Error: boom", "b"]);
    }

    #[test]
    fn what_a_runtime_writes_as_json_is_shown_as_the_error_and_its_place() {
        let node = r#"2026-11-25T22:14:00.723Z ef84c30e ERROR Invoke Error  {"errorType":"TypeError","errorMessage":"no member","stack":["TypeError: no member","    at exports.handler (/var/task/index.js:3:20)","    at Runtime.handleOnce (file:///var/runtime/index.mjs:1173:29)"]}"#;
        let python = r#"{"timestamp":"2026-11-25T22:14:00Z","level":"ERROR","errorType":"KeyError","errorMessage":"'a'","stackTrace":["  File \"/var/task/app.py\", line 9, in handler\n    total(order)\n","  File \"/var/task/app.py\", line 3, in total\n    order['a']\n"]}"#;
        let expected = [
            "TypeError: no member, at exports.handler (/var/task/index.js:3:20)",
            "KeyError: 'a', File \"/var/task/app.py\", line 3, in total",
        ];
        assert_eq!(shown_lines(&[node.to_owned(), python.to_owned()]), expected);
    }

    #[test]
    fn alarms_that_are_gone_are_named_from_codedeploys_message() {
        let message = "One or more alarms have been activated. Activated alarms: <orders-errors>";
        assert_eq!(fired(&[], message), [("orders-errors".to_owned(), String::new())]);
    }
}
