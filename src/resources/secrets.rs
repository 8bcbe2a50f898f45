//! Inputs that are secret whether or not the program says so.

use crate::pulumi::{PropertyMap, PropertyValue};

/// Wraps the payload of a smoke test, which may hold credentials.
pub fn mark(mut inputs: PropertyMap) -> PropertyMap {
    if let Some(PropertyValue::Object(test)) = inputs.get_mut("smokeTest")
        && let Some(payload) = test.get_mut("payload")
        && matches!(payload, PropertyValue::String(_))
    {
        *payload = PropertyValue::Secret(Box::new(std::mem::replace(payload, PropertyValue::Null)));
    }
    inputs
}

/// Outputs that hold the function's name, the alias's, and a version.
const OF_FUNCTION: [&str; 7] = [
    "targetArn",
    "invokeArn",
    "latestTargetArn",
    "latestInvokeArn",
    "applicationName",
    "serviceRoleArn",
    "errorAlarmName",
];
const OF_ALIAS: [&str; 7] = [
    "qualifier",
    "targetArn",
    "invokeArn",
    "applicationName",
    "deploymentGroupName",
    "serviceRoleArn",
    "errorAlarmName",
];
const OF_VERSION: [&str; 5] =
    ["servingVersion", "failedVersion", "lastRollout", "errorAlarmName", "__rollout"];

/// What is made from a secret input is secret too.
pub fn spread(outputs: &mut PropertyMap) {
    let is_secret = |key: &str| matches!(outputs.get(key), Some(PropertyValue::Secret(_)));
    let made_from =
        [("functionName", &OF_FUNCTION[..]), ("aliasName", &OF_ALIAS[..]), ("version", &OF_VERSION[..])];
    let keys: Vec<&str> = made_from
        .into_iter()
        .filter(|(input, _)| is_secret(input))
        .flat_map(|(_, keys)| keys.iter().copied())
        .collect();
    for key in keys {
        if let Some(value) = outputs.get_mut(key)
            && !matches!(value, PropertyValue::Secret(_))
        {
            *value = PropertyValue::Secret(Box::new(std::mem::replace(value, PropertyValue::Null)));
        }
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
