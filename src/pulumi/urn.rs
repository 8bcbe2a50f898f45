//! The name of a resource in the engine.

use std::{fmt, sync::Arc};

/// A resource's URN: `urn:pulumi:STACK::PROJECT::TYPE::NAME`. Empty where a call is about no resource.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Urn(Arc<str>);

impl Urn {
    pub fn new(urn: impl Into<Arc<str>>) -> Self {
        Self(urn.into())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub fn stack(&self) -> &str {
        self.part(0)
    }

    pub fn project(&self) -> &str {
        self.part(1)
    }

    /// The type token, without those of its parents.
    pub fn type_token(&self) -> &str {
        self.part(2).rsplit('$').next().unwrap_or_default()
    }

    pub fn name(&self) -> &str {
        self.part(3)
    }

    /// A name may contain the separator itself.
    fn part(&self, index: usize) -> &str {
        let parts = self.0.strip_prefix("urn:pulumi:").unwrap_or_default();
        parts.splitn(4, "::").nth(index).unwrap_or_default()
    }
}

impl fmt::Display for Urn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::Urn;

    #[test]
    fn tells_its_parts() {
        let urn = Urn::new("urn:pulumi:dev::shop::a:b:C$lambda-rollout:index:FunctionRollout::api::v2");
        assert_eq!(urn.stack(), "dev");
        assert_eq!(urn.project(), "shop");
        assert_eq!(urn.type_token(), "lambda-rollout:index:FunctionRollout");
        assert_eq!(urn.name(), "api::v2");
    }

    #[test]
    fn is_empty_where_it_is_no_urn() {
        for text in ["", "nonsense", "urn:pulumi:dev"] {
            let urn = Urn::new(text);
            assert_eq!((urn.project(), urn.type_token(), urn.name()), ("", "", ""));
        }
    }
}
