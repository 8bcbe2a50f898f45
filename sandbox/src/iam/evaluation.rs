//! What policies, taken together, say of an action on a resource.

use std::collections::BTreeSet;

use serde_json::Value;

use super::condition::{self, Context};
use super::policy::{Policy, Source};

/// Everything that a role or a user may do, when it calls with this context.
#[derive(Clone, Debug, Default)]
pub(crate) struct Permissions {
    pub(super) policies: Vec<Policy>,
    /// The policies that set the bounds; none is no bounds.
    pub(super) boundary: Option<Vec<Policy>>,
    pub(super) context: Context,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Decision {
    Allowed,
    ImplicitDeny,
    ExplicitDeny,
}

impl Decision {
    /// The word of IAM's API.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Allowed => "allowed",
            Self::ImplicitDeny => "implicitDeny",
            Self::ExplicitDeny => "explicitDeny",
        }
    }
}

/// A decision with its reasons.
#[derive(Debug)]
pub(super) struct Evaluation {
    pub(super) decision: Decision,
    /// The policies whose statements led to it.
    pub(super) matched: Vec<Source>,
    pub(super) missing: BTreeSet<String>,
    /// Whether the bounds allow it, if there are bounds.
    pub(super) within_boundary: Option<bool>,
}

impl Permissions {
    pub(crate) fn allow(&self, action: &str, resource: &str) -> bool {
        self.evaluate(action, resource).decision == Decision::Allowed
    }

    pub(super) fn evaluate(&self, action: &str, resource: &str) -> Evaluation {
        let mut missing = BTreeSet::new();
        let mut told = |policies: &[Policy]| self.told(policies, action, resource, &mut missing);
        let granted = told(&self.policies);
        let bounded = self.boundary.as_deref().map(told);
        let bounds_deny = bounded.as_ref().is_some_and(|bounded| !bounded.denied.is_empty());
        let within_boundary =
            bounded.as_ref().map(|bounded| bounded.denied.is_empty() && !bounded.allowed.is_empty());
        let (decision, matched) = if !granted.denied.is_empty() || bounds_deny {
            let by_boundary = bounded.map(|bounded| bounded.denied).unwrap_or_default();
            (Decision::ExplicitDeny, [granted.denied, by_boundary].concat())
        } else if granted.allowed.is_empty() || within_boundary == Some(false) {
            (Decision::ImplicitDeny, granted.allowed)
        } else {
            (Decision::Allowed, granted.allowed)
        };
        Evaluation { decision, matched, missing, within_boundary }
    }

    fn told(
        &self,
        policies: &[Policy],
        action: &str,
        resource: &str,
        missing: &mut BTreeSet<String>,
    ) -> Told {
        let mut told = Told::default();
        for policy in policies {
            for statement in policy.about(action, resource) {
                let verdict = condition::check(&statement["Condition"], &self.context);
                missing.extend(verdict.missing);
                if verdict.holds {
                    told.add(&statement["Effect"], &policy.source);
                }
            }
        }
        told
    }
}

/// Who allows and who denies.
#[derive(Debug, Default)]
struct Told {
    allowed: Vec<Source>,
    denied: Vec<Source>,
}

impl Told {
    fn add(&mut self, effect: &Value, source: &Source) {
        match effect.as_str() {
            Some("Allow") => self.allowed.push(source.clone()),
            Some("Deny") => self.denied.push(source.clone()),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::policy::well_known;
    use super::*;
    use serde_json::json;

    const HOOK: &str = "arn:aws:lambda:us-east-1:000000000000:function:CodeDeployHook_pre";
    const OTHER: &str = "arn:aws:lambda:us-east-1:000000000000:function:pre";
    const TOPIC: &str = "arn:aws:sns:us-east-1:000000000000:t";
    const INVOKE: &str = "lambda:InvokeFunction";

    fn statement(effect: &str, action: &str, resource: &str, condition: &Value) -> Policy {
        let statement =
            json!({ "Effect": effect, "Action": action, "Resource": resource, "Condition": condition });
        Policy::new(&json!({ "Statement": [statement] }))
    }

    fn policies(policies: Vec<Policy>) -> Permissions {
        Permissions { policies, ..Permissions::default() }
    }

    #[test]
    fn the_managed_policies_invoke_only_hooks_by_name() {
        let arn = "arn:aws:iam::aws:policy/service-role/AWSCodeDeployRoleForLambda";
        let full = policies(vec![well_known(arn).unwrap()]);
        assert!(full.allow(INVOKE, HOOK));
        assert!(!full.allow(INVOKE, OTHER));
        assert!(full.allow("sns:Publish", TOPIC));
        assert!(!full.allow("s3:GetObject", "arn:aws:s3:::b/k"));
        assert!(full.allow("s3:GetObject", "arn:aws:s3:::b/CodeDeploy/k"));
        let limited = policies(vec![well_known(&format!("{arn}Limited")).unwrap()]);
        assert!(!limited.allow("sns:Publish", TOPIC));
    }

    #[test]
    fn a_denial_wins_and_a_boundary_limits() {
        let all = || statement("Allow", "lambda:*", "*", &Value::Null);
        let deny = || statement("Deny", INVOKE, HOOK, &Value::Null);
        let only_get = || statement("Allow", "lambda:Get*", "*", &Value::Null);
        for (given, boundary, decision, within) in [
            (vec![all()], None, Decision::Allowed, None),
            (vec![], None, Decision::ImplicitDeny, None),
            (vec![all(), deny()], None, Decision::ExplicitDeny, None),
            (vec![all()], Some(vec![only_get()]), Decision::ImplicitDeny, Some(false)),
            (vec![all()], Some(vec![all()]), Decision::Allowed, Some(true)),
            (vec![all()], Some(vec![all(), deny()]), Decision::ExplicitDeny, Some(false)),
            (vec![], Some(vec![all()]), Decision::ImplicitDeny, Some(true)),
        ] {
            let permissions = Permissions { boundary, ..policies(given) };
            let evaluation = permissions.evaluate(INVOKE, HOOK);
            assert_eq!(
                (evaluation.decision, evaluation.within_boundary),
                (decision, within),
                "{permissions:?}"
            );
        }
    }

    #[test]
    fn a_condition_that_cannot_be_told_grants_nothing_and_is_named() {
        let condition = json!({ "StringEquals": { "aws:PrincipalTag/team": "a" } });
        let permissions = policies(vec![statement("Allow", "*", "*", &condition)]);
        let evaluation = permissions.evaluate(INVOKE, HOOK);
        assert_eq!(evaluation.decision, Decision::ImplicitDeny);
        assert_eq!(evaluation.missing, BTreeSet::from(["aws:PrincipalTag/team".to_owned()]));
    }
}
