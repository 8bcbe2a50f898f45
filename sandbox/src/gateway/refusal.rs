//! Errors in the form of each protocol, and reading the code of one that came from ministack.

use serde_json::{Value, json};

use super::operation::{Operation, Wire};
use crate::cloudwatch::protocol;
use crate::error::ServiceError;
use crate::http::{self, Response};
use crate::xml;

/// An error as the operation's service writes it.
pub(crate) fn of(operation: &Operation, error: &ServiceError) -> Response {
    if operation.service == "cloudwatch" {
        protocol::refuse(operation.wire, error)
    } else {
        write(operation.wire, error)
    }
}

pub(crate) fn write(wire: Wire, error: &ServiceError) -> Response {
    match wire {
        Wire::Query => {
            let fault = if error.status < 500 { "Sender" } else { "Receiver" };
            let body = format!(
                "<ErrorResponse><Error><Type>{fault}</Type><Code>{}</Code><Message>{}</Message></Error>\
                 <RequestId>00000000-0000-0000-0000-000000000000</RequestId></ErrorResponse>",
                error.code,
                xml::escape(&error.message)
            );
            http::with_body(error.status, "text/xml", body)
        }
        Wire::Json | Wire::Cbor => {
            let body = json!({ "__type": error.code, "message": error.message });
            http::with_body(error.status, "application/x-amz-json-1.1", body.to_string())
        }
        Wire::Rest => {
            let body = json!({ "Type": if error.status < 500 { "User" } else { "Service" }, "message": error.message,
                "__type": error.code });
            let mut response = http::json(error.status, &body);
            http::set_header(response.headers_mut(), "x-amzn-errortype", error.code);
            response
        }
    }
}

/// The code of an answer that is an error.
pub(crate) fn code(response: &Response) -> Option<String> {
    if response.status().as_u16() < 400 {
        return None;
    }
    if let Some(error) = http::header(response.headers(), "x-amzn-query-error") {
        return error.split(';').next().map(str::to_owned);
    }
    if let Some(kind) = http::header(response.headers(), "x-amzn-errortype") {
        return kind.split(':').next().map(str::to_owned);
    }
    let text = String::from_utf8_lossy(response.body());
    let body: Value = serde_json::from_str(&text).unwrap_or(Value::Null);
    let kind = body["__type"].as_str().and_then(|kind| kind.rsplit('#').next()).map(str::to_owned);
    kind.or_else(|| xml::text(&text, "Code"))
}
