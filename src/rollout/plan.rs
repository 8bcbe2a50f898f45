//! From what is declared, remembered and observed to what is to be done. Pure: no AWS, no clock.

use super::cloud::{AliasState, Deployment, FunctionUrl, Group, Identity, NewRole, Permission, Tags, Target};
use super::function::Place;
use super::memory::{Made, Memory};
use super::names;
use super::observe::{Config, LastDeployment, Observed, Piece};
use super::owner::{Maker, Owner};
use super::pieces::{self, Pieces};
use super::refusal::Refusal;
use super::spec::{OnConflict, OnFailedVersion, RolloutSpec, Routing};
use super::strategy::{self, Strategy};

/// What to do now.
#[derive(Debug, Clone, PartialEq)]
pub enum Plan {
    /// Something is in the way; deal with it, then observe and plan again.
    Clear(Obstacle),
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

/// Steps in their order, and what happens to traffic in the end.
#[derive(Debug, Clone, PartialEq)]
pub struct Work {
    pub pieces: Pieces,
    pub made: Made,
    /// Before the alias: role, application, configuration, then the group.
    pub foundation: Vec<Step>,
    pub group: Vec<Step>,
    pub alias: Vec<Step>,
    /// What hangs on the aliases: URLs and permissions.
    pub attachments: Vec<Step>,
    /// What was made under another name and is of no use any more; one after the other.
    pub leftovers: Vec<Step>,
    pub traffic: Traffic,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    CreateRole(NewRole),
    TagRole { name: String, tags: Tags },
    PutRolePolicy { role: String, document: String },
    CreateApplication { name: String, tags: Tags },
    TagCodeDeploy { resource: String, tags: Tags },
    CreateConfig { name: String, strategy: Strategy },
    CreateGroup { group: Group, tags: Tags },
    UpdateGroup(Group),
    CreateAlias { alias: String, version: String, description: String },
    MarkAlias { alias: String, description: String },
    MoveAlias { alias: String, version: String },
    CreateUrl { alias: String, url: FunctionUrl },
    UpdateUrl { alias: String, url: FunctionUrl },
    DeleteUrl { alias: String },
    AddPermission { alias: String, permission: Permission },
    RemovePermission { alias: String, statement_id: String },
    DropAlias { alias: String },
    DropGroup { application: String, name: String },
    DropApplication { name: String },
    DropConfig { name: String },
    DropRole { name: String },
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
    /// The declared version failed before, and that was said.
    KeepFailed,
    FailAgain,
    /// The declared version's deployment ended badly while nobody watched.
    FoundFailed {
        deployment: Box<Deployment>,
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
    if let Some(obstacle) = obstacle(spec, seen.alias.as_ref(), seen.last.as_ref())? {
        return Ok(Plan::Clear(obstacle));
    }
    let pieces = Pieces::of(spec, &seen.identity);
    let mut made = Made::default();
    let planner = Planner { spec, memory, owner, seen, pieces: &pieces };
    let foundation = planner.foundation_steps(&mut made)?;
    let group = planner.group_steps(&mut made)?;
    let alias = alias_steps(spec, memory, owner, seen, &mut made)?;
    let attachments = attachment_steps(spec, owner, seen);
    let leftovers = leftover_steps(spec, memory, &pieces);
    let traffic = traffic(spec, memory, seen);
    if traffic != Traffic::Unchanged && seen.version.is_none() {
        return Err(Refusal::NoVersion {
            function: spec.function.name.clone(),
            version: spec.version.clone(),
            region: seen.identity.region.clone(),
        });
    }
    Ok(Plan::Go(Box::new(Work { pieces, made, foundation, group, alias, attachments, leftovers, traffic })))
}

fn check_place(spec: &RolloutSpec, memory: Option<&Memory>, seen: &Observed) -> Result<(), Refusal> {
    let (account, region) = (&seen.identity.account, &seen.identity.region);
    if let Some(memory) = memory.filter(|m| m.account != *account || m.region != *region) {
        return Err(Refusal::WrongPlace {
            id: spec.id(),
            known_account: memory.account.clone(),
            known_region: memory.region.clone(),
            account: account.clone(),
            region: region.clone(),
        });
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

/// A live deployment of another version, a running rollback, or a split that nothing is working on any more.
pub fn obstacle(
    spec: &RolloutSpec,
    alias: Option<&AliasState>,
    last: Option<&LastDeployment>,
) -> Result<Option<Obstacle>, Refusal> {
    let Some(alias) = alias else { return Ok(None) };
    if let Some(last) = last.filter(|last| last.is_live()) {
        return live_obstacle(spec, last);
    }
    let Some((second, share)) = &alias.weight else {
        return Ok(None);
    };
    let ours = last.and_then(|last| last.forward().1).is_some_and(|t| is_pair(t, spec, alias, second));
    if !ours {
        return Err(Refusal::ForeignWeights {
            alias: spec.id(),
            main: alias.version.clone(),
            second: second.clone(),
            percent: format!("{:.0}", share * 100.0),
        });
    }
    Ok(Some(Obstacle::HalfShifted {
        main: alias.version.clone(),
        second: second.clone(),
        revision: alias.revision_id.clone(),
    }))
}

fn live_obstacle(spec: &RolloutSpec, last: &LastDeployment) -> Result<Option<Obstacle>, Refusal> {
    let deployment = last.deployment.id.clone();
    if last.is_rollback() || last.deployment.description.contains(WAY_BACK) {
        return Ok(Some(Obstacle::Rollback { deployment }));
    }
    let target = last.target.as_ref();
    let version = target.map(|t| t.target_version.clone()).unwrap_or_default();
    // A group that the user brings may be at work for another function: that is never stopped, and never ours.
    let ours = target.is_some_and(|t| t.function == spec.function.name && t.alias == spec.alias);
    if ours && version == spec.version {
        return Ok(None);
    }
    match spec.on_conflict {
        OnConflict::Fail => Err(Refusal::Busy { id: spec.id(), deployment, version }),
        OnConflict::Stop if ours => Ok(Some(Obstacle::Superseded { deployment, version })),
        OnConflict::Stop | OnConflict::Wait => Ok(Some(Obstacle::Running { deployment, version })),
    }
}

/// In the description of a deployment with which a bake takes traffic back. It is a rollback, whoever started it.
pub const WAY_BACK: &str = ": back from version";

fn is_pair(target: &Target, spec: &RolloutSpec, alias: &AliasState, second: &str) -> bool {
    target.function == spec.function.name
        && target.alias == spec.alias
        && target.current_version == alias.version
        && target.target_version == second
}

/// Who plans, and what that one remembers.
struct Planner<'a> {
    spec: &'a RolloutSpec,
    memory: Option<&'a Memory>,
    owner: &'a Owner,
    seen: &'a Observed,
    pieces: &'a Pieces,
}

impl Planner<'_> {
    fn foundation_steps(&self, made: &mut Made) -> Result<Vec<Step>, Refusal> {
        let mut steps = self.role_steps(made)?;
        steps.extend(self.application_steps(made)?);
        match (&self.spec.routing, &self.seen.config) {
            (_, Config::Exists(_)) => {}
            (Routing::Named(name), Config::Missing) => return Err(Refusal::NoConfig(name.clone())),
            (Routing::Strategy(strategy), Config::Missing) => {
                steps.push(Step::CreateConfig {
                    name: self.pieces.deployment_config.clone(),
                    strategy: *strategy,
                });
            }
        }
        Ok(steps)
    }

    fn role_steps(&self, made: &mut Made) -> Result<Vec<Step>, Refusal> {
        let Some(name) = &self.pieces.role_name else { return Ok(Vec::new()) };
        let mut steps = Vec::new();
        made.role = true;
        let document = pieces::role_policy(self.spec, &self.seen.identity);
        match &self.seen.role {
            None => {
                let role = pieces::role(self.spec, name, &self.seen.identity, self.owner);
                steps.push(Step::CreateRole(role));
            }
            Some(role) => {
                let holder = Owner::from_tags(&role.tags);
                if !self.memory.is_some_and(|m| m.made.role) {
                    check_owner(self.spec.adopt, "role", name, self.owner, holder.as_ref())?;
                }
                if holder.as_ref() != Some(self.owner) || self.tags_changed() {
                    steps.push(Step::TagRole { name: name.clone(), tags: self.tags() });
                }
            }
        }
        if !self.seen.role_policy.as_ref().is_some_and(|known| pieces::same_document(known, &document)) {
            steps.push(Step::PutRolePolicy { role: name.clone(), document });
        }
        Ok(steps)
    }

    fn application_steps(&self, made: &mut Made) -> Result<Vec<Step>, Refusal> {
        let name = &self.pieces.application;
        let Piece::Exists(holder) = &self.seen.application else {
            made.application = true;
            return Ok(vec![Step::CreateApplication { name: name.clone(), tags: self.tags() }]);
        };
        let known = self.memory.is_some_and(|m| m.made_application(name));
        if !known && !is_ours(self.owner, holder.as_ref()) {
            // A thing that the user names is used as it is; one that we would name ourselves must be ours.
            if self.spec.application_name.is_some() {
                return Ok(Vec::new());
            }
            check_owner(self.spec.adopt, "application", name, self.owner, holder.as_ref())?;
        }
        made.application = true;
        Ok(self.mark(known, holder.as_ref(), format!("application:{name}")).into_iter().collect())
    }

    fn group_steps(&self, made: &mut Made) -> Result<Vec<Step>, Refusal> {
        let (spec, pieces) = (self.spec, self.pieces);
        let wanted = pieces::group(spec, pieces);
        let Some(state) = &self.seen.group else {
            made.group = true;
            return Ok(vec![Step::CreateGroup { group: wanted, tags: self.tags() }]);
        };
        let holder = self.seen.group_owner.as_ref();
        let known = self.memory.is_some_and(|m| m.made_group(&pieces.application, &pieces.group));
        if !known && !is_ours(self.owner, holder) {
            if spec.application_name.is_some() {
                if spec.notifications.is_empty() {
                    return Ok(Vec::new());
                }
                return Err(Refusal::NotificationsOnForeignGroup(pieces.group.clone()));
            }
            check_owner(spec.adopt, "deployment group", &pieces.group, self.owner, holder)?;
        }
        made.group = true;
        let resource = format!("deploymentgroup:{}/{}", pieces.application, pieces.group);
        let mut steps: Vec<Step> = self.mark(known, holder, resource).into_iter().collect();
        if state.group != wanted {
            steps.push(Step::UpdateGroup(wanted));
        }
        Ok(steps)
    }

    fn tags_changed(&self) -> bool {
        self.memory.is_some_and(|memory| memory.tag_mark != self.spec.tag_mark())
    }

    fn tags(&self) -> Tags {
        pieces::tags(self.spec, self.owner)
    }

    /// A piece of an earlier making of this resource, or one that is taken over, gets the mark of this one.
    fn mark(&self, known: bool, holder: Option<&Owner>, resource: String) -> Option<Step> {
        let marked = if known { self.memory.map(|m| &m.owner) } else { holder };
        (marked != Some(self.owner) || self.tags_changed())
            .then(|| Step::TagCodeDeploy { resource, tags: self.tags() })
    }
}

fn alias_steps(
    spec: &RolloutSpec,
    memory: Option<&Memory>,
    owner: &Owner,
    seen: &Observed,
    made: &mut Made,
) -> Result<Vec<Step>, Refusal> {
    let mut steps = Vec::new();
    if let Some(latest) = &spec.latest_alias {
        let known = memory.is_some_and(|m| m.made.latest_alias && m.latest_alias_name == *latest);
        let holding = alias_holding(spec, owner, latest, seen.latest.as_ref(), known)?;
        made.latest_alias = holding != Holding::Used;
        match holding {
            Holding::Missing => steps.push(create_alias(spec, owner, latest)),
            Holding::Used => {}
            Holding::Ours => {
                steps.extend(mark_alias(owner, latest, seen.latest.as_ref()));
                if seen.latest.as_ref().is_some_and(|alias| alias.version != spec.version) {
                    steps.push(Step::MoveAlias { alias: latest.clone(), version: spec.version.clone() });
                }
            }
        }
    }
    let known = memory.is_some_and(|m| m.made.alias);
    let holding = alias_holding(spec, owner, &spec.alias, seen.alias.as_ref(), known)?;
    made.alias = holding != Holding::Used;
    match holding {
        Holding::Missing => steps.push(create_alias(spec, owner, &spec.alias)),
        Holding::Ours => steps.extend(mark_alias(owner, &spec.alias, seen.alias.as_ref())),
        Holding::Used => {}
    }
    Ok(steps)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Holding {
    Missing,
    Ours,
    /// Made by a `FunctionAlias` of this stack: used, never owned.
    Used,
}

fn alias_holding(
    spec: &RolloutSpec,
    owner: &Owner,
    alias: &str,
    state: Option<&AliasState>,
    known: bool,
) -> Result<Holding, Refusal> {
    let Some(state) = state else {
        return Ok(Holding::Missing);
    };
    match Owner::from_alias_description(&state.description) {
        Some((Maker::Alias, holder)) if holder.is_same_stack(owner) => Ok(Holding::Used),
        _ if known => Ok(Holding::Ours),
        Some((Maker::Rollout, holder)) if holder.is_same_resource(owner) => Ok(Holding::Ours),
        mark => {
            let holder = mark.map(|(_, holder)| holder);
            let name = format!("{}:{alias}", spec.function.name);
            check_owner(spec.adopt, "alias", &name, owner, holder.as_ref()).map(|()| Holding::Ours)
        }
    }
}

fn create_alias(spec: &RolloutSpec, owner: &Owner, alias: &str) -> Step {
    Step::CreateAlias {
        alias: alias.to_owned(),
        version: spec.version.clone(),
        description: owner.alias_description(Maker::Rollout),
    }
}

fn mark_alias(owner: &Owner, alias: &str, state: Option<&AliasState>) -> Option<Step> {
    let description = owner.alias_description(Maker::Rollout);
    let fresh = state.is_some_and(|state| state.description == description);
    (!fresh).then(|| Step::MarkAlias { alias: alias.to_owned(), description })
}

fn attachment_steps(spec: &RolloutSpec, owner: &Owner, seen: &Observed) -> Vec<Step> {
    let prefix = owner.statement_prefix(Maker::Rollout);
    let mut steps = url_steps(&spec.alias, spec.function_url.as_ref(), seen.url.as_ref());
    steps.extend(permission_steps(
        &spec.alias,
        &pieces::permissions(spec, owner),
        &seen.permissions,
        &prefix,
    ));
    if let Some(latest) = &spec.latest_alias {
        let url = spec.latest_function_url.as_ref();
        steps.extend(url_steps(latest, url, seen.latest_url.as_ref()));
        let wanted = pieces::alias_permissions(&[], url, &prefix);
        steps.extend(permission_steps(latest, &wanted, &seen.latest_permissions, &prefix));
    }
    steps
}

/// Pieces that a changed name, strategy or role has left behind.
fn leftover_steps(spec: &RolloutSpec, memory: Option<&Memory>, pieces: &Pieces) -> Vec<Step> {
    let Some(memory) = memory else { return Vec::new() };
    let mut steps = Vec::new();
    let latest = &memory.latest_alias_name;
    if memory.made.latest_alias && !latest.is_empty() && Some(latest) != spec.latest_alias.as_ref() {
        steps.push(Step::DropAlias { alias: latest.clone() });
    }
    let (application, name) = (memory.application.clone(), memory.group.clone());
    let moved = application != pieces.application;
    if memory.made.group && (moved || name != pieces.group) {
        steps.push(Step::DropGroup { application: application.clone(), name });
    }
    if memory.made.application && moved {
        steps.push(Step::DropApplication { name: application });
    }
    if memory.made.role && pieces.role_name.is_none() {
        let name = names::role(&spec.function.name, &spec.alias, &memory.region);
        steps.push(Step::DropRole { name });
    }
    let config = &memory.deployment_config;
    if strategy::is_shared(config) && *config != pieces.deployment_config {
        steps.push(Step::DropConfig { name: config.clone() });
    }
    steps
}

pub fn url_steps(
    alias: &str,
    wanted: Option<&FunctionUrl>,
    seen: Option<&(FunctionUrl, String)>,
) -> Vec<Step> {
    let alias = alias.to_owned();
    match (wanted, seen) {
        (Some(url), None) => vec![Step::CreateUrl { alias, url: url.clone() }],
        (Some(url), Some((known, _))) if url != known => vec![Step::UpdateUrl { alias, url: url.clone() }],
        (None, Some(_)) => vec![Step::DeleteUrl { alias }],
        _ => Vec::new(),
    }
}

pub fn permission_steps(alias: &str, wanted: &[Permission], seen: &[String], prefix: &str) -> Vec<Step> {
    let missing = wanted
        .iter()
        .filter(|p| !seen.contains(&p.statement_id))
        .map(|permission| Step::AddPermission { alias: alias.to_owned(), permission: permission.clone() });
    let left_over = seen
        .iter()
        .filter(|id| id.starts_with(prefix) && !wanted.iter().any(|p| p.statement_id == **id))
        .map(|id| Step::RemovePermission { alias: alias.to_owned(), statement_id: id.clone() });
    missing.chain(left_over).collect()
}

fn traffic(spec: &RolloutSpec, memory: Option<&Memory>, seen: &Observed) -> Traffic {
    let Some(alias) = &seen.alias else {
        return Traffic::FirstVersion;
    };
    if let Some(live) = seen.last.as_ref().filter(|last| last.is_live()) {
        // All traffic may be on the new version already, while a hook still decides.
        let from = live.target.as_ref().map_or(&alias.version, |target| &target.current_version);
        return Traffic::Adopt { deployment: live.deployment.id.clone(), from: from.clone() };
    }
    let serves = alias.version == spec.version && alias.weight.is_none();
    let failed_before =
        memory.is_some_and(|m| m.failed_version == spec.version && m.trigger_mark == spec.trigger_mark());
    match spec.on_failed_version {
        OnFailedVersion::Keep if failed_before => return Traffic::KeepFailed,
        OnFailedVersion::Fail if failed_before => return Traffic::FailAgain,
        _ if serves => return Traffic::Unchanged,
        _ => {}
    }
    let found = seen.last.as_ref().and_then(|last| found_failed(spec, memory, last));
    match found {
        Some(deployment) => Traffic::FoundFailed { deployment: Box::new(deployment) },
        None => Traffic::Deploy { from: alias.version.clone() },
    }
}

/// A deployment of the declared version that was judged bad after the last time that we looked.
fn found_failed(spec: &RolloutSpec, memory: Option<&Memory>, last: &LastDeployment) -> Option<Deployment> {
    let (deployment, target) = last.forward();
    let judged = is_judgement(&deployment.error_code);
    let ours = target.is_some_and(|t| t.target_version == spec.version && t.alias == spec.alias);
    let unseen = memory.is_some_and(|m| {
        m.deployment_id == deployment.id && m.last_rollout.as_ref().is_some_and(|l| l.status == IN_PROGRESS)
    });
    (judged && ours && unseen).then(|| deployment.clone())
}

/// Whether a deployment that ended with this code says that the version is bad.
pub fn is_judgement(error_code: &str) -> bool {
    matches!(error_code, "ALARM_ACTIVE" | "HOOK_EXECUTION_FAILURE")
}

/// The status of a rollout whose end nobody has seen yet.
pub const IN_PROGRESS: &str = "InProgress";

pub fn is_ours(owner: &Owner, holder: Option<&Owner>) -> bool {
    holder.is_some_and(|holder| holder.is_same_resource(owner))
}

pub fn check_owner(
    adopt: bool,
    what: &'static str,
    name: &str,
    owner: &Owner,
    holder: Option<&Owner>,
) -> Result<(), Refusal> {
    if is_ours(owner, holder) || adopt {
        return Ok(());
    }
    let (holder, cure) = match holder {
        Some(holder) => (
            format!("belongs to {}", holder.path),
            "choose another `aliasName`, import it, or for a renamed resource use Pulumi's `aliases` option"
                .to_owned(),
        ),
        None => ("was not made by a rollout".to_owned(), "choose another name".to_owned()),
    };
    Err(Refusal::Taken { what, name: name.to_owned(), holder, cure })
}

#[cfg(test)]
#[path = "plan_tests.rs"]
mod tests;
