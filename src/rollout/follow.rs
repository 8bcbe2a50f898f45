//! Follows a deployment to its end and tells how far it is.

use std::time::{Duration, SystemTime};

use super::appspec::Hooks;
use super::cloud::{Cloud, CloudError, Deployment, DeploymentStatus, Target};
use super::context::{Context, Doing, Interrupted, RolloutError};
use super::deploy::Run;
use super::duration;
use super::hook::watch::HookWatch;
use super::report::Cause;
use super::spec::{OnCancel, RolloutSpec, Routing};
use super::strategy::{Shift, Strategy};

/// In the middle of an interval nothing is due, but an alarm may end the deployment at any time.
const LONGEST_LOOK: Duration = Duration::from_secs(15);
const SHORTEST_LOOK: Duration = Duration::from_secs(2);
/// How long a rollback may take before we say that it does not end.
const ROLLBACK_PATIENCE: Duration = Duration::from_mins(10);

/// How a deployment ended.
#[derive(Debug, Clone, PartialEq)]
pub struct Ended {
    pub deployment: Deployment,
    /// What it was to do, as far as it got a target.
    pub from: String,
    pub to: String,
    /// The largest share, in percent, that the new version was seen to have.
    pub reached: u8,
    /// When all traffic was on the new version, as far as it got there.
    pub last_shift: SystemTime,
    /// The crash of a hook for which we stopped it, or for which it timed out.
    pub stopped_for: Option<Cause>,
}

impl Ended {
    /// A deployment whose end nobody watched.
    pub fn seen(deployment: Deployment, target: Option<&Target>, now: SystemTime) -> Self {
        Self {
            from: target.map(|target| target.current_version.clone()).unwrap_or_default(),
            to: target.map(|target| target.target_version.clone()).unwrap_or_default(),
            reached: target.map_or(0, |target| percent(target.weight)),
            last_shift: deployment.completed.unwrap_or(now),
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
    let mut progress = Progress::new(spec, run);
    let mut hook_watch = HookWatch::default();
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
        let target = cx.cloud.target(&run.id).await.unwrap_or_default();
        progress.see(&deployment, target.as_ref(), cx.now());
        if deployment.status != DeploymentStatus::Live {
            return Ok(Ended {
                from: run.from.clone(),
                to: run.to.clone(),
                reached: progress.reached,
                last_shift: progress.last_shift(&deployment, cx.now()),
                stopped_for: hook_watch.into_cause(&deployment),
                deployment,
            });
        }
        hook_watch.look(cx, spec, &deployment, target.as_ref()).await;
        progress.tell(cx, target.as_ref());
    }
}

/// Waits, without a say of the user, until a deployment has ended. For rollbacks, which are never left alone.
pub async fn await_end<C: Cloud>(cx: &Context<'_, C>, id: &str) -> Result<Deployment, RolloutError> {
    let mut waited = Duration::ZERO;
    loop {
        let found =
            cx.cloud.watch(id, SHORTEST_LOOK).await.doing(|| format!("could not read deployment {id}"))?;
        match found {
            Some(deployment) if deployment.status != DeploymentStatus::Live => return Ok(deployment),
            Some(_) if waited < ROLLBACK_PATIENCE => waited += SHORTEST_LOOK,
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
        format!(
            "{why}; deployment {} of version {} goes on by itself, and the next `pulumi up` waits for it",
            run.id, run.to
        )
    } else {
        match cx.cloud.stop_deployment(&run.id, true).await {
            Ok(()) => format!(
                "{why}; deployment {} was told to stop and to roll back to version {}",
                run.id, run.from
            ),
            Err(error) => format!("{why}; deployment {} could not be stopped: {error}", run.id),
        }
    };
    RolloutError::Left(text)
}

/// What was seen so far, and what to expect next.
struct Progress {
    shifts: Vec<Shift>,
    hooks: Hooks,
    to: String,
    started: SystemTime,
    began_shifting: Option<SystemTime>,
    /// When nothing had moved yet, as far as was seen. Provisioned concurrency may keep the first shift waiting.
    unmoved: Option<SystemTime>,
    /// When the last shift was done.
    shifted: Option<SystemTime>,
    reached: u8,
    said: String,
}

impl Progress {
    fn new(spec: &RolloutSpec, run: &Run) -> Self {
        let shifts = match &spec.routing {
            Routing::Strategy(strategy) => strategy.shifts(),
            Routing::Named(_) => Strategy::AllAtOnce.shifts(),
        };
        Self {
            shifts,
            hooks: spec.hooks.clone(),
            to: run.to.clone(),
            started: run.started,
            began_shifting: None,
            unmoved: None,
            shifted: None,
            reached: 0,
            said: String::new(),
        }
    }

    /// Soon when something is due, seldom otherwise.
    fn next_look<C: Cloud>(&self, cx: &Context<'_, C>) -> Duration {
        match self.until_next_shift(cx) {
            Some(left) => (left + Duration::from_secs(1)).clamp(SHORTEST_LOOK, LONGEST_LOOK),
            None => SHORTEST_LOOK,
        }
    }

    fn until_next_shift<C: Cloud>(&self, cx: &Context<'_, C>) -> Option<Duration> {
        let began = self.began_shifting?;
        let passed = cx.clock.passed(cx.now().duration_since(began).unwrap_or_default());
        self.shifts.iter().map(|shift| shift.at).find(|at| *at > passed).map(|at| at.saturating_sub(passed))
    }

    fn see(&mut self, deployment: &Deployment, target: Option<&Target>, now: SystemTime) {
        if let Some(started) = deployment.started {
            self.started = started;
        }
        if let Some(target) = target {
            self.see_traffic(target, now);
        }
    }

    fn see_traffic(&mut self, target: &Target, now: SystemTime) {
        let percent = percent(target.weight);
        if percent == 0 {
            self.unmoved = Some(now);
        }
        let shifting =
            target.events.iter().find(|event| event.name == "AllowTraffic" && event.status != "Pending");
        if let Some(event) = shifting.filter(|event| event.status != "Skipped") {
            let began = event.started.max(self.unmoved).filter(|_| percent > 0);
            self.began_shifting = self.began_shifting.or(began);
            self.shifted = event.ended;
        }
        self.reached = self.reached.max(percent);
    }

    fn last_shift(&self, deployment: &Deployment, now: SystemTime) -> SystemTime {
        self.shifted.or(deployment.completed).unwrap_or(now)
    }

    /// A lasting line when something changed, a passing one otherwise.
    fn tell<C: Cloud>(&mut self, cx: &Context<'_, C>, target: Option<&Target>) {
        let Some(target) = target else { return };
        let (stage, step) = self.stage(target);
        if stage != self.said {
            // That nothing has moved yet is not worth a line that stays.
            if step > 0 || stage.starts_with("hook") {
                cx.reporter.info(&stage);
            } else {
                cx.reporter.status(&stage);
            }
            self.said.clone_from(&stage);
        }
        if let Some(left) = self.until_next_shift(cx) {
            cx.reporter.tick(&format!("{stage} · {} to the next step", duration::short(left)));
        }
    }

    /// Where the deployment is, in words, and the number of its steps that are done.
    fn stage(&self, target: &Target) -> (String, usize) {
        let version = &self.to;
        let running =
            target.events.iter().find(|event| event.status == "InProgress").map(|e| e.name.as_str());
        let step = self.shifts.iter().filter(|shift| shift.percent <= percent(target.weight)).count();
        let stage = match running {
            Some("BeforeAllowTraffic") if self.hooks.before_traffic.is_some() => {
                format!("hook before traffic to version {version} is running")
            }
            Some("AfterAllowTraffic") if self.hooks.after_traffic.is_some() => {
                format!("100 % on version {version}, hook after traffic is running")
            }
            _ if step > 0 => {
                format!("[{step}/{}] {} % on version {version}", self.shifts.len(), percent(target.weight))
            }
            Some("AllowTraffic") => format!(
                "waiting until CodeDeploy moves the first traffic to version {version}: that takes minutes if the alias has provisioned concurrency"
            ),
            _ => format!("no traffic on version {version} yet"),
        };
        (stage, step)
    }
}

/// A weight (0 to 1) in whole percent.
// The weight is between 0 and 1, so the product fits.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
pub fn percent(weight: f64) -> u8 {
    (weight.clamp(0.0, 1.0) * 100.0).round() as u8
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rollout::cloud::LifecycleEvent;
    use crate::rollout::function::FunctionRef;

    #[test]
    fn a_first_shift_that_waits_is_told_and_counts_from_when_it_comes() {
        let at = |seconds| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        let function = FunctionRef { name: "orders".to_owned(), place: None };
        let spec = RolloutSpec::plain(function, "stable", "2");
        let run = Run {
            id: String::new(),
            from: "1".to_owned(),
            to: "2".to_owned(),
            started: at(0),
            alarms: Vec::new(),
        };
        let mut progress = Progress::new(&spec, &run);
        let allow = LifecycleEvent {
            name: "AllowTraffic".to_owned(),
            status: "InProgress".to_owned(),
            message: String::new(),
            started: Some(at(10)),
            ended: None,
        };
        let target = |weight| Target {
            function: "orders".to_owned(),
            alias: "stable".to_owned(),
            current_version: "1".to_owned(),
            target_version: "2".to_owned(),
            weight,
            events: vec![allow.clone()],
        };
        progress.see_traffic(&target(0.0), at(300));
        assert_eq!(progress.began_shifting, None);
        assert!(progress.stage(&target(0.0)).0.contains("provisioned concurrency"));
        progress.see_traffic(&target(0.1), at(302));
        assert_eq!(progress.began_shifting, Some(at(300)));
        assert!(progress.stage(&target(0.1)).0.contains("10 % on version 2"));

        // Whoever comes later knows when it began from CodeDeploy alone.
        let mut progress = Progress::new(&spec, &run);
        progress.see_traffic(&target(0.1), at(302));
        assert_eq!(progress.began_shifting, Some(at(10)));
    }
}
