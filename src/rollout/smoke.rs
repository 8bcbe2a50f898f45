//! The smoke test: one question to the new version before it gets any traffic.

use std::time::Duration;

use serde_json::Value;

use super::cloud::Answer;

const SHOWN: usize = 300;

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

/// Whether the answer is what was asked for; if not, what was wrong with it.
pub fn judge(test: &SmokeTest, answer: &Answer) -> Result<(), String> {
    let payload = String::from_utf8_lossy(&answer.payload);
    if let Some(kind) = &answer.function_error {
        return Err(format!("the function failed ({}): {}", kind.to_lowercase(), error_text(&payload)));
    }
    let Some(expected) = &test.expect else {
        return Ok(());
    };
    let got: Value =
        serde_json::from_str(&payload).map_err(|_| format!("the answer is not JSON: {}", cut(&payload)))?;
    match missing(expected, &got, "") {
        None => Ok(()),
        Some(difference) => Err(format!("{difference}; the answer was {}", cut(&payload))),
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
        assert!(error.starts_with("\"body.ok\" should be true and is false"), "{error}");
        let error = judge(&test(Some(expect)), &answer(&json!({}), None)).unwrap_err();
        assert!(error.starts_with("\"body\" is missing"), "{error}");
    }

    #[test]
    fn a_function_error_fails_whatever_is_expected() {
        let got = json!({ "errorType": "TypeError", "errorMessage": "no sku" });
        let error = judge(&test(None), &answer(&got, Some("Unhandled"))).unwrap_err();
        assert_eq!(error, "the function failed (unhandled): TypeError: no sku");
    }
}
