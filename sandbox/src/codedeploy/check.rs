//! What a deployment looks at before it touches anything: the role, the alias and both versions.

use std::collections::BTreeMap;

use serde_json::Value;

use super::appspec::AppSpec;
use super::lifecycle::{Failure, Shift};
use super::model::Deployment;
use super::{CodeDeploy, groups};
use crate::iam::{Permissions, RoleError};
use crate::identity::Scope;
use crate::lambda::{Alias, LambdaError};

const MISMATCH: &str =
    "The Lambda function alias version does not match the current version in AppSpec file.";

/// What the deployment's role may do, if CodeDeploy can take it on at all.
pub(crate) async fn permissions(
    service: &CodeDeploy,
    scope: &Scope,
    deployment: &Deployment,
) -> Result<Permissions, Failure> {
    let group = groups::arn(scope, &deployment.application, &deployment.group);
    let refused = |error: RoleError| match error {
        RoleError::Upstream(error) => Failure::internal(error.to_string()),
        RoleError::Missing | RoleError::NotAssumable => Failure::no_role(&deployment.role),
    };
    let roles = &service.aws.roles;
    roles.assumable(scope, &deployment.role, &group).await.map_err(refused)?;
    roles.permissions(scope, &deployment.role).await.map_err(refused)
}

/// Whether the deployment can move the alias's traffic.
pub(crate) async fn target(
    service: &CodeDeploy,
    scope: &Scope,
    deployment: &Deployment,
    permissions: &Permissions,
) -> Result<(), Failure> {
    let target = deployment.target.clone()?;
    may_move(scope, &target, &deployment.role, permissions)?;
    let functions = &service.aws.lambda.functions;
    let failed = |error| lambda_failure(error, &deployment.role);
    service.call_lambda(scope, "GetAlias").await.map_err(failed)?;
    let alias = functions.alias(scope, &target.function, &target.alias).await.map_err(failed)?;
    let mut versions = Vec::new();
    for version in [&target.current, &target.target] {
        service.call_lambda(scope, "GetFunctionConfiguration").await.map_err(failed)?;
        versions.push(functions.configuration(scope, &target.function, version).await.map_err(failed)?);
    }
    if deployment.is_rollback() {
        of_rollback(&alias, &target)
    } else {
        of_shift(&alias, &target, deployment, &versions)
    }
}

fn may_move(scope: &Scope, target: &AppSpec, role: &str, permissions: &Permissions) -> Result<(), Failure> {
    let arn = scope.arn("lambda", &format!("function:{}:{}", target.function, target.alias));
    let allowed =
        ["lambda:GetAlias", "lambda:UpdateAlias"].iter().all(|action| permissions.allow(action, &arn));
    if allowed { Ok(()) } else { Err(Failure::no_permission("AWSLambda", role)) }
}

fn of_shift(
    alias: &Alias,
    target: &AppSpec,
    deployment: &Deployment,
    versions: &[Value],
) -> Result<(), Failure> {
    if alias.version != target.current {
        return Err(Failure::configuration(MISMATCH));
    }
    if !alias.weights.is_empty() {
        return Err(Failure::configuration(
            "The Lambda function alias already routes traffic to another version.",
        ));
    }
    let weighted = deployment.life.plan.steps.iter().any(|step| matches!(step.shift, Shift::Weight(_)));
    let differs = |member: &str| versions.iter().any(|version| version[member] != versions[0][member]);
    if weighted && (differs("Role") || differs("DeadLetterConfig")) {
        let detail = "The two versions have different execution roles or dead-letter queues, and traffic cannot be \
                      divided between them.";
        return Err(Failure::configuration(detail));
    }
    Ok(())
}

/// A rollback takes back what its deployment did, and touches no alias that somebody else has moved.
fn of_rollback(alias: &Alias, target: &AppSpec) -> Result<(), Failure> {
    let ours = |version: &String| *version == target.current || *version == target.target;
    if ours(&alias.version) && alias.weights.keys().all(ours) {
        Ok(())
    } else {
        Err(Failure::configuration(MISMATCH))
    }
}

/// Makes one change of the alias. Minutes have passed since the last, and the role is looked at again.
pub(crate) async fn shift(
    service: &CodeDeploy,
    scope: &Scope,
    deployment: &Deployment,
    shift: Shift,
) -> Result<(), Failure> {
    let target = deployment.target.clone()?;
    if nothing_to_take_back(service, scope, deployment, &target).await? {
        return Ok(());
    }
    may_move(scope, &target, &deployment.role, &permissions(service, scope, deployment).await?)?;
    let (version, weights) = match shift {
        Shift::Weight(percent) => {
            (target.current, BTreeMap::from([(target.target, f64::from(percent) / 100.0)]))
        }
        Shift::Promote => (target.target, BTreeMap::new()),
    };
    service
        .call_lambda(scope, "UpdateAlias")
        .await
        .map_err(|error| lambda_failure(error, &deployment.role))?;
    let functions = &service.aws.lambda.functions;
    let moved = functions.update_alias(scope, &target.function, &target.alias, &version, &weights).await;
    moved.map_err(|error| lambda_failure(error, &deployment.role))
}

/// Whether this is the rollback of a deployment that moved nothing, because it found the alias elsewhere.
async fn nothing_to_take_back(
    service: &CodeDeploy,
    scope: &Scope,
    deployment: &Deployment,
    target: &AppSpec,
) -> Result<bool, Failure> {
    let Some(failed) = &deployment.links.of else { return Ok(false) };
    let moved = service.with(scope, |region| region.deployment(failed).map(|failed| failed.life.weight > 0));
    if moved.unwrap_or(true) {
        return Ok(false);
    }
    let functions = &service.aws.lambda.functions;
    let alias = functions.alias(scope, &target.function, &target.alias).await;
    alias.map(|alias| alias.version != target.target).map_err(|error| lambda_failure(error, &deployment.role))
}

pub(crate) fn lambda_failure(error: LambdaError, role: &str) -> Failure {
    match error {
        LambdaError::NotFound(what) => Failure::function(format!(
            "The deployment failed because the AWS Lambda function, alias or version in the AppSpec file does not \
             exist: {what}"
        )),
        LambdaError::Throttled => Failure::throttled(role),
        LambdaError::Refused(message) => Failure::configuration(&message),
        LambdaError::Upstream(error) => Failure::internal(error.to_string()),
    }
}
