//! Inputs in one spelling, so that a diff speaks only of what means something else.
//!
//! "5 minutes" and "5m" are one length, a name and an ARN one function, an absent input and its default one choice,
//! and a list that is a set has no order.

use std::collections::BTreeSet;

use crate::pulumi::diff::{self, Diff};
use crate::pulumi::{PropertyMap, PropertyValue};
use crate::rollout::duration;
use crate::rollout::function::FunctionRef;

/// What an input means, beyond its text.
#[derive(Debug, Clone, Copy)]
pub enum Meaning {
    /// Absent means this text.
    Text(&'static str),
    /// Absent means this.
    Flag(bool),
    Number(f64),
    /// A duration; absent means this one, if any.
    Duration(Option<&'static str>),
    Function,
    /// A version number, which YAML may give as a number.
    Version,
    /// A list without an order; absent means empty, or these.
    Set(&'static [&'static str]),
    /// An object of inputs with meanings of their own; absent stays absent.
    Object(&'static [(&'static str, Meaning)]),
    /// An object whose absence means an empty one.
    ObjectOrDefault(&'static [(&'static str, Meaning)]),
    /// A list of such objects.
    Objects(&'static [(&'static str, Meaning)]),
}

pub const STRATEGY: &[(&str, Meaning)] =
    &[("type", Meaning::Text("canary")), ("interval", Meaning::Duration(None))];

pub const FUNCTION_URL: &[(&str, Meaning)] = &[
    ("authorizationType", Meaning::Text("AWS_IAM")),
    ("invokeMode", Meaning::Text("BUFFERED")),
    (
        "cors",
        Meaning::Object(&[
            ("allowCredentials", Meaning::Flag(false)),
            ("allowHeaders", Meaning::Set(&[])),
            ("allowMethods", Meaning::Set(&[])),
            ("allowOrigins", Meaning::Set(&[])),
            ("exposeHeaders", Meaning::Set(&[])),
        ]),
    ),
];

pub const PERMISSION: &[(&str, Meaning)] = &[("action", Meaning::Text("lambda:InvokeFunction"))];

/// The inputs with every default filled in and every meaning in one spelling. What is unknown stays unknown.
pub fn canonical<'a>(
    inputs: impl IntoIterator<Item = (&'a String, &'a PropertyValue)>,
    meanings: &[(&str, Meaning)],
) -> PropertyMap {
    let mut map: PropertyMap = inputs
        .into_iter()
        .map(|(key, value)| (key.clone(), value.plain()))
        .filter(|(_, v)| *v != PropertyValue::Null)
        .collect();
    for (key, meaning) in meanings {
        let value = map.remove(*key);
        if let Some(value) = meaning.apply(value) {
            map.insert((*key).to_owned(), value);
        }
    }
    map
}

/// What means something else now. Most inputs are written as they were, and need no look at their meaning.
pub fn compare(
    old: &PropertyMap,
    new: &PropertyMap,
    meanings: &[(&str, Meaning)],
    replace_keys: &[&str],
) -> Diff {
    // Most resources are declared as they were, and to look at their inputs one by one costs more.
    if old == new && !new.values().any(PropertyValue::contains_unknown) {
        return Diff::default();
    }
    let differs = |key: &str| {
        let new = new.get(key);
        old.get(key) != new || new.is_some_and(PropertyValue::contains_unknown)
    };
    let added = new.keys().filter(|key| !old.contains_key(*key));
    let keys = old.keys().chain(added).map(String::as_str);
    let differing: BTreeSet<&str> = keys.filter(|key| differs(key)).collect();
    if differing.is_empty() {
        return Diff::default();
    }
    let meanings: Vec<_> = meanings.iter().filter(|(key, _)| differing.contains(key)).copied().collect();
    let spelled = |inputs: &PropertyMap| {
        canonical(inputs.iter().filter(|(key, _)| differing.contains(key.as_str())), &meanings)
    };
    diff::compare(&spelled(old), &spelled(new), replace_keys)
}

impl Meaning {
    fn apply(self, value: Option<PropertyValue>) -> Option<PropertyValue> {
        let text = |text: &str| PropertyValue::String(text.to_owned());
        match (self, value) {
            (_, Some(PropertyValue::Unknown)) => Some(PropertyValue::Unknown),
            (Self::Text(default), None) => Some(text(default)),
            (Self::Flag(default), None) => Some(PropertyValue::Bool(default)),
            (Self::Number(default), None) => Some(PropertyValue::Number(default)),
            (Self::Duration(default), value) => {
                let written = value.as_ref().and_then(PropertyValue::as_str).or(default)?;
                Some(
                    duration::parse(written)
                        .map_or_else(|_| text(written), |d| PropertyValue::Number(d.as_secs_f64())),
                )
            }
            (Self::Function, Some(value)) => {
                let name = value.as_str().and_then(|text| FunctionRef::parse(text).ok());
                Some(name.map_or(value, |function| PropertyValue::String(function.name)))
            }
            (Self::Version, Some(PropertyValue::Number(number))) => Some(text(&number.to_string())),
            (Self::Set(default), None) => {
                Some(PropertyValue::Array(default.iter().map(|item| text(item)).collect()))
            }
            (Self::Set(_), Some(PropertyValue::Array(items))) => Some(sorted(items)),
            (Self::Object(inner) | Self::ObjectOrDefault(inner), Some(PropertyValue::Object(object))) => {
                Some(PropertyValue::Object(canonical(&object, inner)))
            }
            (Self::ObjectOrDefault(inner), None) => {
                Some(PropertyValue::Object(canonical(&PropertyMap::new(), inner)))
            }
            (Self::Objects(inner), Some(PropertyValue::Array(items))) => {
                Some(PropertyValue::Array(items.into_iter().map(|item| each(item, inner)).collect()))
            }
            (_, value) => value,
        }
    }
}

fn each(item: PropertyValue, inner: &[(&str, Meaning)]) -> PropertyValue {
    match item {
        PropertyValue::Object(object) => PropertyValue::Object(canonical(&object, inner)),
        other => other,
    }
}

fn sorted(mut items: Vec<PropertyValue>) -> PropertyValue {
    items.sort_by(|a, b| a.as_str().cmp(&b.as_str()));
    PropertyValue::Array(items)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MEANINGS: &[(&str, Meaning)] = &[
        ("functionName", Meaning::Function),
        ("bake", Meaning::Duration(Some("3 minutes"))),
        ("alarms", Meaning::Set(&[])),
        ("wait", Meaning::Flag(true)),
        ("strategy", Meaning::Object(STRATEGY)),
    ];

    fn map(pairs: &[(&str, PropertyValue)]) -> PropertyMap {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect()
    }

    #[test]
    fn other_spellings_of_one_meaning_are_equal() {
        let strategy = |interval: &str| {
            PropertyValue::Object(map(&[("type", "canary".into()), ("interval", interval.into())]))
        };
        let one = map(&[
            ("functionName", "arn:aws:lambda:eu-west-1:123456789012:function:api".into()),
            ("bake", "180 seconds".into()),
            ("alarms", PropertyValue::Array(vec!["b".into(), "a".into()])),
            ("strategy", strategy("5 minutes")),
        ]);
        let other = map(&[
            ("functionName", "api".into()),
            ("alarms", PropertyValue::Array(vec!["a".into(), "b".into()])),
            ("wait", true.into()),
            ("strategy", strategy("5m")),
        ]);
        assert_eq!(canonical(&one, MEANINGS), canonical(&other, MEANINGS));
        let longer = map(&[("functionName", "api".into()), ("bake", "4m".into())]);
        assert_ne!(
            canonical(&longer, MEANINGS),
            canonical(&map(&[("functionName", "api".into())]), MEANINGS)
        );
    }

    #[test]
    fn comparing_a_part_is_comparing_all() {
        let strategy = |interval| PropertyValue::Object(map(&[("interval", interval)]));
        let all = [
            map(&[]),
            map(&[("functionName", "api".into()), ("bake", "3m".into()), ("other", 1.into())]),
            map(&[("functionName", "web".into()), ("wait", true.into()), ("other", 2.into())]),
            map(&[("wait", PropertyValue::Null), ("alarms", vec!["b", "a"].into())]),
            map(&[("alarms", vec!["a", "b"].into()), ("strategy", strategy("5m".into()))]),
            map(&[("strategy", strategy(PropertyValue::Unknown)), ("bake", PropertyValue::Unknown)]),
            map(&[("strategy", PropertyValue::secret(strategy("5 minutes".into())))]),
        ];
        for old in &all {
            for new in &all {
                let whole =
                    diff::compare(&canonical(old, MEANINGS), &canonical(new, MEANINGS), &["functionName"]);
                assert_eq!(compare(old, new, MEANINGS, &["functionName"]), whole, "{old:?} → {new:?}");
            }
        }
    }

    #[test]
    fn the_unknown_stays_unknown() {
        let inputs = map(&[("bake", PropertyValue::Unknown)]);
        assert_eq!(canonical(&inputs, MEANINGS)["bake"], PropertyValue::Unknown);
    }
}
