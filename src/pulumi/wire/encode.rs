//! From property values to the wire.

use std::collections::BTreeMap;

use prost_types::{ListValue, NullValue, Struct, Value, value::Kind};

use super::super::{
    asset::{Archive, ArchiveSource, Asset, AssetSource, ResourceReference},
    input::Input,
    value::{OutputValue, PropertyMap, PropertyValue},
};
use super::{ARCHIVE, ASSET, MARK, OUTPUT, RESOURCE, SECRET, UNKNOWN_STRING};

/// Writes properties for a message.
pub fn encode(properties: &PropertyMap) -> Struct {
    write(properties.clone())
}

/// The same, with nothing copied: an answer is often as large as its request.
pub fn write(properties: PropertyMap) -> Struct {
    Struct { fields: properties.into_iter().map(|(key, value)| (key, write_value(value))).collect() }
}

fn write_value(value: PropertyValue) -> Value {
    match value {
        PropertyValue::Null => wire(Kind::NullValue(NullValue::NullValue.into())),
        PropertyValue::Bool(value) => wire(Kind::BoolValue(value)),
        PropertyValue::Number(value) => wire(Kind::NumberValue(value)),
        PropertyValue::String(value) => text(value),
        PropertyValue::Array(items) => list(items.into_iter().map(write_value)),
        PropertyValue::Object(map) => wire(Kind::StructValue(write(map))),
        PropertyValue::Unknown => text(UNKNOWN_STRING),
        PropertyValue::Secret(inner) => marked(SECRET, [("value", Some(write_value(*inner)))]),
        PropertyValue::Output(output) => write_output(*output),
        PropertyValue::Asset(asset) => write_asset(*asset),
        PropertyValue::Archive(archive) => write_archive(*archive),
        PropertyValue::Resource(reference) => write_resource(*reference),
    }
}

fn write_output(output: OutputValue) -> Value {
    let dependencies = output.dependencies;
    marked(
        OUTPUT,
        [
            ("value", output.value.map(write_value)),
            ("secret", output.secret.then(|| wire(Kind::BoolValue(true)))),
            ("dependencies", (!dependencies.is_empty()).then(|| list(dependencies.into_iter().map(text)))),
        ],
    )
}

fn write_resource(reference: ResourceReference) -> Value {
    let id = match reference.id {
        Input::Absent => None,
        Input::Unknown => Some(text("")),
        Input::Known(id) => Some(text(id)),
    };
    marked(
        RESOURCE,
        [
            ("urn", Some(text(reference.urn))),
            ("id", id),
            ("name", filled(reference.name)),
            ("type", filled(reference.type_token)),
            ("packageVersion", filled(reference.package_version)),
        ],
    )
}

fn write_asset(asset: Asset) -> Value {
    let source = match asset.source {
        AssetSource::None => ("text", None),
        AssetSource::Text(content) => ("text", Some(text(content))),
        AssetSource::Path(path) => ("path", Some(text(path))),
        AssetSource::Uri(uri) => ("uri", Some(text(uri))),
    };
    marked(ASSET, [("hash", filled(asset.hash)), source])
}

fn write_archive(archive: Archive) -> Value {
    let source = match archive.source {
        ArchiveSource::None => ("assets", None),
        ArchiveSource::Assets(entries) => ("assets", Some(wire(Kind::StructValue(write(entries))))),
        ArchiveSource::Path(path) => ("path", Some(text(path))),
        ArchiveSource::Uri(uri) => ("uri", Some(text(uri))),
    };
    marked(ARCHIVE, [("hash", filled(archive.hash)), source])
}

fn marked<const N: usize>(mark: &str, fields: [(&str, Option<Value>); N]) -> Value {
    let mut object = BTreeMap::from([(MARK.to_owned(), text(mark))]);
    for (name, value) in fields {
        if let Some(value) = value {
            object.insert(name.to_owned(), value);
        }
    }
    wire(Kind::StructValue(Struct { fields: object }))
}

fn filled(value: String) -> Option<Value> {
    (!value.is_empty()).then(|| text(value))
}

fn text(value: impl Into<String>) -> Value {
    wire(Kind::StringValue(value.into()))
}

fn list(items: impl Iterator<Item = Value>) -> Value {
    wire(Kind::ListValue(ListValue { values: items.collect() }))
}

fn wire(kind: Kind) -> Value {
    Value { kind: Some(kind) }
}
