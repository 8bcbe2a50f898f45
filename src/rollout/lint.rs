//! What is allowed and does less than its author believes, each with the cure. Pure.

use std::time::Duration;

use super::duration;
use super::outlook::{Outlook, PAST};
use super::report::requests_in_words;
use super::spec::RolloutSpec;
use super::strategy::Strategy;

/// How late CloudWatch is, at the least.
const LATENESS: Duration = Duration::from_mins(1);

/// How often Lambda tries an asynchronous call, unless it is told otherwise, and the pauses in between.
const HOOK_ATTEMPTS: u32 = 3;
const HOOK_PAUSES: Duration = Duration::from_mins(3);
/// Less than CodeDeploy's hour, so that there is time to see it.
const HOOK_PATIENCE: Duration = Duration::from_mins(40);

/// `left` is the time that the operation may take.
pub fn lints(spec: &RolloutSpec, outlook: &Outlook, left: Option<Duration>) -> Vec<String> {
    [unguarded(spec), hasty(spec, outlook), lonely(spec, outlook), short_of_time(spec, left)]
        .into_iter()
        .flatten()
        .collect()
}

/// Alarms can do nothing where the deployment ends as soon as it has moved all traffic.
fn unguarded(spec: &RolloutSpec) -> Option<String> {
    let watches = spec.error_alarm.is_some() || !spec.alarms.is_empty();
    let unguarded = watches && spec.wait && !spec.routing.is_weighted() && spec.bake.is_zero();
    unguarded.then(|| {
        "all traffic moves at once and there is no bake, so that no alarm can take the new version back: set `bake`, \
         for example to \"3 minutes\""
            .to_owned()
    })
}

/// An alarm that needs longer to fire than anybody watches.
fn hasty(spec: &RolloutSpec, outlook: &Outlook) -> Option<String> {
    let watched = spec.strategy()?.length() + spec.bake;
    let own = spec.error_alarm.as_ref().map(|settings| ("the error alarm".to_owned(), settings.window()));
    let others =
        outlook.alarms.iter().filter_map(|alarm| Some((format!("alarm {}", alarm.name), alarm.window?)));
    let (name, window) = own.into_iter().chain(others).max_by_key(|(_, window)| *window)?;
    let needed = window + LATENESS;
    (needed > watched && !watched.is_zero()).then(|| {
        format!(
            "{name} needs {} to fire (CloudWatch is a minute late), and the new version is watched for {}: raise `bake` \
             or the strategy's `interval`, or let the alarm look at less",
            duration::short(needed),
            duration::short(watched)
        )
    })
}

/// A canary that hardly anybody meets.
fn lonely(spec: &RolloutSpec, outlook: &Outlook) -> Option<String> {
    let asked = spec.smoke_test.is_some() || spec.hooks.before_traffic.is_some();
    let past = outlook.past.filter(|_| !asked || spec.min_requests > 0)?;
    let share = spec.strategy().filter(Strategy::is_weighted)?.seconds_of_all_traffic();
    let expected = past.requests / PAST.as_secs_f64() * share;
    // Whole numbers of requests, far below where a double loses precision.
    #[expect(clippy::cast_precision_loss)]
    let wanted = spec.min_requests.max(1) as f64;
    (expected < wanted).then(|| {
        let had =
            if past.requests > 0.0 { requests_in_words(past.requests) } else { "no request".to_owned() };
        let (too_few, cure) = match spec.min_requests {
            0 => ("none before it gets all traffic, and the canary proves nothing".to_owned(), "add a `smokeTest`, or "),
            minimum => (format!("fewer than the {minimum} that `minRequests` asks for"), ""),
        };
        format!(
            "{} got {had} in the last hour, so the new version can expect {too_few}: {cure}raise the strategy's `interval`",
            spec.id()
        )
    })
}

/// A time limit that the rollout itself will not keep.
fn short_of_time(spec: &RolloutSpec, left: Option<Duration>) -> Option<String> {
    let needed = spec.strategy().filter(|_| spec.wait)?.length() + spec.bake;
    let left = left.filter(|left| *left < needed)?;
    Some(format!(
        "this operation may take {}, and the rollout needs {}: it will be stopped and rolled back. Raise \
         `customTimeouts`, or choose a shorter strategy or `bake`",
        duration::short(left),
        duration::short(needed)
    ))
}

/// A hook that Lambda may try so long that CodeDeploy gives up on it at about the same time.
pub fn slow_hook(hook: &str, time_limit: Duration) -> Option<String> {
    let longest = time_limit * HOOK_ATTEMPTS + HOOK_PAUSES;
    (longest > HOOK_PATIENCE).then(|| {
        format!(
            "hook {hook} has a time limit of {}: if it crashes, Lambda tries it again for up to {}, and CodeDeploy gives up \
             on a hook after an hour. Give the function a time limit that it needs, such as a minute",
            duration::short(time_limit),
            duration::short(longest)
        )
    })
}

#[cfg(test)]
mod tests {
    use super::super::cloud::{Alarm, Traffic};
    use super::super::function::FunctionRef;
    use super::super::spec::{ErrorAlarm, Routing};
    use super::*;

    fn spec() -> RolloutSpec {
        let function = FunctionRef { name: "orders".to_owned(), place: None };
        RolloutSpec { bake: Duration::from_mins(3), ..RolloutSpec::plain(function, "stable", "42") }
    }

    fn only(spec: &RolloutSpec, outlook: &Outlook, left: Option<Duration>) -> String {
        let found = lints(spec, outlook, left);
        assert_eq!(found.len(), 1, "{found:?}");
        found.into_iter().next().unwrap_or_default()
    }

    fn busy() -> Outlook {
        Outlook { past: Some(Traffic { requests: 9_000.0, errors: 0.0 }), ..Outlook::default() }
    }

    #[test]
    fn the_defaults_are_fine() {
        assert!(lints(&spec(), &busy(), Some(Duration::from_mins(38))).is_empty());
        assert!(lints(&spec(), &Outlook::default(), None).is_empty());
    }

    #[test]
    fn all_at_once_needs_a_bake_for_its_alarms() {
        let at_once = RolloutSpec { routing: Routing::Strategy(Strategy::AllAtOnce), ..spec() };
        assert!(lints(&at_once, &busy(), None).is_empty());
        let bare = RolloutSpec { bake: Duration::ZERO, ..at_once };
        assert!(only(&bare, &busy(), None).contains("set `bake`"));
        assert!(lints(&RolloutSpec { error_alarm: None, ..bare }, &busy(), None).is_empty());
    }

    #[test]
    fn an_alarm_that_is_slower_than_the_rollout_is_named_with_its_time() {
        let slow =
            ErrorAlarm { period: Duration::from_mins(5), evaluation_periods: 2, ..ErrorAlarm::default() };
        let said = only(&RolloutSpec { error_alarm: Some(slow), ..spec() }, &busy(), None);
        assert!(
            said.contains("the error alarm needs 11m to fire") && said.contains("watched for 8m"),
            "{said}"
        );
        let alarm = Alarm {
            name: "late".to_owned(),
            state: "OK".to_owned(),
            reason: String::new(),
            since: None,
            window: Some(Duration::from_mins(8)),
        };
        let said = only(&spec(), &Outlook { alarms: vec![alarm], ..busy() }, None);
        assert!(said.contains("alarm late needs 9m"), "{said}");
    }

    #[test]
    fn a_canary_without_visitors_is_said_unless_somebody_asks_the_version_first() {
        let past = |requests| Outlook { past: Some(Traffic { requests, errors: 0.0 }), ..Outlook::default() };
        // Ten percent of five minutes are half a minute of all traffic: 120 requests an hour are one.
        assert!(lints(&spec(), &past(121.0), None).is_empty());
        assert!(only(&spec(), &past(119.0), None).contains("got 119 requests in the last hour"));
        assert!(only(&spec(), &past(0.0), None).contains("got no request in the last hour"));
        let demanding = RolloutSpec { min_requests: 50, ..spec() };
        assert!(only(&demanding, &past(5_000.0), None).contains("fewer than the 50"));
    }

    #[test]
    fn a_hook_that_may_take_nearly_an_hour_is_said() {
        assert_eq!(slow_hook("check", Duration::from_mins(5)), None);
        let said = slow_hook("check", Duration::from_mins(15)).unwrap_or_default();
        assert!(said.contains("time limit of 15m") && said.contains("for up to 48m"), "{said}");
    }

    #[test]
    fn a_time_limit_that_is_too_short_is_said_before_it_strikes() {
        let said = only(&spec(), &busy(), Some(Duration::from_mins(5)));
        assert!(said.contains("may take 5m, and the rollout needs 8m"), "{said}");
    }
}
