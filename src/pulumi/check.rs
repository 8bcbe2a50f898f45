//! What is wrong with declared properties, and how the engine is told.

use super::{path::PropertyPath, proto, value::PropertyMap};

/// Something wrong with one property. The reason reads on from the property's name: "must be …".
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckFailure {
    pub path: PropertyPath,
    pub reason: String,
}

/// What a check has found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Checked {
    /// The inputs as declared, with defaults filled in.
    pub inputs: PropertyMap,
    pub failures: Vec<CheckFailure>,
}

impl CheckFailure {
    pub fn new(path: PropertyPath, reason: impl Into<String>) -> Self {
        Self { path, reason: reason.into() }
    }

    /// The engine prints the value of the property that is named beside the reason, secrets too, and finds only
    /// top-level properties. So any other is named in the reason.
    pub(super) fn render(self, declared: &PropertyMap) -> proto::CheckFailure {
        let showable = self.path.is_top_level()
            && self
                .path
                .top()
                .and_then(|key| declared.get(key))
                .is_some_and(|value| !value.contains_secret());
        if showable {
            return proto::CheckFailure { property: self.path.to_string(), reason: self.reason };
        }
        self.render_unshown()
    }

    /// Without any value.
    pub(super) fn render_unshown(self) -> proto::CheckFailure {
        let reason = match self.path.segments() {
            [] => self.reason,
            _ => format!("{} {}", self.path, self.reason),
        };
        proto::CheckFailure { property: String::new(), reason }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pulumi::{PropertyValue, properties};

    #[test]
    fn only_what_may_be_shown_is_named_as_a_property() {
        let declared = properties([
            ("plain", "p".into()),
            ("secret", PropertyValue::secret("s")),
            ("half", vec![PropertyValue::secret("s")].into()),
        ]);
        let cases = [
            (PropertyPath::from("plain"), "plain", "is bad"),
            (PropertyPath::from("plain").index(0).key("x"), "", "plain[0].x is bad"),
            (PropertyPath::from("secret"), "", "secret is bad"),
            (PropertyPath::from("half"), "", "half is bad"),
            (PropertyPath::from("missing"), "", "missing is bad"),
            (PropertyPath::root(), "", "is bad"),
        ];
        for (path, property, reason) in cases {
            let rendered = CheckFailure::new(path, "is bad").render(&declared);
            assert_eq!((rendered.property.as_str(), rendered.reason.as_str()), (property, reason));
        }
    }
}
