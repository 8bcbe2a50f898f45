//! Deployments as the API shows them, and stopping one.

use serde::Deserialize;
use serde_json::{Value, json};

use super::error::refuse;
use super::lifecycle::Event;
use super::model::Deployment;
use super::store::{Region, paged};
use super::{Answer, read, validate};
use crate::clock::Clock;
use crate::error::ServiceError;

const BATCH: usize = 25;
const STATUSES: [&str; 8] =
    ["Created", "Queued", "InProgress", "Baking", "Succeeded", "Failed", "Stopped", "Ready"];

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Input {
    deployment_id: Option<String>,
    deployment_ids: Option<Vec<String>>,
    auto_rollback_enabled: Option<bool>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Filter {
    application_name: Option<String>,
    deployment_group_name: Option<String>,
    external_id: Option<String>,
    include_only_statuses: Option<Vec<String>>,
    create_time_range: Option<Range>,
    next_token: Option<String>,
}

#[derive(Deserialize)]
struct Range {
    start: Option<f64>,
    end: Option<f64>,
}

pub(crate) fn get(region: &Region, input: &Value) -> Answer {
    let input: Input = read(input)?;
    let id = validate::deployment_id(input.deployment_id.as_deref())?;
    Ok(json!({ "deploymentInfo": info(region, region.deployment(id)?) }))
}

/// Ids that are not known are left out.
pub(crate) fn batch_get(region: &Region, input: &Value) -> Answer {
    let input: Input = read(input)?;
    let ids = input.deployment_ids.unwrap_or_default();
    if ids.is_empty() {
        return Err(refuse("DeploymentIdRequiredException", "At least one deployment ID must be specified"));
    }
    if ids.len() > BATCH {
        return Err(refuse(
            "BatchLimitExceededException",
            format!("At most {BATCH} deployments in one call"),
        ));
    }
    let mut found = Vec::new();
    for id in &ids {
        validate::deployment_id(Some(id))?;
        found.extend(region.deployment(id).ok().map(|deployment| info(region, deployment)));
    }
    Ok(json!({ "deploymentsInfo": found }))
}

/// Newest first.
pub(crate) fn list(region: &mut Region, input: &Value) -> Answer {
    let filter: Filter = read(input)?;
    exists(region, &filter)?;
    let statuses = filter.include_only_statuses.unwrap_or_default();
    if let Some(unknown) = statuses.iter().find(|status| !STATUSES.contains(&status.as_str())) {
        return Err(refuse(
            "InvalidDeploymentStatusException",
            format!("{unknown} is not the status of a deployment"),
        ));
    }
    let range = filter.create_time_range.map_or((None, None), |range| (range.start, range.end));
    if let (Some(start), Some(end)) = range
        && start > end
    {
        return Err(refuse("InvalidTimeRangeException", "The range of time ends before it starts"));
    }
    // Only what other services of AWS start has an external id, and nothing does that here.
    let outside = filter.external_id.is_some();
    let matches = |deployment: &&Deployment| {
        !outside
            && filter.application_name.as_ref().is_none_or(|name| *name == deployment.application)
            && filter.deployment_group_name.as_ref().is_none_or(|name| *name == deployment.group)
            && (statuses.is_empty() || statuses.iter().any(|status| status == deployment.status()))
            && range.0.is_none_or(|start| deployment.created >= start)
            && range.1.is_none_or(|end| deployment.created <= end)
    };
    let ids =
        region.deployments.iter().rev().filter(matches).map(|deployment| deployment.id.clone()).collect();
    paged("deployments", ids, filter.next_token.as_deref())
}

fn exists(region: &mut Region, filter: &Filter) -> Result<(), ServiceError> {
    match (filter.application_name.as_deref(), filter.deployment_group_name.as_deref()) {
        (None, None) => Ok(()),
        (application, None) => {
            validate::APPLICATION.required(application)?;
            Err(refuse(
                "DeploymentGroupNameRequiredException",
                "With an application, its group must be specified",
            ))
        }
        (application, Some(group)) => {
            let application = validate::APPLICATION.required(application)?;
            validate::GROUP.required(Some(group))?;
            region.group(application, group).map(|_| ())
        }
    }
}

pub(crate) fn stop(region: &Region, input: &Value) -> Answer {
    let input: Input = read(input)?;
    let id = validate::deployment_id(input.deployment_id.as_deref())?;
    let deployment = region.deployment(id)?;
    let completed =
        || refuse("DeploymentAlreadyCompletedException", format!("Deployment {id} is already completed"));
    if deployment.life.ended() {
        return Err(completed());
    }
    // A rollback is never rolled back itself.
    let rollback = if deployment.is_rollback() { Some(false) } else { input.auto_rollback_enabled };
    deployment.events.send(Event::StopRequested { rollback }).map_err(|_| completed())?;
    Ok(json!({ "status": "Pending", "statusMessage": "The deployment is being stopped" }))
}

fn info(region: &Region, deployment: &Deployment) -> Value {
    json!({
        "applicationName": deployment.application,
        "deploymentGroupName": deployment.group,
        "deploymentConfigName": deployment.config,
        "deploymentId": deployment.id,
        "previousRevision": previous(region, deployment),
        "revision": deployment.revision.without_content(),
        "status": deployment.status(),
        "errorInformation": deployment.failure()
            .map(|failure| json!({ "code": failure.code, "message": failure.message })),
        "createTime": deployment.created,
        "startTime": deployment.started,
        "completeTime": deployment.completed,
        "description": deployment.description,
        "creator": deployment.creator(),
        "ignoreApplicationStopFailures": false,
        "autoRollbackConfiguration": deployment.rollback,
        "updateOutdatedInstancesOnly": false,
        "rollbackInfo": (Clock::now() >= deployment.links.since).then(|| deployment.rollback_info()),
        "deploymentStyle": { "deploymentType": "BLUE_GREEN", "deploymentOption": "WITH_TRAFFIC_CONTROL" },
        "instanceTerminationWaitTimeStarted": false,
        "fileExistsBehavior": "DISALLOW",
        "deploymentStatusMessages": [],
        "computePlatform": "Lambda",
        "overrideAlarmConfiguration": deployment.override_alarms,
    })
}

/// The revision of the group's last success before this deployment.
fn previous(region: &Region, deployment: &Deployment) -> Value {
    let before = region.deployments.iter().take_while(|other| other.id != deployment.id).filter(|other| {
        other.application == deployment.application
            && other.group == deployment.group
            && other.status() == "Succeeded"
    });
    before.last().map_or(Value::Null, |other| json!(other.revision.without_content()))
}
