//! Resource policies: each version and alias of a function has one of its own, as in Lambda.

use std::collections::BTreeMap;
use std::sync::Mutex;

use serde_json::{Value, json};

use super::{Lambda, Reference, body, not_found};
use crate::error::ServiceError;
use crate::http::{self, Request, Response};
use crate::identity::Scope;
use crate::lock::locked;

const BYTES: usize = 20_480;

/// The statements of one policy, and its revision.
#[derive(Clone, Debug, Default)]
struct Policy {
    statements: Vec<Value>,
    revision: u64,
}

#[derive(Debug, Default)]
pub(crate) struct Policies {
    all: Mutex<BTreeMap<(Scope, Reference), Policy>>,
}

impl Policies {
    /// Whether a policy has a statement of which the test holds.
    pub(crate) fn any(&self, scope: &Scope, reference: &Reference, test: impl Fn(&Value) -> bool) -> bool {
        let all = locked(&self.all);
        all.get(&(scope.clone(), reference.clone())).is_some_and(|policy| policy.statements.iter().any(test))
    }

    /// Forgets the policy of one alias or version, or those of a whole function.
    pub(crate) fn forget(&self, scope: &Scope, reference: &Reference) {
        locked(&self.all).retain(|(in_scope, of), _| {
            in_scope != scope
                || of.function != reference.function
                || (reference.qualifier.is_some() && of.qualifier != reference.qualifier)
        });
    }

    /// Every policy of a function, by its qualifier (none is the function itself).
    pub(crate) fn of_function(&self, scope: &Scope, function: &str) -> Vec<Value> {
        let all = locked(&self.all);
        let of_function =
            all.iter().filter(|((in_scope, of), _)| in_scope == scope && of.function == function);
        of_function
            .map(|((_, of), policy)| json!({ "qualifier": of.qualifier, "statements": policy.statements }))
            .collect()
    }

    fn add(&self, scope: &Scope, reference: &Reference, statement: Value) -> Result<(), ServiceError> {
        let mut all = locked(&self.all);
        let policy = all.entry((scope.clone(), reference.clone())).or_default();
        if policy.statements.iter().any(|known| known["Sid"] == statement["Sid"]) {
            let message = format!(
                "The statement id ({}) provided already exists. Please provide a new statement id, or remove the existing \
                 statement.",
                statement["Sid"].as_str().unwrap_or_default()
            );
            return Err(ServiceError::new(409, "ResourceConflictException", message));
        }
        let size =
            policy.statements.iter().chain([&statement]).map(|known| known.to_string().len()).sum::<usize>();
        if size > BYTES {
            let message = format!("The final policy size ({size}) is bigger than the limit ({BYTES}).");
            return Err(ServiceError::bad("PolicyLengthExceededException", message));
        }
        policy.statements.push(statement);
        policy.revision += 1;
        Ok(())
    }

    fn remove(&self, scope: &Scope, reference: &Reference, sid: &str) -> Result<(), ServiceError> {
        let mut all = locked(&self.all);
        let key = (scope.clone(), reference.clone());
        let policy = all.get_mut(&key).ok_or_else(none)?;
        let at = policy.statements.iter().position(|statement| statement["Sid"] == sid).ok_or_else(none)?;
        policy.statements.remove(at);
        policy.revision += 1;
        if policy.statements.is_empty() {
            all.remove(&key);
        }
        Ok(())
    }

    fn get(&self, scope: &Scope, reference: &Reference) -> Result<Policy, ServiceError> {
        locked(&self.all).get(&(scope.clone(), reference.clone())).cloned().ok_or_else(none)
    }
}

impl Lambda {
    pub(super) async fn policy(
        &self,
        scope: &Scope,
        operation: &str,
        reference: &Reference,
        sid: &str,
        request: &Request,
    ) -> Result<Response, ServiceError> {
        let qualifier = reference.qualifier.as_deref().unwrap_or("$LATEST");
        let exists = self.functions.configuration(scope, &reference.function, qualifier).await;
        exists.map_err(|_| not_found(scope, reference))?;
        match operation {
            "AddPermission" => {
                let statement = statement(scope, reference, &body(request.body())?)?;
                self.policies.add(scope, reference, statement.clone())?;
                Ok(http::json(201, &json!({ "Statement": statement.to_string() })))
            }
            "RemovePermission" => {
                self.policies.remove(scope, reference, sid)?;
                Ok(http::empty(204))
            }
            _ => {
                let policy = self.policies.get(scope, reference)?;
                let document =
                    json!({ "Version": "2012-10-17", "Id": "default", "Statement": policy.statements });
                let revision = format!("00000000-0000-4000-8000-{:012}", policy.revision);
                Ok(http::json(200, &json!({ "Policy": document.to_string(), "RevisionId": revision })))
            }
        }
    }
}

fn statement(scope: &Scope, reference: &Reference, input: &Value) -> Result<Value, ServiceError> {
    let required = |name: &str| {
        let value = input[name].as_str().filter(|value| !value.is_empty());
        value.ok_or_else(|| ServiceError::bad("ValidationException", format!("{name} must be specified")))
    };
    let (sid, action, principal) = (required("StatementId")?, required("Action")?, required("Principal")?);
    if reference.qualifier.as_deref() == Some("$LATEST") {
        let message = "We currently do not support adding policies for $LATEST.";
        return Err(ServiceError::bad("InvalidParameterValueException", message));
    }
    let principal = match principal {
        "*" => json!("*"),
        service if service.contains(".amazonaws.com") => json!({ "Service": service }),
        account if account.len() == 12 => {
            json!({ "AWS": format!("arn:{}:iam::{account}:root", scope.partition()) })
        }
        other => json!({ "AWS": other }),
    };
    let mut statement = json!({
        "Sid": sid, "Effect": "Allow", "Principal": principal, "Action": action,
        "Resource": scope.arn("lambda", &format!("function:{}", reference.qualified())),
    });
    let condition = condition(input);
    if condition.as_object().is_some_and(|condition| !condition.is_empty()) {
        statement["Condition"] = condition;
    }
    Ok(statement)
}

fn condition(input: &Value) -> Value {
    let mut condition = json!({});
    for (member, operator, key) in [
        ("SourceArn", "ArnLike", "AWS:SourceArn"),
        ("SourceAccount", "StringEquals", "AWS:SourceAccount"),
        ("PrincipalOrgID", "StringEquals", "aws:PrincipalOrgID"),
        ("EventSourceToken", "StringEquals", "lambda:EventSourceToken"),
        ("FunctionUrlAuthType", "StringEquals", "lambda:FunctionUrlAuthType"),
    ] {
        if let Some(value) = input[member].as_str() {
            condition[operator][key] = value.into();
        }
    }
    if let Some(via_url) = input["InvokedViaFunctionUrl"].as_bool() {
        condition["Bool"]["lambda:InvokedViaFunctionUrl"] = via_url.to_string().into();
    }
    condition
}

fn none() -> ServiceError {
    ServiceError::new(404, "ResourceNotFoundException", "The resource you requested does not exist.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_alias_has_a_policy_of_its_own() {
        let scope = Scope::new("000000000000", "us-east-1");
        let policies = Policies::default();
        let (stable, latest) = (Reference::new("f", Some("stable")), Reference::new("f", Some("latest")));
        let input = json!({ "StatementId": "s", "Action": "lambda:InvokeFunction", "Principal": "sqs.amazonaws.com" });
        for reference in [&stable, &latest] {
            policies.add(&scope, reference, statement(&scope, reference, &input).unwrap()).unwrap();
        }
        let again = policies.add(&scope, &stable, statement(&scope, &stable, &input).unwrap());
        assert_eq!(again.unwrap_err().code, "ResourceConflictException");
        policies.remove(&scope, &stable, "s").unwrap();
        assert_eq!(policies.get(&scope, &stable).unwrap_err().status, 404);
        assert_eq!(policies.get(&scope, &latest).unwrap().statements.len(), 1);
        policies.forget(&scope, &Reference::new("f", None));
        assert_eq!(policies.of_function(&scope, "f"), Vec::<Value>::new());
    }

    #[test]
    fn conditions_are_written_as_lambda_does() {
        let input =
            json!({ "FunctionUrlAuthType": "NONE", "InvokedViaFunctionUrl": true, "SourceArn": "arn:x" });
        let expected = json!({
            "ArnLike": { "AWS:SourceArn": "arn:x" },
            "StringEquals": { "lambda:FunctionUrlAuthType": "NONE" },
            "Bool": { "lambda:InvokedViaFunctionUrl": "true" },
        });
        assert_eq!(condition(&input), expected);
    }
}
