//! IAM policies, as far as a deployment needs them: does any statement allow this action on this resource?
//! Conditions are taken as met; those that matter for CodeDeploy are in the trust policy.

use serde_json::{Value, json};

/// A policy document.
#[derive(Clone, Debug, Default)]
pub(crate) struct Policy {
    statements: Vec<Value>,
}

impl Policy {
    /// Reads a document; what is not one allows nothing.
    pub(crate) fn parse(text: &str) -> Self {
        let document: Value = serde_json::from_str(text).unwrap_or(Value::Null);
        Self::new(&document)
    }

    pub(crate) fn new(document: &Value) -> Self {
        let statements = match &document["Statement"] {
            Value::Array(list) => list.clone(),
            Value::Null => Vec::new(),
            one => vec![one.clone()],
        };
        Self { statements }
    }

    fn says(&self, effect: &str, action: &str, resource: &str) -> bool {
        self.statements.iter().any(|statement| {
            statement["Effect"] == effect
                && covers(statement, "Action", &action.to_ascii_lowercase(), true)
                && covers(statement, "Resource", resource, false)
        })
    }
}

/// Everything that a role may do.
#[derive(Clone, Debug, Default)]
pub(crate) struct Permissions {
    policies: Vec<Policy>,
    boundary: Option<Policy>,
}

impl Permissions {
    pub(crate) fn new(policies: Vec<Policy>, boundary: Option<Policy>) -> Self {
        Self { policies, boundary }
    }

    pub(crate) fn allow(&self, action: &str, resource: &str) -> bool {
        let denied =
            self.policies.iter().chain(&self.boundary).any(|policy| policy.says("Deny", action, resource));
        let allowed = self.policies.iter().any(|policy| policy.says("Allow", action, resource));
        let bounded = self.boundary.as_ref().is_none_or(|boundary| boundary.says("Allow", action, resource));
        allowed && bounded && !denied
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
    Some(Policy::new(&json!({ "Statement": [
        { "Effect": "Allow", "Action": actions, "Resource": "*" },
        { "Effect": "Allow", "Action": ["s3:GetObject", "s3:GetObjectVersion"], "Resource": "arn:aws:s3:::*/CodeDeploy/*" },
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

    const HOOK: &str = "arn:aws:lambda:us-east-1:000000000000:function:CodeDeployHook_pre";
    const OTHER: &str = "arn:aws:lambda:us-east-1:000000000000:function:pre";

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
    fn the_managed_policies_invoke_only_hooks_by_name() {
        let arn = "arn:aws:iam::aws:policy/service-role/AWSCodeDeployRoleForLambda";
        let full = Permissions::new(vec![well_known(arn).unwrap()], None);
        assert!(full.allow("lambda:InvokeFunction", HOOK));
        assert!(!full.allow("lambda:InvokeFunction", OTHER));
        assert!(full.allow("sns:Publish", "arn:aws:sns:us-east-1:000000000000:t"));
        let limited = Permissions::new(vec![well_known(&format!("{arn}Limited")).unwrap()], None);
        assert!(!limited.allow("sns:Publish", "arn:aws:sns:us-east-1:000000000000:t"));
    }

    #[test]
    fn a_denial_and_a_boundary_win() {
        let all = Policy::new(
            &json!({ "Statement": { "Effect": "Allow", "Action": "Lambda:*", "Resource": "*" } }),
        );
        let deny = Policy::new(
            &json!({ "Statement": [{ "Effect": "Deny", "Action": "lambda:InvokeFunction", "Resource": HOOK }] }),
        );
        let nothing = Policy::default();
        assert!(Permissions::new(vec![all.clone()], None).allow("lambda:InvokeFunction", HOOK));
        assert!(!Permissions::new(vec![all.clone(), deny], None).allow("lambda:InvokeFunction", HOOK));
        assert!(!Permissions::new(vec![all], Some(nothing)).allow("lambda:InvokeFunction", HOOK));
        let except = Policy::new(
            &json!({ "Statement": { "Effect": "Allow", "NotAction": "iam:*", "Resource": "*" } }),
        );
        assert!(Permissions::new(vec![except], None).allow("lambda:UpdateAlias", OTHER));
    }
}
