//! The AppSpec of a Lambda deployment, in JSON or YAML: which alias moves from which version to which, and its hooks.

use serde_json::Value;

use super::lifecycle::{EVENTS, Failure};

/// What an AppSpec says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AppSpec {
    pub(crate) function: String,
    pub(crate) alias: String,
    pub(crate) current: String,
    pub(crate) target: String,
    /// The hook functions before and after traffic.
    pub(crate) hooks: [Option<String>; 2],
}

const NOT_PARSED: &str = "The input AppSpec file is a not well-formed yaml. The template cannot be parsed.";

/// Reads an AppSpec. Keys are taken in any case, because the service's own guide writes both.
pub(crate) fn parse(content: &str) -> Result<AppSpec, Failure> {
    let document: Value = serde_norway::from_str(content).map_err(|_| Failure::revision(NOT_PARSED))?;
    if !document.is_object() {
        return Err(Failure::revision(NOT_PARSED));
    }
    let properties = properties(&document)?;
    let [function, alias, current, target] = ["Name", "Alias", "CurrentVersion", "TargetVersion"]
        .map(|name| text(member(properties, name)).ok_or_else(|| missing(name)));
    let (current, target) = (current?, target?);
    for version in [&current, &target] {
        if version.is_empty() || !version.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(Failure::configuration(&format!("{version} is not a published version.")));
        }
    }
    if current == target {
        return Err(Failure::configuration(""));
    }
    Ok(AppSpec { function: function?, alias: alias?, current, target, hooks: hooks(&document)? })
}

fn properties(document: &Value) -> Result<&Value, Failure> {
    let resources = member(document, "Resources").as_array().filter(|list| list.len() == 1);
    let resource = resources
        .and_then(|list| list[0].as_object())
        .filter(|resource| resource.len() == 1)
        .and_then(|resource| resource.values().next())
        .ok_or_else(|| Failure::configuration("Resources has to be a list with one function."))?;
    if member(resource, "Type") != "AWS::Lambda::Function" {
        return Err(Failure::configuration("The resource's Type has to be AWS::Lambda::Function."));
    }
    Ok(member(resource, "Properties"))
}

fn hooks(document: &Value) -> Result<[Option<String>; 2], Failure> {
    let mut hooks = [None, None];
    let list = match member(document, "Hooks") {
        Value::Null => return Ok(hooks),
        Value::Array(list) => list,
        _ => return Err(Failure::configuration("Hooks has to be a list.")),
    };
    for (name, function) in list.iter().filter_map(Value::as_object).flatten() {
        let place = [EVENTS[0], EVENTS[2]].iter().position(|event| event.eq_ignore_ascii_case(name));
        let place =
            place.ok_or_else(|| Failure::configuration(&format!("{name} is not a hook for AWS Lambda.")))?;
        hooks[place] = text(function).filter(|function| !function.is_empty());
    }
    Ok(hooks)
}

fn member<'a>(value: &'a Value, name: &str) -> &'a Value {
    let found = value.as_object().and_then(|map| map.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)));
    found.map_or(&Value::Null, |(_, value)| value)
}

/// A string, or a number where somebody forgot the quotes.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn missing(name: &str) -> Failure {
    Failure::configuration(&format!("{name} is missing."))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn json_spec(properties: &Value) -> String {
        json!({ "version": "0.0", "Resources": [{ "f": { "Type": "AWS::Lambda::Function", "Properties": properties } }] })
            .to_string()
    }

    #[test]
    fn yaml_and_json_say_the_same() {
        let yaml = "
version: 0.0
Resources:
  - myFunction:
      Type: AWS::Lambda::Function
      Properties:
        Name: \"f\"
        Alias: live
        CurrentVersion: 1
        TargetVersion: \"2\"
Hooks:
  - AfterAllowTraffic: post
";
        let target = parse(yaml).unwrap();
        assert_eq!(target.hooks, [None, Some("post".to_owned())]);
        let json =
            json_spec(&json!({ "name": "f", "alias": "live", "currentversion": "1", "targetversion": "2" }));
        assert_eq!(parse(&json).unwrap(), AppSpec { hooks: [None, None], ..target });
    }

    #[test]
    fn what_is_wrong_is_said() {
        let good = json!({ "Name": "f", "Alias": "live", "CurrentVersion": "1", "TargetVersion": "2" });
        let with = |name: &str, value: Value| {
            let mut properties = good.clone();
            properties[name] = value;
            json_spec(&properties)
        };
        for (content, code, words) in [
            ("garbage: [".to_owned(), "INVALID_REVISION", "cannot be parsed"),
            ("plain".to_owned(), "INVALID_REVISION", "cannot be parsed"),
            ("{}".to_owned(), "INVALID_LAMBDA_CONFIGURATION", "Resources"),
            (with("CurrentVersion", json!("$LATEST")), "INVALID_LAMBDA_CONFIGURATION", "$LATEST is not"),
            (with("TargetVersion", json!("1")), "INVALID_LAMBDA_CONFIGURATION", "invalid configuration."),
            (with("Alias", Value::Null), "INVALID_LAMBDA_CONFIGURATION", "Alias is missing"),
        ] {
            let failure = parse(&content).unwrap_err();
            assert_eq!(failure.code, code, "{content}");
            assert!(failure.message.contains(words), "{}", failure.message);
        }
    }
}
