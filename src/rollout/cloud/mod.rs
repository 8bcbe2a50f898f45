//! What a rollout needs from AWS, in the words of the domain.
//!
//! The domain code calls this trait; `crate::aws` implements it over the AWS SDK. A thing that does not exist is
//! `None` (or an empty list), never an error, and deleting what is already gone succeeds.

mod model;

use std::future::Future;
use std::time::{Duration, SystemTime};

use super::strategy::Strategy;

pub use model::*;

type Answered<T> = Result<T, CloudError>;

/// The calls to AWS that rollouts make.
///
/// Every method is one AWS operation (or the pages of one), retried by the SDK when that is safe.
pub trait Cloud: Send + Sync + 'static {
    /// What time it is for AWS: what its timestamps are compared with.
    fn now(&self) -> SystemTime;

    /// The caller's account, asked for once and then remembered.
    fn identity(&self) -> impl Future<Output = Answered<Identity>> + Send;

    // Lambda

    /// `qualifier` is a version number; `None` if function or version does not exist.
    fn version(
        &self,
        function: &str,
        qualifier: &str,
    ) -> impl Future<Output = Answered<Option<VersionInfo>>> + Send;
    fn alias(&self, function: &str, alias: &str)
    -> impl Future<Output = Answered<Option<AliasState>>> + Send;
    fn create_alias(
        &self,
        function: &str,
        alias: &str,
        version: &str,
        description: &str,
    ) -> impl Future<Output = Answered<AliasState>> + Send;
    fn update_alias(
        &self,
        function: &str,
        alias: &str,
        change: &AliasChange,
    ) -> impl Future<Output = Answered<AliasState>> + Send;
    fn delete_alias(&self, function: &str, alias: &str) -> impl Future<Output = Answered<()>> + Send;

    /// The URL's settings and its address.
    fn function_url(
        &self,
        function: &str,
        alias: &str,
    ) -> impl Future<Output = Answered<Option<(FunctionUrl, String)>>> + Send;
    /// Makes the URL, and answers its address.
    fn create_function_url(
        &self,
        function: &str,
        alias: &str,
        url: &FunctionUrl,
    ) -> impl Future<Output = Answered<String>> + Send;
    fn update_function_url(
        &self,
        function: &str,
        alias: &str,
        url: &FunctionUrl,
    ) -> impl Future<Output = Answered<()>> + Send;
    fn delete_function_url(&self, function: &str, alias: &str) -> impl Future<Output = Answered<()>> + Send;

    /// The statement ids of the alias's resource policy.
    fn permissions(&self, function: &str, alias: &str) -> impl Future<Output = Answered<Vec<String>>> + Send;
    fn add_permission(
        &self,
        function: &str,
        alias: &str,
        permission: &Permission,
    ) -> impl Future<Output = Answered<()>> + Send;
    fn remove_permission(
        &self,
        function: &str,
        alias: &str,
        statement_id: &str,
    ) -> impl Future<Output = Answered<()>> + Send;

    /// One synchronous invocation without retries, given up after `timeout`. `marker` goes into the client context.
    fn invoke(
        &self,
        function: &str,
        qualifier: &str,
        payload: &str,
        marker: &str,
        timeout: Duration,
    ) -> impl Future<Output = Answered<Answer>> + Send;

    fn async_failure(
        &self,
        function: &str,
        qualifier: &str,
    ) -> impl Future<Output = Answered<AsyncFailure>> + Send;

    // CodeDeploy

    /// Whether the application exists, and for which compute platform.
    fn application(&self, name: &str) -> impl Future<Output = Answered<Option<String>>> + Send;
    fn create_application(&self, name: &str, tags: &Tags) -> impl Future<Output = Answered<()>> + Send;
    fn delete_application(&self, name: &str) -> impl Future<Output = Answered<()>> + Send;
    /// Tags of an application (`application:NAME`) or a group (`deploymentgroup:APPLICATION/GROUP`).
    fn code_deploy_tags(&self, resource: &str) -> impl Future<Output = Answered<Tags>> + Send;
    fn tag_code_deploy(&self, resource: &str, tags: &Tags) -> impl Future<Output = Answered<()>> + Send;

    /// The traffic routing of a configuration for Lambda; `None` if there is no such configuration.
    fn deployment_config(&self, name: &str) -> impl Future<Output = Answered<Option<Strategy>>> + Send;
    fn create_deployment_config(
        &self,
        name: &str,
        strategy: &Strategy,
    ) -> impl Future<Output = Answered<()>> + Send;
    /// Fails with [`CloudErrorKind::InUse`] while a group uses it.
    fn delete_deployment_config(&self, name: &str) -> impl Future<Output = Answered<()>> + Send;

    fn group(
        &self,
        application: &str,
        name: &str,
    ) -> impl Future<Output = Answered<Option<GroupState>>> + Send;
    /// The names of all groups of an application.
    fn groups(&self, application: &str) -> impl Future<Output = Answered<Vec<String>>> + Send;
    fn create_group(&self, group: &Group, tags: &Tags) -> impl Future<Output = Answered<()>> + Send;
    fn update_group(&self, group: &Group) -> impl Future<Output = Answered<()>> + Send;
    fn delete_group(&self, application: &str, name: &str) -> impl Future<Output = Answered<()>> + Send;

    /// Waits until one more deployment may start: starts are spread. One that takes a bad version back does not wait for
    /// those that bring a new one. Asks nothing of AWS.
    fn turn_to_start(&self, is_way_back: bool) -> impl Future<Output = ()> + Send;
    /// Starts a deployment and answers its id. Tried once: without an answer it may have been started or not.
    fn create_deployment(&self, deployment: &NewDeployment) -> impl Future<Output = Answered<String>> + Send;
    fn deployment(&self, id: &str) -> impl Future<Output = Answered<Option<Deployment>>> + Send;
    /// The deployment as it is after `due` at the latest (or sooner); many waits share one call.
    fn watch(&self, id: &str, due: Duration) -> impl Future<Output = Answered<Option<Deployment>>> + Send;
    fn target(&self, deployment_id: &str) -> impl Future<Output = Answered<Option<Target>>> + Send;
    /// Whether there is room for a look that can be left out: with many waits at once there is not for all of them.
    fn has_room(&self, aside: Aside) -> bool;
    fn stop_deployment(&self, id: &str, rollback: bool) -> impl Future<Output = Answered<()>> + Send;
    /// Ids of the deployments that have not ended, newest first: of one group (`application`, `group`), or of all.
    fn live_deployments(
        &self,
        group: Option<(&str, &str)>,
    ) -> impl Future<Output = Answered<Vec<String>>> + Send;

    // CloudWatch

    /// The named alarms that exist, metric and composite.
    fn alarms(&self, names: &[String]) -> impl Future<Output = Answered<Vec<Alarm>>> + Send;
    fn alarms_with_prefix(&self, prefix: &str) -> impl Future<Output = Answered<Vec<Alarm>>> + Send;
    fn put_alarm(&self, alarm: &NewAlarm) -> impl Future<Output = Answered<()>> + Send;
    fn delete_alarms(&self, names: &[String]) -> impl Future<Output = Answered<()>> + Send;
    /// Requests and errors of an alias between two times; of one version behind it if `version` is given.
    fn traffic(
        &self,
        function: &str,
        alias: &str,
        version: Option<&str>,
        from: SystemTime,
        to: SystemTime,
    ) -> impl Future<Output = Answered<Traffic>> + Send;

    // IAM

    fn role(&self, name: &str) -> impl Future<Output = Answered<Option<Role>>> + Send;
    /// Makes the role and answers its ARN.
    fn create_role(&self, role: &NewRole) -> impl Future<Output = Answered<String>> + Send;
    fn tag_role(&self, name: &str, tags: &Tags) -> impl Future<Output = Answered<()>> + Send;
    /// Sets the permissions boundary of a role, or takes it away.
    fn bind_role(&self, name: &str, boundary: Option<&str>) -> impl Future<Output = Answered<()>> + Send;
    fn role_policy(&self, role: &str, policy: &str) -> impl Future<Output = Answered<Option<String>>> + Send;
    fn put_role_policy(
        &self,
        role: &str,
        policy: &str,
        document: &str,
    ) -> impl Future<Output = Answered<()>> + Send;
    /// Deletes the role with its inline policy.
    fn delete_role(&self, role: &str, policy: &str) -> impl Future<Output = Answered<()>> + Send;
    /// What IAM would answer if the role did this; `None` if there is no such role.
    fn allowance(
        &self,
        role_arn: &str,
        action: &str,
        resource: &str,
    ) -> impl Future<Output = Answered<Option<Allowance>>> + Send;

    // CloudWatch Logs

    /// The last lines that speak of an error, of this version, since then; at most `limit`, oldest first.
    fn error_lines(
        &self,
        function: &str,
        version: &str,
        since: SystemTime,
        limit: usize,
    ) -> impl Future<Output = Answered<Vec<String>>> + Send;
    /// Everything that a function logged since then, oldest first, up to a bound.
    fn log(&self, function: &str, since: SystemTime) -> impl Future<Output = Answered<Vec<LogLine>>> + Send;
}
