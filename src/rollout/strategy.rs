//! How traffic moves to a new version: the strategies, their CodeDeploy configuration and their timetable.

use std::time::Duration;

/// CodeDeploy's limit from the first to the last shift.
pub const MAX_SHIFT_MINUTES: u64 = 2_880;

const MINUTE: u64 = 60;
const PREDEFINED_ALL_AT_ONCE: &str = "CodeDeployDefault.LambdaAllAtOnce";
const PREDEFINED_CANARY_10_MINUTES: [u64; 4] = [5, 10, 15, 30];
const PREDEFINED_LINEAR_10_MINUTES: [u64; 4] = [1, 2, 3, 10];

/// How traffic moves. Percentages are whole and between 1 and 99, intervals whole minutes: see [`Strategy::check`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Strategy {
    AllAtOnce,
    /// `percentage` at once, the rest after `minutes`.
    Canary {
        percentage: u8,
        minutes: u64,
    },
    /// `percentage` at once and again every `minutes`.
    Linear {
        percentage: u8,
        minutes: u64,
    },
}

/// Why a strategy cannot be a CodeDeploy configuration. The text reads on after the property's name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StrategyError {
    #[error(
        "cannot be {0}: a shift is a whole number of percent from 1 to 99; for all traffic at once use the type \"allAtOnce\""
    )]
    Percentage(i64),
    #[error("cannot be {0}: CodeDeploy takes whole minutes, at least 1")]
    Interval(String),
    #[error(
        "makes {total} minutes from the first to the last shift, and CodeDeploy allows {MAX_SHIFT_MINUTES}: {cure}"
    )]
    TooLong { total: u64, cure: String },
}

/// One step of the timetable: after `at`, the new version has `percent` of the traffic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shift {
    pub at: Duration,
    pub percent: u8,
}

impl Default for Strategy {
    fn default() -> Self {
        Self::Canary { percentage: 10, minutes: 5 }
    }
}

impl Strategy {
    /// A percentage and an interval that CodeDeploy takes, or why not.
    pub fn check_parts(percentage: i64, interval: Duration) -> Result<(u8, u64), StrategyError> {
        let percentage = u8::try_from(percentage)
            .ok()
            .filter(|p| (1..=99).contains(p))
            .ok_or(StrategyError::Percentage(percentage))?;
        let seconds = interval.as_secs();
        if seconds == 0 || !seconds.is_multiple_of(MINUTE) || interval.subsec_nanos() != 0 {
            return Err(StrategyError::Interval(super::duration::format(interval)));
        }
        Ok((percentage, seconds / MINUTE))
    }

    /// Whether the whole shift fits CodeDeploy's limit.
    pub fn check(&self) -> Result<(), StrategyError> {
        let total = self.shift_minutes();
        if total <= MAX_SHIFT_MINUTES {
            return Ok(());
        }
        let cure = match self {
            Self::Linear { percentage, .. } => {
                let steps = u64::from(100_u8.div_ceil(*percentage)) - 1;
                format!(
                    "with {percentage} % a step the longest interval is {} minutes",
                    MAX_SHIFT_MINUTES / steps
                )
            }
            _ => format!("the longest interval is {MAX_SHIFT_MINUTES} minutes"),
        };
        Err(StrategyError::TooLong { total, cure })
    }

    /// When the new version gets which share.
    pub fn shifts(&self) -> Vec<Shift> {
        let minutes = |m: u64| Duration::from_secs(m * MINUTE);
        match *self {
            Self::AllAtOnce => vec![Shift { at: Duration::ZERO, percent: 100 }],
            Self::Canary { percentage, minutes: m } => {
                vec![
                    Shift { at: Duration::ZERO, percent: percentage },
                    Shift { at: minutes(m), percent: 100 },
                ]
            }
            Self::Linear { percentage, minutes: m } => (0_u64..)
                .map(|step| {
                    let percent = u64::from(percentage).saturating_mul(step + 1).min(100);
                    Shift { at: minutes(m * step), percent: u8::try_from(percent).unwrap_or(100) }
                })
                .take(usize::from(100_u8.div_ceil(percentage)))
                .collect(),
        }
    }

    /// Time from the first to the last shift.
    pub fn length(&self) -> Duration {
        Duration::from_secs(self.shift_minutes() * MINUTE)
    }

    /// For how many seconds of the whole traffic the new version serves before it has all of it.
    pub fn seconds_of_all_traffic(&self) -> f64 {
        let shifts = self.shifts();
        let pairs = shifts.iter().zip(shifts.iter().skip(1));
        pairs
            .map(|(shift, next)| {
                next.at.saturating_sub(shift.at).as_secs_f64() * f64::from(shift.percent) / 100.0
            })
            .sum()
    }

    /// Whether both versions serve at the same time for a while, which Lambda allows only for versions of one role.
    pub fn is_weighted(&self) -> bool {
        *self != Self::AllAtOnce
    }

    /// The predefined configuration that does the same, or else a name made from the content: accounts may have only
    /// few configurations, so everyone with the same strategy shares one.
    pub fn config_name(&self) -> String {
        match *self {
            Self::AllAtOnce => PREDEFINED_ALL_AT_ONCE.to_owned(),
            Self::Canary { percentage: 10, minutes: m } if PREDEFINED_CANARY_10_MINUTES.contains(&m) => {
                format!("CodeDeployDefault.LambdaCanary10Percent{m}Minutes")
            }
            Self::Linear { percentage: 10, minutes: m } if PREDEFINED_LINEAR_10_MINUTES.contains(&m) => {
                let unit = if m == 1 { "Minute" } else { "Minutes" };
                format!("CodeDeployDefault.LambdaLinear10PercentEvery{m}{unit}")
            }
            Self::Canary { percentage, minutes } => format!("rollout-canary-{percentage}pct-{minutes}m"),
            Self::Linear { percentage, minutes } => format!("rollout-linear-{percentage}pct-{minutes}m"),
        }
    }

    /// The strategy of a configuration that CodeDeploy predefines or that rollouts make; nothing is known of others.
    pub fn of_config(name: &str) -> Option<Self> {
        let digits =
            |text: &str| text.chars().take_while(char::is_ascii_digit).collect::<String>().parse().ok();
        let parts = |text: &str, between: &str| {
            let (percentage, minutes) = text.split_once(between)?;
            let parts = (u8::try_from(digits(percentage)?).ok()?, digits(minutes)?);
            Some(parts).filter(|(percentage, minutes)| (1..=99).contains(percentage) && *minutes > 0)
        };
        let canary = |(percentage, minutes)| Self::Canary { percentage, minutes };
        let linear = |(percentage, minutes)| Self::Linear { percentage, minutes };
        let after = |prefix| name.strip_prefix(prefix);
        let strategy = if name == PREDEFINED_ALL_AT_ONCE {
            Some(Self::AllAtOnce)
        } else if let Some(rest) = after("CodeDeployDefault.LambdaCanary") {
            parts(rest, "Percent").map(canary)
        } else if let Some(rest) = after("CodeDeployDefault.LambdaLinear") {
            parts(rest, "PercentEvery").map(linear)
        } else if let Some(rest) = after("rollout-canary-") {
            parts(rest, "pct-").map(canary)
        } else {
            after("rollout-linear-").and_then(|rest| parts(rest, "pct-")).map(linear)
        };
        strategy.filter(|strategy| strategy.config_name() == name)
    }

    /// What happens to traffic, for a person: `10 % for 5 minutes, then 100 %`.
    pub fn describe(&self) -> String {
        match *self {
            Self::AllAtOnce => "100 % at once".to_owned(),
            Self::Canary { percentage, minutes } => {
                format!(
                    "{percentage} % for {}, then 100 %",
                    super::duration::format(Duration::from_secs(minutes * MINUTE))
                )
            }
            Self::Linear { percentage, minutes } => {
                format!(
                    "{percentage} % more every {}",
                    super::duration::format(Duration::from_secs(minutes * MINUTE))
                )
            }
        }
    }

    fn shift_minutes(&self) -> u64 {
        match *self {
            Self::AllAtOnce => 0,
            Self::Canary { minutes, .. } => minutes,
            Self::Linear { percentage, minutes } => {
                (u64::from(100_u8.div_ceil(percentage)) - 1).saturating_mul(minutes)
            }
        }
    }
}

/// Whether CodeDeploy itself provides the configuration, so that it is never made or deleted.
pub fn is_predefined(config_name: &str) -> bool {
    config_name.starts_with("CodeDeployDefault.")
}

/// Whether the configuration is one that rollouts make and share.
pub fn is_shared(config_name: &str) -> bool {
    config_name.starts_with("rollout-canary-") || config_name.starts_with("rollout-linear-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn predefined_configurations_are_used_where_they_match() {
        let name = |s: Strategy| s.config_name();
        assert_eq!(name(Strategy::AllAtOnce), "CodeDeployDefault.LambdaAllAtOnce");
        assert_eq!(name(Strategy::default()), "CodeDeployDefault.LambdaCanary10Percent5Minutes");
        assert_eq!(
            name(Strategy::Linear { percentage: 10, minutes: 1 }),
            "CodeDeployDefault.LambdaLinear10PercentEvery1Minute"
        );
        assert_eq!(name(Strategy::Canary { percentage: 10, minutes: 7 }), "rollout-canary-10pct-7m");
        assert_eq!(name(Strategy::Linear { percentage: 20, minutes: 2 }), "rollout-linear-20pct-2m");
    }

    #[test]
    fn a_configuration_of_a_known_name_is_a_strategy_again() {
        for strategy in [
            Strategy::AllAtOnce,
            Strategy::Canary { percentage: 10, minutes: 30 },
            Strategy::Canary { percentage: 1, minutes: 2_880 },
            Strategy::Linear { percentage: 10, minutes: 1 },
            Strategy::Linear { percentage: 10, minutes: 3 },
            Strategy::Linear { percentage: 99, minutes: 7 },
        ] {
            assert_eq!(Strategy::of_config(&strategy.config_name()), Some(strategy));
        }
        let others = [
            "",
            "mine",
            "CodeDeployDefault.LambdaCanary10Percent6Minutes",
            "CodeDeployDefault.LambdaCanary",
            "CodeDeployDefault.OneAtATime",
            "rollout-canary-0pct-5m",
            "rollout-canary-10pct-5m",
            "rollout-linear-300pct-2m",
            "rollout-linear-20pct-2m-mine",
        ];
        for name in others {
            assert_eq!(Strategy::of_config(name), None, "{name}");
        }
    }

    #[test]
    fn a_linear_whose_percentage_does_not_divide_100_ends_with_a_short_step() {
        let shifts = Strategy::Linear { percentage: 30, minutes: 2 }.shifts();
        let table: Vec<_> = shifts.iter().map(|s| (s.at.as_secs() / 60, s.percent)).collect();
        assert_eq!(table, [(0, 30), (2, 60), (4, 90), (6, 100)]);
    }

    #[test]
    fn the_first_to_last_shift_must_fit_codedeploys_limit() {
        assert!(Strategy::Canary { percentage: 50, minutes: 2_880 }.check().is_ok());
        assert!(Strategy::Canary { percentage: 50, minutes: 2_881 }.check().is_err());
        assert!(Strategy::Linear { percentage: 25, minutes: 960 }.check().is_ok());
        let error = Strategy::Linear { percentage: 25, minutes: 961 }.check().unwrap_err().to_string();
        assert!(error.contains("2883 minutes") && error.contains("960 minutes"), "{error}");
    }

    #[test]
    fn parts_out_of_range_are_refused() {
        let minutes = Duration::from_mins;
        assert_eq!(Strategy::check_parts(10, minutes(5)), Ok((10, 5)));
        assert_eq!(Strategy::check_parts(0, minutes(5)), Err(StrategyError::Percentage(0)));
        assert_eq!(Strategy::check_parts(100, minutes(5)), Err(StrategyError::Percentage(100)));
        assert!(Strategy::check_parts(10, Duration::from_secs(90)).is_err());
        assert!(Strategy::check_parts(10, Duration::ZERO).is_err());
    }
}
