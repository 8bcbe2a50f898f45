//! What goes over the wire comes back as it was, and nothing on the wire can crash the reader.

use std::collections::BTreeMap;

use proptest::prelude::*;
use prost_types::{ListValue, Struct, Value, value::Kind};

use super::*;
use crate::pulumi::{
    Archive, ArchiveSource, Asset, AssetSource, Input, OutputValue, PropertyMap, PropertyValue,
    ResourceReference, properties,
};

fn wire(kind: Kind) -> Value {
    Value { kind: Some(kind) }
}

fn text(value: &str) -> Value {
    wire(Kind::StringValue(value.to_owned()))
}

fn object<const N: usize>(fields: [(&str, Value); N]) -> Struct {
    Struct { fields: fields.into_iter().map(|(key, value)| (key.to_owned(), value)).collect() }
}

fn marked<const N: usize>(mark: &str, fields: [(&str, Value); N]) -> Struct {
    let mut marked = object(fields);
    marked.fields.insert(MARK.to_owned(), text(mark));
    object([("x", wire(Kind::StructValue(marked)))])
}

fn decoded(wire: Struct) -> PropertyValue {
    decode(wire).unwrap().remove("x").unwrap()
}

#[test]
fn each_sentinel_is_unknown_at_any_place() {
    for sentinel in UNKNOWNS {
        let list = wire(Kind::ListValue(ListValue { values: vec![text("a"), text(sentinel)] }));
        let nested = wire(Kind::StructValue(object([("leaf", text(sentinel)), ("list", list)])));
        let map = decode(object([("top", text(sentinel)), ("nested", nested)])).unwrap();
        assert_eq!(map["top"], PropertyValue::Unknown);
        let nested = map["nested"].as_object().unwrap();
        assert_eq!(nested["leaf"], PropertyValue::Unknown);
        assert_eq!(nested["list"].as_array().unwrap()[1], PropertyValue::Unknown);
    }
}

#[test]
fn unknown_is_written_as_a_string() {
    let wire = encode(&properties([("x", PropertyValue::Unknown)]));
    assert_eq!(wire.fields["x"], text(UNKNOWN_STRING));
}

#[test]
fn marked_objects_are_read() {
    let urn = "urn:pulumi:dev::p::a:b:C::n";
    let cases = [
        (marked(SECRET, [("value", text("s"))]), PropertyValue::secret("s")),
        (
            marked(SECRET, [("value", text(UNKNOWN_STRING))]),
            PropertyValue::Secret(Box::new(PropertyValue::Unknown)),
        ),
        (marked(OUTPUT, []), PropertyValue::Output(Box::default())),
        (
            marked(OUTPUT, [("value", text("v")), ("secret", wire(Kind::BoolValue(true)))]),
            PropertyValue::Output(Box::new(OutputValue {
                value: Some("v".into()),
                secret: true,
                dependencies: Vec::new(),
            })),
        ),
        (
            marked(RESOURCE, [("urn", text(urn)), ("id", text(""))]),
            PropertyValue::from(ResourceReference {
                urn: urn.to_owned(),
                id: Input::Unknown,
                ..ResourceReference::default()
            }),
        ),
        (
            marked(ASSET, [("hash", text("h"))]),
            PropertyValue::from(Asset { hash: "h".to_owned(), source: AssetSource::None }),
        ),
    ];
    for (wire, expected) in cases {
        assert_eq!(decoded(wire), expected);
    }
}

#[test]
fn what_cannot_be_read_is_named() {
    let bad_entry = wire(Kind::StructValue(object([("a.js", text("no asset"))])));
    let cases = [
        (marked("8c8b", []), "nothing is known (8c8b)"),
        (marked(BYTES, [("value", text("AA=="))]), "string of bytes"),
        (marked(SECRET, []), r#"a secret whose "value""#),
        (marked(RESOURCE, [("id", text("i"))]), r#"a resource whose "urn""#),
        (marked(OUTPUT, [("secret", text("yes"))]), r#"an output whose "secret""#),
        (marked(OUTPUT, [("dependencies", text("urn"))]), r#"an output whose "dependencies""#),
        (marked(ASSET, [("text", wire(Kind::NumberValue(1.0)))]), r#"an asset whose "text""#),
        (marked(ARCHIVE, [("assets", text("x"))]), r#"an archive whose "assets""#),
        (marked(ARCHIVE, [("assets", bad_entry)]), r#""x["a.js"]""#),
    ];
    for (wire, expected) in cases {
        let error = decode(wire).unwrap_err().to_string();
        assert!(error.contains(expected), "{error:?} should say {expected:?}");
    }
}

#[test]
fn an_error_says_where() {
    let list = wire(Kind::ListValue(ListValue { values: vec![text("fine"), marked_value("?")] }));
    let error = decode(object([("a", wire(Kind::StructValue(object([("b", list)]))))])).unwrap_err();
    assert!(error.to_string().contains("\"a.b[1]\""), "{error}");
}

fn marked_value(mark: &str) -> Value {
    wire(Kind::StructValue(object([(MARK, text(mark))])))
}

#[test]
fn nesting_is_bounded() {
    let nested =
        |levels| (0..levels).fold(text("core"), |inner, _| wire(Kind::StructValue(object([("n", inner)]))));
    assert!(decode(object([("n", nested(MAX_DEPTH - 1))])).is_ok());
    let error = decode(object([("n", nested(MAX_DEPTH))])).unwrap_err();
    assert!(error.to_string().contains("deep"), "{error}");
}

/// Any value that a provider may write.
fn any_value() -> impl Strategy<Value = PropertyValue> {
    let asset = prop_oneof![
        Just(AssetSource::None),
        ".*".prop_map(AssetSource::Text),
        ".*".prop_map(AssetSource::Path),
        ".*".prop_map(AssetSource::Uri)
    ];
    let leaf = prop_oneof![
        Just(PropertyValue::Null),
        any::<bool>().prop_map(PropertyValue::Bool),
        (-1e300..1e300).prop_map(PropertyValue::Number),
        ".*".prop_map(PropertyValue::String),
        Just(PropertyValue::Unknown),
        ("[a-f0-9]*", asset).prop_map(|(hash, source)| PropertyValue::from(Asset { hash, source })),
        any_resource().prop_map(PropertyValue::from),
    ];
    leaf.prop_recursive(4, 32, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(PropertyValue::Array),
            prop::collection::btree_map(".*", inner.clone(), 0..4).prop_map(PropertyValue::Object),
            inner.clone().prop_map(|value| PropertyValue::Secret(Box::new(value))),
            (prop::option::of(inner), any::<bool>(), prop::collection::vec(".+", 0..3)).prop_map(
                |(value, secret, dependencies)| {
                    PropertyValue::Output(Box::new(OutputValue { value, secret, dependencies }))
                }
            ),
        ]
    })
}

fn any_resource() -> impl Strategy<Value = ResourceReference> {
    let id = prop_oneof![Just(Input::Absent), Just(Input::Unknown), "[a-z]+".prop_map(Input::Known)];
    (".*", id, ".*", ".*", ".*").prop_map(|(urn, id, name, type_token, package_version)| ResourceReference {
        urn,
        id,
        name,
        type_token,
        package_version,
    })
}

/// Anything at all, with many marks and sentinels in it.
fn any_wire() -> impl Strategy<Value = Value> {
    const WORDS: [&str; 9] = [SECRET, RESOURCE, OUTPUT, ASSET, ARCHIVE, BYTES, UNKNOWN_STRING, "", "v"];
    const KEYS: [&str; 10] =
        [MARK, "value", "secret", "dependencies", "urn", "id", "hash", "text", "assets", "k"];
    let leaf = prop_oneof![
        Just(Value { kind: None }),
        Just(wire(Kind::NullValue(0))),
        any::<bool>().prop_map(|value| wire(Kind::BoolValue(value))),
        any::<f64>().prop_map(|value| wire(Kind::NumberValue(value))),
        prop::sample::select(&WORDS[..]).prop_map(text),
    ];
    leaf.prop_recursive(4, 64, 6, |inner| {
        let fields = prop::collection::btree_map(
            prop::sample::select(&KEYS[..]).prop_map(str::to_owned),
            inner.clone(),
            0..5,
        );
        prop_oneof![
            prop::collection::vec(inner, 0..4).prop_map(|values| wire(Kind::ListValue(ListValue { values }))),
            fields.prop_map(|fields: BTreeMap<_, _>| wire(Kind::StructValue(Struct { fields }))),
        ]
    })
}

proptest! {
    #[test]
    fn what_is_written_is_read_back(value in any_value()) {
        let map = properties([("x", value)]);
        prop_assert_eq!(decode(encode(&map)).unwrap(), map);
    }

    #[test]
    fn reading_never_panics(value in any_wire()) {
        if let Ok(map) = decode(object([("x", value)])) {
            // What could be read can be written, and is the same then.
            let again: PropertyMap = decode(encode(&map)).unwrap();
            prop_assert!(crate::pulumi::same(&again, &map));
        }
    }
}

#[test]
fn archives_come_back_as_they_were() {
    let entries = BTreeMap::from([
        ("a.js".to_owned(), PropertyValue::from(Asset { hash: "h".to_owned(), source: AssetSource::None })),
        ("sub".to_owned(), PropertyValue::from(Archive::default())),
    ]);
    let sources = [
        ArchiveSource::None,
        ArchiveSource::Assets(entries),
        ArchiveSource::Path("./dist".to_owned()),
        ArchiveSource::Uri("https://example.com/a.zip".to_owned()),
    ];
    for source in sources {
        let map = properties([("x", PropertyValue::from(Archive { hash: "h".to_owned(), source }))]);
        assert_eq!(decode(encode(&map)).unwrap(), map);
    }
}
