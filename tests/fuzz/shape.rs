//! What the schema says that properties look like.

use std::sync::LazyLock;

use serde_json::Value;

/// The type of a property, with its words and members.
#[derive(Debug)]
pub(crate) enum Shape {
    Text,
    Flag,
    Number,
    Word(Vec<String>),
    List(Box<Shape>),
    /// Names of the user's own, with texts.
    Map,
    Object(Vec<Member>),
}

#[derive(Debug)]
pub(crate) struct Member {
    pub(crate) name: String,
    pub(crate) shape: Shape,
    pub(crate) required: bool,
}

/// A resource, a function, or the provider.
#[derive(Debug)]
pub(crate) struct Thing {
    /// Empty for the provider.
    pub(crate) token: String,
    pub(crate) inputs: Vec<Member>,
    /// Only what is computed; empty for all but resources.
    pub(crate) outputs: Vec<Member>,
}

#[derive(Debug)]
pub(crate) struct Schema {
    pub(crate) resources: Vec<Thing>,
    pub(crate) functions: Vec<Thing>,
    pub(crate) config: Thing,
}

pub(crate) static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
    let schema: Value = serde_json::from_str(include_str!("../../schema.json")).unwrap();
    let resources = schema["resources"].as_object().unwrap().iter();
    let functions = schema["functions"].as_object().unwrap().iter();
    Schema {
        resources: resources.map(|(token, resource)| read_resource(&schema, token, resource)).collect(),
        functions: functions
            .map(|(token, function)| Thing {
                token: token.clone(),
                inputs: members(&schema, &function["inputs"]["properties"], &function["inputs"]["required"]),
                outputs: Vec::new(),
            })
            .collect(),
        config: Thing {
            token: String::new(),
            inputs: members(&schema, &schema["config"]["variables"], &Value::Null),
            outputs: Vec::new(),
        },
    }
});

fn read_resource(schema: &Value, token: &str, resource: &Value) -> Thing {
    let inputs = members(schema, &resource["inputProperties"], &resource["requiredInputs"]);
    let mut outputs = members(schema, &resource["properties"], &Value::Null);
    outputs.retain(|output| inputs.iter().all(|input| input.name != output.name));
    Thing { token: token.to_owned(), inputs, outputs }
}

fn members(schema: &Value, properties: &Value, required: &Value) -> Vec<Member> {
    let is_required = |name: &str| required.as_array().is_some_and(|names| names.contains(&name.into()));
    let properties = properties.as_object().unwrap().iter();
    properties
        .map(|(name, property)| Member {
            name: name.clone(),
            shape: shape(schema, property),
            required: is_required(name),
        })
        .collect()
}

fn shape(schema: &Value, property: &Value) -> Shape {
    let definition = match property["$ref"].as_str() {
        Some(reference) => &schema["types"][reference.trim_start_matches("#/types/")],
        None => property,
    };
    if let Some(words) = definition["enum"].as_array() {
        return Shape::Word(words.iter().map(|word| word["value"].as_str().unwrap().to_owned()).collect());
    }
    match definition["type"].as_str().unwrap() {
        "string" => Shape::Text,
        "boolean" => Shape::Flag,
        "integer" | "number" => Shape::Number,
        "array" => Shape::List(Box::new(shape(schema, &definition["items"]))),
        "object" if definition["properties"].is_object() => {
            Shape::Object(members(schema, &definition["properties"], &definition["required"]))
        }
        "object" => Shape::Map,
        other => panic!("no shape for {other}"),
    }
}
