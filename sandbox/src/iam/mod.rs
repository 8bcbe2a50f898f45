//! What CodeDeploy asks about its service role: does it trust CodeDeploy, and what may it do? And IAM's simulator,
//! which answers such questions for anybody.
//!
//! The roles live in ministack. A change of one counts only after the sandbox's IAM delay, as in AWS.

mod condition;
mod evaluation;
mod policy;
mod principal;
mod simulate;
mod trust;

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Duration;

pub(crate) use evaluation::Permissions;

use self::condition::Context;
use self::policy::Policy;
use self::principal::{Kind, Seen, decoded};
use crate::clock::{Clock, Timestamp};
use crate::identity::Scope;
use crate::lock::locked;
use crate::timestamp;
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
        let document = decoded(&role, "AssumeRolePolicyDocument");
        let trusting = trust::allows(&document, scope, group_arn);
        let settled = self.settled(scope, name_of(role_arn), None);
        if trusting && settled { Ok(()) } else { Err(RoleError::NotAssumable) }
    }

    /// What CodeDeploy may do with the role, by all of its policies that have settled.
    pub(crate) async fn permissions(&self, scope: &Scope, role_arn: &str) -> Result<Permissions, RoleError> {
        let permissions = self.known(scope, role_arn, Seen::ByServices).await?;
        Ok(Permissions { context: of_codedeploy(scope, role_arn), ..permissions })
    }

    async fn known(&self, scope: &Scope, role_arn: &str, seen: Seen) -> Result<Permissions, RoleError> {
        let role = self.role(scope, role_arn).await?;
        let policies = self.policies(scope, Kind::Role, name_of(role_arn), seen).await?;
        let boundary = self.bounds(scope, &role).await?;
        Ok(Permissions { policies, boundary, context: Context::default() })
    }

    /// The permissions boundary of a role or a user, by IAM's answer about it.
    async fn bounds(&self, scope: &Scope, told: &str) -> Result<Option<Vec<Policy>>, UpstreamError> {
        let Some(arn) = xml::text(told, "PermissionsBoundaryArn") else { return Ok(None) };
        Ok(Some(vec![self.managed(scope, &arn).await?]))
    }

    async fn role(&self, scope: &Scope, role_arn: &str) -> Result<String, RoleError> {
        let reply = self.ask(scope, &[("Action", "GetRole"), ("RoleName", name_of(role_arn))]).await?;
        let role = reply.text();
        let same = xml::text(&role, "Arn").is_some_and(|arn| arn == role_arn);
        if reply.status.is_success() && same { Ok(role) } else { Err(RoleError::Missing) }
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

/// What is known of a call that CodeDeploy makes with a role.
fn of_codedeploy(scope: &Scope, role_arn: &str) -> Context {
    let mut context = Context::default();
    for (key, value) in [
        ("aws:PrincipalAccount", scope.account.clone()),
        ("aws:ResourceAccount", scope.account.clone()),
        ("aws:PrincipalArn", role_arn.to_owned()),
        ("aws:PrincipalType", "AssumedRole".to_owned()),
        ("aws:RequestedRegion", scope.region.clone()),
        ("aws:SecureTransport", "true".to_owned()),
        ("aws:CurrentTime", timestamp::iso(Clock::now())),
        ("aws:EpochTime", Clock::now().to_string()),
    ] {
        context.set(key, vec![value]);
    }
    context
}

/// The last part of a role's or a user's ARN, which is its name.
fn name_of(arn: &str) -> &str {
    arn.rsplit('/').next().unwrap_or(arn)
}
