//! How a call on a resource fails, and what the engine keeps of it.

use prost::Message;
use tonic::{Code, Status};

use super::{
    operation::Kept,
    proto,
    provider::ConfigureError,
    value::{PropertyMap, without_unknowns},
    wire,
};

/// In characters, each of which may take four bytes.
const LONGEST_MESSAGE: usize = 60_000;

/// Why a call failed.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Failure {
    /// What the engine has in its state stays as it is; a resource that was to be created is forgotten.
    #[error("{message}")]
    Plain { message: String },
    /// The object exists, but not as it should. The engine stores what is said here, and updates it next time.
    #[error("{}", .0.reasons.join("\n"))]
    Partial(Box<Partial>),
    /// The user stopped it before anything was changed.
    #[error("{message}")]
    Cancelled { message: String },
    /// The provider's own fault.
    #[error("{message}")]
    Bug { message: String },
}

/// The state of an object that is not as it should be.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Partial {
    /// May be left empty where the engine knows it: in an update and a read.
    pub id: String,
    /// All outputs: those left out are gone from the state.
    pub outputs: PropertyMap,
    /// Heard in a read only.
    pub inputs: Option<PropertyMap>,
    /// What the user gets to see, one by one. Each is a full sentence: what is wrong, and at the end what to do.
    pub reasons: Vec<String>,
    /// Whether the engine has to read the object again before the next update.
    pub refresh_before_update: bool,
}

impl Failure {
    pub fn plain(message: impl Into<String>) -> Self {
        Self::Plain { message: message.into() }
    }

    pub fn cancelled(message: impl Into<String>) -> Self {
        Self::Cancelled { message: message.into() }
    }

    pub fn bug(message: impl Into<String>) -> Self {
        Self::Bug { message: message.into() }
    }

    /// What is left when a call has crashed.
    pub(super) fn crash(cause: &str, kept: Option<Kept>) -> Self {
        let message = format!("The provider crashed: {cause}. This is a bug in it; please report it.");
        match kept {
            None => Self::bug(message),
            Some(Kept { id, outputs }) => Self::from(Partial {
                id,
                outputs,
                reasons: vec![message],
                refresh_before_update: true,
                ..Partial::default()
            }),
        }
    }

    /// The answer to a call after which the engine keeps no partial state.
    pub(super) fn into_status(self) -> Status {
        let code = match &self {
            Self::Plain { .. } | Self::Partial(_) => Code::FailedPrecondition,
            Self::Cancelled { .. } => Code::Aborted,
            Self::Bug { .. } => Code::Internal,
        };
        Status::new(code, audible(&self.to_string()))
    }

    /// The answer to a call that may leave a partial state of the object with this id; empty for one that has none
    /// yet. Without an id the engine would take the object for gone.
    pub(super) fn into_status_of(self, id: &str) -> Status {
        match self {
            Self::Partial(partial) if !(partial.id.is_empty() && id.is_empty()) => partial.into_status(id),
            other => other.into_status(),
        }
    }
}

impl From<Partial> for Failure {
    fn from(partial: Partial) -> Self {
        Self::Partial(Box::new(partial))
    }
}

impl Partial {
    fn into_status(self, id: &str) -> Status {
        let mut reasons: Vec<String> = self.reasons.iter().map(|reason| audible(reason)).collect();
        if reasons.is_empty() {
            reasons.push("The resource exists, but it is not as declared.".to_owned());
        }
        let message = reasons.join("\n");
        let detail = proto::ErrorResourceInitFailed {
            id: if self.id.is_empty() { id.to_owned() } else { self.id },
            properties: Some(wire::write(without_unknowns(&self.outputs))),
            reasons,
            inputs: self.inputs.as_ref().map(|inputs| wire::write(without_unknowns(inputs))),
            refresh_before_update: self.refresh_before_update,
        };
        detailed(Code::Unknown, message, "ErrorResourceInitFailed", &detail)
    }
}

impl From<ConfigureError> for Status {
    fn from(error: ConfigureError) -> Self {
        let message = brief(&error.to_string());
        let ConfigureError::MissingKeys(keys) = error else {
            return Self::invalid_argument(message);
        };
        let missing_keys = keys.into_iter().map(|key| proto::configure_error_missing_keys::MissingKey {
            name: key.name,
            description: key.description,
        });
        let detail = proto::ConfigureErrorMissingKeys { missing_keys: missing_keys.collect() };
        detailed(Code::InvalidArgument, message, "ConfigureErrorMissingKeys", &detail)
    }
}

/// `google.rpc.Status`, in which an error's details travel.
#[derive(Clone, PartialEq, Message)]
struct Detailed {
    #[prost(int32, tag = "1")]
    code: i32,
    #[prost(string, tag = "2")]
    message: String,
    #[prost(message, repeated, tag = "3")]
    details: Vec<prost_types::Any>,
}

fn detailed(code: Code, message: String, name: &str, detail: &impl Message) -> Status {
    let detail = prost_types::Any {
        type_url: format!("type.googleapis.com/pulumirpc.{name}"),
        value: detail.encode_to_vec(),
    };
    let status = Detailed { code: code.into(), message: message.clone(), details: vec![detail] };
    Status::with_details(code, message, status.encode_to_vec().into())
}

/// SST drops errors that it takes for the engine's own summary of another one. This keeps ours from looking so.
fn audible(text: &str) -> String {
    let text = text.replace("failed to register new resource", "could not register the new resource");
    brief(&match text.strip_prefix("update failed") {
        Some(rest) => format!("the update failed{rest}"),
        None => text,
    })
}

/// A message travels in a header, and an answer whose headers are too large arrives as no answer. Only what quotes
/// something huge is as long as this.
pub(super) fn brief(text: &str) -> String {
    match text.char_indices().nth(LONGEST_MESSAGE) {
        Some((end, _)) => format!("{}… (cut)", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pulumi::{MissingKey, PropertyValue, properties};

    fn partial_detail(status: &Status) -> proto::ErrorResourceInitFailed {
        let details = Detailed::decode(status.details()).unwrap();
        assert_eq!(details.code, i32::from(Code::Unknown));
        assert_eq!(details.message, status.message());
        let [any] = details.details.as_slice() else { panic!("one detail, not {:?}", details.details) };
        assert_eq!(any.type_url, "type.googleapis.com/pulumirpc.ErrorResourceInitFailed");
        proto::ErrorResourceInitFailed::decode(any.value.as_slice()).unwrap()
    }

    #[test]
    fn only_bugs_have_a_code_that_means_corruption() {
        let cases = [
            (Failure::plain("no"), Code::FailedPrecondition),
            (Failure::cancelled("stopped"), Code::Aborted),
            (Failure::bug("oops"), Code::Internal),
            (Partial::default().into(), Code::FailedPrecondition),
        ];
        for (failure, code) in cases {
            let status = failure.into_status();
            assert_eq!(status.code(), code);
            assert!(status.details().is_empty());
        }
    }

    #[test]
    fn a_partial_state_travels_in_the_details() {
        let outputs = properties([("arn", "a".into()), ("url", PropertyValue::Unknown)]);
        let partial = Partial {
            id: "f:stable".to_owned(),
            outputs,
            reasons: vec!["The alarm fired.".to_owned(), "Fix it.".to_owned()],
            refresh_before_update: true,
            ..Partial::default()
        };
        let status = Failure::from(partial).into_status_of("");
        assert_eq!(status.message(), "The alarm fired.\nFix it.");
        let detail = partial_detail(&status);
        assert_eq!(detail.id, "f:stable");
        assert_eq!(detail.reasons, ["The alarm fired.", "Fix it."]);
        assert!(detail.refresh_before_update);
        assert_eq!(detail.inputs, None);
        let stored = wire::decode(detail.properties.unwrap()).unwrap();
        assert_eq!(stored, properties([("arn", "a".into())]), "what is unknown cannot be stored");
    }

    #[test]
    fn a_partial_state_never_lacks_an_id_or_a_reason() {
        let status = Failure::from(Partial::default()).into_status_of("known");
        let detail = partial_detail(&status);
        assert_eq!(detail.id, "known");
        assert_eq!(detail.reasons.len(), 1);
        assert!(detail.properties.is_some());

        let nameless = Failure::from(Partial::default()).into_status_of("");
        assert_eq!(nameless.code(), Code::FailedPrecondition);
    }

    #[test]
    fn a_crash_keeps_what_there_is() {
        assert!(matches!(Failure::crash("x", None), Failure::Bug { .. }));
        let kept = Kept { id: "f".to_owned(), outputs: PropertyMap::new() };
        let detail = partial_detail(&Failure::crash("index out of range", Some(kept)).into_status_of(""));
        assert_eq!(detail.id, "f");
        assert!(detail.reasons[0].contains("index out of range") && detail.reasons[0].contains("report"));
    }

    #[test]
    fn avoids_the_texts_that_sst_drops() {
        let cases = [
            ("update failed: throttled", "the update failed: throttled"),
            ("x failed to register new resource y", "x could not register the new resource y"),
            ("the last update failed", "the last update failed"),
        ];
        for (text, expected) in cases {
            assert_eq!(Failure::plain(text).into_status().message(), expected);
        }
    }

    #[test]
    fn missing_keys_are_named() {
        let key = MissingKey { name: "p:region".to_owned(), description: "where".to_owned() };
        let status = Status::from(ConfigureError::MissingKeys(vec![key]));
        assert_eq!(status.code(), Code::InvalidArgument);
        let details = Detailed::decode(status.details()).unwrap();
        assert_eq!(details.details[0].type_url, "type.googleapis.com/pulumirpc.ConfigureErrorMissingKeys");
        let detail = proto::ConfigureErrorMissingKeys::decode(details.details[0].value.as_slice()).unwrap();
        assert_eq!(detail.missing_keys[0].name, "p:region");
        assert_eq!(detail.missing_keys[0].description, "where");
    }
}
