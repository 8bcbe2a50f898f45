//! The policies of a role, a user or a group, as ministack keeps them.

use serde_json::Value;

use super::Roles;
use super::policy::{self, Policy};
use crate::http;
use crate::identity::Scope;
use crate::upstream::{Reply, UpstreamError};
use crate::xml;

/// Who has policies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Role,
    User,
    Group,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Role => "Role",
            Self::User => "User",
            Self::Group => "Group",
        }
    }

    fn source(self) -> &'static str {
        match self {
            Self::Role => "role",
            Self::User => "user",
            Self::Group => "group",
        }
    }
}

/// Which of a role's policies count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Seen {
    /// All of them: IAM itself knows them at once.
    ByIam,
    /// Those that have reached the other services.
    ByServices,
}

impl Roles {
    /// All policies of one who has them, inline and attached; a user's groups left out.
    pub(super) async fn policies(
        &self,
        scope: &Scope,
        kind: Kind,
        name: &str,
        seen: Seen,
    ) -> Result<Vec<Policy>, UpstreamError> {
        let (owner, parameter) = (kind.name(), format!("{}Name", kind.name()));
        let ask = |action: String, more: Vec<(&'static str, String)>| {
            let parameter = parameter.clone();
            async move {
                let mut query = vec![("Action", action.as_str()), (parameter.as_str(), name)];
                query.extend(more.iter().map(|(key, value)| (*key, value.as_str())));
                self.ask(scope, &query).await
            }
        };
        let counts = |policy: &str| {
            kind != Kind::Role || seen == Seen::ByIam || self.settled(scope, name, Some(policy))
        };
        let mut policies = Vec::new();
        let inline = ask(format!("List{owner}Policies"), vec![]).await?.text();
        for policy in xml::elements(&inline, "member").into_iter().filter(|policy| counts(policy)) {
            let found = ask(format!("Get{owner}Policy"), vec![("PolicyName", policy.to_owned())]).await?;
            policies.push(document(&found, "PolicyDocument").named(policy, kind.source()));
        }
        let attached = ask(format!("ListAttached{owner}Policies"), vec![]).await?.text();
        let arns = xml::elements(&attached, "member").into_iter();
        for arn in arns.filter_map(|member| xml::text(member, "PolicyArn")).filter(|arn| counts(arn)) {
            policies.push(self.managed(scope, &arn).await?);
        }
        Ok(policies)
    }

    /// The names of the groups that a user is in.
    pub(super) async fn groups(&self, scope: &Scope, user: &str) -> Result<Vec<String>, UpstreamError> {
        let list = self.ask(scope, &[("Action", "ListGroupsForUser"), ("UserName", user)]).await?.text();
        Ok(xml::elements(&list, "member").iter().filter_map(|group| xml::text(group, "GroupName")).collect())
    }

    /// The default version of a managed policy.
    pub(super) async fn managed(&self, scope: &Scope, arn: &str) -> Result<Policy, UpstreamError> {
        let kind = if arn.contains(":iam::aws:") { "aws-managed" } else { "user-managed" };
        let id = arn.rsplit('/').next().unwrap_or(arn);
        if let Some(known) = policy::well_known(arn) {
            return Ok(known.named(id, kind));
        }
        let found = self.ask(scope, &[("Action", "GetPolicy"), ("PolicyArn", arn)]).await?.text();
        let version = xml::text(&found, "DefaultVersionId").unwrap_or_else(|| "v1".to_owned());
        let query = [("Action", "GetPolicyVersion"), ("PolicyArn", arn), ("VersionId", &version)];
        Ok(document(&self.ask(scope, &query).await?, "Document").named(id, kind))
    }
}

/// The document in an answer, which IAM sends encoded for a URL.
pub(super) fn decoded(answer: &str, element: &str) -> Value {
    let text = xml::text(answer, element).unwrap_or_default();
    serde_json::from_str(&http::decode(&text)).unwrap_or(Value::Null)
}

fn document(reply: &Reply, element: &str) -> Policy {
    Policy::new(&decoded(&reply.text(), element))
}
