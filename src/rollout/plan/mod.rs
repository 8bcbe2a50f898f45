//! From what is declared, remembered and observed to what is to be done. Pure: no AWS, no clock.

mod aliases;
mod foundation;
mod obstacle;
mod traffic;

use self::aliases::{alias_steps, attachment_steps};
use self::foundation::Planner;
use self::traffic::traffic;
use super::cloud::{Deployment, FunctionUrl, Group, GroupState, Identity, NewRole, Permission, Tags};
use super::function::Place;
use super::leftover::{Leftover, leftovers};
use super::memory::{Made, Memory};
use super::observe::Observed;
use super::owner::Owner;
use super::pieces::Pieces;
use super::refusal::Refusal;
use super::spec::RolloutSpec;
use super::strategy::Strategy;

pub use self::aliases::{permission_steps, url_steps};
pub use self::foundation::check_owner;
pub use self::obstacle::{give_back, obstacle};
pub use self::traffic::{IN_PROGRESS, has_failed, is_judgement};

/// In refusals: the alias at which the version under test stands.
const LATEST_ALIAS: &str = "latest alias";

/// What to do now.
#[derive(Debug, Clone, PartialEq)]
pub enum Plan {
    /// Something is in the way; deal with it, then observe and plan again.
    Clear(Obstacle),
    /// A version that failed has all the traffic; put it back, then observe and plan again.
    GiveBack(GiveBack),
    Go(Box<Work>),
}

#[derive(Debug, Clone, PartialEq)]
pub enum Obstacle {
    /// A rollback is running. It is never stopped.
    Rollback { deployment: String },
    /// Another version's deployment is running, to be waited for.
    Running { deployment: String, version: String },
    /// Another version's deployment is running, to be stopped with rollback.
    Superseded { deployment: String, version: String },
    /// Traffic was left split by a deployment that ended.
    HalfShifted { main: String, second: String, revision: String },
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GiveBack {
    pub failed: String,
    /// What served before.
    pub good: String,
    pub revision: String,
}

/// Steps in their order, and what happens to traffic in the end.
#[derive(Debug, Clone, PartialEq)]
pub struct Work {
    pub pieces: Pieces,
    /// What is ours already; what a step makes is added when it is made.
    pub made: Made,
    /// What the group needs: role, application, configuration.
    pub foundation: Vec<Step>,
    /// The group, and the policy of its role.
    pub group: Vec<Step>,
    pub alias: Vec<Step>,
    /// What hangs on the aliases, and comes after them: URLs and permissions.
    pub attachments: Vec<Step>,
    /// What was made under another name and is of no use any more.
    pub leftovers: Vec<Leftover>,
    pub traffic: Traffic,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    CreateRole(NewRole),
    TagRole {
        name: String,
        tags: Tags,
    },
    /// `None` takes the boundary away.
    BindRole {
        name: String,
        boundary: Option<String>,
    },
    PutRolePolicy {
        role: String,
        document: String,
    },
    CreateApplication {
        name: String,
        tags: Tags,
    },
    TagCodeDeploy {
        resource: String,
        tags: Tags,
    },
    CreateConfig {
        name: String,
        strategy: Strategy,
    },
    CreateGroup {
        group: Group,
        tags: Tags,
    },
    UpdateGroup(Group),
    CreateAlias {
        alias: String,
        version: String,
        description: String,
    },
    MarkAlias {
        alias: String,
        description: String,
    },
    MoveAlias {
        alias: String,
        version: String,
    },
    CreateUrl {
        alias: String,
        url: FunctionUrl,
    },
    UpdateUrl {
        alias: String,
        url: FunctionUrl,
    },
    DeleteUrl {
        alias: String,
    },
    AddPermission {
        alias: String,
        permission: Permission,
    },
    RemovePermission {
        alias: String,
        statement_id: String,
    },
}

#[derive(Debug, Clone, PartialEq)]
pub enum Traffic {
    /// The alias is made at the declared version; nothing can be shifted.
    FirstVersion,
    /// The alias serves the declared version.
    Unchanged,
    Deploy {
        from: String,
    },
    /// A deployment of the declared version is running: wait for that one.
    Adopt {
        deployment: String,
        from: String,
    },
    /// The declared version's deployment succeeded, and nobody watched it to the end of the bake.
    Bake {
        deployment: String,
        from: String,
    },
    /// The declared version failed before, and that was said.
    KeepFailed,
    FailAgain,
    /// The declared version was taken back from while nobody watched, or by a waiter.
    FoundWayBack {
        deployment: Box<Deployment>,
    },
    /// The declared version's deployment ended badly while nobody watched.
    FoundFailed {
        deployment: Box<Deployment>,
        from: String,
    },
}

/// Decides. `owner` is who plans: the remembered owner, or a new one at creation.
pub fn plan(
    spec: &RolloutSpec,
    memory: Option<&Memory>,
    owner: &Owner,
    seen: &Observed,
) -> Result<Plan, Refusal> {
    check_place(spec, memory, seen)?;
    let pieces = pieces(spec, memory, owner, seen);
    let mut made = Made::default();
    // Whose everything is comes first: what runs for somebody else is neither stopped nor put back.
    let alias = alias_steps(spec, memory, owner, seen, &mut made)?;
    let planner = Planner { spec, memory, owner, seen, pieces: &pieces };
    let traffic = traffic(spec, memory, seen);
    let foundation = planner.foundation_steps(&mut made, matches!(traffic, Traffic::Deploy { .. }))?;
    let mut group = planner.group_steps(&mut made)?;
    group.extend(planner.policy_step());
    if let Some(obstacle) = obstacle(spec, &pieces, seen.alias.as_ref(), seen.last.as_ref())? {
        return Ok(Plan::Clear(obstacle));
    }
    if let Some(back) = memory.and_then(|memory| give_back(spec, memory, seen)) {
        return Ok(Plan::GiveBack(back));
    }
    let attachments = attachment_steps(spec, owner, seen);
    let leftovers = memory.map(|memory| leftovers(spec, memory, &pieces)).unwrap_or_default();
    if traffic != Traffic::Unchanged && seen.version.is_none() {
        return Err(Refusal::NoVersion {
            function: spec.function.name.clone(),
            version: spec.version.clone(),
            region: seen.identity.region.clone(),
        });
    }
    Ok(Plan::Go(Box::new(Work { pieces, made, foundation, group, alias, attachments, leftovers, traffic })))
}

/// A group that somebody else made brings its own role.
fn pieces(spec: &RolloutSpec, memory: Option<&Memory>, owner: &Owner, seen: &Observed) -> Pieces {
    let pieces = Pieces::of(spec, &seen.identity);
    let ours = |state: &GroupState| {
        let known = memory.is_some_and(|m| m.made_group(&state.group.application, &state.group.name));
        known || seen.group_owner.as_ref().is_some_and(|holder| holder.is_same_resource(owner))
    };
    match &seen.group {
        Some(state) if spec.application_name.is_some() && !ours(state) => {
            Pieces { service_role_arn: state.group.service_role_arn.clone(), role_name: None, ..pieces }
        }
        _ => pieces,
    }
}

fn check_place(spec: &RolloutSpec, memory: Option<&Memory>, seen: &Observed) -> Result<(), Refusal> {
    if let Some(memory) = memory {
        memory.check_place(&spec.id(), &seen.identity)?;
    }
    check_function_place(spec.function.place.as_ref(), &seen.identity)
}

/// A function that is named by an ARN must be where the provider works.
pub fn check_function_place(place: Option<&Place>, here: &Identity) -> Result<(), Refusal> {
    let Identity { account, region, .. } = here;
    match place {
        Some(place) if place.account != *account || place.region != *region => {
            Err(Refusal::FunctionElsewhere {
                named_account: place.account.clone(),
                named_region: place.region.clone(),
                account: account.clone(),
                region: region.clone(),
            })
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
