//! The functions of the AWS provider that programs ask for values, without making anything.

use lambda_rollout::pulumi::{Failure, PropertyMap};
use serde_json::{Value, json};

use crate::aws::Aws;
use crate::call::Call;
use crate::convert;

pub(crate) async fn ask(aws: &Aws, token: &str, args: &PropertyMap) -> Result<PropertyMap, Failure> {
    let args = convert::json_object(args);
    let answer = match token {
        "aws:index/getCallerIdentity:getCallerIdentity" => identity(aws).await?,
        "aws:index/getRegion:getRegion" => {
            json!({ "id": aws.region, "name": aws.region, "region": aws.region, "description": aws.region })
        }
        "aws:index/getPartition:getPartition" => {
            json!({ "id": "aws", "partition": "aws", "dnsSuffix": "amazonaws.com" })
        }
        "aws:iam/getPolicyDocument:getPolicyDocument" => {
            let document = policy(&args).to_string();
            json!({ "id": "policy", "json": document, "minifiedJson": document })
        }
        other => {
            let message = format!(
                "this is the stand-in for the AWS provider that the project's tests use, and it has no function {other}"
            );
            return Err(Failure::plain(message));
        }
    };
    match convert::property(&answer).as_object() {
        Some(properties) => Ok(properties.clone()),
        None => Err(Failure::bug("an answer is no object")),
    }
}

async fn identity(aws: &Aws) -> Result<Value, Failure> {
    let call = Call::new("sts GetCallerIdentity", Value::Null).map_err(Failure::bug)?;
    let answer = aws.call(&call).await?;
    let (account, arn, user) = (&answer["Account"], &answer["Arn"], &answer["UserId"]);
    Ok(json!({ "id": account, "accountId": account, "arn": arn, "userId": user }))
}

/// A policy document from its parts, as IAM wants it.
fn policy(args: &Value) -> Value {
    let statements = args["statements"].as_array().into_iter().flatten().map(|statement| {
        convert::without_nulls(json!({
            "Sid": statement["sid"],
            "Effect": statement["effect"].as_str().unwrap_or("Allow"),
            "Action": statement["actions"],
            "Resource": statement["resources"],
            "Principal": principals(&statement["principals"]),
            "Condition": conditions(&statement["conditions"]),
        }))
    });
    json!({ "Version": "2012-10-17", "Statement": statements.collect::<Vec<_>>() })
}

fn principals(declared: &Value) -> Value {
    let Some(declared) = declared.as_array() else { return Value::Null };
    let by_type = declared
        .iter()
        .map(|one| (one["type"].as_str().unwrap_or_default().to_owned(), one["identifiers"].clone()));
    Value::Object(by_type.collect())
}

fn conditions(declared: &Value) -> Value {
    let Some(declared) = declared.as_array() else { return Value::Null };
    let mut conditions = json!({});
    for one in declared {
        let (test, variable) = (one["test"].as_str(), one["variable"].as_str());
        conditions[test.unwrap_or_default()][variable.unwrap_or_default()] = one["values"].clone();
    }
    conditions
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_document_is_put_together() {
        let args = json!({ "statements": [{
            "actions": ["sts:AssumeRole"],
            "principals": [{ "type": "Service", "identifiers": ["codedeploy.amazonaws.com"] }],
            "conditions": [{ "test": "StringEquals", "variable": "aws:SourceAccount", "values": ["1"] }],
        }] });
        let expected = json!({ "Version": "2012-10-17", "Statement": [{
            "Effect": "Allow",
            "Action": ["sts:AssumeRole"],
            "Principal": { "Service": ["codedeploy.amazonaws.com"] },
            "Condition": { "StringEquals": { "aws:SourceAccount": ["1"] } },
        }] });
        assert_eq!(policy(&args), expected);
    }
}
