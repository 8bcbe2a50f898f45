//! What is secret whether or not the program says so: some inputs, and whatever is made from a secret.

use crate::pulumi::{PropertyMap, PropertyValue};

/// Wraps the payload of a smoke test, which may hold credentials.
pub fn mark(mut inputs: PropertyMap) -> PropertyMap {
    if let Some(test) = inputs.get_mut("smokeTest").and_then(open)
        && let Some(payload) = test.get_mut("payload")
        && payload.as_str().is_some()
    {
        hide(payload);
    }
    inputs
}

/// The object itself, unless all of it is secret.
fn open(value: &mut PropertyValue) -> Option<&mut PropertyMap> {
    match value {
        PropertyValue::Object(map) => Some(map),
        PropertyValue::Output(output) if !output.secret => output.value.as_mut().and_then(open),
        _ => None,
    }
}

/// Which outputs are made from which inputs. The private part is made from several and marked as a whole.
const MADE_FROM: [(&str, &[&str]); 13] = [
    (
        "functionName",
        &[
            "targetArn",
            "invokeArn",
            "latestTargetArn",
            "latestInvokeArn",
            "applicationName",
            "serviceRoleArn",
            "errorAlarmName",
            "lastRollout",
            "__rollout",
        ],
    ),
    (
        "aliasName",
        &[
            "qualifier",
            "targetArn",
            "invokeArn",
            "applicationName",
            "deploymentGroupName",
            "serviceRoleArn",
            "errorAlarmName",
            "lastRollout",
            "__rollout",
        ],
    ),
    (
        "latestAliasName",
        &["latestQualifier", "latestTargetArn", "latestInvokeArn", "lastRollout", "__rollout"],
    ),
    (
        "version",
        &[
            "servingVersion",
            "failedVersion",
            "lastRollout",
            "errorAlarmName",
            "targetVersion",
            "currentVersion",
            "__rollout",
        ],
    ),
    ("strategy", &["deploymentConfigName", "__rollout"]),
    ("deploymentConfigName", &["__rollout"]),
    ("applicationName", &["__rollout"]),
    ("deploymentGroupName", &["__rollout"]),
    ("permissionsBoundary", &["__rollout"]),
    ("alarms", &["lastRollout"]),
    ("hooks", &["lastRollout"]),
    ("deploymentId", &["deployments"]),
    ("deploymentIds", &["deployments"]),
];

/// What is made from a secret input is secret too.
pub fn spread(outputs: &mut PropertyMap) {
    let is_secret = |key: &str| outputs.get(key).is_some_and(PropertyValue::contains_secret);
    let secret = MADE_FROM.into_iter().filter(|(input, _)| is_secret(input));
    let keys: Vec<&str> = secret.flat_map(|(_, keys)| keys.iter().copied()).collect();
    for key in keys {
        if let Some(value) = outputs.get_mut(key) {
            hide(value);
        }
    }
}

fn hide(value: &mut PropertyValue) {
    if !value.is_secret() {
        *value = PropertyValue::secret(std::mem::take(value));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pulumi::properties;

    #[test]
    fn a_plain_payload_becomes_secret_and_an_unknown_one_stays_unknown() {
        let inputs = |payload: PropertyValue| {
            let test = PropertyMap::from([("payload".to_owned(), payload)]);
            PropertyMap::from([("smokeTest".to_owned(), PropertyValue::Object(test))])
        };
        let marked = mark(inputs("{}".into()));
        assert_eq!(marked, inputs(PropertyValue::Secret(Box::new("{}".into()))));
        assert_eq!(mark(inputs(PropertyValue::Unknown)), inputs(PropertyValue::Unknown));
    }

    #[test]
    fn what_is_made_from_a_secret_is_secret() {
        let secret = |text: &str| PropertyValue::Secret(Box::new(text.into()));
        let mut outputs = properties([
            ("functionName", secret("orders")),
            ("version", "2".into()),
            ("targetArn", "arn:orders".into()),
            ("servingVersion", "2".into()),
        ]);
        spread(&mut outputs);
        assert_eq!((&outputs["targetArn"], &outputs["servingVersion"]), (&secret("arn:orders"), &"2".into()));
        let once = outputs.clone();
        spread(&mut outputs);
        assert_eq!(outputs, once);
    }
}
