//! What CodeDeploy asks about its service role: does it trust CodeDeploy, and what may it do?
//!
//! The roles live in ministack. A change of one counts only after the sandbox's IAM delay, as in AWS.

mod policy;
mod trust;

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Duration;

use serde_json::Value;

pub(crate) use policy::{Permissions, Policy};

use crate::clock::{Clock, Timestamp};
use crate::http;
use crate::identity::Scope;
use crate::lock::locked;
use crate::upstream::{Call, Reply, Upstream, UpstreamError};
use crate::xml;

/// Why a role cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RoleError {
    #[error("the role does not exist")]
    Missing,
    #[error("the role does not trust CodeDeploy, or not yet")]
    NotAssumable,
    #[error(transparent)]
    Upstream(#[from] UpstreamError),
}

/// The roles of all accounts, and when they were last changed.
#[derive(Debug)]
pub(crate) struct Roles {
    upstream: Upstream,
    clock: Clock,
    delay: Duration,
    changed: Mutex<HashMap<Change, Timestamp>>,
}

/// What changed: the account, the role, and the policy's name or ARN (none for the role itself).
type Change = (String, String, Option<String>);

impl Roles {
    pub(crate) fn new(upstream: Upstream, clock: Clock, delay: Duration) -> Self {
        Self { upstream, clock, delay, changed: Mutex::default() }
    }

    /// Notes a call that passed through, so that its effect can be late.
    pub(crate) fn note(&self, scope: &Scope, operation: &str, parameter: impl Fn(&str) -> Option<String>) {
        let policy = match operation {
            "CreateRole" | "UpdateAssumeRolePolicy" => None,
            "PutRolePolicy" => parameter("PolicyName"),
            "AttachRolePolicy" => parameter("PolicyArn"),
            _ => return,
        };
        if let Some(role) = parameter("RoleName") {
            locked(&self.changed).insert((scope.account.clone(), role, policy), Clock::now());
        }
    }

    /// Whether CodeDeploy can take on the role for a deployment group.
    pub(crate) async fn assumable(
        &self,
        scope: &Scope,
        role_arn: &str,
        group_arn: &str,
    ) -> Result<(), RoleError> {
        let role = self.role(scope, role_arn).await?;
        let document = xml::text(&role, "AssumeRolePolicyDocument").unwrap_or_default();
        let document: Value = serde_json::from_str(&http::decode(&document)).unwrap_or(Value::Null);
        let trusting = trust::allows(&document, scope, group_arn);
        let settled = self.settled(scope, role_name(role_arn), None);
        if trusting && settled { Ok(()) } else { Err(RoleError::NotAssumable) }
    }

    /// What the role may do, by all of its policies that have settled.
    pub(crate) async fn permissions(&self, scope: &Scope, role_arn: &str) -> Result<Permissions, RoleError> {
        let role = self.role(scope, role_arn).await?;
        let name = role_name(role_arn);
        let mut policies = self.inline(scope, name).await?;
        policies.extend(self.attached(scope, name).await?);
        let boundary = match xml::text(&role, "PermissionsBoundaryArn") {
            Some(arn) => Some(self.managed(scope, &arn).await?),
            None => None,
        };
        Ok(Permissions::new(policies, boundary))
    }

    async fn role(&self, scope: &Scope, role_arn: &str) -> Result<String, RoleError> {
        let reply = self.ask(scope, &[("Action", "GetRole"), ("RoleName", role_name(role_arn))]).await?;
        let role = reply.text();
        let same = xml::text(&role, "Arn").is_some_and(|arn| arn == role_arn);
        if reply.status.is_success() && same { Ok(role) } else { Err(RoleError::Missing) }
    }

    async fn inline(&self, scope: &Scope, role: &str) -> Result<Vec<Policy>, RoleError> {
        let list = self.ask(scope, &[("Action", "ListRolePolicies"), ("RoleName", role)]).await?.text();
        let mut policies = Vec::new();
        for name in xml::elements(&list, "member") {
            if self.settled(scope, role, Some(name)) {
                let query = [("Action", "GetRolePolicy"), ("RoleName", role), ("PolicyName", name)];
                policies.push(document(&self.ask(scope, &query).await?, "PolicyDocument"));
            }
        }
        Ok(policies)
    }

    async fn attached(&self, scope: &Scope, role: &str) -> Result<Vec<Policy>, RoleError> {
        let list =
            self.ask(scope, &[("Action", "ListAttachedRolePolicies"), ("RoleName", role)]).await?.text();
        let mut policies = Vec::new();
        for member in xml::elements(&list, "member") {
            let Some(arn) = xml::text(member, "PolicyArn") else { continue };
            if self.settled(scope, role, Some(&arn)) {
                policies.push(self.managed(scope, &arn).await?);
            }
        }
        Ok(policies)
    }

    async fn managed(&self, scope: &Scope, arn: &str) -> Result<Policy, RoleError> {
        if let Some(known) = policy::well_known(arn) {
            return Ok(known);
        }
        let found = self.ask(scope, &[("Action", "GetPolicy"), ("PolicyArn", arn)]).await?.text();
        let version = xml::text(&found, "DefaultVersionId").unwrap_or_else(|| "v1".to_owned());
        let query = [("Action", "GetPolicyVersion"), ("PolicyArn", arn), ("VersionId", &version)];
        Ok(document(&self.ask(scope, &query).await?, "Document"))
    }

    async fn ask(&self, scope: &Scope, query: &[(&str, &str)]) -> Result<Reply, UpstreamError> {
        let call = Call { scope, service: "iam", headers: &[] };
        let mut parameters = vec![("Version", "2010-05-08")];
        parameters.extend_from_slice(query);
        self.upstream.form(call, &parameters).await
    }

    fn settled(&self, scope: &Scope, role: &str, policy: Option<&str>) -> bool {
        let change = (scope.account.clone(), role.to_owned(), policy.map(str::to_owned));
        let age = locked(&self.changed).get(&change).map(|changed| Clock::now() - changed);
        age.is_none_or(|age| age >= self.clock.real(self.delay).as_secs_f64())
    }
}

fn document(reply: &Reply, element: &str) -> Policy {
    let text = xml::text(&reply.text(), element).unwrap_or_default();
    Policy::parse(&http::decode(&text))
}

fn role_name(arn: &str) -> &str {
    arn.rsplit('/').next().unwrap_or(arn)
}
