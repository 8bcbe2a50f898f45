//! Alarms: what they watch, and in which state they are.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::composite::{self, RuleExpression};
use super::evaluation::{Comparison, Missing, Rule, State};
use super::input::Input;
use super::metrics::Dimensions;
use super::query::{self, Query, Source, Stat, describe_dimensions, invalid};
use crate::clock::Timestamp;
use crate::error::ServiceError;

#[derive(Clone, Debug)]
pub(crate) struct Alarm {
    pub(crate) name: String,
    pub(crate) arn: String,
    pub(crate) description: Option<String>,
    pub(crate) actions_enabled: bool,
    /// The topics to tell, by the state that they want to know of.
    pub(crate) actions: BTreeMap<&'static str, Vec<String>>,
    pub(crate) kind: Kind,
    pub(crate) tags: BTreeMap<String, String>,
    pub(crate) configured: Timestamp,
    pub(crate) current: Current,
    /// Until then a state that was set by hand is left alone.
    pub(crate) held_until: Timestamp,
}

/// An alarm's state and since when.
#[derive(Clone, Debug)]
pub(crate) struct Current {
    pub(crate) state: State,
    pub(crate) reason: String,
    pub(crate) data: Option<String>,
    pub(crate) updated: Timestamp,
    pub(crate) transitioned: Timestamp,
}

#[derive(Clone, Debug)]
pub(crate) enum Kind {
    Metric(Watched),
    Composite { text: String, rule: RuleExpression },
}

/// What a metric alarm watches: one metric, or several queries of which one decides.
#[derive(Clone, Debug)]
pub(crate) struct Watched {
    pub(crate) queries: Vec<Query>,
    pub(crate) rule: Rule,
    pub(crate) comparison: String,
    pub(crate) missing: Option<String>,
    pub(crate) datapoints: Option<usize>,
    /// Whether it was given as one metric, and is shown so.
    pub(crate) single: bool,
}

pub(crate) const ACTIONS: [(&str, State); 3] = [
    ("AlarmActions", State::Alarm),
    ("OKActions", State::Ok),
    ("InsufficientDataActions", State::Insufficient),
];

impl Alarm {
    /// A new alarm knows nothing yet; one that is put again keeps its state.
    pub(crate) fn put(
        input: Input<'_>,
        arn: String,
        kind: Kind,
        known: Option<&Self>,
        now: Timestamp,
    ) -> Result<Self, ServiceError> {
        let name = input.required("AlarmName")?;
        if name.chars().count() > 255 {
            return Err(invalid("An alarm's name has at most 255 characters"));
        }
        let actions = ACTIONS.map(|(member, _)| (member, input.texts(member)));
        if actions.iter().any(|(_, list)| list.len() > 5) {
            return Err(invalid("An alarm has at most 5 actions for each state"));
        }
        let unchecked = Current {
            state: State::Insufficient,
            reason: "Unchecked: Initial alarm creation".to_owned(),
            data: None,
            updated: now,
            transitioned: now,
        };
        Ok(Self {
            name: name.to_owned(),
            arn,
            description: input.text("AlarmDescription").map(str::to_owned),
            actions_enabled: input.flag("ActionsEnabled").unwrap_or(true),
            actions: actions.into(),
            kind,
            tags: known.map_or_else(|| tags(input), |known| known.tags.clone()),
            configured: now,
            current: known.map_or(unchecked, |known| known.current.clone()),
            held_until: known.map_or(0.0, |known| known.held_until),
        })
    }

    pub(crate) fn describe(&self) -> Value {
        let mut told = json!({
            "AlarmName": self.name,
            "AlarmArn": self.arn,
            "AlarmConfigurationUpdatedTimestamp": self.configured,
            "ActionsEnabled": self.actions_enabled,
            "StateValue": self.current.state.name(),
            "StateReason": self.current.reason,
            "StateUpdatedTimestamp": self.current.updated,
            "StateTransitionedTimestamp": self.current.transitioned,
        });
        for (member, list) in &self.actions {
            told[member] = json!(list);
        }
        if let Some(description) = &self.description {
            told["AlarmDescription"] = description.as_str().into();
        }
        if let Some(data) = &self.current.data {
            told["StateReasonData"] = data.as_str().into();
        }
        match &self.kind {
            Kind::Composite { text, .. } => told["AlarmRule"] = text.as_str().into(),
            Kind::Metric(watched) => watched.describe(&mut told),
        }
        told
    }
}

pub(crate) fn tags(input: Input<'_>) -> BTreeMap<String, String> {
    let pairs =
        input.parts("Tags").filter_map(|tag| Some((tag.text("Key")?, tag.text("Value").unwrap_or_default())));
    pairs.map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
}

impl Kind {
    pub(crate) fn metric(input: Input<'_>) -> Result<Self, ServiceError> {
        let comparison = input.required("ComparisonOperator")?;
        let parsed = Comparison::parse(comparison);
        let parsed = parsed
            .ok_or_else(|| invalid(format!("The sandbox does not know the comparison {comparison}")))?;
        let single = input.has("MetricName");
        let queries = match (single, input.has("Metrics")) {
            (true, false) => vec![one_metric(input)?],
            (false, true) => input.parts("Metrics").map(Query::read).collect::<Result<_, _>>()?,
            _ => return Err(invalid("An alarm needs either MetricName or Metrics")),
        };
        query::check(&queries)?;
        if queries.len() > 10 || queries.iter().filter(|query| query.returns).count() != 1 {
            return Err(invalid("Metrics has at most 10 entries, and exactly one with ReturnData"));
        }
        let (periods, datapoints) = counts(input)?;
        let missing = input.text("TreatMissingData");
        let treated = Missing::parse(missing.unwrap_or("missing"));
        let treated = treated
            .ok_or_else(|| invalid("TreatMissingData is breaching, notBreaching, ignore or missing"))?;
        let threshold = input.number("Threshold").ok_or_else(|| invalid("Threshold is required"))?;
        Ok(Self::Metric(Watched {
            queries,
            rule: Rule {
                comparison: parsed,
                threshold,
                periods,
                datapoints: datapoints.unwrap_or(periods),
                missing: treated,
            },
            comparison: comparison.to_owned(),
            missing: missing.map(str::to_owned),
            datapoints,
            single,
        }))
    }

    pub(crate) fn composite(input: Input<'_>) -> Result<Self, ServiceError> {
        let text = input.required("AlarmRule")?;
        let rule =
            composite::parse(text).map_err(|error| invalid(format!("AlarmRule must be valid: {error}")))?;
        Ok(Self::Composite { text: text.to_owned(), rule })
    }
}

fn counts(input: Input<'_>) -> Result<(usize, Option<usize>), ServiceError> {
    let positive = |name: &str| {
        let number = input.integer(name).map(usize::try_from);
        match number {
            None => Ok(None),
            Some(Ok(number)) if number > 0 => Ok(Some(number)),
            Some(_) => Err(invalid(format!("{name} has to be at least 1"))),
        }
    };
    let periods = positive("EvaluationPeriods")?.ok_or_else(|| invalid("EvaluationPeriods is required"))?;
    let datapoints = positive("DatapointsToAlarm")?;
    if datapoints.is_some_and(|datapoints| datapoints > periods) {
        return Err(invalid("DatapointsToAlarm must not be more than EvaluationPeriods"));
    }
    Ok((periods, datapoints))
}

fn one_metric(input: Input<'_>) -> Result<Query, ServiceError> {
    let (simple, extended) = (input.text("Statistic"), input.text("ExtendedStatistic"));
    let text = simple.xor(extended);
    let text = text.ok_or_else(|| invalid("An alarm needs either Statistic or ExtendedStatistic"))?;
    let stat = Stat {
        metric: query::metric(input)?,
        statistic: text.to_owned(),
        kind: query::statistic(text)?,
        period: query::period(input.integer("Period").ok_or_else(|| invalid("Period is required"))?)?,
        unit: input.text("Unit").map(str::to_owned),
    };
    Ok(Query { id: "m1".to_owned(), label: None, returns: true, source: Source::Stat(stat) })
}

impl Watched {
    /// The period in which the alarm is evaluated.
    pub(crate) fn period(&self) -> i64 {
        query::longest_period(&self.queries)
    }

    pub(crate) fn deciding(&self) -> Option<&Query> {
        self.queries.iter().find(|query| query.returns)
    }

    fn describe(&self, told: &mut Value) {
        told["EvaluationPeriods"] = self.rule.periods.into();
        told["Threshold"] = self.rule.threshold.into();
        told["ComparisonOperator"] = self.comparison.as_str().into();
        if let Some(datapoints) = self.datapoints {
            told["DatapointsToAlarm"] = datapoints.into();
        }
        if let Some(missing) = &self.missing {
            told["TreatMissingData"] = missing.as_str().into();
        }
        match self.queries.first().map(|query| &query.source) {
            Some(Source::Stat(stat)) if self.single => single(told, stat),
            _ => {
                told["Dimensions"] = json!(describe_dimensions(&Dimensions::new()));
                told["Metrics"] = self.queries.iter().map(Query::describe).collect();
            }
        }
    }
}

fn single(told: &mut Value, stat: &Stat) {
    told["Namespace"] = stat.metric.namespace.as_str().into();
    told["MetricName"] = stat.metric.name.as_str().into();
    told["Dimensions"] = json!(describe_dimensions(&stat.metric.dimensions));
    told["Period"] = stat.period.into();
    let percentile = stat.statistic.starts_with('p');
    told[if percentile { "ExtendedStatistic" } else { "Statistic" }] = stat.statistic.as_str().into();
    if let Some(unit) = &stat.unit {
        told["Unit"] = unit.as_str().into();
    }
}
