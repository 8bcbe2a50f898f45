//! The smoke test: one question to the new version before it gets any traffic.

use std::time::Duration;

use serde_json::Value;

use super::cloud::Answer;

const SHOWN: usize = 300;
/// Shorter texts of a payload are words like any other.
const SHORTEST_SECRET: usize = 4;

#[derive(Clone, PartialEq)]
pub struct SmokeTest {
    /// JSON. May hold credentials, so it is never shown.
    pub payload: String,
    /// JSON that must be found in the answer.
    pub expect: Option<Value>,
    pub timeout: Duration,
    pub attempts: u32,
}

impl std::fmt::Debug for SmokeTest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SmokeTest")
            .field("timeout", &self.timeout)
            .field("attempts", &self.attempts)
            .finish_non_exhaustive()
    }
}

/// Why a smoke test was not passed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mismatch {
    /// For the message and the state.
    pub reason: String,
    /// What the function said, for the terminal alone.
    pub said: String,
}

/// Whether the answer is what was asked for; if not, what was wrong with it. A function may echo what it was asked,
/// and that is never shown.
pub fn judge(test: &SmokeTest, answer: &Answer) -> Result<(), Mismatch> {
    let payload = String::from_utf8_lossy(&answer.payload);
    let mismatch = |reason: String, said: &str| {
        Err(Mismatch { reason: without(&test.payload, &reason), said: without(&test.payload, said) })
    };
    if let Some(kind) = &answer.function_error {
        return mismatch(format!("the function failed ({})", kind.to_lowercase()), &error_text(&payload));
    }
    let Some(expected) = &test.expect else {
        return Ok(());
    };
    let Ok(got) = serde_json::from_str::<Value>(&payload) else {
        return mismatch("the answer is not JSON".to_owned(), &cut(&payload));
    };
    match missing(expected, &got, "") {
        None => Ok(()),
        Some(difference) => mismatch(difference, &cut(&payload)),
    }
}

/// The text without what stands in the payload.
fn without(payload: &str, text: &str) -> String {
    let mut words = Vec::new();
    match serde_json::from_str::<Value>(payload) {
        Ok(value) => collect_texts(&value, &mut words),
        Err(_) => words.push(payload.to_owned()),
    }
    words.retain(|word| word.chars().count() >= SHORTEST_SECRET);
    words.sort_by_key(|word| std::cmp::Reverse(word.len()));
    words.iter().fold(text.to_owned(), |text, word| text.replace(word.as_str(), "[payload]"))
}

fn collect_texts(value: &Value, texts: &mut Vec<String>) {
    match value {
        Value::String(text) => texts.push(text.clone()),
        Value::Array(items) => items.iter().for_each(|item| collect_texts(item, texts)),
        Value::Object(members) => members.values().for_each(|member| collect_texts(member, texts)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// The first place where `got` lacks what is expected. Objects may hold more than is expected, nothing else may differ.
fn missing(expected: &Value, got: &Value, path: &str) -> Option<String> {
    let place = |path: &str| {
        if path.is_empty() { "the answer".to_owned() } else { format!("\"{path}\"") }
    };
    match (expected, got) {
        (Value::Object(wanted), Value::Object(members)) => wanted.iter().find_map(|(key, value)| {
            let inner = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
            match members.get(key) {
                None => Some(format!("{} is missing", place(&inner))),
                Some(member) => missing(value, member, &inner),
            }
        }),
        (Value::Number(a), Value::Number(b)) if a.as_f64() == b.as_f64() => None,
        (a, b) if a == b => None,
        (a, b) => Some(format!("{} should be {a} and is {}", place(path), cut(&b.to_string()))),
    }
}

/// `TypeError: …` out of Lambda's error document.
fn error_text(payload: &str) -> String {
    let document: Option<Value> = serde_json::from_str(payload).ok();
    let member =
        |name: &str| document.as_ref().and_then(|d| d.get(name)).and_then(Value::as_str).map(str::to_owned);
    match (member("errorType"), member("errorMessage")) {
        (Some(kind), Some(message)) => cut(&format!("{kind}: {message}")),
        (None, Some(message)) => cut(&message),
        _ => cut(payload),
    }
}

fn cut(text: &str) -> String {
    if text.chars().count() <= SHOWN {
        return text.to_owned();
    }
    text.chars().take(SHOWN).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn test(expect: Option<Value>) -> SmokeTest {
        SmokeTest { payload: "{}".to_owned(), expect, timeout: Duration::from_secs(1), attempts: 1 }
    }

    fn answer(payload: &Value, function_error: Option<&str>) -> Answer {
        Answer {
            function_error: function_error.map(str::to_owned),
            payload: payload.to_string().into_bytes(),
            log_tail: Vec::new(),
        }
    }

    #[test]
    fn an_answer_may_hold_more_than_is_expected() {
        let expect = json!({ "statusCode": 200, "body": { "ok": true } });
        let got = json!({ "statusCode": 200.0, "body": { "ok": true, "more": 1 }, "headers": {} });
        assert_eq!(judge(&test(Some(expect)), &answer(&got, None)), Ok(()));
    }

    #[test]
    fn the_first_difference_is_named() {
        let expect = json!({ "body": { "ok": true } });
        let error = judge(&test(Some(expect.clone())), &answer(&json!({ "body": { "ok": false } }), None))
            .unwrap_err();
        assert!(error.reason.starts_with("\"body.ok\" should be true and is false"), "{error:?}");
        let error = judge(&test(Some(expect)), &answer(&json!({}), None)).unwrap_err();
        assert!(error.reason.starts_with("\"body\" is missing"), "{error:?}");
    }

    #[test]
    fn a_function_error_fails_whatever_is_expected() {
        let got = json!({ "errorType": "TypeError", "errorMessage": "no sku" });
        let error = judge(&test(None), &answer(&got, Some("Unhandled"))).unwrap_err();
        assert_eq!(
            (error.reason.as_str(), error.said.as_str()),
            ("the function failed (unhandled)", "TypeError: no sku")
        );
    }

    #[test]
    fn an_echo_of_the_payload_is_never_shown() {
        let asking = SmokeTest {
            payload: r#"{"apiKey":"hush-9000"}"#.to_owned(),
            ..test(Some(json!({ "key": "x" })))
        };
        let error = judge(&asking, &answer(&json!({ "key": "hush-9000" }), None)).unwrap_err();
        assert_eq!(error.reason, "\"key\" should be \"x\" and is \"[payload]\"");
        assert_eq!(error.said, "{\"key\":\"[payload]\"}");
    }
}
