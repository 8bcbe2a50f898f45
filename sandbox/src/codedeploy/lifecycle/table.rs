//! Every stage against every event.

use super::tests::plan;
use super::*;

/// A letter for what comes of an event: `.` means that it changes nothing.
///
/// | letter | the next stage | what is done |
/// | --- | --- | --- |
/// | q | queued | |
/// | s | starting | tell of the start, read the alarms |
/// | c | checking | look at the target |
/// | b | the hook before traffic | invoke it |
/// | m | moving, the first change | 10 % |
/// | w | waiting for the second change | five minutes |
/// | p | moving, the second change | all traffic |
/// | a | the hook after traffic | invoke it |
/// | d | succeeded | tell |
/// | f | failed | tell, roll back, tell |
/// | t | stopped | tell, roll back, tell |
const TABLE: [(&str, &str); 11] = [
    //             queue
    //             |start
    //             ||quiet
    //             |||firing
    //             ||||unreadable
    //             |||||fine
    //             ||||||refused
    //             |||||||reported success
    //             ||||||||reported failure
    //             |||||||||timed out
    //             ||||||||||shifted
    //             |||||||||||interval
    //             ||||||||||||stop
    ("created", "q.....f.....t"),
    ("queued", ".s....f.....t"),
    ("starting", "..ctt.f.....t"),
    ("checking", "...ttbf.....t"),
    ("hook before", "...tt.fmff..t"),
    ("moving 0", "...tt.f...w.t"),
    ("waiting 1", "...tt.f....pt"),
    ("moving 1", "...tt.f...a.t"),
    ("hook after", "...tt.fdff..t"),
    ("succeeded", "............."),
    ("failed", "............."),
];

fn events() -> [Event; 13] {
    [
        Event::Queue,
        Event::Start,
        Event::AlarmsQuiet,
        Event::AlarmsFiring(vec!["alarm".into()]),
        Event::AlarmsUnreadable("gone".into()),
        Event::TargetFine,
        Event::Refused(Failure::function("gone")),
        Event::HookReported { succeeded: true },
        Event::HookReported { succeeded: false },
        Event::HookTimedOut,
        Event::Shifted,
        Event::IntervalPassed,
        Event::StopRequested { rollback: None },
    ]
}

fn stages() -> [Stage; 11] {
    [
        Stage::Created,
        Stage::Queued,
        Stage::Starting,
        Stage::Checking,
        Stage::Hook(BEFORE),
        Stage::Moving(0),
        Stage::Waiting(1),
        Stage::Moving(1),
        Stage::Hook(AFTER),
        Stage::Ended(None),
        Stage::Ended(Some(Failure::hook())),
    ]
}

fn letter(before: &Lifecycle, after: &Lifecycle, effects: &[Effect]) -> char {
    let expected = |letter| match letter {
        'q' => vec![],
        's' => vec![Effect::Tell(Trigger::Start), Effect::ReadAlarms],
        'c' => vec![Effect::CheckTarget],
        'b' => vec![Effect::InvokeHook("before".into())],
        'm' => vec![Effect::Shift(Shift::Weight(10))],
        'w' => vec![Effect::Wait(Duration::from_secs(300))],
        'p' => vec![Effect::Shift(Shift::Promote)],
        'a' => vec![Effect::InvokeHook("after".into())],
        'd' => vec![Effect::Tell(Trigger::Success)],
        'f' => vec![Effect::Tell(Trigger::Failure), Effect::RollBack, Effect::Tell(Trigger::Rollback)],
        _ => vec![Effect::Tell(Trigger::Stop), Effect::RollBack, Effect::Tell(Trigger::Rollback)],
    };
    if after.stage == before.stage && effects.is_empty() {
        return '.';
    }
    let letter = match &after.stage {
        Stage::Created => '?',
        Stage::Queued => 'q',
        Stage::Starting => 's',
        Stage::Checking => 'c',
        Stage::Hook(event) => ['b', '?', 'a'][*event],
        Stage::Moving(done) => ['m', 'p'][*done],
        Stage::Waiting(_) => 'w',
        Stage::Ended(None) => 'd',
        Stage::Ended(Some(failure)) => ['f', 't'][usize::from(failure.cause.stops())],
    };
    assert_eq!(effects, expected(letter), "{:?} to {:?}", before.stage, after.stage);
    letter
}

#[test]
fn every_stage_and_every_event() {
    for ((name, row), stage) in TABLE.into_iter().zip(stages()) {
        let life = Lifecycle { stage, ..Lifecycle::new(plan(), 0.0) };
        let told: String = events()
            .into_iter()
            .map(|event| {
                let (after, effects) = life.clone().step(event, 1.0);
                letter(&life, &after, &effects)
            })
            .collect();
        assert_eq!(told, row, "{name}");
    }
}
