//! Deployment configurations: the predefined ones, and the user's own, which never change.

use serde::Deserialize;
use serde_json::{Value, json};

use super::error::refuse;
use super::lifecycle::{Canary, Linear, Routing};
use super::model::{Config, Tags};
use super::store::{Region, paged};
use super::tags::{self, Tag};
use super::{Answer, read, validate};
use crate::clock::Timestamp;
use crate::uuid::new_uuid;

const PREDEFINED: &str = "CodeDeployDefault.";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Create {
    deployment_config_name: Option<String>,
    compute_platform: Option<String>,
    traffic_routing_config: Option<Routing>,
    minimum_healthy_hosts: Option<Value>,
    zonal_config: Option<Value>,
    tags: Option<Vec<Tag>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Named {
    deployment_config_name: Option<String>,
    next_token: Option<String>,
}

pub(crate) fn create(region: &mut Region, input: &Value, now: Timestamp) -> Answer {
    let input: Create = read(input)?;
    let name = validate::CONFIG.required(input.deployment_config_name.as_deref())?;
    if name.starts_with(PREDEFINED) {
        let message = format!("The name of a deployment configuration cannot start with {PREDEFINED}");
        return Err(refuse("InvalidDeploymentConfigNameException", message));
    }
    if region.configs.contains_key(name) {
        let message = format!("A deployment configuration named {name} exists already");
        return Err(refuse("DeploymentConfigAlreadyExistsException", message));
    }
    if region.configs.len() - predefined().count() >= region.rules.configs {
        let message = "The account has as many deployment configurations as it may";
        return Err(refuse("DeploymentConfigLimitExceededException", message));
    }
    let platform = match validate::platform(input.compute_platform.as_deref())? {
        "Lambda" => "Lambda",
        "ECS" => "ECS",
        _ => "Server",
    };
    let routing = if platform == "Server" {
        None
    } else {
        Some(input.traffic_routing_config.unwrap_or(Routing::AllAtOnce))
    };
    if let Some(routing) = routing {
        validate::routing(routing)?;
    }
    if platform != "Server" && input.minimum_healthy_hosts.is_some() {
        let message = "minimumHealthyHosts is for the compute platform Server";
        return Err(refuse("InvalidMinimumHealthyHostValueException", message));
    }
    if platform != "Server" && input.zonal_config.is_some() {
        let message = "zonalConfig is for the compute platform Server";
        return Err(refuse("InvalidZonalDeploymentConfigurationException", message));
    }
    let id = new_uuid();
    let tags = tags::checked(input.tags.as_deref())?;
    let config = Config { id: id.clone(), name: name.to_owned(), created: now, platform, routing, tags };
    region.configs.insert(name.to_owned(), config);
    Ok(json!({ "deploymentConfigId": id }))
}

pub(crate) fn get(region: &Region, input: &Value) -> Answer {
    let input: Named = read(input)?;
    let name = validate::CONFIG.required(input.deployment_config_name.as_deref())?;
    Ok(json!({ "deploymentConfigInfo": region.config(name)? }))
}

pub(crate) fn delete(region: &mut Region, input: &Value) -> Answer {
    let input: Named = read(input)?;
    let name = validate::CONFIG.required(input.deployment_config_name.as_deref())?;
    if name.starts_with(PREDEFINED) {
        let message = format!("The deployment configuration {name} is predefined and cannot be deleted");
        return Err(refuse("InvalidOperationException", message));
    }
    let by_group =
        region.applications.values().flat_map(|app| app.groups.values()).any(|group| group.config == name);
    let by_deployment =
        region.deployments.iter().any(|deployment| deployment.config == name && !deployment.life.ended());
    if by_group || by_deployment {
        let message = format!("The deployment configuration {name} is in use");
        return Err(refuse("DeploymentConfigInUseException", message));
    }
    region.configs.remove(name);
    Ok(Value::Null)
}

pub(crate) fn list(region: &Region, input: &Value) -> Answer {
    let input: Named = read(input)?;
    let names = region.configs.keys().collect();
    paged("deploymentConfigsList", names, input.next_token.as_deref())
}

/// The configurations that every account has.
pub(crate) fn predefined() -> impl Iterator<Item = Config> {
    let canary = |interval| Routing::TimeBasedCanary { canary: Canary { percentage: 10, interval } };
    let linear = |interval| Routing::TimeBasedLinear { linear: Linear { percentage: 10, interval } };
    let lambda = [
        ("LambdaAllAtOnce", Routing::AllAtOnce),
        ("LambdaCanary10Percent5Minutes", canary(5)),
        ("LambdaCanary10Percent10Minutes", canary(10)),
        ("LambdaCanary10Percent15Minutes", canary(15)),
        ("LambdaCanary10Percent30Minutes", canary(30)),
        ("LambdaLinear10PercentEvery1Minute", linear(1)),
        ("LambdaLinear10PercentEvery2Minutes", linear(2)),
        ("LambdaLinear10PercentEvery3Minutes", linear(3)),
        ("LambdaLinear10PercentEvery10Minutes", linear(10)),
    ];
    let ecs = [
        ("ECSAllAtOnce", Routing::AllAtOnce),
        ("ECSCanary10Percent5Minutes", canary(5)),
        ("ECSCanary10Percent15Minutes", canary(15)),
        ("ECSLinear10PercentEvery1Minutes", linear(1)),
        ("ECSLinear10PercentEvery3Minutes", linear(3)),
    ];
    let server = ["AllAtOnce", "HalfAtATime", "OneAtATime"];
    let routed = move |platform| move |(name, routing)| config(name, platform, Some(routing));
    (lambda.into_iter().map(routed("Lambda")))
        .chain(ecs.into_iter().map(routed("ECS")))
        .chain(server.into_iter().map(|name| config(name, "Server", None)))
}

fn config(name: &str, platform: &'static str, routing: Option<Routing>) -> Config {
    let name = format!("{PREDEFINED}{name}");
    Config {
        id: format!("00000000-0000-0000-0000-{:012}", name.len()),
        name,
        created: 0.0,
        platform,
        routing,
        tags: Tags::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::Rules;
    use super::*;

    #[test]
    fn the_nine_for_lambda() {
        let lambda: Vec<_> = predefined().filter(|config| config.platform == "Lambda").collect();
        assert_eq!(lambda.len(), 9);
        assert!(lambda.iter().all(|config| validate::routing(config.routing.unwrap()).is_ok()));
    }

    #[test]
    fn a_config_lives_until_it_is_deleted() {
        let mut region = Region::new(Rules::default());
        let input = json!({
            "deploymentConfigName": "mine", "computePlatform": "Lambda",
            "trafficRoutingConfig": { "type": "TimeBasedLinear",
                "timeBasedLinear": { "linearPercentage": 20, "linearInterval": 3 } },
        });
        create(&mut region, &input, 5.0).unwrap();
        assert_eq!(
            create(&mut region, &input, 5.0).unwrap_err().code,
            "DeploymentConfigAlreadyExistsException"
        );
        let found = get(&region, &input).unwrap();
        assert_eq!(found["deploymentConfigInfo"]["trafficRoutingConfig"], input["trafficRoutingConfig"]);
        delete(&mut region, &input).unwrap();
        assert_eq!(get(&region, &input).unwrap_err().code, "DeploymentConfigDoesNotExistException");
        let reserved = json!({ "deploymentConfigName": "CodeDeployDefault.LambdaAllAtOnce" });
        assert_eq!(delete(&mut region, &reserved).unwrap_err().code, "InvalidOperationException");
    }
}
