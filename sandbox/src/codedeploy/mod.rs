//! CodeDeploy for the compute platform Lambda: its API, and the deployments that run behind it.

mod applications;
mod appspec;
mod check;
mod configs;
mod create;
mod deployments;
mod elsewhere;
mod error;
mod groups;
mod hooks;
mod lifecycle;
mod model;
mod notify;
mod own_calls;
mod revisions;
mod runner;
mod store;
mod tags;
mod targets;
mod validate;

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use self::store::Region;
use crate::clock::Clock;
use crate::cloudwatch::CloudWatch;
use crate::error::ServiceError;
use crate::iam::Roles;
use crate::identity::Scope;
use crate::lambda::Lambda;
use crate::limits::Rates;
use crate::lock::locked;
use crate::upstream::Upstream;

/// What an operation answers.
type Answer = Result<Value, ServiceError>;

/// The services that CodeDeploy uses.
#[derive(Debug)]
pub(crate) struct Aws {
    pub(crate) upstream: Upstream,
    pub(crate) lambda: Arc<Lambda>,
    pub(crate) cloudwatch: Arc<CloudWatch>,
    pub(crate) roles: Arc<Roles>,
    /// The rates that hold for CodeDeploy's own calls, if they are limited.
    pub(crate) rates: Option<Arc<Rates>>,
}

/// How the service behaves where that can be chosen.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rules {
    /// How many deployment configurations an account may have.
    pub(crate) configs: usize,
    /// How many deployments of an account may run at once.
    pub(crate) deployments: usize,
    /// How long after a deployment's end its `rollbackInfo` can be seen.
    pub(crate) rollback_info_delay: Duration,
    /// How long the first shift waits for provisioned concurrency, on the service's clock.
    pub(crate) provisioning: Duration,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            configs: 200,
            deployments: usize::MAX,
            rollback_info_delay: Duration::ZERO,
            provisioning: Duration::ZERO,
        }
    }
}

impl Rules {
    /// With the quotas of an account that nobody has raised.
    pub(crate) fn with_quotas(self) -> Self {
        Self { configs: 50, deployments: 1300, ..self }
    }
}

#[derive(Debug)]
pub(crate) struct CodeDeploy {
    clock: Clock,
    aws: Aws,
    rules: Rules,
    regions: Mutex<HashMap<Scope, Region>>,
}

impl CodeDeploy {
    /// The durations in the rules are those of the service.
    pub(crate) fn new(clock: Clock, aws: Aws, rules: Rules) -> Arc<Self> {
        let rules = Rules { rollback_info_delay: clock.real(rules.rollback_info_delay), ..rules };
        Arc::new(Self { clock, aws, rules, regions: Mutex::default() })
    }

    /// Answers one call.
    pub(crate) async fn handle(self: &Arc<Self>, scope: &Scope, operation: &str, input: &Value) -> Answer {
        let answer = match operation {
            "CreateDeploymentGroup" => groups::create(self, scope, input).await,
            "UpdateDeploymentGroup" => groups::update(self, scope, input).await,
            "CreateDeployment" => create::deployment(self, scope, input).await,
            _ => self.with(scope, |region| at_once(region, scope, operation, input)),
        };
        answer.map(compact)
    }

    fn with<T>(&self, scope: &Scope, work: impl FnOnce(&mut Region) -> T) -> T {
        work(locked(&self.regions).entry(scope.clone()).or_insert_with(|| Region::new(self.rules)))
    }

    /// What exists, for the sandbox's own report.
    pub(crate) fn inventory(&self, scope: &Scope) -> Value {
        self.with(scope, |region| {
            let applications: Vec<_> = region
                .applications
                .values()
                .map(|app| {
                    json!({
                        "name": app.name,
                        "tags": app.tags,
                        "groups": app.groups.values().map(|group| json!({
                            "name": group.name, "config": group.config, "serviceRoleArn": group.role,
                            "alarms": group.alarms.names(), "tags": group.tags,
                        })).collect::<Vec<_>>(),
                    })
                })
                .collect();
            let configs: Vec<_> = region
                .configs
                .values()
                .filter(|config| config.created > 0.0)
                .map(|config| &config.name)
                .collect();
            let live: Vec<_> = region
                .deployments
                .iter()
                .filter(|deployment| !deployment.life.ended())
                .map(|deployment| {
                    json!({
                        "id": deployment.id, "application": deployment.application, "group": deployment.group,
                        "status": deployment.status(), "creator": deployment.creator(),
                    })
                })
                .collect();
            json!({ "applications": applications, "deploymentConfigs": configs, "liveDeployments": live })
        })
    }

    /// The scopes that were used.
    pub(crate) fn scopes(&self) -> Vec<Scope> {
        locked(&self.regions).keys().cloned().collect()
    }
}

/// The operations that need nothing but what is stored.
fn at_once(region: &mut Region, scope: &Scope, operation: &str, input: &Value) -> Answer {
    let now = Clock::now();
    match operation {
        "CreateApplication" => applications::create(region, input, now),
        "GetApplication" => applications::get(region, input),
        "BatchGetApplications" => applications::batch_get(region, input),
        "ListApplications" => applications::list(region, input),
        "UpdateApplication" => applications::rename(region, input),
        "DeleteApplication" => applications::delete(region, input),
        "CreateDeploymentConfig" => configs::create(region, input, now),
        "GetDeploymentConfig" => configs::get(region, input),
        "DeleteDeploymentConfig" => configs::delete(region, input),
        "ListDeploymentConfigs" => configs::list(region, input),
        "GetDeploymentGroup" => groups::get(region, input),
        "BatchGetDeploymentGroups" => groups::batch_get(region, input),
        "ListDeploymentGroups" => groups::list(region, input),
        "DeleteDeploymentGroup" => groups::delete(region, input),
        "GetDeployment" => deployments::get(region, input),
        "BatchGetDeployments" => deployments::batch_get(region, input),
        "ListDeployments" => deployments::list(region, input),
        "StopDeployment" => deployments::stop(region, input),
        "ListDeploymentTargets" => targets::list(region, input),
        "GetDeploymentTarget" => targets::get(region, scope, input),
        "BatchGetDeploymentTargets" => targets::batch_get(region, scope, input),
        "PutLifecycleEventHookExecutionStatus" => hooks::report(region, input),
        "RegisterApplicationRevision" => revisions::register(region, input, now),
        "GetApplicationRevision" => revisions::get(region, input),
        "BatchGetApplicationRevisions" => revisions::batch_get(region, input),
        "ListApplicationRevisions" => revisions::list(region, input),
        "TagResource" => tags::add(region, input),
        "UntagResource" => tags::remove(region, input),
        "ListTagsForResource" => tags::list(region, input),
        _ => elsewhere::answer(region, operation, input),
    }
}

/// Reads the members of a request.
fn read<T: DeserializeOwned>(input: &Value) -> Result<T, ServiceError> {
    let input = if input.is_null() { &json!({}) } else { input };
    T::deserialize(input).map_err(|error| error::unreadable(&error))
}

/// Takes out members that are null, which the service does not send.
fn compact(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let kept = members.into_iter().filter(|(_, member)| !member.is_null());
            Value::Object(kept.map(|(name, member)| (name, compact(member))).collect())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(compact).collect()),
        other => other,
    }
}
