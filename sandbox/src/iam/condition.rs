//! The conditions of a policy's statement, against the keys that are known of a request.

use std::collections::BTreeMap;
use std::net::IpAddr;

use serde_json::Value;

use super::policy::like;
use crate::timestamp;

/// What is known of a request: a key and its values.
#[derive(Clone, Debug, Default)]
pub(crate) struct Context {
    keys: BTreeMap<String, Vec<String>>,
}

impl Context {
    pub(crate) fn set(&mut self, key: &str, values: Vec<String>) {
        self.keys.insert(key.to_ascii_lowercase(), values);
    }

    fn get(&self, key: &str) -> Option<&[String]> {
        self.keys.get(&key.to_ascii_lowercase()).map(Vec::as_slice)
    }
}

/// How a statement's conditions turned out.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Verdict {
    pub(super) holds: bool,
    /// The keys that would have to be known to say for certain.
    pub(super) missing: Vec<String>,
}

/// Whether all conditions of a statement hold.
pub(super) fn check(conditions: &Value, context: &Context) -> Verdict {
    let mut verdict = Verdict { holds: true, missing: Vec::new() };
    for (operator, keys) in conditions.as_object().into_iter().flatten() {
        let operator = Operator::parse(operator);
        for (key, wanted) in keys.as_object().into_iter().flatten() {
            let actual = context.get(key);
            if actual.is_none() && operator.name != "Null" {
                verdict.missing.push(key.clone());
            }
            verdict.holds &= operator.holds(&texts(wanted), actual);
        }
    }
    verdict
}

/// An operator without the words around its name.
struct Operator<'a> {
    name: &'a str,
    negated: bool,
    if_exists: bool,
    all_values: bool,
}

impl<'a> Operator<'a> {
    fn parse(text: &'a str) -> Self {
        let (set, text) = text.split_once(':').unwrap_or(("", text));
        let (name, if_exists) = text.strip_suffix("IfExists").map_or((text, false), |name| (name, true));
        Self { name, negated: name.contains("Not"), if_exists, all_values: set == "ForAllValues" }
    }

    fn holds(&self, wanted: &[String], actual: Option<&[String]>) -> bool {
        if self.name == "Null" {
            return wanted.iter().any(|wanted| (wanted == "true") == actual.is_none());
        }
        let Some(actual) = actual else { return self.if_exists || self.negated || self.all_values };
        let fits =
            |actual: &String| wanted.iter().any(|wanted| compare(self.name, wanted, actual)) != self.negated;
        if self.all_values { actual.iter().all(fits) } else { actual.iter().any(fits) }
    }
}

/// The comparison behind an operator, its negation left out. An operator that is not known never holds.
fn compare(operator: &str, wanted: &str, actual: &str) -> bool {
    match operator {
        "StringEquals" | "StringNotEquals" => wanted == actual,
        "StringEqualsIgnoreCase" | "StringNotEqualsIgnoreCase" | "Bool" => {
            wanted.eq_ignore_ascii_case(actual)
        }
        "StringLike" | "StringNotLike" | "ArnEquals" | "ArnLike" | "ArnNotEquals" | "ArnNotLike" => {
            like(wanted, actual)
        }
        "IpAddress" | "NotIpAddress" => in_network(wanted, actual),
        _ => match (operator.strip_prefix("Numeric"), operator.strip_prefix("Date")) {
            (Some(order), _) => ordered(order, wanted.parse().ok(), actual.parse().ok()),
            (_, Some(order)) => ordered(order, moment(wanted), moment(actual)),
            _ => false,
        },
    }
}

fn ordered(order: &str, wanted: Option<f64>, actual: Option<f64>) -> bool {
    let (Some(wanted), Some(actual)) = (wanted, actual) else { return false };
    match order {
        "Equals" | "NotEquals" => actual.total_cmp(&wanted).is_eq(),
        "LessThan" => actual < wanted,
        "LessThanEquals" => actual <= wanted,
        "GreaterThan" => actual > wanted,
        "GreaterThanEquals" => actual >= wanted,
        _ => false,
    }
}

/// A date as policies write it, or a number of seconds since 1970.
fn moment(text: &str) -> Option<f64> {
    text.parse().ok().or_else(|| timestamp::parse_iso(text))
}

fn in_network(network: &str, address: &str) -> bool {
    let (base, length) =
        network.split_once('/').map_or((network, None), |(base, length)| (base, Some(length)));
    let (Ok(base), Ok(address)) = (base.parse::<IpAddr>(), address.parse::<IpAddr>()) else { return false };
    if base.is_ipv4() != address.is_ipv4() {
        return false;
    }
    let (width, base, address) = match (base, address) {
        (IpAddr::V4(base), IpAddr::V4(address)) => {
            (32, u128::from(base.to_bits()), u128::from(address.to_bits()))
        }
        (base, address) => (128, bits(base), bits(address)),
    };
    let length = length.map_or(Some(width), |length| length.parse().ok()).filter(|length| *length <= width);
    let Some(length) = length else { return false };
    // A shift by the whole width is a network of everything.
    base.checked_shr(width - length).unwrap_or(0) == address.checked_shr(width - length).unwrap_or(0)
}

fn bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => address.to_bits().into(),
        IpAddr::V6(address) => address.to_bits(),
    }
}

/// The values of a condition as text: policies write numbers and booleans with and without quotes.
fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => vec![text.clone()],
        Value::Array(list) => list.iter().flat_map(texts).collect(),
        Value::Null | Value::Object(_) => Vec::new(),
        other => vec![other.to_string()],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn context() -> Context {
        let mut context = Context::default();
        for (key, values) in [
            ("aws:RequestedRegion", vec!["eu-west-1"]),
            ("aws:TagKeys", vec!["a", "b"]),
            ("n", vec!["5"]),
            ("ip", vec!["10.1.2.3"]),
            ("ip6", vec!["2001:db8::1"]),
            ("now", vec!["2026-11-23T10:00:00Z"]),
            ("secure", vec!["true"]),
        ] {
            context.set(key, values.into_iter().map(str::to_owned).collect());
        }
        context
    }

    #[test]
    fn operators() {
        for (condition, holds) in [
            (json!({}), true),
            (json!({ "StringEquals": { "AWS:requestedregion": ["us-east-1", "eu-west-1"] } }), true),
            (json!({ "StringNotEquals": { "aws:RequestedRegion": ["us-east-1", "eu-west-1"] } }), false),
            (json!({ "StringLike": { "aws:RequestedRegion": "eu-*" } }), true),
            (json!({ "StringEqualsIgnoreCase": { "aws:RequestedRegion": "EU-WEST-1" } }), true),
            (json!({ "ForAllValues:StringEquals": { "aws:TagKeys": ["a"] } }), false),
            (json!({ "ForAnyValue:StringEquals": { "aws:TagKeys": ["a"] } }), true),
            (json!({ "NumericLessThan": { "n": "6" }, "NumericGreaterThanEquals": { "n": 5 } }), true),
            (json!({ "NumericEquals": { "n": "x" } }), false),
            (json!({ "DateGreaterThan": { "now": "2026-01-01T00:00:00Z" } }), true),
            (json!({ "IpAddress": { "ip": ["10.0.0.0/8"] } }), true),
            (json!({ "NotIpAddress": { "ip": "10.1.2.3" } }), false),
            (json!({ "IpAddress": { "ip": "10.0.0.0/99" } }), false),
            (json!({ "IpAddress": { "ip6": "2001:db8::/32", "ip": "0.0.0.0/0" } }), true),
            (json!({ "IpAddress": { "ip6": "10.0.0.0/8" } }), false),
            (json!({ "Bool": { "secure": true } }), true),
            (json!({ "Null": { "gone": "true", "n": "false" } }), true),
            (json!({ "Sideways": { "n": "5" } }), false),
        ] {
            assert_eq!(check(&condition, &context()).holds, holds, "{condition}");
        }
    }

    #[test]
    fn what_is_not_known_is_named() {
        for (condition, holds) in [
            (json!({ "StringEquals": { "gone": "x" } }), false),
            (json!({ "StringNotEquals": { "gone": "x" } }), true),
            (json!({ "StringEqualsIfExists": { "gone": "x" } }), true),
            (json!({ "ForAllValues:StringEquals": { "gone": "x" } }), true),
        ] {
            let expected = Verdict { holds, missing: vec!["gone".to_owned()] };
            assert_eq!(check(&condition, &context()), expected, "{condition}");
        }
    }
}
