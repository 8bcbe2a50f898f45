//! Alarms and metrics.

use std::collections::HashMap;
use std::ops::Range;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_sdk_cloudwatch::primitives::DateTime;
use aws_sdk_cloudwatch::types::{
    AlarmType, ComparisonOperator, CompositeAlarm, Dimension, Metric, MetricAlarm, MetricDataQuery,
    MetricDataResult, MetricStat, Tag,
};

use super::clients::Clients;
use super::error::{Answered, gone};
use super::time::system_time;
use crate::rollout::clock::Clock;
use crate::rollout::cloud::{Alarm, AlarmMetric, Comparison, MetricSource, NewAlarm, Traffic};

const NAMESPACE: &str = "AWS/Lambda";
pub(super) const ALARMS: &str = "cloudwatch:DescribeAlarms";
pub(super) const METRICS: &str = "cloudwatch:GetMetricData";
/// Names that `DescribeAlarms` and `DeleteAlarms` take in one call.
pub(super) const NAMES_A_CALL: usize = 100;
/// `GetMetricData` takes five hundred metrics in one call, and each who asks wants two.
pub(super) const TRAFFICS_A_CALL: usize = 200;
/// Lambda's metrics come in points of a minute.
const POINT: Duration = Duration::from_mins(1);
const REQUESTS: &str = "requests";
const ERRORS: &str = "errors";

/// Whose requests and errors are asked for, and of what time.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Wanted {
    pub(super) function: String,
    pub(super) alias: String,
    /// All versions behind the alias, if none is named.
    pub(super) version: Option<String>,
    pub(super) from: SystemTime,
    pub(super) to: SystemTime,
}

impl Wanted {
    /// Whole points, because CloudWatch wants them; may be empty.
    pub(super) fn range(&self, clock: Clock) -> Range<SystemTime> {
        let point = clock.scaled(POINT);
        point_before(self.from, point)..point_after(self.to, point)
    }
}

impl Clients {
    /// The alarms with these names, of which there are no more than go in one call, for which there is room already.
    pub(super) async fn alarms(&self, names: Vec<String>) -> Answered<HashMap<String, Option<Alarm>>> {
        let found = self.describe_alarms(|request| request.set_alarm_names(Some(names.clone()))).await?;
        Ok(found.into_iter().map(|alarm| (alarm.name.clone(), Some(alarm))).collect())
    }

    pub(super) async fn alarms_with_prefix(&self, prefix: &str) -> Answered<Vec<Alarm>> {
        self.budgets.take(ALARMS).await;
        self.describe_alarms(|request| request.alarm_name_prefix(prefix)).await
    }

    pub(super) async fn put_alarm(&self, alarm: &NewAlarm) -> Answered<()> {
        let tags =
            alarm.tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build()).collect();
        let request = self
            .cloud_watch()
            .await
            .put_metric_alarm()
            .alarm_name(&alarm.name)
            .alarm_description(&alarm.description)
            .set_metrics(Some(alarm.metrics.iter().map(alarm_metric).collect()))
            .comparison_operator(comparison(alarm.comparison))
            .threshold(alarm.threshold)
            .evaluation_periods(alarm.evaluation_periods)
            .treat_missing_data("notBreaching")
            .set_alarm_actions(Some(alarm.actions.clone()))
            .set_tags(Some(tags));
        self.call("cloudwatch:PutMetricAlarm", || request.send()).await.map(drop)
    }

    pub(super) async fn delete_alarms(&self, names: &[String]) -> Answered<()> {
        for names in names.chunks(NAMES_A_CALL) {
            let request = self.cloud_watch().await.delete_alarms().set_alarm_names(Some(names.to_vec()));
            gone(self.call("cloudwatch:DeleteAlarms", || request.send()).await)?;
        }
        Ok(())
    }

    /// What each of these saw, of which there are no more than go in one call, for which there is room already. A call
    /// has one range of time, so it is the widest, and what lies outside of one's own is left out.
    pub(super) async fn traffic(&self, wanted: Vec<Wanted>) -> Answered<HashMap<Wanted, Traffic>> {
        let ranges: Vec<_> = wanted.iter().map(|wanted| wanted.range(self.clock)).collect();
        let (Some(from), Some(to)) =
            (ranges.iter().map(|range| range.start).min(), ranges.iter().map(|range| range.end).max())
        else {
            return Ok(HashMap::new());
        };
        let mut traffic = vec![Traffic::default(); wanted.len()];
        let mut token = None;
        loop {
            let queries =
                wanted.iter().enumerate().flat_map(|(number, wanted)| traffic_queries(number, wanted));
            let request = self
                .cloud_watch()
                .await
                .get_metric_data()
                .set_metric_data_queries(Some(queries.collect()))
                .start_time(DateTime::from(from))
                .end_time(DateTime::from(to))
                .set_next_token(token)
                .send();
            let page = self.call_admitted(METRICS, request).await?;
            for result in page.metric_data_results() {
                add_up(&mut traffic, &ranges, result);
            }
            token = page.next_token.filter(|token| !token.is_empty());
            if token.is_none() {
                return Ok(wanted.into_iter().zip(traffic).collect());
            }
            self.budgets.take(METRICS).await;
        }
    }

    /// All pages of the alarms that `select` asks for; there is room for the first call already. Without the types, composite alarms would be left out.
    async fn describe_alarms(
        &self,
        select: impl Fn(DescribeAlarms) -> DescribeAlarms,
    ) -> Answered<Vec<Alarm>> {
        let mut found = Vec::new();
        let mut token = None;
        loop {
            let request = self
                .cloud_watch()
                .await
                .describe_alarms()
                .alarm_types(AlarmType::MetricAlarm)
                .alarm_types(AlarmType::CompositeAlarm)
                .max_records(100)
                .set_next_token(token);
            let page = self.call_admitted(ALARMS, select(request).send()).await?;
            token = page.next_token.filter(|token| !token.is_empty());
            found.extend(page.metric_alarms.unwrap_or_default().into_iter().map(metric_alarm));
            found.extend(page.composite_alarms.unwrap_or_default().into_iter().map(composite_alarm));
            if token.is_none() {
                return Ok(found);
            }
            self.budgets.take(ALARMS).await;
        }
    }
}

type DescribeAlarms = aws_sdk_cloudwatch::operation::describe_alarms::builders::DescribeAlarmsFluentBuilder;

fn alarm_metric(line: &AlarmMetric) -> MetricDataQuery {
    let query = MetricDataQuery::builder().id(&line.id).return_data(line.returned);
    match &line.source {
        MetricSource::Expression(expression) => query.expression(expression),
        MetricSource::Sum { metric, dimensions, period } => {
            let dimensions = dimensions.iter().map(|(name, value)| (name.as_str(), value.as_str()));
            query.metric_stat(sum_of(metric, dimensions, *period))
        }
    }
    .build()
}

fn traffic_queries(number: usize, wanted: &Wanted) -> [MetricDataQuery; 2] {
    let resource = format!("{}:{}", wanted.function, wanted.alias);
    [(REQUESTS, "Invocations"), (ERRORS, "Errors")].map(|(id, metric)| {
        let dimensions = [("FunctionName", wanted.function.as_str()), ("Resource", &resource)]
            .into_iter()
            .chain(wanted.version.as_deref().map(|version| ("ExecutedVersion", version)));
        let sum = sum_of(metric, dimensions, POINT);
        MetricDataQuery::builder().id(format!("{id}{number}")).metric_stat(sum).return_data(true).build()
    })
}

fn sum_of<'a>(
    metric: &str,
    dimensions: impl Iterator<Item = (&'a str, &'a str)>,
    period: Duration,
) -> MetricStat {
    let dimensions = dimensions.map(|(name, value)| Dimension::builder().name(name).value(value).build());
    let metric =
        Metric::builder().namespace(NAMESPACE).metric_name(metric).set_dimensions(Some(dimensions.collect()));
    let period = i32::try_from(period.as_secs()).unwrap_or(i32::MAX);
    MetricStat::builder().metric(metric.build()).period(period).stat("Sum").build()
}

fn comparison(comparison: Comparison) -> ComparisonOperator {
    match comparison {
        Comparison::GreaterThan => ComparisonOperator::GreaterThanThreshold,
        Comparison::AtLeast => ComparisonOperator::GreaterThanOrEqualToThreshold,
    }
}

fn metric_alarm(alarm: MetricAlarm) -> Alarm {
    Alarm {
        window: window(&alarm),
        name: alarm.alarm_name.unwrap_or_default(),
        state: alarm.state_value.map(|state| state.as_str().to_owned()).unwrap_or_default(),
        reason: alarm.state_reason.unwrap_or_default(),
        since: system_time(alarm.state_transitioned_timestamp.or(alarm.state_updated_timestamp)),
    }
}

/// Of an alarm on several metrics, the longest period counts.
fn window(alarm: &MetricAlarm) -> Option<Duration> {
    let periods = alarm.metrics().iter().filter_map(|metric| metric.metric_stat()?.period());
    let period = alarm.period().or(periods.max())?;
    let points = alarm.datapoints_to_alarm().or(alarm.evaluation_periods()).unwrap_or(1);
    let seconds = u64::try_from(i64::from(period) * i64::from(points)).ok()?;
    Some(Duration::from_secs(seconds))
}

fn composite_alarm(alarm: CompositeAlarm) -> Alarm {
    Alarm {
        window: None,
        name: alarm.alarm_name.unwrap_or_default(),
        state: alarm.state_value.map(|state| state.as_str().to_owned()).unwrap_or_default(),
        reason: alarm.state_reason.unwrap_or_default(),
        since: system_time(alarm.state_transitioned_timestamp.or(alarm.state_updated_timestamp)),
    }
}

/// Adds the points of a result to the one who asked for it, as far as they are of the range that he asked for.
fn add_up(traffic: &mut [Traffic], ranges: &[Range<SystemTime>], result: &MetricDataResult) {
    let id = result.id().unwrap_or_default();
    let number = id.trim_start_matches(|c: char| !c.is_ascii_digit()).parse().unwrap_or(usize::MAX);
    let (Some(traffic), Some(range)) = (traffic.get_mut(number), ranges.get(number)) else { return };
    let points = result.timestamps().iter().zip(result.values());
    let sum: f64 = points
        .filter(|(time, _)| system_time(Some(**time)).is_some_and(|time| range.contains(&time)))
        .map(|(_, value)| value)
        .sum();
    if id.starts_with(REQUESTS) {
        traffic.requests += sum;
    } else if id.starts_with(ERRORS) {
        traffic.errors += sum;
    }
}

/// The start of the metric point that `time` is in: CloudWatch wants whole points.
fn point_before(time: SystemTime, point: Duration) -> SystemTime {
    at_point(time, point, |nanos, point| nanos / point)
}

/// The end of the metric point that `time` is in; CloudWatch leaves the end itself out.
fn point_after(time: SystemTime, point: Duration) -> SystemTime {
    at_point(time, point, u128::div_ceil)
}

fn at_point(time: SystemTime, point: Duration, count: impl Fn(u128, u128) -> u128) -> SystemTime {
    let point = point.as_nanos().max(1);
    let nanos = count(time.duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos(), point) * point;
    UNIX_EPOCH + Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(seconds)
    }

    #[test]
    fn times_are_widened_to_whole_points() {
        assert_eq!(point_before(at(125), POINT), at(120));
        assert_eq!(point_before(at(120), POINT), at(120));
        assert_eq!(point_after(at(125), POINT), at(180));
        assert_eq!(point_after(at(120), POINT), at(120));
        assert_eq!(point_before(at(125), Duration::from_secs(1)), at(125));
    }

    fn wanted(version: Option<&str>) -> Wanted {
        let version = version.map(str::to_owned);
        Wanted { function: "api".to_owned(), alias: "stable".to_owned(), version, from: at(0), to: at(60) }
    }

    #[test]
    fn traffic_of_a_version_names_function_alias_and_version() {
        let dimensions = |version| {
            let [_, errors] = traffic_queries(3, &wanted(version));
            assert_eq!(errors.id(), Some("errors3"));
            let metric = errors.metric_stat.unwrap().metric.unwrap();
            assert_eq!(metric.metric_name(), Some("Errors"));
            let pair = |d: &Dimension| format!("{}={}", d.name().unwrap(), d.value().unwrap());
            metric.dimensions().iter().map(pair).collect::<Vec<_>>()
        };
        assert_eq!(dimensions(None), ["FunctionName=api", "Resource=api:stable"]);
        assert_eq!(dimensions(Some("7")), ["FunctionName=api", "Resource=api:stable", "ExecutedVersion=7"]);
    }

    #[test]
    fn points_add_up_by_who_asked_and_outside_of_his_time_they_do_not_count() {
        let page = |id: &str, points: &[(i64, f64)]| {
            MetricDataResult::builder()
                .id(id)
                .set_timestamps(Some(points.iter().map(|(time, _)| DateTime::from_secs(*time)).collect()))
                .set_values(Some(points.iter().map(|(_, value)| *value).collect()))
                .build()
        };
        let ranges = [at(60)..at(180), at(120)..at(240)];
        let mut traffic = [Traffic::default(); 2];
        for result in [
            page("requests0", &[(0, 1.0), (60, 3.0), (120, 4.0), (180, 9.0)]),
            page("errors0", &[(60, 1.0)]),
            page("requests1", &[(60, 2.0), (180, 7.0)]),
            page("requests0", &[(120, 5.0)]),
            page("errors1", &[]),
            page("errors7", &[(120, 1.0)]),
            page("m", &[(120, 1.0)]),
        ] {
            add_up(&mut traffic, &ranges, &result);
        }
        assert_eq!(traffic[0], Traffic { requests: 12.0, errors: 1.0 });
        assert_eq!(traffic[1], Traffic { requests: 7.0, errors: 0.0 });
    }

    #[test]
    fn an_alarm_line_is_an_expression_or_a_sum() {
        let line = |source| alarm_metric(&AlarmMetric { id: "m1".to_owned(), returned: true, source });
        let sum = line(MetricSource::Sum {
            metric: "Errors".to_owned(),
            dimensions: vec![("FunctionName".to_owned(), "api".to_owned())],
            period: Duration::from_mins(2),
        });
        let stat = sum.metric_stat.unwrap();
        assert_eq!((stat.period, stat.stat.as_deref()), (Some(120), Some("Sum")));
        let expression = line(MetricSource::Expression("m1 / m2".to_owned()));
        assert_eq!((expression.expression(), expression.return_data), (Some("m1 / m2"), Some(true)));
        assert!(expression.metric_stat.is_none());
    }
}
