//! Which pieces are made, changed, taken over and removed.

use super::*;
use crate::rollout::owner::Maker;
use crate::rollout::pieces;

#[test]
fn a_first_create_makes_every_piece_and_shifts_nothing() {
    let spec = spec("1");
    let work = work(plan(&spec, None, &owner(), &nothing(&spec)));
    let made: Vec<String> = steps(&work).iter().map(Step::describe).collect();
    assert_eq!(
        made,
        [
            "create role rollout-orders.stable.eu-west-1",
            "create CodeDeploy application rollout-orders.stable",
            "create deployment group stable",
            "set the policy of role rollout-orders.stable.eu-west-1",
            "create alias latest at version 1",
            "create alias stable at version 1",
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
fn what_another_stack_took_over_is_left_to_it_unless_it_is_taken_back() {
    let spec = spec("3");
    let (memory, mut seen) = complete(&spec, "1");
    let description = Owner::new("shop", "second", "orders", "g2").alias_description(Maker::Rollout);
    seen.alias = Some(AliasState { description: description.clone(), ..alias("1") });
    seen.last = Some(deployment("d-1", DeploymentStatus::Live, "1", "2"));
    let refused = plan(&spec, Some(&memory), &owner(), &seen);
    assert!(matches!(refused, Err(Refusal::TakenOver { .. })), "before what runs is stopped: {refused:?}");

    seen.last = None;
    let back = RolloutSpec { adopt: true, ..spec.clone() };
    let work = work(plan(&back, Some(&memory), &owner(), &seen));
    let marks = steps(&work).into_iter().filter(Step::is_mark).count();
    assert_eq!(marks, 3, "the alias, the application and the group");

    // Whoever imports takes over what the other one has marked.
    let imported = Memory { imported: true, ..memory };
    assert!(plan(&spec, Some(&imported), &owner(), &seen).is_ok());
}

#[test]
fn what_runs_for_another_stack_is_refused_before_it_is_stopped() {
    let spec = spec("3");
    let (_, mut seen) = complete(&spec, "1");
    seen.last = Some(deployment("d-1", DeploymentStatus::Live, "1", "2"));
    let stranger = Owner::new("shop", "second", "orders", "g2");
    assert!(matches!(plan(&spec, None, &stranger, &seen), Err(Refusal::Taken { what: "alias", .. })));
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
    let dropped: Vec<String> = work(plan(&after, Some(&memory), &owner(), &seen))
        .leftovers
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(
        dropped,
        [
            "alias latest",
            "deployment group stable",
            "CodeDeploy application rollout-orders.stable",
            "deployment configuration rollout-linear-20pct-2m",
            "role rollout-orders.stable.eu-west-1",
        ]
    );
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
    assert!(matches!(
        plan(&spec, Some(&memory), &owner(), &seen),
        Err(Refusal::Taken { what: "latest alias", .. })
    ));
}

#[test]
fn what_was_not_removed_is_remembered_until_it_is_in_use_again() {
    let spec = spec("1");
    let (mut memory, seen) = complete(&spec, "1");
    let old = Leftover::Group { application: "theirs".to_owned(), name: "old".to_owned() };
    memory.leftovers = vec![old.clone(), Leftover::Alias("latest".to_owned())];
    assert_eq!(work(plan(&spec, Some(&memory), &owner(), &seen)).leftovers, [old]);
}

#[test]
fn a_permissions_boundary_follows_the_declaration_and_a_foreign_one_stays() {
    let bound = |boundary: Option<&str>| RolloutSpec {
        permissions_boundary: boundary.map(str::to_owned),
        ..spec("1")
    };
    let (memory, seen) = complete(&spec("1"), "1");
    for (wanted, put_by_us, is_there, changes) in [
        (Some("a"), "", None, Some(Some("a"))),
        (Some("a"), "b", Some("b"), Some(Some("a"))),
        (Some("a"), "a", Some("a"), None),
        (None, "a", Some("a"), Some(None)),
        (None, "", Some("theirs"), None),
        (None, "a", Some("theirs"), None),
    ] {
        let memory = Memory { boundary: put_by_us.to_owned(), ..memory.clone() };
        let role =
            seen.role.clone().map(|role| Role { permissions_boundary: is_there.map(str::to_owned), ..role });
        let seen = Observed { role, ..seen.clone() };
        let found = steps(&work(plan(&bound(wanted), Some(&memory), &owner(), &seen)));
        let found = found.into_iter().find_map(|step| match step {
            Step::BindRole { boundary, .. } => Some(boundary),
            _ => None,
        });
        assert_eq!(
            found,
            changes.map(|boundary| boundary.map(str::to_owned)),
            "{wanted:?} {put_by_us} {is_there:?}"
        );
    }
}

#[test]
fn an_override_for_one_run_stays_out_of_the_group() {
    let declared = spec("2");
    let strategy = Strategy::Linear { percentage: 20, minutes: 2 };
    let overridden = RolloutSpec {
        routing: Routing::Strategy(strategy),
        declared_routing: Some(declared.routing.clone()),
        ..declared.clone()
    };
    let (memory, seen) = complete(&declared, "1");
    let seen = Observed { missing_configs: vec![overridden.routing.clone()], ..seen };
    let work = work(plan(&overridden, Some(&memory), &owner(), &seen));
    assert_eq!(work.foundation, [Step::CreateConfig { name: strategy.config_name(), strategy }]);
    assert_eq!(work.group, []);
}

#[test]
fn a_group_of_somebody_else_brings_its_role() {
    let spec = RolloutSpec {
        application_name: Some("theirs".to_owned()),
        deployment_group_name: Some("theirs".to_owned()),
        ..spec("1")
    };
    let (_, seen) = complete(&spec, "1");
    let mut group = seen.group.clone().unwrap();
    "arn:aws:iam::123456789012:role/theirs".clone_into(&mut group.group.service_role_arn);
    let seen = Observed { group: Some(group), role: None, role_policy: None, ..seen };
    let work = work(plan(&spec, None, &owner(), &seen));
    assert_eq!(work.pieces.service_role_arn, "arn:aws:iam::123456789012:role/theirs");
    assert_eq!((work.foundation, work.group), (vec![], vec![]));
}
