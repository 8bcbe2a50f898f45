//! The plan as a table: what is declared, remembered and seen, and what is to be done.

use std::time::{Duration, SystemTime};

mod pieces;
mod traffic;

use super::*;
use crate::rollout::cloud::{
    AliasState, DeploymentStatus, GroupState, Role, Target, VersionInfo, VersionState,
};
use crate::rollout::function::FunctionRef;
use crate::rollout::memory::LastRollout;
use crate::rollout::observe::{LastDeployment, Piece};
use crate::rollout::owner::Maker;
use crate::rollout::spec::{ErrorAlarm, Routing};

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
    assert_eq!(spec.routing, Routing::Strategy(Strategy::default()));
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
        missing_configs: Vec::new(),
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
        group: Some(GroupState { group: crate::rollout::pieces::group(spec, &pieces), last_attempted: None }),
        role: Some(Role { arn: String::new(), tags: owner().tags(), permissions_boundary: None }),
        role_policy: Some(crate::rollout::pieces::role_policy(spec, &identity())),
        ..nothing(spec)
    };
    (memory, seen)
}

fn deployment(id: &str, status: DeploymentStatus, from: &str, to: &str) -> LastDeployment {
    let deployment = Deployment {
        id: id.to_owned(),
        status,
        status_text: format!("{status:?}"),
        application: "rollout-orders.stable".to_owned(),
        group: "stable".to_owned(),
        deployment_config: String::new(),
        description: String::new(),
        creator: "user".to_owned(),
        alarms: None,
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

fn rollout(version: &str, status: &str, started: Duration) -> LastRollout {
    LastRollout { status: status.to_owned(), ..LastRollout::of(version, SystemTime::UNIX_EPOCH + started) }
}
