//! The client for the sandbox's AWS API: plain HTTP, with a signature that nobody verifies.

use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE};
use hyper::{Method, Request, StatusCode};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use lambda_rollout::pulumi::Failure;
use serde_json::Value;

use crate::call::{Call, Target, Wire};
use crate::{form, xml};

/// Where calls go, and for which region.
#[derive(Clone, Debug)]
pub(crate) struct Aws {
    client: Client<HttpConnector, Full<Bytes>>,
    pub(crate) endpoint: String,
    pub(crate) region: String,
    pub(crate) account: String,
    access_key: String,
}

/// Why a call brought nothing.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Refusal {
    /// AWS's code, or what is wrong with the connection.
    code: String,
    message: String,
    missing: bool,
}

impl Refusal {
    /// Whether what was asked for does not exist.
    pub(crate) fn is_missing(&self) -> bool {
        self.missing
    }

    pub(crate) fn ours(message: impl Into<String>) -> Self {
        Self { code: "the stand-in for the AWS provider".to_owned(), message: message.into(), missing: false }
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self::plain(format!("{}: {}", refusal.code, refusal.message))
    }
}

impl Aws {
    /// The sandbox that the environment names, and the region that was configured.
    pub(crate) fn new(region: Option<&str>) -> Result<Self, String> {
        let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let endpoint = variable("AWS_ENDPOINT_URL").ok_or(
            "this stand-in for the AWS provider works with the sandbox only: AWS_ENDPOINT_URL is not set",
        )?;
        let region = region.map(str::to_owned).or_else(|| variable("AWS_REGION"));
        let access_key = variable("AWS_ACCESS_KEY_ID").unwrap_or_else(|| "test".to_owned());
        Ok(Self {
            client: Client::builder(TokioExecutor::new()).build_http(),
            endpoint: endpoint.trim_end_matches('/').to_owned(),
            region: region.unwrap_or_else(|| "us-east-1".to_owned()),
            account: account_of(&access_key).to_owned(),
            access_key,
        })
    }

    /// The same for the region that a resource names.
    pub(crate) fn in_region(&self, region: Option<&str>) -> Self {
        let region = region.unwrap_or(&self.region).to_owned();
        Self { region, ..self.clone() }
    }

    /// The answer as JSON, whatever the service speaks.
    pub(crate) async fn call(&self, call: &Call) -> Result<Value, Refusal> {
        let request = self.request(call).map_err(|error| Refusal::ours(error.to_string()))?;
        let answer = self.client.request(request).await.map_err(|error| Refusal::ours(error.to_string()))?;
        let status = answer.status();
        let body = answer.into_body().collect().await.map_err(|error| Refusal::ours(error.to_string()))?;
        let text = String::from_utf8_lossy(&body.to_bytes()).into_owned();
        if !status.is_success() {
            return Err(refusal(call, status, &text));
        }
        Ok(match call.wire {
            Wire::Json(_) | Wire::Rest => serde_json::from_str(&text).unwrap_or(Value::Null),
            Wire::Query(_) => result(xml::read(&text)),
            Wire::RestXml => xml::read(&text),
        })
    }

    fn request(&self, call: &Call) -> Result<Request<Full<Bytes>>, hyper::http::Error> {
        let (method, path) = match &call.target {
            Target::Operation(_) => ("POST", "/"),
            Target::Path { method, path } => (method.as_str(), path.as_str()),
        };
        let scope = format!("{}/20260101/{}/{}/aws4_request", self.access_key, self.region, call.signed);
        let request = Request::builder()
            .method(Method::from_bytes(method.as_bytes())?)
            .uri(format!("{}{path}", self.endpoint))
            .header(
                AUTHORIZATION,
                format!("AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=none"),
            );
        let (kind, body) = body(call);
        let request = match (&call.wire, &call.target) {
            (Wire::Json(prefix), Target::Operation(operation)) => {
                request.header("x-amz-target", format!("{prefix}.{operation}"))
            }
            _ => request,
        };
        request.header(CONTENT_TYPE, kind).body(Full::new(Bytes::from(body)))
    }
}

/// In the sandbox, an access key of twelve digits is an account.
fn account_of(access_key: &str) -> &str {
    let is_account = access_key.len() == 12 && access_key.bytes().all(|digit| digit.is_ascii_digit());
    if is_account { access_key } else { "000000000000" }
}

fn body(call: &Call) -> (&'static str, String) {
    match (&call.wire, &call.target) {
        (Wire::Query(version), Target::Operation(operation)) => {
            let body = form_urlencoded::Serializer::new(String::new())
                .append_pair("Action", operation)
                .append_pair("Version", version)
                .extend_pairs(form::parameters(&call.body))
                .finish();
            ("application/x-www-form-urlencoded", body)
        }
        (Wire::RestXml, _) => ("application/xml", xml::write(&call.body)),
        (Wire::Json(_), _) if call.body.is_null() => ("application/x-amz-json-1.1", "{}".to_owned()),
        (Wire::Json(_), _) => ("application/x-amz-json-1.1", call.body.to_string()),
        _ if call.body.is_null() => ("application/json", String::new()),
        _ => ("application/json", call.body.to_string()),
    }
}

/// What is in a form's answer, out of its wrapping.
fn result(answer: Value) -> Value {
    let Value::Object(members) = answer else { return answer };
    let result = members.into_iter().find(|(name, _)| name.ends_with("Result"));
    result.map_or(Value::Null, |(_, value)| value)
}

fn refusal(call: &Call, status: StatusCode, text: &str) -> Refusal {
    let answer = match call.wire {
        Wire::Json(_) | Wire::Rest => serde_json::from_str(text).unwrap_or(Value::Null),
        Wire::Query(_) => xml::read(text)["Error"].clone(),
        Wire::RestXml => xml::read(text),
    };
    let first = |names: [&str; 3]| names.iter().find_map(|name| answer[*name].as_str()).map(str::to_owned);
    let code = first(["__type", "Code", "code"]).unwrap_or_else(|| status.to_string());
    let message = first(["message", "Message", "errorMessage"]).unwrap_or_else(|| text.to_owned());
    let missing = status == StatusCode::NOT_FOUND
        || ["NotFound", "NoSuch", "DoesNotExist", "NonExistent"].iter().any(|word| code.contains(word));
    Refusal { code: format!("{} was refused with {code}", call.name()), message, missing }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_refusal_knows_what_is_merely_missing() {
        let sqs = Call::new("sqs GetQueueAttributes", Value::Null).unwrap();
        let iam = Call::new("iam GetRole", Value::Null).unwrap();
        let cases = [
            (&sqs, 400, r#"{"__type":"com.amazonaws.sqs#QueueDoesNotExist","message":"no"}"#, true),
            (&sqs, 400, r#"{"__type":"InvalidAttributeName","message":"no"}"#, false),
            (&iam, 404, "<E><Error><Code>NoSuchEntity</Code><Message>no</Message></Error></E>", true),
            (&iam, 403, "<E><Error><Code>AccessDenied</Code><Message>no</Message></Error></E>", false),
            (&iam, 500, "nonsense", false),
        ];
        for (call, status, text, missing) in cases {
            let refusal = refusal(call, StatusCode::from_u16(status).unwrap(), text);
            assert_eq!(refusal.is_missing(), missing, "{text}");
            assert!(refusal.message == "no" || refusal.message == "nonsense");
        }
    }

    #[test]
    fn an_access_key_may_be_an_account() {
        assert_eq!(account_of("123456789012"), "123456789012");
        assert_eq!(account_of("test"), "000000000000");
    }

    #[test]
    fn a_forms_answer_is_unwrapped() {
        let answer = json!({ "CreateTopicResult": { "TopicArn": "a" }, "ResponseMetadata": {} });
        assert_eq!(result(answer), json!({ "TopicArn": "a" }));
    }
}
