//! How a deployment fails: the service's error code, its sentence, and which rollback setting it falls under.

use serde::{Deserialize, Serialize};

/// Why a deployment did not succeed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) cause: Cause,
    pub(crate) code: &'static str,
    pub(crate) message: String,
}

/// What kind of end it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cause {
    Failed,
    Alarm,
    Request,
}

/// What a deployment can be set to roll back on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum RollbackEvent {
    #[serde(rename = "DEPLOYMENT_FAILURE")]
    Failure,
    #[serde(rename = "DEPLOYMENT_STOP_ON_ALARM")]
    StopOnAlarm,
    #[serde(rename = "DEPLOYMENT_STOP_ON_REQUEST")]
    StopOnRequest,
}

impl Cause {
    /// Whether the deployment's status is Stopped instead of Failed.
    pub(crate) fn stops(self) -> bool {
        self != Self::Failed
    }

    pub(crate) fn rollback_event(self) -> RollbackEvent {
        match self {
            Self::Failed => RollbackEvent::Failure,
            Self::Alarm => RollbackEvent::StopOnAlarm,
            Self::Request => RollbackEvent::StopOnRequest,
        }
    }
}

const BAD_APPSPEC: &str = "The deployment failed because the AppSpec file that specifies the AWS Lambda deployment \
                           configuration is missing or has an invalid configuration.";

impl Failure {
    fn failed(code: &'static str, message: impl Into<String>) -> Self {
        Self { cause: Cause::Failed, code, message: message.into() }
    }

    pub(crate) fn alarms(names: &[String]) -> Self {
        let message = format!(
            "One or more alarms have been activated according to the Amazon CloudWatch metrics you selected, and the \
             affected deployments have been stopped. Activated alarms: {}",
            names.iter().map(|name| format!("<{name}>")).collect::<Vec<_>>().join(" ")
        );
        Self { cause: Cause::Alarm, code: "ALARM_ACTIVE", message }
    }

    pub(crate) fn unreadable_alarms(reason: &str) -> Self {
        let message =
            format!("The deployment was stopped because the state of its alarms could not be read: {reason}");
        Self { cause: Cause::Alarm, code: "CODEDEPLOY_RESOURCE_CANNOT_BE_FOUND", message }
    }

    pub(crate) fn stop() -> Self {
        let message = "The deployment was stopped by a user.".to_owned();
        Self { cause: Cause::Request, code: "MANUAL_STOP", message }
    }

    pub(crate) fn hook() -> Self {
        let message =
            "The deployment failed because one or more of the lifecycle event validation functions failed.";
        Self::failed("HOOK_EXECUTION_FAILURE", message)
    }

    pub(crate) fn hook_timeout() -> Self {
        let message = "The deployment timed out while waiting for a status callback. CodeDeploy expects a status \
                       callback within one hour after a deployment hook is invoked.";
        Self::failed("TIMEOUT", message)
    }

    /// The alias, the versions or the AppSpec do not fit together; the detail may be empty.
    pub(crate) fn configuration(detail: &str) -> Self {
        Self::failed("INVALID_LAMBDA_CONFIGURATION", format!("{BAD_APPSPEC} {detail}").trim_end().to_owned())
    }

    pub(crate) fn function(detail: impl Into<String>) -> Self {
        Self::failed("INVALID_LAMBDA_FUNCTION", detail)
    }

    pub(crate) fn revision(detail: &str) -> Self {
        let message = format!(
            "The deployment failed because the AppSpec file that specifies the deployment configuration is missing or \
             has an invalid configuration. {detail}"
        );
        Self::failed("INVALID_REVISION", message)
    }

    pub(crate) fn no_permission(service: &str, role: &str) -> Self {
        let message = format!(
            "The IAM role {role} does not give you permission to perform operations in the following AWS service: \
             {service}. Contact your AWS administrator if you need help. If you are an AWS administrator, you can \
             grant permissions to your users or groups by creating IAM policies."
        );
        Self::failed("IAM_ROLE_PERMISSIONS", message)
    }

    pub(crate) fn no_role(role: &str) -> Self {
        Self::failed(
            "IAM_ROLE_MISSING",
            format!("The IAM role {role} cannot be found or used by CodeDeploy."),
        )
    }

    pub(crate) fn throttled(role: &str) -> Self {
        let message = format!(
            "The deployment failed because the number of requests by the IAM role {role} exceeded the request limit \
             for AWSLambda. Avoid retrying API requests at a high rate."
        );
        Self::failed("THROTTLED", message)
    }

    pub(crate) fn internal(detail: impl Into<String>) -> Self {
        Self::failed("INTERNAL_ERROR", detail)
    }
}
