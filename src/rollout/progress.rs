//! How far a deployment is: by its timetable, and by a look at its target where there is room for one.

use std::time::{Duration, SystemTime};

use super::appspec::Hooks;
use super::cloud::{Aside, Cloud, Deployment, LifecycleEvent, Target};
use super::context::Context;
use super::strategy::Strategy;
use super::timetable::{Timetable, overdue};

/// CodeDeploy moves the first traffic within seconds, unless something holds it up.
const USUAL_FIRST_SHIFT: Duration = Duration::from_mins(1);

/// What was seen of a deployment so far.
#[derive(Debug)]
pub struct Progress {
    timetable: Timetable,
    hooks: Hooks,
    /// When we began to wait for what comes first.
    begun: SystemTime,
    started: Option<SystemTime>,
    target: Option<Target>,
    /// When nothing had moved yet, as far as was seen. Provisioned concurrency may keep the first shift waiting.
    unmoved: Option<SystemTime>,
    /// Whether there was room for the last look at the target.
    had_room: bool,
}

impl Progress {
    pub fn new(timetable: Timetable, hooks: Hooks, begun: SystemTime) -> Self {
        Self { timetable, hooks, begun, started: None, target: None, unmoved: None, had_room: true }
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
        self.timetable.until_next(self.shifting(cx).filter(|_| !self.is_unmoved())?)
    }

    /// Whether CodeDeploy has long begun to move traffic, and none has moved.
    pub fn is_held_up<C: Cloud>(&self, cx: &Context<'_, C>) -> bool {
        let began = self.target.as_ref().and_then(allow_traffic).and_then(|event| event.started);
        self.is_unmoved() && began.is_some_and(|began| since(cx, began) >= USUAL_FIRST_SHIFT)
    }

    fn is_unmoved(&self) -> bool {
        self.target.is_some() && self.seen_steps() == 0
    }

    /// Takes in a look at the deployment, and looks at its target if that has something to tell.
    pub async fn see<C: Cloud>(&mut self, cx: &Context<'_, C>, deployment: &Deployment) {
        self.started = deployment.started;
        let Some(aside) = self.wants(cx) else { return };
        self.had_room = cx.cloud.has_room(aside);
        if self.had_room {
            // A look that fails is made again when the next one is due.
            if let Some(target) = cx.cloud.target(&deployment.id).await.unwrap_or_default() {
                self.see_target(target, cx.now());
            }
        }
    }

    fn see_target(&mut self, target: Target, now: SystemTime) {
        if percent(target.weight) == 0 {
            self.unmoved = Some(now);
        }
        self.target = Some(target);
    }

    fn seen_steps(&self) -> usize {
        self.target.as_ref().map_or(0, |target| self.timetable.step_of(percent(target.weight)))
    }

    /// What a look at the target would tell now.
    fn wants<C: Cloud>(&self, cx: &Context<'_, C>) -> Option<Aside> {
        self.started?;
        let (seen, all) = (self.seen_steps(), self.timetable.steps());
        // What was seen to be late may keep the rest waiting, too.
        let possible = if self.target.is_some() { seen + 1 } else { all };
        let due = self.shifting(cx).map_or(0, |shifting| self.timetable.steps_after(shifting)).min(possible);
        if (due == 0 && self.hooks.before_traffic.is_some())
            || (due == all && self.hooks.after_traffic.is_some())
        {
            Some(Aside::Hook)
        } else {
            // With the last step the deployment ends, which needs no second look.
            (seen < due && due < all).then_some(Aside::Progress)
        }
    }

    /// How long traffic has been shifting; `None` before it does.
    fn shifting<C: Cloud>(&self, cx: &Context<'_, C>) -> Option<Duration> {
        self.shift_began().map(|began| since(cx, began))
    }

    /// What nobody has looked at goes by the timetable.
    fn shift_began(&self) -> Option<SystemTime> {
        let hook_is_first = self.hooks.before_traffic.is_some();
        match self.target.as_ref().and_then(allow_traffic) {
            // No earlier than it was seen not to have begun.
            Some(event) if event.status == "Pending" => self.unmoved.filter(|_| !hook_is_first),
            Some(event) if self.seen_steps() == 0 => event.started,
            Some(event) => event.started.max(self.unmoved),
            None => self.started.filter(|_| !hook_is_first),
        }
    }
}

/// The timetable of a configuration. CodeDeploy is asked for one that is not known by its name.
pub async fn timetable_of<C: Cloud>(cloud: &C, config: &str) -> Timetable {
    let unknown = Strategy::of_config(config).is_none();
    let found = if unknown { cloud.deployment_config(config).await.ok().flatten() } else { None };
    found.map_or_else(|| Timetable::by_name(config), Timetable::of)
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

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
    }

    fn target(weight: f64) -> Target {
        let allow = LifecycleEvent {
            name: "AllowTraffic".to_owned(),
            status: "InProgress".to_owned(),
            message: String::new(),
            started: Some(at(10)),
            ended: None,
        };
        Target {
            function: "orders".to_owned(),
            alias: "stable".to_owned(),
            current_version: "1".to_owned(),
            target_version: "2".to_owned(),
            weight,
            events: vec![allow],
        }
    }

    #[test]
    fn a_first_shift_that_was_late_counts_from_when_it_came() {
        let canary = || Timetable::by_name("CodeDeployDefault.LambdaCanary10Percent5Minutes");
        let mut progress = Progress::new(canary(), Hooks::default(), at(0));
        progress.see_target(target(0.0), at(300));
        progress.see_target(target(0.1), at(302));
        assert_eq!(progress.shift_began(), Some(at(300)));

        // Whoever comes later knows when it began from CodeDeploy alone.
        let mut progress = Progress::new(canary(), Hooks::default(), at(0));
        progress.see_target(target(0.1), at(302));
        assert_eq!(progress.shift_began(), Some(at(10)));
    }

    #[test]
    fn what_was_seen_too_early_is_looked_at_again_unless_a_hook_comes_first() {
        let began = |before: Option<&str>| {
            let hooks = Hooks { before_traffic: before.map(str::to_owned), ..Hooks::default() };
            let mut progress = Progress::new(Timetable::by_name("mine"), hooks, at(0));
            let mut early = target(0.0);
            let pending =
                LifecycleEvent { status: "Pending".to_owned(), started: None, ..early.events.remove(0) };
            early.events.push(pending);
            progress.see_target(early, at(7));
            progress.shift_began()
        };
        assert_eq!((began(None), began(Some("check"))), (Some(at(7)), None));
    }

    #[test]
    fn what_nobody_has_looked_at_goes_by_the_timetable_unless_a_hook_comes_first() {
        let begun = |before: Option<&str>| {
            let hooks = Hooks { before_traffic: before.map(str::to_owned), ..Hooks::default() };
            let mut progress = Progress::new(Timetable::by_name("mine"), hooks, at(0));
            progress.started = Some(at(5));
            progress.shift_began()
        };
        assert_eq!((begun(None), begun(Some("check"))), (Some(at(5)), None));
    }
}
