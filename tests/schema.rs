//! The schema and the code accept and produce the same properties.
#![expect(clippy::unwrap_used, reason = "a test ends where something unexpected is")]

use std::collections::{BTreeMap, BTreeSet};

use lambda_rollout::pulumi::{CheckFailure, PropertyMap, PropertyValue};
use lambda_rollout::resources::{
    deployment_waiter, function_alias, function_rollout, lambda_deployment, state,
};
use lambda_rollout::rollout::memory::{LastRollout, Memory};
use lambda_rollout::rollout::owner::Owner;
use serde_json::Value;

const RESOURCES: [&str; 4] = ["FunctionRollout", "FunctionAlias", "LambdaDeployment", "DeploymentWaiter"];

fn schema() -> Value {
    serde_json::from_str(include_str!("../schema.json")).unwrap()
}

fn resource<'a>(schema: &'a Value, name: &str) -> &'a Value {
    &schema["resources"][format!("lambda-rollout:index:{name}")]
}

fn check(resource: &str, inputs: PropertyMap) -> Vec<CheckFailure> {
    match resource {
        "FunctionRollout" => function_rollout::check(inputs).failures,
        "FunctionAlias" => function_alias::check(inputs).failures,
        "LambdaDeployment" => lambda_deployment::check(inputs).failures,
        "DeploymentWaiter" => deployment_waiter::check(inputs).failures,
        other => panic!("no resource {other}"),
    }
}

/// A value that the check likes, for properties whose text means something.
fn sample_text(path: &str) -> &'static str {
    match path.rsplit(['.', ']']).next().unwrap_or(path) {
        "functionName" | "beforeTraffic" | "afterTraffic" => "orders",
        "version" => "7",
        "interval" | "period" | "bake" | "timeout" => "5 minutes",
        "payload" | "expect" => "{}",
        "action" => "lambda:InvokeFunction",
        "serviceRoleArn" => "arn:aws:iam::123456789012:role/deploy",
        "permissionsBoundary" => "arn:aws:iam::123456789012:policy/boundary",
        "topicArn" => "arn:aws:sns:eu-west-1:123456789012:topic",
        "deploymentId" | "deploymentIds" => "d-ABCDEFGHI",
        _ => "text",
    }
}

/// A value of the schema's type; every optional property of an object is given.
fn sample(schema: &Value, property: &Value, path: &str) -> PropertyValue {
    if let Some(reference) = property["$ref"].as_str() {
        let token = reference.trim_start_matches("#/types/");
        let definition = &schema["types"][token];
        if let Some(choices) = definition["enum"].as_array() {
            return choices[choices.len() - 1]["value"].as_str().unwrap().into();
        }
        let members = definition["properties"].as_object().unwrap();
        return PropertyValue::Object(
            members
                .iter()
                .map(|(key, member)| (key.clone(), sample(schema, member, &format!("{path}.{key}"))))
                .collect(),
        );
    }
    match property["type"].as_str().unwrap() {
        "string" => sample_text(path).into(),
        "boolean" => true.into(),
        "integer" | "number" => 5.0.into(),
        "array" => PropertyValue::Array(vec![sample(schema, &property["items"], path)]),
        "object" => PropertyValue::Object(PropertyMap::from([("key".to_owned(), "value".into())])),
        other => panic!("{path}: {other}"),
    }
}

/// The required inputs.
fn minimal(schema: &Value, name: &str) -> PropertyMap {
    let resource = resource(schema, name);
    let required = resource["requiredInputs"].as_array().cloned().unwrap_or_default();
    let mut inputs: PropertyMap = required
        .iter()
        .map(|key| key.as_str().unwrap())
        .map(|key| (key.to_owned(), sample(schema, &resource["inputProperties"][key], key)))
        .collect();
    if name == "DeploymentWaiter" {
        inputs.insert("deploymentId".to_owned(), "d-ABCDEFGHI".into());
    }
    inputs
}

/// Inputs that cannot be given beside another one are given without it, and with what they need.
fn with(mut inputs: PropertyMap, key: &str, value: PropertyValue) -> PropertyMap {
    match key {
        "deploymentIds" => drop(inputs.remove("deploymentId")),
        "deploymentGroupName" => drop(inputs.insert("applicationName".to_owned(), "app".into())),
        _ => {}
    }
    inputs.insert(key.to_owned(), value);
    inputs
}

#[test]
fn every_input_of_the_schema_is_read_by_the_code() {
    let schema = schema();
    for name in RESOURCES {
        let properties = resource(&schema, name)["inputProperties"].as_object().unwrap();
        for (key, property) in properties {
            let inputs = with(minimal(&schema, name), key, sample(&schema, property, key));
            assert_eq!(check(name, inputs), [], "{name}.{key}");
        }
    }
}

#[test]
fn every_word_of_an_enum_is_understood() {
    let schema = schema();
    for name in RESOURCES {
        let properties = resource(&schema, name)["inputProperties"].as_object().unwrap();
        for (key, property) in properties {
            let token = property["$ref"].as_str().unwrap_or_default().trim_start_matches("#/types/");
            for choice in schema["types"][token]["enum"].as_array().into_iter().flatten() {
                let value = choice["value"].as_str().unwrap();
                assert_eq!(
                    check(name, with(minimal(&schema, name), key, value.into())),
                    [],
                    "{name}.{key} {value}"
                );
            }
        }
    }
}

#[test]
fn a_property_that_the_schema_does_not_have_is_refused() {
    let schema = schema();
    for name in RESOURCES {
        let inputs = with(minimal(&schema, name), "functionNme", "x".into());
        assert_eq!(check(name, inputs).len(), 1, "{name}");
    }
}

#[test]
fn every_required_input_is_required_by_the_code() {
    let schema = schema();
    for name in RESOURCES {
        let required = resource(&schema, name)["requiredInputs"].as_array().cloned().unwrap_or_default();
        for key in required.iter().map(|key| key.as_str().unwrap()) {
            let mut inputs = minimal(&schema, name);
            inputs.remove(key);
            let failures = check(name, inputs);
            assert_eq!(failures.len(), 1, "{name}.{key}: {failures:?}");
            assert!(failures[0].reason.contains("required"), "{name}.{key}: {failures:?}");
        }
    }
}

/// Every value with one of its leaves, or itself, unknown.
fn with_unknowns(value: &PropertyValue) -> Vec<PropertyValue> {
    let mut variants = vec![PropertyValue::Unknown];
    match value {
        PropertyValue::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                for unknown in with_unknowns(item) {
                    let mut copy = items.clone();
                    copy[index] = unknown;
                    variants.push(PropertyValue::Array(copy));
                }
            }
        }
        PropertyValue::Object(map) => {
            for (key, member) in map {
                for unknown in with_unknowns(member) {
                    let mut copy = map.clone();
                    copy.insert(key.clone(), unknown);
                    variants.push(PropertyValue::Object(copy));
                }
            }
        }
        _ => {}
    }
    variants
}

#[test]
fn anything_may_be_unknown_in_a_preview() {
    let schema = schema();
    let mut tried = 0;
    for name in RESOURCES {
        let properties = resource(&schema, name)["inputProperties"].as_object().unwrap();
        for (key, property) in properties {
            for value in with_unknowns(&sample(&schema, property, key)) {
                tried += 1;
                let shown = format!("{name}.{key} = {value:?}");
                assert_eq!(check(name, with(minimal(&schema, name), key, value)), [], "{shown}");
            }
        }
    }
    assert!(tried > 100, "{tried} variants");
}

#[test]
fn checked_inputs_check_again_to_the_same() {
    let schema = schema();
    let inputs = with(
        minimal(&schema, "FunctionRollout"),
        "smokeTest",
        PropertyValue::Object(PropertyMap::from([("payload".to_owned(), "{}".into())])),
    );
    let once = function_rollout::check(inputs).inputs;
    assert!(once["smokeTest"].contains_secret());
    assert_eq!(function_rollout::check(once.clone()).inputs, once);
}

#[test]
fn the_outputs_of_a_rollout_are_those_of_the_schema() {
    let schema = schema();
    let rollout = resource(&schema, "FunctionRollout");
    let inputs = minimal(&schema, "FunctionRollout");
    let mut memory = Memory::new(Owner::new("p", "s", "n", "g"), "123456789012", "eu-west-1", "aws");
    memory.last_rollout = Some(LastRollout::of("7", std::time::SystemTime::UNIX_EPOCH));
    let mut outputs = inputs;
    state::write(&mut outputs, &memory, "orders", "stable");

    let described: BTreeSet<&str> =
        rollout["properties"].as_object().unwrap().keys().map(String::as_str).collect();
    let unknown: Vec<_> =
        outputs.keys().filter(|key| !key.starts_with("__") && !described.contains(key.as_str())).collect();
    assert_eq!(unknown, Vec::<&String>::new(), "outputs that the schema does not describe");
    let required = rollout["required"].as_array().unwrap().iter().map(|key| key.as_str().unwrap());
    let missing: Vec<&str> = required.filter(|key| !outputs.contains_key(*key)).collect();
    assert_eq!(missing, Vec::<&str>::new(), "outputs that the schema promises");

    let last = &schema["types"]["lambda-rollout:index:LastRollout"]["properties"];
    let described: BTreeMap<_, _> = last.as_object().unwrap().iter().collect();
    let written = outputs["lastRollout"].as_object().unwrap();
    assert_eq!(written.keys().collect::<Vec<_>>(), described.keys().copied().collect::<Vec<_>>());
}

#[test]
fn the_keys_that_a_preview_forgets_are_the_inputs_of_the_schema() {
    let schema = schema();
    let described: BTreeSet<&str> = resource(&schema, "FunctionRollout")["inputProperties"]
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    assert_eq!(function_rollout::inputs::KEYS.iter().copied().collect::<BTreeSet<_>>(), described);
}
