//! What is read, and what is said of what cannot be read.

use super::*;
use crate::pulumi::properties;

/// The failures that a reading leaves, as `path reason`.
fn failures<T>(map: &PropertyMap, read: impl FnOnce(&Reader<'_>) -> T) -> Vec<String> {
    let reader = Reader::new(map);
    read(&reader);
    lines(reader.finish())
}

fn lines(failures: Vec<CheckFailure>) -> Vec<String> {
    failures.into_iter().map(|failure| format!("{} {}", failure.path, failure.reason)).collect()
}

fn list<T: Into<PropertyValue>, const N: usize>(items: [T; N]) -> PropertyValue {
    items.into_iter().collect()
}

fn object<const N: usize>(entries: [(&str, PropertyValue); N]) -> PropertyValue {
    PropertyValue::Object(properties(entries))
}

#[test]
fn reads_each_type() {
    let map = properties([
        ("text", "t".into()),
        ("flag", true.into()),
        ("share", 0.5.into()),
        ("count", 7.into()),
        ("names", list(["a", "b"])),
        ("tags", object([("k", "v".into()), ("none", PropertyValue::Null)])),
    ]);
    let reader = Reader::new(&map);
    assert_eq!(reader.string("text"), Input::Known("t".to_owned()));
    assert_eq!(reader.boolean("flag"), Input::Known(true));
    assert_eq!(reader.number("share"), Input::Known(0.5));
    assert_eq!(reader.integer("count"), Input::Known(7));
    assert_eq!(reader.strings("names").all_known(), Input::Known(vec!["a".to_owned(), "b".to_owned()]));
    let tags = BTreeMap::from([("k".to_owned(), Input::Known("v".to_owned()))]);
    assert_eq!(reader.string_map("tags"), Input::Known(tags));
    assert_eq!(reader.string("missing"), Input::Absent);
    assert_eq!(reader.finish(), []);
}

#[test]
fn unknown_and_null_are_no_mistakes() {
    let map = properties([
        ("unknown", PropertyValue::Unknown),
        ("null", PropertyValue::Null),
        ("secret", PropertyValue::secret(PropertyValue::Unknown)),
        ("names", vec![PropertyValue::Unknown, PropertyValue::Null, "a".into()].into()),
    ]);
    let reader = Reader::new(&map);
    assert_eq!(reader.boolean("unknown"), Input::Unknown);
    assert_eq!(reader.object("unknown", |_| panic!("there is nothing to read")), Input::<()>::Unknown);
    assert_eq!(reader.integer("null"), Input::Absent);
    assert_eq!(reader.string("secret"), Input::Unknown);
    let names = reader.strings("names");
    assert_eq!(names, Input::Known(vec![Input::Unknown, Input::Known("a".to_owned())]));
    assert_eq!(names.all_known(), Input::Unknown);
    assert_eq!(reader.finish(), []);
}

#[test]
fn says_what_is_wrong_and_where() {
    let map = properties([
        ("text", 1.into()),
        ("flag", "yes".into()),
        ("count", 1.5.into()),
        ("percent", 100.into()),
        ("names", vec![PropertyValue::from("a"), 2.into()].into()),
        ("tags", object([("k.x", true.into())])),
        ("long", "x".repeat(100).into()),
        ("inner", list(["not an object"])),
    ]);
    let said = failures(&map, |reader| {
        assert_eq!(reader.string("text"), Input::Unknown);
        reader.boolean("flag");
        reader.integer("count");
        reader.integer_in("percent", 1..=99);
        reader.strings("names");
        reader.string_map("tags");
        reader.number("long");
        reader.objects("inner", |_| ());
        reader.required("absent", reader.string("absent"));
    });
    let expected = [
        "text must be a string, not 1",
        "flag must be true or false, not \"yes\"",
        "count must be a whole number, not 1.5",
        "percent must be a whole number from 1 to 99, not 100",
        "names[1] must be a string, not 2",
        "tags[\"k.x\"] must be a string, not true",
        &format!("long must be a number, not \"{}…\"", "x".repeat(60)),
        "inner[0] must be an object, not \"not an object\"",
        "absent is required, but was not given",
    ];
    assert_eq!(said, expected);
}

#[test]
fn objects_are_read_by_readers_of_their_own() {
    let map = properties([
        ("strategy", object([("type", "canary".into()), ("percent", 5.into())])),
        ("permissions", list([object([("principal", "a".into())]), object([("principle", "b".into())])])),
    ]);
    let reader = Reader::new(&map);
    let kind = reader.object("strategy", |strategy| {
        strategy.integer("percentage");
        strategy.string("type").known()
    });
    assert_eq!(kind, Input::Known(Some("canary".to_owned())));
    let principals = reader.objects("permissions", |permission| permission.string("principal").known());
    assert_eq!(principals.all_known(), Input::Known(vec![Some("a".to_owned()), None]));
    assert_eq!(
        lines(reader.finish()),
        [
            "strategy.percent is not known here; did you mean \"percentage\"?",
            "permissions[1].principle is not known here; did you mean \"principal\"?",
        ]
    );
}

#[test]
fn names_what_nobody_asked_for() {
    let map = properties([
        ("functoinName", "f".into()),
        ("memory", 1.into()),
        ("__internal", 1.into()),
        ("nothing", PropertyValue::Null),
        ("kept", 1.into()),
    ]);
    let said = failures(&map, |reader| {
        reader.string("functionName");
        reader.string("version");
        reader.ignore("kept");
    });
    assert_eq!(
        said,
        [
            "functoinName is not known here; did you mean \"functionName\"?",
            "memory is not known here; known are functionName, kept and version",
        ]
    );
}

#[test]
fn choices_are_listed() {
    let choices = [("canary", 1), ("linear", 2), ("allAtOnce", 3)];
    let map = properties([
        ("good", "linear".into()),
        ("slip", "lineer".into()),
        ("bad", "blue".into()),
        ("many", list(["canary", "Linear"])),
    ]);
    let reader = Reader::new(&map);
    assert_eq!(reader.choice("good", &choices), Input::Known(2));
    assert_eq!(reader.choice("slip", &choices), Input::Unknown);
    reader.choice("bad", &choices);
    assert_eq!(reader.choices("many", &choices), Input::Known(vec![Input::Known(1), Input::Unknown]));
    assert_eq!(
        lines(reader.finish()),
        [
            "slip must be \"canary\", \"linear\" or \"allAtOnce\", not \"lineer\"; did you mean \"linear\"?",
            "bad must be \"canary\", \"linear\" or \"allAtOnce\", not \"blue\"",
            "many[1] must be \"canary\", \"linear\" or \"allAtOnce\", not \"Linear\"; did you mean \"linear\"?",
        ]
    );
}

#[test]
fn parsing_says_why_not() {
    let even = |text: &str| match text.parse::<u32>() {
        Ok(number) if number % 2 == 0 => Ok(number),
        _ => Err(format!("{text} is odd")),
    };
    let map = properties([("good", "4".into()), ("bad", "5".into()), ("worse", 4.into())]);
    let reader = Reader::new(&map);
    assert_eq!(reader.parse("good", even), Input::Known(4));
    assert_eq!(reader.parse("bad", even), Input::Unknown);
    reader.parse("worse", even);
    let expected = ["bad cannot be \"5\": 5 is odd", "worse must be a string, not 4"];
    assert_eq!(lines(reader.finish()), expected);
}

#[test]
fn no_failure_holds_a_secret() {
    const MARKER: &str = "hunter2hunter2";
    let secret = || PropertyValue::secret(MARKER);
    let map = properties([
        ("flag", secret()),
        ("choice", secret()),
        ("parsed", secret()),
        ("names", PropertyValue::secret(vec![object([("key", MARKER.into())])])),
        ("inner", PropertyValue::secret(object([("count", MARKER.into())]))),
        ("stranger", secret()),
    ]);
    let said = failures(&map, |reader| {
        assert!(reader.is_secret("flag"));
        reader.boolean("flag");
        reader.choice("choice", &[("hunter2hunter", ())]);
        reader.parse("parsed", |text| Err::<(), _>(format!("what is {text}?")));
        reader.strings("names");
        reader.object("inner", |inner| inner.integer("count"));
    });
    assert_eq!(said.len(), 6, "{said:#?}");
    assert!(!format!("{said:?} {map:?}").contains("hunter2hunter2"), "{said:#?}");
    assert!(said.contains(&"flag must be true or false, not this secret, which is a string".to_owned()));
}

#[test]
fn secrets_are_read_like_anything_else() {
    let map = properties([("token", PropertyValue::secret("t"))]);
    let reader = Reader::new(&map);
    assert_eq!(reader.string("token"), Input::Known("t".to_owned()));
    assert!(reader.is_secret("token"));
    assert!(!reader.is_secret("other"));
}

#[test]
fn configuration_may_come_as_strings() {
    let typed = properties([
        ("flag", true.into()),
        ("count", 7.into()),
        ("share", 0.5.into()),
        ("options", object([("retries", 3.into()), ("names", list(["a"]))])),
        ("names", list(["a", "b"])),
        ("region", "7".into()),
    ]);
    let strings = properties([
        ("flag", "true".into()),
        ("count", "7".into()),
        ("share", "0.5".into()),
        ("options", r#"{"retries": 3, "names": ["a"]}"#.into()),
        ("names", PropertyValue::secret(r#"["a", "b"]"#)),
        ("region", "7".into()),
        ("version", "1.2.3".into()),
    ]);
    for map in [typed, strings] {
        let reader = Reader::lenient(&map);
        assert_eq!(reader.boolean("flag"), Input::Known(true));
        assert_eq!(reader.integer("count"), Input::Known(7));
        assert_eq!(reader.number("share"), Input::Known(0.5));
        assert_eq!(reader.string("region"), Input::Known("7".to_owned()), "a string stays one");
        assert_eq!(reader.strings("names").all_known().known().unwrap().len(), 2);
        let options = reader
            .object("options", |options| (options.integer("retries"), options.strings("names").all_known()));
        assert_eq!(options, Input::Known((Input::Known(3), Input::Known(vec!["a".to_owned()]))));
        assert_eq!(reader.finish(), []);
    }
}

#[test]
fn inputs_are_not_read_leniently() {
    let map = properties([("flag", "true".into())]);
    let said = failures(&map, |reader| reader.boolean("flag"));
    assert_eq!(said, ["flag must be true or false, not \"true\""]);
}

#[test]
fn configuration_that_makes_no_sense_is_said_as_it_was_written() {
    let map = properties([("count", "seven".into()), ("options", "{broken".into())]);
    let reader = Reader::lenient(&map);
    reader.integer("count");
    reader.object("options", |_| ());
    let expected =
        ["count must be a whole number, not \"seven\"", "options must be an object, not \"{broken\""];
    assert_eq!(lines(reader.finish()), expected);
}
