//! Which service and operation a request is for, and in which form its answer has to be.

use hyper::Method;
use hyper::header::CONTENT_TYPE;

use crate::http::{self, Request};
use crate::identity::Credential;
use crate::journal;
use crate::lambda::route;

/// How a service writes its answers and errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wire {
    /// JSON, the operation in `X-Amz-Target`.
    Json,
    /// CBOR, the operation in the path.
    Cbor,
    /// A form, answered in XML.
    Query,
    /// The operation in method and path, answered in JSON.
    Rest,
}

/// A request with a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Operation {
    pub(crate) service: String,
    pub(crate) name: String,
    pub(crate) wire: Wire,
    pub(crate) mutating: bool,
}

impl Operation {
    pub(crate) fn of(request: &Request, credential: Option<&Credential>) -> Self {
        let signed = credential.map(|credential| credential.service.as_str());
        targeted(request, signed)
            .or_else(|| rpc(request))
            .or_else(|| lambda(request, signed))
            .or_else(|| form(request, signed))
            .unwrap_or_else(|| by_path(request, signed))
    }

    fn new(service: &str, name: &str, wire: Wire) -> Self {
        let service = match service {
            "monitoring" => "cloudwatch",
            other => other,
        };
        Self {
            service: service.to_owned(),
            name: name.to_owned(),
            wire,
            mutating: journal::is_mutating(name),
        }
    }
}

fn targeted(request: &Request, signed: Option<&str>) -> Option<Operation> {
    let (prefix, name) = http::header(request.headers(), "x-amz-target")?.rsplit_once('.')?;
    let service = match prefix {
        "CodeDeploy_20141006" => "codedeploy",
        "GraniteServiceVersion20100801" => "cloudwatch",
        other => signed.unwrap_or(other),
    };
    Some(Operation::new(service, name, Wire::Json))
}

fn rpc(request: &Request) -> Option<Operation> {
    let (service, name) = request.uri().path().strip_prefix("/service/")?.split_once("/operation/")?;
    let service = if service == "GraniteServiceVersion20100801" { "cloudwatch" } else { service };
    Some(Operation::new(service, name, Wire::Cbor))
}

fn lambda(request: &Request, signed: Option<&str>) -> Option<Operation> {
    let path = route::Path::parse(request.uri().path())?;
    let name = route::operation(request.method(), &path);
    if name.is_none() && signed != Some("lambda") {
        return None;
    }
    let mut operation = Operation::new("lambda", name.unwrap_or("Unknown"), Wire::Rest);
    let dry = http::header(request.headers(), "x-amz-invocation-type") == Some("DryRun");
    operation.mutating = operation.mutating && !dry && *request.method() != Method::GET;
    Some(operation)
}

fn form(request: &Request, signed: Option<&str>) -> Option<Operation> {
    let form = http::header(request.headers(), CONTENT_TYPE.as_str())
        .is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"));
    let action =
        if form { parameter(request.body(), "Action") } else { http::query(request.uri(), "Action") };
    Some(Operation::new(signed.unwrap_or("unknown"), &action?, Wire::Query))
}

/// A parameter of a form.
pub(crate) fn parameter(body: &[u8], name: &str) -> Option<String> {
    form_urlencoded::parse(body).find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}

fn by_path(request: &Request, signed: Option<&str>) -> Operation {
    let (method, path) = (request.method(), request.uri().path());
    if signed == Some("s3") {
        let depth = path.split('/').filter(|segment| !segment.is_empty()).count();
        if let Some(name) = s3(method, depth) {
            return Operation::new("s3", name, Wire::Query);
        }
    }
    let mut operation = Operation::new(signed.unwrap_or("unknown"), &format!("{method} {path}"), Wire::Rest);
    operation.mutating = !matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS);
    operation
}

fn s3(method: &Method, depth: usize) -> Option<&'static str> {
    Some(match (method.as_str(), depth) {
        ("GET", 0) => "ListBuckets",
        ("GET", 1) => "ListObjects",
        ("PUT", 1) => "CreateBucket",
        ("DELETE", 1) => "DeleteBucket",
        ("HEAD", 1) => "HeadBucket",
        ("GET", _) => "GetObject",
        ("PUT", _) => "PutObject",
        ("DELETE", _) => "DeleteObject",
        ("HEAD", _) => "HeadObject",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::{Scope, authorization};
    use hyper::body::Bytes;

    fn named(
        method: &str,
        uri: &str,
        service: &str,
        headers: &[(&str, &str)],
        body: &'static str,
    ) -> Operation {
        let scope = Scope::new("1", "eu-west-1");
        let mut builder = hyper::Request::builder().method(method).uri(uri);
        builder = builder.header("authorization", authorization(&scope, service));
        for (name, value) in headers {
            builder = builder.header(*name, *value);
        }
        let request = builder.body(Bytes::from_static(body.as_bytes())).unwrap();
        let credential = Credential::of(&request);
        Operation::of(&request, credential.as_ref())
    }

    #[test]
    fn every_protocol_is_named() {
        let target = [("x-amz-target", "CodeDeploy_20141006.StopDeployment")];
        let form = [("content-type", "application/x-www-form-urlencoded; charset=utf-8")];
        let dry = [("x-amz-invocation-type", "DryRun")];
        let cbor = "/service/GraniteServiceVersion20100801/operation/DescribeAlarms";
        let cases = [
            (named("POST", "/", "codedeploy", &target, ""), "codedeploy", "StopDeployment", Wire::Json, true),
            (named("POST", cbor, "monitoring", &[], ""), "cloudwatch", "DescribeAlarms", Wire::Cbor, false),
            (named("POST", "/", "iam", &form, "Action=GetRole&X=1"), "iam", "GetRole", Wire::Query, false),
            (named("PUT", "/bucket/key", "s3", &[], ""), "s3", "PutObject", Wire::Query, true),
            (
                named("GET", "/v2/apis", "apigateway", &[], ""),
                "apigateway",
                "GET /v2/apis",
                Wire::Rest,
                false,
            ),
            (
                named("POST", "/2015-03-31/functions/f/invocations", "lambda", &[], ""),
                "lambda",
                "Invoke",
                Wire::Rest,
                true,
            ),
            (
                named("POST", "/2015-03-31/functions/f/invocations", "lambda", &dry, ""),
                "lambda",
                "Invoke",
                Wire::Rest,
                false,
            ),
        ];
        for (operation, service, name, wire, mutating) in cases {
            assert_eq!(operation, Operation { service: service.into(), name: name.into(), wire, mutating });
        }
    }
}
