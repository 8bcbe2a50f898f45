//! From the engine's messages to requests.

use std::time::Duration;

use prost_types::Struct;
use tonic::Status;

use super::super::{
    failure::brief,
    proto::{self, check_request::autonaming_options::Mode},
    provider::{
        Autonaming, CheckRequest, CreateRequest, DeleteRequest, DiffRequest, InvokeRequest, ReadRequest,
        UpdateRequest,
    },
    value::{PropertyMap, without_unknowns},
    wire,
};

/// The properties in a message; none are as good as empty ones.
pub(super) fn properties(wire: Option<Struct>) -> Result<PropertyMap, Status> {
    wire.map_or_else(|| Ok(PropertyMap::new()), read)
}

/// The properties in a message, where none mean something.
fn maybe(wire: Option<Struct>) -> Result<Option<PropertyMap>, Status> {
    wire.map(read).transpose()
}

fn read(wire: Struct) -> Result<PropertyMap, Status> {
    wire::decode(wire).map_err(|error| Status::invalid_argument(brief(&error.to_string())))
}

/// Only a preview may be asked to make something of what is not known yet.
pub(super) fn known_unless(preview: bool, inputs: &PropertyMap) -> Result<(), Status> {
    let unknown = inputs.iter().find(|(_, value)| !preview && value.contains_unknown());
    let Some((key, _)) = unknown else { return Ok(()) };
    Err(Status::invalid_argument(brief(&format!(
        "cannot act on \"{key}\", which is not known, outside of a preview: run the update again once its value is known"
    ))))
}

/// Seconds; zero, and what makes no sense, is no limit.
pub(super) fn timeout(seconds: f64) -> Option<Duration> {
    Duration::try_from_secs_f64(seconds).ok().filter(|timeout| !timeout.is_zero())
}

impl TryFrom<proto::CheckRequest> for CheckRequest {
    type Error = Status;

    fn try_from(message: proto::CheckRequest) -> Result<Self, Status> {
        let autonaming = message.autonaming.map(|options| match options.mode() {
            Mode::Propose => Autonaming::Propose(options.proposed_name),
            Mode::Enforce => Autonaming::Enforce(options.proposed_name),
            Mode::Disable => Autonaming::Disable,
        });
        Ok(Self {
            old_inputs: properties(message.olds)?,
            inputs: properties(message.news)?,
            random_seed: message.random_seed,
            autonaming,
        })
    }
}

impl TryFrom<proto::DiffRequest> for DiffRequest {
    type Error = Status;

    fn try_from(message: proto::DiffRequest) -> Result<Self, Status> {
        let old_outputs = properties(message.olds)?;
        Ok(Self {
            id: message.id,
            old_inputs: maybe(message.old_inputs)?.unwrap_or_else(|| old_outputs.clone()),
            old_outputs,
            inputs: properties(message.news)?,
            ignore_changes: message.ignore_changes,
        })
    }
}

impl TryFrom<proto::CreateRequest> for CreateRequest {
    type Error = Status;

    fn try_from(message: proto::CreateRequest) -> Result<Self, Status> {
        Ok(Self { inputs: properties(message.properties)? })
    }
}

impl TryFrom<proto::ReadRequest> for ReadRequest {
    type Error = Status;

    fn try_from(message: proto::ReadRequest) -> Result<Self, Status> {
        // A preview may read what it does not know all of; what is read is known, so nothing else is passed on.
        let known = |wire| Ok::<_, Status>(maybe(wire)?.map(|map| without_unknowns(&map)));
        Ok(Self { id: message.id, inputs: known(message.inputs)?, outputs: known(message.properties)? })
    }
}

impl TryFrom<proto::UpdateRequest> for UpdateRequest {
    type Error = Status;

    fn try_from(message: proto::UpdateRequest) -> Result<Self, Status> {
        Ok(Self {
            id: message.id,
            old_inputs: properties(message.old_inputs)?,
            old_outputs: properties(message.olds)?,
            inputs: properties(message.news)?,
            ignore_changes: message.ignore_changes,
        })
    }
}

impl TryFrom<proto::DeleteRequest> for DeleteRequest {
    type Error = Status;

    fn try_from(message: proto::DeleteRequest) -> Result<Self, Status> {
        Ok(Self {
            id: message.id,
            old_inputs: properties(message.old_inputs)?,
            old_outputs: properties(message.properties)?,
        })
    }
}

impl TryFrom<proto::InvokeRequest> for InvokeRequest {
    type Error = Status;

    fn try_from(message: proto::InvokeRequest) -> Result<Self, Status> {
        Ok(Self { token: message.tok, args: properties(message.args)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_sensible_timeout_is_one() {
        let cases = [
            (0.0, None),
            (-1.0, None),
            (f64::NAN, None),
            (f64::INFINITY, None),
            (2.5, Some(Duration::from_millis(2500))),
        ];
        for (seconds, expected) in cases {
            assert_eq!(timeout(seconds), expected);
        }
    }

    #[test]
    fn an_engine_without_old_inputs_sends_outputs_alone() {
        let olds = wire::encode(&super::super::super::properties([("a", 1.into())]));
        let message = proto::DiffRequest { olds: Some(olds), ..proto::DiffRequest::default() };
        let request = DiffRequest::try_from(message).unwrap();
        assert_eq!(request.old_inputs, request.old_outputs);
        assert_eq!(request.old_inputs.len(), 1);
    }
}
