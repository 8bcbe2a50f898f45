//! The life of a deployment, as a pure function: a state and an event make a new state and what to do next.
//!
//! Created, queued, in progress, before traffic, traffic, after traffic, succeeded; and from every place a way to failed or
//! stopped. Nothing here knows Lambda, alarms or time of its own.

mod outcome;
mod schedule;

pub(crate) use outcome::{Failure, RollbackEvent};
pub(crate) use schedule::{Canary, Linear, Routing, Shift, Step};

use std::collections::BTreeSet;
use std::time::Duration;

use crate::clock::Timestamp;

/// The lifecycle events that the API shows, in order.
pub(crate) const EVENTS: [&str; 3] = ["BeforeAllowTraffic", "AllowTraffic", "AfterAllowTraffic"];
const BEFORE: usize = 0;
const ALLOW: usize = 1;
const AFTER: usize = 2;

/// What a deployment is going to do. It never changes.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Plan {
    /// The hook functions before and after traffic.
    pub(crate) hooks: [Option<String>; 2],
    pub(crate) steps: Vec<Step>,
    /// Whether alarms are consulted, and if so, whether a failure to read them is ignored.
    pub(crate) alarms: Watch,
    pub(crate) rollback_on: BTreeSet<RollbackEvent>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Watch {
    Off,
    On { ignore_unreadable: bool },
}

/// Where a deployment is.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Stage {
    Created,
    Queued,
    /// The alarms are read for the first time.
    Starting,
    /// Function, alias and versions are looked at.
    Checking,
    /// A hook was invoked, or is about to be; it has not reported.
    Hook(usize),
    /// The alias is being changed; the number of changes before this one.
    Moving(usize),
    /// The next change has its time; the number of those that are done.
    Waiting(usize),
    Ended(Ending),
}

/// How a deployment ended: none of it means that it succeeded.
pub(crate) type Ending = Option<Failure>;

/// What happened.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Event {
    Queue,
    Start,
    AlarmsQuiet,
    AlarmsFiring(Vec<String>),
    AlarmsUnreadable(String),
    TargetFine,
    /// Something that the deployment needs was refused.
    Refused(Failure),
    HookReported {
        succeeded: bool,
    },
    HookTimedOut,
    Shifted,
    IntervalPassed,
    /// Somebody stops it; the answer to "roll back?", if there is one.
    StopRequested {
        rollback: Option<bool>,
    },
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Effect {
    ReadAlarms,
    CheckTarget,
    InvokeHook(String),
    Wait(Duration),
    Shift(Shift),
    RollBack,
    Tell(Trigger),
}

/// What subscribers are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trigger {
    Start,
    Success,
    Failure,
    Stop,
    Rollback,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EventStatus {
    Pending,
    InProgress,
    Succeeded,
    Failed,
    Skipped,
}

/// One lifecycle event, as the deployment's target shows it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Record {
    pub(crate) status: EventStatus,
    pub(crate) started: Option<Timestamp>,
    pub(crate) ended: Option<Timestamp>,
    pub(crate) message: Option<String>,
}

/// A deployment's state.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Lifecycle {
    pub(crate) plan: Plan,
    pub(crate) stage: Stage,
    pub(crate) records: [Record; 3],
    /// The percentage of traffic that the new version gets.
    pub(crate) weight: u32,
    pub(crate) updated: Timestamp,
}

impl Lifecycle {
    pub(crate) fn new(plan: Plan, now: Timestamp) -> Self {
        let pending = Record { status: EventStatus::Pending, started: None, ended: None, message: None };
        let records = [pending.clone(), pending.clone(), pending];
        Self { plan, stage: Stage::Created, records, weight: 0, updated: now }
    }

    pub(crate) fn ended(&self) -> bool {
        matches!(self.stage, Stage::Ended(_))
    }

    /// Whether it has come further than the queue.
    pub(crate) fn started(&self) -> bool {
        !matches!(self.stage, Stage::Created | Stage::Queued)
    }

    /// The whole life in one function. What does not fit the stage is late, and changes nothing.
    pub(crate) fn step(mut self, event: Event, now: Timestamp) -> (Self, Vec<Effect>) {
        if self.ended() {
            return (self, Vec::new());
        }
        self.updated = now;
        let effects = match (self.stage.clone(), event) {
            (Stage::Created, Event::Queue) => {
                self.stage = Stage::Queued;
                Vec::new()
            }
            (Stage::Queued, Event::Start) => self.start(),
            (_, Event::Refused(failure)) => self.end(failure, now),
            (_, Event::StopRequested { rollback }) => self.stop(rollback, now),
            (Stage::Created | Stage::Queued, Event::AlarmsFiring(_) | Event::AlarmsUnreadable(_)) => {
                Vec::new()
            }
            (_, Event::AlarmsFiring(names)) => self.end(Failure::alarms(&names), now),
            (stage, Event::AlarmsUnreadable(reason)) => self.unreadable(&stage, &reason, now),
            (Stage::Starting, Event::AlarmsQuiet) => self.check(),
            (Stage::Checking, Event::TargetFine) => self.begin_hook(BEFORE, now),
            (Stage::Hook(event), Event::HookReported { succeeded: true }) => self.finish_hook(event, now),
            (Stage::Hook(_), Event::HookReported { succeeded: false }) => self.end(Failure::hook(), now),
            (Stage::Hook(_), Event::HookTimedOut) => self.end(Failure::hook_timeout(), now),
            (Stage::Moving(done), Event::Shifted) => self.moved(done, now),
            (Stage::Waiting(done), Event::IntervalPassed) => self.shift(done),
            _ => Vec::new(),
        };
        (self, effects)
    }

    fn start(&mut self) -> Vec<Effect> {
        let mut effects = vec![Effect::Tell(Trigger::Start)];
        if self.plan.alarms == Watch::Off {
            effects.extend(self.check());
        } else {
            self.stage = Stage::Starting;
            effects.push(Effect::ReadAlarms);
        }
        effects
    }

    fn check(&mut self) -> Vec<Effect> {
        self.stage = Stage::Checking;
        vec![Effect::CheckTarget]
    }

    fn unreadable(&mut self, stage: &Stage, reason: &str, now: Timestamp) -> Vec<Effect> {
        match (self.plan.alarms, stage) {
            (Watch::On { ignore_unreadable: false }, _) => self.end(Failure::unreadable_alarms(reason), now),
            (_, Stage::Starting) => self.check(),
            _ => Vec::new(),
        }
    }

    fn begin_hook(&mut self, event: usize, now: Timestamp) -> Vec<Effect> {
        self.open(event, now);
        let Some(function) = self.plan.hooks[usize::from(event == AFTER)].clone() else {
            return self.finish_hook(event, now);
        };
        self.stage = Stage::Hook(event);
        vec![Effect::InvokeHook(function)]
    }

    fn finish_hook(&mut self, event: usize, now: Timestamp) -> Vec<Effect> {
        self.close(event, EventStatus::Succeeded, now);
        if event == AFTER {
            self.stage = Stage::Ended(None);
            return vec![Effect::Tell(Trigger::Success)];
        }
        self.open(ALLOW, now);
        self.shift(0)
    }

    fn shift(&mut self, done: usize) -> Vec<Effect> {
        self.stage = Stage::Moving(done);
        vec![Effect::Shift(self.plan.steps[done].shift)]
    }

    fn moved(&mut self, done: usize, now: Timestamp) -> Vec<Effect> {
        self.weight = match self.plan.steps[done].shift {
            Shift::Weight(percent) => percent,
            Shift::Promote => 100,
        };
        self.stage = Stage::Waiting(done + 1);
        if let Some(next) = self.plan.steps.get(done + 1) {
            return vec![Effect::Wait(next.wait)];
        }
        self.close(ALLOW, EventStatus::Succeeded, now);
        self.begin_hook(AFTER, now)
    }

    fn stop(&mut self, rollback: Option<bool>, now: Timestamp) -> Vec<Effect> {
        match rollback {
            Some(true) => self.plan.rollback_on.insert(RollbackEvent::StopOnRequest),
            Some(false) => self.plan.rollback_on.remove(&RollbackEvent::StopOnRequest),
            None => false,
        };
        self.end(Failure::stop(), now)
    }

    fn end(&mut self, failure: Failure, now: Timestamp) -> Vec<Effect> {
        for event in BEFORE..=AFTER {
            match self.records[event].status {
                EventStatus::InProgress => {
                    self.close(event, EventStatus::Failed, now);
                    self.records[event].message = Some(failure.message.clone());
                }
                EventStatus::Pending => self.records[event].status = EventStatus::Skipped,
                _ => {}
            }
        }
        let stopped = failure.cause.stops();
        let mut effects = vec![Effect::Tell(if stopped { Trigger::Stop } else { Trigger::Failure })];
        if self.plan.rollback_on.contains(&failure.cause.rollback_event()) {
            effects.extend([Effect::RollBack, Effect::Tell(Trigger::Rollback)]);
        }
        self.stage = Stage::Ended(Some(failure));
        effects
    }

    fn open(&mut self, event: usize, now: Timestamp) {
        self.records[event].status = EventStatus::InProgress;
        self.records[event].started = Some(now);
    }

    fn close(&mut self, event: usize, status: EventStatus, now: Timestamp) {
        self.records[event].status = status;
        self.records[event].ended = Some(now);
    }
}

#[cfg(test)]
mod properties;
#[cfg(test)]
mod table;
#[cfg(test)]
mod tests;
