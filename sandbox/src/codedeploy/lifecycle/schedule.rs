//! How traffic moves from the old version to the new one, and when.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A deployment configuration's traffic routing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type")]
pub(crate) enum Routing {
    AllAtOnce,
    TimeBasedCanary {
        #[serde(rename = "timeBasedCanary")]
        canary: Canary,
    },
    TimeBasedLinear {
        #[serde(rename = "timeBasedLinear")]
        linear: Linear,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Canary {
    #[serde(rename = "canaryPercentage")]
    pub(crate) percentage: u32,
    #[serde(rename = "canaryInterval")]
    pub(crate) interval: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Linear {
    #[serde(rename = "linearPercentage")]
    pub(crate) percentage: u32,
    #[serde(rename = "linearInterval")]
    pub(crate) interval: u32,
}

/// One change of the alias.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shift {
    /// The new version gets this many percent; the alias still names the old one.
    Weight(u32),
    /// The alias names the new version, and has no weights.
    Promote,
}

/// A change of the alias, and how long to wait before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Step {
    pub(crate) wait: Duration,
    pub(crate) shift: Shift,
}

impl Routing {
    /// The changes of the alias, in order. The first comes at once and the last gives all traffic away.
    pub(crate) fn steps(self) -> Vec<Step> {
        match self {
            Self::AllAtOnce => vec![Step { wait: Duration::ZERO, shift: Shift::Promote }],
            Self::TimeBasedCanary { canary } => gradual([canary.percentage].into_iter(), canary.interval),
            Self::TimeBasedLinear { linear } => {
                let step = usize::try_from(linear.percentage.max(1)).unwrap_or(usize::MAX);
                gradual((linear.percentage.max(1)..100).step_by(step), linear.interval)
            }
        }
    }
}

fn gradual(percentages: impl Iterator<Item = u32>, minutes: u32) -> Vec<Step> {
    let interval = Duration::from_secs(u64::from(minutes) * 60);
    let mut steps: Vec<_> =
        percentages.map(|percent| Step { wait: interval, shift: Shift::Weight(percent) }).collect();
    steps.push(Step { wait: interval, shift: Shift::Promote });
    steps[0].wait = Duration::ZERO;
    steps
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(routing: Routing) -> Vec<(u64, Shift)> {
        routing.steps().iter().map(|step| (step.wait.as_secs() / 60, step.shift)).collect()
    }

    #[test]
    fn schedules() {
        use Shift::{Promote, Weight};
        assert_eq!(told(Routing::AllAtOnce), [(0, Promote)]);
        let canary = Routing::TimeBasedCanary { canary: Canary { percentage: 10, interval: 5 } };
        assert_eq!(told(canary), [(0, Weight(10)), (5, Promote)]);
        let linear = Routing::TimeBasedLinear { linear: Linear { percentage: 40, interval: 2 } };
        assert_eq!(told(linear), [(0, Weight(40)), (2, Weight(80)), (2, Promote)]);
        let tenth = Routing::TimeBasedLinear { linear: Linear { percentage: 10, interval: 1 } };
        assert_eq!(told(tenth).iter().map(|(wait, _)| wait).sum::<u64>(), 9);
        assert_eq!(told(tenth).len(), 10);
    }

    #[test]
    fn routing_is_written_as_the_service_does() {
        let canary = Routing::TimeBasedCanary { canary: Canary { percentage: 10, interval: 5 } };
        let json = serde_json::json!({
            "type": "TimeBasedCanary",
            "timeBasedCanary": { "canaryPercentage": 10, "canaryInterval": 5 },
        });
        assert_eq!(serde_json::to_value(canary).unwrap(), json);
        assert_eq!(serde_json::from_value::<Routing>(json).unwrap(), canary);
    }
}
