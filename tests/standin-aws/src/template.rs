//! What stands in the table instead of values, and how it is filled.
//!
//! | written | means |
//! | --- | --- |
//! | `$a.b.0` | the value at that path, whatever it is |
//! | `text ${a.b}` | a text with values in it |
//! | `{$each: $list, $do: …}` | a list: what follows, once for each element, which is called `item` |
//! | `{$each: $map, $do: …}` | the same for a map's `item.key` and `item.value` |
//! | `{$pascal: $a}` | the same value, its keys with capitals, as most of AWS's services write them |
//! | `{$or: [$a, false]}` | the first that is there |
//! | `{$document: $a}` | the value as a JSON text, unless it is a text already |
//! | `{$if: a.b, …}` | the object, if there is a value at that path |
//!
//! What is not there is left out, with the text or member that needs it.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value, json};

/// Fills a template with what is known.
pub(crate) fn fill(template: &Value, known: &Value) -> Value {
    match template {
        Value::String(text) => fill_text(text, known),
        Value::Array(items) => {
            Value::Array(items.iter().map(|item| fill(item, known)).filter(|item| !item.is_null()).collect())
        }
        Value::Object(members) => special(members, known).unwrap_or_else(|| {
            let members = members.iter().filter(|(key, _)| *key != "$if");
            let filled = members.map(|(key, value)| (key.clone(), fill(value, known)));
            Value::Object(filled.filter(|(_, value)| !value.is_null()).collect())
        }),
        other => other.clone(),
    }
}

/// Fills a call's line; what goes into it is encoded as a part of a path. What stands in brackets may be left out.
pub(crate) fn fill_line(line: &str, known: &Value) -> Option<String> {
    let fill =
        |part| interpolate(part, known, |text| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string());
    let (line, optional) = line.strip_suffix(']').and_then(|line| line.split_once('[')).unwrap_or((line, ""));
    Some(fill(line)? + &fill(optional).unwrap_or_default())
}

/// The value at a path like `a.b.0`.
pub(crate) fn at<'a>(known: &'a Value, path: &str) -> Option<&'a Value> {
    let found = path.split('.').try_fold(known, |value, key| match value {
        Value::Array(items) => items.get(key.parse::<usize>().ok()?),
        other => other.get(key),
    });
    found.filter(|value| !value.is_null())
}

fn fill_text(text: &str, known: &Value) -> Value {
    match text.strip_prefix('$').filter(|path| !path.starts_with('{')) {
        Some(path) => at(known, path).cloned().unwrap_or_default(),
        None => interpolate(text, known, str::to_owned).map_or(Value::Null, Value::String),
    }
}

fn interpolate(text: &str, known: &Value, encode: impl Fn(&str) -> String) -> Option<String> {
    let mut filled = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        let (path, after) = after.split_once('}')?;
        let value = match at(known, path)? {
            Value::String(text) => encode(text),
            other => encode(&other.to_string()),
        };
        filled = filled + before + &value;
        rest = after;
    }
    Some(filled + rest)
}

fn special(members: &Map<String, Value>, known: &Value) -> Option<Value> {
    if let Some(list) = members.get("$each") {
        return Some(each(&fill(list, known), members.get("$do")?, known));
    }
    if let Some(value) = members.get("$pascal") {
        return Some(pascal(fill(value, known)));
    }
    if let Some(value) = members.get("$document") {
        return Some(document(fill(value, known)));
    }
    if let Some(choices) = members.get("$or").and_then(Value::as_array) {
        let found = choices.iter().map(|choice| fill(choice, known)).find(|value| !value.is_null());
        return Some(found.unwrap_or_default());
    }
    let needed = members.get("$if")?.as_str()?;
    at(known, needed).is_none().then_some(Value::Null)
}

fn each(list: &Value, template: &Value, known: &Value) -> Value {
    let items: Vec<Value> = match list {
        Value::Array(items) => items.clone(),
        Value::Object(members) => {
            members.iter().map(|(key, value)| json!({ "key": key, "value": value })).collect()
        }
        _ => return Value::Null,
    };
    let filled = items.into_iter().map(|item| {
        let mut known = known.clone();
        known["item"] = item;
        fill(template, &known)
    });
    Value::Array(filled.collect())
}

fn pascal(value: Value) -> Value {
    match value {
        Value::Array(items) => Value::Array(items.into_iter().map(pascal).collect()),
        Value::Object(members) => {
            Value::Object(members.into_iter().map(|(key, value)| (capital(&key), pascal(value))).collect())
        }
        other => other,
    }
}

fn document(value: Value) -> Value {
    match value {
        Value::Null | Value::String(_) => value,
        other => Value::String(other.to_string()),
    }
}

fn capital(key: &str) -> String {
    let mut letters = key.chars();
    letters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(letters).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known() -> Value {
        json!({
            "name": "jobs", "size": 3, "tags": { "a": "1" }, "list": [{ "x": 1 }], "answer": { "Arn": "arn:1" },
            "cors": { "allowOrigins": ["*"], "maxAge": 5 }, "none": null,
        })
    }

    #[test]
    fn templates_are_filled() {
        let cases = [
            (json!("plain"), json!("plain")),
            (json!("$size"), json!(3)),
            (json!("${size}"), json!("3")),
            (json!("$answer.Arn"), json!("arn:1")),
            (json!("$list.0.x"), json!(1)),
            (json!("queue ${name} of ${size}"), json!("queue jobs of 3")),
            (json!("queue ${missing}"), Value::Null),
            (json!({ "A": "$name", "B": "$missing", "C": "$none" }), json!({ "A": "jobs" })),
            (json!(["$missing", "$name"]), json!(["jobs"])),
            (
                json!({ "$each": "$tags", "$do": { "Key": "$item.key", "Value": "$item.value" } }),
                json!([{ "Key": "a", "Value": "1" }]),
            ),
            (
                json!({ "$each": "$list", "$do": { "X": "$item.x", "Of": "$name" } }),
                json!([{ "X": 1, "Of": "jobs" }]),
            ),
            (json!({ "$each": "$missing", "$do": "x" }), Value::Null),
            (json!({ "$pascal": "$cors" }), json!({ "AllowOrigins": ["*"], "MaxAge": 5 })),
            (json!({ "$or": ["$missing", "$name"] }), json!("jobs")),
            (json!({ "$or": ["$missing", false] }), json!(false)),
            (json!({ "$document": "$tags" }), json!("{\"a\":\"1\"}")),
            (json!({ "$document": "$name" }), json!("jobs")),
            (json!({ "$document": "$missing" }), Value::Null),
            (json!({ "$if": "missing", "A": "$name" }), Value::Null),
            (json!([{ "$if": "name", "A": "$name" }]), json!([{ "A": "jobs" }])),
        ];
        for (template, expected) in cases {
            assert_eq!(fill(&template, &known()), expected, "{template}");
        }
    }

    #[test]
    fn what_goes_into_a_line_is_encoded() {
        let known = json!({ "id": "arn:a/b" });
        assert_eq!(fill_line("lambda GET /f/${id}", &known).as_deref(), Some("lambda GET /f/arn%3Aa%2Fb"));
        assert_eq!(fill_line("lambda GET /f/${other}", &known), None);
        assert_eq!(
            fill_line("lambda GET /f[?id=${id}]", &known).as_deref(),
            Some("lambda GET /f?id=arn%3Aa%2Fb")
        );
        assert_eq!(fill_line("lambda GET /f[?id=${other}]", &known).as_deref(), Some("lambda GET /f"));
    }
}
