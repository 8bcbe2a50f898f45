//! What an expression comes to.

use std::collections::BTreeMap;

use super::parse::{Expression, Operator};
use crate::cloudwatch::metrics::Series;

/// What there is to calculate with: the queries that are known, and the periods that are asked about.
#[derive(Clone, Debug)]
pub(crate) struct Inputs<'a> {
    pub(crate) series: &'a BTreeMap<String, Series>,
    /// The ids of those that are metrics, for `METRICS()`.
    pub(crate) metrics: &'a [String],
    pub(crate) first: i64,
    pub(crate) last: i64,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum MathError {
    #[error("no query has the id {0}")]
    Unknown(String),
    #[error("the sandbox has no function {0} for metric math")]
    Function(String),
    #[error("{0} is used with the wrong arguments")]
    Arguments(String),
}

#[derive(Clone, Debug, PartialEq)]
enum Value {
    Scalar(f64),
    Series(Series),
    List(Vec<Series>),
}

/// The value of an expression as a series; one number holds for every period.
pub(crate) fn evaluate(expression: &Expression, inputs: &Inputs<'_>) -> Result<Series, MathError> {
    match value(expression, inputs)? {
        Value::Scalar(number) => Ok(inputs.constant(number)),
        Value::Series(series) => Ok(series),
        Value::List(_) => Err(MathError::Arguments("a list".to_owned())),
    }
}

impl Inputs<'_> {
    fn constant(&self, number: f64) -> Series {
        (self.first..=self.last).map(|period| (period, number)).collect()
    }
}

fn value(expression: &Expression, inputs: &Inputs<'_>) -> Result<Value, MathError> {
    match expression {
        Expression::Number(number) => Ok(Value::Scalar(*number)),
        Expression::Name(name) => {
            let series = inputs.series.get(name).ok_or_else(|| MathError::Unknown(name.clone()))?;
            Ok(Value::Series(series.clone()))
        }
        Expression::Negative(inner) => map(value(inner, inputs)?, |number| -number),
        Expression::Binary(operator, left, right) => {
            combine(value(left, inputs)?, value(right, inputs)?, |a, b| apply(*operator, a, b))
        }
        Expression::List(items) => list(items, inputs).map(Value::List),
        Expression::Call(name, arguments) => call(name, arguments, inputs),
    }
}

fn apply(operator: Operator, a: f64, b: f64) -> f64 {
    let truth = |truth: bool| f64::from(u8::from(truth));
    let is = |number: f64| number != 0.0;
    match operator {
        Operator::Or => truth(is(a) || is(b)),
        Operator::And => truth(is(a) && is(b)),
        Operator::Less => truth(a < b),
        Operator::LessOrEqual => truth(a <= b),
        Operator::Greater => truth(a > b),
        Operator::GreaterOrEqual => truth(a >= b),
        Operator::Equal => truth((a - b).abs() < f64::EPSILON),
        Operator::NotEqual => truth((a - b).abs() >= f64::EPSILON),
        Operator::Add => a + b,
        Operator::Subtract => a - b,
        Operator::Multiply => a * b,
        Operator::Divide => a / b,
        Operator::Power => a.powf(b),
    }
}

/// Two series meet only in the periods in which both have a value; what is not a number is no value.
fn combine(left: Value, right: Value, operation: impl Fn(f64, f64) -> f64) -> Result<Value, MathError> {
    match (left, right) {
        (Value::Scalar(a), Value::Scalar(b)) => Ok(Value::Scalar(operation(a, b))),
        (Value::Series(a), Value::Scalar(b)) => {
            Ok(finite(a.into_iter().map(|(period, a)| (period, operation(a, b)))))
        }
        (Value::Scalar(a), Value::Series(b)) => {
            Ok(finite(b.into_iter().map(|(period, b)| (period, operation(a, b)))))
        }
        (Value::Series(a), Value::Series(b)) => {
            let both = a.into_iter().filter_map(|(period, a)| Some((period, operation(a, *b.get(&period)?))));
            Ok(finite(both))
        }
        _ => Err(MathError::Arguments("an operator".to_owned())),
    }
}

fn finite(points: impl Iterator<Item = (i64, f64)>) -> Value {
    Value::Series(points.filter(|(_, value)| value.is_finite()).collect())
}

fn map(value: Value, operation: impl Fn(f64) -> f64) -> Result<Value, MathError> {
    combine(value, Value::Scalar(0.0), |a, _| operation(a))
}

const KNOWN: [&str; 12] =
    ["METRICS", "IF", "FILL", "NOT", "ABS", "CEIL", "FLOOR", "TIME_SERIES", "SUM", "MIN", "MAX", "AVG"];

fn call(name: &str, arguments: &[Expression], inputs: &Inputs<'_>) -> Result<Value, MathError> {
    let wrong = || MathError::Arguments(name.to_owned());
    match (name, arguments) {
        ("METRICS", []) => {
            Ok(Value::List(inputs.metrics.iter().filter_map(|id| inputs.series.get(id).cloned()).collect()))
        }
        ("IF", [condition, then, otherwise]) => {
            let [condition, then, otherwise] = [condition, then, otherwise].map(|part| value(part, inputs));
            choose(condition?, &then?, Some(&otherwise?)).ok_or_else(wrong)
        }
        ("IF", [condition, then]) => {
            choose(value(condition, inputs)?, &value(then, inputs)?, None).ok_or_else(wrong)
        }
        ("FILL", [series, with]) => fill(value(series, inputs)?, with, inputs),
        ("NOT", [inner]) => map(value(inner, inputs)?, |number| f64::from(u8::from(number == 0.0))),
        ("ABS", [inner]) => map(value(inner, inputs)?, f64::abs),
        ("CEIL", [inner]) => map(value(inner, inputs)?, f64::ceil),
        ("FLOOR", [inner]) => map(value(inner, inputs)?, f64::floor),
        ("TIME_SERIES", [inner]) => evaluate(inner, inputs).map(Value::Series),
        ("SUM" | "MIN" | "MAX" | "AVG", [inner]) => aggregate(name, value(inner, inputs)?).ok_or_else(wrong),
        _ if KNOWN.contains(&name) => Err(wrong()),
        _ => Err(MathError::Function(name.to_owned())),
    }
}

fn list(items: &[Expression], inputs: &Inputs<'_>) -> Result<Vec<Series>, MathError> {
    let mut all = Vec::new();
    for item in items {
        match value(item, inputs)? {
            Value::List(inner) => all.extend(inner),
            Value::Series(series) => all.push(series),
            Value::Scalar(number) => all.push(inputs.constant(number)),
        }
    }
    Ok(all)
}

fn choose(condition: Value, then: &Value, otherwise: Option<&Value>) -> Option<Value> {
    let at = |value: &Value, period: i64| match value {
        Value::Scalar(number) => Some(*number),
        Value::Series(series) => series.get(&period).copied(),
        Value::List(_) => None,
    };
    match condition {
        Value::Scalar(truth) if truth != 0.0 => Some(then.clone()),
        Value::Scalar(_) => Some(otherwise.cloned().unwrap_or_else(|| Value::Series(Series::new()))),
        Value::Series(series) => Some(finite(series.into_iter().filter_map(|(period, truth)| {
            let chosen = if truth == 0.0 { otherwise } else { Some(then) };
            Some((period, at(chosen?, period)?))
        }))),
        Value::List(_) => None,
    }
}

/// Gives every period a value: a number, the last value, or that of another series.
fn fill(series: Value, with: &Expression, inputs: &Inputs<'_>) -> Result<Value, MathError> {
    let Value::Series(series) = series else { return Err(MathError::Arguments("FILL".to_owned())) };
    let repeat = matches!(with, Expression::Name(name) if name.eq_ignore_ascii_case("REPEAT"));
    let filler = if repeat { Value::Scalar(0.0) } else { value(with, inputs)? };
    let mut last = None;
    let points = (inputs.first..=inputs.last).filter_map(|period| {
        let other = match &filler {
            _ if repeat => last,
            Value::Scalar(number) => Some(*number),
            Value::Series(other) => other.get(&period).copied(),
            Value::List(_) => None,
        };
        let value = series.get(&period).copied().or(other)?;
        last = Some(value);
        Some((period, value))
    });
    Ok(Value::Series(points.collect()))
}

/// Over a list, a value for each period; over one series, a single number.
fn aggregate(name: &str, value: Value) -> Option<Value> {
    let fold = |numbers: &[f64]| -> f64 {
        match name {
            "SUM" => numbers.iter().sum(),
            "MIN" => numbers.iter().copied().fold(f64::INFINITY, f64::min),
            "MAX" => numbers.iter().copied().fold(f64::NEG_INFINITY, f64::max),
            #[expect(clippy::cast_precision_loss, reason = "lists are short")]
            _ => numbers.iter().sum::<f64>() / numbers.len() as f64,
        }
    };
    match value {
        Value::Series(series) if series.is_empty() => Some(Value::Series(series)),
        Value::Series(series) => Some(Value::Scalar(fold(&series.into_values().collect::<Vec<_>>()))),
        Value::List(all) => {
            let mut periods: BTreeMap<i64, Vec<f64>> = BTreeMap::new();
            for (period, value) in all.into_iter().flatten() {
                periods.entry(period).or_default().push(value);
            }
            Some(Value::Series(periods.into_iter().map(|(period, values)| (period, fold(&values))).collect()))
        }
        Value::Scalar(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::parse::parse;
    use super::*;

    fn ask(text: &str) -> Result<Vec<(i64, f64)>, MathError> {
        let series: BTreeMap<String, Series> = [
            ("errors".to_owned(), Series::from([(2, 3.0)])),
            ("requests".to_owned(), Series::from([(1, 10.0), (2, 30.0), (3, 0.0)])),
            ("old".to_owned(), Series::from([(1, 1.0), (2, 2.0)])),
        ]
        .into();
        let metrics = ["errors".to_owned(), "requests".to_owned()];
        let inputs = Inputs { series: &series, metrics: &metrics, first: 1, last: 3 };
        evaluate(&parse(text).unwrap(), &inputs).map(|series| series.into_iter().collect())
    }

    #[test]
    fn expressions() {
        for (text, expected) in [
            ("errors", vec![(2, 3.0)]),
            ("errors/requests*100", vec![(2, 10.0)]),
            ("FILL(errors,0)/requests", vec![(1, 0.0), (2, 0.1)]),
            ("FILL(errors, 0)", vec![(1, 0.0), (2, 3.0), (3, 0.0)]),
            ("FILL(old, REPEAT)", vec![(1, 1.0), (2, 2.0), (3, 2.0)]),
            ("FILL(errors, requests)", vec![(1, 10.0), (2, 3.0), (3, 0.0)]),
            ("IF(requests > 5, 100, -1)", vec![(1, 100.0), (2, 100.0), (3, -1.0)]),
            ("IF(requests > 5, errors, old)", vec![(2, 3.0)]),
            ("requests > 5 AND old >= 2", vec![(1, 0.0), (2, 1.0)]),
            ("old == 2 OR old != 1", vec![(1, 0.0), (2, 1.0)]),
            ("SUM([errors, old])", vec![(1, 1.0), (2, 5.0)]),
            ("MAX([requests, 5])", vec![(1, 10.0), (2, 30.0), (3, 5.0)]),
            ("SUM(METRICS())", vec![(1, 10.0), (2, 33.0), (3, 0.0)]),
            ("requests - MIN(requests)", vec![(1, 10.0), (2, 30.0), (3, 0.0)]),
            ("2 ^ 3 - -1", vec![(1, 9.0), (2, 9.0), (3, 9.0)]),
            ("NOT(old > 1)", vec![(1, 1.0), (2, 0.0)]),
        ] {
            assert_eq!(ask(text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn mistakes() {
        for (text, error) in [
            ("nothing + 1", MathError::Unknown("nothing".into())),
            ("SEARCH(1)", MathError::Function("SEARCH".into())),
            ("IF(old)", MathError::Arguments("IF".into())),
            ("[old] + 1", MathError::Arguments("an operator".into())),
        ] {
            assert_eq!(ask(text), Err(error), "{text}");
        }
    }
}
