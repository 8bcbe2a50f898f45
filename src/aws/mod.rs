//! AWS for rollouts: [`Aws`] is [`Cloud`] over the AWS SDK.
//!
//! One file a service turns the domain's words into requests and answers back; [`clients`] is the one way through
//! which requests go, and [`watcher`] asks about many deployments at once.

mod batch;
mod budget;
mod budgets;
mod clients;
mod cloudwatch;
mod code_deploy;
mod config;
mod deployments;
mod error;
mod iam;
mod lambda;
mod lambda_access;
mod logs;
mod service_clock;
mod sts;
#[cfg(test)]
mod stub;
#[cfg(test)]
mod tests;
mod time;
mod watcher;

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use futures_util::future::try_join_all;

pub use config::{AssumeRole, AwsConfig};

use self::batch::Batch;
use self::clients::Clients;
use self::cloudwatch::{ALARMS, METRICS, NAMES_A_CALL, TRAFFICS_A_CALL, Wanted};
use self::deployments::DEPLOYMENTS;
use self::error::Answered;
use self::watcher::Watcher;
use crate::rollout::clock::Clock;
use crate::rollout::cloud::{
    Alarm, AliasChange, AliasState, Allowance, Answer, Aside, AsyncFailure, Cloud, Deployment, FunctionUrl,
    Group, GroupState, Identity, LogLine, NewAlarm, NewDeployment, NewRole, Permission, Role, Tags, Target,
    Traffic, VersionInfo,
};
use crate::rollout::strategy::Strategy;

/// One account and region. Cheap to clone: clones share clients, budgets and all calls that can be shared.
#[derive(Debug, Clone)]
pub struct Aws {
    clients: Arc<Clients>,
    watcher: Arc<Watcher>,
    alarms: Arc<Batch<String, Option<Alarm>>>,
    traffic: Arc<Batch<Wanted, Traffic>>,
}

impl Aws {
    /// Calls nothing and reads nothing: that happens when the first call is made.
    pub fn new(config: AwsConfig, clock: Clock) -> Self {
        let clients = Arc::new(Clients::new(config, clock));
        let room = |operation| {
            let budgets = Arc::clone(&clients.budgets);
            move || {
                let budgets = Arc::clone(&budgets);
                async move { budgets.take_first(operation).await }
            }
        };
        let asked = Arc::clone(&clients);
        let deployments = move |ids| {
            let clients = Arc::clone(&asked);
            async move { clients.deployments(ids).await }
        };
        let asked = Arc::clone(&clients);
        let alarms = move |names| {
            let clients = Arc::clone(&asked);
            async move { clients.alarms(names).await }
        };
        let asked = Arc::clone(&clients);
        let traffic = move |wanted| {
            let clients = Arc::clone(&asked);
            async move { clients.traffic(wanted).await }
        };
        Self {
            watcher: Arc::new(Watcher::new(clock, room(DEPLOYMENTS), deployments)),
            alarms: Batch::new(ALARMS, NAMES_A_CALL, room(ALARMS), alarms),
            traffic: Batch::new(METRICS, TRAFFICS_A_CALL, room(METRICS), traffic),
            clients,
        }
    }

    /// The region that calls go to, found without any call.
    pub async fn region(&self) -> Option<String> {
        self.clients.config.region().await
    }
}

/// Each call is boxed: the SDK's futures are so large that a handful of them, side by side, would fill a thread's stack.
impl Cloud for Aws {
    fn now(&self) -> SystemTime {
        self.clients.now()
    }

    async fn identity(&self) -> Answered<Identity> {
        Box::pin(self.clients.identity()).await
    }

    async fn version(&self, function: &str, qualifier: &str) -> Answered<Option<VersionInfo>> {
        Box::pin(self.clients.version(function, qualifier)).await
    }

    async fn alias(&self, function: &str, alias: &str) -> Answered<Option<AliasState>> {
        Box::pin(self.clients.alias(function, alias)).await
    }

    async fn create_alias(
        &self,
        function: &str,
        alias: &str,
        version: &str,
        description: &str,
    ) -> Answered<AliasState> {
        Box::pin(self.clients.create_alias(function, alias, version, description)).await
    }

    async fn update_alias(&self, function: &str, alias: &str, change: &AliasChange) -> Answered<AliasState> {
        Box::pin(self.clients.update_alias(function, alias, change)).await
    }

    async fn delete_alias(&self, function: &str, alias: &str) -> Answered<()> {
        Box::pin(self.clients.delete_alias(function, alias)).await
    }

    async fn function_url(&self, function: &str, alias: &str) -> Answered<Option<(FunctionUrl, String)>> {
        Box::pin(self.clients.function_url(function, alias)).await
    }

    async fn create_function_url(&self, function: &str, alias: &str, url: &FunctionUrl) -> Answered<String> {
        Box::pin(self.clients.create_function_url(function, alias, url)).await
    }

    async fn update_function_url(&self, function: &str, alias: &str, url: &FunctionUrl) -> Answered<()> {
        Box::pin(self.clients.update_function_url(function, alias, url)).await
    }

    async fn delete_function_url(&self, function: &str, alias: &str) -> Answered<()> {
        Box::pin(self.clients.delete_function_url(function, alias)).await
    }

    async fn permissions(&self, function: &str, alias: &str) -> Answered<Vec<String>> {
        Box::pin(self.clients.permissions(function, alias)).await
    }

    async fn add_permission(&self, function: &str, alias: &str, permission: &Permission) -> Answered<()> {
        Box::pin(self.clients.add_permission(function, alias, permission)).await
    }

    async fn remove_permission(&self, function: &str, alias: &str, statement_id: &str) -> Answered<()> {
        Box::pin(self.clients.remove_permission(function, alias, statement_id)).await
    }

    async fn invoke(
        &self,
        function: &str,
        qualifier: &str,
        payload: &str,
        marker: &str,
        timeout: Duration,
    ) -> Answered<Answer> {
        Box::pin(self.clients.invoke(function, qualifier, payload, marker, timeout)).await
    }

    async fn async_failure(&self, function: &str, qualifier: &str) -> Answered<AsyncFailure> {
        Box::pin(self.clients.async_failure(function, qualifier)).await
    }

    async fn application(&self, name: &str) -> Answered<Option<String>> {
        Box::pin(self.clients.application(name)).await
    }

    async fn create_application(&self, name: &str, tags: &Tags) -> Answered<()> {
        Box::pin(self.clients.create_application(name, tags)).await
    }

    async fn delete_application(&self, name: &str) -> Answered<()> {
        Box::pin(self.clients.delete_application(name)).await
    }

    async fn code_deploy_tags(&self, resource: &str) -> Answered<Tags> {
        Box::pin(self.clients.code_deploy_tags(resource)).await
    }

    async fn tag_code_deploy(&self, resource: &str, tags: &Tags) -> Answered<()> {
        Box::pin(self.clients.tag_code_deploy(resource, tags)).await
    }

    async fn deployment_config(&self, name: &str) -> Answered<Option<Strategy>> {
        Box::pin(self.clients.deployment_config(name)).await
    }

    async fn create_deployment_config(&self, name: &str, strategy: &Strategy) -> Answered<()> {
        Box::pin(self.clients.create_deployment_config(name, strategy)).await
    }

    async fn delete_deployment_config(&self, name: &str) -> Answered<()> {
        Box::pin(self.clients.delete_deployment_config(name)).await
    }

    async fn group(&self, application: &str, name: &str) -> Answered<Option<GroupState>> {
        Box::pin(self.clients.group(application, name)).await
    }

    async fn groups(&self, application: &str) -> Answered<Vec<String>> {
        Box::pin(self.clients.groups(application)).await
    }

    async fn create_group(&self, group: &Group, tags: &Tags) -> Answered<()> {
        Box::pin(self.clients.create_group(group, tags)).await
    }

    async fn update_group(&self, group: &Group) -> Answered<()> {
        Box::pin(self.clients.update_group(group)).await
    }

    async fn delete_group(&self, application: &str, name: &str) -> Answered<()> {
        Box::pin(self.clients.delete_group(application, name)).await
    }

    async fn turn_to_start(&self, is_way_back: bool) {
        self.clients.budgets.take_start(is_way_back).await;
    }

    async fn create_deployment(&self, deployment: &NewDeployment) -> Answered<String> {
        Box::pin(self.clients.create_deployment(deployment)).await
    }

    async fn deployment(&self, id: &str) -> Answered<Option<Deployment>> {
        Box::pin(self.watcher.watch(id, Duration::ZERO)).await
    }

    async fn watch(&self, id: &str, due: Duration) -> Answered<Option<Deployment>> {
        Box::pin(self.watcher.watch(id, due)).await
    }

    async fn target(&self, deployment_id: &str) -> Answered<Option<Target>> {
        Box::pin(self.clients.target(deployment_id)).await
    }

    fn has_room(&self, aside: Aside) -> bool {
        self.clients.budgets.has_room(aside)
    }

    async fn stop_deployment(&self, id: &str, rollback: bool) -> Answered<()> {
        Box::pin(self.clients.stop_deployment(id, rollback)).await
    }

    async fn live_deployments(&self, group: Option<(&str, &str)>) -> Answered<Vec<String>> {
        Box::pin(self.clients.live_deployments(group)).await
    }

    async fn alarms(&self, names: &[String]) -> Answered<Vec<Alarm>> {
        let found = try_join_all(names.iter().map(|name| self.alarms.get(name.clone()))).await?;
        Ok(found.into_iter().flatten().collect())
    }

    async fn alarms_with_prefix(&self, prefix: &str) -> Answered<Vec<Alarm>> {
        Box::pin(self.clients.alarms_with_prefix(prefix)).await
    }

    async fn put_alarm(&self, alarm: &NewAlarm) -> Answered<()> {
        Box::pin(self.clients.put_alarm(alarm)).await
    }

    async fn delete_alarms(&self, names: &[String]) -> Answered<()> {
        Box::pin(self.clients.delete_alarms(names)).await
    }

    async fn traffic(
        &self,
        function: &str,
        alias: &str,
        version: Option<&str>,
        from: SystemTime,
        to: SystemTime,
    ) -> Answered<Traffic> {
        let (function, alias) = (function.to_owned(), alias.to_owned());
        let wanted = Wanted { function, alias, version: version.map(str::to_owned), from, to };
        if wanted.range(self.clients.clock).is_empty() {
            return Ok(Traffic::default());
        }
        self.traffic.get(wanted).await
    }

    async fn role(&self, name: &str) -> Answered<Option<Role>> {
        Box::pin(self.clients.role(name)).await
    }

    async fn create_role(&self, role: &NewRole) -> Answered<String> {
        Box::pin(self.clients.create_role(role)).await
    }

    async fn tag_role(&self, name: &str, tags: &Tags) -> Answered<()> {
        Box::pin(self.clients.tag_role(name, tags)).await
    }

    async fn bind_role(&self, name: &str, boundary: Option<&str>) -> Answered<()> {
        Box::pin(self.clients.bind_role(name, boundary)).await
    }

    async fn role_policy(&self, role: &str, policy: &str) -> Answered<Option<String>> {
        Box::pin(self.clients.role_policy(role, policy)).await
    }

    async fn put_role_policy(&self, role: &str, policy: &str, document: &str) -> Answered<()> {
        Box::pin(self.clients.put_role_policy(role, policy, document)).await
    }

    async fn delete_role(&self, role: &str, policy: &str) -> Answered<()> {
        Box::pin(self.clients.delete_role(role, policy)).await
    }

    async fn allowance(&self, role_arn: &str, action: &str, resource: &str) -> Answered<Option<Allowance>> {
        Box::pin(self.clients.allowance(role_arn, action, resource)).await
    }

    async fn error_lines(
        &self,
        function: &str,
        version: &str,
        since: SystemTime,
        limit: usize,
    ) -> Answered<Vec<String>> {
        Box::pin(self.clients.error_lines(function, version, since, limit)).await
    }

    async fn log(&self, function: &str, since: SystemTime) -> Answered<Vec<LogLine>> {
        Box::pin(self.clients.log(function, since)).await
    }
}
