//! Whether an alarm fires: a pure function of its latest values.

/// What an alarm compares with, and how often it has to be so.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Rule {
    pub(crate) comparison: Comparison,
    pub(crate) threshold: f64,
    /// How many periods are looked at, and in how many of them the threshold has to be crossed.
    pub(crate) periods: usize,
    pub(crate) datapoints: usize,
    pub(crate) missing: Missing,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Comparison {
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
}

/// What a period without data counts as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Missing {
    Breaching,
    NotBreaching,
    Ignore,
    Unknown,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    Ok,
    Alarm,
    Insufficient,
}

/// The periods that are looked at beyond those that count, because data may come late or seldom.
pub(crate) const EXTRA: usize = 2;

/// What the values say, and which of them spoke.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Verdict {
    /// None: it stays as it is.
    pub(crate) state: Option<State>,
    /// The places of the values that counted, oldest first.
    pub(crate) used: Vec<usize>,
    pub(crate) breaching: usize,
}

impl Comparison {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "GreaterThanThreshold" => Self::Greater,
            "GreaterThanOrEqualToThreshold" => Self::GreaterOrEqual,
            "LessThanThreshold" => Self::Less,
            "LessThanOrEqualToThreshold" => Self::LessOrEqual,
            _ => return None,
        })
    }

    /// The end of a sentence: "… was greater than the threshold".
    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::Greater => "greater than",
            Self::GreaterOrEqual => "greater than or equal to",
            Self::Less => "less than",
            Self::LessOrEqual => "less than or equal to",
        }
    }

    fn crossed(self, value: f64, threshold: f64) -> bool {
        match self {
            Self::Greater => value > threshold,
            Self::GreaterOrEqual => value >= threshold,
            Self::Less => value < threshold,
            Self::LessOrEqual => value <= threshold,
        }
    }
}

impl Missing {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "breaching" => Self::Breaching,
            "notBreaching" => Self::NotBreaching,
            "ignore" => Self::Ignore,
            "missing" => Self::Unknown,
            _ => return None,
        })
    }
}

impl State {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Ok => "OK",
            Self::Alarm => "ALARM",
            Self::Insufficient => "INSUFFICIENT_DATA",
        }
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        [Self::Ok, Self::Alarm, Self::Insufficient].into_iter().find(|state| state.name() == text)
    }
}

/// Judges the values of the latest periods, oldest first: the newest that exist count, and only where there are too
/// few of them does it matter what a missing one counts as.
pub(crate) fn judge(values: &[Option<f64>], rule: &Rule) -> Verdict {
    let existing: Vec<_> =
        values.iter().enumerate().filter_map(|(place, value)| Some((place, (*value)?))).collect();
    let newest = &existing[existing.len().saturating_sub(rule.periods)..];
    let breaching =
        newest.iter().filter(|(_, value)| rule.comparison.crossed(*value, rule.threshold)).count();
    let missing = rule.periods - newest.len();
    let fires = |count: usize| if count >= rule.datapoints { State::Alarm } else { State::Ok };
    let (without, with) = (fires(breaching), fires(breaching + missing));
    let state = match rule.missing {
        _ if without == with && !newest.is_empty() => Some(without),
        Missing::NotBreaching => Some(without),
        Missing::Breaching => Some(with),
        Missing::Ignore => None,
        Missing::Unknown if newest.is_empty() => Some(State::Insufficient),
        Missing::Unknown => Some(if breaching > 0 { with } else { State::Ok }),
    };
    Verdict { state, used: newest.iter().map(|(place, _)| *place).collect(), breaching }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `X` crosses the threshold, `0` does not, `-` is missing.
    fn values(text: &str) -> Vec<Option<f64>> {
        let read = |mark| match mark {
            'X' => Some(1.0),
            '0' => Some(0.0),
            _ => None,
        };
        text.chars().map(read).collect()
    }

    fn judged(text: &str, datapoints: usize, missing: Missing) -> &'static str {
        let rule = Rule { comparison: Comparison::Greater, threshold: 0.0, periods: 3, datapoints, missing };
        judge(&values(text), &rule).state.map_or("keep", State::name)
    }

    /// The service's guide tells these cases.
    #[test]
    fn three_out_of_three() {
        for (text, missing, ignore, breaching, not_breaching) in [
            ("0-X-X", "OK", "OK", "OK", "OK"),
            ("0----", "OK", "OK", "OK", "OK"),
            ("-----", "INSUFFICIENT_DATA", "keep", "ALARM", "OK"),
            ("0XX-X", "ALARM", "ALARM", "ALARM", "ALARM"),
            ("--X--", "ALARM", "keep", "ALARM", "OK"),
        ] {
            assert_eq!(judged(text, 3, Missing::Unknown), missing, "{text} missing");
            assert_eq!(judged(text, 3, Missing::Ignore), ignore, "{text} ignore");
            assert_eq!(judged(text, 3, Missing::Breaching), breaching, "{text} breaching");
            assert_eq!(judged(text, 3, Missing::NotBreaching), not_breaching, "{text} notBreaching");
        }
    }

    #[test]
    fn two_out_of_three() {
        for (text, missing, ignore, breaching, not_breaching) in [
            ("0-X-X", "ALARM", "ALARM", "ALARM", "ALARM"),
            ("00X0X", "ALARM", "ALARM", "ALARM", "ALARM"),
            ("0---X", "ALARM", "keep", "ALARM", "OK"),
            ("----0", "OK", "keep", "ALARM", "OK"),
        ] {
            assert_eq!(judged(text, 2, Missing::Unknown), missing, "{text} missing");
            assert_eq!(judged(text, 2, Missing::Ignore), ignore, "{text} ignore");
            assert_eq!(judged(text, 2, Missing::Breaching), breaching, "{text} breaching");
            assert_eq!(judged(text, 2, Missing::NotBreaching), not_breaching, "{text} notBreaching");
        }
    }

    #[test]
    fn comparisons() {
        for (name, below, at, above) in [
            ("GreaterThanThreshold", false, false, true),
            ("GreaterThanOrEqualToThreshold", false, true, true),
            ("LessThanThreshold", true, false, false),
            ("LessThanOrEqualToThreshold", true, true, false),
        ] {
            let comparison = Comparison::parse(name).unwrap();
            let crossed = [4.0, 5.0, 6.0].map(|value| comparison.crossed(value, 5.0));
            assert_eq!(crossed, [below, at, above], "{name}");
        }
    }
}
