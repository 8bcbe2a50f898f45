//! The error alarm: it watches the version that is being rolled out, and nothing else.
//!
//! A plain alarm on the alias counts the old version's errors too, so a broken old version would stop its own fix.

use std::time::Duration;

use super::cloud::{AlarmMetric, Comparison, MetricSource, NewAlarm, Tags, Traffic};
use super::spec::{ErrorAlarm, ErrorAlarmMode};

/// The alarm on `function:alias` while it moves from one version to another.
#[derive(Debug, Clone, Copy)]
pub struct Watched<'a> {
    pub function: &'a str,
    pub alias: &'a str,
    pub from: &'a str,
    pub to: &'a str,
    /// Whether the alias has a function URL, whose 5xx answers count as errors.
    pub url: bool,
}

pub fn error_alarm(name: &str, settings: &ErrorAlarm, watched: Watched<'_>, tags: Tags) -> NewAlarm {
    let mut metrics = inputs(settings, watched);
    let (comparison, threshold, verdict) = match settings.mode {
        ErrorAlarmMode::Relative => {
            metrics.push(expression("newrate", "100 * newbad / FILL(newall, 1)", false));
            metrics.push(expression("oldrate", "100 * FILL(olderr, 0) / FILL(oldall, 1)", false));
            let worse = format!("IF(newbad > 0 AND newrate > oldrate + {}, 1, 0)", settings.threshold);
            (Comparison::GreaterThan, 0.0, worse)
        }
        ErrorAlarmMode::Count => (Comparison::AtLeast, settings.threshold, "newbad * 1".to_owned()),
    };
    metrics.push(expression("verdict", &verdict, true));
    NewAlarm {
        name: name.to_owned(),
        description: describe(settings, watched),
        metrics,
        comparison,
        threshold,
        evaluation_periods: settings.evaluation_periods,
        actions: settings.actions.clone(),
        tags,
    }
}

/// Whether traffic that the alias got after the last shift is as bad as the alarm would find it.
pub fn is_bad(settings: &ErrorAlarm, new: Traffic, old: Traffic) -> bool {
    match settings.mode {
        ErrorAlarmMode::Count => new.errors >= settings.threshold,
        ErrorAlarmMode::Relative => {
            new.errors > 0.0 && new.error_percent() > old.error_percent() + settings.threshold
        }
    }
}

impl Traffic {
    pub fn error_percent(&self) -> f64 {
        if self.requests > 0.0 { 100.0 * self.errors / self.requests } else { 0.0 }
    }
}

fn inputs(settings: &ErrorAlarm, watched: Watched<'_>) -> Vec<AlarmMetric> {
    let sum = |id: &str, metric: &str, version: &str| AlarmMetric {
        id: id.to_owned(),
        returned: false,
        source: MetricSource::Sum {
            metric: metric.to_owned(),
            dimensions: vec![
                ("FunctionName".to_owned(), watched.function.to_owned()),
                ("Resource".to_owned(), format!("{}:{}", watched.function, watched.alias)),
                ("ExecutedVersion".to_owned(), version.to_owned()),
            ],
            period: settings.period,
        },
    };
    let mut metrics = vec![sum("newerr", "Errors", watched.to)];
    if watched.url {
        // A function that throws also makes a 5xx answer, so the larger of the two is the number of bad requests.
        metrics.push(sum("newurl", "Url5xxCount", watched.to));
        metrics.push(expression("newbad", "MAX([FILL(newerr, 0), FILL(newurl, 0)])", false));
    } else {
        metrics.push(expression("newbad", "FILL(newerr, 0)", false));
    }
    if settings.mode == ErrorAlarmMode::Relative {
        metrics.push(sum("newall", "Invocations", watched.to));
        metrics.push(sum("olderr", "Errors", watched.from));
        metrics.push(sum("oldall", "Invocations", watched.from));
    }
    metrics
}

fn expression(id: &str, text: &str, returned: bool) -> AlarmMetric {
    AlarmMetric { id: id.to_owned(), returned, source: MetricSource::Expression(text.to_owned()) }
}

fn describe(settings: &ErrorAlarm, watched: Watched<'_>) -> String {
    let period = super::duration::format(settings.period);
    let rule = match settings.mode {
        ErrorAlarmMode::Relative => {
            format!("errors more than {} points above version {}", settings.threshold, watched.from)
        }
        ErrorAlarmMode::Count => format!("{} errors or more in {period}", settings.threshold),
    };
    format!("Version {} behind {}:{}: {rule}", watched.to, watched.function, watched.alias)
}

/// How long after an error the alarm may still see it: its window, and how late CloudWatch may be.
pub fn memory_of_errors(settings: &ErrorAlarm) -> Duration {
    settings.window() + settings.period
}

#[cfg(test)]
mod tests {
    use super::*;

    fn watched(url: bool) -> Watched<'static> {
        Watched { function: "api", alias: "stable", from: "41", to: "42", url }
    }

    fn verdict(alarm: &NewAlarm) -> (&str, usize) {
        let returned: Vec<_> = alarm.metrics.iter().filter(|m| m.returned).collect();
        match &returned[0].source {
            MetricSource::Expression(text) => (text, returned.len()),
            MetricSource::Sum { .. } => panic!("a sum is returned"),
        }
    }

    #[test]
    fn the_relative_alarm_compares_the_new_version_with_the_old() {
        let alarm = error_alarm("a", &ErrorAlarm::default(), watched(false), Tags::new());
        assert_eq!(verdict(&alarm), ("IF(newbad > 0 AND newrate > oldrate + 1, 1, 0)", 1));
        assert!(alarm.metrics.len() <= 10, "CloudWatch takes at most ten lines");
        assert_eq!((alarm.comparison, alarm.threshold), (Comparison::GreaterThan, 0.0));
    }

    #[test]
    fn a_url_adds_its_5xx_answers() {
        let alarm = error_alarm("a", &ErrorAlarm::default(), watched(true), Tags::new());
        assert!(alarm.metrics.iter().any(|m| m.id == "newurl"));
        assert!(alarm.metrics.len() <= 10);
    }

    #[test]
    fn bad_traffic_is_judged_as_the_alarm_does() {
        let relative = ErrorAlarm::default();
        let traffic = |requests, errors| Traffic { requests, errors };
        assert!(!is_bad(&relative, traffic(100.0, 0.0), traffic(100.0, 0.0)));
        assert!(is_bad(&relative, traffic(100.0, 2.0), traffic(100.0, 0.0)));
        assert!(!is_bad(&relative, traffic(100.0, 6.0), traffic(100.0, 5.0)), "not more than a point worse");
        let count = ErrorAlarm { mode: ErrorAlarmMode::Count, threshold: 3.0, ..ErrorAlarm::default() };
        assert!(!is_bad(&count, traffic(10.0, 2.0), traffic(0.0, 0.0)));
        assert!(is_bad(&count, traffic(1000.0, 3.0), traffic(0.0, 0.0)));
    }
}
