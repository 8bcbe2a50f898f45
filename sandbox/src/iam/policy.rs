//! Policy documents: which of their statements are about an action on a resource.

use serde_json::{Value, json};

/// A policy document, and what it is called where it comes from.
#[derive(Clone, Debug, Default)]
pub(crate) struct Policy {
    pub(super) source: Source,
    statements: Vec<Value>,
}

/// Where a policy comes from, in the simulator's words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Source {
    pub(super) id: String,
    pub(super) kind: &'static str,
}

impl Policy {
    /// Reads a document; what is not one allows nothing.
    pub(crate) fn new(document: &Value) -> Self {
        let statements = match &document["Statement"] {
            Value::Array(list) => list.clone(),
            Value::Null => Vec::new(),
            one => vec![one.clone()],
        };
        Self { source: Source::default(), statements }
    }

    pub(super) fn named(self, id: &str, kind: &'static str) -> Self {
        Self { source: Source { id: id.to_owned(), kind }, ..self }
    }

    /// The statements about this action on this resource, whatever their conditions say.
    pub(super) fn about(&self, action: &str, resource: &str) -> impl Iterator<Item = &Value> {
        let action = action.to_ascii_lowercase();
        self.statements.iter().filter(move |statement| {
            covers(statement, "Action", &action, true) && covers(statement, "Resource", resource, false)
        })
    }
}

/// The two managed policies for CodeDeploy and Lambda, which ministack does not have.
pub(crate) fn well_known(arn: &str) -> Option<Policy> {
    let full = match arn.rsplit('/').next()? {
        "AWSCodeDeployRoleForLambda" => true,
        "AWSCodeDeployRoleForLambdaLimited" => false,
        _ => return None,
    };
    let mut actions = vec![
        "cloudwatch:DescribeAlarms",
        "lambda:UpdateAlias",
        "lambda:GetAlias",
        "lambda:GetProvisionedConcurrencyConfig",
    ];
    if full {
        actions.push("sns:Publish");
    }
    let objects = ["s3:GetObject", "s3:GetObjectVersion"];
    Some(Policy::new(&json!({ "Statement": [
        { "Effect": "Allow", "Action": actions, "Resource": "*" },
        { "Effect": "Allow", "Action": objects, "Resource": "arn:aws:s3:::*/CodeDeploy/*" },
        { "Effect": "Allow", "Action": objects, "Resource": "*",
          "Condition": { "StringEquals": { "s3:ExistingObjectTag/UseWithCodeDeploy": "true" } } },
        { "Effect": "Allow", "Action": ["lambda:InvokeFunction"],
          "Resource": "arn:aws:lambda:*:*:function:CodeDeployHook_*" },
    ] })))
}

fn covers(statement: &Value, member: &str, wanted: &str, any_case: bool) -> bool {
    let matches = |pattern: &str| {
        if any_case { like(&pattern.to_ascii_lowercase(), wanted) } else { like(pattern, wanted) }
    };
    let not_member = format!("Not{member}");
    if statement.get(&not_member).is_some() {
        return !strings(&statement[&not_member]).iter().any(|pattern| matches(pattern));
    }
    strings(&statement[member]).iter().any(|pattern| matches(pattern))
}

/// One string or a list of them.
pub(crate) fn strings(value: &Value) -> Vec<&str> {
    match value {
        Value::String(one) => vec![one],
        Value::Array(list) => list.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

/// Whether a text fits a pattern with `*` and `?`.
pub(crate) fn like(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    let (mut at, mut from, mut star) = (0, 0, None);
    while from < text.len() {
        if at < pattern.len() && (pattern[at] == '?' || (pattern[at] != '*' && pattern[at] == text[from])) {
            (at, from) = (at + 1, from + 1);
        } else if at < pattern.len() && pattern[at] == '*' {
            star = Some((at, from));
            at += 1;
        } else if let Some((star_at, star_from)) = star {
            star = Some((star_at, star_from + 1));
            (at, from) = (star_at + 1, star_from + 1);
        } else {
            return false;
        }
    }
    pattern[at..].iter().all(|rest| *rest == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        for (pattern, text, expected) in [
            ("*", "", true),
            ("a*c", "abbc", true),
            ("a*c", "abbd", false),
            ("a?c", "abc", true),
            ("arn:*:function:Code*_*", "arn:aws:function:CodeDeployHook_x", true),
            ("abc", "abcd", false),
        ] {
            assert_eq!(like(pattern, text), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn statements_are_found_by_action_and_resource() {
        let policy = |statement: Value| Policy::new(&json!({ "Statement": statement }));
        for (statement, action, resource, found) in [
            (json!({ "Action": "Lambda:Get*", "Resource": "*" }), "lambda:getAlias", "a", true),
            (json!({ "Action": "lambda:Get*", "Resource": "A" }), "lambda:GetAlias", "a", false),
            (json!([{ "NotAction": "iam:*", "Resource": ["a", "b"] }]), "lambda:GetAlias", "b", true),
            (json!({ "NotAction": "iam:*", "Resource": "*" }), "iam:GetRole", "b", false),
            (json!({ "Action": "*", "NotResource": "b" }), "iam:GetRole", "b", false),
        ] {
            assert_eq!(policy(statement.clone()).about(action, resource).count() > 0, found, "{statement}");
        }
    }
}
