//! Looks into the log of a hook while it runs: one that crashed would otherwise cost the hour that CodeDeploy waits.

use std::time::{Duration, SystemTime};

use tokio::time::Instant;

use super::log::{Blame, Crash, SKEW, find_crash};
use crate::rollout::appspec::Hooks;
use crate::rollout::cloud::{AsyncFailure, Cloud, CloudErrorKind, Deployment, LifecycleEvent, Target};
use crate::rollout::context::Context;
use crate::rollout::function::{FunctionRef, split_qualifier};
use crate::rollout::report::{Cause, HookStage, times};
use crate::rollout::spec::{RollbackEvent, RolloutSpec};

const LOOK: Duration = Duration::from_secs(20);

/// A hook that is running.
#[derive(Debug, Clone, Copy)]
pub struct Running<'a> {
    pub name: &'a str,
    pub stage: HookStage,
    pub event: &'a LifecycleEvent,
}

/// The hook of an event of this deployment.
pub fn hook_of<'a>(hooks: &'a Hooks, event: &'a LifecycleEvent) -> Option<Running<'a>> {
    let (stage, name) = match event.name.as_str() {
        "BeforeAllowTraffic" => (HookStage::BeforeTraffic, hooks.before_traffic.as_deref()?),
        "AfterAllowTraffic" => (HookStage::AfterTraffic, hooks.after_traffic.as_deref()?),
        _ => return None,
    };
    Some(Running { name, stage, event })
}

/// The name by which CloudWatch Logs knows a hook, however it was declared.
pub fn function_name(hook: &str) -> String {
    let (function, _) = split_qualifier(hook);
    FunctionRef::parse(function).map_or_else(|_| function.to_owned(), |function| function.name)
}

/// What becomes of a deployment whose hook has crashed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    TriedAgain,
    /// Nobody will ever report.
    Sealed,
    Unclear,
}

#[derive(Debug, Default)]
pub struct HookWatch {
    looked: Option<Instant>,
    /// How many attempts of which stage were told.
    said: Option<(HookStage, usize)>,
    /// What Lambda does when the hook fails, once it is known.
    on_failure: Option<AsyncFailure>,
    /// A deployment is stopped once.
    stopped: Option<Cause>,
    /// The last crash that did not stop it.
    last_seen: Option<Cause>,
}

impl HookWatch {
    /// Why the deployment was stopped, if it was; or why it timed out, if it did.
    pub fn into_cause(self, ended: &Deployment) -> Option<Cause> {
        let timed_out = ended.error_code == "TIMEOUT";
        self.stopped.or(self.last_seen.filter(|_| timed_out))
    }

    /// Says a crash at once; stops the deployment when the hook is surely never going to report.
    pub async fn look<C: Cloud>(
        &mut self,
        cx: &Context<'_, C>,
        spec: &RolloutSpec,
        deployment: &Deployment,
        target: Option<&Target>,
    ) {
        let events = target.map(|target| target.events.as_slice()).unwrap_or_default();
        let running = events.iter().find(|event| event.status == "InProgress");
        let Some(hook) = running.and_then(|event| hook_of(&spec.hooks, event)) else { return };
        let Some(called) = hook.event.started.filter(|_| self.stopped.is_none() && self.is_due(cx)) else {
            return;
        };
        // A log that cannot be read tells nothing; CodeDeploy's own limit still ends the wait. Nor does anything here
        // hold up who wants the operation to end.
        let looked = self.find_crash(cx, deployment, hook, called);
        let Ok(Some((crash, fate))) = cx.or_interrupted(looked).await else { return };
        if fate == Fate::Sealed {
            self.stop(cx, spec, deployment, hook, crash).await;
        } else {
            self.tell(cx, deployment, hook, &crash, fate);
        }
    }

    async fn find_crash<C: Cloud>(
        &mut self,
        cx: &Context<'_, C>,
        deployment: &Deployment,
        hook: Running<'_>,
        called: SystemTime,
    ) -> Option<(Crash, Fate)> {
        let since = called.checked_sub(SKEW).unwrap_or(called);
        let lines = cx.cloud.log(&function_name(hook.name), since).await.ok()?;
        let crash = find_crash(&lines, &deployment.id, called)?;
        let AsyncFailure { retries, goes_elsewhere } = self.on_failure(cx, hook).await?;
        let fate = if crash.attempts <= retries {
            Fate::TriedAgain
        } else if goes_elsewhere || !is_surely_of(cx, deployment, &crash).await {
            Fate::Unclear
        } else {
            Fate::Sealed
        };
        Some((crash, fate))
    }

    async fn on_failure<C: Cloud>(&mut self, cx: &Context<'_, C>, hook: Running<'_>) -> Option<AsyncFailure> {
        if self.on_failure.is_none() {
            let (function, qualifier) = split_qualifier(hook.name);
            self.on_failure = cx.cloud.async_failure(function, qualifier).await.ok();
        }
        self.on_failure
    }

    fn is_due<C: Cloud>(&mut self, cx: &Context<'_, C>) -> bool {
        let now = Instant::now();
        let due = self.looked.is_none_or(|last| cx.clock.passed(now - last) >= LOOK);
        if due {
            self.looked = Some(now);
        }
        due
    }

    fn tell<C: Cloud>(
        &mut self,
        cx: &Context<'_, C>,
        deployment: &Deployment,
        hook: Running<'_>,
        crash: &Crash,
        fate: Fate,
    ) {
        if self.said == Some((hook.stage, crash.attempts)) {
            return;
        }
        self.said = Some((hook.stage, crash.attempts));
        let outlook = if fate == Fate::Unclear {
            format!(
                "it is not sure that this call was for this deployment or that nobody else reports, so it goes on, and \
                 CodeDeploy gives up after an hour. To stop it now: aws deploy stop-deployment --deployment-id {} \
                 --auto-rollback-enabled",
                deployment.id
            )
        } else {
            "Lambda tries it again".to_owned()
        };
        let Crash { error, attempts, blame } = crash;
        let times = if *attempts == 1 { String::new() } else { format!(" ({attempts} times)") };
        let what = if *blame == Blame::Unclear { "a call of " } else { "" };
        cx.reporter.warn(&format!(
            "{what}the {} hook {} crashed before it reported{times}: {error}; {outlook}",
            hook.stage, hook.name
        ));
        self.last_seen = Some(crashed(hook, crash));
    }

    async fn stop<C: Cloud>(
        &mut self,
        cx: &Context<'_, C>,
        spec: &RolloutSpec,
        deployment: &Deployment,
        hook: Running<'_>,
        crash: Crash,
    ) {
        let rollback = spec.auto_rollback.contains(&RollbackEvent::Failure);
        match cx.cloud.stop_deployment(&deployment.id, rollback).await {
            Ok(()) => {
                cx.reporter.warn(&format!(
                    "the {} hook {} crashed {} and never reports: {}; the deployment is stopped",
                    hook.stage,
                    hook.name,
                    times(crash.attempts),
                    crash.error
                ));
                self.stopped = Some(crashed(hook, &crash));
            }
            Err(error) if error.kind == CloudErrorKind::AlreadyEnded => {}
            Err(error) => cx.reporter.warn(&format!(
                "the {} hook {} crashed, and deployment {} could not be stopped: {error}",
                hook.stage, hook.name, deployment.id
            )),
        }
    }
}

fn crashed(hook: Running<'_>, crash: &Crash) -> Cause {
    Cause::HookCrashed { name: hook.name.to_owned(), stage: hook.stage, attempts: crash.attempts }
}

/// A crash that names no deployment is of this one if no other deployment can have called the hook.
async fn is_surely_of<C: Cloud>(cx: &Context<'_, C>, deployment: &Deployment, crash: &Crash) -> bool {
    match crash.blame {
        Blame::Named => true,
        Blame::OnlyCall => {
            let live = cx.cloud.live_deployments(None).await;
            live.is_ok_and(|live| live.iter().all(|id| *id == deployment.id))
        }
        Blame::Unclear => false,
    }
}
