//! What an update would do, said and predicted: without a call to AWS, unless a version is to be rolled out, of which
//! AWS knows whether its alarms are quiet and whether anybody calls it.

use crate::pulumi::Operation;
use crate::pulumi::{PropertyMap, PropertyValue};
use crate::resources::gather::Unknowns;
use crate::resources::{secrets, state};
use crate::rollout::announce;
use crate::rollout::cloud::{Cloud, Identity};
use crate::rollout::context::Context;
use crate::rollout::lint::lints;
use crate::rollout::memory::Memory;
use crate::rollout::outlook::{self, Outlook};
use crate::rollout::pieces::{self, Pieces};
use crate::rollout::spec::{OnFailedVersion, RolloutSpec};

/// Outputs that a deployment changes.
const MOVING: [&str; 7] = [
    "deploymentId",
    "deploymentStatus",
    "consoleUrl",
    "errorAlarmName",
    "servingVersion",
    "failedVersion",
    "lastRollout",
];

/// A first deployment: names are known, what AWS assigns is not.
pub(super) fn create(
    op: &Operation,
    inputs: &PropertyMap,
    spec: &RolloutSpec,
    unknowns: &Unknowns,
) -> PropertyMap {
    let version = named_version(spec, unknowns);
    if spec.adopt {
        op.log.info(announce::taken_over(&version, &described(spec, unknowns)));
    } else {
        op.log.info(announce::first_preview(spec, &version));
    }
    let mut outputs = PropertyMap::new();
    let mut put = |key: &str, value: String| {
        outputs.insert(key.to_owned(), PropertyValue::String(value));
    };
    if !unknowns.contains("aliasName") {
        put("qualifier", spec.alias.clone());
    }
    if !unknowns.contains("latestAliasName") {
        put("latestQualifier", spec.latest_alias.clone().unwrap_or_default());
    }
    if let Some(place) = spec.function.place.clone().filter(|_| !unknowns.contains("functionName")) {
        let identity = Identity { account: place.account, region: place.region, partition: place.partition };
        put_names(&mut put, spec, &identity);
    }
    forget_unknown(&mut outputs, unknowns);
    outputs.extend(inputs.clone());
    secrets::spread(&mut outputs);
    outputs
}

/// What is made from an input that is not known yet is not known either.
fn forget_unknown(outputs: &mut PropertyMap, unknowns: &Unknowns) {
    let made_from: [(&str, &[&str]); 3] = [
        ("strategy", &["deploymentConfigName"]),
        ("latestAliasName", &["latestQualifier", "latestTargetArn", "latestInvokeArn"]),
        (
            "aliasName",
            &[
                "qualifier",
                "targetArn",
                "invokeArn",
                "applicationName",
                "deploymentGroupName",
                "serviceRoleArn",
            ],
        ),
    ];
    for (_, keys) in made_from.iter().filter(|(input, _)| unknowns.contains(input)) {
        for key in *keys {
            outputs.remove(*key);
        }
    }
}

fn put_names(put: &mut impl FnMut(&str, String), spec: &RolloutSpec, identity: &Identity) {
    let names = Pieces::of(spec, identity);
    let arn = |alias: &str| format!("{}:{alias}", pieces::function_arn(&spec.function.name, identity));
    let stable = arn(&spec.alias);
    put("invokeArn", pieces::invoke_arn(&stable, identity));
    put("targetArn", stable);
    let latest = spec.latest_alias.as_deref().map(arn);
    let invoke = latest.as_deref().map(|arn| pieces::invoke_arn(arn, identity));
    put("latestQualifier", spec.latest_alias.clone().unwrap_or_default());
    put("latestTargetArn", latest.unwrap_or_default());
    put("latestInvokeArn", invoke.unwrap_or_default());
    put("applicationName", names.application);
    put("deploymentGroupName", names.group);
    put("deploymentConfigName", names.deployment_config);
    put("serviceRoleArn", names.service_role_arn);
}

/// Everything that stays keeps its value, so that what depends on it shows no change.
pub(super) fn update(
    op: &Operation,
    old_outputs: &PropertyMap,
    inputs: &PropertyMap,
    spec: &RolloutSpec,
    unknowns: &Unknowns,
    memory: Option<&Memory>,
) -> (PropertyMap, Traffic) {
    let mut outputs = old_outputs.clone();
    for key in super::inputs::KEYS {
        outputs.remove(*key);
    }
    let Some(memory) = memory else {
        outputs.extend(inputs.clone());
        secrets::spread(&mut outputs);
        return (outputs, Traffic::Stays);
    };
    let mut put =
        |key: &str, value: String| drop(outputs.insert(key.to_owned(), PropertyValue::String(value)));
    put_names(&mut put, spec, &memory.identity());
    if spec.service_role_arn.is_none() && !memory.made.role {
        // A group that somebody else made brings its own.
        put("serviceRoleArn", memory.service_role_arn.clone());
    }
    forget_unknown(&mut outputs, unknowns);
    outputs.extend(inputs.clone());
    settle_urls(&mut outputs, spec, memory);
    let clears = memory.failed_version != spec.version;
    if !unknowns.contains("version") && spec.version == memory.serving_version && clears {
        outputs.insert("failedVersion".to_owned(), PropertyValue::String(String::new()));
    }
    for drift in &memory.drift {
        op.log.info(format!("the update will {}", drift.mend));
    }
    let traffic = traffic(op, spec, unknowns, memory);
    if traffic != Traffic::Stays {
        for key in MOVING {
            outputs.remove(key);
        }
    }
    secrets::spread(&mut outputs);
    (outputs, traffic)
}

/// A URL that is to be made has no address yet; one that goes has none any more.
fn settle_urls(outputs: &mut PropertyMap, spec: &RolloutSpec, memory: &Memory) {
    let urls = [
        ("url", spec.function_url.is_some(), memory.url.is_empty()),
        ("latestUrl", spec.latest_function_url.is_some(), memory.latest_url.is_empty()),
    ];
    for (key, wanted, missing) in urls {
        match (wanted, missing) {
            (true, true) => drop(outputs.remove(key)),
            (false, _) => drop(outputs.insert(key.to_owned(), PropertyValue::String(String::new()))),
            (true, false) => {}
        }
    }
}

/// What an update would do to traffic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Traffic {
    /// Nothing, or nothing that has not begun already, or it goes back: that has been said.
    Stays,
    Moves,
    /// A version is rolled out: what is to be said of that depends on what AWS says.
    RollsOut,
}

/// One line on what happens to traffic, where that is known without AWS.
fn traffic(op: &Operation, spec: &RolloutSpec, unknowns: &Unknowns, memory: &Memory) -> Traffic {
    let serving = memory.serving_version.as_str();
    let target = named_version(spec, unknowns);
    let known = !unknowns.contains("version");
    let same_triggers = memory.trigger_mark == spec.trigger_mark() && !unknowns.contains("triggers");
    let failed_before = known && spec.version == memory.failed_version && same_triggers;
    let put_back =
        memory.good_before(serving).filter(|_| serving == memory.failed_version && !serving.is_empty());
    if let Some(good) = put_back.filter(|_| failed_before || spec.version != memory.failed_version) {
        op.log.warn(announce::goes_back(serving, good));
        if failed_before && spec.on_failed_version != OnFailedVersion::Retry {
            return Traffic::Moves;
        }
    }
    if failed_before && spec.on_failed_version != OnFailedVersion::Retry {
        op.log.warn(announce::kept(&target, serving));
        return Traffic::Stays;
    }
    if known && spec.version == serving && !state::is_live(memory) {
        op.log.info(announce::unchanged(serving));
        return Traffic::Stays;
    }
    if known && spec.version == serving {
        op.log.info(announce::followed(serving, &memory.deployment_id));
        return Traffic::Moves;
    }
    Traffic::RollsOut
}

/// One line on a rollout, and what its author should know before.
pub(super) async fn say_rollout<C: Cloud>(
    op: &Operation,
    cx: &Context<'_, C>,
    spec: &RolloutSpec,
    unknowns: &Unknowns,
    memory: &Memory,
) {
    // Of an alias without a name there is nothing to read.
    let is_named = !["functionName", "aliasName"].iter().any(|input| unknowns.contains(input));
    let outlook = if is_named { outlook::look(cx, spec).await } else { Outlook::default() };
    let (target, way) = (named_version(spec, unknowns), described(spec, unknowns));
    op.log.info(announce::line(spec, &memory.serving_version, &target, &way, &outlook));
    let depends = [
        "strategy",
        "deploymentConfigName",
        "bake",
        "errorAlarm",
        "alarms",
        "smokeTest",
        "hooks",
        "minRequests",
        "wait",
    ];
    if !depends.iter().any(|input| unknowns.contains(input)) {
        for lint in lints(spec, &outlook, cx.left()) {
            op.log.warn(lint);
        }
    }
}

/// How traffic will move, as far as it is known.
fn described(spec: &RolloutSpec, unknowns: &Unknowns) -> String {
    if unknowns.contains("strategy") || unknowns.contains("deploymentConfigName") {
        return "by a strategy that is known only when the update runs".to_owned();
    }
    if unknowns.contains("bake") { spec.routing.describe() } else { announce::way(spec) }
}

fn named_version(spec: &RolloutSpec, unknowns: &Unknowns) -> String {
    if unknowns.contains("version") {
        "the next version".to_owned()
    } else {
        format!("version {}", spec.version)
    }
}
