//! Tables of whole lives: a plan, what happens, and what becomes of it.

use super::*;

pub(super) fn plan() -> Plan {
    let canary = Routing::TimeBasedCanary { canary: Canary { percentage: 10, interval: 5 } };
    let all = [RollbackEvent::Failure, RollbackEvent::StopOnAlarm, RollbackEvent::StopOnRequest];
    Plan {
        hooks: [Some("before".into()), Some("after".into())],
        steps: canary.steps(),
        alarms: Watch::On { ignore_unreadable: false },
        rollback_on: all.into(),
    }
}

fn bare() -> Plan {
    Plan { hooks: [None, None], alarms: Watch::Off, ..plan() }
}

/// Runs events through a life that is queued; each must be told apart from the others by its time.
fn live(plan: Plan, events: impl IntoIterator<Item = Event>) -> (Lifecycle, Vec<Effect>) {
    let (mut life, mut all) = Lifecycle::new(plan, 0.0).step(Event::Queue, 0.5);
    for (event, now) in events.into_iter().zip([1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0]) {
        let (next, effects) = life.step(event, now);
        life = next;
        all.extend(effects);
    }
    (life, all)
}

fn statuses(life: &Lifecycle) -> [EventStatus; 3] {
    life.records.clone().map(|record| record.status)
}

const REPORTED: Event = Event::HookReported { succeeded: true };
const REFUSED: Event = Event::HookReported { succeeded: false };

#[test]
fn a_canary_with_hooks_from_start_to_end() {
    use Event::{AlarmsQuiet, IntervalPassed, Shifted, Start, TargetFine};
    let events = [Start, AlarmsQuiet, TargetFine, REPORTED, Shifted, IntervalPassed, Shifted, REPORTED];
    let (life, effects) = live(plan(), events);
    assert_eq!(life.stage, Stage::Ended(None));
    assert_eq!(statuses(&life), [EventStatus::Succeeded; 3]);
    assert_eq!(life.weight, 100);
    assert_eq!(
        effects,
        [
            Effect::Tell(Trigger::Start),
            Effect::ReadAlarms,
            Effect::CheckTarget,
            Effect::InvokeHook("before".into()),
            Effect::Shift(Shift::Weight(10)),
            Effect::Wait(Duration::from_secs(300)),
            Effect::Shift(Shift::Promote),
            Effect::InvokeHook("after".into()),
            Effect::Tell(Trigger::Success),
        ]
    );
    let times = life.records.map(|record| (record.started.unwrap(), record.ended.unwrap()));
    assert_eq!(times, [(3.0, 4.0), (4.0, 7.0), (7.0, 8.0)]);
}

#[test]
fn without_hooks_and_alarms_only_traffic_moves() {
    let (life, effects) = live(bare(), [Event::Start, Event::TargetFine, Event::Shifted]);
    assert_eq!(statuses(&life), [EventStatus::Succeeded, EventStatus::InProgress, EventStatus::Pending]);
    assert_eq!(life.weight, 10);
    assert!(!effects.contains(&Effect::ReadAlarms));
}

#[test]
fn every_bad_end() {
    use Event::{AlarmsFiring, AlarmsQuiet, AlarmsUnreadable, IntervalPassed, Shifted, Start, TargetFine};
    use EventStatus::{Failed, Skipped, Succeeded};
    let stop = || Event::StopRequested { rollback: None };
    let firing = || AlarmsFiring(vec!["a".into(), "b".into()]);
    let failure = Failure::function("no such function");
    let table = [
        (vec![Start, firing()], "ALARM_ACTIVE", [Skipped, Skipped, Skipped], 0),
        (
            vec![Start, AlarmsUnreadable("gone".into())],
            "CODEDEPLOY_RESOURCE_CANNOT_BE_FOUND",
            [Skipped; 3],
            0,
        ),
        (vec![Start, AlarmsQuiet, Event::Refused(failure)], "INVALID_LAMBDA_FUNCTION", [Skipped; 3], 0),
        (
            vec![Start, AlarmsQuiet, TargetFine, REFUSED],
            "HOOK_EXECUTION_FAILURE",
            [Failed, Skipped, Skipped],
            0,
        ),
        (vec![Start, AlarmsQuiet, TargetFine, Event::HookTimedOut], "TIMEOUT", [Failed, Skipped, Skipped], 0),
        (vec![Start, AlarmsQuiet, TargetFine, stop()], "MANUAL_STOP", [Failed, Skipped, Skipped], 0),
        (
            vec![Start, AlarmsQuiet, TargetFine, REPORTED, Shifted, firing()],
            "ALARM_ACTIVE",
            [Succeeded, Failed, Skipped],
            10,
        ),
        (
            vec![Start, AlarmsQuiet, TargetFine, REPORTED, Shifted, stop()],
            "MANUAL_STOP",
            [Succeeded, Failed, Skipped],
            10,
        ),
        (
            vec![Start, AlarmsQuiet, TargetFine, REPORTED, Shifted, IntervalPassed, Shifted, REFUSED],
            "HOOK_EXECUTION_FAILURE",
            [Succeeded, Succeeded, Failed],
            100,
        ),
    ];
    for (events, code, records, weight) in table {
        let told = format!("{events:?}");
        let (life, effects) = live(plan(), events);
        let Stage::Ended(Some(failure)) = &life.stage else { panic!("{told} did not end") };
        assert_eq!((failure.code, statuses(&life), life.weight), (code, records, weight), "{told}");
        assert_eq!(effects.iter().filter(|effect| **effect == Effect::RollBack).count(), 1, "{told}");
    }
}

#[test]
fn rollback_only_on_the_events_that_are_listed() {
    let stop = |rollback| Event::StopRequested { rollback };
    let firing = Event::AlarmsFiring(vec!["a".into()]);
    for (listed, event, expected) in [
        (RollbackEvent::Failure, REFUSED, true),
        (RollbackEvent::StopOnAlarm, REFUSED, false),
        (RollbackEvent::StopOnAlarm, firing.clone(), true),
        (RollbackEvent::Failure, firing, false),
        (RollbackEvent::StopOnRequest, stop(None), true),
        (RollbackEvent::Failure, stop(None), false),
        (RollbackEvent::Failure, stop(Some(true)), true),
        (RollbackEvent::StopOnRequest, stop(Some(false)), false),
    ] {
        let plan = Plan { rollback_on: [listed].into(), ..plan() };
        let (_, effects) = live(plan, [Event::Start, Event::AlarmsQuiet, Event::TargetFine, event.clone()]);
        assert_eq!(effects.contains(&Effect::RollBack), expected, "{listed:?} {event:?}");
    }
}

#[test]
fn unreadable_alarms_can_be_ignored() {
    let plan = Plan { alarms: Watch::On { ignore_unreadable: true }, ..plan() };
    let unreadable = || Event::AlarmsUnreadable("denied".into());
    let (life, effects) = live(plan, [Event::Start, unreadable(), Event::TargetFine, unreadable()]);
    assert_eq!(life.stage, Stage::Hook(0));
    assert!(effects.contains(&Effect::CheckTarget));
}

#[test]
fn what_comes_too_late_or_too_early_changes_nothing() {
    let stopped = [Event::Start, Event::StopRequested { rollback: None }];
    let (life, _) = live(bare(), stopped);
    for late in [REPORTED, Event::Shifted, Event::IntervalPassed, Event::HookTimedOut, Event::Start] {
        let (after, effects) = life.clone().step(late, life.updated);
        assert_eq!((after, effects), (life.clone(), vec![]));
    }
    let (queued, effects) = live(bare(), [REPORTED, Event::Shifted, Event::AlarmsFiring(vec!["a".into()])]);
    assert_eq!((queued.stage, effects), (Stage::Queued, vec![]));
}
