//! The one target of a Lambda deployment: the alias, and how far its traffic has moved.

use serde::Deserialize;
use serde_json::{Value, json};

use super::appspec::AppSpec;
use super::error::refuse;
use super::lifecycle::{EVENTS, EventStatus, Record, Stage};
use super::model::Deployment;
use super::store::{Region, paged};
use super::{Answer, read, validate};
use crate::error::ServiceError;
use crate::identity::Scope;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Input {
    deployment_id: Option<String>,
    target_id: Option<String>,
    target_ids: Option<Vec<String>>,
    target_filters: Option<std::collections::BTreeMap<String, Vec<String>>>,
    next_token: Option<String>,
}

pub(crate) fn list(region: &Region, input: &Value) -> Answer {
    let input: Input = read(input)?;
    let deployment = started(region, input.deployment_id.as_deref())?;
    let filters = input.target_filters.unwrap_or_default();
    if let Some(unknown) =
        filters.keys().find(|name| !["TargetStatus", "ServerInstanceLabel"].contains(&name.as_str()))
    {
        return Err(refuse(
            "InvalidTargetFilterNameException",
            format!("{unknown} is not a filter of targets"),
        ));
    }
    let wanted =
        filters.get("TargetStatus").is_none_or(|statuses| statuses.iter().any(|s| s == status(deployment)));
    let target = deployment.target.as_ref().ok().filter(|_| wanted);
    let ids = target.map(|target| target.function.clone()).into_iter().collect();
    paged("targetIds", ids, input.next_token.as_deref())
}

pub(crate) fn get(region: &Region, scope: &Scope, input: &Value) -> Answer {
    let input: Input = read(input)?;
    let deployment = started(region, input.deployment_id.as_deref())?;
    let id = input.target_id.filter(|id| !id.is_empty());
    let id =
        id.ok_or_else(|| refuse("DeploymentTargetIdRequiredException", "A target ID must be specified"))?;
    Ok(json!({ "deploymentTarget": describe(deployment, scope, &id)? }))
}

pub(crate) fn batch_get(region: &Region, scope: &Scope, input: &Value) -> Answer {
    let input: Input = read(input)?;
    let deployment = started(region, input.deployment_id.as_deref())?;
    match input.target_ids.unwrap_or_default().as_slice() {
        [] => Err(refuse("DeploymentTargetIdRequiredException", "A target ID must be specified")),
        [id] => Ok(json!({ "deploymentTargets": [describe(deployment, scope, id)?] })),
        _ => {
            let message = "A Lambda deployment has one target, and the list has to have one ID";
            Err(refuse("DeploymentTargetListSizeExceededException", message))
        }
    }
}

fn started<'a>(region: &'a Region, id: Option<&str>) -> Result<&'a Deployment, ServiceError> {
    let id = validate::deployment_id(id)?;
    let deployment = region.deployment(id)?;
    if !deployment.life.started() {
        return Err(refuse("DeploymentNotStartedException", format!("Deployment {id} has not started yet")));
    }
    Ok(deployment)
}

fn describe(deployment: &Deployment, scope: &Scope, id: &str) -> Answer {
    let target = deployment.target.as_ref().ok().filter(|target| target.function == id);
    let target = target.ok_or_else(|| {
        refuse(
            "DeploymentTargetDoesNotExistException",
            format!("Deployment {} has no target {id}", deployment.id),
        )
    })?;
    Ok(json!({
        "deploymentTargetType": "LambdaTarget",
        "lambdaTarget": {
            "deploymentId": deployment.id,
            "targetId": id,
            "targetArn": scope.arn("lambda", &format!("function:{}:{}", target.function, target.alias)),
            "status": status(deployment),
            "lastUpdatedAt": deployment.life.updated,
            "lifecycleEvents": events(deployment, target),
            "lambdaFunctionInfo": {
                "functionName": target.function,
                "functionAlias": target.alias,
                "currentVersion": target.current,
                "targetVersion": target.target,
                "targetVersionWeight": f64::from(deployment.life.weight) / 100.0,
            },
        },
    }))
}

fn status(deployment: &Deployment) -> &'static str {
    match &deployment.life.stage {
        Stage::Created | Stage::Queued => "Pending",
        Stage::Ended(None) => "Succeeded",
        Stage::Ended(Some(_)) => "Failed",
        _ => "InProgress",
    }
}

fn events(deployment: &Deployment, target: &AppSpec) -> Vec<Value> {
    let scripts = [target.hooks[0].as_ref(), None, target.hooks[1].as_ref()];
    let told = EVENTS.iter().zip(&deployment.life.records).zip(scripts);
    told.map(|((name, record), script)| {
        json!({
            "lifecycleEventName": name,
            "status": record.status.name(),
            "startTime": record.started,
            "endTime": record.ended,
            "diagnostics": diagnostics(record, script),
        })
    })
    .collect()
}

fn diagnostics(record: &Record, script: Option<&String>) -> Value {
    let code = match record.status {
        EventStatus::Succeeded => "Success",
        EventStatus::Failed if script.is_some() => "ScriptFailed",
        EventStatus::Failed => "UnknownError",
        _ => return Value::Null,
    };
    json!({ "errorCode": code, "scriptName": script.map_or("", String::as_str),
        "message": record.message.clone().unwrap_or_else(|| code.to_owned()), "logTail": "" })
}
