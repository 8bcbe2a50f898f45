//! Deployment groups: how an application's deployments behave unless they say otherwise.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Value, json};

use super::error::{no_group, refuse};
use super::model::{AlarmConfiguration, AutoRollback, Deployment, Group, TriggerConfig};
use super::store::{Region, paged};
use super::tags::{self, Tag};
use super::{Answer, CodeDeploy, notify, read, validate};
use crate::error::ServiceError;
use crate::iam::RoleError;
use crate::identity::Scope;
use crate::uuid::new_uuid;

const BATCH: usize = 100;
const GROUPS: usize = 1000;
const DEFAULT_CONFIG: &str = "CodeDeployDefault.OneAtATime";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Input {
    application_name: Option<String>,
    deployment_group_name: Option<String>,
    current_deployment_group_name: Option<String>,
    new_deployment_group_name: Option<String>,
    deployment_group_names: Option<Vec<String>>,
    next_token: Option<String>,
    tags: Option<Vec<Tag>>,
    #[serde(flatten)]
    settings: Settings,
}

/// What can be set, and set again.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Settings {
    service_role_arn: Option<String>,
    deployment_config_name: Option<String>,
    deployment_style: Option<Style>,
    alarm_configuration: Option<AlarmConfiguration>,
    auto_rollback_configuration: Option<AutoRollback>,
    trigger_configurations: Option<Vec<TriggerConfig>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Style {
    deployment_type: Option<String>,
    deployment_option: Option<String>,
}

/// Members of a group that are about servers or containers.
const NOT_FOR_LAMBDA: [&str; 8] = [
    "ec2TagFilters",
    "ec2TagSet",
    "onPremisesInstanceTagFilters",
    "onPremisesTagSet",
    "autoScalingGroups",
    "loadBalancerInfo",
    "ecsServices",
    "blueGreenDeploymentConfiguration",
];

pub(crate) async fn create(service: &Arc<CodeDeploy>, scope: &Scope, input: &Value) -> Answer {
    for_lambda(input)?;
    let input: Input = read(input)?;
    let application = validate::APPLICATION.required(input.application_name.as_deref())?;
    let name = validate::GROUP.required(input.deployment_group_name.as_deref())?;
    let settings = input.settings;
    let role = settings.service_role_arn.clone().filter(|role| !role.is_empty());
    let role = role.ok_or_else(|| refuse("RoleRequiredException", "A service role must be specified"))?;
    let tags = tags::checked(input.tags.as_deref())?;
    service.with(scope, |region| {
        room(region, application, name)?;
        let config = settings.deployment_config_name.as_deref().unwrap_or(DEFAULT_CONFIG);
        lambda_config(region, config)?;
        style(settings.deployment_style.as_ref())?;
        check(&settings)
    })?;
    assumable(service, scope, &role, application, name).await?;
    let triggers = settings.trigger_configurations.unwrap_or_default();
    notify::introduce(service, scope, &triggers).await?;
    let group = Group {
        id: new_uuid(),
        name: name.to_owned(),
        role,
        config: settings.deployment_config_name.unwrap_or_else(|| DEFAULT_CONFIG.to_owned()),
        alarms: settings.alarm_configuration.unwrap_or_default(),
        rollback: settings.auto_rollback_configuration.unwrap_or_default(),
        triggers,
        tags,
        attempted: None,
        succeeded: None,
    };
    let answer = json!({ "deploymentGroupId": group.id });
    service.with(scope, |region| {
        room(region, application, name)?;
        region.application(application)?.groups.insert(name.to_owned(), group);
        Ok(answer)
    })
}

pub(crate) async fn update(service: &Arc<CodeDeploy>, scope: &Scope, input: &Value) -> Answer {
    for_lambda(input)?;
    let input: Input = read(input)?;
    let application = validate::APPLICATION.required(input.application_name.as_deref())?;
    let name = validate::GROUP.required(input.current_deployment_group_name.as_deref())?;
    let new = input.new_deployment_group_name.as_deref();
    let settings = input.settings;
    service.with(scope, |region| {
        region.group(application, name)?;
        if let Some(new) = new.filter(|new| *new != name) {
            validate::GROUP.valid(new)?;
            unnamed(region, application, new)?;
        }
        settings.deployment_config_name.as_deref().map_or(Ok(()), |config| lambda_config(region, config))?;
        settings.deployment_style.as_ref().map_or(Ok(()), |given| style(Some(given)))?;
        check(&settings)
    })?;
    if let Some(role) = &settings.service_role_arn {
        assumable(service, scope, role, application, name).await?;
    }
    if let Some(triggers) = &settings.trigger_configurations {
        notify::introduce(service, scope, triggers).await?;
    }
    service.with(scope, |region| {
        settings.apply(region.group(application, name)?);
        rename(region, application, name, new.unwrap_or(name))
    })?;
    Ok(json!({ "hooksNotCleanedUp": [] }))
}

pub(crate) fn get(region: &mut Region, input: &Value) -> Answer {
    let input: Input = read(input)?;
    let application = validate::APPLICATION.required(input.application_name.as_deref())?;
    let name = validate::GROUP.required(input.deployment_group_name.as_deref())?;
    region.group(application, name)?;
    info(region, application, name).map(|info| json!({ "deploymentGroupInfo": info }))
}

pub(crate) fn batch_get(region: &mut Region, input: &Value) -> Answer {
    let input: Input = read(input)?;
    let application = validate::APPLICATION.required(input.application_name.as_deref())?;
    let names = input.deployment_group_names.unwrap_or_default();
    if names.is_empty() {
        return Err(refuse(
            "DeploymentGroupNameRequiredException",
            "At least one group's name must be specified",
        ));
    }
    if names.len() > BATCH {
        return Err(refuse("BatchLimitExceededException", format!("At most {BATCH} names in one call")));
    }
    region.application(application)?;
    let mut found = Vec::new();
    let mut missing = Vec::new();
    for name in &names {
        validate::GROUP.required(Some(name))?;
        match info(region, application, name) {
            Ok(info) => found.push(info),
            Err(_) => missing.push(name.as_str()),
        }
    }
    let mut answer = json!({ "deploymentGroupsInfo": found });
    if !missing.is_empty() {
        answer["errorMessage"] =
            format!("No Deployment Group found for names: {}", missing.join(", ")).into();
    }
    Ok(answer)
}

pub(crate) fn list(region: &mut Region, input: &Value) -> Answer {
    let input: Input = read(input)?;
    let application = validate::APPLICATION.required(input.application_name.as_deref())?;
    let groups: Vec<_> = region.application(application)?.groups.keys().cloned().collect();
    let mut answer = paged("deploymentGroups", groups, input.next_token.as_deref())?;
    answer["applicationName"] = application.into();
    Ok(answer)
}

/// Deleting what is not there succeeds: the service's model has no error for it.
pub(crate) fn delete(region: &mut Region, input: &Value) -> Answer {
    let input: Input = read(input)?;
    let application = validate::APPLICATION.required(input.application_name.as_deref())?;
    let name = validate::GROUP.required(input.deployment_group_name.as_deref())?;
    if let Ok(application) = region.application(application) {
        application.groups.remove(name);
    }
    Ok(json!({ "hooksNotCleanedUp": [] }))
}

/// What the ARN of a group is.
pub(crate) fn arn(scope: &Scope, application: &str, group: &str) -> String {
    scope.arn("codedeploy", &format!("deploymentgroup:{application}/{group}"))
}

impl Settings {
    /// Sets what is given; what is not, stays as it was.
    fn apply(self, group: &mut Group) {
        set(&mut group.role, self.service_role_arn);
        set(&mut group.config, self.deployment_config_name);
        set(&mut group.alarms, self.alarm_configuration);
        set(&mut group.rollback, self.auto_rollback_configuration);
        set(&mut group.triggers, self.trigger_configurations);
    }
}

fn set<T>(place: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *place = value;
    }
}

/// Nothing is taken that would have no effect; an empty member is no wish.
fn for_lambda(input: &Value) -> Result<(), ServiceError> {
    let given = |name: &&&str| match &input[**name] {
        Value::Null => false,
        Value::Array(list) => !list.is_empty(),
        Value::Object(members) => !members.is_empty(),
        _ => true,
    };
    match NOT_FOR_LAMBDA.iter().find(given) {
        Some(name) => Err(refuse(
            "InvalidInputException",
            format!("{name} cannot be set on a deployment group for the compute platform Lambda"),
        )),
        None => Ok(()),
    }
}

fn room(region: &mut Region, application: &str, name: &str) -> Result<(), ServiceError> {
    unnamed(region, application, name)?;
    let application = region.application(application)?;
    if application.platform != "Lambda" {
        let message = "This sandbox deploys to the compute platform Lambda alone";
        return Err(refuse("InvalidInputException", message));
    }
    if application.groups.len() >= GROUPS {
        let message = "The application has as many deployment groups as it may";
        return Err(refuse("DeploymentGroupLimitExceededException", message));
    }
    Ok(())
}

/// Whether a group could have the name.
fn unnamed(region: &mut Region, application: &str, name: &str) -> Result<(), ServiceError> {
    if !region.application(application)?.groups.contains_key(name) {
        return Ok(());
    }
    let message = format!("Deployment group {name} already exists for application {application}");
    Err(refuse("DeploymentGroupAlreadyExistsException", message))
}

fn check(settings: &Settings) -> Result<(), ServiceError> {
    settings.alarm_configuration.as_ref().map_or(Ok(()), validate::alarms)?;
    settings.auto_rollback_configuration.as_ref().map_or(Ok(()), validate::rollback)?;
    settings.trigger_configurations.as_deref().map_or(Ok(()), validate::triggers)
}

/// A configuration that exists and moves Lambda's traffic.
pub(crate) fn lambda_config(region: &Region, name: &str) -> Result<(), ServiceError> {
    validate::CONFIG.valid(name)?;
    let config = region.config(name)?;
    if config.platform == "Lambda" {
        return Ok(());
    }
    let message =
        format!("The deployment configuration {name} is for the compute platform {}", config.platform);
    Err(refuse("InvalidDeploymentConfigNameException", message))
}

fn style(style: Option<&Style>) -> Result<(), ServiceError> {
    let fits = style.is_some_and(|style| {
        style.deployment_type.as_deref() == Some("BLUE_GREEN")
            && style.deployment_option.as_deref() == Some("WITH_TRAFFIC_CONTROL")
    });
    let message = "For the compute platform Lambda, the deployment style is BLUE_GREEN, WITH_TRAFFIC_CONTROL";
    if fits { Ok(()) } else { Err(refuse("InvalidDeploymentStyleException", message)) }
}

async fn assumable(
    service: &CodeDeploy,
    scope: &Scope,
    role: &str,
    application: &str,
    group: &str,
) -> Result<(), ServiceError> {
    let arn = arn(scope, application, group);
    service.aws.roles.assumable(scope, role, &arn).await.map_err(|error| match error {
        RoleError::Upstream(error) => error.into(),
        RoleError::Missing | RoleError::NotAssumable => {
            let message = "AWS CodeDeploy does not have the permissions required to assume the role ARN.";
            refuse("InvalidRoleException", message)
        }
    })
}

fn rename(region: &mut Region, application: &str, name: &str, new: &str) -> Result<(), ServiceError> {
    let groups = &mut region.application(application)?.groups;
    if let Some(mut group) = groups.remove(name) {
        new.clone_into(&mut group.name);
        groups.insert(new.to_owned(), group);
    }
    let of_group =
        |deployment: &&mut Deployment| deployment.application == application && deployment.group == name;
    for deployment in region.deployments.iter_mut().filter(of_group) {
        new.clone_into(&mut deployment.group);
    }
    Ok(())
}

fn info(region: &Region, application: &str, name: &str) -> Answer {
    let found =
        region.applications.get(application).and_then(|app| app.groups.get(name).map(|group| (app, group)));
    let (app, group) = found.ok_or_else(|| no_group(name))?;
    let last = |id: &Option<String>| {
        let deployment = id.as_deref().and_then(|id| region.deployment(id).ok());
        deployment.map(|deployment| {
            json!({
                "deploymentId": deployment.id, "status": deployment.status(),
                "createTime": deployment.created, "endTime": deployment.completed,
            })
        })
    };
    let succeeded = group.succeeded.as_deref().and_then(|id| region.deployment(id).ok());
    Ok(json!({
        "applicationName": app.name,
        "deploymentGroupId": group.id,
        "deploymentGroupName": group.name,
        "deploymentConfigName": group.config,
        "serviceRoleArn": group.role,
        "targetRevision": succeeded.map(|deployment| deployment.revision.without_content()),
        "triggerConfigurations": group.triggers,
        "alarmConfiguration": group.alarms,
        "autoRollbackConfiguration": group.rollback,
        "deploymentStyle": { "deploymentType": "BLUE_GREEN", "deploymentOption": "WITH_TRAFFIC_CONTROL" },
        "outdatedInstancesStrategy": "UPDATE",
        "lastSuccessfulDeployment": last(&group.succeeded),
        "lastAttemptedDeployment": last(&group.attempted),
        "computePlatform": app.platform,
        "terminationHookEnabled": false,
    }))
}

#[cfg(test)]
mod tests {
    use super::super::{Rules, applications};
    use super::*;

    #[test]
    fn an_application_has_room_for_so_many_groups() {
        let mut region = Region::new(Rules::default());
        let input = json!({ "applicationName": "app", "computePlatform": "Lambda" });
        applications::create(&mut region, &input, 0.0).unwrap();
        let group = Group {
            id: String::new(),
            name: String::new(),
            role: String::new(),
            config: DEFAULT_CONFIG.to_owned(),
            alarms: AlarmConfiguration::default(),
            rollback: AutoRollback::default(),
            triggers: Vec::new(),
            tags: super::super::model::Tags::new(),
            attempted: None,
            succeeded: None,
        };
        let groups = (0..GROUPS).map(|n| (n.to_string(), group.clone()));
        region.application("app").unwrap().groups = groups.collect();
        let full = room(&mut region, "app", "one more").unwrap_err();
        assert_eq!(full.code, "DeploymentGroupLimitExceededException");
        assert!(unnamed(&mut region, "app", "one more").is_ok(), "a new name for an old group takes no room");
        assert!(unnamed(&mut region, "app", "7").is_err());
    }

    #[test]
    fn what_is_for_servers_is_not_taken() {
        for (input, taken) in [
            (json!({}), true),
            (json!({ "autoScalingGroups": [], "loadBalancerInfo": null }), true),
            (json!({ "autoScalingGroups": ["servers"] }), false),
            (json!({ "ecsServices": [{ "serviceName": "s" }] }), false),
        ] {
            assert_eq!(for_lambda(&input).is_ok(), taken, "{input}");
        }
    }
}
