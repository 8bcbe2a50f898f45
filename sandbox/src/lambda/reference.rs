//! How callers name a function: by name, by partial or full ARN, with or without a qualifier.

/// A function, and which version or alias of it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Reference {
    pub(crate) function: String,
    pub(crate) qualifier: Option<String>,
}

impl Reference {
    pub(crate) fn new(function: &str, qualifier: Option<&str>) -> Self {
        let qualifier = qualifier.filter(|qualifier| !qualifier.is_empty()).map(str::to_owned);
        Self { function: function.to_owned(), qualifier }
    }

    /// Reads `name`, `name:qualifier`, `account:function:name…` and `arn:aws:lambda:region:account:function:name…`.
    pub(crate) fn parse(text: &str) -> Self {
        let rest = text.split_once(":function:").map_or(text, |(_, rest)| rest);
        match rest.split_once(':') {
            Some((function, qualifier)) => Self::new(function, Some(qualifier)),
            None => Self::new(rest, None),
        }
    }

    /// The same function with the qualifier that is given elsewhere, unless there is one already.
    pub(crate) fn or_qualifier(self, qualifier: Option<&str>) -> Self {
        match self.qualifier {
            Some(_) => self,
            None => Self::new(&self.function, qualifier),
        }
    }

    /// `name`, or `name:qualifier`.
    pub(crate) fn qualified(&self) -> String {
        match &self.qualifier {
            Some(qualifier) => format!("{}:{qualifier}", self.function),
            None => self.function.clone(),
        }
    }

    /// The alias that is meant, if it is one.
    pub(crate) fn alias(&self) -> Option<&str> {
        let qualifier = self.qualifier.as_deref()?;
        let version = qualifier == "$LATEST" || qualifier.bytes().all(|byte| byte.is_ascii_digit());
        (!version).then_some(qualifier)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_to_name_a_function() {
        for (text, function, qualifier) in [
            ("f", "f", None),
            ("f:live", "f", Some("live")),
            ("000000000000:function:f", "f", None),
            ("arn:aws:lambda:us-east-1:000000000000:function:f", "f", None),
            ("arn:aws-cn:lambda:cn-north-1:000000000000:function:f:3", "f", Some("3")),
        ] {
            assert_eq!(Reference::parse(text), Reference::new(function, qualifier), "{text}");
        }
    }

    #[test]
    fn only_names_are_aliases() {
        for (qualifier, alias) in
            [(None, None), (Some("$LATEST"), None), (Some("12"), None), (Some("v1"), Some("v1"))]
        {
            assert_eq!(Reference::new("f", qualifier).alias(), alias);
        }
    }
}
