//! Follows a deployment to its end and tells how far it is.

use std::time::{Duration, SystemTime};

use super::appspec::Hooks;
use super::cloud::{Cloud, CloudError, Deployment, DeploymentStatus, Target};
use super::context::{Context, Doing, Interrupted, RolloutError};
use super::deploy::Run;
use super::duration;
use super::hook::watch::HookWatch;
use super::progress::{Progress, allow_traffic, percent, timetable_of};
use super::pulse::Pulse;
use super::report::Cause;
use super::spec::{OnCancel, RolloutSpec};
use super::timetable::overdue;

/// How long a rollback may take before we say that it does not end.
const ROLLBACK_PATIENCE: Duration = Duration::from_mins(10);

/// How a deployment ended.
#[derive(Debug, Clone, PartialEq)]
pub struct Ended {
    pub deployment: Deployment,
    /// What it was to do, as far as it got a target.
    pub from: String,
    pub to: String,
    /// The largest share, in percent, that the new version had.
    pub reached: u8,
    /// When all traffic was on the new version, as far as it got there.
    pub last_shift: SystemTime,
    /// The crash of a hook for which we stopped it, or for which it timed out.
    pub stopped_for: Option<Cause>,
}

impl Ended {
    pub async fn seen<C: Cloud>(
        cx: &Context<'_, C>,
        deployment: Deployment,
        target: Option<&Target>,
    ) -> Self {
        let shifting = target.and_then(allow_traffic).filter(|event| event.status != "Skipped");
        let shifted =
            shifting.and_then(|event| event.ended).or(deployment.completed).unwrap_or_else(|| cx.now());
        let by_time = match shifting.and_then(|event| event.started) {
            Some(start) => {
                let time = cx.clock.passed(shifted.duration_since(start).unwrap_or_default());
                timetable_of(cx.cloud, &deployment.deployment_config).await.share_after(time)
            }
            None => 0,
        };
        Self {
            from: target.map(|target| target.current_version.clone()).unwrap_or_default(),
            to: target.map(|target| target.target_version.clone()).unwrap_or_default(),
            // After a rollback the weight is none any more.
            reached: target.map_or(0, |target| percent(target.weight)).max(by_time),
            last_shift: shifted,
            deployment,
            stopped_for: None,
        }
    }

    /// The run that ended, as one would remember it who had followed it.
    pub fn run(&self) -> Run {
        let deployment = &self.deployment;
        Run {
            id: deployment.id.clone(),
            from: self.from.clone(),
            to: self.to.clone(),
            started: deployment.started.or(deployment.created).unwrap_or(self.last_shift),
            alarms: deployment.alarms.clone().unwrap_or_default(),
        }
    }
}

pub async fn follow<C: Cloud>(
    cx: &Context<'_, C>,
    spec: &RolloutSpec,
    run: &Run,
) -> Result<Ended, RolloutError> {
    let timetable = timetable_of(cx.cloud, &spec.routing.config_name()).await;
    let mut progress = Progress::new(timetable, spec.hooks.clone(), run.started);
    let mut hook_watch = HookWatch::default();
    let mut pulse = Pulse::default();
    let mut said = String::new();
    loop {
        let due = progress.next_look(cx);
        let deployment = match cx.or_interrupted(cx.cloud.watch(&run.id, due)).await {
            Ok(Ok(found)) => found,
            Ok(Err(error)) => return Err(out_of_sight(run, &error)),
            Err(why) => return Err(interrupt(cx, spec, run, why).await),
        };
        let Some(deployment) = deployment else {
            return Err(RolloutError::Left(format!(
                "deployment {} is gone: somebody deleted its application; run `pulumi up` again",
                run.id
            )));
        };
        if deployment.status != DeploymentStatus::Live {
            // Where all went well, and no hook came after it, the end says all that there is to know.
            let knows =
                deployment.status == DeploymentStatus::Succeeded && spec.hooks.after_traffic.is_none();
            let target = if knows { None } else { cx.cloud.target(&run.id).await.unwrap_or_default() };
            let stopped_for = hook_watch.into_cause(&deployment);
            let seen = Ended::seen(cx, deployment, target.as_ref()).await;
            return Ok(Ended { from: run.from.clone(), to: run.to.clone(), stopped_for, ..seen });
        }
        progress.see(cx, &deployment).await;
        hook_watch.look(cx, spec, &deployment, progress.target()).await;
        if progress.until_next_shift(cx).is_some() {
            pulse.look(cx, spec, run).await;
        }
        tell(cx, run, &spec.hooks, &progress, &pulse, &mut said);
    }
}

/// Waits, without a say of the user, until a deployment has ended. For rollbacks, which are never left alone.
pub async fn await_end<C: Cloud>(cx: &Context<'_, C>, id: &str) -> Result<Deployment, RolloutError> {
    let mut waited = Duration::ZERO;
    loop {
        let due = overdue(waited);
        let found = cx.cloud.watch(id, due).await.doing(|| format!("could not read deployment {id}"))?;
        match found {
            Some(deployment) if deployment.status != DeploymentStatus::Live => return Ok(deployment),
            Some(_) if waited < ROLLBACK_PATIENCE => waited += due,
            Some(deployment) => {
                return Err(RolloutError::Left(format!(
                    "rollback {id} is still {} after {}",
                    deployment.status_text,
                    duration::format(ROLLBACK_PATIENCE)
                )));
            }
            None => return Err(RolloutError::Left(format!("deployment {id} is gone"))),
        }
    }
}

/// A deployment that we can no longer read is none that we can stop, and CodeDeploy needs nobody to watch.
fn out_of_sight(run: &Run, error: &CloudError) -> RolloutError {
    RolloutError::Left(format!(
        "could not read deployment {} any more: {error}; it goes on by itself, and the next `pulumi up` takes it up",
        run.id
    ))
}

/// What Ctrl-C or the time limit does to the deployment.
async fn interrupt<C: Cloud>(
    cx: &Context<'_, C>,
    spec: &RolloutSpec,
    run: &Run,
    why: Interrupted,
) -> RolloutError {
    let leave = why == Interrupted::Cancelled && spec.on_cancel == OnCancel::Leave;
    let text = if leave {
        left_alone(why, run)
    } else {
        match cx.cloud.stop_deployment(&run.id, true).await {
            Ok(()) => told_to_stop(why, run),
            Err(error) => format!("{why}; deployment {} could not be stopped: {error}", run.id),
        }
    };
    RolloutError::Left(text)
}

pub fn left_alone(why: Interrupted, run: &Run) -> String {
    format!(
        "{why}; deployment {} of version {} goes on by itself, and the next `pulumi up` waits for it",
        run.id, run.to
    )
}

pub fn told_to_stop(why: Interrupted, run: &Run) -> String {
    format!("{why}; deployment {} was told to stop and to roll back to version {}", run.id, run.from)
}

/// A lasting line when something changed, a passing one otherwise.
fn tell<C: Cloud>(
    cx: &Context<'_, C>,
    run: &Run,
    hooks: &Hooks,
    progress: &Progress,
    pulse: &Pulse,
    said: &mut String,
) {
    if let Some(target) = progress.target() {
        let step = progress.timetable().step_of(percent(target.weight));
        let steps = (step, progress.timetable().steps());
        let stage = stage(target, hooks, steps, progress.is_held_up(cx), &run.to);
        if stage != *said {
            // That nothing has moved yet is not worth a line that stays.
            if step > 0 || stage.starts_with("hook") {
                cx.reporter.info(&stage);
            } else {
                cx.reporter.status(&stage);
            }
            *said = stage;
        }
    }
    if let Some(left) = progress.until_next_shift(cx) {
        let stage = if said.is_empty() { "shifting" } else { said.as_str() };
        cx.reporter.tick(&waiting(stage, left, &pulse.in_words()));
    }
}

/// `[1/2] 10 % on version 42 · 2m40s to the next step · 34 requests, 0 errors`
pub fn waiting(stage: &str, left: Duration, doing: &str) -> String {
    format!("{stage} · {} to the next step{doing}", duration::short(left))
}

/// Where a deployment is: `[1/2] 10 % on version 42`.
pub fn stage(
    target: &Target,
    hooks: &Hooks,
    (step, steps): (usize, usize),
    is_held_up: bool,
    version: &str,
) -> String {
    let running = target.events.iter().find(|event| event.status == "InProgress").map(|e| e.name.as_str());
    match running {
        Some("BeforeAllowTraffic") if hooks.before_traffic.is_some() => {
            format!("hook before traffic to version {version} is running")
        }
        Some("AfterAllowTraffic") if hooks.after_traffic.is_some() => {
            format!("100 % on version {version}, hook after traffic is running")
        }
        _ if step > 0 => format!("[{step}/{steps}] {} % on version {version}", percent(target.weight)),
        _ if is_held_up => format!(
            "no traffic on version {version} yet: CodeDeploy takes minutes for the first shift if the alias has \
             provisioned concurrency"
        ),
        _ => format!("no traffic on version {version} yet"),
    }
}
