//! The errors of CodeDeploy's API. The codes are those of the service's model; the sentences are ours, unless the
//! service's own are known.

use crate::error::ServiceError;

/// An error of the service: always HTTP 400.
pub(crate) fn refuse(code: &'static str, message: impl Into<String>) -> ServiceError {
    ServiceError::bad(code, message)
}

pub(crate) fn no_application(name: &str) -> ServiceError {
    refuse("ApplicationDoesNotExistException", format!("No application found for name: {name}"))
}

pub(crate) fn no_group(name: &str) -> ServiceError {
    refuse("DeploymentGroupDoesNotExistException", format!("No Deployment Group found for name: {name}"))
}

pub(crate) fn no_config(name: &str) -> ServiceError {
    refuse(
        "DeploymentConfigDoesNotExistException",
        format!("No deployment configuration found for name: {name}"),
    )
}

pub(crate) fn no_deployment(id: &str) -> ServiceError {
    refuse("DeploymentDoesNotExistException", format!("The deployment {id} could not be found"))
}

pub(crate) fn no_revision() -> ServiceError {
    refuse("RevisionDoesNotExistException", "The application revision is not registered")
}

/// The request's members have wrong types.
pub(crate) fn unreadable(error: &serde_json::Error) -> ServiceError {
    refuse("SerializationException", format!("The request cannot be read: {error}"))
}
