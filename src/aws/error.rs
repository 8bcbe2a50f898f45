//! What went wrong in a call, in the words of [`CloudError`].
//!
//! The kind comes from the service's own error code. A call without an answer gets a message for a person. Messages
//! hold what the service said about the call, never what was sent in it.

use std::error::Error;

use aws_sdk_lambda::error::{ConnectorError, ErrorMetadata, SdkError};

use crate::rollout::cloud::{CloudError, CloudErrorKind, NO_ANSWER};

pub(super) type Answered<T> = Result<T, CloudError>;

const NO_CREDENTIALS: &str = "CredentialsMissing";
const NO_REGION: &str = "RegionMissing";
pub(super) const INVOKE: &str = "lambda:InvokeFunction";
const INVALID: &str = "InvalidRequest";
/// For an answer that no service of AWS gave, or none that works.
const NO_CODE: &str = "UnknownError";
const UPDATE_IN_PROGRESS: [&str; 2] = ["update is in progress", "cannot be performed at this time"];

/// Where a call went and as whom, for the message of a call that got no answer.
#[derive(Debug)]
pub(super) struct Route {
    /// For example `the codedeploy endpoint of eu-west-1`.
    pub(super) endpoint: String,
    /// Where the credentials come from, for example `the profile "prod"`.
    pub(super) credentials: String,
}

pub(super) fn translate(
    operation: &'static str,
    route: &Route,
    error: &SdkError<ErrorMetadata>,
) -> CloudError {
    let endpoint = &route.endpoint;
    let (kind, code, message) = match error {
        SdkError::ServiceError(answer) => {
            let code = answer.err().code().unwrap_or(NO_CODE);
            let unsaid = format!("{endpoint} gave no reason: check that it is an AWS endpoint");
            let message = answer.err().message().unwrap_or(&unsaid);
            let kind = kind_of(code, message);
            (kind, code, said_by_service(operation, kind, code, message))
        }
        SdkError::TimeoutError(_) => {
            (CloudErrorKind::Unreachable, NO_ANSWER, format!("no answer in time from {endpoint}"))
        }
        SdkError::DispatchFailure(failure) => {
            let (code, message) = undelivered(route, failure.as_connector_error());
            (CloudErrorKind::Unreachable, code, message)
        }
        SdkError::ResponseError(_) => (
            CloudErrorKind::Unreachable,
            "ResponseError",
            format!("the answer of {endpoint} could not be read: check that it is an AWS endpoint"),
        ),
        _ => {
            let message = format!("the request could not be made: {}", cause(error));
            (CloudErrorKind::Refused, INVALID, message)
        }
    };
    CloudError { kind, operation, code: code.to_owned(), message }
}

/// A look for something that may not be there.
pub(super) fn absent<T>(answer: Answered<T>) -> Answered<Option<T>> {
    match answer {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.kind == CloudErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// A deletion of something that may be gone already.
pub(super) fn gone<T>(answer: Answered<T>) -> Answered<()> {
    absent(answer).map(drop)
}

/// A request that cannot be made from what was asked for.
pub(super) fn invalid(operation: &'static str, why: impl std::fmt::Display) -> CloudError {
    CloudError {
        kind: CloudErrorKind::Refused,
        operation,
        code: INVALID.to_owned(),
        message: why.to_string(),
    }
}

/// Whether the same call may well succeed later. Wrong credentials do not become right by waiting; those that have
/// expired are replaced, by whoever hands them out, once our own clock says so, too.
pub(super) fn is_passing(error: &CloudError) -> bool {
    let code = error.code.as_str();
    let lasting =
        [NO_CREDENTIALS, NO_REGION].contains(&code) || (is_about_credentials(code) && !has_expired(code));
    match error.kind {
        CloudErrorKind::Throttled => true,
        CloudErrorKind::Unreachable => !lasting,
        _ => false,
    }
}

/// Whether Lambda only asks for patience, because another change of the function is not finished.
pub(super) fn is_update_in_progress(error: &CloudError) -> bool {
    error.code == "ResourceConflictException" && says_update_in_progress(&error.message)
}

fn kind_of(code: &str, message: &str) -> CloudErrorKind {
    use CloudErrorKind as Kind;
    match code {
        "DeploymentLimitExceededException" => Kind::GroupBusy,
        "DeploymentAlreadyCompletedException" => Kind::AlreadyEnded,
        "PreconditionFailedException" => Kind::Changed,
        "InvalidRoleException" if message.to_lowercase().contains("assume") => Kind::RoleNotReady,
        "ResourceConflictException" if says_update_in_progress(message) => Kind::Refused,
        "ResourceConflictException" | "EntityAlreadyExists" => Kind::AlreadyExists,
        "DeploymentConfigInUseException" | "DeleteConflict" | "DeleteConflictException" => Kind::InUse,
        "NoSuchEntity" | "NoSuchEntityException" | "ResourceNotFound" | "ResourceNotFoundException" => {
            Kind::NotFound
        }
        _ if code.ends_with("DoesNotExistException") => Kind::NotFound,
        _ if code.contains("AlreadyExists") => Kind::AlreadyExists,
        _ if is_throttling(code, message) => Kind::Throttled,
        _ if is_denial(code) => Kind::Denied,
        _ if is_about_credentials(code) || is_outage(code) => Kind::Unreachable,
        _ => Kind::Refused,
    }
}

pub(super) fn is_throttling(code: &str, message: &str) -> bool {
    const CODES: [&str; 4] = ["TooManyRequests", "RequestLimitExceeded", "RequestThrottled", "SlowDown"];
    code.starts_with("Throttl")
        || CODES.iter().any(|known| code.starts_with(known))
        || message.to_lowercase().contains("rate exceeded")
}

fn is_denial(code: &str) -> bool {
    const CODES: [&str; 4] = ["AccessDenied", "Unauthorized", "NotAuthorized", "AuthorizationError"];
    CODES.iter().any(|known| code.starts_with(known))
}

fn has_expired(code: &str) -> bool {
    code.starts_with("ExpiredToken")
}

/// The service knows the caller's credentials no more, or never did.
fn is_about_credentials(code: &str) -> bool {
    const CODES: [&str; 9] = [
        "ExpiredToken",
        "IncompleteSignature",
        "InvalidAccessKeyId",
        "InvalidClientTokenId",
        "InvalidSignature",
        "MissingAuthenticationToken",
        "RequestExpired",
        "SignatureDoesNotMatch",
        "UnrecognizedClient",
    ];
    CODES.iter().any(|known| code.starts_with(known))
}

/// The service is there and does not work; the SDK has tried again already.
fn is_outage(code: &str) -> bool {
    const CODES: [&str; 5] =
        ["InternalFailure", "InternalError", "InternalServer", "ServiceUnavailable", "ServiceException"];
    code == NO_CODE || CODES.iter().any(|known| code.starts_with(known))
}

fn says_update_in_progress(message: &str) -> bool {
    let message = message.to_lowercase();
    UPDATE_IN_PROGRESS.iter().any(|words| message.contains(words))
}

fn said_by_service(operation: &str, kind: CloudErrorKind, code: &str, message: &str) -> String {
    if kind == CloudErrorKind::RoleNotReady {
        let check = "the trust policy of the role has to let codedeploy.amazonaws.com assume it";
        return format!("{}: {check}", message.trim_end_matches('.'));
    }
    if kind == CloudErrorKind::Throttled {
        let cure = if operation == INVOKE {
            "the function has no concurrency left; give it more, or run it again"
        } else {
            "AWS takes fewer calls from this account at the moment; run it again, or lower the provider's \
             `requestsPerSecond`"
        };
        return format!("{}: {cure}", message.trim_end_matches('.'));
    }
    if is_about_credentials(code) {
        return format!("{message}: check the provider's credentials, and whether they have expired");
    }
    message.to_owned()
}

/// What to say about a request that never left, or never arrived.
fn undelivered(route: &Route, failure: Option<&ConnectorError>) -> (&'static str, String) {
    let Route { endpoint, credentials } = route;
    let cause = failure.map_or_else(String::new, |failure| cause(failure));
    if failure.is_some_and(ConnectorError::is_timeout) {
        return ("Timeout", format!("no connection to {endpoint} in time: check the network and the proxy"));
    }
    if failure.is_some_and(ConnectorError::is_io) {
        let check = "check the network, the proxy, the region and the configured endpoints";
        return ("ConnectionFailed", format!("no connection to {endpoint} ({cause}): {check}"));
    }
    if cause.contains("Missing Region") {
        let check = "set the provider's `region` or the variable AWS_REGION";
        return (NO_REGION, format!("no region is set: {check}"));
    }
    let check = "check the provider's settings and the usual AWS variables and files";
    (NO_CREDENTIALS, format!("no usable AWS credentials from {credentials} ({cause}): {check}"))
}

/// The error at the bottom of the chain: the ones above it name layers of the SDK. Cut to one line, and without what a
/// program that should print credentials has printed instead.
fn cause(error: &(dyn Error + 'static)) -> String {
    let mut deepest = error;
    while let Some(source) = deepest.source() {
        deepest = source;
    }
    let text = deepest.to_string();
    let line = text.lines().next().unwrap_or_default();
    let end =
        [" Stderr:", " Attempted:"].iter().filter_map(|mark| line.find(mark)).min().unwrap_or(line.len());
    line[..end].trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use aws_smithy_runtime_api::http::{Response, StatusCode};
    use aws_smithy_types::body::SdkBody;

    use super::*;

    fn route() -> Route {
        Route {
            endpoint: "the codedeploy endpoint of eu-west-1".to_owned(),
            credentials: "profile \"prod\"".to_owned(),
        }
    }

    fn answered() -> Response {
        Response::new(StatusCode::try_from(400).unwrap(), SdkBody::empty())
    }

    fn said(code: &str, message: &str) -> CloudError {
        let answer = ErrorMetadata::builder().code(code).message(message).build();
        translate("codedeploy:CreateDeployment", &route(), &SdkError::service_error(answer, answered()))
    }

    fn undelivered_with(failure: ConnectorError) -> CloudError {
        translate("codedeploy:CreateDeployment", &route(), &SdkError::dispatch_failure(failure))
    }

    #[test]
    fn the_services_codes_tell_what_a_caller_can_do() {
        use CloudErrorKind as Kind;
        for (code, message, kind) in [
            ("DeploymentLimitExceededException", "already has an active Deployment", Kind::GroupBusy),
            ("DeploymentAlreadyCompletedException", "", Kind::AlreadyEnded),
            ("PreconditionFailedException", "", Kind::Changed),
            (
                "InvalidRoleException",
                "AWS CodeDeploy does not have the permissions required to assume the role",
                Kind::RoleNotReady,
            ),
            ("InvalidRoleException", "Cannot assume role provided.", Kind::RoleNotReady),
            ("InvalidRoleException", "The ARN is malformed", Kind::Refused),
            ("ResourceNotFoundException", "", Kind::NotFound),
            ("ResourceNotFound", "", Kind::NotFound),
            ("NoSuchEntity", "", Kind::NotFound),
            ("DeploymentGroupDoesNotExistException", "", Kind::NotFound),
            ("ApplicationDoesNotExistException", "", Kind::NotFound),
            ("ApplicationAlreadyExistsException", "", Kind::AlreadyExists),
            ("EntityAlreadyExists", "", Kind::AlreadyExists),
            ("EntityAlreadyExistsException", "", Kind::AlreadyExists),
            ("ResourceConflictException", "Alias already exists: stable", Kind::AlreadyExists),
            ("ResourceConflictException", "An update is in progress for resource: api", Kind::Refused),
            ("DeploymentConfigInUseException", "", Kind::InUse),
            ("DeleteConflict", "", Kind::InUse),
            ("ThrottlingException", "Rate exceeded", Kind::Throttled),
            ("Throttling", "", Kind::Throttled),
            ("TooManyRequestsException", "", Kind::Throttled),
            ("RequestLimitExceeded", "", Kind::Throttled),
            ("SomethingNew", "Rate exceeded", Kind::Throttled),
            ("AccessDeniedException", "", Kind::Denied),
            ("AccessDenied", "", Kind::Denied),
            ("UnauthorizedOperation", "", Kind::Denied),
            ("ExpiredTokenException", "", Kind::Unreachable),
            ("UnrecognizedClientException", "", Kind::Unreachable),
            ("ServiceUnavailableException", "", Kind::Unreachable),
            ("InternalFailure", "", Kind::Unreachable),
            ("LimitExceeded", "Cannot exceed quota for RolesPerAccount: 1000", Kind::Refused),
            ("InvalidTrafficRoutingConfigurationException", "", Kind::Refused),
        ] {
            assert_eq!(said(code, message).kind, kind, "{code}: {message}");
        }
    }

    #[test]
    fn the_message_is_the_services_own() {
        let error = said("InvalidAlarmConfigException", "The alarm name is empty.");
        assert_eq!(
            error.to_string(),
            "codedeploy:CreateDeployment: The alarm name is empty. (InvalidAlarmConfigException)"
        );
    }

    #[test]
    fn spent_credentials_come_with_advice() {
        let error = said("ExpiredTokenException", "The security token is expired");
        assert!(error.message.contains("The security token is expired: check the provider's credentials"));
    }

    #[test]
    fn a_call_that_was_not_answered_says_where_it_went_and_what_to_check() {
        let refused = std::io::Error::from(std::io::ErrorKind::ConnectionRefused);
        for (failure, code, words) in [
            (
                ConnectorError::io(refused.into()),
                "ConnectionFailed",
                "codedeploy endpoint of eu-west-1 (connection refused)",
            ),
            (
                ConnectorError::timeout("too slow".into()),
                "Timeout",
                "codedeploy endpoint of eu-west-1 in time",
            ),
            (ConnectorError::other("Missing Region".into(), None), "RegionMissing", "AWS_REGION"),
            (
                ConnectorError::other("no such profile".into(), None),
                "CredentialsMissing",
                "profile \"prod\" (no such profile)",
            ),
        ] {
            let error = undelivered_with(failure);
            assert_eq!((error.kind, error.code.as_str()), (CloudErrorKind::Unreachable, code));
            assert!(error.message.contains(words), "{error}");
        }
    }

    #[test]
    fn what_a_program_printed_instead_of_credentials_stays_out_of_the_message() {
        let printed = "external process exited with code 3. Stderr: hush\nmore";
        let error = undelivered_with(ConnectorError::other(printed.into(), None));
        assert!(error.message.contains("(external process exited with code 3)"), "{error}");
        assert!(!error.message.contains("hush") && !error.message.contains('\n'), "{error}");
    }

    #[test]
    fn throttling_and_outages_pass_and_lost_credentials_do_not() {
        assert!(is_passing(&said("ThrottlingException", "")));
        assert!(is_passing(&said("ServiceUnavailableException", "")));
        assert!(is_passing(&undelivered_with(ConnectorError::timeout("slow".into()))));
        assert!(is_passing(&said("ExpiredTokenException", "")));
        assert!(!is_passing(&said("UnrecognizedClientException", "")));
        assert!(!is_passing(&undelivered_with(ConnectorError::other("no such profile".into(), None))));
        assert!(!is_passing(&said("AccessDeniedException", "")));
    }

    #[test]
    fn only_a_conflict_that_passes_asks_for_patience() {
        assert!(is_update_in_progress(&said(
            "ResourceConflictException",
            "An update is in progress for resource: a"
        )));
        assert!(is_update_in_progress(&said(
            "ResourceConflictException",
            "The operation cannot be performed at this time. The function is currently in the following state: Pending"
        )));
        assert!(!is_update_in_progress(&said("ResourceConflictException", "Alias already exists")));
        assert!(!is_update_in_progress(&said("TooManyRequestsException", "An update is in progress")));
    }

    #[test]
    fn what_is_not_there_is_none_and_deleting_it_succeeds() {
        let missing = || said("ResourceNotFoundException", "");
        assert!(matches!(absent::<()>(Err(missing())), Ok(None)));
        assert!(gone::<()>(Err(missing())).is_ok());
        assert!(gone::<()>(Err(said("AccessDenied", ""))).is_err());
    }
}
