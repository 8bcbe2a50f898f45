//! The part of CloudWatch Logs that ministack leaves out: filters of the form `?this ?that`, and stream prefixes.

use hyper::body::Bytes;
use serde_json::Value;

use crate::error::ServiceError;
use crate::http::{Request, Response};
use crate::upstream::Upstream;

/// Asks ministack for all events of the time, and keeps those that were asked for.
pub(crate) async fn filter(upstream: &Upstream, request: Request) -> Result<Response, ServiceError> {
    let (parts, body) = request.into_parts();
    let mut asked: Value = serde_json::from_slice(&body).unwrap_or(Value::Null);
    let any = asked["filterPattern"].as_str().map(any_of).unwrap_or_default();
    let prefix = asked["logStreamNamePrefix"].as_str().unwrap_or_default().to_owned();
    if let Some(members) = asked.as_object_mut() {
        members.remove("logStreamNamePrefix");
        if !any.is_empty() {
            members.remove("filterPattern");
        }
    }
    let request = Request::from_parts(parts, Bytes::from(asked.to_string()));
    let (mut parts, body) = upstream.forward(request).await?.into_parts();
    let mut answer: Value = serde_json::from_slice(&body).unwrap_or(Value::Null);
    if let Some(events) = answer.get_mut("events").and_then(Value::as_array_mut) {
        events.retain(|event| {
            let text = |member: &str| event[member].as_str().unwrap_or_default();
            text("logStreamName").starts_with(&prefix) && matches(text("message"), &any)
        });
    }
    parts.headers.remove("content-length");
    Ok(Response::from_parts(parts, Bytes::from(answer.to_string())))
}

/// The terms of a pattern in which each is marked with `?`; none for any other pattern.
fn any_of(pattern: &str) -> Vec<String> {
    let mut terms = vec![String::new()];
    let mut quoted = false;
    for c in pattern.chars() {
        match c {
            '"' => quoted = !quoted,
            c if c.is_whitespace() && !quoted => terms.push(String::new()),
            c => {
                if let Some(term) = terms.last_mut() {
                    term.push(c);
                }
            }
        }
    }
    let terms = terms.iter().filter(|term| !term.is_empty());
    let optional: Option<Vec<String>> = terms.map(|term| term.strip_prefix('?').map(str::to_owned)).collect();
    optional.unwrap_or_default()
}

fn matches(message: &str, any: &[String]) -> bool {
    any.is_empty() || any.iter().any(|term| message.contains(term.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn optional_terms_are_any_of() {
        let any = any_of(r#"?ERROR ?"timed out""#);
        assert_eq!(any, ["ERROR", "timed out"]);
        assert!(matches("an ERROR", &any));
        assert!(!matches("fine", &any));
        assert!(any_of("ERROR").is_empty(), "a plain pattern is ministack's");
    }
}
