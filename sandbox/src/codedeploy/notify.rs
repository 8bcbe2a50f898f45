//! What a group's triggers tell their SNS topics.

use serde_json::{Value, json};

use super::error::refuse;
use super::lifecycle::Trigger;
use super::model::{Deployment, TriggerConfig};
use super::{CodeDeploy, check};
use crate::error::ServiceError;
use crate::identity::Scope;
use crate::timestamp;
use crate::upstream::{Call, Reply, UpstreamError};

/// Topics have to exist when a trigger is made; each gets a message that says so.
pub(crate) async fn introduce(
    service: &CodeDeploy,
    scope: &Scope,
    triggers: &[TriggerConfig],
) -> Result<(), ServiceError> {
    for trigger in triggers {
        let text = format!("CodeDeploy made the trigger {} for this topic.", trigger.name);
        let sent = publish(service, scope, &trigger.topic, "AWS CodeDeploy: trigger", &text).await;
        if !sent.is_ok_and(|reply| reply.status.is_success()) {
            let message = format!("Topic ARN {} is not valid", trigger.topic);
            return Err(refuse("InvalidTriggerConfigException", message));
        }
    }
    Ok(())
}

/// Tells every topic that wants to know. What cannot be told does not hold the deployment up.
pub(crate) async fn tell(service: &CodeDeploy, scope: &Scope, deployment: &Deployment, trigger: Trigger) {
    let triggers = service.with(scope, |region| {
        region
            .group(&deployment.application, &deployment.group)
            .map(|group| group.triggers.clone())
            .unwrap_or_default()
    });
    let wants = |config: &&TriggerConfig| config.events.iter().any(|event| event == trigger.event());
    let wanting: Vec<_> = triggers.iter().filter(wants).collect();
    if wanting.is_empty() {
        return;
    }
    let permissions = check::permissions(service, scope, deployment).await.unwrap_or_default();
    for config in wanting {
        if !permissions.allow("sns:Publish", &config.topic) {
            tracing::warn!(topic = config.topic, role = deployment.role, "the service role may not publish");
            continue;
        }
        let status = trigger.status();
        let subject = format!(
            "{status}: AWS CodeDeploy {} in {} to {}",
            deployment.id, scope.region, deployment.application
        );
        let text = message(scope, deployment, config, status).to_string();
        if let Err(error) = publish(service, scope, &config.topic, &subject, &text).await {
            tracing::warn!(%error, topic = config.topic, "a trigger's message was not sent");
        }
    }
}

fn message(scope: &Scope, deployment: &Deployment, config: &TriggerConfig, status: &str) -> Value {
    let failure = deployment
        .failure()
        .map(|failure| json!({ "ErrorCode": failure.code, "ErrorMessage": failure.message }).to_string());
    let info = deployment.rollback_info();
    let rollback = info.is_object().then(|| {
        json!({
            "RollbackMessage": info["rollbackMessage"],
            "RollbackTriggeringDeploymentId": info["rollbackTriggeringDeploymentId"],
        })
        .to_string()
    });
    json!({
        "region": scope.region,
        "accountId": scope.account,
        "eventTriggerName": config.name,
        "applicationName": deployment.application,
        "deploymentId": deployment.id,
        "deploymentGroupName": deployment.group,
        "createTime": timestamp::long(deployment.created),
        "completeTime": deployment.completed.map(timestamp::long),
        "deploymentOverview": Value::Null,
        "status": status,
        "errorInformation": failure,
        "rollbackInformation": rollback,
    })
}

async fn publish(
    service: &CodeDeploy,
    scope: &Scope,
    topic: &str,
    subject: &str,
    message: &str,
) -> Result<Reply, UpstreamError> {
    let call = Call { scope, service: "sns", headers: &[] };
    let short: String = subject.chars().take(100).collect();
    let parameters = [
        ("Action", "Publish"),
        ("Version", "2010-03-31"),
        ("TopicArn", topic),
        ("Subject", &short),
        ("Message", message),
    ];
    service.aws.upstream.form(call, &parameters).await
}

impl Trigger {
    fn event(self) -> &'static str {
        match self {
            Self::Start => "DeploymentStart",
            Self::Success => "DeploymentSuccess",
            Self::Failure => "DeploymentFailure",
            Self::Stop => "DeploymentStop",
            Self::Rollback => "DeploymentRollback",
        }
    }

    fn status(self) -> &'static str {
        match self {
            Self::Start => "CREATED",
            Self::Success => "SUCCEEDED",
            Self::Failure => "FAILED",
            Self::Stop => "STOPPED",
            Self::Rollback => "ROLLBACK",
        }
    }
}
