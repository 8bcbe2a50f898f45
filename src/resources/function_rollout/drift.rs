//! Drift: what the next update would mend, found by planning once more what the last run acted on.

use super::inputs;
use crate::pulumi::diff::{Change, ChangeKind, Old};
use crate::pulumi::{PropertyMap, PropertyPath};
use crate::rollout::cloud::Cloud;
use crate::rollout::context::{Context, RolloutError};
use crate::rollout::leftover::Leftover;
use crate::rollout::memory::{Drift, Memory};
use crate::rollout::observe::{Observed, Piece, observe};
use crate::rollout::plan::{Obstacle, Plan, Step, Work, plan};
use crate::rollout::refusal::Refusal;
use crate::rollout::spec::RolloutSpec;
use crate::rollout::strategy::Strategy;

/// What exists, and what of it an update would mend.
pub(super) async fn find<C: Cloud>(
    cx: &Context<'_, C>,
    spec: &RolloutSpec,
    memory: &Memory,
) -> Result<(Observed, Vec<Drift>), RolloutError> {
    let id = spec.id();
    let seen = observe(cx, spec, Some(memory)).await?;
    // Changed default tags are no drift, and what was imported is marked by the next update anyway.
    let known = Memory { tag_mark: spec.tag_mark(), ..memory.clone() };
    let on_its_way = other_version_on_its_way(spec, &seen);
    let drift = match plan(spec, Some(&known), &known.owner, &seen) {
        _ if memory.imported => Vec::new(),
        _ if on_its_way.is_some() => on_its_way.into_iter().collect(),
        Ok(Plan::Go(work)) => drift_of(spec, memory, &seen, &work),
        Ok(Plan::Clear(Obstacle::HalfShifted { main, .. })) => {
            vec![drift("aliasName", format!("put all traffic back on version {main}"))]
        }
        Ok(Plan::GiveBack(back)) => vec![back_to(&back.good)],
        // What runs is no drift.
        Ok(Plan::Clear(_)) => Vec::new(),
        // With its function an alias goes too. The update that makes the function anew has the version as well.
        Err(Refusal::NoVersion { .. }) if seen.alias.is_none() => {
            vec![drift("aliasName", format!("create alias {}", spec.alias))]
        }
        Err(refusal) => {
            cx.reporter.warn(&format!("{id}: the next update would be refused: {refusal}"));
            Vec::new()
        }
    };
    if !drift.is_empty() {
        let mends: Vec<&str> = drift.iter().map(|drift| drift.mend.as_str()).collect();
        cx.reporter.warn(&format!("{id} is not as it was left; the next update will {}", mends.join(", ")));
    }
    Ok((seen, drift))
}

/// A deployment that goes on although nobody declares its version any more: a run that was killed has started it, or
/// somebody else has.
fn other_version_on_its_way(spec: &RolloutSpec, seen: &Observed) -> Option<Drift> {
    let last =
        seen.last.as_ref().filter(|last| last.moves_traffic_of(spec) && !last.deployment.is_way_back())?;
    let target = last.target.as_ref().filter(|target| target.target_version != spec.version)?;
    let mend = format!(
        "clear deployment {} of version {} away (`onConflict`), and serve version {}",
        last.deployment.id, target.target_version, spec.version
    );
    Some(drift("version", mend))
}

/// Whether anything is left of what the rollout made.
pub(super) fn is_gone(memory: &Memory, seen: &Observed) -> bool {
    let made = memory.made;
    let rest = [
        made.latest_alias && seen.latest.is_some(),
        made.application && seen.application != Piece::Missing,
        made.group && seen.group.is_some(),
        made.role && seen.role.is_some(),
    ];
    seen.alias.is_none() && !rest.contains(&true)
}

/// The inputs that the last run acted on. They are in the outputs, since after a failed update the engine keeps the
/// inputs of the run before; but what was made stands there as well, and must not look like something brought.
pub(super) fn acted_on(outputs: &PropertyMap, memory: &Memory) -> RolloutSpec {
    let mut inputs = outputs.clone();
    if memory.made.role {
        inputs.remove("serviceRoleArn");
    }
    let by_default = memory.deployment_config == Strategy::default().config_name();
    if inputs.contains_key("strategy") || by_default {
        inputs.remove("deploymentConfigName");
    }
    inputs::read(&inputs).spec
}

/// Changes that bring an update about, although what is declared has not changed.
pub(super) fn changes(memory: &Memory) -> Vec<Change> {
    let mut properties: Vec<&str> = memory.drift.iter().map(|drift| drift.property.as_str()).collect();
    properties.sort_unstable();
    properties.dedup();
    let change = |property: &str| Change {
        shows: Old::Output,
        ..Change::new(PropertyPath::root().key(property.to_owned()), ChangeKind::Update)
    };
    properties.into_iter().map(change).collect()
}

fn drift_of(spec: &RolloutSpec, memory: &Memory, seen: &Observed, work: &Work) -> Vec<Drift> {
    let steps = [&work.foundation, &work.group, &work.alias, &work.attachments].into_iter().flatten();
    let is_tried = |version: &str| memory.last_rollout.as_ref().is_some_and(|last| last.version == version);
    // After a failure, and after going back from one, `latest` may stand at either version.
    let latest_is_fine = seen.latest.as_ref().is_some_and(|latest| is_tried(&latest.version));
    steps
        .filter(|step| !(matches!(step, Step::MoveAlias { .. }) && latest_is_fine))
        .map(|step| drift(property_of(step, spec), step.describe()))
        .chain(
            work.leftovers.iter().filter(|left| !matches!(left, Leftover::Config(_))).map(drift_of_leftover),
        )
        .collect()
}

fn drift_of_leftover(leftover: &Leftover) -> Drift {
    drift("applicationName", format!("delete {leftover}"))
}

/// A version that failed serves, and is not to.
pub(super) fn back_to(good: &str) -> Drift {
    drift("version", format!("put all traffic back on version {good}"))
}

fn drift(property: &str, mend: String) -> Drift {
    Drift { property: property.to_owned(), mend }
}

/// The input or output by which a person knows the piece.
fn property_of(step: &Step, spec: &RolloutSpec) -> &'static str {
    match step {
        Step::CreateRole(_) | Step::TagRole { .. } | Step::BindRole { .. } | Step::PutRolePolicy { .. } => {
            "serviceRoleArn"
        }
        Step::CreateApplication { .. } | Step::TagCodeDeploy { .. } => "applicationName",
        Step::CreateConfig { .. } => "deploymentConfigName",
        Step::CreateGroup { .. } | Step::UpdateGroup(_) => "deploymentGroupName",
        Step::CreateAlias { alias, .. } | Step::MarkAlias { alias, .. } | Step::MoveAlias { alias, .. } => {
            if *alias == spec.alias {
                "aliasName"
            } else {
                "latestAliasName"
            }
        }
        Step::CreateUrl { alias, .. } | Step::UpdateUrl { alias, .. } | Step::DeleteUrl { alias } => {
            if *alias == spec.alias { "functionUrl" } else { "latestFunctionUrl" }
        }
        Step::AddPermission { alias, .. } | Step::RemovePermission { alias, .. } => {
            if *alias == spec.alias {
                "permissions"
            } else {
                "latestFunctionUrl"
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pulumi::{PropertyValue, properties};
    use crate::resources::state;
    use crate::rollout::memory::Made;
    use crate::rollout::owner::Owner;

    #[test]
    fn what_was_made_does_not_look_like_something_brought() {
        let mut memory = Memory::new(Owner::new("p", "s", "n", "g"), "123456789012", "eu-west-1", "aws");
        memory.made = Made { role: true, application: true, group: true, ..Made::default() };
        "arn:aws:iam::123456789012:role/made".clone_into(&mut memory.service_role_arn);
        "rollout-linear-20pct-2m".clone_into(&mut memory.deployment_config);
        let mut outputs = properties([
            ("functionName", "orders".into()),
            ("version", "3".into()),
            (
                "strategy",
                PropertyValue::Object(properties([
                    ("type", "linear".into()),
                    ("percentage", PropertyValue::Number(20.0)),
                    ("interval", "2m".into()),
                ])),
            ),
        ]);
        state::write(&mut outputs, &memory, "orders", "stable");
        let spec = acted_on(&outputs, &memory);
        assert_eq!((spec.version.as_str(), &spec.service_role_arn), ("3", &None));
        assert_eq!(spec.routing.config_name(), "rollout-linear-20pct-2m");
    }
}
