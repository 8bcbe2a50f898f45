//! Whatever happens in whatever order: where the alias ends.

use proptest::prelude::*;

use super::*;

/// The alias that a deployment moves: the version that it names, and the percentage that goes to the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Alias {
    version: &'static str,
    other: u32,
}

const OLD: Alias = Alias { version: "old", other: 0 };
const NEW: Alias = Alias { version: "new", other: 0 };

impl Alias {
    fn shift(&mut self, shift: Shift) {
        *self = match shift {
            Shift::Weight(percent) => Alias { version: "old", other: percent },
            Shift::Promote => NEW,
        };
    }
}

/// A deployment whose changes of the alias are made at once, as the task behind it makes them.
struct World {
    life: Lifecycle,
    alias: Alias,
    rolled_back: bool,
    /// What was done after the end; it has to stay empty.
    late: Vec<Effect>,
}

impl World {
    fn new(plan: Plan) -> Self {
        Self { life: Lifecycle::new(plan, 0.0), alias: OLD, rolled_back: false, late: Vec::new() }
    }

    fn happen(&mut self, event: Event) {
        let over = self.life.ended();
        let (life, effects) = self.life.clone().step(event, 1.0);
        self.life = life;
        if over {
            self.late.extend(effects);
            return;
        }
        for effect in effects {
            match effect {
                Effect::Shift(shift) => {
                    self.alias.shift(shift);
                    self.happen(Event::Shifted);
                }
                // The rollback's only step gives all traffic back.
                Effect::RollBack => (self.alias, self.rolled_back) = (OLD, true),
                _ => {}
            }
        }
    }

    fn succeeded(&self) -> bool {
        self.life.stage == Stage::Ended(None)
    }
}

fn routing() -> impl Strategy<Value = Routing> {
    prop_oneof![
        Just(Routing::AllAtOnce),
        (1..=99_u32).prop_map(|percentage| {
            Routing::TimeBasedCanary { canary: Canary { percentage, interval: 5 } }
        }),
        (1..=99_u32).prop_map(|percentage| {
            Routing::TimeBasedLinear { linear: Linear { percentage, interval: 1 } }
        }),
    ]
}

fn watch() -> impl Strategy<Value = Watch> {
    let on = any::<bool>().prop_map(|ignore_unreadable| Watch::On { ignore_unreadable });
    prop_oneof![Just(Watch::Off), on]
}

fn plan(rollback_on: BTreeSet<RollbackEvent>) -> impl Strategy<Value = Plan> {
    let hook = || proptest::option::of(Just("hook".to_owned()));
    ([hook(), hook()], routing(), watch()).prop_map(move |(hooks, routing, alarms)| Plan {
        hooks,
        steps: routing.steps(),
        alarms,
        rollback_on: rollback_on.clone(),
    })
}

/// What leads on comes often, so that many lives get far.
fn event() -> impl Strategy<Value = Event> {
    let leading = prop_oneof![
        Just(Event::Queue),
        Just(Event::Start),
        Just(Event::AlarmsQuiet),
        Just(Event::TargetFine),
        Just(Event::HookReported { succeeded: true }),
        Just(Event::Shifted),
        Just(Event::IntervalPassed),
    ];
    let ending = prop_oneof![
        Just(Event::AlarmsFiring(vec!["alarm".into()])),
        Just(Event::AlarmsUnreadable("gone".into())),
        Just(Event::Refused(Failure::function("gone"))),
        Just(Event::HookReported { succeeded: false }),
        Just(Event::HookTimedOut),
        Just(Event::StopRequested { rollback: None }),
    ];
    prop_oneof![20 => leading, 1 => ending]
}

/// Events in any order, and at last a stop for those that have not ended.
fn events() -> impl Strategy<Value = Vec<Event>> {
    proptest::collection::vec(event(), 0..400).prop_map(|mut events| {
        events.push(Event::StopRequested { rollback: None });
        events
    })
}

fn lived(plan: Plan, events: Vec<Event>) -> World {
    let mut world = World::new(plan);
    for event in events {
        world.happen(event);
    }
    world
}

fn always() -> BTreeSet<RollbackEvent> {
    [RollbackEvent::Failure, RollbackEvent::StopOnAlarm, RollbackEvent::StopOnRequest].into()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn with_rollback_the_alias_ends_on_one_version(plan in plan(always()), events in events()) {
        let world = lived(plan, events);
        prop_assert!(world.life.ended() && world.late.is_empty());
        prop_assert_eq!(world.alias, if world.succeeded() { NEW } else { OLD });
        prop_assert_eq!(world.rolled_back, !world.succeeded());
    }

    /// The service leaves the alias where the deployment had brought it.
    #[test]
    fn without_rollback_the_alias_stays_where_it_was(plan in plan(BTreeSet::new()), events in events()) {
        let world = lived(plan, events);
        prop_assert!(world.life.ended() && world.late.is_empty() && !world.rolled_back);
        let left = match world.life.weight {
            100 => NEW,
            other => Alias { version: "old", other },
        };
        prop_assert_eq!(world.alias, left);
        prop_assert!(world.alias == NEW || !world.succeeded());
    }

    /// What the API shows fits together after every event.
    #[test]
    fn the_events_are_told_in_order(plan in plan(always()), events in events()) {
        let mut world = World::new(plan);
        for event in events {
            let before = world.life.weight;
            world.happen(event);
            prop_assert!(world.life.weight >= before, "traffic went back");
            let told: Vec<_> = world.life.records.iter().map(|record| record.status).collect();
            let done = told.iter().take_while(|status| **status == EventStatus::Succeeded).count();
            let under_way = told.get(done).is_some_and(|status| *status == EventStatus::InProgress);
            let rest = &told[done + usize::from(under_way)..];
            let untouched = rest.iter().all(|status| *status == EventStatus::Pending);
            prop_assert!(untouched || world.life.ended(), "{:?}", told);
            prop_assert!(!world.life.ended() || !told.contains(&EventStatus::InProgress), "{:?}", told);
        }
    }
}
