//! The pieces below the alias: role, application, configuration and group, and whose they are.

use super::{LATEST_ALIAS, Step};
use crate::rollout::cloud::Tags;
use crate::rollout::memory::{Made, Memory};
use crate::rollout::observe::{Observed, Piece};
use crate::rollout::owner::{Maker, Owner};
use crate::rollout::pieces::{self, Pieces};
use crate::rollout::refusal::Refusal;
use crate::rollout::spec::{RolloutSpec, Routing};

/// Who plans, and what that one remembers.
pub(super) struct Planner<'a> {
    pub(super) spec: &'a RolloutSpec,
    pub(super) memory: Option<&'a Memory>,
    pub(super) owner: &'a Owner,
    pub(super) seen: &'a Observed,
    pub(super) pieces: &'a Pieces,
}

impl Planner<'_> {
    /// What only a deployment needs is made only for one.
    pub(super) fn foundation_steps(&self, made: &mut Made, deploys: bool) -> Result<Vec<Step>, Refusal> {
        let mut steps = self.role_steps(made)?;
        steps.extend(self.application_steps(made)?);
        let needed = |routing: &&Routing| deploys || *routing == self.spec.group_routing();
        for routing in self.seen.missing_configs.iter().filter(needed) {
            match routing {
                Routing::Named(name) => return Err(Refusal::NoConfig(name.clone())),
                Routing::Strategy(strategy) => {
                    steps.push(Step::CreateConfig { name: strategy.config_name(), strategy: *strategy });
                }
            }
        }
        Ok(steps)
    }

    fn role_steps(&self, made: &mut Made) -> Result<Vec<Step>, Refusal> {
        let Some(name) = &self.pieces.role_name else { return Ok(Vec::new()) };
        let mut steps = Vec::new();
        match &self.seen.role {
            None => {
                let role = pieces::role(self.spec, name, &self.seen.identity, self.owner);
                steps.push(Step::CreateRole(role));
            }
            Some(role) => {
                made.role = true;
                let holder = Owner::from_tags(&role.tags);
                if !self.memory.is_some_and(|m| m.made.role) {
                    check_owner(self.spec.adopt, "role", name, self.owner, holder.as_ref())?;
                }
                if holder.as_ref() != Some(self.owner) || self.tags_changed() {
                    steps.push(Step::TagRole { name: name.clone(), tags: self.tags() });
                }
                steps.extend(self.boundary_step(name, role.permissions_boundary.as_ref()));
            }
        }
        Ok(steps)
    }

    /// After the role, beside the group: CodeDeploy asks for what the policy allows only when it deploys.
    pub(super) fn policy_step(&self) -> Option<Step> {
        let role = self.pieces.role_name.clone()?;
        let document = pieces::role_policy(self.spec, &self.seen.identity);
        let known = self.seen.role_policy.as_ref();
        let fresh = known.is_some_and(|known| pieces::same_document(known, &document));
        (!fresh).then_some(Step::PutRolePolicy { role, document })
    }

    /// A boundary that somebody else put on the role stays.
    fn boundary_step(&self, name: &str, bound: Option<&String>) -> Option<Step> {
        let wanted = self.spec.permissions_boundary.as_ref();
        let put_by_us = self.memory.map(|memory| &memory.boundary).filter(|boundary| !boundary.is_empty());
        let changes = if wanted.is_some() { wanted != bound } else { bound.is_some() && bound == put_by_us };
        changes.then(|| Step::BindRole { name: name.to_owned(), boundary: wanted.cloned() })
    }

    fn application_steps(&self, made: &mut Made) -> Result<Vec<Step>, Refusal> {
        let name = &self.pieces.application;
        let Piece::Exists(holder) = &self.seen.application else {
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

    pub(super) fn group_steps(&self, made: &mut Made) -> Result<Vec<Step>, Refusal> {
        let (spec, pieces) = (self.spec, self.pieces);
        let wanted = pieces::group(spec, pieces);
        let Some(state) = &self.seen.group else {
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

    /// Another rollout has put its mark on everything, and this one takes it back.
    fn was_taken_over(&self) -> bool {
        let description = self.seen.alias.as_ref().map(|alias| alias.description.as_str());
        let mark = description.and_then(Owner::from_alias_description);
        mark.is_some_and(|(maker, holder)| maker == Maker::Rollout && !holder.is_same_resource(self.owner))
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
        let uncertain = self.memory.is_some_and(|memory| memory.imported) || self.was_taken_over();
        let marked = marked.filter(|_| !uncertain);
        (marked != Some(self.owner) || self.tags_changed())
            .then(|| Step::TagCodeDeploy { resource, tags: self.tags() })
    }
}

fn is_ours(owner: &Owner, holder: Option<&Owner>) -> bool {
    holder.is_some_and(|holder| holder.is_same_resource(owner))
}

/// Refuses what somebody else made, unless it is to be adopted.
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
    let other = other_name(what);
    let (holder, cure) = match holder {
        Some(holder) => (
            format!("belongs to {}", holder.path),
            format!("{other}, import it, or for a renamed resource use Pulumi's `aliases` option"),
        ),
        None => ("was not made by a rollout".to_owned(), other.to_owned()),
    };
    Err(Refusal::Taken { what, name: name.to_owned(), holder, cure })
}

/// The input that keeps two makers apart.
fn other_name(what: &str) -> &'static str {
    match what {
        LATEST_ALIAS => "set `latestAliasName` to another name, or to \"\" for none",
        "application" => "choose another `applicationName`",
        "deployment group" => "choose another `deploymentGroupName`",
        "role" => "bring a role of your own with `serviceRoleArn`",
        _ => "choose another `aliasName`",
    }
}
