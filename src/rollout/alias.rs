//! An alias of its own: it points at the version given to it, or is made once and then left to a rollout.

use super::apply::apply;
use super::cloud::{AliasState, Cloud, FunctionUrl, Identity, Permission};
use super::context::{Context, Doing, RolloutError};
use super::memory::Memory;
use super::names;
use super::owner::{Maker, Owner};
use super::pieces;
use super::place::read_here;
use super::plan::{Step, check_owner, permission_steps, url_steps};
use super::refusal::Refusal;

/// Lambda's limit for an alias description.
const DESCRIPTION_LIMIT: usize = 256;

#[derive(Debug, Clone, PartialEq)]
pub struct AliasSpec {
    pub function: String,
    pub alias: String,
    pub version: String,
    /// Whether the alias follows `version` after its creation.
    pub follow: bool,
    pub url: Option<FunctionUrl>,
    pub permissions: Vec<Permission>,
    pub adopt: bool,
    pub description: Option<String>,
}

/// Makes AWS as declared, in no place that `check` refuses. The address of the URL comes back in the memory.
pub async fn reconcile_alias<C: Cloud>(
    cx: &Context<'_, C>,
    spec: &AliasSpec,
    owner: &Owner,
    check: impl FnOnce(&Identity) -> Result<(), Refusal>,
    before: Option<&Memory>,
) -> Result<Memory, RolloutError> {
    let (function, alias) = (&spec.function, &spec.alias);
    let read = async {
        tokio::try_join!(
            cx.cloud.alias(function, alias),
            cx.cloud.function_url(function, alias),
            cx.cloud.permissions(function, alias),
            cx.cloud.version(function, &spec.version),
        )
    };
    let (identity, (state, url, statements, found)) =
        read_here(cx, &format!("{function}:{alias}"), check, read).await?;
    // A URL on an alias that a rollout uses may be the rollout's.
    let had_url = before.is_some_and(|memory| !memory.url.is_empty());
    let url = url.filter(|_| spec.url.is_some() || had_url);
    let first = alias_step(spec, owner, state.as_ref(), before.is_some())?;
    if !first.is_empty() && found.is_none() {
        let (function, version, region) = (function.clone(), spec.version.clone(), identity.region);
        return Err(Refusal::NoVersion { function, version, region }.into());
    }
    let mut memory = Memory::new(owner.clone(), &identity.account, &identity.region, &identity.partition);
    memory.url = url.as_ref().map(|(_, address)| address.clone()).unwrap_or_default();
    for step in first {
        apply(cx, function, std::slice::from_ref(&step), &mut memory).await?;
    }
    let prefix = owner.statement_prefix(Maker::Alias);
    let wanted = pieces::alias_permissions(&spec.permissions, spec.url.as_ref(), &prefix);
    let mut attachments = url_steps(alias, spec.url.as_ref(), url.as_ref());
    attachments.extend(permission_steps(alias, &wanted, &statements, &prefix));
    apply(cx, function, &attachments, &mut memory).await?;
    Ok(memory)
}

fn alias_step(
    spec: &AliasSpec,
    owner: &Owner,
    state: Option<&AliasState>,
    known: bool,
) -> Result<Vec<Step>, Refusal> {
    let (alias, version) = (spec.alias.clone(), spec.version.clone());
    let description = description(spec, owner);
    let Some(state) = state else { return Ok(vec![Step::CreateAlias { alias, version, description }]) };
    if !known {
        let mark = Owner::from_alias_description(&state.description);
        // A rollout of the same name is not the same resource.
        let holder = mark.filter(|(maker, _)| *maker == Maker::Alias).map(|(_, holder)| holder);
        let name = format!("{}:{alias}", spec.function);
        check_owner(spec.adopt, "alias", &name, owner, holder.as_ref())?;
    }
    let mut steps = Vec::new();
    if state.description != description {
        steps.push(Step::MarkAlias { alias: alias.clone(), description });
    }
    if spec.follow && (state.version != version || state.weight.is_some()) {
        steps.push(Step::MoveAlias { alias, version });
    }
    Ok(steps)
}

fn description(spec: &AliasSpec, owner: &Owner) -> String {
    let mark = owner.alias_description(Maker::Alias);
    match &spec.description {
        Some(text) => names::cut(&format!("{mark} {text}"), DESCRIPTION_LIMIT),
        None => mark,
    }
}

/// Takes the alias away, if it is of this making of the resource.
pub async fn remove_alias<C: Cloud>(
    cx: &Context<'_, C>,
    function: &str,
    alias: &str,
    memory: &Memory,
) -> Result<(), RolloutError> {
    let id = format!("{function}:{alias}");
    let read = cx.cloud.alias(function, alias);
    let (_, state) = read_here(cx, &id, |here| memory.check_place(&id, here), read).await?;
    let Some(state) = state else { return Ok(()) };
    let holder = Owner::from_alias_description(&state.description).map(|(_, holder)| holder);
    if holder.is_some_and(|holder| holder != memory.owner) {
        return Ok(());
    }
    cx.cloud
        .delete_function_url(function, alias)
        .await
        .doing(|| format!("could not delete the function URL of alias {alias}"))?;
    cx.cloud.delete_alias(function, alias).await.doing(|| format!("could not delete alias {alias}"))
}
