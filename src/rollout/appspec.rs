//! The AppSpec: what one CodeDeploy deployment does to one alias.

use serde_json::json;

/// The functions that CodeDeploy calls before any traffic has moved, and after all of it has.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Hooks {
    pub before_traffic: Option<String>,
    pub after_traffic: Option<String>,
}

impl Hooks {
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.before_traffic.iter().chain(&self.after_traffic).map(String::as_str)
    }

    pub fn is_empty(&self) -> bool {
        self.before_traffic.is_none() && self.after_traffic.is_none()
    }
}

/// The AppSpec text (JSON) that moves `function:alias` from `current` to `target`.
pub fn app_spec(function: &str, alias: &str, current: &str, target: &str, hooks: &Hooks) -> String {
    let events = [("BeforeAllowTraffic", &hooks.before_traffic), ("AfterAllowTraffic", &hooks.after_traffic)];
    let hooks: Vec<_> =
        events.iter().filter_map(|(event, hook)| hook.as_ref().map(|h| json!({ *event: h }))).collect();
    let mut spec = json!({
        "version": "0.0",
        "Resources": [{ "function": {
            "Type": "AWS::Lambda::Function",
            "Properties": { "Name": function, "Alias": alias, "CurrentVersion": current, "TargetVersion": target },
        }}],
    });
    if !hooks.is_empty() {
        spec["Hooks"] = json!(hooks);
    }
    spec.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hooks_appear_only_when_there_are_some() {
        let none: serde_json::Value =
            serde_json::from_str(&app_spec("f", "stable", "1", "2", &Hooks::default())).unwrap();
        assert_eq!(none.get("Hooks"), None);
        assert_eq!(none["Resources"][0]["function"]["Properties"]["TargetVersion"], "2");

        let hooks = Hooks { before_traffic: None, after_traffic: Some("check".to_owned()) };
        let some: serde_json::Value =
            serde_json::from_str(&app_spec("f", "stable", "1", "2", &hooks)).unwrap();
        assert_eq!(some["Hooks"], json!([{ "AfterAllowTraffic": "check" }]));
    }
}
