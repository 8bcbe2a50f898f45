//! The plan as a table: what is declared, remembered and seen, and what is to be done.

use std::time::{Duration, SystemTime};

use super::*;
use crate::rollout::cloud::{
    AliasState, DeploymentStatus, GroupState, Role, Target, VersionInfo, VersionState,
};
use crate::rollout::function::FunctionRef;
use crate::rollout::memory::LastRollout;
use crate::rollout::observe::{Config, LastDeployment, Piece};
use crate::rollout::owner::Maker;
use crate::rollout::pieces;
use crate::rollout::spec::{ErrorAlarm, OnConflict, OnFailedVersion, Routing};

fn owner() -> Owner {
    Owner::new("shop", "prod", "orders", "g1")
}

fn spec(version: &str) -> RolloutSpec {
    let function = FunctionRef { name: "orders".to_owned(), place: None };
    RolloutSpec {
        latest_alias: Some("latest".to_owned()),
        error_alarm: Some(ErrorAlarm::default()),
        ..RolloutSpec::plain(function, "stable", version)
    }
}

fn identity() -> Identity {
    Identity {
        account: "123456789012".to_owned(),
        region: "eu-west-1".to_owned(),
        partition: "aws".to_owned(),
    }
}

fn alias(version: &str) -> AliasState {
    AliasState {
        version: version.to_owned(),
        weight: None,
        description: owner().alias_description(Maker::Rollout),
        revision_id: "r1".to_owned(),
    }
}

/// Nothing exists but the function's version.
fn nothing(spec: &RolloutSpec) -> Observed {
    let strategy = Strategy::default();
    assert_eq!(spec.routing, Routing::Strategy(strategy));
    Observed {
        identity: identity(),
        version: Some(VersionInfo {
            state: VersionState::Active,
            state_reason: String::new(),
            role_arn: String::new(),
            dead_letter_arn: None,
            timeout: Duration::from_secs(3),
        }),
        alias: None,
        latest: None,
        application: Piece::Missing,
        group: None,
        group_owner: None,
        role: None,
        role_policy: None,
        config: Config::Exists(strategy),
        url: None,
        latest_url: None,
        permissions: Vec::new(),
        latest_permissions: Vec::new(),
        last: None,
    }
}

/// Everything was made by `owner`, and the alias serves `version`.
fn complete(spec: &RolloutSpec, version: &str) -> (Memory, Observed) {
    let pieces = Pieces::of(spec, &identity());
    let mut memory = Memory::new(owner(), "123456789012", "eu-west-1", "aws");
    memory.made = Made { alias: true, latest_alias: true, application: true, group: true, role: true };
    "latest".clone_into(&mut memory.latest_alias_name);
    memory.application.clone_from(&pieces.application);
    memory.group.clone_from(&pieces.group);
    memory.record_serving(version);
    let seen = Observed {
        alias: Some(alias(version)),
        latest: Some(alias(version)),
        application: Piece::Exists(None),
        group: Some(GroupState { group: pieces::group(spec, &pieces), last_attempted: None }),
        role: Some(Role { arn: String::new(), tags: owner().tags(), permissions_boundary: None }),
        role_policy: Some(pieces::role_policy(spec, &identity())),
        ..nothing(spec)
    };
    (memory, seen)
}

fn deployment(id: &str, status: DeploymentStatus, from: &str, to: &str) -> LastDeployment {
    let deployment = Deployment {
        id: id.to_owned(),
        status,
        status_text: format!("{status:?}"),
        application: String::new(),
        group: String::new(),
        deployment_config: String::new(),
        description: String::new(),
        creator: "user".to_owned(),
        error_code: String::new(),
        error_message: String::new(),
        rolled_back_by: None,
        rolls_back: None,
        created: None,
        started: None,
        completed: None,
    };
    let target = Target {
        function: "orders".to_owned(),
        alias: "stable".to_owned(),
        current_version: from.to_owned(),
        target_version: to.to_owned(),
        weight: 0.1,
        events: Vec::new(),
    };
    LastDeployment { deployment, target: Some(target), rolled_back: None }
}

fn work(plan: Result<Plan, Refusal>) -> Work {
    match plan {
        Ok(Plan::Go(work)) => *work,
        other => panic!("no work: {other:?}"),
    }
}

fn steps(work: &Work) -> Vec<Step> {
    [&work.foundation, &work.group, &work.alias, &work.attachments].into_iter().flatten().cloned().collect()
}

#[test]
fn a_first_create_makes_every_piece_and_shifts_nothing() {
    let spec = spec("1");
    let work = work(plan(&spec, None, &owner(), &nothing(&spec)));
    let made: Vec<String> = steps(&work).iter().map(Step::describe).collect();
    assert_eq!(
        made,
        [
            "could not create role rollout-orders.stable.eu-west-1",
            "could not set the policy of role rollout-orders.stable.eu-west-1",
            "could not create CodeDeploy application rollout-orders.stable",
            "could not create deployment group stable",
            "could not create alias latest at version 1",
            "could not create alias stable at version 1",
        ]
    );
    assert_eq!(work.traffic, Traffic::FirstVersion);
}

#[test]
fn what_is_as_declared_needs_no_step() {
    let spec = spec("1");
    let (memory, seen) = complete(&spec, "1");
    let work = work(plan(&spec, Some(&memory), &owner(), &seen));
    assert_eq!(steps(&work), []);
    assert_eq!(work.traffic, Traffic::Unchanged);
}

#[test]
fn a_new_version_moves_latest_and_is_deployed() {
    let spec = spec("2");
    let (memory, seen) = complete(&spec, "1");
    let work = work(plan(&spec, Some(&memory), &owner(), &seen));
    assert_eq!(steps(&work), [Step::MoveAlias { alias: "latest".to_owned(), version: "2".to_owned() }]);
    assert_eq!(work.traffic, Traffic::Deploy { from: "1".to_owned() });
}

#[test]
fn a_failed_version_is_kept_refused_or_tried_again_as_declared() {
    let table = [
        (OnFailedVersion::Keep, Traffic::KeepFailed),
        (OnFailedVersion::Fail, Traffic::FailAgain),
        (OnFailedVersion::Retry, Traffic::Deploy { from: "1".to_owned() }),
    ];
    for (choice, expected) in table {
        let spec = RolloutSpec { on_failed_version: choice, ..spec("2") };
        let (mut memory, seen) = complete(&spec, "1");
        "2".clone_into(&mut memory.failed_version);
        assert_eq!(work(plan(&spec, Some(&memory), &owner(), &seen)).traffic, expected);
        let triggered = RolloutSpec { triggers: [("again".to_owned(), "1".to_owned())].into(), ..spec };
        let again = work(plan(&triggered, Some(&memory), &owner(), &seen));
        assert_eq!(again.traffic, Traffic::Deploy { from: "1".to_owned() }, "changed triggers try again");
    }
}

#[test]
fn a_live_deployment_of_the_same_version_is_adopted() {
    let spec = spec("2");
    let (memory, mut seen) = complete(&spec, "1");
    seen.alias = Some(AliasState { weight: Some(("2".to_owned(), 0.1)), ..alias("1") });
    seen.last = Some(deployment("d-1", DeploymentStatus::Live, "1", "2"));
    let work = work(plan(&spec, Some(&memory), &owner(), &seen));
    assert_eq!(work.traffic, Traffic::Adopt { deployment: "d-1".to_owned(), from: "1".to_owned() });
}

#[test]
fn a_live_deployment_of_another_version_is_cleared_as_declared() {
    let (deployment_id, version) = ("d-1".to_owned(), "2".to_owned());
    let superseded = Obstacle::Superseded { deployment: deployment_id.clone(), version: version.clone() };
    let running = Obstacle::Running { deployment: deployment_id, version };
    for (choice, expected) in
        [(OnConflict::Stop, Some(superseded)), (OnConflict::Wait, Some(running)), (OnConflict::Fail, None)]
    {
        let spec = RolloutSpec { on_conflict: choice, ..spec("3") };
        let (memory, mut seen) = complete(&spec, "1");
        seen.last = Some(deployment("d-1", DeploymentStatus::Live, "1", "2"));
        match (plan(&spec, Some(&memory), &owner(), &seen), expected) {
            (Ok(Plan::Clear(obstacle)), Some(expected)) => assert_eq!(obstacle, expected),
            (Err(Refusal::Busy { version, .. }), None) => assert_eq!(version, "2"),
            (other, _) => panic!("{choice:?}: {other:?}"),
        }
    }
}

#[test]
fn a_running_rollback_is_awaited_whatever_is_declared() {
    let spec = RolloutSpec { on_conflict: OnConflict::Fail, ..spec("3") };
    let (memory, mut seen) = complete(&spec, "1");
    let mut rollback = deployment("d-2", DeploymentStatus::Live, "2", "1");
    rollback.deployment.rolls_back = Some("d-1".to_owned());
    seen.last = Some(rollback);
    let plan = plan(&spec, Some(&memory), &owner(), &seen);
    assert_eq!(plan, Ok(Plan::Clear(Obstacle::Rollback { deployment: "d-2".to_owned() })));
}

#[test]
fn traffic_that_our_own_deployment_left_split_is_put_back_and_foreign_weights_are_not() {
    let spec = spec("3");
    let (memory, mut seen) = complete(&spec, "1");
    seen.alias = Some(AliasState { weight: Some(("2".to_owned(), 0.1)), ..alias("1") });
    seen.last = Some(deployment("d-1", DeploymentStatus::Stopped, "1", "2"));
    let mend =
        Obstacle::HalfShifted { main: "1".to_owned(), second: "2".to_owned(), revision: "r1".to_owned() };
    assert_eq!(plan(&spec, Some(&memory), &owner(), &seen), Ok(Plan::Clear(mend)));

    seen.last = Some(deployment("d-1", DeploymentStatus::Stopped, "1", "9"));
    assert!(matches!(plan(&spec, Some(&memory), &owner(), &seen), Err(Refusal::ForeignWeights { .. })));
}

#[test]
fn what_somebody_else_made_is_refused_unless_it_is_adopted() {
    let spec = spec("1");
    let foreign = AliasState { description: "the live one".to_owned(), ..alias("1") };
    let seen = Observed { alias: Some(foreign), ..nothing(&spec) };
    assert!(matches!(plan(&spec, None, &owner(), &seen), Err(Refusal::Taken { what: "alias", .. })));

    let adopting = RolloutSpec { adopt: true, ..spec };
    let work = work(plan(&adopting, None, &owner(), &seen));
    assert_eq!(work.traffic, Traffic::Unchanged, "taking over moves no traffic");
    assert!(work.made.alias);
}

#[test]
fn an_alias_of_a_function_alias_of_the_same_stack_is_used_and_never_owned() {
    let spec = spec("2");
    let sibling = |stack: &str| {
        let description = Owner::new("shop", stack, "hook", "g9").alias_description(Maker::Alias);
        Observed { alias: Some(AliasState { description, ..alias("1") }), ..nothing(&spec) }
    };
    let used = work(plan(&spec, None, &owner(), &sibling("prod")));
    assert!(!used.made.alias);
    assert_eq!(used.traffic, Traffic::Deploy { from: "1".to_owned() });
    assert!(matches!(plan(&spec, None, &owner(), &sibling("dev")), Err(Refusal::Taken { .. })));
}

#[test]
fn a_new_making_of_the_same_resource_takes_over_with_its_own_generation() {
    let spec = spec("1");
    let (_, seen) = complete(&spec, "1");
    let seen = Observed { application: Piece::Exists(Some(owner())), group_owner: Some(owner()), ..seen };
    let successor = Owner { generation: "g2".to_owned(), ..owner() };
    let work = work(plan(&spec, None, &successor, &seen));
    let marks = steps(&work).into_iter().filter(|step| {
        matches!(step, Step::MarkAlias { .. } | Step::TagCodeDeploy { .. } | Step::TagRole { .. })
    });
    assert_eq!(marks.count(), 5, "both aliases, application, group and role");
}

#[test]
fn another_account_or_region_is_refused() {
    let spec = spec("1");
    let (memory, seen) = complete(&spec, "1");
    let elsewhere = Memory { region: "us-east-1".to_owned(), ..memory };
    assert!(matches!(plan(&spec, Some(&elsewhere), &owner(), &seen), Err(Refusal::WrongPlace { .. })));
}

#[test]
fn a_version_that_does_not_exist_is_refused() {
    let spec = spec("9");
    let (memory, seen) = complete(&spec, "1");
    let seen = Observed { version: None, ..seen };
    assert!(matches!(plan(&spec, Some(&memory), &owner(), &seen), Err(Refusal::NoVersion { .. })));
}

#[test]
fn a_deployment_that_failed_while_nobody_watched_is_found() {
    let spec = spec("2");
    let (mut memory, mut seen) = complete(&spec, "1");
    "d-1".clone_into(&mut memory.deployment_id);
    memory.last_rollout = Some(LastRollout {
        version: "2".to_owned(),
        status: IN_PROGRESS.to_owned(),
        reason: String::new(),
        requests: 0.0,
        errors: 0.0,
        started: SystemTime::UNIX_EPOCH,
        ended: None,
    });
    let mut failed = deployment("d-1", DeploymentStatus::Stopped, "1", "2");
    "ALARM_ACTIVE".clone_into(&mut failed.deployment.error_code);
    seen.last = Some(failed.clone());
    let found = work(plan(&spec, Some(&memory), &owner(), &seen)).traffic;
    assert!(matches!(found, Traffic::FoundFailed { .. }), "{found:?}");

    // A manual stop says nothing about the version.
    "MANUAL_STOP".clone_into(&mut failed.deployment.error_code);
    seen.last = Some(failed);
    let again = work(plan(&spec, Some(&memory), &owner(), &seen)).traffic;
    assert_eq!(again, Traffic::Deploy { from: "1".to_owned() });
}

#[test]
fn urls_and_permissions_follow_the_declaration() {
    let public =
        FunctionUrl { authorization_type: "NONE".to_owned(), invoke_mode: "BUFFERED".to_owned(), cors: None };
    let spec = RolloutSpec { function_url: Some(public), ..spec("1") };
    let (memory, seen) = complete(&spec, "1");
    let made = work(plan(&spec, Some(&memory), &owner(), &seen)).attachments;
    assert_eq!(made.len(), 3, "the URL and the two statements that a public one needs: {made:?}");

    let private = RolloutSpec { function_url: None, ..spec.clone() };
    let statements: Vec<String> = pieces::permissions(&spec, &owner())
        .into_iter()
        .map(|p| p.statement_id)
        .chain(["theirs".to_owned()])
        .collect();
    let seen = Observed {
        url: spec.function_url.clone().map(|url| (url, "https://x".to_owned())),
        permissions: statements,
        ..seen
    };
    let removed = work(plan(&private, Some(&memory), &owner(), &seen)).attachments;
    let removed: Vec<String> = removed.iter().map(Step::describe).collect();
    assert_eq!(removed.len(), 3, "{removed:?}");
    assert!(!removed.iter().any(|step| step.contains("theirs")), "{removed:?}");
}

#[test]
fn what_a_changed_declaration_leaves_behind_is_removed() {
    let before = spec("1");
    let (mut memory, seen) = complete(&before, "1");
    "latest".clone_into(&mut memory.latest_alias_name);
    "rollout-linear-20pct-2m".clone_into(&mut memory.deployment_config);
    let after = RolloutSpec {
        latest_alias: None,
        application_name: Some("theirs".to_owned()),
        service_role_arn: Some("arn:aws:iam::123456789012:role/theirs".to_owned()),
        ..before
    };
    let seen = Observed { application: Piece::Missing, group: None, latest: None, ..seen };
    let dropped: Vec<String> =
        work(plan(&after, Some(&memory), &owner(), &seen)).leftovers.iter().map(Step::describe).collect();
    assert_eq!(
        dropped,
        [
            "could not delete alias latest",
            "could not delete deployment group stable",
            "could not delete CodeDeploy application rollout-orders.stable",
            "could not delete role rollout-orders.stable.eu-west-1",
            "could not delete deployment configuration rollout-linear-20pct-2m",
        ]
    );
}

#[test]
fn a_failed_version_that_still_serves_is_not_forgotten() {
    let table = [
        (OnFailedVersion::Keep, Traffic::KeepFailed),
        (OnFailedVersion::Fail, Traffic::FailAgain),
        (OnFailedVersion::Retry, Traffic::Unchanged),
    ];
    for (choice, expected) in table {
        let spec = RolloutSpec { on_failed_version: choice, ..spec("2") };
        let (mut memory, seen) = complete(&spec, "2");
        "2".clone_into(&mut memory.failed_version);
        assert_eq!(work(plan(&spec, Some(&memory), &owner(), &seen)).traffic, expected);
    }
}

#[test]
fn a_deployment_whose_hook_still_decides_is_seen_although_the_alias_looks_settled() {
    // After the last shift the alias is on version 2 alone, and the hook after traffic is running.
    let going_on = spec("2");
    let (memory, mut seen) = complete(&going_on, "2");
    seen.last = Some(deployment("d-1", DeploymentStatus::Live, "1", "2"));
    let adopted = work(plan(&going_on, Some(&memory), &owner(), &seen)).traffic;
    assert_eq!(adopted, Traffic::Adopt { deployment: "d-1".to_owned(), from: "1".to_owned() });

    // Before the first shift it is on version 1 alone, and the user goes back to that.
    let back = spec("1");
    let (memory, mut seen) = complete(&back, "1");
    seen.last = Some(deployment("d-1", DeploymentStatus::Live, "1", "2"));
    let stopped = Obstacle::Superseded { deployment: "d-1".to_owned(), version: "2".to_owned() };
    assert_eq!(plan(&back, Some(&memory), &owner(), &seen), Ok(Plan::Clear(stopped)));
}

#[test]
fn another_functions_deployment_of_a_shared_group_is_awaited_and_never_stopped() {
    let spec = spec("2");
    let (memory, mut seen) = complete(&spec, "1");
    let mut theirs = deployment("d-1", DeploymentStatus::Live, "1", "2");
    theirs.target.as_mut().unwrap().function = "returns".to_owned();
    seen.last = Some(theirs);
    let awaited = Obstacle::Running { deployment: "d-1".to_owned(), version: "2".to_owned() };
    assert_eq!(plan(&spec, Some(&memory), &owner(), &seen), Ok(Plan::Clear(awaited)));
}

#[test]
fn the_way_back_of_a_bake_is_never_stopped() {
    let spec = spec("2");
    let (memory, mut seen) = complete(&spec, "2");
    let mut back = deployment("d-9", DeploymentStatus::Live, "2", "1");
    back.deployment.description = format!("orders:stable{WAY_BACK} 2 to 1");
    seen.last = Some(back);
    let plan = plan(&spec, Some(&memory), &owner(), &seen);
    assert_eq!(plan, Ok(Plan::Clear(Obstacle::Rollback { deployment: "d-9".to_owned() })));
}

#[test]
fn changed_tags_reach_the_pieces() {
    let spec = RolloutSpec { tags: [("team".to_owned(), "shop".to_owned())].into(), ..spec("1") };
    let (memory, seen) = complete(&spec, "1");
    let tagged = steps(&work(plan(&spec, Some(&memory), &owner(), &seen)));
    assert_eq!(tagged.len(), 3, "application, group and role: {tagged:?}");
}

#[test]
fn a_latest_alias_of_another_name_must_be_ours_too() {
    let spec = RolloutSpec { latest_alias: Some("live".to_owned()), ..spec("1") };
    let (mut memory, mut seen) = complete(&spec, "1");
    "latest".clone_into(&mut memory.latest_alias_name);
    seen.latest = Some(AliasState { description: "theirs".to_owned(), ..alias("7") });
    assert!(matches!(plan(&spec, Some(&memory), &owner(), &seen), Err(Refusal::Taken { what: "alias", .. })));
}
