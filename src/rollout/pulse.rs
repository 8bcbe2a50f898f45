//! What the new version does while it gets its traffic, for the line of progress.

use std::time::Duration;

use tokio::time::{Instant, timeout};

use super::cloud::{Alarm, Aside, Cloud, Traffic};
use super::context::Context;
use super::deploy::Run;
use super::report::traffic_in_words;
use super::spec::RolloutSpec;

/// Lambda's metrics come in points of a minute.
const LOOK: Duration = Duration::from_mins(1);
const PATIENCE: Duration = Duration::from_secs(3);

#[derive(Debug, Default)]
pub struct Pulse {
    looked: Option<Instant>,
    traffic: Option<Traffic>,
    alarms: Vec<Alarm>,
}

impl Pulse {
    /// Looks once a minute and where there is room. What cannot be read is not said.
    pub async fn look<C: Cloud>(&mut self, cx: &Context<'_, C>, spec: &RolloutSpec, run: &Run) {
        let now = Instant::now();
        let due = self.looked.is_none_or(|last| cx.clock.passed(now - last) >= LOOK);
        if !due || !cx.cloud.has_room(Aside::Counts) {
            return;
        }
        self.looked = Some(now);
        let (function, alias) = (&spec.function.name, &spec.alias);
        let both = async {
            tokio::join!(
                cx.cloud.traffic(function, alias, Some(&run.to), run.started, cx.now()),
                cx.cloud.alarms(&run.alarms),
            )
        };
        // Nothing here holds up who waits for the deployment, or who wants the operation to end.
        let seen = cx.or_interrupted(timeout(PATIENCE, both)).await;
        let Ok(Ok((traffic, alarms))) = seen else { return };
        self.traffic = traffic.ok().or(self.traffic);
        self.alarms = alarms.unwrap_or_default();
    }

    /// ` · 34 requests, 0 errors · alarms OK`; empty if nobody knows.
    pub fn in_words(&self) -> String {
        in_words(self.traffic, &self.alarms)
    }
}

pub fn in_words(traffic: Option<Traffic>, alarms: &[Alarm]) -> String {
    let counts = traffic.map(traffic_in_words);
    let firing: Vec<&str> =
        alarms.iter().filter(|alarm| alarm.state == "ALARM").map(|alarm| alarm.name.as_str()).collect();
    let states = match (alarms.len(), firing.as_slice()) {
        (0, _) => None,
        (1, []) => Some("alarm quiet".to_owned()),
        (_, []) => Some("alarms quiet".to_owned()),
        (_, firing) => Some(format!("FIRING: {}", firing.join(", "))),
    };
    let said: Vec<String> = counts.into_iter().chain(states).collect();
    if said.is_empty() { String::new() } else { format!(" · {}", said.join(" · ")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_says_what_is_known() {
        let alarm = |name: &str, state: &str| Alarm {
            name: name.to_owned(),
            state: state.to_owned(),
            reason: String::new(),
            since: None,
            window: None,
        };
        let traffic = Some(Traffic { requests: 34.0, errors: 1.0 });
        assert_eq!(in_words(None, &[]), "");
        assert_eq!(in_words(traffic, &[alarm("a", "OK")]), " · 34 requests, 1 error · alarm quiet");
        let alarms = [alarm("a", "ALARM"), alarm("b", "INSUFFICIENT_DATA")];
        assert_eq!(in_words(None, &alarms), " · FIRING: a");
    }
}
