//! Versions that did not stay.

use std::time::Duration;

use lambda_rollout::rollout::cloud::Traffic;
use lambda_rollout::rollout::report::{self, Cause, FailureReport, Fired, HookStage, Serving};
use lambda_rollout::rollout::spec::{ErrorAlarm, OnFailedVersion};

use super::URL;

pub(super) fn failure() -> FailureReport {
    let reason = report::errors_in_words(
        Some(&ErrorAlarm::default()),
        ("41", Traffic { requests: 1_060.0, errors: 0.0 }),
        ("42", Traffic { requests: 118.0, errors: 41.0 }),
    );
    FailureReport {
        function: "orders".to_owned(),
        alias: "stable".to_owned(),
        version: "42".to_owned(),
        reached: 10,
        after: Duration::from_secs(72),
        cause: Cause::Alarm {
            alarms: vec![Fired { name: "rollout-orders.stable.v42-1a2".to_owned(), reason, own: true }],
            while_baking: false,
        },
        serving: Serving::RolledBack { version: "41".to_owned(), rollback: "d-9GH1M22XC".to_owned() },
        exposure: Some(Traffic { requests: 118.0, errors: 41.0 }),
        latest: Some("latest".to_owned()),
        deployment_id: "d-7FQ2K81XC".to_owned(),
        console_url: URL.to_owned(),
        on_failed_version: OnFailedVersion::Keep,
    }
}

pub(super) fn failures() -> Vec<(&'static str, FailureReport)> {
    let mut all = judged();
    all.extend(not_judged());
    all.extend(badly_left());
    all
}

/// The version was found to be bad.
fn judged() -> Vec<(&'static str, FailureReport)> {
    let untouched = || Serving::Untouched { version: "41".to_owned() };
    let refused = || FailureReport { reached: 0, serving: untouched(), exposure: None, ..failure() };
    let latency = Fired {
        name: "orders-latency".to_owned(),
        reason: "Threshold Crossed: 1 datapoint [812.0] was greater than the threshold (500.0)".to_owned(),
        own: false,
    };
    let hook = Cause::Hook {
        name: "orders-check".to_owned(),
        stage: HookStage::BeforeTraffic,
        detail: "reported Failed after 2s: expected 200, got 503".to_owned(),
    };
    let smoke = Cause::SmokeTest { difference: "\"total\" should be 108 and is \"120\"".to_owned() };
    let errors =
        Cause::Errors { detail: "12 of 40 requests failed while all traffic was on version 42".to_owned() };
    vec![
        ("The new version has errors that the old one has not", failure()),
        (
            "An alarm of your own fires",
            FailureReport { cause: Cause::Alarm { alarms: vec![latency], while_baking: false }, ..failure() },
        ),
        ("A hook says no", FailureReport { cause: hook, ..refused() }),
        (
            "The smoke test fails",
            FailureReport { cause: smoke.clone(), deployment_id: String::new(), ..refused() },
        ),
        (
            "The smoke test of a first version fails",
            FailureReport {
                cause: smoke,
                serving: Serving::Nothing,
                deployment_id: String::new(),
                ..refused()
            },
        ),
        ("Errors while it bakes", FailureReport { cause: errors, reached: 100, ..failure() }),
    ]
}

/// Something else went wrong: the same version is tried again.
fn not_judged() -> Vec<(&'static str, FailureReport)> {
    let untouched = || Serving::Untouched { version: "41".to_owned() };
    let unmoved =
        |cause| FailureReport { cause, reached: 0, serving: untouched(), exposure: None, ..failure() };
    let code_deploy =
        |code: &str, message: &str| Cause::CodeDeploy { code: code.to_owned(), message: message.to_owned() };
    let crashed =
        Cause::HookCrashed { name: "orders-check".to_owned(), stage: HookStage::BeforeTraffic, attempts: 3 };
    vec![
        ("A hook crashes in each attempt", unmoved(crashed)),
        ("Somebody stops the deployment", FailureReport { cause: Cause::Stopped, ..failure() }),
        (
            "CodeDeploy may not do its work",
            unmoved(code_deploy(
                "IAM_ROLE_PERMISSIONS",
                "The IAM role does not give you permission to perform operations",
            )),
        ),
        (
            "The alias was changed by somebody else",
            unmoved(code_deploy("INVALID_LAMBDA_CONFIGURATION", "The alias does not serve version 41")),
        ),
        (
            "The function or a version is gone",
            unmoved(code_deploy("INVALID_LAMBDA_FUNCTION", "Function not found")),
        ),
        ("AWS throttles", unmoved(code_deploy("THROTTLED", "Rate exceeded"))),
        (
            "Somebody deletes the group",
            unmoved(code_deploy("DEPLOYMENT_GROUP_MISSING", "The deployment group does not exist")),
        ),
        (
            "Too many deployments in the account",
            unmoved(code_deploy("RESOURCE_LIMIT_EXCEEDED", "The limit of concurrent deployments is reached")),
        ),
        ("A hook never reports", unmoved(code_deploy("TIMEOUT", "The deployment timed out"))),
        ("CodeDeploy fails", unmoved(code_deploy("INTERNAL_ERROR", "There was an internal error"))),
    ]
}

/// It is not the old version that serves now, or nobody knows.
fn badly_left() -> Vec<(&'static str, FailureReport)> {
    let not_rolled_back =
        Serving::NotRolledBack { version: "42".to_owned(), second: None, back_to: Some("41".to_owned()) };
    let rollback_failed = Serving::RollbackFailed {
        version: "41".to_owned(),
        second: Some(("42".to_owned(), 10)),
        good: "41".to_owned(),
        rollback: "d-9GH1M22XC".to_owned(),
        detail: "Failed: the role may not update the alias (IAM_ROLE_PERMISSIONS)".to_owned(),
    };
    let unseen = Serving::Unseen { detail: "ThrottlingException: Rate exceeded".to_owned() };
    vec![
        ("`autoRollback` leaves the case out", FailureReport { serving: not_rolled_back, ..failure() }),
        ("The rollback fails", FailureReport { serving: rollback_failed, ..failure() }),
        ("The alias cannot be read", FailureReport { serving: unseen, ..failure() }),
        ("Somebody has deleted the alias", FailureReport { serving: Serving::Gone, ..failure() }),
    ]
}
