//! The aliases and what hangs on them.

use super::traffic::restored_version;
use super::{LATEST_ALIAS, Step, check_owner};
use crate::rollout::cloud::{AliasState, FunctionUrl, Permission};
use crate::rollout::memory::{Made, Memory};
use crate::rollout::observe::Observed;
use crate::rollout::owner::{Maker, Owner};
use crate::rollout::pieces;
use crate::rollout::refusal::Refusal;
use crate::rollout::spec::RolloutSpec;

pub(super) fn alias_steps(
    spec: &RolloutSpec,
    memory: Option<&Memory>,
    owner: &Owner,
    seen: &Observed,
    made: &mut Made,
) -> Result<Vec<Step>, Refusal> {
    let mut steps = Vec::new();
    // What was imported is another one's until it is marked.
    let imported = memory.is_some_and(|m| m.imported);
    let known = memory.is_some_and(|m| m.made.alias);
    // Refused before `latest` is: whose the alias with the traffic is matters more.
    let stable = alias_holding(spec, owner, &spec.alias, seen.alias.as_ref(), known, imported)?;
    made.alias = stable == Holding::Ours;
    if let Some(latest) = &spec.latest_alias {
        let known = memory.is_some_and(|m| m.made.latest_alias && m.latest_alias_name == *latest);
        let holding = alias_holding(spec, owner, latest, seen.latest.as_ref(), known, imported)?;
        made.latest_alias = holding == Holding::Ours;
        match holding {
            Holding::Missing => steps.push(create_alias(owner, latest, &spec.version)),
            Holding::Used => {}
            Holding::Ours => {
                steps.extend(mark_alias(owner, latest, seen.latest.as_ref()));
                if seen.latest.as_ref().is_some_and(|alias| alias.version != spec.version) {
                    steps.push(Step::MoveAlias { alias: latest.clone(), version: spec.version.clone() });
                }
            }
        }
    }
    match stable {
        Holding::Missing => {
            let version = restored_version(spec, memory).unwrap_or(&spec.version);
            steps.push(create_alias(owner, &spec.alias, version));
        }
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
    imported: bool,
) -> Result<Holding, Refusal> {
    let Some(state) = state else {
        return Ok(Holding::Missing);
    };
    let mark = Owner::from_alias_description(&state.description);
    // What another rollout has taken over is no longer this one's, whatever it remembers.
    let lost = !imported && matches!(mark, Some((Maker::Rollout, _)));
    match mark {
        Some((Maker::Alias, holder)) if holder.is_same_stack(owner) => Ok(Holding::Used),
        Some((Maker::Rollout, holder)) if holder.is_same_resource(owner) => Ok(Holding::Ours),
        _ if known && !lost => Ok(Holding::Ours),
        mark => {
            let holder = mark.map(|(_, holder)| holder);
            let name = format!("{}:{alias}", spec.function.name);
            let what = if *alias == *spec.alias { "alias" } else { LATEST_ALIAS };
            check_owner(spec.adopt, what, &name, owner, holder.as_ref()).map(|()| Holding::Ours)
        }
    }
}

fn create_alias(owner: &Owner, alias: &str, version: &str) -> Step {
    Step::CreateAlias {
        alias: alias.to_owned(),
        version: version.to_owned(),
        description: owner.alias_description(Maker::Rollout),
    }
}

fn mark_alias(owner: &Owner, alias: &str, state: Option<&AliasState>) -> Option<Step> {
    let description = owner.alias_description(Maker::Rollout);
    let fresh = state.is_some_and(|state| state.description == description);
    (!fresh).then(|| Step::MarkAlias { alias: alias.to_owned(), description })
}

pub(super) fn attachment_steps(spec: &RolloutSpec, owner: &Owner, seen: &Observed) -> Vec<Step> {
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
