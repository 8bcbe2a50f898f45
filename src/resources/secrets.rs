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

/// Outputs that hold the function's name, and outputs that hold a version.
const OF_FUNCTION: [&str; 7] = [
    "targetArn",
    "invokeArn",
    "latestTargetArn",
    "latestInvokeArn",
    "applicationName",
    "serviceRoleArn",
    "errorAlarmName",
];
const OF_VERSION: [&str; 3] = ["servingVersion", "failedVersion", "lastRollout"];

/// What is made from a secret input is secret too.
pub fn spread(outputs: &mut PropertyMap) {
    let is_secret = |key: &str| matches!(outputs.get(key), Some(PropertyValue::Secret(_)));
    let (function, version) = (is_secret("functionName"), is_secret("version"));
    let of_function = OF_FUNCTION.iter().filter(|_| function);
    let of_version = OF_VERSION.iter().chain(["errorAlarmName"].iter()).filter(|_| version);
    for key in of_function.chain(of_version) {
        if let Some(value) = outputs.get_mut(*key)
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
