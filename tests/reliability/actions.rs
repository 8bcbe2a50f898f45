//! What may happen in a random story.

use proptest::prelude::*;

use crate::proxy::{Moment, Point};

/// How many strategies a program may choose from.
pub(crate) const STRATEGIES: usize = 3;

/// Something happens, and then the user may run an update.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    pub(crate) change: Change,
    pub(crate) run: Option<Run>,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Change {
    Nothing,
    /// A new version, which passes its smoke test or does not.
    Publish {
        well: bool,
    },
    /// The version that was declared before.
    GoBack,
    Strategy(usize),
    /// Whether the rollout watches an alarm of the user's.
    Guard(bool),
    Trigger,
    Refresh,
    /// The state is lost, and the rollout imported.
    Import,
    Destroy,
    /// Somebody puts the alias to the first version.
    MovedByHand,
    /// Somebody deploys the first version in the rollout's own group.
    DeployedByHand,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Run {
    Plain,
    Killed(Point),
    Cancelled(usize),
    /// The user's alarm fires once traffic is split.
    AlarmFires,
    /// Somebody stops the deployment once traffic is split.
    StoppedByHand {
        rollback: bool,
    },
}

/// Any step, the likelier ones more often.
pub(crate) fn step() -> impl Strategy<Value = Step> {
    let change = prop_oneof![
        2 => Just(Change::Nothing),
        5 => any::<bool>().prop_map(|bad| Change::Publish { well: !bad }),
        2 => Just(Change::GoBack),
        1 => (0..STRATEGIES).prop_map(Change::Strategy),
        1 => any::<bool>().prop_map(|off| Change::Guard(!off)),
        1 => Just(Change::Trigger),
        2 => Just(Change::Refresh),
        1 => Just(Change::Import),
        1 => Just(Change::Destroy),
        1 => Just(Change::MovedByHand),
        1 => Just(Change::DeployedByHand),
    ];
    let point = (1..80_usize, any::<bool>())
        .prop_map(|(call, after)| Point { call, moment: if after { Moment::After } else { Moment::Before } });
    let run = prop_oneof![
        3 => Just(Run::Plain),
        3 => point.prop_map(Run::Killed),
        2 => (1..80_usize).prop_map(Run::Cancelled),
        2 => Just(Run::AlarmFires),
        1 => any::<bool>().prop_map(|rollback| Run::StoppedByHand { rollback }),
    ];
    (change, proptest::option::weighted(0.8, run)).prop_map(|(change, run)| Step { change, run })
}
