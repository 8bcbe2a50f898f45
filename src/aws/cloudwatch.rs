//! Alarms and metrics.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_sdk_cloudwatch::primitives::DateTime;
use aws_sdk_cloudwatch::types::{
    AlarmType, ComparisonOperator, CompositeAlarm, Dimension, Metric, MetricAlarm, MetricDataQuery,
    MetricDataResult, MetricStat, Tag,
};

use super::clients::Clients;
use super::error::{Answered, gone};
use super::time::system_time;
use crate::rollout::cloud::{Alarm, AlarmMetric, Comparison, MetricSource, NewAlarm, Traffic};

const NAMESPACE: &str = "AWS/Lambda";
/// Names that `DescribeAlarms` and `DeleteAlarms` take in one call.
const NAMES_A_CALL: usize = 100;
/// Lambda's metrics come in points of a minute.
const POINT: Duration = Duration::from_mins(1);
const REQUESTS: &str = "requests";
const ERRORS: &str = "errors";

impl Clients {
    pub(super) async fn alarms(&self, names: &[String]) -> Answered<Vec<Alarm>> {
        let mut found = Vec::new();
        for names in names.chunks(NAMES_A_CALL) {
            found
                .extend(self.describe_alarms(|request| request.set_alarm_names(Some(names.to_vec()))).await?);
        }
        Ok(found)
    }

    pub(super) async fn alarms_with_prefix(&self, prefix: &str) -> Answered<Vec<Alarm>> {
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
            .set_tags(Some(tags))
            .send();
        self.call("cloudwatch:PutMetricAlarm", request).await.map(drop)
    }

    pub(super) async fn delete_alarms(&self, names: &[String]) -> Answered<()> {
        for names in names.chunks(NAMES_A_CALL) {
            let request =
                self.cloud_watch().await.delete_alarms().set_alarm_names(Some(names.to_vec())).send();
            gone(self.call("cloudwatch:DeleteAlarms", request).await)?;
        }
        Ok(())
    }

    pub(super) async fn traffic(
        &self,
        function: &str,
        alias: &str,
        version: Option<&str>,
        from: SystemTime,
        to: SystemTime,
    ) -> Answered<Traffic> {
        let point = self.clock.scaled(POINT);
        let (from, to) = (point_before(from, point), point_after(to, point));
        let mut traffic = Traffic::default();
        if from >= to {
            return Ok(traffic);
        }
        let mut token = None;
        loop {
            let request = self
                .cloud_watch()
                .await
                .get_metric_data()
                .metric_data_queries(traffic_query(REQUESTS, "Invocations", function, alias, version))
                .metric_data_queries(traffic_query(ERRORS, "Errors", function, alias, version))
                .start_time(DateTime::from(from))
                .end_time(DateTime::from(to))
                .set_next_token(token)
                .send();
            let page = self.call("cloudwatch:GetMetricData", request).await?;
            add_up(&mut traffic, page.metric_data_results());
            token = page.next_token.filter(|token| !token.is_empty());
            if token.is_none() {
                return Ok(traffic);
            }
        }
    }

    /// All pages of the alarms that `select` asks for. Without the types, composite alarms would be left out.
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
            let page = self.call("cloudwatch:DescribeAlarms", select(request).send()).await?;
            token = page.next_token.filter(|token| !token.is_empty());
            found.extend(page.metric_alarms.unwrap_or_default().into_iter().map(metric_alarm));
            found.extend(page.composite_alarms.unwrap_or_default().into_iter().map(composite_alarm));
            if token.is_none() {
                return Ok(found);
            }
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

fn traffic_query(
    id: &str,
    metric: &str,
    function: &str,
    alias: &str,
    version: Option<&str>,
) -> MetricDataQuery {
    let resource = format!("{function}:{alias}");
    let dimensions = [("FunctionName", function), ("Resource", &resource)]
        .into_iter()
        .chain(version.map(|version| ("ExecutedVersion", version)));
    MetricDataQuery::builder().id(id).metric_stat(sum_of(metric, dimensions, POINT)).return_data(true).build()
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
        name: alarm.alarm_name.unwrap_or_default(),
        state: alarm.state_value.map(|state| state.as_str().to_owned()).unwrap_or_default(),
        reason: alarm.state_reason.unwrap_or_default(),
        since: system_time(alarm.state_transitioned_timestamp.or(alarm.state_updated_timestamp)),
    }
}

fn composite_alarm(alarm: CompositeAlarm) -> Alarm {
    Alarm {
        name: alarm.alarm_name.unwrap_or_default(),
        state: alarm.state_value.map(|state| state.as_str().to_owned()).unwrap_or_default(),
        reason: alarm.state_reason.unwrap_or_default(),
        since: system_time(alarm.state_transitioned_timestamp.or(alarm.state_updated_timestamp)),
    }
}

fn add_up(traffic: &mut Traffic, results: &[MetricDataResult]) {
    for result in results {
        let sum: f64 = result.values().iter().sum();
        match result.id() {
            Some(REQUESTS) => traffic.requests += sum,
            Some(ERRORS) => traffic.errors += sum,
            _ => {}
        }
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

    #[test]
    fn traffic_of_a_version_names_function_alias_and_version() {
        let dimensions = |version| {
            let query = traffic_query(ERRORS, "Errors", "api", "stable", version);
            let metric = query.metric_stat.unwrap().metric.unwrap();
            assert_eq!(metric.metric_name(), Some("Errors"));
            let pair = |d: &Dimension| format!("{}={}", d.name().unwrap(), d.value().unwrap());
            metric.dimensions().iter().map(pair).collect::<Vec<_>>()
        };
        assert_eq!(dimensions(None), ["FunctionName=api", "Resource=api:stable"]);
        assert_eq!(dimensions(Some("7")), ["FunctionName=api", "Resource=api:stable", "ExecutedVersion=7"]);
    }

    #[test]
    fn points_of_all_pages_add_up_by_metric() {
        let page = |id: &str, values: &[f64]| {
            MetricDataResult::builder().id(id).set_values(Some(values.to_vec())).build()
        };
        let mut traffic = Traffic::default();
        add_up(&mut traffic, &[page(REQUESTS, &[3.0, 4.0]), page(ERRORS, &[1.0])]);
        add_up(&mut traffic, &[page(REQUESTS, &[5.0]), page(ERRORS, &[])]);
        assert_eq!(traffic, Traffic { requests: 12.0, errors: 1.0 });
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
