//! When something is due in a deployment, and so when to look at it: often there, seldom in between.

use std::time::Duration;

use super::strategy::{Shift, Strategy};

const SOONEST: Duration = Duration::from_secs(1);
/// In the middle of an interval nothing is due, but an alarm may end the deployment at any time.
const LATEST: Duration = Duration::from_secs(15);
/// CodeDeploy is a little behind its own timetable.
const LAG: Duration = Duration::from_secs(1);

/// The shifts of a deployment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timetable {
    shifts: Vec<Shift>,
}

impl Timetable {
    pub fn of(strategy: Strategy) -> Self {
        Self { shifts: strategy.shifts() }
    }

    /// Of a configuration that is not known by its name, only that all traffic moves in the end.
    pub fn by_name(config: &str) -> Self {
        Self::of(Strategy::of_config(config).unwrap_or(Strategy::AllAtOnce))
    }

    pub fn steps(&self) -> usize {
        self.shifts.len()
    }

    /// How many shifts are done when the new version has this share.
    pub fn step_of(&self, percent: u8) -> usize {
        self.shifts.iter().filter(|shift| shift.percent <= percent).count()
    }

    /// How many shifts should be done when traffic has been shifting for so long.
    pub fn steps_after(&self, shifting: Duration) -> usize {
        self.shifts.iter().filter(|shift| shift.at <= shifting).count()
    }

    /// The share that the new version has when traffic has been shifting for so long.
    pub fn share_after(&self, shifting: Duration) -> u8 {
        let done = self.shifts.iter().filter(|shift| shift.at <= shifting);
        done.map(|shift| shift.percent).next_back().unwrap_or(0)
    }

    pub fn until_next(&self, shifting: Duration) -> Option<Duration> {
        self.shifts.iter().find(|shift| shift.at > shifting).map(|shift| shift.at.saturating_sub(shifting))
    }

    /// When to look again at a deployment that has been shifting for so long. What is overdue may come at any moment,
    /// but the longer it has not come, the less a little more matters.
    pub fn next_look(&self, shifting: Duration) -> Duration {
        match self.until_next(shifting) {
            Some(left) => (left + LAG).min(LATEST),
            None => overdue(shifting.saturating_sub(self.length())),
        }
    }

    /// When to look again for a shift that should have happened, if one did not.
    pub fn look_for_shift(&self, shifting: Duration) -> Duration {
        let due = self.shifts.iter().map(|shift| shift.at).rfind(|at| *at <= shifting).unwrap_or_default();
        overdue(shifting.saturating_sub(due)).min(self.next_look(shifting))
    }

    fn length(&self) -> Duration {
        self.shifts.last().map_or(Duration::ZERO, |shift| shift.at)
    }
}

/// When to look again for what has been due for so long.
pub fn overdue(since: Duration) -> Duration {
    (since / 4).clamp(SOONEST, LATEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(count: u64) -> Duration {
        Duration::from_secs(count)
    }

    #[test]
    fn looks_are_rare_inside_an_interval_and_frequent_at_its_end() {
        let canary = Timetable::by_name("CodeDeployDefault.LambdaCanary10Percent5Minutes");
        let looks: Vec<_> = [0, 100, 284, 290, 299, 300, 302, 310, 340, 900]
            .map(|at| canary.next_look(seconds(at)).as_secs())
            .to_vec();
        assert_eq!(looks, [15, 15, 15, 11, 2, 1, 1, 2, 10, 15]);
    }

    #[test]
    fn each_step_of_a_linear_deployment_is_due_once() {
        let linear = Timetable::by_name("rollout-linear-40pct-2m");
        assert_eq!(linear.steps(), 3);
        assert_eq!([0, 119, 120, 240].map(|at| linear.steps_after(seconds(at))), [1, 1, 2, 3]);
        assert_eq!([0, 119, 120, 240].map(|at| linear.share_after(seconds(at))), [40, 40, 80, 100]);
        assert_eq!([0, 39, 40, 80, 100].map(|percent| linear.step_of(percent)), [0, 0, 1, 2, 3]);
        assert_eq!(linear.until_next(seconds(130)), Some(seconds(110)));
        assert_eq!(linear.until_next(seconds(240)), None);
    }

    #[test]
    fn a_shift_that_is_late_is_looked_for_soon_and_then_less_and_less() {
        let canary = Timetable::by_name("CodeDeployDefault.LambdaCanary10Percent5Minutes");
        assert_eq!(
            [0, 4, 20, 200, 298].map(|at| canary.look_for_shift(seconds(at)).as_secs()),
            [1, 1, 5, 15, 3]
        );
    }

    #[test]
    fn of_an_unknown_configuration_only_the_end_is_due() {
        let unknown = Timetable::by_name("mine");
        assert_eq!([0, 20, 600].map(|at| unknown.next_look(seconds(at)).as_secs()), [1, 5, 15]);
        assert_eq!(unknown.until_next(Duration::ZERO), None);
    }
}
