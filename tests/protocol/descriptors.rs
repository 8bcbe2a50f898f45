//! Our messages against the official ones, as `@pulumi/pulumi` has them.

use std::collections::BTreeSet;

use prost::Message;
use prost_types::{
    DescriptorProto, EnumDescriptorProto, FieldDescriptorProto, FileDescriptorSet, MessageOptions,
    ServiceDescriptorProto,
    field_descriptor_proto::{Label, Type},
};

use crate::javascript::output_of;

/// What newer engines added to messages that the older package has too.
const ADDED_LATER: [&str; 8] = [
    "field pulumirpc.CheckRequest 9 oldoutputs google.protobuf.Struct",
    "field pulumirpc.ProviderHandshakeRequest 12 sendsoldoutputstocheck bool",
    "field pulumirpc.ProviderHandshakeRequest 13 acceptsoutputsininvoke bool",
    "field pulumirpc.ProviderHandshakeRequest 14 acceptsoutputsincall bool",
    "field pulumirpc.ProviderHandshakeRequest 15 acceptsoutputsincheck bool",
    "field pulumirpc.ProviderHandshakeResponse 7 acceptsoutputsininvoke bool",
    "field pulumirpc.ProviderHandshakeResponse 8 acceptsoutputsincall bool",
    "field pulumirpc.ProviderHandshakeResponse 9 acceptsoutputsincheck bool",
];

/// What the server answers with UNIMPLEMENTED because it does not know it.
const NOT_SERVED: [&str; 4] = ["Parameterize", "Construct", "Call", "List"];

#[tokio::test]
async fn our_messages_are_the_official_ones() {
    let official = facts(output_of("facts.js", &[]).await.lines().map(str::to_owned));
    let ours = our_facts();
    assert!(ours.len() > 150, "only {} facts: is the descriptor set complete?", ours.len());

    let later = facts(ADDED_LATER.map(str::to_owned));
    let invented: Vec<_> = ours.difference(&official).filter(|fact| !later.contains(*fact)).collect();
    assert!(invented.is_empty(), "not official: {invented:#?}");

    let missing: Vec<_> = official.difference(&ours).filter(|fact| concerns_us(fact, &ours)).collect();
    assert!(missing.is_empty(), "not ours: {missing:#?}");
}

/// Whether an official fact is about something that we have: a field of our message, a value of our enum, or a call
/// of the service that we serve.
fn concerns_us(fact: &str, ours: &BTreeSet<String>) -> bool {
    let words: Vec<&str> = fact.split(' ').collect();
    match words[..] {
        ["field", message, ..] => ours.contains(&format!("message {message}")),
        ["enum", name, ..] => ours.iter().any(|ours| ours.starts_with(&format!("enum {name} "))),
        ["call", "ResourceProvider", call, ..] => !NOT_SERVED.contains(&call),
        _ => false,
    }
}

fn facts(lines: impl IntoIterator<Item = String>) -> BTreeSet<String> {
    lines.into_iter().collect()
}

fn our_facts() -> BTreeSet<String> {
    let set = include_bytes!(concat!(env!("OUT_DIR"), "/pulumirpc.bin"));
    let set = FileDescriptorSet::decode(&set[..]).unwrap();
    let mut facts = BTreeSet::new();
    for file in set.file.iter().filter(|file| file.package() == "pulumirpc") {
        file.message_type.iter().for_each(|message| message_facts("pulumirpc", message, &mut facts));
        file.enum_type.iter().for_each(|values| enum_facts("pulumirpc", values, &mut facts));
        file.service.iter().for_each(|service| service_facts(service, &mut facts));
    }
    facts
}

fn message_facts(scope: &str, message: &DescriptorProto, facts: &mut BTreeSet<String>) {
    let name = format!("{scope}.{}", message.name());
    facts.insert(format!("message {name}"));
    for field in &message.field {
        let field_name = field.name().to_lowercase().replace('_', "");
        facts.insert(format!("field {name} {} {field_name} {}", field.number(), field_type(message, field)));
    }
    let nested = message.nested_type.iter().filter(|nested| !is_map_entry(nested));
    nested.for_each(|nested| message_facts(&name, nested, facts));
    message.enum_type.iter().for_each(|values| enum_facts(&name, values, facts));
}

fn is_map_entry(message: &DescriptorProto) -> bool {
    message.options.as_ref().is_some_and(MessageOptions::map_entry)
}

fn field_type(message: &DescriptorProto, field: &FieldDescriptorProto) -> String {
    let simple = |field: &FieldDescriptorProto| match field.r#type() {
        Type::Message | Type::Enum => field.type_name().trim_start_matches('.').to_owned(),
        scalar => scalar.as_str_name().trim_start_matches("TYPE_").to_lowercase(),
    };
    if field.label() != Label::Repeated {
        let optional = if field.proto3_optional() { "optional " } else { "" };
        return format!("{optional}{}", simple(field));
    }
    let entry =
        message.nested_type.iter().find(|nested| field.type_name().ends_with(&format!(".{}", nested.name())));
    match entry.filter(|entry| is_map_entry(entry)) {
        Some(entry) => format!("map<{},{}>", simple(&entry.field[0]), simple(&entry.field[1])),
        None => format!("repeated {}", simple(field)),
    }
}

fn enum_facts(scope: &str, values: &EnumDescriptorProto, facts: &mut BTreeSet<String>) {
    for value in &values.value {
        facts.insert(format!("enum {scope}.{} {} {}", values.name(), value.name(), value.number()));
    }
}

fn service_facts(service: &ServiceDescriptorProto, facts: &mut BTreeSet<String>) {
    for call in &service.method {
        let (request, response) =
            (call.input_type().trim_start_matches('.'), call.output_type().trim_start_matches('.'));
        let (service, name) = (service.name(), call.name());
        let (requests, responses) = (call.client_streaming(), call.server_streaming());
        facts.insert(format!("call {service} {name} {request} {response} {requests} {responses}"));
    }
}
