//! Where function URLs are called: `/_url/ID/…` on the sandbox's own address.

use std::sync::Arc;

use hyper::body::Bytes;
use serde_json::{Value, json};

use super::invoke::Destination;
use super::urls::Url;
use super::{Lambda, url_event};
use crate::clock::Clock;
use crate::error::ServiceError;
use crate::http::{self, Request, Response};
use crate::identity::authorization;

impl Lambda {
    /// Answers a call of a URL. It is counted as an invocation, and as a request of the URL.
    pub(crate) async fn call_url(self: &Arc<Self>, request: Request) -> Result<Response, ServiceError> {
        let path = request.uri().path().strip_prefix("/_url/").unwrap_or_default();
        let (id, rest) = path.split_once('/').unwrap_or((path, ""));
        let Some(url) = self.urls.by_id(id) else {
            return Ok(http::json(404, &json!({ "Message": "There is no function URL at this address" })));
        };
        let path = format!("/{}", http::decode(rest));
        let started = Clock::now();
        let cors = cors(&url, &request);
        if request.method() == hyper::Method::OPTIONS && url.cors.is_some() {
            return Ok(with(http::empty(200), &cors));
        }
        let destination = self.destination(&url.scope, &url.reference).await?;
        let (answer, version) = if self.may_call(&url, &request) {
            self.deliver(&url, &destination, &path, &request).await?
        } else {
            (http::json(403, &json!({ "Message": "Forbidden" })), "$LATEST".to_owned())
        };
        self.count_url(&url, &destination, &version, &answer, started);
        Ok(with(answer, &cors))
    }

    async fn deliver(
        &self,
        url: &Url,
        destination: &Destination,
        path: &str,
        request: &Request,
    ) -> Result<(Response, String), ServiceError> {
        let event = url_event::event(url, path, request, Clock::now());
        let invocation = hyper::Request::builder()
            .method(hyper::Method::POST)
            .header("authorization", authorization(&url.scope, "lambda"))
            .header("content-type", "application/json")
            .body(Bytes::from(event.to_string()))
            .map_err(|error| ServiceError::new(500, "InternalFailure", error.to_string()))?;
        let invocation = self.run(&url.scope, destination, invocation, true).await?;
        let version =
            http::header(invocation.headers(), "x-amz-executed-version").unwrap_or("$LATEST").to_owned();
        Ok((url_event::answer(&invocation), version))
    }

    /// A public URL needs both statements in the policy of what it belongs to; another needs a signature.
    fn may_call(&self, url: &Url, request: &Request) -> bool {
        if url.auth == "AWS_IAM" {
            let signed = http::header(request.headers(), "authorization");
            return signed.is_some_and(|header| header.starts_with("AWS4-HMAC-SHA256"));
        }
        let public = |action: &str, operator: &str, key: &str, value: &str| {
            self.policies.any(&url.scope, &url.reference, |statement| {
                let everybody = statement["Principal"] == "*" || statement["Principal"]["AWS"] == "*";
                statement["Action"] == action
                    && everybody
                    && meets(&statement["Condition"], operator, key, value)
            })
        };
        public("lambda:InvokeFunctionUrl", "StringEquals", "lambda:FunctionUrlAuthType", "NONE")
            && public("lambda:InvokeFunction", "Bool", "lambda:InvokedViaFunctionUrl", "true")
    }

    fn count_url(
        &self,
        url: &Url,
        destination: &Destination,
        version: &str,
        answer: &Response,
        started: f64,
    ) {
        let status = answer.status();
        let mut metrics = vec![("UrlRequestCount", 1.0, "Count")];
        metrics.push(("UrlRequestLatency", (Clock::now() - started) * 1000.0, "Milliseconds"));
        metrics.push(("Url4xxCount", f64::from(u8::from(status.is_client_error())), "Count"));
        metrics.push(("Url5xxCount", f64::from(u8::from(status.is_server_error())), "Count"));
        self.record(&url.scope, destination, version, &metrics, started);
    }
}

/// Whether a statement holds for this call: its only condition is the one on the URL, or it has none.
fn meets(condition: &Value, operator: &str, key: &str, value: &str) -> bool {
    let Some(operators) = condition.as_object() else { return true };
    operators.iter().all(|(name, keys)| {
        name == operator
            && keys
                .as_object()
                .is_some_and(|keys| keys.iter().all(|(name, wanted)| name == key && wanted == value))
    })
}

fn cors(url: &Url, request: &Request) -> Vec<(&'static str, String)> {
    let Some(cors) = &url.cors else { return Vec::new() };
    let origin = http::header(request.headers(), "origin").unwrap_or_default();
    let allowed = list(&cors["AllowOrigins"]);
    let allow = match (allowed.contains(&"*"), allowed.contains(&origin)) {
        (true, _) => "*",
        (false, true) => origin,
        (false, false) => return Vec::new(),
    };
    let mut headers = vec![("access-control-allow-origin", allow.to_owned())];
    for (member, name) in [
        ("AllowMethods", "access-control-allow-methods"),
        ("AllowHeaders", "access-control-allow-headers"),
        ("ExposeHeaders", "access-control-expose-headers"),
    ] {
        let values = list(&cors[member]);
        if !values.is_empty() {
            headers.push((name, values.join(",")));
        }
    }
    if cors["AllowCredentials"] == true {
        headers.push(("access-control-allow-credentials", "true".to_owned()));
    }
    if let Some(age) = cors["MaxAge"].as_u64() {
        headers.push(("access-control-max-age", age.to_string()));
    }
    headers
}

fn list(value: &Value) -> Vec<&str> {
    value.as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}

fn with(mut response: Response, headers: &[(&'static str, String)]) -> Response {
    for (name, value) in headers {
        http::set_header(response.headers_mut(), name, value);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_of_a_public_url() {
        let url = json!({ "StringEquals": { "lambda:FunctionUrlAuthType": "NONE" } });
        let via = json!({ "Bool": { "lambda:InvokedViaFunctionUrl": "true" } });
        let key = "lambda:FunctionUrlAuthType";
        assert!(meets(&url, "StringEquals", key, "NONE"));
        assert!(!meets(&url, "StringEquals", key, "AWS_IAM"));
        assert!(!meets(&via, "StringEquals", key, "NONE"));
        assert!(meets(&Value::Null, "StringEquals", key, "NONE"));
    }
}
