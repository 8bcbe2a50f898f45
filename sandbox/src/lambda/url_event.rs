//! The event that a function URL delivers, and how its function's answer becomes HTTP.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hyper::body::Bytes;
use serde_json::{Map, Value, json};

use super::urls::Url;
use crate::clock::Timestamp;
use crate::http::{self, Request, Response};
use crate::timestamp;

/// The event in payload format 2.0.
pub(crate) fn event(url: &Url, path: &str, request: &Request, now: Timestamp) -> Value {
    let domain = format!("{}.lambda-url.{}.on.aws", url.id, url.scope.region);
    let (body, encoded) = text(request);
    let mut event = json!({
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": request.uri().query().unwrap_or_default(),
        "headers": headers(request, &domain),
        "requestContext": {
            "accountId": if url.auth == "NONE" { "anonymous" } else { &url.scope.account },
            "apiId": url.id,
            "domainName": domain,
            "domainPrefix": url.id,
            "http": {
                "method": request.method().as_str(),
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": "127.0.0.1",
                "userAgent": http::header(request.headers(), "user-agent").unwrap_or_default(),
            },
            "requestId": format!("{:032x}", fastrand::u128(..)),
            "routeKey": "$default",
            "stage": "$default",
            "time": timestamp::log(now),
            "timeEpoch": (now * 1000.0).floor(),
        },
        "isBase64Encoded": encoded,
    });
    if let Some(body) = body {
        event["body"] = body.into();
    }
    let parameters = parameters(request);
    if !parameters.is_empty() {
        event["queryStringParameters"] = json!(parameters);
    }
    if let Some(cookies) = http::header(request.headers(), "cookie") {
        event["cookies"] = cookies.split(';').map(str::trim).collect();
    }
    event
}

fn text(request: &Request) -> (Option<String>, bool) {
    if request.body().is_empty() {
        return (None, false);
    }
    let kind = http::header(request.headers(), "content-type").unwrap_or_default();
    let readable = ["text/", "application/json", "application/xml", "application/javascript"];
    match std::str::from_utf8(request.body()) {
        Ok(text) if readable.iter().any(|prefix| kind.starts_with(prefix)) => (Some(text.to_owned()), false),
        _ => (Some(STANDARD.encode(request.body())), true),
    }
}

fn headers(request: &Request, domain: &str) -> Map<String, Value> {
    let mut headers = Map::new();
    for name in request.headers().keys().filter(|name| *name != "cookie") {
        let values = request.headers().get_all(name).iter().filter_map(|value| value.to_str().ok());
        headers.insert(name.to_string(), values.collect::<Vec<_>>().join(",").into());
    }
    headers.insert("host".to_owned(), domain.into());
    headers.insert("x-forwarded-proto".to_owned(), "https".into());
    headers.insert("x-forwarded-port".to_owned(), "443".into());
    headers.entry("x-forwarded-for").or_insert_with(|| "127.0.0.1".into());
    headers
}

/// Parameters that come twice are joined by commas.
fn parameters(request: &Request) -> BTreeMap<String, String> {
    let mut parameters: BTreeMap<String, String> = BTreeMap::new();
    for (name, value) in form_urlencoded::parse(request.uri().query().unwrap_or_default().as_bytes()) {
        parameters
            .entry(name.into_owned())
            .and_modify(|known| {
                known.push(',');
                known.push_str(&value);
            })
            .or_insert_with(|| value.into_owned());
    }
    parameters
}

/// What the caller of the URL gets for what the function returned.
pub(crate) fn answer(invocation: &Response) -> Response {
    if invocation.headers().contains_key("x-amz-function-error") || !invocation.status().is_success() {
        let status = if invocation.status() == 429 { 429 } else { 502 };
        return http::json(status, &json!({ "Message": "Internal Server Error" }));
    }
    let Ok(result) = serde_json::from_slice::<Value>(invocation.body()) else {
        return http::json(502, &json!({ "Message": "Internal Server Error" }));
    };
    let Some(status) = result["statusCode"].as_u64().and_then(|status| u16::try_from(status).ok()) else {
        return plain(&result);
    };
    let mut response = http::with_body(status, "application/json", payload(&result));
    for (name, value) in result["headers"].as_object().into_iter().flatten() {
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let (name, value) = (name.parse::<hyper::header::HeaderName>(), value.parse());
        if let (Ok(name), Ok(value)) = (name, value) {
            response.headers_mut().insert(name, value);
        }
    }
    for cookie in result["cookies"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        if let Ok(cookie) = cookie.parse() {
            response.headers_mut().append("set-cookie", cookie);
        }
    }
    response
}

/// A result without a status code is the body itself.
fn plain(result: &Value) -> Response {
    match result {
        Value::String(text) => http::with_body(200, "application/json", text.clone()),
        other => http::json(200, other),
    }
}

fn payload(result: &Value) -> Bytes {
    match &result["body"] {
        Value::Null => Bytes::new(),
        Value::String(text) if result["isBase64Encoded"] == true => {
            STANDARD.decode(text).unwrap_or_default().into()
        }
        Value::String(text) => text.clone().into(),
        other => other.to_string().into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn invocation(body: &str, error: bool) -> Response {
        let mut response = http::with_body(200, "application/json", body.to_owned());
        if error {
            http::set_header(response.headers_mut(), "x-amz-function-error", "Unhandled");
        }
        response
    }

    #[test]
    fn answers() {
        for (body, error, status, text) in [
            (r#"{"statusCode":201,"body":"made"}"#, false, 201, "made"),
            (r#"{"statusCode":503,"body":"no"}"#, false, 503, "no"),
            (r#"{"statusCode":200,"isBase64Encoded":true,"body":"aGk="}"#, false, 200, "hi"),
            (r#"{"hello":"world"}"#, false, 200, r#"{"hello":"world"}"#),
            (r#""text""#, false, 200, "text"),
            (r#"{"errorMessage":"x"}"#, true, 502, r#"{"Message":"Internal Server Error"}"#),
        ] {
            let answer = answer(&invocation(body, error));
            assert_eq!(
                (answer.status().as_u16(), answer.body().as_ref()),
                (status, text.as_bytes()),
                "{body}"
            );
        }
    }

    #[test]
    fn headers_and_cookies_come_through() {
        let body = r#"{"statusCode":200,"headers":{"Content-Type":"text/html","x-n":3},"cookies":["a=1","b=2"],"body":""}"#;
        let answer = answer(&invocation(body, false));
        assert_eq!(answer.headers()["content-type"], "text/html");
        assert_eq!(answer.headers()["x-n"], "3");
        assert_eq!(answer.headers().get_all("set-cookie").iter().count(), 2);
    }
}
