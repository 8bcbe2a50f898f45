//! Roles for CodeDeploy.

use aws_sdk_iam::types::{EvaluationResult, PolicyEvaluationDecisionType, ResourceSpecificResult, Tag};

use super::clients::Clients;
use super::error::{Answered, absent, gone, invalid};
use crate::rollout::cloud::{Allowance, NewRole, Role, Tags};

impl Clients {
    pub(super) async fn role(&self, name: &str) -> Answered<Option<Role>> {
        let client = self.iam().await;
        let answer = absent(self.call("iam:GetRole", || client.get_role().role_name(name).send()).await)?;
        Ok(answer.and_then(|answer| answer.role).map(role))
    }

    pub(super) async fn create_role(&self, role: &NewRole) -> Answered<String> {
        const OPERATION: &str = "iam:CreateRole";
        let tags = iam_tags(&role.tags).map_err(|error| invalid(OPERATION, error))?;
        let request = self
            .iam()
            .await
            .create_role()
            .role_name(&role.name)
            .description(&role.description)
            .assume_role_policy_document(&role.trust_policy)
            .set_permissions_boundary(role.permissions_boundary.clone())
            .set_tags(Some(tags));
        let answer = self.call(OPERATION, || request.send()).await?;
        Ok(answer.role.map(|role| role.arn).unwrap_or_default())
    }

    pub(super) async fn tag_role(&self, name: &str, tags: &Tags) -> Answered<()> {
        const OPERATION: &str = "iam:TagRole";
        let tags = iam_tags(tags).map_err(|error| invalid(OPERATION, error))?;
        let request = self.iam().await.tag_role().role_name(name).set_tags(Some(tags));
        self.call(OPERATION, || request.send()).await.map(drop)
    }

    pub(super) async fn bind_role(&self, name: &str, boundary: Option<&str>) -> Answered<()> {
        let client = self.iam().await;
        let Some(boundary) = boundary else {
            let request = client.delete_role_permissions_boundary().role_name(name);
            return gone(self.call("iam:DeleteRolePermissionsBoundary", || request.send()).await);
        };
        let request = client.put_role_permissions_boundary().role_name(name).permissions_boundary(boundary);
        self.call("iam:PutRolePermissionsBoundary", || request.send()).await.map(drop)
    }

    pub(super) async fn role_policy(&self, role: &str, policy: &str) -> Answered<Option<String>> {
        let client = self.iam().await;
        let get = || client.get_role_policy().role_name(role).policy_name(policy).send();
        let answer = absent(self.call("iam:GetRolePolicy", get).await)?;
        Ok(answer.map(|answer| percent_decode(&answer.policy_document)))
    }

    pub(super) async fn put_role_policy(&self, role: &str, policy: &str, document: &str) -> Answered<()> {
        let request =
            self.iam().await.put_role_policy().role_name(role).policy_name(policy).policy_document(document);
        self.call("iam:PutRolePolicy", || request.send()).await.map(drop)
    }

    /// IAM deletes no role that still has a policy.
    pub(super) async fn delete_role(&self, role: &str, policy: &str) -> Answered<()> {
        let client = self.iam().await;
        let request = client.delete_role_policy().role_name(role).policy_name(policy);
        gone(self.call("iam:DeleteRolePolicy", || request.send()).await)?;
        let request = client.delete_role().role_name(role);
        gone(self.call("iam:DeleteRole", || request.send()).await)
    }

    pub(super) async fn allowance(
        &self,
        role_arn: &str,
        action: &str,
        resource: &str,
    ) -> Answered<Option<Allowance>> {
        let request = self
            .iam()
            .await
            .simulate_principal_policy()
            .policy_source_arn(role_arn)
            .action_names(action)
            .resource_arns(resource);
        let answer = absent(self.call("iam:SimulatePrincipalPolicy", || request.send()).await)?;
        Ok(answer.map(|answer| allowance(answer.evaluation_results.unwrap_or_default().first())))
    }
}

fn allowance(result: Option<&EvaluationResult>) -> Allowance {
    let Some(result) = result.filter(|result| !lacks_context(result)) else {
        return Allowance::Depends;
    };
    let by_organization = result.organizations_decision_detail.as_ref();
    if by_organization.is_some_and(|detail| !detail.allowed_by_organizations) {
        // What an organization's policies depend on is not told.
        return Allowance::Depends;
    }
    match result.eval_decision {
        PolicyEvaluationDecisionType::Allowed => Allowance::Allowed,
        PolicyEvaluationDecisionType::ExplicitDeny => Allowance::Forbidden,
        PolicyEvaluationDecisionType::ImplicitDeny => Allowance::NotAllowed,
        _ => Allowance::Depends,
    }
}

fn role(role: aws_sdk_iam::types::Role) -> Role {
    Role {
        arn: role.arn,
        tags: role.tags.unwrap_or_default().into_iter().map(|tag| (tag.key, tag.value)).collect(),
        permissions_boundary: role
            .permissions_boundary
            .and_then(|boundary| boundary.permissions_boundary_arn),
    }
}

fn iam_tags(tags: &Tags) -> Result<Vec<Tag>, aws_sdk_iam::error::BuildError> {
    tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build()).collect()
}

fn lacks_context(result: &EvaluationResult) -> bool {
    let mut missing =
        result.resource_specific_results().iter().map(ResourceSpecificResult::missing_context_values);
    !result.missing_context_values().is_empty() || missing.any(|values| !values.is_empty())
}

/// IAM answers policy documents URL-encoded.
fn percent_decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        let escaped = (first == b'%').then(|| tail.get(..2)).flatten().and_then(hex_byte);
        bytes.push(escaped.unwrap_or(first));
        rest = if escaped.is_some() { &tail[2..] } else { tail };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn hex_byte(digits: &[u8]) -> Option<u8> {
    let digits =
        std::str::from_utf8(digits).ok().filter(|digits| digits.bytes().all(|d| d.is_ascii_hexdigit()))?;
    u8::from_str_radix(digits, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_are_decoded_and_plain_ones_stay_as_they_are() {
        for (encoded, plain) in [
            ("%7B%22Version%22%3A%222012-10-17%22%7D", r#"{"Version":"2012-10-17"}"#),
            (r#"{"a":"b c"}"#, r#"{"a":"b c"}"#),
            ("caf%C3%A9", "café"),
            ("100%", "100%"),
            ("%+1%zz%4", "%+1%zz%4"),
        ] {
            assert_eq!(percent_decode(encoded), plain);
        }
    }
}
