//! The task behind a deployment: does what the lifecycle says, and brings it what happens.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use hyper::body::Bytes;
use serde_json::json;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

use super::lifecycle::{Effect, Event, Failure, Stage};
use super::model::Deployment;
use super::{CodeDeploy, check, create, hooks, notify};
use crate::clock::Clock;
use crate::iam::Permissions;
use crate::identity::Scope;
use crate::lambda::Reference;

/// How long a deployment stays Created, and then Queued.
const QUEUED_AFTER: Duration = Duration::from_secs(1);
const START_AFTER: Duration = Duration::from_secs(1);
const ALARM_POLL: Duration = Duration::from_secs(10);
const HOOK_LIMIT: Duration = Duration::from_secs(3600);

/// Starts the task of a deployment.
pub(crate) fn spawn(
    service: &Arc<CodeDeploy>,
    scope: &Scope,
    id: &str,
    inbox: mpsc::UnboundedReceiver<Event>,
) {
    let run = Run {
        service: Arc::clone(service),
        scope: scope.clone(),
        id: id.to_owned(),
        permissions: Permissions::default(),
        timers: Timers::default(),
        provisioned: false,
    };
    tokio::spawn(run.live(inbox));
}

/// What will happen by itself.
#[derive(Debug, Default)]
struct Timers {
    queue: Option<Instant>,
    start: Option<Instant>,
    interval: Option<Instant>,
    hook: Option<Instant>,
    alarms: Option<Instant>,
    provisioned: Option<Instant>,
}

#[derive(Clone, Copy, Debug)]
enum Timer {
    Queue,
    Start,
    Interval,
    Hook,
    Alarms,
    Provisioned,
}

struct Run {
    service: Arc<CodeDeploy>,
    scope: Scope,
    id: String,
    permissions: Permissions,
    timers: Timers,
    /// Whether the first shift has waited for provisioned concurrency.
    provisioned: bool,
}

impl Run {
    async fn live(mut self, mut inbox: mpsc::UnboundedReceiver<Event>) {
        self.timers.queue = Some(self.after(QUEUED_AFTER));
        loop {
            let first = tokio::select! {
                Some(event) = inbox.recv() => Some(event),
                timer = self.timers.next() => self.ring(timer).await,
            };
            let mut events = VecDeque::from_iter(first);
            while let Some(event) = events.pop_front() {
                let Some((effects, ended)) = self.advance(event) else { return };
                for effect in effects {
                    events.extend(self.perform(effect).await);
                }
                if ended {
                    return;
                }
            }
        }
    }

    /// Takes the deployment one step on, and with its end starts the rollback, so that the group is never free
    /// in between. There is nothing to do when the deployment was deleted.
    fn advance(&self, event: Event) -> Option<(Vec<Effect>, bool)> {
        let now = Clock::now();
        let told = format!("{event:?}");
        let (effects, ended, rollback) = self.service.with(&self.scope, |region| {
            let deployment = region.deployment_mut(&self.id)?;
            let (life, effects) = deployment.life.clone().step(event, now);
            deployment.life = life;
            if deployment.life.started() {
                deployment.started.get_or_insert(now);
            }
            let ended = deployment.life.ended();
            if ended {
                deployment.completed = Some(now);
            }
            if deployment.life.stage == Stage::Ended(None) {
                let (application, group) = (deployment.application.clone(), deployment.group.clone());
                if let Ok(group) = region.group(&application, &group) {
                    group.succeeded = Some(self.id.clone());
                }
            }
            let rolls_back = effects.contains(&Effect::RollBack);
            let rollback = if rolls_back { create::rollback(region, &self.id, now) } else { None };
            Some((effects, ended, rollback))
        })?;
        tracing::debug!(deployment = self.id, event = told, ?effects, "step");
        if let Some((id, inbox)) = rollback {
            spawn(&self.service, &self.scope, &id, inbox);
        }
        Some((effects, ended))
    }

    async fn perform(&mut self, effect: Effect) -> Option<Event> {
        let deployment = self.deployment()?;
        match effect {
            Effect::ReadAlarms => match check::permissions(&self.service, &self.scope, &deployment).await {
                Ok(permissions) => {
                    self.permissions = permissions;
                    Some(self.alarms(&deployment))
                }
                Err(failure) => Some(Event::Refused(failure)),
            },
            Effect::CheckTarget => Some(told(self.check(&deployment).await, Event::TargetFine)),
            Effect::InvokeHook(function) => {
                self.invoke(&deployment, &function).await.err().map(Event::Refused)
            }
            Effect::Wait(interval) => {
                self.timers.interval = Some(self.after(interval));
                None
            }
            Effect::Shift(_) if self.waits_for_provisioning(&deployment).await => None,
            Effect::Shift(shift) => {
                let shifted = check::shift(&self.service, &self.scope, &deployment, shift).await;
                Some(told(shifted, Event::Shifted))
            }
            Effect::RollBack => None,
            Effect::Tell(trigger) => {
                notify::tell(&self.service, &self.scope, &deployment, trigger).await;
                None
            }
        }
    }

    async fn check(&mut self, deployment: &Deployment) -> Result<(), Failure> {
        self.permissions = check::permissions(&self.service, &self.scope, deployment).await?;
        check::target(&self.service, &self.scope, deployment, &self.permissions).await
    }

    /// Invokes a hook as the service does: asynchronously, with two ids. That it throws is not noticed.
    async fn invoke(&mut self, deployment: &Deployment, function: &str) -> Result<(), Failure> {
        let reference = Reference::parse(function);
        let arn = self.scope.arn("lambda", &format!("function:{}", reference.qualified()));
        // A grant that came after the start counts.
        self.permissions = check::permissions(&self.service, &self.scope, deployment).await?;
        if !self.permissions.allow("lambda:InvokeFunction", &arn) {
            return Err(Failure::no_permission("AWSLambda", &deployment.role));
        }
        let execution = hooks::execution();
        let payload = json!({ "DeploymentId": self.id, "LifecycleEventHookExecutionId": execution.id });
        self.service.with(&self.scope, |region| {
            if let Some(deployment) = region.deployment_mut(&self.id) {
                deployment.hooks.push(execution);
            }
        });
        let invoked =
            self.service.aws.lambda.invoke_event(&self.scope, &reference, Bytes::from(payload.to_string()));
        invoked.await.map_err(|error| check::lambda_failure(error, &deployment.role))?;
        self.timers.hook = Some(self.after(HOOK_LIMIT));
        Ok(())
    }

    /// Whether the alias has provisioned concurrency that the new version does not have yet. AWS does not say what
    /// CodeDeploy does then; that it reads that setting is known from the policy that AWS gives it.
    async fn waits_for_provisioning(&mut self, deployment: &Deployment) -> bool {
        let wait = self.service.with(&self.scope, |region| region.rules.provisioning);
        let first = deployment.life.weight == 0 && !deployment.is_rollback();
        if wait.is_zero() || !first || std::mem::replace(&mut self.provisioned, true) {
            return false;
        }
        let Ok(target) = &deployment.target else { return false };
        let functions = &self.service.aws.lambda.functions;
        let waits = functions.is_provisioned(&self.scope, &target.function, &target.alias).await;
        self.timers.provisioned = waits.then(|| self.after(wait));
        waits
    }

    /// Asks for the alarms' states, and again after a while.
    fn alarms(&mut self, deployment: &Deployment) -> Event {
        self.timers.alarms = Some(self.after(ALARM_POLL));
        if !self.permissions.allow("cloudwatch:DescribeAlarms", "*") {
            return Event::AlarmsUnreadable("the service role may not describe alarms".to_owned());
        }
        if !self.service.may_describe_alarms(&self.scope) {
            return Event::AlarmsUnreadable("CloudWatch: Rate exceeded".to_owned());
        }
        let names = deployment.alarms.names();
        let states = self.service.aws.cloudwatch.states(&self.scope, &names);
        let firing: Vec<_> =
            names.iter().filter(|name| states.get(*name).is_some_and(|s| s == "ALARM")).cloned().collect();
        let missing: Vec<_> = names.iter().filter(|name| !states.contains_key(*name)).cloned().collect();
        if !firing.is_empty() {
            Event::AlarmsFiring(firing)
        } else if missing.is_empty() {
            Event::AlarmsQuiet
        } else {
            Event::AlarmsUnreadable(format!("there is no alarm named {}", missing.join(", ")))
        }
    }

    async fn ring(&mut self, timer: Timer) -> Option<Event> {
        let event = match timer {
            Timer::Queue => {
                self.timers.queue = None;
                self.timers.start = Some(self.after(START_AFTER));
                Event::Queue
            }
            Timer::Start => {
                self.timers.start = None;
                Event::Start
            }
            Timer::Interval => {
                self.timers.interval = None;
                Event::IntervalPassed
            }
            Timer::Hook => {
                self.timers.hook = None;
                Event::HookTimedOut
            }
            Timer::Alarms => match self.deployment() {
                Some(deployment) => self.alarms(&deployment),
                None => Event::AlarmsQuiet,
            },
            Timer::Provisioned => {
                self.timers.provisioned = None;
                let first = self.deployment()?.life.plan.steps.first()?.shift;
                return self.perform(Effect::Shift(first)).await;
            }
        };
        Some(event)
    }

    fn deployment(&self) -> Option<Deployment> {
        self.service.with(&self.scope, |region| region.deployment(&self.id).ok().cloned())
    }

    fn after(&self, duration: Duration) -> Instant {
        Instant::now() + self.service.clock.real(duration)
    }
}

impl Timers {
    /// Waits for the timer that is due first; forever, if there is none.
    async fn next(&self) -> Timer {
        let timers = [
            (self.queue, Timer::Queue),
            (self.start, Timer::Start),
            (self.interval, Timer::Interval),
            (self.hook, Timer::Hook),
            (self.alarms, Timer::Alarms),
            (self.provisioned, Timer::Provisioned),
        ];
        let due = timers.into_iter().filter_map(|(at, timer)| Some((at?, timer))).min_by_key(|(at, _)| *at);
        match due {
            Some((at, timer)) => {
                sleep_until(at).await;
                timer
            }
            None => std::future::pending().await,
        }
    }
}

fn told(done: Result<(), Failure>, fine: Event) -> Event {
    done.map_or_else(Event::Refused, |()| fine)
}
