//! Metric queries: a metric's statistic, or an expression over other queries.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::input::Input;
use super::math::{self, Expression, Inputs};
use super::metrics::{Dimensions, Metric, Metrics, Series, Statistic, Window};
use crate::error::ServiceError;

/// One query of several.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Query {
    pub(crate) id: String,
    pub(crate) label: Option<String>,
    pub(crate) returns: bool,
    pub(crate) source: Source,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Source {
    Stat(Stat),
    Expression { text: String, parsed: Expression, period: Option<i64> },
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Stat {
    pub(crate) metric: Metric,
    pub(crate) statistic: String,
    pub(crate) kind: Statistic,
    pub(crate) period: i64,
    pub(crate) unit: Option<String>,
}

pub(crate) fn invalid(message: impl Into<String>) -> ServiceError {
    ServiceError::bad("ValidationError", message)
}

pub(crate) fn dimensions(input: Input<'_>) -> Dimensions {
    let pairs = input.parts("Dimensions").filter_map(|pair| Some((pair.text("Name")?, pair.text("Value")?)));
    pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

pub(crate) fn metric(input: Input<'_>) -> Result<Metric, ServiceError> {
    Ok(Metric {
        namespace: input.required("Namespace")?.to_owned(),
        name: input.required("MetricName")?.to_owned(),
        dimensions: dimensions(input),
    })
}

/// A period as CloudWatch allows it.
pub(crate) fn period(seconds: i64) -> Result<i64, ServiceError> {
    if [1, 5, 10, 20, 30].contains(&seconds) || (seconds > 0 && seconds % 60 == 0) {
        return Ok(seconds);
    }
    Err(invalid(format!("Period must be 10, 20, 30 or a multiple of 60, and {seconds} is not")))
}

pub(crate) fn statistic(text: &str) -> Result<Statistic, ServiceError> {
    Statistic::parse(text).ok_or_else(|| invalid(format!("{text} is not a statistic that the sandbox knows")))
}

impl Query {
    pub(crate) fn read(input: Input<'_>) -> Result<Self, ServiceError> {
        let id = input.required("Id")?;
        let valid = id.starts_with(|first: char| first.is_ascii_lowercase())
            && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        if !valid {
            return Err(invalid(format!(
                "The id {id} has to begin with a small letter, and have letters, digits and _"
            )));
        }
        let source = match (input.part("MetricStat"), input.text("Expression")) {
            (Some(stat), None) => Source::Stat(Stat::read(stat)?),
            (None, Some(text)) => {
                let parsed = math::parse(text)
                    .map_err(|error| invalid(format!("Error in expression {id}: {error}")))?;
                let given = input.integer("Period").map(period).transpose()?;
                Source::Expression { text: text.to_owned(), parsed, period: given }
            }
            _ => return Err(invalid(format!("The query {id} needs either MetricStat or Expression"))),
        };
        let label = input.text("Label").map(str::to_owned);
        Ok(Self { id: id.to_owned(), label, returns: input.flag("ReturnData").unwrap_or(true), source })
    }

    pub(crate) fn describe(&self) -> Value {
        let mut told = json!({ "Id": self.id, "ReturnData": self.returns });
        if let Some(label) = &self.label {
            told["Label"] = label.as_str().into();
        }
        match &self.source {
            Source::Stat(stat) => told["MetricStat"] = stat.describe(),
            Source::Expression { text, period, .. } => {
                told["Expression"] = text.as_str().into();
                if let Some(period) = period {
                    told["Period"] = (*period).into();
                }
            }
        }
        told
    }
}

impl Stat {
    fn read(input: Input<'_>) -> Result<Self, ServiceError> {
        let part = input.part("Metric").ok_or_else(|| invalid("MetricStat needs a Metric"))?;
        let text = input.required("Stat")?;
        Ok(Self {
            metric: metric(part)?,
            statistic: text.to_owned(),
            kind: statistic(text)?,
            period: period(input.integer("Period").unwrap_or(60))?,
            unit: input.text("Unit").map(str::to_owned),
        })
    }

    fn describe(&self) -> Value {
        let mut told = json!({
            "Metric": {
                "Namespace": self.metric.namespace,
                "MetricName": self.metric.name,
                "Dimensions": describe_dimensions(&self.metric.dimensions),
            },
            "Period": self.period,
            "Stat": self.statistic,
        });
        if let Some(unit) = &self.unit {
            told["Unit"] = unit.as_str().into();
        }
        told
    }
}

pub(crate) fn describe_dimensions(dimensions: &Dimensions) -> Vec<Value> {
    dimensions.iter().map(|(name, value)| json!({ "Name": name, "Value": value })).collect()
}

/// The queries have ids of their own, and expressions use only what is there.
pub(crate) fn check(queries: &[Query]) -> Result<(), ServiceError> {
    let window = Window { first: 0, last: 0, period: 1.0, now: 0.0 };
    let ids: std::collections::BTreeSet<_> = queries.iter().map(|query| &query.id).collect();
    if ids.len() != queries.len() {
        return Err(invalid("Two queries have the same id"));
    }
    answer(&Metrics::default(), queries, window).map(|_| ())
}

/// The longest period among the queries: the one in which expressions are calculated.
pub(crate) fn longest_period(queries: &[Query]) -> i64 {
    let periods = queries.iter().map(|query| match &query.source {
        Source::Stat(stat) => stat.period,
        Source::Expression { period, .. } => period.unwrap_or(0),
    });
    periods.max().filter(|period| *period > 0).unwrap_or(60)
}

/// The values of every query. Expressions may use one another in any order.
pub(crate) fn answer(
    metrics: &Metrics,
    queries: &[Query],
    window: Window,
) -> Result<BTreeMap<String, Series>, ServiceError> {
    let mut known = BTreeMap::new();
    let mut ids = Vec::new();
    for query in queries {
        if let Source::Stat(stat) = &query.source {
            known.insert(
                query.id.clone(),
                metrics.series(&stat.metric, stat.kind, stat.unit.as_deref(), window),
            );
            ids.push(query.id.clone());
        }
    }
    let mut left: Vec<_> = queries.iter().filter(|query| !known.contains_key(&query.id)).collect();
    while !left.is_empty() {
        let before = left.len();
        let mut problem = None;
        left.retain(|query| {
            let Source::Expression { parsed, .. } = &query.source else { return false };
            let inputs = Inputs { series: &known, metrics: &ids, first: window.first, last: window.last };
            match math::evaluate(parsed, &inputs) {
                Ok(series) => {
                    known.insert(query.id.clone(), series);
                    false
                }
                Err(error) => {
                    problem = Some(invalid(format!("Error in expression {}: {error}", query.id)));
                    true
                }
            }
        });
        if let Some(problem) = problem.filter(|_| left.len() == before) {
            return Err(problem);
        }
    }
    Ok(known)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(value: &Value) -> Result<Query, ServiceError> {
        Query::read(Input(value))
    }

    #[test]
    fn expressions_may_come_before_what_they_use() {
        let queries = [
            json!({ "Id": "rate", "Expression": "twice / 2" }),
            json!({ "Id": "twice", "Expression": "m * 2" }),
            json!({ "Id": "m", "ReturnData": false, "MetricStat": { "Period": 60, "Stat": "Sum",
                "Metric": { "Namespace": "n", "MetricName": "m" } } }),
        ]
        .map(|query| read(&query).unwrap());
        assert_eq!(check(&queries), Ok(()));
        assert_eq!(longest_period(&queries), 60);
        assert_eq!(check(&queries[..2]).unwrap_err().code, "ValidationError");
    }

    #[test]
    fn bad_queries() {
        for query in [
            json!({ "Expression": "1" }),
            json!({ "Id": "Big", "Expression": "1" }),
            json!({ "Id": "a" }),
            json!({ "Id": "a", "Expression": "1 +" }),
            json!({ "Id": "a", "MetricStat": { "Period": 7, "Stat": "Sum", "Metric": { "Namespace": "n", "MetricName": "m" } } }),
            json!({ "Id": "a", "MetricStat": { "Period": 60, "Stat": "Best", "Metric": { "Namespace": "n", "MetricName": "m" } } }),
        ] {
            assert!(read(&query).is_err(), "{query}");
        }
    }
}
