//! `InvokeWithResponseStream`: an invocation like any other, whose answer comes as a stream of events.
//!
//! The function runs to its end first, so the stream has one chunk.

use std::sync::Arc;

use hyper::StatusCode;
use hyper::body::Bytes;
use serde_json::{Value, json};

use super::{Lambda, Reference};
use crate::error::ServiceError;
use crate::http::{self, Request, Response};
use crate::identity::Scope;

impl Lambda {
    pub(super) async fn invoke_streaming(
        self: &Arc<Self>,
        scope: &Scope,
        reference: &Reference,
        request: Request,
    ) -> Result<Response, ServiceError> {
        let response = self.invoke(scope, reference, request).await?;
        if response.status() != StatusCode::OK {
            return Ok(response);
        }
        let (mut parts, body) = response.into_parts();
        let mut end = json!({});
        if let Some(error) = http::header(&parts.headers, "x-amz-function-error") {
            end["ErrorCode"] = error.into();
            end["ErrorDetails"] = String::from_utf8_lossy(&body).into();
        }
        if let Some(log) = http::header(&parts.headers, "x-amz-log-result") {
            end["LogResult"] = log.into();
        }
        for name in ["x-amz-function-error", "x-amz-log-result", "content-length"] {
            parts.headers.remove(name);
        }
        http::set_header(&mut parts.headers, "content-type", "application/vnd.amazon.eventstream");
        Ok(Response::from_parts(parts, stream(&body, &end)))
    }
}

fn stream(payload: &[u8], end: &Value) -> Bytes {
    let mut stream = message("PayloadChunk", "application/octet-stream", payload);
    stream.extend(message("InvokeComplete", "application/json", end.to_string().as_bytes()));
    stream.into()
}

/// One message of an event stream: lengths, headers and payload, each part with its checksum.
fn message(event: &str, content_type: &str, payload: &[u8]) -> Vec<u8> {
    const TEXT: u8 = 7;
    let mut headers = Vec::new();
    for (name, value) in [(":message-type", "event"), (":event-type", event), (":content-type", content_type)]
    {
        headers.push(u8::try_from(name.len()).unwrap_or(u8::MAX));
        headers.extend(name.bytes());
        headers.push(TEXT);
        headers.extend(u16::try_from(value.len()).unwrap_or(u16::MAX).to_be_bytes());
        headers.extend(value.bytes());
    }
    let mut message = Vec::new();
    for length in [16 + headers.len() + payload.len(), headers.len()] {
        message.extend(u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes());
    }
    message.extend(crc32(&message).to_be_bytes());
    message.extend(headers);
    message.extend(payload);
    message.extend(crc32(&message).to_be_bytes());
    message
}

/// The checksum of Ethernet and of ZIP.
fn crc32(bytes: &[u8]) -> u32 {
    let shift = |sum: u32| if sum & 1 == 1 { (sum >> 1) ^ 0xedb8_8320 } else { sum >> 1 };
    !bytes.iter().fold(u32::MAX, |sum, byte| (0..8).fold(sum ^ u32::from(*byte), |sum, _| shift(sum)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_the_usual_one() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
    }

    #[test]
    fn messages_follow_one_another() {
        let stream = stream(b"hi", &json!({}));
        let length = |at: usize| u32::from_be_bytes(stream[at..at + 4].try_into().unwrap()) as usize;
        assert_eq!(length(0) + length(length(0)), stream.len());
        assert_eq!(&stream[length(0) - 6..length(0) - 4], b"hi");
    }
}
