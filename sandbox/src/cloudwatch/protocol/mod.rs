//! CloudWatch's three protocols. Members, times and errors are the same in all of them; only the bytes differ.

mod cbor;
mod form;

use hyper::body::Bytes;
use serde_json::{Value, json};

use crate::error::ServiceError;
use crate::gateway::Wire;
use crate::http::{self, Response};

/// Reads a request's body.
pub(crate) fn read(wire: Wire, body: &Bytes) -> Result<Value, ServiceError> {
    let unreadable = |error: String| {
        ServiceError::bad("SerializationException", format!("The body cannot be read: {error}"))
    };
    match wire {
        _ if body.is_empty() => Ok(json!({})),
        Wire::Cbor => cbor::read(body).map_err(unreadable),
        Wire::Query => Ok(form::read(body)),
        Wire::Json | Wire::Rest => {
            serde_json::from_slice(body).map_err(|error| unreadable(error.to_string()))
        }
    }
}

/// Writes an answer.
pub(crate) fn write(wire: Wire, operation: &str, answer: &Value) -> Response {
    match wire {
        Wire::Cbor => cbor::response(200, answer),
        Wire::Query => form::response(operation, answer),
        Wire::Json | Wire::Rest => http::with_body(200, "application/x-amz-json-1.0", answer.to_string()),
    }
}

/// Writes an error.
pub(crate) fn refuse(wire: Wire, error: &ServiceError) -> Response {
    let body = json!({ "__type": shape(error.code), "message": error.message });
    let mut response = match wire {
        Wire::Cbor => cbor::response(error.status, &body),
        Wire::Query => return form::error(error),
        Wire::Json | Wire::Rest => {
            http::with_body(error.status, "application/x-amz-json-1.0", body.to_string())
        }
    };
    // Clients of the older protocol know the errors by other names.
    let fault = if error.status < 500 { "Sender" } else { "Receiver" };
    http::set_header(response.headers_mut(), "x-amzn-query-error", &format!("{};{fault}", error.code));
    response
}

/// The name of an error's shape, for the code that the form-based protocol has for it.
fn shape(code: &'static str) -> &'static str {
    match code {
        "InvalidParameterValue" => "InvalidParameterValueException",
        "InvalidParameterCombination" => "InvalidParameterCombinationException",
        "MissingParameter" => "MissingRequiredParameterException",
        "InternalFailure" => "InternalServiceFault",
        other => other,
    }
}

/// Whether a member of an answer is a point in time, or a list of them.
fn is_time(member: &str) -> bool {
    member.ends_with("Timestamp") || member == "Timestamps"
}
