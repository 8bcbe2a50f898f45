//! IAM's policy simulator: what a principal's policies, or those that are given, say of actions on resources.

use std::fmt::Write;

use super::condition::Context;
use super::evaluation::{Evaluation, Permissions};
use super::policy::{Policy, Source};
use super::principal::{Kind, Seen};
use super::{RoleError, Roles, name_of};
use crate::error::ServiceError;
use crate::http::{self, Response};
use crate::identity::Scope;
use crate::upstream::UpstreamError;
use crate::xml;

const PAGE: usize = 100;
/// What would change the outcome, and is not looked at here.
const NOT_SIMULATED: [&str; 4] =
    ["ResourcePolicy", "ResourceOwner", "CallerArn", "PolicyExclusionList.member.1"];

impl Roles {
    /// Answers `SimulatePrincipalPolicy` and `SimulateCustomPolicy`.
    pub(crate) async fn simulate(
        &self,
        scope: &Scope,
        operation: &str,
        parameter: impl Fn(&str) -> Option<String>,
    ) -> Result<Response, ServiceError> {
        let question = Question::read(&parameter)?;
        let mut permissions = match operation {
            "SimulatePrincipalPolicy" => {
                let arn =
                    parameter("PolicySourceArn").ok_or_else(|| invalid("PolicySourceArn is missing"))?;
                self.of_principal(scope, &arn).await?
            }
            _ => Permissions::default(),
        };
        permissions.policies.extend(given(&parameter, "PolicyInputList")?);
        let bounds = given(&parameter, "PermissionsBoundaryPolicyInputList")?;
        if !bounds.is_empty() {
            permissions.boundary = Some(bounds);
        }
        permissions.context = question.context.clone();
        Ok(http::with_body(200, "text/xml", question.answer(operation, &permissions)))
    }

    async fn of_principal(&self, scope: &Scope, arn: &str) -> Result<Permissions, ServiceError> {
        let name = name_of(arn);
        if arn.contains(":role/") {
            return self.known(scope, arn, Seen::ByIam).await.map_err(|error| match error {
                RoleError::Upstream(error) => error.into(),
                _ => missing("role", name),
            });
        }
        if !arn.contains(":user/") {
            return Err(invalid(format!("{arn} is not the ARN of a role or a user")));
        }
        let user = self.ask(scope, &[("Action", "GetUser"), ("UserName", name)]).await?;
        if !user.status.is_success() || xml::text(&user.text(), "Arn").as_deref() != Some(arn) {
            return Err(missing("user", name));
        }
        Ok(Permissions {
            policies: self.of_user(scope, name).await?,
            boundary: self.bounds(scope, &user.text()).await?,
            context: Context::default(),
        })
    }

    async fn of_user(&self, scope: &Scope, user: &str) -> Result<Vec<Policy>, UpstreamError> {
        let mut policies = self.policies(scope, Kind::User, user, Seen::ByIam).await?;
        for group in self.groups(scope, user).await? {
            policies.extend(self.policies(scope, Kind::Group, &group, Seen::ByIam).await?);
        }
        Ok(policies)
    }
}

/// What is asked: every action on every resource.
struct Question {
    actions: Vec<String>,
    resources: Vec<String>,
    context: Context,
    from: usize,
    page: usize,
}

impl Question {
    fn read(parameter: &impl Fn(&str) -> Option<String>) -> Result<Self, ServiceError> {
        if let Some(name) = NOT_SIMULATED.iter().find(|name| parameter(name).is_some()) {
            return Err(invalid(format!("The sandbox's simulator does not know {name}")));
        }
        let actions = members(parameter, "ActionNames");
        if actions.is_empty() {
            return Err(invalid("ActionNames must have at least one action"));
        }
        if let Some(action) = actions.iter().find(|action| !action.contains(':') || action.contains('*')) {
            return Err(invalid(format!("{action} is not the name of one action")));
        }
        let number = |name: &str, default: usize| match parameter(name) {
            None => Ok(default),
            Some(text) => text.parse().map_err(|_| invalid(format!("{text} is not a value of {name}"))),
        };
        Ok(Self {
            actions,
            resources: members(parameter, "ResourceArns"),
            context: context(parameter),
            from: number("Marker", 0)?,
            page: number("MaxItems", PAGE)?.max(1),
        })
    }

    fn answer(&self, operation: &str, permissions: &Permissions) -> String {
        let anything = ["*".to_owned()];
        let resources = if self.resources.is_empty() { &anything[..] } else { &self.resources };
        let pairs = self.actions.iter().flat_map(|action| resources.iter().map(move |of| (action, of)));
        let mut results = String::new();
        for (action, resource) in pairs.skip(self.from).take(self.page) {
            let evaluation = permissions.evaluate(action, resource);
            write_result(&mut results, action, resource, &evaluation, !self.resources.is_empty());
        }
        let next = self.from.saturating_add(self.page);
        let truncated = next < self.actions.len() * resources.len();
        let marker = if truncated { format!("<Marker>{next}</Marker>") } else { String::new() };
        format!(
            "<{operation}Response xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\"><{operation}Result>\
             <IsTruncated>{truncated}</IsTruncated>{marker}<EvaluationResults>{results}</EvaluationResults>\
             </{operation}Result><ResponseMetadata><RequestId>00000000-0000-0000-0000-000000000000</RequestId>\
             </ResponseMetadata></{operation}Response>"
        )
    }
}

fn write_result(out: &mut String, action: &str, resource: &str, evaluation: &Evaluation, specific: bool) {
    let (action, resource) = (xml::escape(action), xml::escape(resource));
    let decision = evaluation.decision.name();
    let boundary = evaluation.within_boundary.map_or_else(String::new, |within| {
        format!(
            "<PermissionsBoundaryDecisionDetail><AllowedByPermissionsBoundary>{within}\
             </AllowedByPermissionsBoundary></PermissionsBoundaryDecisionDetail>"
        )
    });
    let matched: Vec<_> = evaluation.matched.iter().map(source).collect();
    let missing: Vec<_> =
        evaluation.missing.iter().map(|key| format!("<member>{}</member>", xml::escape(key))).collect();
    let reasons = format!(
        "<MatchedStatements>{}</MatchedStatements><MissingContextValues>{}</MissingContextValues>{boundary}",
        matched.concat(),
        missing.concat(),
    );
    let of_resource = if specific {
        format!(
            "<ResourceSpecificResults><member><EvalResourceName>{resource}</EvalResourceName>\
             <EvalResourceDecision>{decision}</EvalResourceDecision>{reasons}</member></ResourceSpecificResults>"
        )
    } else {
        String::new()
    };
    // Writing to a String cannot fail.
    let _ = write!(
        out,
        "<member><EvalActionName>{action}</EvalActionName><EvalResourceName>{resource}</EvalResourceName>\
         <EvalDecision>{decision}</EvalDecision>{reasons}{of_resource}</member>"
    );
}

fn source(source: &Source) -> String {
    format!(
        "<member><SourcePolicyId>{}</SourcePolicyId><SourcePolicyType>{}</SourcePolicyType></member>",
        xml::escape(&source.id),
        source.kind
    )
}

/// The policies that came with the call.
fn given(parameter: &impl Fn(&str) -> Option<String>, list: &str) -> Result<Vec<Policy>, ServiceError> {
    let read = |(index, text): (usize, String)| {
        let document = serde_json::from_str(&text)
            .map_err(|error| invalid(format!("A policy in {list} is not JSON: {error}")))?;
        Ok(Policy::new(&document).named(&format!("{list}.{}", index + 1), "none"))
    };
    members(parameter, list).into_iter().enumerate().map(read).collect()
}

fn context(parameter: &impl Fn(&str) -> Option<String>) -> Context {
    let mut context = Context::default();
    for index in 1.. {
        let entry = format!("ContextEntries.member.{index}");
        let Some(key) = parameter(&format!("{entry}.ContextKeyName")) else { break };
        context.set(&key, members(parameter, &format!("{entry}.ContextKeyValues")));
    }
    context
}

fn members(parameter: &impl Fn(&str) -> Option<String>, list: &str) -> Vec<String> {
    (1..).map_while(|index: u32| parameter(&format!("{list}.member.{index}"))).collect()
}

fn invalid(message: impl Into<String>) -> ServiceError {
    ServiceError::bad("InvalidInput", message)
}

fn missing(what: &str, name: &str) -> ServiceError {
    ServiceError::new(404, "NoSuchEntity", format!("The {what} with name {name} cannot be found."))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(form: &[(&str, &str)]) -> impl Fn(&str) -> Option<String> {
        move |name| form.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
    }

    #[test]
    fn every_action_is_tried_on_every_resource_in_pages() {
        let policy = r#"{"Statement":{"Effect":"Allow","Action":"a:X","Resource":"r1"}}"#;
        let form = [
            ("ActionNames.member.1", "a:X"),
            ("ActionNames.member.2", "a:Y"),
            ("ResourceArns.member.1", "r1"),
            ("ResourceArns.member.2", "r2"),
            ("PolicyInputList.member.1", policy),
            ("MaxItems", "3"),
        ];
        let parameter = asked(&form);
        let permissions =
            Permissions { policies: given(&parameter, "PolicyInputList").unwrap(), ..Permissions::default() };
        let answer = Question::read(&parameter).unwrap().answer("SimulateCustomPolicy", &permissions);
        assert_eq!(xml::elements(&answer, "EvalDecision"), ["allowed", "implicitDeny", "implicitDeny"]);
        assert_eq!(xml::text(&answer, "IsTruncated").as_deref(), Some("true"));
        assert_eq!(xml::text(&answer, "Marker").as_deref(), Some("3"));
        assert_eq!(xml::text(&answer, "SourcePolicyId").as_deref(), Some("PolicyInputList.1"));
    }

    #[test]
    fn what_cannot_be_answered_is_refused() {
        for (form, words) in [
            (vec![], "ActionNames"),
            (vec![("ActionNames.member.1", "lambda:*")], "one action"),
            (vec![("ActionNames.member.1", "a:X"), ("MaxItems", "many")], "MaxItems"),
            (vec![("ActionNames.member.1", "a:X"), ("CallerArn", "x")], "CallerArn"),
        ] {
            let error = Question::read(&asked(&form)).err().unwrap();
            assert!(error.code == "InvalidInput" && error.message.contains(words), "{error}");
        }
        assert!(given(&asked(&[("PolicyInputList.member.1", "{")]), "PolicyInputList").is_err());
    }
}
