//! `CreateDeployment`, and the deployments that the service creates by itself to roll back.

use std::collections::BTreeSet;
use std::sync::Arc;

use hyper::Method;
use hyper::body::Bytes;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::appspec::{self, AppSpec};
use super::error::{no_revision, refuse};
use super::lifecycle::{Event, Failure, Lifecycle, Plan, Routing, Step, Watch};
use super::model::{AlarmConfiguration, AutoRollback, Deployment, Group, Inline, Revision, RollbackLinks};
use super::store::Region;
use super::{Answer, CodeDeploy, groups, read, revisions, runner, validate};
use crate::clock::{Clock, Timestamp};
use crate::error::ServiceError;
use crate::http::encode;
use crate::identity::Scope;
use crate::upstream::Call;

const ROLLBACK_CONFIG: &str = "CodeDeployDefault.LambdaAllAtOnce";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Input {
    application_name: Option<String>,
    deployment_group_name: Option<String>,
    revision: Option<Revision>,
    deployment_config_name: Option<String>,
    description: Option<String>,
    auto_rollback_configuration: Option<AutoRollback>,
    override_alarm_configuration: Option<AlarmConfiguration>,
    deployment_mode: Option<String>,
    file_exists_behavior: Option<String>,
    #[serde(default)]
    ignore_application_stop_failures: bool,
    #[serde(default)]
    update_outdated_instances_only: bool,
    target_instances: Option<Value>,
}

pub(crate) async fn deployment(service: &Arc<CodeDeploy>, scope: &Scope, input: &Value) -> Answer {
    let input: Input = read(input)?;
    let application = validate::APPLICATION.required(input.application_name.as_deref())?.to_owned();
    let group = validate::GROUP.required(input.deployment_group_name.as_deref())?.to_owned();
    let revision = service.with(scope, |region| check(region, &application, &group, &input))?;
    let content = content(service, scope, &revision).await;
    let (id, inbox) = service.with(scope, |region| {
        let id = begin(region, &application, &group, &revision, content, input, Clock::now())?;
        Ok::<_, ServiceError>(id)
    })?;
    runner::spawn(service, scope, &id, inbox);
    Ok(json!({ "deploymentId": id }))
}

/// Everything that is refused at the call; gives the revision with its text, where that is known.
fn check(
    region: &mut Region,
    application: &str,
    group: &str,
    input: &Input,
) -> Result<Revision, ServiceError> {
    region.group(application, group)?;
    validate::description(input.description.as_deref())?;
    not_for_lambda(input)?;
    input.deployment_config_name.as_deref().map_or(Ok(()), |config| groups::lambda_config(region, config))?;
    input.auto_rollback_configuration.as_ref().map_or(Ok(()), validate::rollback)?;
    input.override_alarm_configuration.as_ref().map_or(Ok(()), validate::alarms)?;
    let revision = input.revision.clone().unwrap_or_default();
    validate::revision(&revision)?;
    if revision.kind.as_deref() == Some("GitHub") {
        return Err(refuse(
            "InvalidRevisionException",
            "A Lambda deployment cannot take its AppSpec from GitHub",
        ));
    }
    free(region, application, group)?;
    match revision.inline() {
        Some(inline) if inline.content.is_none() => revisions::find(region, application, &revision)
            .map(|known| known.location.clone())
            .ok_or_else(no_revision),
        _ => Ok(revision),
    }
}

fn not_for_lambda(input: &Input) -> Result<(), ServiceError> {
    if input.file_exists_behavior.is_some() {
        let message = "For Lambda and ECS deployment, fileExistsBehavior can not be specified";
        return Err(refuse("InvalidFileExistsBehaviorException", message));
    }
    if input.ignore_application_stop_failures {
        let message = "For Lambda and ECS deployment, ignoreApplicationStopFailures can not be true";
        return Err(refuse("InvalidIgnoreApplicationStopFailuresValueException", message));
    }
    if input.update_outdated_instances_only {
        let message = "For Lambda and ECS deployment, updateOutdatedInstancesOnly can not be true";
        return Err(refuse("InvalidUpdateOutdatedInstancesOnlyValueException", message));
    }
    if input.target_instances.is_some() {
        let message = "For Lambda and ECS deployment, targetInstances can not be specified";
        return Err(refuse("InvalidTargetInstancesException", message));
    }
    match input.deployment_mode.as_deref() {
        None | Some("STANDARD") => Ok(()),
        Some(_) => {
            Err(refuse("InvalidInputException", "For Lambda deployment, deploymentMode can only be STANDARD"))
        }
    }
}

fn free(region: &Region, application: &str, group: &str) -> Result<(), ServiceError> {
    let Some(running) = region.running(application, group) else {
        let live = region.deployments.iter().filter(|deployment| !deployment.life.ended()).count();
        if live < region.rules.deployments {
            return Ok(());
        }
        let message = format!("The account has {live} deployments under way, as many as it may");
        return Err(refuse("DeploymentLimitExceededException", message));
    };
    let message = format!("The Deployment Group '{group}' already has an active Deployment '{}'", running.id);
    Err(refuse("DeploymentLimitExceededException", message))
}

/// The AppSpec's text, or how its absence will fail the deployment.
async fn content(service: &CodeDeploy, scope: &Scope, revision: &Revision) -> Result<String, Failure> {
    if let Some(text) = revision.inline().and_then(|inline| inline.content.clone()) {
        return Ok(text);
    }
    let location = revision.s3_location.as_ref().unwrap_or(&Value::Null);
    if !matches!(location["bundleType"].as_str(), Some("JSON" | "YAML")) {
        return Err(Failure::revision("The sandbox reads an AppSpec from S3 only as JSON or YAML."));
    }
    let (bucket, key) =
        (location["bucket"].as_str().unwrap_or_default(), location["key"].as_str().unwrap_or_default());
    let path = format!("/{bucket}/{}", key.split('/').map(encode).collect::<Vec<_>>().join("/"));
    let call = Call { scope, service: "s3", headers: &[] };
    match service.aws.upstream.rest(call, Method::GET, &path, Bytes::new()).await {
        Ok(reply) if reply.status.is_success() => Ok(reply.text()),
        Ok(reply) => Err(Failure::revision(&format!("S3 answered {} for {bucket}/{key}.", reply.status))),
        Err(error) => Err(Failure::internal(error.to_string())),
    }
}

type Begun = (String, mpsc::UnboundedReceiver<Event>);

fn begin(
    region: &mut Region,
    application: &str,
    group_name: &str,
    revision: &Revision,
    content: Result<String, Failure>,
    input: Input,
    now: Timestamp,
) -> Result<Begun, ServiceError> {
    free(region, application, group_name)?;
    let group = region.group(application, group_name)?.clone();
    let config = input.deployment_config_name.unwrap_or_else(|| group.config.clone());
    let steps = steps(region, &config)?;
    let target = content.and_then(|content| appspec::parse(&content));
    let alarms = input.override_alarm_configuration.clone().unwrap_or_else(|| group.alarms.clone());
    let rollback = input.auto_rollback_configuration.unwrap_or_else(|| group.rollback.clone());
    let plan = Plan {
        hooks: target.as_ref().map(|target| target.hooks.clone()).unwrap_or_default(),
        steps,
        alarms: watch(&alarms),
        rollback_on: rollback.effective(),
    };
    let revision = stamped(revision);
    revisions::used(region, application, group_name, &revision, now);
    let base = Base { application, group: &group, config, revision, target, alarms, rollback, plan };
    let (mut deployment, inbox) = base.deployment(now);
    deployment.description = input.description;
    deployment.override_alarms = input.override_alarm_configuration;
    Ok((insert(region, deployment), inbox))
}

/// The deployment that takes traffic back. It starts in the moment in which the other one ends.
pub(crate) fn rollback(region: &mut Region, failed_id: &str, now: Timestamp) -> Option<Begun> {
    let failed = region.deployment(failed_id).ok()?.clone();
    let group = region.group(&failed.application, &failed.group).ok()?.clone();
    let target = failed.target.clone().map(|target| AppSpec {
        current: target.target,
        target: target.current,
        hooks: [None, None],
        ..target
    });
    let plan = Plan {
        hooks: [None, None],
        steps: Routing::AllAtOnce.steps(),
        alarms: Watch::Off,
        rollback_on: BTreeSet::new(),
    };
    let base = Base {
        application: &failed.application,
        group: &group,
        config: ROLLBACK_CONFIG.to_owned(),
        revision: failed.revision.clone(),
        target,
        alarms: AlarmConfiguration::default(),
        rollback: AutoRollback::default(),
        plan,
    };
    let (mut deployment, inbox) = base.deployment(now);
    let since = now + region.rules.rollback_info_delay.as_secs_f64();
    deployment.links = RollbackLinks { since, by: None, of: Some(failed.id) };
    let id = insert(region, deployment);
    region.deployment_mut(failed_id)?.links = RollbackLinks { since, by: Some(id.clone()), of: None };
    Some((id, inbox))
}

/// What every deployment is made of.
struct Base<'a> {
    application: &'a str,
    group: &'a Group,
    config: String,
    revision: Revision,
    target: Result<AppSpec, Failure>,
    alarms: AlarmConfiguration,
    rollback: AutoRollback,
    plan: Plan,
}

impl Base<'_> {
    fn deployment(self, now: Timestamp) -> (Deployment, mpsc::UnboundedReceiver<Event>) {
        let (events, inbox) = mpsc::unbounded_channel();
        let deployment = Deployment {
            id: new_id(),
            application: self.application.to_owned(),
            group: self.group.name.clone(),
            config: self.config,
            role: self.group.role.clone(),
            revision: self.revision,
            target: self.target,
            description: None,
            alarms: self.alarms,
            rollback: self.rollback,
            override_alarms: None,
            links: RollbackLinks::default(),
            created: now,
            started: None,
            completed: None,
            life: Lifecycle::new(self.plan, now),
            hooks: Vec::new(),
            events,
        };
        (deployment, inbox)
    }
}

fn insert(region: &mut Region, deployment: Deployment) -> String {
    let id = deployment.id.clone();
    if let Ok(group) = region.group(&deployment.application, &deployment.group) {
        group.attempted = Some(id.clone());
    }
    region.deployments.push(deployment);
    id
}

fn steps(region: &Region, config: &str) -> Result<Vec<Step>, ServiceError> {
    Ok(region.config(config)?.routing.unwrap_or(Routing::AllAtOnce).steps())
}

fn watch(alarms: &AlarmConfiguration) -> Watch {
    if alarms.enabled {
        Watch::On { ignore_unreadable: alarms.ignore_poll_alarm_failure }
    } else {
        Watch::Off
    }
}

/// The revision with the digest of its text, which is all of it that answers show.
fn stamped(revision: &Revision) -> Revision {
    let mut revision = revision.clone();
    for inline in [&mut revision.app_spec_content, &mut revision.string].into_iter().flatten() {
        let Inline { content, sha256 } = inline;
        if sha256.is_none() {
            *sha256 = content.as_deref().map(validate::digest);
        }
    }
    revision
}

fn new_id() -> String {
    const LETTERS: &[u8; 36] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    let body: String = (0..9).map(|_| char::from(LETTERS[fastrand::usize(..LETTERS.len())])).collect();
    format!("d-{body}")
}
