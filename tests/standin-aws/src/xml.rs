//! As much XML as AWS's answers and requests hold: elements and text. Both ways between that and JSON.

use serde_json::{Map, Value};

/// What an answer's root element holds. An element that repeats is a list; a list of one cannot be told from a member.
pub(crate) fn read(xml: &str) -> Value {
    let mut rest = xml;
    while let Some(start) = rest.find('<') {
        if !rest[start..].starts_with("<?") && !rest[start..].starts_with("<!") {
            return element(&rest[start..]).map_or(Value::Null, |(_, value, _)| value);
        }
        rest = rest[start..].split_once('>').map_or("", |(_, rest)| rest);
    }
    Value::Null
}

/// The name and value of the element that the text starts with, and what follows it.
fn element(text: &str) -> Option<(&str, Value, &str)> {
    let (tag, mut rest) = text.strip_prefix('<')?.split_once('>')?;
    let name = tag.split([' ', '/', '\n']).next()?;
    if tag.ends_with('/') {
        return Some((name, Value::String(String::new()), rest));
    }
    let mut members = Map::new();
    loop {
        let (before, _) = rest.split_once('<')?;
        let here = &rest[before.len()..];
        if let Some(end) = here.strip_prefix("</") {
            let value =
                if members.is_empty() { Value::String(unescape(before)) } else { Value::Object(members) };
            return Some((name, value, end.split_once('>')?.1));
        }
        let (name, value, after) = element(here)?;
        add(&mut members, name, value);
        rest = after;
    }
}

fn add(members: &mut Map<String, Value>, name: &str, value: Value) {
    match members.get_mut(name) {
        None => {
            members.insert(name.to_owned(), value);
        }
        Some(Value::Array(items)) => items.push(value),
        Some(first) => *first = Value::Array(vec![first.take(), value]),
    }
}

/// A request's body: each member is an element, a list is an element that repeats.
pub(crate) fn write(body: &Value) -> String {
    match body {
        Value::Null => String::new(),
        Value::Object(members) => members.iter().map(|(name, value)| elements(name, value)).collect(),
        Value::Array(items) => items.iter().map(write).collect(),
        Value::String(text) => escape(text),
        other => other.to_string(),
    }
}

fn elements(name: &str, value: &Value) -> String {
    match value {
        Value::Array(items) => items.iter().map(|item| elements(name, item)).collect(),
        value => format!("<{name}>{}</{name}>", write(value)),
    }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

fn unescape(text: &str) -> String {
    [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&apos;", "'"), ("&#34;", "\""), ("&#39;", "'")]
        .iter()
        .fold(text.to_owned(), |text, (escaped, plain)| text.replace(escaped, plain))
        .replace("&amp;", "&")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_answer_becomes_json() {
        let xml = "<?xml version=\"1.0\"?>\n<R xmlns=\"x\"> <Role><Arn>a&amp;b</Arn><Path/></Role>\
                   <L><member>1</member><member>2</member></L> </R>";
        let expected = json!({ "Role": { "Arn": "a&b", "Path": "" }, "L": { "member": ["1", "2"] } });
        assert_eq!(read(xml), expected);
    }

    #[test]
    fn half_an_answer_is_none() {
        for xml in ["", "nonsense", "<a>", "<a><b></a"] {
            assert_eq!(read(xml), Value::Null, "{xml}");
        }
    }

    #[test]
    fn a_request_is_written() {
        let body = json!({ "N": { "Queue": [{ "Id": "<1>" }, { "Id": "2" }] } });
        assert_eq!(write(&body), "<N><Queue><Id>&lt;1&gt;</Id></Queue><Queue><Id>2</Id></Queue></N>");
    }
}
