//! CodeDeploy's lasting pieces: applications, traffic configurations and deployment groups.

use aws_sdk_codedeploy::types::{
    Alarm, AlarmConfiguration, AutoRollbackConfiguration, AutoRollbackEvent, ComputePlatform,
    DeploymentConfigInfo, DeploymentGroupInfo, DeploymentOption, DeploymentStyle, DeploymentType, Tag,
    TimeBasedCanary, TimeBasedLinear, TrafficRoutingConfig, TrafficRoutingType, TriggerConfig,
    TriggerEventType,
};

use super::clients::Clients;
use super::error::{Answered, absent, gone, invalid};
use crate::rollout::cloud::{Group, GroupState, Tags, Trigger};
use crate::rollout::strategy::Strategy;

impl Clients {
    pub(super) async fn application(&self, name: &str) -> Answered<Option<String>> {
        let client = self.code_deploy().await;
        let get = || client.get_application().application_name(name).send();
        let answer = absent(self.call("codedeploy:GetApplication", get).await)?;
        let platform = |platform: ComputePlatform| platform.as_str().to_owned();
        Ok(answer.map(|answer| {
            answer.application.and_then(|info| info.compute_platform).map(platform).unwrap_or_default()
        }))
    }

    pub(super) async fn create_application(&self, name: &str, tags: &Tags) -> Answered<()> {
        let request = self
            .code_deploy()
            .await
            .create_application()
            .application_name(name)
            .compute_platform(ComputePlatform::Lambda)
            .set_tags(Some(code_deploy_tags(tags)));
        self.call("codedeploy:CreateApplication", || request.send()).await.map(drop)
    }

    pub(super) async fn delete_application(&self, name: &str) -> Answered<()> {
        let request = self.code_deploy().await.delete_application().application_name(name);
        gone(self.call("codedeploy:DeleteApplication", || request.send()).await)
    }

    pub(super) async fn code_deploy_tags(&self, resource: &str) -> Answered<Tags> {
        let arn = self.code_deploy_arn(resource).await?;
        let mut tags = Tags::new();
        let mut token = None;
        loop {
            let request =
                self.code_deploy().await.list_tags_for_resource().resource_arn(&arn).set_next_token(token);
            let page = self.call("codedeploy:ListTagsForResource", || request.send()).await?;
            tags.extend(
                page.tags.unwrap_or_default().into_iter().filter_map(|tag| Some((tag.key?, tag.value?))),
            );
            token = page.next_token.filter(|token| !token.is_empty());
            if token.is_none() {
                return Ok(tags);
            }
        }
    }

    pub(super) async fn tag_code_deploy(&self, resource: &str, tags: &Tags) -> Answered<()> {
        let arn = self.code_deploy_arn(resource).await?;
        let request =
            self.code_deploy().await.tag_resource().resource_arn(arn).set_tags(Some(code_deploy_tags(tags)));
        self.call("codedeploy:TagResource", || request.send()).await.map(drop)
    }

    pub(super) async fn deployment_config(&self, name: &str) -> Answered<Option<Strategy>> {
        const OPERATION: &str = "codedeploy:GetDeploymentConfig";
        let request = self.code_deploy().await.get_deployment_config().deployment_config_name(name);
        let Some(answer) = absent(self.call(OPERATION, || request.send()).await)? else {
            return Ok(None);
        };
        let strategy = answer.deployment_config_info().and_then(strategy);
        let not_for_lambda = || invalid(OPERATION, format!("\"{name}\" is no configuration for Lambda"));
        strategy.map(Some).ok_or_else(not_for_lambda)
    }

    pub(super) async fn create_deployment_config(&self, name: &str, strategy: &Strategy) -> Answered<()> {
        let request = self
            .code_deploy()
            .await
            .create_deployment_config()
            .deployment_config_name(name)
            .compute_platform(ComputePlatform::Lambda)
            .traffic_routing_config(traffic_routing(strategy));
        self.call("codedeploy:CreateDeploymentConfig", || request.send()).await.map(drop)
    }

    pub(super) async fn delete_deployment_config(&self, name: &str) -> Answered<()> {
        let request = self.code_deploy().await.delete_deployment_config().deployment_config_name(name);
        gone(self.call("codedeploy:DeleteDeploymentConfig", || request.send()).await)
    }

    pub(super) async fn group(&self, application: &str, name: &str) -> Answered<Option<GroupState>> {
        let client = self.code_deploy().await;
        let get =
            || client.get_deployment_group().application_name(application).deployment_group_name(name).send();
        let answer = match self.call("codedeploy:GetDeploymentGroup", get).await {
            // The group's configuration can be what is missing, which does not make the group absent.
            Err(error) if error.code == "DeploymentConfigDoesNotExistException" => return Err(error),
            answer => absent(answer)?,
        };
        Ok(answer.and_then(|answer| answer.deployment_group_info).map(group_state))
    }

    pub(super) async fn create_group(&self, group: &Group, tags: &Tags) -> Answered<()> {
        let request = self
            .code_deploy()
            .await
            .create_deployment_group()
            .application_name(&group.application)
            .deployment_group_name(&group.name)
            .service_role_arn(&group.service_role_arn)
            .deployment_config_name(&group.deployment_config)
            .deployment_style(deployment_style())
            .alarm_configuration(alarm_configuration(&group.alarms, group.ignore_alarm_poll_failure))
            .auto_rollback_configuration(auto_rollback(&group.rollback_events))
            .set_trigger_configurations(Some(group.triggers.iter().map(trigger_config).collect()))
            .set_tags(Some(code_deploy_tags(tags)));
        self.call("codedeploy:CreateDeploymentGroup", || request.send()).await.map(drop)
    }

    /// Sends every setting, because CodeDeploy keeps what is left out.
    pub(super) async fn update_group(&self, group: &Group) -> Answered<()> {
        let request = self
            .code_deploy()
            .await
            .update_deployment_group()
            .application_name(&group.application)
            .current_deployment_group_name(&group.name)
            .service_role_arn(&group.service_role_arn)
            .deployment_config_name(&group.deployment_config)
            .deployment_style(deployment_style())
            .alarm_configuration(alarm_configuration(&group.alarms, group.ignore_alarm_poll_failure))
            .auto_rollback_configuration(auto_rollback(&group.rollback_events))
            .set_trigger_configurations(Some(group.triggers.iter().map(trigger_config).collect()));
        self.call("codedeploy:UpdateDeploymentGroup", || request.send()).await.map(drop)
    }

    pub(super) async fn groups(&self, application: &str) -> Answered<Vec<String>> {
        let mut groups = Vec::new();
        let mut token = None;
        loop {
            let request = self
                .code_deploy()
                .await
                .list_deployment_groups()
                .application_name(application)
                .set_next_token(token);
            let Some(page) = absent(self.call("codedeploy:ListDeploymentGroups", || request.send()).await)?
            else {
                return Ok(Vec::new());
            };
            groups.extend(page.deployment_groups.unwrap_or_default());
            token = page.next_token.filter(|token| !token.is_empty());
            if token.is_none() {
                return Ok(groups);
            }
        }
    }

    pub(super) async fn delete_group(&self, application: &str, name: &str) -> Answered<()> {
        let request = self
            .code_deploy()
            .await
            .delete_deployment_group()
            .application_name(application)
            .deployment_group_name(name);
        gone(self.call("codedeploy:DeleteDeploymentGroup", || request.send()).await)
    }

    async fn code_deploy_arn(&self, resource: &str) -> Answered<String> {
        let caller = self.identity().await?;
        Ok(format!("arn:{}:codedeploy:{}:{}:{resource}", caller.partition, caller.region, caller.account))
    }
}

/// Alarms of a group or of one deployment; without alarms the switch is off, which also clears what was there.
pub(super) fn alarm_configuration(names: &[String], ignore_poll_failure: bool) -> AlarmConfiguration {
    let alarms = names.iter().map(|name| Alarm::builder().name(name).build()).collect();
    AlarmConfiguration::builder()
        .enabled(!names.is_empty())
        .ignore_poll_alarm_failure(ignore_poll_failure)
        .set_alarms(Some(alarms))
        .build()
}

pub(super) fn auto_rollback(events: &[String]) -> AutoRollbackConfiguration {
    let known = events.iter().map(|event| AutoRollbackEvent::from(event.as_str())).collect();
    AutoRollbackConfiguration::builder().enabled(!events.is_empty()).set_events(Some(known)).build()
}

fn deployment_style() -> DeploymentStyle {
    DeploymentStyle::builder()
        .deployment_type(DeploymentType::BlueGreen)
        .deployment_option(DeploymentOption::WithTrafficControl)
        .build()
}

fn trigger_config(trigger: &Trigger) -> TriggerConfig {
    let events = trigger.events.iter().map(|event| TriggerEventType::from(event.as_str())).collect();
    TriggerConfig::builder()
        .trigger_name(&trigger.name)
        .trigger_target_arn(&trigger.topic_arn)
        .set_trigger_events(Some(events))
        .build()
}

fn group_state(info: DeploymentGroupInfo) -> GroupState {
    let alarms = info.alarm_configuration;
    let group = Group {
        application: info.application_name.unwrap_or_default(),
        name: info.deployment_group_name.unwrap_or_default(),
        service_role_arn: info.service_role_arn.unwrap_or_default(),
        deployment_config: info.deployment_config_name.unwrap_or_default(),
        ignore_alarm_poll_failure: alarms.as_ref().is_some_and(|alarms| alarms.ignore_poll_alarm_failure),
        alarms: alarms.map(alarm_names).unwrap_or_default(),
        rollback_events: info.auto_rollback_configuration.map(rollback_events).unwrap_or_default(),
        triggers: sorted(info.trigger_configurations.unwrap_or_default().into_iter().map(trigger)),
    };
    let last_attempted = info.last_attempted_deployment.and_then(|last| last.deployment_id);
    GroupState { group, last_attempted }
}

pub(super) fn alarm_names(alarms: AlarmConfiguration) -> Vec<String> {
    let names = alarms.alarms.filter(|_| alarms.enabled).unwrap_or_default();
    sorted(names.into_iter().filter_map(|alarm| alarm.name))
}

fn sorted<T: Ord>(items: impl Iterator<Item = T>) -> Vec<T> {
    let mut items: Vec<T> = items.collect();
    items.sort();
    items
}

fn rollback_events(rollback: AutoRollbackConfiguration) -> Vec<String> {
    let events = rollback.events.filter(|_| rollback.enabled).unwrap_or_default();
    sorted(events.iter().map(|event| event.as_str().to_owned()))
}

fn trigger(trigger: TriggerConfig) -> Trigger {
    let events = trigger.trigger_events.unwrap_or_default();
    Trigger {
        name: trigger.trigger_name.unwrap_or_default(),
        topic_arn: trigger.trigger_target_arn.unwrap_or_default(),
        events: sorted(events.iter().map(|event| event.as_str().to_owned())),
    }
}

fn code_deploy_tags(tags: &Tags) -> Vec<Tag> {
    tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build()).collect()
}

fn traffic_routing(strategy: &Strategy) -> TrafficRoutingConfig {
    let routing = TrafficRoutingConfig::builder();
    match *strategy {
        Strategy::AllAtOnce => routing.r#type(TrafficRoutingType::AllAtOnce),
        Strategy::Canary { percentage, minutes } => {
            routing.r#type(TrafficRoutingType::TimeBasedCanary).time_based_canary(
                TimeBasedCanary::builder()
                    .canary_percentage(i32::from(percentage))
                    .canary_interval(interval(minutes))
                    .build(),
            )
        }
        Strategy::Linear { percentage, minutes } => {
            routing.r#type(TrafficRoutingType::TimeBasedLinear).time_based_linear(
                TimeBasedLinear::builder()
                    .linear_percentage(i32::from(percentage))
                    .linear_interval(interval(minutes))
                    .build(),
            )
        }
    }
    .build()
}

fn interval(minutes: u64) -> i32 {
    i32::try_from(minutes).unwrap_or(i32::MAX)
}

/// `None` for a configuration of another platform, or one whose numbers no Lambda configuration can have.
fn strategy(config: &DeploymentConfigInfo) -> Option<Strategy> {
    let routing = config.traffic_routing_config()?;
    let whole = |percentage: i32, minutes: i32| -> Option<(u8, u64)> {
        let percentage = u8::try_from(percentage).ok().filter(|percentage| (1..=99).contains(percentage))?;
        Some((percentage, u64::try_from(minutes).ok()?))
    };
    match routing.r#type()? {
        TrafficRoutingType::AllAtOnce => Some(Strategy::AllAtOnce),
        TrafficRoutingType::TimeBasedCanary => {
            let canary = routing.time_based_canary()?;
            let (percentage, minutes) = whole(canary.canary_percentage(), canary.canary_interval())?;
            Some(Strategy::Canary { percentage, minutes })
        }
        TrafficRoutingType::TimeBasedLinear => {
            let linear = routing.time_based_linear()?;
            let (percentage, minutes) = whole(linear.linear_percentage(), linear.linear_interval())?;
            Some(Strategy::Linear { percentage, minutes })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    fn config(routing: TrafficRoutingConfig) -> DeploymentConfigInfo {
        DeploymentConfigInfo::builder()
            .compute_platform(ComputePlatform::Lambda)
            .traffic_routing_config(routing)
            .build()
    }

    #[test]
    fn strategies_survive_the_way_to_codedeploy_and_back() {
        for original in [
            Strategy::AllAtOnce,
            Strategy::Canary { percentage: 10, minutes: 5 },
            Strategy::Linear { percentage: 33, minutes: 2 },
        ] {
            assert_eq!(strategy(&config(traffic_routing(&original))), Some(original));
        }
    }

    #[test]
    fn configurations_that_are_not_for_lambda_have_no_strategy() {
        assert_eq!(strategy(&DeploymentConfigInfo::builder().build()), None);
        let canary = TimeBasedCanary::builder().canary_percentage(0).canary_interval(5).build();
        let odd = TrafficRoutingConfig::builder()
            .r#type(TrafficRoutingType::TimeBasedCanary)
            .time_based_canary(canary)
            .build();
        assert_eq!(strategy(&config(odd)), None);
    }

    #[test]
    fn without_alarms_and_events_both_are_switched_off_and_cleared() {
        let alarms = alarm_configuration(&[], true);
        assert!(!alarms.enabled && alarms.ignore_poll_alarm_failure);
        assert_eq!(alarms.alarms, Some(Vec::new()));
        let rollback = auto_rollback(&[]);
        assert!(!rollback.enabled);
        assert_eq!(rollback.events, Some(Vec::new()));
    }

    #[test]
    fn alarms_and_events_survive_the_way_to_codedeploy_and_back() {
        let alarms = names(&["a", "b"]);
        assert_eq!(alarm_names(alarm_configuration(&alarms, false)), alarms);
        let events = names(&["DEPLOYMENT_FAILURE", "DEPLOYMENT_STOP_ON_ALARM", "DEPLOYMENT_STOP_ON_REQUEST"]);
        assert_eq!(rollback_events(auto_rollback(&events)), events);
        let hooked = Trigger {
            name: "t".to_owned(),
            topic_arn: "arn".to_owned(),
            events: names(&["DeploymentRollback", "DeploymentStart"]),
        };
        assert_eq!(trigger(trigger_config(&hooked)), hooked);
    }

    #[test]
    fn what_is_switched_off_counts_as_absent_even_if_codedeploy_remembers_it() {
        let alarms = AlarmConfiguration::builder().alarms(Alarm::builder().name("a").build()).build();
        assert!(alarm_names(alarms).is_empty());
        let rollback =
            AutoRollbackConfiguration::builder().events(AutoRollbackEvent::DeploymentFailure).build();
        assert!(rollback_events(rollback).is_empty());
    }
}
