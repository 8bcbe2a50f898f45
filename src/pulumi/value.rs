//! Property values: what inputs, outputs and configuration are made of.

use std::{cmp::Ordering, collections::BTreeMap, fmt};

use super::asset::{Archive, Asset, ResourceReference};

/// Named property values, ordered by name.
pub type PropertyMap = BTreeMap<String, PropertyValue>;

/// One property value, as the engine knows them.
///
/// `==` compares representations; [`PropertyValue::same_as`] compares meanings. What is rare and large is boxed: a map takes
/// room for eleven values, however few it has.
#[derive(Clone, Default, PartialEq)]
pub enum PropertyValue {
    /// Nothing; in an object it means the same as a missing key.
    #[default]
    Null,
    Bool(bool),
    Number(f64),
    String(String),
    Array(Vec<PropertyValue>),
    Object(PropertyMap),
    /// A value that a preview cannot know yet.
    Unknown,
    /// A value that is never shown, and encrypted in the state.
    Secret(Box<PropertyValue>),
    Output(Box<OutputValue>),
    Asset(Box<Asset>),
    Archive(Box<Archive>),
    Resource(Box<ResourceReference>),
}

/// A value together with what is known of its origin.
#[derive(Clone, Default, PartialEq)]
pub struct OutputValue {
    /// None when it is unknown.
    pub value: Option<PropertyValue>,
    pub secret: bool,
    /// URNs of the resources that it depends on.
    pub dependencies: Vec<String>,
}

/// What lies behind an output without a value.
static UNKNOWN: PropertyValue = PropertyValue::Unknown;

impl PropertyValue {
    /// Marks a value as secret.
    pub fn secret(value: impl Into<Self>) -> Self {
        match value.into() {
            secret @ Self::Secret(_) => secret,
            plain => Self::Secret(Box::new(plain)),
        }
    }

    /// The value itself, without the secret or output around it.
    pub fn reveal(&self) -> &Self {
        match self {
            Self::Secret(inner) => inner.reveal(),
            Self::Output(output) => output.value.as_ref().map_or(&UNKNOWN, Self::reveal),
            other => other,
        }
    }

    /// A copy with no secret and no output in it, at any depth. An output without a value becomes unknown.
    pub fn plain(&self) -> Self {
        match self.reveal() {
            Self::Array(items) => Self::Array(items.iter().map(Self::plain).collect()),
            Self::Object(map) => Self::Object(plain(map)),
            other => other.clone(),
        }
    }

    pub fn is_null(&self) -> bool {
        matches!(self.reveal(), Self::Null)
    }

    /// Whether the value itself is unknown; see also [`PropertyValue::contains_unknown`].
    pub fn is_unknown(&self) -> bool {
        matches!(self.reveal(), Self::Unknown)
    }

    /// Whether the value itself is secret; see also [`PropertyValue::contains_secret`].
    pub fn is_secret(&self) -> bool {
        match self {
            Self::Secret(_) => true,
            Self::Output(output) => output.secret || output.value.as_ref().is_some_and(Self::is_secret),
            _ => false,
        }
    }

    /// Whether anything in it, at any depth, is unknown.
    pub fn contains_unknown(&self) -> bool {
        match self.reveal() {
            Self::Unknown => true,
            Self::Resource(reference) => reference.id.is_unknown(),
            inner => inner.children().any(Self::contains_unknown),
        }
    }

    /// Whether anything in it, at any depth, is secret.
    pub fn contains_secret(&self) -> bool {
        self.is_secret() || self.reveal().children().any(Self::contains_secret)
    }

    /// Whether both mean the same: secretness and origin do not count, null is like a missing key, and assets are
    /// compared by their hash.
    pub fn same_as(&self, other: &Self) -> bool {
        match (self.reveal(), other.reveal()) {
            (Self::Number(a), Self::Number(b)) => {
                a.partial_cmp(b) == Some(Ordering::Equal) || (a.is_nan() && b.is_nan())
            }
            (Self::Array(a), Self::Array(b)) => {
                a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.same_as(b))
            }
            (Self::Object(a), Self::Object(b)) => same(a, b),
            (Self::Asset(a), Self::Asset(b)) => a.same_as(b),
            (Self::Archive(a), Self::Archive(b)) => a.same_as(b),
            (Self::Resource(a), Self::Resource(b)) => a.same_as(b),
            (a, b) => a == b,
        }
    }

    /// The text, also of a secret.
    pub fn as_str(&self) -> Option<&str> {
        match self.reveal() {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    /// The truth value, also of a secret.
    pub fn as_bool(&self) -> Option<bool> {
        match self.reveal() {
            Self::Bool(value) => Some(*value),
            _ => None,
        }
    }

    /// The number, also of a secret.
    pub fn as_number(&self) -> Option<f64> {
        match self.reveal() {
            Self::Number(value) => Some(*value),
            _ => None,
        }
    }

    /// The elements, also of a secret list.
    pub fn as_array(&self) -> Option<&[Self]> {
        match self.reveal() {
            Self::Array(items) => Some(items),
            _ => None,
        }
    }

    /// The properties, also of a secret object.
    pub fn as_object(&self) -> Option<&PropertyMap> {
        match self.reveal() {
            Self::Object(map) => Some(map),
            _ => None,
        }
    }

    /// What it is, in a user's words.
    pub fn kind(&self) -> &'static str {
        match self.reveal() {
            Self::Null => "nothing",
            Self::Bool(_) => "a boolean",
            Self::Number(_) => "a number",
            Self::String(_) => "a string",
            Self::Array(_) => "a list",
            Self::Object(_) => "an object",
            Self::Asset(_) => "an asset",
            Self::Archive(_) => "an archive",
            Self::Resource(_) => "a resource",
            Self::Unknown | Self::Secret(_) | Self::Output(_) => "an unknown value",
        }
    }

    fn children(&self) -> Box<dyn Iterator<Item = &Self> + '_> {
        match self {
            Self::Array(items) => Box::new(items.iter()),
            Self::Object(map) => Box::new(map.values()),
            _ => Box::new(std::iter::empty()),
        }
    }
}

/// [`PropertyValue::plain`] for each property.
pub fn plain(map: &PropertyMap) -> PropertyMap {
    map.iter().map(|(key, value)| (key.clone(), value.plain())).collect()
}

/// [`PropertyValue::same_as`] for each property; one that is null counts as missing.
pub fn same(a: &PropertyMap, b: &PropertyMap) -> bool {
    let covered = |a: &PropertyMap, b: &PropertyMap| {
        a.iter().all(|(key, value)| match b.get(key) {
            Some(other) => value.same_as(other),
            None => value.is_null(),
        })
    };
    covered(a, b) && b.iter().all(|(key, value)| a.contains_key(key) || value.is_null())
}

/// A copy in which nothing is unknown: such a property is left out, and such a list element is null.
pub(super) fn without_unknowns(map: &PropertyMap) -> PropertyMap {
    let known = map.iter().filter(|(_, value)| !value.is_unknown());
    known.map(|(key, value)| (key.clone(), known_part(value))).collect()
}

fn known_part(value: &PropertyValue) -> PropertyValue {
    match value {
        _ if !value.contains_unknown() => value.clone(),
        PropertyValue::Secret(inner) => PropertyValue::secret(known_part(inner)),
        PropertyValue::Output(output) => PropertyValue::Output(Box::new(OutputValue {
            value: Some(output.value.as_ref().map_or(PropertyValue::Null, known_part)),
            ..(**output).clone()
        })),
        PropertyValue::Array(items) => items.iter().map(known_part).collect(),
        PropertyValue::Object(map) => PropertyValue::Object(without_unknowns(map)),
        _ => PropertyValue::Null,
    }
}

/// A map from a list of names and values.
pub fn properties<const N: usize>(entries: [(&str, PropertyValue); N]) -> PropertyMap {
    entries.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}

/// Never shows the inside of a secret.
impl fmt::Debug for PropertyValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Bool(value) => value.fmt(f),
            Self::Number(value) => value.fmt(f),
            Self::String(text) => text.fmt(f),
            Self::Array(items) => items.fmt(f),
            Self::Object(map) => map.fmt(f),
            Self::Unknown => f.write_str("unknown"),
            Self::Secret(_) => f.write_str("[secret]"),
            Self::Output(output) => output.fmt(f),
            Self::Asset(asset) => asset.fmt(f),
            Self::Archive(archive) => archive.fmt(f),
            Self::Resource(reference) => reference.fmt(f),
        }
    }
}

/// Never shows the inside of a secret.
impl fmt::Debug for OutputValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value: &dyn fmt::Debug = match &self.value {
            Some(_) if self.secret => &format_args!("[secret]"),
            Some(value) => value,
            None => &format_args!("unknown"),
        };
        f.debug_struct("Output").field("value", value).field("dependencies", &self.dependencies).finish()
    }
}

impl From<bool> for PropertyValue {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<f64> for PropertyValue {
    fn from(value: f64) -> Self {
        Self::Number(value)
    }
}

impl From<i32> for PropertyValue {
    fn from(value: i32) -> Self {
        Self::Number(value.into())
    }
}

impl From<u32> for PropertyValue {
    fn from(value: u32) -> Self {
        Self::Number(value.into())
    }
}

impl From<&str> for PropertyValue {
    fn from(text: &str) -> Self {
        Self::String(text.to_owned())
    }
}

impl From<String> for PropertyValue {
    fn from(text: String) -> Self {
        Self::String(text)
    }
}

impl From<Asset> for PropertyValue {
    fn from(asset: Asset) -> Self {
        Self::Asset(Box::new(asset))
    }
}

impl From<Archive> for PropertyValue {
    fn from(archive: Archive) -> Self {
        Self::Archive(Box::new(archive))
    }
}

impl From<ResourceReference> for PropertyValue {
    fn from(reference: ResourceReference) -> Self {
        Self::Resource(Box::new(reference))
    }
}

impl<T: Into<PropertyValue>> From<Option<T>> for PropertyValue {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

impl<T: Into<PropertyValue>> From<Vec<T>> for PropertyValue {
    fn from(items: Vec<T>) -> Self {
        items.into_iter().collect()
    }
}

impl<T: Into<PropertyValue>> From<BTreeMap<String, T>> for PropertyValue {
    fn from(map: BTreeMap<String, T>) -> Self {
        Self::Object(map.into_iter().map(|(key, value)| (key, value.into())).collect())
    }
}

impl<T: Into<PropertyValue>> FromIterator<T> for PropertyValue {
    fn from_iter<I: IntoIterator<Item = T>>(items: I) -> Self {
        Self::Array(items.into_iter().map(Into::into).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn output(value: Option<PropertyValue>, secret: bool) -> PropertyValue {
        PropertyValue::Output(Box::new(OutputValue { value, secret, dependencies: Vec::new() }))
    }

    /// A value with one of everything that hides another.
    fn wrapped() -> PropertyValue {
        PropertyValue::Object(properties([
            ("secret", PropertyValue::secret("hidden")),
            ("list", vec![output(Some("hidden".into()), true), output(None, false)].into()),
        ]))
    }

    #[test]
    fn a_value_takes_no_more_room_than_the_message_that_it_came_in() {
        assert!(size_of::<PropertyValue>() <= size_of::<prost_types::Value>());
    }

    #[test]
    fn plain_takes_every_wrapping_off() {
        let expected = properties([
            ("secret", "hidden".into()),
            ("list", vec!["hidden".into(), PropertyValue::Unknown].into()),
        ]);
        assert_eq!(wrapped().plain(), PropertyValue::Object(expected));
    }

    #[test]
    fn debug_hides_secrets() {
        let shown = format!("{:?}", wrapped());
        assert!(!shown.contains("hidden"), "{shown}");
        assert!(shown.contains("[secret]"), "{shown}");
    }

    #[test]
    fn knows_what_is_in_it() {
        let plain: PropertyValue = vec!["a", "b"].into();
        assert!(!plain.contains_secret() && !plain.contains_unknown());
        assert!(wrapped().contains_secret() && wrapped().contains_unknown());
        assert!(!wrapped().is_secret() && !wrapped().is_unknown());
        assert!(output(None, false).is_unknown() && output(None, true).is_secret());
        assert!(PropertyValue::secret(PropertyValue::Unknown).is_unknown());
    }

    #[test]
    fn a_secret_is_wrapped_once() {
        assert_eq!(PropertyValue::secret(PropertyValue::secret(1)), PropertyValue::secret(1));
    }

    #[test]
    fn sameness_is_about_meaning() {
        let asset = |hash: &str, text: &str| {
            let source = super::super::AssetSource::Text(text.to_owned());
            PropertyValue::from(Asset { hash: hash.to_owned(), source })
        };
        let with_null = PropertyValue::Object(properties([("x", PropertyValue::Null)]));
        let same: [(PropertyValue, PropertyValue); 5] = [
            (wrapped(), wrapped().plain()),
            (with_null, PropertyValue::Object(PropertyMap::new())),
            (f64::NAN.into(), f64::NAN.into()),
            (asset("h", "old"), asset("h", "")),
            (asset("", "text"), asset("h", "text")),
        ];
        for (a, b) in same {
            assert!(a.same_as(&b) && b.same_as(&a), "{a:?} and {b:?}");
        }
        let different: [(PropertyValue, PropertyValue); 5] = [
            (1.into(), "1".into()),
            (vec![1].into(), vec![1, 2].into()),
            (PropertyValue::Unknown, "a".into()),
            (asset("h", "text"), asset("i", "text")),
            (PropertyValue::Object(properties([("x", 1.into())])), PropertyValue::Object(PropertyMap::new())),
        ];
        for (a, b) in different {
            assert!(!a.same_as(&b) && !b.same_as(&a), "{a:?} and {b:?}");
        }
    }

    #[test]
    fn what_is_unknown_can_be_left_out() {
        let map = properties([
            ("gone", PropertyValue::Unknown),
            ("list", vec!["a".into(), PropertyValue::Unknown].into()),
            ("outputs", vec![output(None, false)].into()),
            ("secret", PropertyValue::secret(vec![PropertyValue::Unknown])),
            ("kept", PropertyValue::secret(1)),
        ]);
        let expected = properties([
            ("list", vec!["a".into(), PropertyValue::Null].into()),
            ("outputs", vec![output(Some(PropertyValue::Null), false)].into()),
            ("secret", PropertyValue::secret(vec![PropertyValue::Null])),
            ("kept", PropertyValue::secret(1)),
        ]);
        assert_eq!(without_unknowns(&map), expected);
    }
}
