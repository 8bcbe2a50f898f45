//! From JSON to the forms that AWS's oldest services want: `Tags.member.1.Key=…`.

use serde_json::Value;

/// The parameters of a form. A list is numbered, an `entry` list holds a map.
pub(crate) fn parameters(body: &Value) -> Vec<(String, String)> {
    let mut found = Vec::new();
    flatten("", body, &mut found);
    found
}

fn flatten(name: &str, value: &Value, found: &mut Vec<(String, String)>) {
    match value {
        Value::Null => {}
        Value::Object(members) => {
            for (key, member) in members {
                let name = if name.is_empty() { key.clone() } else { format!("{name}.{key}") };
                flatten(&name, member, found);
            }
        }
        Value::Array(items) => {
            for (item, n) in items.iter().zip(1..) {
                // A list of entries is SNS's way to write a map; any other list has members.
                let list = if name.rsplit('.').next() == Some("entry") {
                    name.to_owned()
                } else {
                    format!("{name}.member")
                };
                flatten(&format!("{list}.{n}"), item, found);
            }
        }
        Value::String(text) => found.push((name.to_owned(), text.clone())),
        other => found.push((name.to_owned(), other.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn lists_are_numbered_and_maps_are_entries() {
        let body = json!({
            "Name": "x",
            "Period": 60,
            "Dimensions": [{ "Name": "a" }, { "Name": "b" }],
            "Attributes": { "entry": [{ "key": "k", "value": "v" }] },
        });
        let found = parameters(&body);
        let mut found: Vec<_> = found.iter().map(|(name, value)| format!("{name}={value}")).collect();
        found.sort();
        assert_eq!(
            found,
            [
                "Attributes.entry.1.key=k",
                "Attributes.entry.1.value=v",
                "Dimensions.member.1.Name=a",
                "Dimensions.member.2.Name=b",
                "Name=x",
                "Period=60",
            ]
        );
    }
}
