//! Faults on demand: calls that fail as calls to a real service do now and then.

use std::sync::Mutex;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::error::ServiceError;
use crate::limits::throttling;
use crate::lock::locked;

/// What is to go wrong. `*` as service or operation means all of them.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Rule {
    #[serde(default = "any")]
    pub(crate) service: String,
    #[serde(default = "any")]
    pub(crate) operation: String,
    /// Whose calls; without it, everybody's.
    pub(crate) account: Option<String>,
    pub(crate) kind: Kind,
    /// How many calls are still to be hit; without it, any number.
    pub(crate) count: Option<u64>,
    /// How likely a call is hit, 0 to 1.
    pub(crate) probability: Option<f64>,
    /// Makes the dice fall the same way again.
    pub(crate) seed: Option<u64>,
    #[serde(default)]
    pub(crate) delay_ms: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Kind {
    Throttle,
    #[serde(rename = "500")]
    InternalError,
    ResetBefore,
    ResetAfter,
    Delay,
}

/// What happens to one call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    Refuse(ServiceError),
    ResetBefore,
    ResetAfter,
    Delay(Duration),
}

fn any() -> String {
    "*".to_owned()
}

#[derive(Debug, Default)]
pub(crate) struct Faults {
    rules: Mutex<Vec<(Rule, fastrand::Rng)>>,
}

impl Faults {
    pub(crate) fn add(&self, rule: Rule) {
        let dice = rule.seed.map_or_else(fastrand::Rng::new, fastrand::Rng::with_seed);
        locked(&self.rules).push((rule, dice));
    }

    /// Forgets the rules for an account, or all of them.
    pub(crate) fn clear(&self, account: Option<&str>) {
        locked(&self.rules).retain(|(rule, _)| account.is_some() && rule.account.as_deref() != account);
    }

    /// The fault that hits this call, if any does. The first rule that fits decides.
    pub(crate) fn next(&self, account: &str, service: &str, operation: &str) -> Option<Fault> {
        let mut rules = locked(&self.rules);
        let fits = |wanted: &str, actual: &str| wanted == "*" || wanted.eq_ignore_ascii_case(actual);
        let hit = rules.iter_mut().find_map(|(rule, dice)| {
            let meant = fits(&rule.service, service)
                && fits(&rule.operation, operation)
                && rule.account.as_deref().is_none_or(|wanted| wanted == account)
                && rule.count != Some(0);
            if !meant || rule.probability.is_some_and(|probability| dice.f64() >= probability) {
                return None;
            }
            rule.count = rule.count.map(|count| count - 1);
            Some(fault(rule, service))
        });
        rules.retain(|(rule, _)| rule.count != Some(0));
        hit
    }
}

fn fault(rule: &Rule, service: &str) -> Fault {
    match rule.kind {
        Kind::Throttle => Fault::Refuse(throttling(service)),
        Kind::InternalError => {
            Fault::Refuse(ServiceError::new(500, "InternalFailure", "Something went wrong on purpose"))
        }
        Kind::ResetBefore => Fault::ResetBefore,
        Kind::ResetAfter => Fault::ResetAfter,
        Kind::Delay => Fault::Delay(Duration::from_millis(rule.delay_ms)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ACCOUNT: &str = "000000000000";

    fn rule(text: &str) -> Rule {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn a_counted_fault_ends() {
        let faults = Faults::default();
        faults
            .add(rule(r#"{"service":"codedeploy","operation":"GetDeployment","kind":"throttle","count":2}"#));
        assert_eq!(faults.next(ACCOUNT, "codedeploy", "StopDeployment"), None);
        assert_eq!(faults.next(ACCOUNT, "lambda", "GetDeployment"), None);
        for _ in 0..2 {
            let Some(Fault::Refuse(error)) = faults.next(ACCOUNT, "codedeploy", "GetDeployment") else {
                panic!("no fault")
            };
            assert_eq!((error.status, error.code), (400, "ThrottlingException"));
        }
        assert_eq!(faults.next(ACCOUNT, "codedeploy", "GetDeployment"), None);
    }

    #[test]
    fn a_fault_may_hit_one_account_alone() {
        let faults = Faults::default();
        let add =
            |account: &str| faults.add(rule(&format!(r#"{{"kind":"throttle","account":"{account}"}}"#)));
        add("111111111111");
        add("222222222222");
        assert_eq!(faults.next(ACCOUNT, "lambda", "Invoke"), None);
        assert!(faults.next("111111111111", "lambda", "Invoke").is_some());
        faults.clear(Some("111111111111"));
        assert_eq!(faults.next("111111111111", "lambda", "Invoke"), None);
        assert!(faults.next("222222222222", "lambda", "Invoke").is_some());
        faults.clear(None);
        assert_eq!(faults.next("222222222222", "lambda", "Invoke"), None);
    }

    #[test]
    fn a_seed_repeats_the_dice() {
        let told = || {
            let faults = Faults::default();
            faults.add(rule(r#"{"kind":"reset-before","probability":0.5,"seed":7}"#));
            (0..20).map(|_| faults.next(ACCOUNT, "lambda", "Invoke").is_some()).collect::<Vec<_>>()
        };
        assert_eq!(told(), told());
        assert!(told().contains(&true) && told().contains(&false));
    }

    #[test]
    fn kinds() {
        for (kind, expected) in [
            ("reset-after", Fault::ResetAfter),
            ("delay", Fault::Delay(Duration::from_millis(5))),
            ("throttle", Fault::Refuse(ServiceError::new(429, "TooManyRequestsException", "Rate exceeded"))),
        ] {
            let faults = Faults::default();
            faults.add(rule(&format!(r#"{{"service":"lambda","kind":"{kind}","delayMs":5}}"#)));
            assert_eq!(faults.next(ACCOUNT, "lambda", "Invoke"), Some(expected));
        }
        assert!(serde_json::from_str::<Rule>(r#"{"kind":"earthquake"}"#).is_err());
    }
}
