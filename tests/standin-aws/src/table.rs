//! The table of resource types: what each is called, and which calls make, read, change and delete it.
//!
//! It is written in `resources/*.yaml`, one file for each service or two, in the terms of `template`.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use serde::Deserialize;
use serde_json::{Map, Value};

const FILES: [&str; 9] = [
    include_str!("../resources/apigateway.yaml"),
    include_str!("../resources/apigatewayv2.yaml"),
    include_str!("../resources/codedeploy.yaml"),
    include_str!("../resources/events.yaml"),
    include_str!("../resources/iam.yaml"),
    include_str!("../resources/lambda.yaml"),
    include_str!("../resources/messages.yaml"),
    include_str!("../resources/monitoring.yaml"),
    include_str!("../resources/storage.yaml"),
];

/// A type of resource.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct Kind {
    /// The input that gets a name of its own when none is declared.
    pub(crate) autoname: Option<String>,
    /// Inputs that are filled in when they are not declared.
    #[serde(default)]
    pub(crate) defaults: Map<String, Value>,
    /// Inputs whose change takes a new object.
    #[serde(default)]
    pub(crate) replaces: Vec<String>,
    /// The calls that make it. The last one's answer is what `id` may use.
    pub(crate) create: Vec<Step>,
    /// The object's id.
    pub(crate) id: Value,
    /// The call that reads it. Its answer is what `outputs` may use.
    pub(crate) read: Option<Step>,
    /// What the answer to `read` has to hold if the object exists.
    pub(crate) exists: Option<String>,
    /// What the object has besides its inputs.
    #[serde(default)]
    pub(crate) outputs: BTreeMap<String, Value>,
    /// The calls that make an object be as declared now.
    #[serde(default)]
    pub(crate) update: Vec<Step>,
    pub(crate) delete: Vec<Step>,
}

/// One call.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Step {
    /// As in `sqs CreateQueue` or `lambda POST /2015-03-31/functions/${functionName}/aliases`.
    pub(crate) call: String,
    #[serde(default)]
    pub(crate) body: Value,
    /// Left out unless this is declared.
    #[serde(rename = "if")]
    pub(crate) only_if: Option<String>,
}

/// The type with this token.
pub(crate) fn kind(token: &str) -> Result<&'static Kind, String> {
    let table = table().as_ref().map_err(Clone::clone)?;
    table.get(token).ok_or_else(|| {
        format!(
            "this is the stand-in for the AWS provider that the project's tests use, and it has no {token}. \
             It has: {}",
            names(table)
        )
    })
}

fn read(file: &str) -> Result<BTreeMap<String, Kind>, serde_norway::Error> {
    let mut kinds: serde_norway::Value = serde_norway::from_str(file)?;
    kinds.apply_merge()?;
    serde_norway::from_value(kinds)
}

/// The known types as users write them: `aws:sqs/queue:Queue` is their `sqs.Queue`.
fn names(table: &BTreeMap<String, Kind>) -> String {
    let short = table.keys().filter_map(|token| {
        let mut parts = token.split([':', '/']);
        Some(format!("{}.{}", parts.nth(1)?, parts.nth(1)?))
    });
    short.collect::<Vec<_>>().join(", ")
}

fn table() -> &'static Result<BTreeMap<String, Kind>, String> {
    static TABLE: OnceLock<Result<BTreeMap<String, Kind>, String>> = OnceLock::new();
    TABLE.get_or_init(|| {
        let mut table = BTreeMap::new();
        for file in FILES {
            let kinds = read(file).map_err(|error| format!("a table cannot be read: {error}"))?;
            table.extend(kinds);
        }
        Ok(table)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::call::Call;
    use serde_json::Value;

    #[test]
    fn every_call_of_the_table_is_one() {
        for (token, kind) in table().as_ref().unwrap() {
            let steps = [&kind.create, &kind.update, &kind.delete].into_iter().flatten().chain(&kind.read);
            for step in steps {
                Call::new(&step.call, Value::Null).unwrap_or_else(|error| panic!("{token}: {error}"));
            }
            assert!(!kind.create.is_empty(), "{token} is never made");
        }
    }

    #[test]
    fn an_unknown_type_is_named_with_the_known_ones() {
        let error = kind("aws:ec2/instance:Instance").unwrap_err();
        assert!(error.contains("aws:ec2/instance:Instance"), "{error}");
        assert!(error.contains("stand-in") && error.contains("sqs.Queue"), "{error}");
    }
}
