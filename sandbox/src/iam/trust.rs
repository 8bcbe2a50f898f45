//! Whether a role's trust policy lets CodeDeploy take it on for a deployment group.

use serde_json::Value;

use super::policy::{like, strings};
use crate::identity::Scope;

/// Reads the document as IAM does, with the two condition keys that narrow a service's use of a role.
pub(crate) fn allows(document: &Value, scope: &Scope, group_arn: &str) -> bool {
    let regional = format!("codedeploy.{}.amazonaws.com", scope.region);
    let statements = match &document["Statement"] {
        Value::Array(list) => list.iter().collect(),
        one => vec![one],
    };
    statements.into_iter().any(|statement| {
        let principals = strings(&statement["Principal"]["Service"]);
        statement["Effect"] == "Allow"
            && strings(&statement["Action"])
                .iter()
                .any(|action| like(&action.to_ascii_lowercase(), "sts:assumerole"))
            && principals.iter().any(|service| *service == "codedeploy.amazonaws.com" || *service == regional)
            && conditions_hold(&statement["Condition"], scope, group_arn)
    })
}

fn conditions_hold(conditions: &Value, scope: &Scope, group_arn: &str) -> bool {
    let Some(operators) = conditions.as_object() else { return true };
    operators.iter().filter_map(|(operator, keys)| Some((operator, keys.as_object()?))).all(
        |(operator, keys)| {
            keys.iter().all(|(key, wanted)| {
                let actual = match key.to_ascii_lowercase().as_str() {
                    "aws:sourceaccount" => scope.account.as_str(),
                    "aws:sourcearn" => group_arn,
                    _ => return false,
                };
                strings(wanted).iter().any(|wanted| compare(operator, wanted, actual))
            })
        },
    )
}

fn compare(operator: &str, wanted: &str, actual: &str) -> bool {
    match operator {
        "StringEquals" => wanted == actual,
        "StringLike" | "ArnLike" | "ArnEquals" => like(wanted, actual),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn trust_is_read_with_its_conditions() {
        let scope = Scope::new("000000000000", "eu-west-1");
        let group = "arn:aws:codedeploy:eu-west-1:000000000000:deploymentgroup:app/group";
        let policy = |service: &str, condition: Value| {
            json!({ "Statement": [{ "Effect": "Allow", "Action": "sts:AssumeRole",
                "Principal": { "Service": service }, "Condition": condition }] })
        };
        let arn = |pattern: &str| json!({ "ArnLike": { "aws:SourceArn": pattern } });
        for (document, expected) in [
            (policy("codedeploy.amazonaws.com", Value::Null), true),
            (policy("codedeploy.eu-west-1.amazonaws.com", Value::Null), true),
            (policy("codedeploy.us-east-1.amazonaws.com", Value::Null), false),
            (policy("lambda.amazonaws.com", Value::Null), false),
            (
                policy(
                    "codedeploy.amazonaws.com",
                    arn("arn:aws:codedeploy:*:000000000000:deploymentgroup:app/*"),
                ),
                true,
            ),
            (policy("codedeploy.amazonaws.com", arn("arn:aws:codedeploy:*:*:application:app")), false),
            (
                policy("codedeploy.amazonaws.com", json!({ "StringEquals": { "aws:SourceAccount": "1" } })),
                false,
            ),
            (Value::Null, false),
        ] {
            assert_eq!(allows(&document, &scope, group), expected, "{document}");
        }
    }
}
