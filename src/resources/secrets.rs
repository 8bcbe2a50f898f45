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

#[cfg(test)]
mod tests {
    use super::*;

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
}
