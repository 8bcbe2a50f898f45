//! What a rollout will do to traffic, in one line: said by a preview, and of a first deployment when it is done.

use super::duration;
use super::outlook::Outlook;
use super::spec::RolloutSpec;

/// `version 41 → version 42: 10 % for 5 minutes, then 100 %; watched: errors of version 42`.
pub fn line(spec: &RolloutSpec, serving: &str, target: &str, way: &str, outlook: &Outlook) -> String {
    let from = if serving.is_empty() { "nothing".to_owned() } else { format!("version {serving}") };
    format!("{from} → {target}: {way}; watched: {}", watched(spec, target, outlook))
}

/// How traffic will move.
pub fn way(spec: &RolloutSpec) -> String {
    let routing = spec.routing.describe();
    if spec.bake.is_zero() {
        return routing;
    }
    format!("{routing}, and {} of watching", duration::format(spec.bake))
}

/// What watches the version: `errors of version 42, alarm orders-latency (OK now), hook orders-check`.
fn watched(spec: &RolloutSpec, version: &str, outlook: &Outlook) -> String {
    let state = |name: &str| {
        let alarm = outlook.alarms.iter().find(|alarm| alarm.name == name)?;
        Some(format!(" ({})", state_in_words(&alarm.state)))
    };
    let errors = spec.error_alarm.is_some().then(|| format!("errors of {version}"));
    let alarms = spec.alarms.iter().map(|name| format!("alarm {name}{}", state(name).unwrap_or_default()));
    let hooks = spec.hooks.iter().map(|hook| format!("hook {hook}"));
    let all: Vec<String> = errors.into_iter().chain(alarms).chain(hooks).collect();
    if all.is_empty() { "nothing".to_owned() } else { all.join(", ") }
}

/// The serving version is declared, and another property changes.
pub fn unchanged(serving: &str) -> String {
    format!("no change of traffic: version {serving} serves and stays")
}

/// An update that was cut short left its deployment to itself.
pub fn followed(serving: &str, deployment: &str) -> String {
    format!("version {serving} serves; its deployment {deployment} is followed to its end")
}

/// The declared version is one that failed.
pub fn kept(target: &str, serving: &str) -> String {
    format!(
        "{target} failed before and nothing is deployed: version {serving} serves all traffic; publish a new version, or \
         change `triggers`"
    )
}

/// A version failed, and `autoRollback` left it where it was.
pub fn goes_back(serving: &str, good: &str) -> String {
    format!("version {serving} failed and has all the traffic: it goes back to version {good} first")
}

/// With `adopt`, where nothing is known of the alias yet.
pub fn taken_over(version: &str, way: &str) -> String {
    format!("an alias that exists is taken over as it is, and then moved to {version}: {way}")
}

pub fn first_preview(spec: &RolloutSpec, version: &str) -> String {
    let smoke = if spec.smoke_test.is_some() { ", after the smoke test" } else { "" };
    format!(
        "first deployment: {version} gets all traffic at once{smoke}; there is no old version to shift from"
    )
}

/// What a first deployment did, and what nobody will see in those that follow.
pub fn first_line(spec: &RolloutSpec) -> String {
    let RolloutSpec { version, .. } = spec;
    let done = format!(
        "first deployment: version {version} serves all traffic; there was no old version to shift from"
    );
    let by_url = spec.function_url.is_some();
    let more = !spec.alarms.is_empty() || spec.smoke_test.is_some() || spec.hooks.iter().next().is_some();
    if by_url || more || spec.error_alarm.is_none() {
        return done;
    }
    format!(
        "{done}. Later versions are watched for the errors that the function throws; an answer like HTTP 500 that it \
         returns is none: where that matters, add a `smokeTest` or `alarms`"
    )
}

fn state_in_words(state: &str) -> &'static str {
    match state {
        "OK" => "OK now",
        "ALARM" => "FIRING NOW",
        _ => "no data yet",
    }
}
