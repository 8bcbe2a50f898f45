//! Deployments: starting, looking at and stopping them.

use std::collections::HashMap;
use std::fmt::Write;

use aws_sdk_codedeploy::config::Config;
use aws_sdk_codedeploy::config::retry::RetryConfig;
use aws_sdk_codedeploy::types::{
    AppSpecContent, DeploymentInfo, DeploymentStatus as Status, LambdaTarget, RevisionLocation,
    RevisionLocationType,
};
use sha2::{Digest, Sha256};

use super::clients::Clients;
use super::code_deploy::{alarm_configuration, alarm_names, auto_rollback};
use super::error::{Answered, absent};
use super::time::system_time;
use super::watcher::IDS_A_CALL;
use crate::rollout::cloud::{Deployment, DeploymentStatus, LifecycleEvent, NewDeployment, Target};

pub(super) const DEPLOYMENTS: &str = "codedeploy:BatchGetDeployments";
pub(super) const START: &str = "codedeploy:CreateDeployment";
pub(super) const STOP: &str = "codedeploy:StopDeployment";

const LIVE: [Status; 5] =
    [Status::Created, Status::Queued, Status::InProgress, Status::Baking, Status::Ready];

impl Clients {
    /// Without the SDK's retries: a call whose answer was lost may have made the deployment.
    pub(super) async fn create_deployment(&self, deployment: &NewDeployment) -> Answered<String> {
        let alarms = alarm_configuration(&deployment.alarms, deployment.ignore_alarm_poll_failure);
        let request = self
            .code_deploy()
            .await
            .create_deployment()
            .application_name(&deployment.application)
            .deployment_group_name(&deployment.group)
            .deployment_config_name(&deployment.deployment_config)
            .description(&deployment.description)
            .revision(revision(&deployment.app_spec))
            .override_alarm_configuration(alarms)
            .auto_rollback_configuration(auto_rollback(&deployment.rollback_events))
            .customize()
            .config_override(Config::builder().retry_config(RetryConfig::disabled()));
        let answer = self.call(START, || request.send()).await?;
        Ok(answer.deployment_id.unwrap_or_default())
    }

    /// One call for many deployments, for which there is room already. Without the SDK's retries, so that the watcher sees throttling at once.
    pub(super) async fn deployments(&self, ids: Vec<String>) -> Answered<Vec<Deployment>> {
        let request = self
            .code_deploy()
            .await
            .batch_get_deployments()
            .set_deployment_ids(Some(ids))
            .customize()
            .config_override(Config::builder().retry_config(RetryConfig::disabled()))
            .send();
        let answer = self.call_admitted(DEPLOYMENTS, request).await?;
        Ok(answer.deployments_info.unwrap_or_default().into_iter().map(deployment).collect())
    }

    /// A deployment that has not started has no target yet.
    pub(super) async fn target(&self, deployment_id: &str) -> Answered<Option<Target>> {
        let Some(id) = self.target_id(deployment_id).await? else {
            return Ok(None);
        };
        let client = self.code_deploy().await;
        let request = client.get_deployment_target().deployment_id(deployment_id).target_id(id);
        let answer = started(self.call("codedeploy:GetDeploymentTarget", || request.send()).await)?;
        Ok(answer.and_then(|answer| answer.deployment_target?.lambda_target).and_then(target))
    }

    async fn target_id(&self, deployment_id: &str) -> Answered<Option<String>> {
        if let Some(known) = self.target_ids.lock().await.get(deployment_id) {
            return Ok(Some(known.clone()));
        }
        let request = self.code_deploy().await.list_deployment_targets().deployment_id(deployment_id);
        let answer = self.call("codedeploy:ListDeploymentTargets", || request.send()).await;
        let id = started(answer)?.and_then(|list| list.target_ids?.into_iter().next());
        if let Some(id) = &id {
            self.target_ids.lock().await.insert(deployment_id.to_owned(), id.clone());
        }
        Ok(id)
    }

    pub(super) async fn stop_deployment(&self, id: &str, rollback: bool) -> Answered<()> {
        let request =
            self.code_deploy().await.stop_deployment().deployment_id(id).auto_rollback_enabled(rollback);
        self.call(STOP, || request.send()).await.map(drop)
    }

    pub(super) async fn live_deployments(&self, group: Option<(&str, &str)>) -> Answered<Vec<String>> {
        let (application, group) = group.map(|(a, g)| (a.to_owned(), g.to_owned())).unzip();
        let mut ids = Vec::new();
        let mut token = None;
        loop {
            let request = self
                .code_deploy()
                .await
                .list_deployments()
                .set_application_name(application.clone())
                .set_deployment_group_name(group.clone())
                .set_include_only_statuses(Some(LIVE.to_vec()))
                .set_next_token(token);
            let Some(page) = absent(self.call("codedeploy:ListDeployments", || request.send()).await)? else {
                return Ok(Vec::new());
            };
            ids.extend(page.deployments.unwrap_or_default());
            token = page.next_token.filter(|token| !token.is_empty());
            if token.is_none() {
                return self.newest_first(ids).await;
            }
        }
    }

    /// CodeDeploy does not say in which order it lists.
    async fn newest_first(&self, mut ids: Vec<String>) -> Answered<Vec<String>> {
        if ids.len() > 1 {
            let mut created = HashMap::new();
            for some in ids.chunks(IDS_A_CALL) {
                self.budgets.take(DEPLOYMENTS).await;
                let infos = self.deployments(some.to_vec()).await?;
                created.extend(infos.into_iter().map(|info| (info.id, info.created)));
            }
            ids.sort_by_key(|id| std::cmp::Reverse(created.get(id).copied().flatten()));
        }
        Ok(ids)
    }
}

/// What is known of a deployment that may be gone, or not begun.
fn started<T>(answer: Answered<T>) -> Answered<Option<T>> {
    match answer {
        Err(error) if error.code == "DeploymentNotStartedException" => Ok(None),
        answer => absent(answer),
    }
}

fn revision(app_spec: &str) -> RevisionLocation {
    let content = AppSpecContent::builder().content(app_spec).sha256(hex_digest(app_spec)).build();
    RevisionLocation::builder()
        .revision_type(RevisionLocationType::AppSpecContent)
        .app_spec_content(content)
        .build()
}

fn hex_digest(text: &str) -> String {
    Sha256::digest(text).iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

fn deployment(info: DeploymentInfo) -> Deployment {
    let error = info.error_information;
    let rollback = info.rollback_info;
    Deployment {
        id: info.deployment_id.unwrap_or_default(),
        status: status(info.status.as_ref()),
        status_text: info.status.map(|status| status.as_str().to_owned()).unwrap_or_default(),
        application: info.application_name.unwrap_or_default(),
        group: info.deployment_group_name.unwrap_or_default(),
        deployment_config: info.deployment_config_name.unwrap_or_default(),
        description: info.description.unwrap_or_default(),
        alarms: info.override_alarm_configuration.map(alarm_names),
        creator: info.creator.map(|creator| creator.as_str().to_owned()).unwrap_or_default(),
        error_code: error
            .as_ref()
            .and_then(|error| error.code.as_ref())
            .map(|code| code.as_str().to_owned())
            .unwrap_or_default(),
        error_message: error.and_then(|error| error.message).unwrap_or_default(),
        rolled_back_by: rollback.as_ref().and_then(|info| named(info.rollback_deployment_id.as_ref())),
        rolls_back: rollback.as_ref().and_then(|info| named(info.rollback_triggering_deployment_id.as_ref())),
        created: system_time(info.create_time),
        started: system_time(info.start_time),
        completed: system_time(info.complete_time),
    }
}

/// CodeDeploy writes an empty id where there is none.
fn named(id: Option<&String>) -> Option<String> {
    id.filter(|id| !id.is_empty()).cloned()
}

/// Only these three words end a deployment; one that CodeDeploy may add does not.
fn status(status: Option<&Status>) -> DeploymentStatus {
    match status {
        Some(Status::Succeeded) => DeploymentStatus::Succeeded,
        Some(Status::Failed) => DeploymentStatus::Failed,
        Some(Status::Stopped) => DeploymentStatus::Stopped,
        _ => DeploymentStatus::Live,
    }
}

fn target(target: LambdaTarget) -> Option<Target> {
    let function = target.lambda_function_info?;
    Some(Target {
        function: function.function_name.unwrap_or_default(),
        alias: function.function_alias.unwrap_or_default(),
        current_version: function.current_version.unwrap_or_default(),
        target_version: function.target_version.unwrap_or_default(),
        weight: share(function.target_version_weight),
        events: target.lifecycle_events.unwrap_or_default().into_iter().map(lifecycle_event).collect(),
    })
}

/// The weight is documented as a percentage and comes as a share.
fn share(weight: f64) -> f64 {
    if weight > 1.0 { weight / 100.0 } else { weight }
}

fn lifecycle_event(event: aws_sdk_codedeploy::types::LifecycleEvent) -> LifecycleEvent {
    LifecycleEvent {
        name: event.lifecycle_event_name.unwrap_or_default(),
        status: event.status.map(|status| status.as_str().to_owned()).unwrap_or_default(),
        message: event.diagnostics.and_then(|diagnostics| diagnostics.message).unwrap_or_default(),
        started: system_time(event.start_time),
        ended: system_time(event.end_time),
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use aws_sdk_codedeploy::types::{ErrorCode, ErrorInformation, LambdaFunctionInfo, RollbackInfo};
    use aws_smithy_types::DateTime;

    use super::*;

    #[test]
    fn the_revision_carries_the_digest_of_exactly_its_text() {
        let revision = revision("abc");
        assert_eq!(revision.revision_type, Some(RevisionLocationType::AppSpecContent));
        let content = revision.app_spec_content.unwrap();
        assert_eq!(content.content(), Some("abc"));
        assert_eq!(
            content.sha256(),
            Some("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
        );
    }

    #[test]
    fn only_three_words_end_a_deployment() {
        for live in ["Created", "Queued", "InProgress", "Baking", "Ready", "Simmering"] {
            assert_eq!(status(Some(&Status::from(live))), DeploymentStatus::Live, "{live}");
        }
        assert_eq!(status(None), DeploymentStatus::Live);
        assert_eq!(status(Some(&Status::Succeeded)), DeploymentStatus::Succeeded);
        assert_eq!(status(Some(&Status::Failed)), DeploymentStatus::Failed);
        assert_eq!(status(Some(&Status::Stopped)), DeploymentStatus::Stopped);
    }

    #[test]
    fn a_stopped_deployment_names_its_error_and_its_rollback() {
        let info = DeploymentInfo::builder()
            .deployment_id("d-1")
            .status(Status::Stopped)
            .error_information(
                ErrorInformation::builder().code(ErrorCode::AlarmActive).message("alarms").build(),
            )
            .rollback_info(
                RollbackInfo::builder()
                    .rollback_deployment_id("d-2")
                    .rollback_triggering_deployment_id("")
                    .build(),
            )
            .complete_time(DateTime::from_secs(90))
            .build();
        let deployment = deployment(info);
        assert_eq!(
            (deployment.status, deployment.status_text.as_str()),
            (DeploymentStatus::Stopped, "Stopped")
        );
        assert_eq!(
            (deployment.error_code.as_str(), deployment.error_message.as_str()),
            ("ALARM_ACTIVE", "alarms")
        );
        assert_eq!((deployment.rolled_back_by.as_deref(), deployment.rolls_back), (Some("d-2"), None));
        assert_eq!(deployment.completed, Some(UNIX_EPOCH + Duration::from_secs(90)));
    }

    #[test]
    fn a_target_without_a_function_is_not_for_lambda() {
        assert_eq!(target(LambdaTarget::builder().build()), None);
        let function = LambdaFunctionInfo::builder().function_name("api").target_version_weight(0.1).build();
        let target = target(LambdaTarget::builder().lambda_function_info(function).build()).unwrap();
        assert_eq!((target.function.as_str(), target.weight), ("api", 0.1));
    }

    #[test]
    fn a_weight_is_a_share_whichever_way_it_comes() {
        for (weight, expected) in [(0.0, 0.0), (0.25, 0.25), (1.0, 1.0), (10.0, 0.1), (100.0, 1.0)] {
            assert!((share(weight) - expected).abs() < f64::EPSILON, "{weight}");
        }
    }
}
