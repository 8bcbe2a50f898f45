//! Between Pulumi's property values and JSON.

use lambda_rollout::pulumi::{PropertyMap, PropertyValue};
use serde_json::{Map, Number, Value};

/// Properties as JSON. A resource that is given where its id belongs is its id; files are left out.
pub(crate) fn json_object(properties: &PropertyMap) -> Value {
    Value::Object(properties.iter().map(|(key, value)| (key.clone(), json(value))).collect::<Map<_, _>>())
}

fn json(value: &PropertyValue) -> Value {
    match value.reveal() {
        PropertyValue::Bool(value) => Value::Bool(*value),
        PropertyValue::Number(value) => number(*value),
        PropertyValue::String(text) => Value::String(text.clone()),
        PropertyValue::Array(items) => Value::Array(items.iter().map(json).collect()),
        PropertyValue::Object(members) => json_object(members),
        PropertyValue::Resource(reference) => reference.id.clone().known().map_or(Value::Null, Value::String),
        _ => Value::Null,
    }
}

// Whole numbers are written as such: many of AWS's services refuse `60.0`.
#[expect(clippy::cast_possible_truncation)]
fn number(value: f64) -> Value {
    if value.fract() == 0.0 && value.abs() < 1e15 {
        return Value::Number(Number::from(value as i64));
    }
    Number::from_f64(value).map_or(Value::Null, Value::Number)
}

pub(crate) fn property(value: &Value) -> PropertyValue {
    match value {
        Value::Null => PropertyValue::Null,
        Value::Bool(value) => PropertyValue::Bool(*value),
        Value::Number(value) => PropertyValue::Number(value.as_f64().unwrap_or_default()),
        Value::String(text) => PropertyValue::String(text.clone()),
        Value::Array(items) => items.iter().map(property).collect(),
        Value::Object(members) => {
            PropertyValue::Object(members.iter().map(|(key, value)| (key.clone(), property(value))).collect())
        }
    }
}

/// The same object without members that are null, at any depth.
pub(crate) fn without_nulls(value: Value) -> Value {
    let Value::Object(members) = value else { return value };
    let kept = members.into_iter().filter(|(_, value)| !value.is_null());
    Value::Object(kept.map(|(key, value)| (key, without_nulls(value))).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use lambda_rollout::pulumi::{Input, ResourceReference, properties};
    use serde_json::json;

    #[test]
    fn properties_become_json() {
        let topic =
            ResourceReference { id: Input::Known("arn:t".to_owned()), ..ResourceReference::default() };
        let map = properties([
            ("whole", 60.into()),
            ("half", 0.5.into()),
            ("secret", PropertyValue::secret("s")),
            ("list", vec!["a"].into()),
            ("topic", PropertyValue::from(topic)),
            ("unknown", PropertyValue::Unknown),
        ]);
        let expected = json!({
            "whole": 60, "half": 0.5, "secret": "s", "list": ["a"], "topic": "arn:t", "unknown": null,
        });
        assert_eq!(json_object(&map), expected);
    }

    #[test]
    fn an_answer_becomes_properties() {
        let expected = properties([("n", 1.into()), ("list", vec!["a"].into())]);
        assert_eq!(property(&json!({ "n": 1, "list": ["a"] })), PropertyValue::Object(expected));
    }
}
