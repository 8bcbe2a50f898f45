//! Reading a request's members, whichever protocol they came in: a form has only text, JSON has numbers.

use serde_json::Value;

use crate::clock::Timestamp;
use crate::error::ServiceError;
use crate::timestamp;

static NULL: Value = Value::Null;

/// The members of a request or of a part of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Input<'a>(pub &'a Value);

impl<'a> Input<'a> {
    fn member(self, name: &str) -> &'a Value {
        self.0.get(name).unwrap_or(&NULL)
    }

    pub(crate) fn has(self, name: &str) -> bool {
        !self.member(name).is_null()
    }

    pub(crate) fn text(self, name: &str) -> Option<&'a str> {
        self.member(name).as_str()
    }

    pub(crate) fn required(self, name: &str) -> Result<&'a str, ServiceError> {
        let text = self.text(name).filter(|text| !text.is_empty());
        text.ok_or_else(|| {
            ServiceError::bad("MissingParameter", format!("The parameter {name} is required."))
        })
    }

    pub(crate) fn number(self, name: &str) -> Option<f64> {
        number(self.member(name))
    }

    pub(crate) fn integer(self, name: &str) -> Option<i64> {
        #[expect(clippy::cast_possible_truncation, reason = "counts and periods are small")]
        self.number(name).map(|number| number as i64)
    }

    pub(crate) fn flag(self, name: &str) -> Option<bool> {
        match self.member(name) {
            Value::Bool(flag) => Some(*flag),
            Value::String(text) => Some(text == "true"),
            _ => None,
        }
    }

    pub(crate) fn time(self, name: &str) -> Option<Timestamp> {
        match self.member(name) {
            Value::String(text) => timestamp::parse_iso(text),
            other => number(other),
        }
    }

    pub(crate) fn part(self, name: &str) -> Option<Input<'a>> {
        self.has(name).then(|| Input(self.member(name)))
    }

    pub(crate) fn parts(self, name: &str) -> impl Iterator<Item = Input<'a>> {
        self.member(name).as_array().into_iter().flatten().map(Input)
    }

    pub(crate) fn texts(self, name: &str) -> Vec<String> {
        let items = self.member(name).as_array().into_iter().flatten();
        items.filter_map(Value::as_str).map(str::to_owned).collect()
    }

    pub(crate) fn numbers(self, name: &str) -> Vec<f64> {
        self.member(name).as_array().into_iter().flatten().filter_map(number).collect()
    }
}

fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.parse().ok(),
        _ => None,
    }
}
