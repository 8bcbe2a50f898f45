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

    pub(crate) fn clear(&self) {
        locked(&self.rules).clear();
    }

    /// The fault that hits this call, if any does. The first rule that fits decides.
    pub(crate) fn next(&self, service: &str, operation: &str) -> Option<Fault> {
        let mut rules = locked(&self.rules);
        let fits = |wanted: &str, actual: &str| wanted == "*" || wanted.eq_ignore_ascii_case(actual);
        let hit = rules.iter_mut().find_map(|(rule, dice)| {
            let meant =
                fits(&rule.service, service) && fits(&rule.operation, operation) && rule.count != Some(0);
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

    fn rule(text: &str) -> Rule {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn a_counted_fault_ends() {
        let faults = Faults::default();
        faults
            .add(rule(r#"{"service":"codedeploy","operation":"GetDeployment","kind":"throttle","count":2}"#));
        assert_eq!(faults.next("codedeploy", "StopDeployment"), None);
        assert_eq!(faults.next("lambda", "GetDeployment"), None);
        for _ in 0..2 {
            let Some(Fault::Refuse(error)) = faults.next("codedeploy", "GetDeployment") else {
                panic!("no fault")
            };
            assert_eq!((error.status, error.code), (400, "ThrottlingException"));
        }
        assert_eq!(faults.next("codedeploy", "GetDeployment"), None);
    }

    #[test]
    fn a_seed_repeats_the_dice() {
        let told = || {
            let faults = Faults::default();
            faults.add(rule(r#"{"kind":"reset-before","probability":0.5,"seed":7}"#));
            (0..20).map(|_| faults.next("lambda", "Invoke").is_some()).collect::<Vec<_>>()
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
            assert_eq!(faults.next("lambda", "Invoke"), Some(expected));
        }
        assert!(serde_json::from_str::<Rule>(r#"{"kind":"earthquake"}"#).is_err());
    }
}
