//! The one error that every service here answers with: a code of the service, and a sentence.

use crate::upstream::UpstreamError;

/// An error as a service would send it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub(crate) struct ServiceError {
    pub(crate) status: u16,
    pub(crate) code: &'static str,
    pub(crate) message: String,
}

impl ServiceError {
    pub(crate) fn new(status: u16, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into() }
    }

    /// The caller's mistake, with HTTP status 400 as most services say it.
    pub(crate) fn bad(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(400, code, message)
    }
}

impl From<UpstreamError> for ServiceError {
    fn from(error: UpstreamError) -> Self {
        Self::new(502, "InternalFailure", error.to_string())
    }
}
