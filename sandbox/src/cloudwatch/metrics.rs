//! Metrics: what was measured, and what it adds up to in periods.

use std::collections::{BTreeMap, HashMap, VecDeque};

use crate::clock::Timestamp;

/// How many measurements of one metric are kept.
const KEPT: usize = 200_000;

pub(crate) type Dimensions = BTreeMap<String, String>;

/// Values by the number of their period: period `n` begins at `n` times its length.
pub(crate) type Series = BTreeMap<i64, f64>;

#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Metric {
    pub(crate) namespace: String,
    pub(crate) name: String,
    pub(crate) dimensions: Dimensions,
}

/// One measurement, or many of which only the sums are known.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Sample {
    pub(crate) sum: f64,
    pub(crate) count: f64,
    pub(crate) minimum: f64,
    pub(crate) maximum: f64,
}

impl Sample {
    pub(crate) fn one(value: f64) -> Self {
        Self { sum: value, count: 1.0, minimum: value, maximum: value }
    }

    /// The same value several times.
    pub(crate) fn times(value: f64, count: f64) -> Self {
        Self { sum: value * count, count, minimum: value, maximum: value }
    }
}

#[derive(Clone, Debug)]
struct Point {
    at: Timestamp,
    visible: Timestamp,
    sample: Sample,
    unit: String,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Statistic {
    SampleCount,
    Average,
    Sum,
    Minimum,
    Maximum,
    /// The value under which this percentage of the measurements is.
    Percentile(f64),
}

impl Statistic {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "SampleCount" => Self::SampleCount,
            "Average" => Self::Average,
            "Sum" => Self::Sum,
            "Minimum" => Self::Minimum,
            "Maximum" => Self::Maximum,
            _ => {
                Self::Percentile(text.strip_prefix('p')?.parse().ok().filter(|p| (0.0..=100.0).contains(p))?)
            }
        })
    }
}

/// What is asked of a metric: which periods, how long each, and the time up to which data have arrived.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Window {
    pub(crate) first: i64,
    pub(crate) last: i64,
    pub(crate) period: f64,
    pub(crate) now: Timestamp,
}

impl Window {
    /// The periods that begin in a range of time, the first one rounded down.
    pub(crate) fn between(start: Timestamp, end: Timestamp, period: f64, now: Timestamp) -> Self {
        let first = period_of(start, period);
        let last = period_of(end, period);
        #[expect(clippy::cast_precision_loss, reason = "period numbers are far below 2^52")]
        let exact = last as f64 * period >= end;
        Self { first, last: if exact { last - 1 } else { last }, period, now }
    }
}

/// The number of the period that a point in time is in.
pub(crate) fn period_of(at: Timestamp, period: f64) -> i64 {
    #[expect(clippy::cast_possible_truncation, reason = "period numbers are far below 2^52")]
    let number = (at / period).floor() as i64;
    number
}

#[derive(Debug, Default)]
pub(crate) struct Metrics {
    all: HashMap<Metric, VecDeque<Point>>,
}

impl Metrics {
    /// Adds a measurement, which nobody sees before `visible`.
    pub(crate) fn add(
        &mut self,
        metric: Metric,
        sample: Sample,
        unit: &str,
        at: Timestamp,
        visible: Timestamp,
    ) {
        let points = self.all.entry(metric).or_default();
        // Most come in order; keeping all of them so makes a window cheap to find.
        let place = points.partition_point(|point| point.at <= at);
        points.insert(place, Point { at, visible, sample, unit: unit.to_owned() });
        if points.len() > KEPT {
            points.pop_front();
        }
    }

    /// What a metric was in each period of a window in which there is anything.
    pub(crate) fn series(
        &self,
        metric: &Metric,
        statistic: Statistic,
        unit: Option<&str>,
        window: Window,
    ) -> Series {
        let mut periods: BTreeMap<i64, Vec<Sample>> = BTreeMap::new();
        let Some(points) = self.all.get(metric) else { return Series::new() };
        let number = |point: &Point| period_of(point.at, window.period);
        let start = points.partition_point(|point| number(point) < window.first);
        for point in points.range(start..).take_while(|point| number(point) <= window.last) {
            if point.visible <= window.now && unit.is_none_or(|unit| unit == point.unit) {
                periods.entry(number(point)).or_default().push(point.sample);
            }
        }
        periods.into_iter().map(|(period, samples)| (period, statistic.of(samples))).collect()
    }

    /// The metrics of which something has arrived, in order.
    pub(crate) fn list(&self, now: Timestamp) -> Vec<&Metric> {
        let arrived = |points: &VecDeque<Point>| points.iter().any(|point| point.visible <= now);
        let mut metrics: Vec<_> =
            self.all.iter().filter(|(_, points)| arrived(points)).map(|(metric, _)| metric).collect();
        metrics.sort();
        metrics
    }
}

impl Statistic {
    fn of(self, mut samples: Vec<Sample>) -> f64 {
        let (sum, count) = samples.iter().fold((0.0, 0.0), |(sum, count), s| (sum + s.sum, count + s.count));
        match self {
            Self::SampleCount => count,
            Self::Sum => sum,
            Self::Average => sum / count,
            Self::Minimum => samples.iter().map(|sample| sample.minimum).fold(f64::INFINITY, f64::min),
            Self::Maximum => samples.iter().map(|sample| sample.maximum).fold(f64::NEG_INFINITY, f64::max),
            Self::Percentile(percent) => {
                samples.sort_by(|a, b| a.maximum.total_cmp(&b.maximum));
                let wanted = count * percent / 100.0;
                let mut seen = 0.0;
                let found = samples.iter().find(|sample| {
                    seen += sample.count;
                    seen >= wanted
                });
                found.or(samples.last()).map_or(0.0, |sample| sample.maximum)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metric() -> Metric {
        Metric { namespace: "n".into(), name: "m".into(), dimensions: Dimensions::new() }
    }

    fn filled(values: &[(f64, f64)]) -> Metrics {
        let mut metrics = Metrics::default();
        for (at, value) in values {
            metrics.add(metric(), Sample::one(*value), "Count", *at, *at);
        }
        metrics
    }

    #[test]
    fn statistics_of_a_period() {
        let metrics = filled(&[(60.0, 1.0), (70.0, 2.0), (80.0, 3.0), (119.9, 10.0), (120.0, 7.0)]);
        let window = Window::between(60.0, 180.0, 60.0, 1000.0);
        for (name, expected) in [
            ("Sum", 16.0),
            ("SampleCount", 4.0),
            ("Average", 4.0),
            ("Minimum", 1.0),
            ("Maximum", 10.0),
            ("p50", 2.0),
            ("p100", 10.0),
        ] {
            let series = metrics.series(&metric(), Statistic::parse(name).unwrap(), None, window);
            assert_eq!(series[&1].to_bits(), f64::to_bits(expected), "{name}");
            assert_eq!(
                series[&2].to_bits(),
                if name == "SampleCount" { 1.0_f64 } else { 7.0 }.to_bits(),
                "{name}"
            );
        }
        assert_eq!(Statistic::parse("p101"), None);
    }

    #[test]
    fn what_comes_out_of_order_is_counted() {
        let metrics = filled(&[(120.0, 1.0), (60.0, 2.0), (0.0, 4.0), (90.0, 8.0)]);
        let window = Window::between(60.0, 120.0, 60.0, 1000.0);
        let series = metrics.series(&metric(), Statistic::Sum, None, window);
        assert_eq!(series.into_iter().collect::<Vec<_>>(), [(1, 10.0)]);
    }

    #[test]
    fn a_window_ends_before_its_end() {
        let window = Window::between(65.0, 120.0, 60.0, 0.0);
        assert_eq!((window.first, window.last), (1, 1));
        let window = Window::between(60.0, 121.0, 60.0, 0.0);
        assert_eq!((window.first, window.last), (1, 2));
    }

    #[test]
    fn what_is_late_is_not_seen_yet() {
        let mut metrics = Metrics::default();
        metrics.add(metric(), Sample::one(1.0), "Count", 60.0, 100.0);
        let window = |now| Window::between(0.0, 120.0, 60.0, now);
        assert!(metrics.series(&metric(), Statistic::Sum, None, window(99.0)).is_empty());
        assert!(metrics.list(99.0).is_empty());
        assert_eq!(metrics.series(&metric(), Statistic::Sum, None, window(100.0)).len(), 1);
        assert!(metrics.series(&metric(), Statistic::Sum, Some("Seconds"), window(100.0)).is_empty());
    }
}
