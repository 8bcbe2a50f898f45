//! A declared property on its way to a typed value, and how a failure speaks of it.

use std::borrow::Cow;

use super::super::{
    input::Input,
    value::{PropertyMap, PropertyValue},
};
use super::place::Place;

/// Longer texts are cut in a failure.
const SHOWN: usize = 60;

/// Above this, whole numbers have gaps in a double.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// A property that was declared and is known.
#[derive(Debug)]
pub(super) struct Found<'a> {
    /// Without the secret or output around it.
    pub(super) value: Cow<'a, PropertyValue>,
    pub(super) place: Place<'a>,
    /// Whether it or something around it is secret.
    pub(super) secret: bool,
}

impl<'a> Found<'a> {
    pub(super) fn new(place: Place<'a>, value: &'a PropertyValue, secret: bool) -> Input<Self> {
        match value.reveal() {
            PropertyValue::Null => Input::Absent,
            PropertyValue::Unknown => Input::Unknown,
            inner => {
                let secret = secret || value.is_secret();
                Input::Known(Self { value: Cow::Borrowed(inner), place, secret })
            }
        }
    }

    /// Something inside of it.
    pub(super) fn below<'b>(&self, place: Place<'b>, value: &'b PropertyValue) -> Input<Found<'b>> {
        Found::new(place, value, self.secret)
    }

    /// What a string of JSON stands for; anything else as it is.
    pub(super) fn unquoted(self) -> Self {
        let json = self.value.as_str().and_then(|text| serde_json::from_str(text).ok());
        match json {
            Some(json) => Self { value: Cow::Owned(from_json(json)), ..self },
            None => self,
        }
    }

    /// The value as a failure may show it.
    pub(super) fn shown(&self) -> String {
        if self.secret {
            return format!("this secret, which is {}", self.value.kind());
        }
        match &*self.value {
            PropertyValue::String(text) => quoted(text),
            PropertyValue::Number(number) => number.to_string(),
            PropertyValue::Bool(value) => value.to_string(),
            other => other.kind().to_owned(),
        }
    }
}

/// The number, if it has no fraction.
#[expect(clippy::cast_possible_truncation, reason = "the range and the fraction are checked")]
pub(super) fn whole(value: &PropertyValue) -> Option<i64> {
    let number = value.as_number()?;
    (number.fract() == 0.0 && number.abs() <= EXACT).then_some(number as i64)
}

/// `a, b or c`
pub(super) fn listed(names: impl Iterator<Item = String>, conjunction: &str) -> String {
    let names: Vec<String> = names.collect();
    match names.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} {conjunction} {last}", rest.join(", ")),
        None => "none".to_owned(),
    }
}

fn quoted(text: &str) -> String {
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("\"{}…\"", &text[..end]),
        None => format!("\"{text}\""),
    }
}

fn from_json(json: serde_json::Value) -> PropertyValue {
    match json {
        serde_json::Value::Null => PropertyValue::Null,
        serde_json::Value::Bool(value) => PropertyValue::Bool(value),
        serde_json::Value::Number(number) => {
            number.as_f64().map_or(PropertyValue::Null, PropertyValue::Number)
        }
        serde_json::Value::String(text) => PropertyValue::String(text),
        serde_json::Value::Array(items) => items.into_iter().map(from_json).collect(),
        serde_json::Value::Object(entries) => {
            let entries = entries.into_iter().map(|(key, value)| (key, from_json(value)));
            PropertyValue::Object(entries.collect::<PropertyMap>())
        }
    }
}
