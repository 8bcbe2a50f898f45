//! What CodeDeploy keeps: applications, groups, configurations and deployments.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::appspec::AppSpec;
use super::lifecycle::{Event, EventStatus, Failure, Lifecycle, RollbackEvent, Routing, Stage};
use crate::clock::Timestamp;

pub(crate) type Tags = BTreeMap<String, String>;

#[derive(Clone, Debug)]
pub(crate) struct Application {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) created: Timestamp,
    pub(crate) platform: String,
    pub(crate) tags: Tags,
    pub(crate) groups: BTreeMap<String, Group>,
    pub(crate) revisions: Vec<Registered>,
}

/// A revision that an application knows.
#[derive(Clone, Debug)]
pub(crate) struct Registered {
    pub(crate) location: Revision,
    pub(crate) description: Option<String>,
    pub(crate) since: Timestamp,
    pub(crate) first_used: Option<Timestamp>,
    pub(crate) last_used: Option<Timestamp>,
    pub(crate) groups: BTreeSet<String>,
}

#[derive(Clone, Debug)]
pub(crate) struct Group {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) role: String,
    pub(crate) config: String,
    pub(crate) alarms: AlarmConfiguration,
    pub(crate) rollback: AutoRollback,
    pub(crate) triggers: Vec<TriggerConfig>,
    pub(crate) tags: Tags,
    /// The newest deployment, and the newest that succeeded.
    pub(crate) attempted: Option<String>,
    pub(crate) succeeded: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Config {
    #[serde(rename = "deploymentConfigId")]
    pub(crate) id: String,
    #[serde(rename = "deploymentConfigName")]
    pub(crate) name: String,
    #[serde(rename = "createTime")]
    pub(crate) created: Timestamp,
    #[serde(rename = "computePlatform")]
    pub(crate) platform: &'static str,
    #[serde(rename = "trafficRoutingConfig", skip_serializing_if = "Option::is_none")]
    pub(crate) routing: Option<Routing>,
    #[serde(skip)]
    pub(crate) tags: Tags,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct AlarmConfiguration {
    pub(crate) enabled: bool,
    pub(crate) ignore_poll_alarm_failure: bool,
    pub(crate) alarms: Option<Vec<Alarm>>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Alarm {
    pub(crate) name: String,
}

impl AlarmConfiguration {
    pub(crate) fn names(&self) -> Vec<String> {
        self.alarms.iter().flatten().map(|alarm| alarm.name.clone()).collect()
    }
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct AutoRollback {
    pub(crate) enabled: bool,
    pub(crate) events: Vec<String>,
}

impl AutoRollback {
    /// The events that count, none when it is switched off.
    pub(crate) fn effective(&self) -> BTreeSet<RollbackEvent> {
        let read = |event: &String| serde_json::from_value(Value::String(event.clone())).ok();
        if self.enabled { self.events.iter().filter_map(read).collect() } else { BTreeSet::new() }
    }
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct TriggerConfig {
    #[serde(rename = "triggerName")]
    pub(crate) name: String,
    #[serde(rename = "triggerTargetArn")]
    pub(crate) topic: String,
    #[serde(rename = "triggerEvents")]
    pub(crate) events: Vec<String>,
}

/// Where an AppSpec is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Revision {
    #[serde(rename = "revisionType", skip_serializing_if = "Option::is_none")]
    pub(crate) kind: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) app_spec_content: Option<Inline>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) string: Option<Inline>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) s3_location: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) git_hub_location: Option<Value>,
}

/// An AppSpec in the request itself.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Inline {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) content: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) sha256: Option<String>,
}

impl Revision {
    pub(crate) fn inline(&self) -> Option<&Inline> {
        self.app_spec_content.as_ref().or(self.string.as_ref())
    }

    /// The same without the text, as most answers have it.
    pub(crate) fn without_content(&self) -> Self {
        let mut revision = self.clone();
        for inline in [&mut revision.app_spec_content, &mut revision.string].into_iter().flatten() {
            inline.content = None;
        }
        revision
    }
}

/// A hook's invocation that waits for its report.
#[derive(Clone, Debug)]
pub(crate) struct HookExecution {
    pub(crate) id: String,
    pub(crate) reported: bool,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct RollbackLinks {
    /// From when on they can be seen.
    pub(crate) since: Timestamp,
    /// The deployment that rolls this one back.
    pub(crate) by: Option<String>,
    /// The deployment that this one rolls back.
    pub(crate) of: Option<String>,
}

#[derive(Clone, Debug)]
pub(crate) struct Deployment {
    pub(crate) id: String,
    pub(crate) application: String,
    pub(crate) group: String,
    pub(crate) config: String,
    /// The service role, as the group had it at the start.
    pub(crate) role: String,
    pub(crate) revision: Revision,
    /// What the AppSpec says, or why it says nothing.
    pub(crate) target: Result<AppSpec, Failure>,
    pub(crate) description: Option<String>,
    /// The alarms that count: the deployment's own, or the group's.
    pub(crate) alarms: AlarmConfiguration,
    pub(crate) rollback: AutoRollback,
    pub(crate) override_alarms: Option<AlarmConfiguration>,
    pub(crate) links: RollbackLinks,
    pub(crate) created: Timestamp,
    pub(crate) started: Option<Timestamp>,
    pub(crate) completed: Option<Timestamp>,
    pub(crate) life: Lifecycle,
    pub(crate) hooks: Vec<HookExecution>,
    /// Brings events to the task that runs the deployment.
    pub(crate) events: mpsc::UnboundedSender<Event>,
}

impl Deployment {
    pub(crate) fn status(&self) -> &'static str {
        match &self.life.stage {
            Stage::Created => "Created",
            Stage::Queued => "Queued",
            Stage::Ended(None) => "Succeeded",
            Stage::Ended(Some(failure)) if failure.cause.stops() => "Stopped",
            Stage::Ended(Some(_)) => "Failed",
            _ => "InProgress",
        }
    }

    pub(crate) fn failure(&self) -> Option<&Failure> {
        match &self.life.stage {
            Stage::Ended(ending) => ending.as_ref(),
            _ => None,
        }
    }

    pub(crate) fn is_rollback(&self) -> bool {
        self.links.of.is_some()
    }

    pub(crate) fn creator(&self) -> &'static str {
        if self.is_rollback() { "codeDeployRollback" } else { "user" }
    }

    /// What `rollbackInfo` says on either side.
    pub(crate) fn rollback_info(&self) -> Value {
        match (&self.links.by, &self.links.of) {
            (Some(by), _) => json!({
                "rollbackDeploymentId": by,
                "rollbackMessage": format!(
                    "Deployment {} terminated. Automatic rollback is triggered with a DeploymentId {by}.", self.id),
            }),
            (None, Some(of)) => json!({
                "rollbackTriggeringDeploymentId": of,
                "rollbackMessage": format!("Deployment {} is triggered to roll back deployment {of}.", self.id),
            }),
            (None, None) => Value::Null,
        }
    }
}

impl EventStatus {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Pending => "Pending",
            Self::InProgress => "InProgress",
            Self::Succeeded => "Succeeded",
            Self::Failed => "Failed",
            Self::Skipped => "Skipped",
        }
    }
}
