//! What can be known of a rollout before it starts: whether its alarms are quiet, and how many requests there are to
//! learn from. For people only: what cannot be read is left out.

use std::time::Duration;

use super::cloud::{Alarm, Cloud, Traffic};
use super::context::Context;
use super::duration;
use super::spec::RolloutSpec;

/// Nobody waits long for a preview.
const PATIENCE: Duration = Duration::from_secs(3);
/// How much of the past tells what is to come.
pub const PAST: Duration = Duration::from_hours(1);

#[derive(Debug, Clone, Default, PartialEq)]
pub struct Outlook {
    /// The user's alarms, as far as they could be read.
    pub alarms: Vec<Alarm>,
    /// What the alias got in the last hour.
    pub past: Option<Traffic>,
}

pub async fn look<C: Cloud>(cx: &Context<'_, C>, spec: &RolloutSpec) -> Outlook {
    let now = cx.now();
    let from = now.checked_sub(cx.clock.scaled(PAST)).unwrap_or(now);
    let alarms = async {
        let found = if spec.alarms.is_empty() { Ok(Vec::new()) } else { cx.cloud.alarms(&spec.alarms).await };
        found.unwrap_or_default()
    };
    let past = async {
        if !spec.routing.is_weighted() {
            return None;
        }
        cx.cloud.traffic(&spec.function.name, &spec.alias, None, from, now).await.ok()
    };
    let both = async {
        let (alarms, past) = tokio::join!(alarms, past);
        Outlook { alarms, past }
    };
    tokio::time::timeout(PATIENCE, both).await.unwrap_or_default()
}

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
