//! What can be known of a rollout before it starts: whether its alarms are quiet, and how many requests there are to
//! learn from. For people only: what cannot be read is left out.

use std::time::Duration;

use super::cloud::{Alarm, Cloud, Traffic};
use super::context::Context;
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
