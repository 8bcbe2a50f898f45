//! What happens to traffic, and what is in the way.

use super::*;
use crate::rollout::spec::{OnConflict, OnFailedVersion};

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
fn a_deployment_that_failed_while_nobody_watched_is_found() {
    let spec = spec("2");
    let (mut memory, mut seen) = complete(&spec, "1");
    "d-1".clone_into(&mut memory.deployment_id);
    memory.last_rollout = Some(rollout("2", IN_PROGRESS, Duration::ZERO));
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
fn a_version_that_failed_unseen_and_serves_is_found_before_it_is_taken_for_good() {
    let spec = spec("2");
    let (mut memory, mut seen) = complete(&spec, "1");
    seen.alias = Some(alias("2"));
    "d-1".clone_into(&mut memory.deployment_id);
    memory.last_rollout = Some(rollout("2", IN_PROGRESS, Duration::ZERO));
    let mut failed = deployment("d-1", DeploymentStatus::Failed, "1", "2");
    "HOOK_EXECUTION_FAILURE".clone_into(&mut failed.deployment.error_code);
    seen.last = Some(failed);
    let found = work(plan(&spec, Some(&memory), &owner(), &seen)).traffic;
    assert!(matches!(&found, Traffic::FoundFailed { from, .. } if from == "1"), "{found:?}");
}

#[test]
fn a_failed_version_that_has_all_the_traffic_gives_it_back_unless_it_is_to_be_tried_again() {
    for declared in ["2", "3"] {
        let spec = spec(declared);
        let (mut memory, seen) = complete(&spec, "2");
        memory.served = vec!["1".to_owned()];
        "2".clone_into(&mut memory.failed_version);
        let back = GiveBack { failed: "2".to_owned(), good: "1".to_owned(), revision: "r1".to_owned() };
        assert_eq!(plan(&spec, Some(&memory), &owner(), &seen), Ok(Plan::GiveBack(back)));

        let triggers = [("keep".to_owned(), "it".to_owned())].into();
        let kept = plan(&RolloutSpec { triggers, ..spec }, Some(&memory), &owner(), &seen);
        assert_eq!(matches!(kept, Ok(Plan::Go(_))), declared == "2", "{kept:?}");
    }
}

#[test]
fn a_failed_version_that_nothing_served_before_is_not_forgotten() {
    let table = [
        (OnFailedVersion::Keep, Traffic::KeepFailed),
        (OnFailedVersion::Fail, Traffic::FailAgain),
        (OnFailedVersion::Retry, Traffic::Unchanged),
    ];
    for (choice, expected) in table {
        let spec = RolloutSpec { on_failed_version: choice, ..spec("2") };
        let (mut memory, seen) = complete(&spec, "2");
        memory.served.clear();
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
    back.deployment.description = "orders:stable: back from version 2 to 1".to_owned();
    seen.last = Some(back);
    let plan = plan(&spec, Some(&memory), &owner(), &seen);
    assert_eq!(plan, Ok(Plan::Clear(Obstacle::Rollback { deployment: "d-9".to_owned() })));
}

#[test]
fn a_judged_deployment_is_found_although_its_id_was_never_saved() {
    let spec = spec("2");
    let (mut memory, mut seen) = complete(&spec, "1");
    let mut failed = deployment("d-9", DeploymentStatus::Stopped, "1", "2");
    "ALARM_ACTIVE".clone_into(&mut failed.deployment.error_code);
    failed.deployment.created = Some(SystemTime::UNIX_EPOCH + Duration::from_mins(9));
    seen.last = Some(failed);
    "d-1".clone_into(&mut memory.deployment_id);
    memory.last_rollout = Some(rollout("1", "Succeeded", Duration::from_mins(5)));
    let found = work(plan(&spec, Some(&memory), &owner(), &seen)).traffic;
    assert!(matches!(found, Traffic::FoundFailed { .. }), "{found:?}");

    // What is older than the last run was seen by it.
    memory.last_rollout = Some(rollout("1", "Succeeded", Duration::from_mins(10)));
    let again = work(plan(&spec, Some(&memory), &owner(), &seen)).traffic;
    assert_eq!(again, Traffic::Deploy { from: "1".to_owned() });

    // A changed trigger asks for another try.
    memory.last_rollout = Some(rollout("1", "Succeeded", Duration::from_mins(5)));
    "before".clone_into(&mut memory.trigger_mark);
    let again = work(plan(&spec, Some(&memory), &owner(), &seen)).traffic;
    assert_eq!(again, Traffic::Deploy { from: "1".to_owned() });
}

#[test]
fn a_way_back_that_nobody_was_told_of_keeps_the_version_from_being_tried_again() {
    let spec = spec("2");
    let (mut memory, mut seen) = complete(&spec, "1");
    let mut back = deployment("d-9", DeploymentStatus::Succeeded, "2", "1");
    back.deployment.description = "orders:stable: back from version 2 to 1".to_owned();
    back.deployment.created = Some(SystemTime::UNIX_EPOCH + Duration::from_mins(9));
    seen.last = Some(back);
    let ended = |minutes| {
        let ended = Some(SystemTime::UNIX_EPOCH + Duration::from_mins(minutes));
        Some(LastRollout { ended, ..rollout("1", "Succeeded", Duration::ZERO) })
    };
    memory.last_rollout = ended(5);
    let found = work(plan(&spec, Some(&memory), &owner(), &seen)).traffic;
    assert!(matches!(found, Traffic::FoundWayBack { .. }), "{found:?}");

    // Who waits elsewhere may have gone back: then the rollout's own end is unknown.
    memory.last_rollout = Some(rollout("2", IN_PROGRESS, Duration::ZERO));
    let found = work(plan(&spec, Some(&memory), &owner(), &seen)).traffic;
    assert!(matches!(found, Traffic::FoundWayBack { .. }), "{found:?}");

    let deploys = Traffic::Deploy { from: "1".to_owned() };
    let another = RolloutSpec { version: "3".to_owned(), ..spec.clone() };
    assert_eq!(work(plan(&another, Some(&memory), &owner(), &seen)).traffic, deploys);
    let triggered = RolloutSpec { triggers: [("again".to_owned(), "1".to_owned())].into(), ..spec.clone() };
    assert_eq!(work(plan(&triggered, Some(&memory), &owner(), &seen)).traffic, deploys);
    // An earlier run has told it, and whoever declares the version once more wants it.
    memory.last_rollout = ended(10);
    assert_eq!(work(plan(&spec, Some(&memory), &owner(), &seen)).traffic, deploys);
    let retried = RolloutSpec { on_failed_version: OnFailedVersion::Retry, ..spec };
    "2".clone_into(&mut memory.failed_version);
    memory.last_rollout = ended(5);
    assert_eq!(work(plan(&retried, Some(&memory), &owner(), &seen)).traffic, deploys);
}

#[test]
fn a_deployment_that_succeeded_while_nobody_watched_is_looked_at() {
    let baking = RolloutSpec { bake: Duration::from_mins(3), wait: true, ..spec("2") };
    let (mut memory, mut seen) = complete(&baking, "2");
    let mut done = deployment("d-1", DeploymentStatus::Succeeded, "1", "2");
    done.deployment.created = Some(SystemTime::UNIX_EPOCH + Duration::from_mins(9));
    seen.last = Some(done);
    "d-1".clone_into(&mut memory.deployment_id);
    memory.last_rollout = Some(rollout("2", IN_PROGRESS, Duration::from_mins(5)));
    let bake = Traffic::Bake { deployment: "d-1".to_owned(), from: "1".to_owned() };
    assert_eq!(work(plan(&baking, Some(&memory), &owner(), &seen)).traffic, bake);

    // The waiter bakes what `wait: false` leaves to it.
    let left = RolloutSpec { bake: Duration::ZERO, wait: false, ..baking.clone() };
    assert_eq!(work(plan(&left, Some(&memory), &owner(), &seen)).traffic, Traffic::Unchanged);

    // Killed before the id was saved: the memory still speaks of the version before.
    let killed =
        Memory { deployment_id: "d-0".to_owned(), serving_version: "1".to_owned(), ..memory.clone() };
    assert_eq!(work(plan(&baking, Some(&killed), &owner(), &seen)).traffic, bake);

    memory.last_rollout = Some(rollout("2", "Succeeded", Duration::from_mins(5)));
    assert_eq!(work(plan(&baking, Some(&memory), &owner(), &seen)).traffic, Traffic::Unchanged);
}

#[test]
fn a_deployment_in_a_group_of_an_earlier_name_must_end_first() {
    let spec = spec("2");
    let (memory, mut seen) = complete(&spec, "1");
    let mut live = deployment("d-1", DeploymentStatus::Live, "1", "2");
    "before".clone_into(&mut live.deployment.group);
    seen.last = Some(live);
    let waits = Obstacle::Running { deployment: "d-1".to_owned(), version: "2".to_owned() };
    assert_eq!(plan(&spec, Some(&memory), &owner(), &seen), Ok(Plan::Clear(waits)));
}

#[test]
fn a_lost_alias_is_never_made_again_at_a_version_that_failed() {
    for (choice, expected) in [
        (OnFailedVersion::Keep, Traffic::KeepFailed),
        (OnFailedVersion::Fail, Traffic::FailAgain),
        (OnFailedVersion::Retry, Traffic::Deploy { from: "1".to_owned() }),
    ] {
        let spec = RolloutSpec { on_failed_version: choice, ..spec("2") };
        let (mut memory, seen) = complete(&spec, "1");
        "2".clone_into(&mut memory.failed_version);
        let seen = Observed { alias: None, ..seen };
        let work = work(plan(&spec, Some(&memory), &owner(), &seen));
        let made = work.alias.iter().find_map(|step| match step {
            Step::CreateAlias { version, .. } => Some(version.as_str()),
            _ => None,
        });
        assert_eq!((made, work.traffic.clone()), (Some("1"), expected));
    }
}
