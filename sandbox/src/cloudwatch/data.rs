//! Putting data in, and getting them out.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::input::Input;
use super::metrics::{Dimensions, Metric, Sample, Window};
use super::query::{self, Query, describe_dimensions, invalid};
use super::{CloudWatch, Region};
use crate::clock::{Clock, Timestamp};
use crate::error::ServiceError;

type Answer = Result<Value, ServiceError>;

const DATA: usize = 1000;
const PAGE: usize = 500;

pub(crate) fn put(service: &CloudWatch, region: &mut Region, input: Input<'_>) -> Answer {
    let namespace = input.required("Namespace")?;
    let now = Clock::now();
    if input.parts("MetricData").count() > DATA {
        return Err(invalid(format!("MetricData has at most {DATA} entries")));
    }
    for datum in input.parts("MetricData") {
        let metric = Metric {
            namespace: namespace.to_owned(),
            name: datum.required("MetricName")?.to_owned(),
            dimensions: query::dimensions(datum),
        };
        let unit = datum.text("Unit").unwrap_or("None");
        let at = datum.time("Timestamp").unwrap_or(now);
        for sample in samples(datum)? {
            region.metrics.add(metric.clone(), sample, unit, at, service.visible_from(now));
        }
    }
    Ok(json!({}))
}

fn samples(datum: Input<'_>) -> Result<Vec<Sample>, ServiceError> {
    if let Some(value) = datum.number("Value") {
        return Ok(vec![Sample::one(value)]);
    }
    if let Some(set) = datum.part("StatisticValues") {
        let number = |name| set.number(name).ok_or_else(|| invalid(format!("StatisticValues needs {name}")));
        let (sum, count) = (number("Sum")?, number("SampleCount")?);
        return Ok(vec![Sample { sum, count, minimum: number("Minimum")?, maximum: number("Maximum")? }]);
    }
    let (values, counts) = (datum.numbers("Values"), datum.numbers("Counts"));
    if values.is_empty() || (!counts.is_empty() && counts.len() != values.len()) {
        return Err(invalid("A datum needs Value, StatisticValues, or Values with as many Counts"));
    }
    let times = counts.into_iter().chain(std::iter::repeat(1.0));
    Ok(values.into_iter().zip(times).map(|(value, count)| Sample::times(value, count)).collect())
}

pub(crate) fn get(service: &CloudWatch, region: &Region, input: Input<'_>) -> Answer {
    let (since, until) = range(input)?;
    let queries = input.parts("MetricDataQueries").map(Query::read).collect::<Result<Vec<_>, _>>()?;
    if queries.is_empty() {
        return Err(invalid("MetricDataQueries must not be empty"));
    }
    query::check(&queries)?;
    let ascending = input.text("ScanBy") == Some("TimestampAscending");
    let longest = query::longest_period(&queries);
    let window = |period| service.window(since, until, period);
    let together = query::answer(&region.metrics, &queries, window(longest))?;
    let mut results = Vec::new();
    for asked in queries.iter().filter(|query| query.returns) {
        let (series, period) = match &asked.source {
            query::Source::Stat(stat) => {
                let series =
                    region.metrics.series(&stat.metric, stat.kind, stat.unit.as_deref(), window(stat.period));
                (series, stat.period)
            }
            query::Source::Expression { .. } => (together[&asked.id].clone(), longest),
        };
        let mut points: Vec<_> = series.into_iter().collect();
        if !ascending {
            points.reverse();
        }
        let times: Vec<_> = points.iter().map(|(number, _)| service.begin(*number, period)).collect();
        let values: Vec<_> = points.iter().map(|(_, value)| *value).collect();
        results.push(json!({
            "Id": asked.id, "Label": asked.label.as_ref().unwrap_or(&asked.id), "Timestamps": times, "Values": values,
            "StatusCode": "Complete",
        }));
    }
    Ok(json!({ "MetricDataResults": results, "Messages": [] }))
}

pub(crate) fn statistics(service: &CloudWatch, region: &Region, input: Input<'_>) -> Answer {
    let metric = query::metric(input)?;
    let (start, end) = range(input)?;
    let period = query::period(input.integer("Period").unwrap_or(60))?;
    let names = [input.texts("Statistics"), input.texts("ExtendedStatistics")].concat();
    if names.is_empty() {
        return Err(invalid("Statistics or ExtendedStatistics is required"));
    }
    let mut points: BTreeMap<i64, Value> = BTreeMap::new();
    for name in &names {
        let window = service.window(start, end, period);
        let series = region.metrics.series(&metric, query::statistic(name)?, input.text("Unit"), window);
        for (number, value) in series {
            let point = points.entry(number).or_insert_with(|| {
                json!({ "Timestamp": service.begin(number, period), "Unit": input.text("Unit").unwrap_or("None") })
            });
            if name.starts_with('p') {
                point["ExtendedStatistics"][name] = value.into();
            } else {
                point[name] = value.into();
            }
        }
    }
    Ok(json!({ "Label": metric.name, "Datapoints": points.into_values().collect::<Vec<_>>() }))
}

pub(crate) fn list(region: &Region, input: Input<'_>) -> Value {
    let fits = |metric: &&Metric| {
        input.text("Namespace").is_none_or(|namespace| namespace == metric.namespace)
            && input.text("MetricName").is_none_or(|name| name == metric.name)
            && input.parts("Dimensions").all(|filter| has_dimension(&metric.dimensions, filter))
    };
    let start = input.text("NextToken").and_then(|token| token.parse().ok()).unwrap_or(0);
    let all: Vec<_> = region.metrics.list(Clock::now()).into_iter().filter(fits).collect();
    let page: Vec<_> = all.iter().skip(start).take(PAGE).map(|metric| json!({
        "Namespace": metric.namespace, "MetricName": metric.name, "Dimensions": describe_dimensions(&metric.dimensions),
    })).collect();
    let mut answer = json!({ "Metrics": page });
    if all.len() > start + PAGE {
        answer["NextToken"] = (start + PAGE).to_string().into();
    }
    answer
}

fn has_dimension(dimensions: &Dimensions, filter: Input<'_>) -> bool {
    let found = filter.text("Name").and_then(|name| dimensions.get(name));
    found.is_some_and(|value| filter.text("Value").is_none_or(|wanted| wanted == value))
}

fn range(input: Input<'_>) -> Result<(Timestamp, Timestamp), ServiceError> {
    let time = |name| {
        let time = input.time(name);
        time.ok_or_else(|| {
            ServiceError::bad("MissingParameter", format!("The parameter {name} is required."))
        })
    };
    let (start, end) = (time("StartTime")?, time("EndTime")?);
    if start >= end {
        let message = "The parameter StartTime must be less than the parameter EndTime.";
        return Err(ServiceError::bad("InvalidParameterValue", message));
    }
    Ok((start, end))
}

impl CloudWatch {
    /// The periods of a range; the service's seconds are shortened by the clock.
    fn window(&self, start: Timestamp, end: Timestamp, period: i64) -> Window {
        Window::between(start, end, self.real_period(period), Clock::now())
    }

    /// When a period begins, to the millisecond.
    fn begin(&self, number: i64, period: i64) -> Timestamp {
        #[expect(clippy::cast_precision_loss, reason = "period numbers are far below 2^52")]
        let begin = number as f64 * self.real_period(period);
        (begin * 1000.0).round() / 1000.0
    }
}
