//! Names of functions, versions and aliases as a user may write them.

/// What is wrong with a name. The text reads on after the value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    #[error(
        "it is no function; give a name (\"api\") or an ARN (\"arn:aws:lambda:REGION:ACCOUNT:function:NAME\")"
    )]
    Function,
    #[error(
        "it names a version or an alias; give the function alone, \"{0}\"; the alias is the rollout's own"
    )]
    Qualified(String),
    #[error("it changes under the alias; set `publish: true` on the function and pass its `version` output")]
    Latest,
    #[error("it is no published version; give its number, for example the function's `version` output")]
    Version,
    #[error("it is no alias name; use letters, digits, \"-\" and \"_\", at most 128, and not only digits")]
    Alias,
}

/// A function, by name, with what an ARN adds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FunctionRef {
    pub name: String,
    /// Present when the user gave an ARN.
    pub place: Option<Place>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    pub partition: String,
    pub region: String,
    pub account: String,
}

impl FunctionRef {
    /// Reads a name, an ARN, or a partial ARN (`ACCOUNT:function:NAME`).
    pub fn parse(text: &str) -> Result<Self, NameError> {
        let parts: Vec<&str> = text.split(':').collect();
        let (place, name, qualifier) = match parts.as_slice() {
            [name] => (None, *name, None),
            [name, qualifier] => (None, *name, Some(*qualifier)),
            [account, "function", name, rest @ ..] if rest.len() <= 1 && is_account(account) => {
                (None, *name, rest.first().copied())
            }
            ["arn", partition, "lambda", region, account, "function", name, rest @ ..]
                if rest.len() <= 1
                    && is_account(account)
                    && !region.is_empty()
                    && partition.starts_with("aws") =>
            {
                let place = Place {
                    partition: (*partition).to_owned(),
                    region: (*region).to_owned(),
                    account: (*account).to_owned(),
                };
                (Some(place), *name, rest.first().copied())
            }
            _ => return Err(NameError::Function),
        };
        if !is_function_name(name) {
            return Err(NameError::Function);
        }
        if qualifier.is_some() {
            let (bare, _) = text.rsplit_once(':').unwrap_or((text, ""));
            return Err(NameError::Qualified(bare.to_owned()));
        }
        Ok(Self { name: name.to_owned(), place })
    }
}

/// A published version: digits, without a leading zero.
pub fn check_version(text: &str) -> Result<String, NameError> {
    if text == "$LATEST" {
        return Err(NameError::Latest);
    }
    let numeric = !text.is_empty() && text.chars().all(|c| c.is_ascii_digit()) && !text.starts_with('0');
    if numeric { Ok(text.to_owned()) } else { Err(NameError::Version) }
}

pub fn check_alias(text: &str) -> Result<String, NameError> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    let fine = (1..=128).contains(&text.len())
        && text.chars().all(allowed)
        && !text.chars().all(|c| c.is_ascii_digit());
    if fine { Ok(text.to_owned()) } else { Err(NameError::Alias) }
}

/// Splits `name:qualifier`, or an ARN that ends in a qualifier; without one, `$LATEST` is meant.
pub fn split_qualifier(function: &str) -> (&str, &str) {
    match FunctionRef::parse(function) {
        Err(NameError::Qualified(..)) => function.rsplit_once(':').unwrap_or((function, "$LATEST")),
        _ => (function, "$LATEST"),
    }
}

fn is_account(text: &str) -> bool {
    text.len() == 12 && text.chars().all(|c| c.is_ascii_digit())
}

fn is_function_name(text: &str) -> bool {
    (1..=64).contains(&text.len()) && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_of_a_function_gives_its_name() {
        for text in ["api", "123456789012:function:api", "arn:aws:lambda:eu-west-1:123456789012:function:api"]
        {
            assert_eq!(FunctionRef::parse(text).unwrap().name, "api", "{text}");
        }
        let place = FunctionRef::parse("arn:aws-cn:lambda:cn-north-1:123456789012:function:api")
            .unwrap()
            .place
            .unwrap();
        assert_eq!((place.partition.as_str(), place.region.as_str()), ("aws-cn", "cn-north-1"));
    }

    #[test]
    fn a_qualifier_is_refused_with_the_function_to_give() {
        for (text, bare) in [
            ("api:live", "api"),
            (
                "arn:aws:lambda:eu-west-1:123456789012:function:api:7",
                "arn:aws:lambda:eu-west-1:123456789012:function:api",
            ),
        ] {
            assert_eq!(FunctionRef::parse(text), Err(NameError::Qualified(bare.to_owned())));
        }
    }

    #[test]
    fn malformed_names_are_refused() {
        for text in [
            "",
            "a b",
            "arn:aws:lambda:eu-west-1:1234:function:api",
            "arn:aws:s3:::bucket",
            "a:b:c",
            "arn:aws:lambda:::function:x",
        ] {
            assert!(FunctionRef::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn only_published_versions_can_be_rolled_out() {
        assert_eq!(check_version("42"), Ok("42".to_owned()));
        assert_eq!(check_version("$LATEST"), Err(NameError::Latest));
        for text in ["", "0", "01", "v2", "-1", "live"] {
            assert!(check_version(text).is_err(), "{text}");
        }
    }

    #[test]
    fn alias_names_follow_lambdas_pattern() {
        assert!(check_alias("stable").is_ok() && check_alias("a_b-1").is_ok());
        assert!(check_alias("12").is_err() && check_alias("").is_err() && check_alias("a.b").is_err());
    }
}
