//! How far a deployment is: by its timetable, and by a look at its target where there is room for one.

use std::time::{Duration, SystemTime};

use super::appspec::Hooks;
use super::cloud::{Aside, Cloud, Deployment, LifecycleEvent, Target};
use super::context::Context;
use super::timetable::{Timetable, overdue};

/// What was seen of a deployment so far.
#[derive(Debug)]
pub struct Progress {
    timetable: Timetable,
    hooks: Hooks,
    /// When we began to wait for what comes first.
    begun: SystemTime,
    started: Option<SystemTime>,
    target: Option<Target>,
    /// Whether there was room for the last look at the target.
    had_room: bool,
}

impl Progress {
    pub fn new(config_name: &str, hooks: Hooks, begun: SystemTime) -> Self {
        Self {
            timetable: Timetable::of(config_name),
            hooks,
            begun,
            started: None,
            target: None,
            had_room: true,
        }
    }

    pub fn timetable(&self) -> &Timetable {
        &self.timetable
    }

    pub fn target(&self) -> Option<&Target> {
        self.target.as_ref()
    }

    pub fn next_look<C: Cloud>(&self, cx: &Context<'_, C>) -> Duration {
        match self.shifting(cx) {
            None => overdue(since(cx, self.started.unwrap_or(self.begun))),
            Some(shifting) if self.had_room && self.wants(cx) == Some(Aside::Progress) => {
                self.timetable.look_for_shift(shifting)
            }
            Some(shifting) => self.timetable.next_look(shifting),
        }
    }

    pub fn until_next_shift<C: Cloud>(&self, cx: &Context<'_, C>) -> Option<Duration> {
        self.timetable.until_next(self.shifting(cx)?)
    }

    /// Takes in a look at the deployment, and looks at its target if that has something to tell.
    pub async fn see<C: Cloud>(&mut self, cx: &Context<'_, C>, deployment: &Deployment) {
        self.started = deployment.started;
        let Some(aside) = self.wants(cx) else { return };
        self.had_room = cx.cloud.has_room(aside);
        if self.had_room {
            // A look that fails is made again when the next one is due.
            self.target = cx.cloud.target(&deployment.id).await.unwrap_or_default().or(self.target.take());
        }
    }

    /// What a look at the target would tell now.
    fn wants<C: Cloud>(&self, cx: &Context<'_, C>) -> Option<Aside> {
        self.started?;
        let due = self.shifting(cx).map_or(0, |shifting| self.timetable.steps_after(shifting));
        let all = self.timetable.steps();
        let seen = self.target.as_ref().map_or(0, |target| self.timetable.step_of(percent(target.weight)));
        if (due == 0 && self.hooks.before_traffic.is_some())
            || (due == all && self.hooks.after_traffic.is_some())
        {
            Some(Aside::Hook)
        } else {
            // With the last step the deployment ends, which needs no second look.
            (seen < due && due < all).then_some(Aside::Progress)
        }
    }

    /// How long traffic has been shifting; `None` before it does. What nobody has looked at goes by the timetable.
    fn shifting<C: Cloud>(&self, cx: &Context<'_, C>) -> Option<Duration> {
        let start = match self.target.as_ref().and_then(allow_traffic) {
            Some(event) => event.started.filter(|_| event.status != "Pending"),
            None => self.started.filter(|_| self.hooks.before_traffic.is_none()),
        };
        start.map(|start| since(cx, start))
    }
}

/// The event in which all traffic moves.
pub fn allow_traffic(target: &Target) -> Option<&LifecycleEvent> {
    target.events.iter().find(|event| event.name == "AllowTraffic")
}

/// A weight (0 to 1) in whole percent.
// The weight is between 0 and 1, so the product fits.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
pub fn percent(weight: f64) -> u8 {
    (weight.clamp(0.0, 1.0) * 100.0).round() as u8
}

fn since<C: Cloud>(cx: &Context<'_, C>, time: SystemTime) -> Duration {
    cx.clock.passed(cx.now().duration_since(time).unwrap_or_default())
}
