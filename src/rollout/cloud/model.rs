//! The things of AWS that rollouts deal with, as the domain sees them.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use crate::rollout::way_back::is_way_back;

/// Tags of a CodeDeploy application or group, of a role, of an alarm.
pub type Tags = BTreeMap<String, String>;

/// Why a call to AWS did not succeed.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{operation}: {message} ({code})")]
pub struct CloudError {
    pub kind: CloudErrorKind,
    /// The operation as IAM writes it, for example `codedeploy:CreateDeployment`.
    pub operation: &'static str,
    /// The service's error code, or the kind of transport failure.
    pub code: String,
    pub message: String,
}

/// The code of a call that went out and was not answered in time.
pub const NO_ANSWER: &str = "NoAnswer";

/// What a caller can do about a [`CloudError`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CloudErrorKind {
    /// The thing named in the call does not exist.
    NotFound,
    /// A thing of that name exists already.
    AlreadyExists,
    /// The thing changed since it was read (Lambda's `PreconditionFailedException`).
    Changed,
    /// The service asks for fewer calls; the SDK's own retries are spent.
    Throttled,
    /// The caller may not do this.
    Denied,
    /// The deployment group has a live deployment.
    GroupBusy,
    /// CodeDeploy cannot assume the service role (yet).
    RoleNotReady,
    /// The deployment has ended already.
    AlreadyEnded,
    /// The thing is in use and cannot be deleted.
    InUse,
    /// The call never got an answer: network, time-out, credentials.
    Unreachable,
    /// Anything else the service refused.
    Refused,
}

/// The account that the credentials belong to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    pub account: String,
    pub region: String,
    /// `aws`, `aws-cn`, `aws-us-gov`, …
    pub partition: String,
}

/// A published version as Lambda describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VersionInfo {
    pub state: VersionState,
    /// Lambda's reason for a state that is not active.
    pub state_reason: String,
    pub role_arn: String,
    pub dead_letter_arn: Option<String>,
    /// The function's own time limit.
    pub timeout: Duration,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VersionState {
    Pending,
    Active,
    /// Not used for a while; an invocation wakes it up.
    Inactive,
    Failed,
}

/// An alias with the versions that it serves.
#[derive(Debug, Clone, PartialEq)]
pub struct AliasState {
    pub version: String,
    /// The second version and its share (0 to 1), while traffic is split.
    pub weight: Option<(String, f64)>,
    pub description: String,
    pub revision_id: String,
}

/// What to change on an alias; an absent member stays as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AliasChange {
    pub version: Option<String>,
    pub clear_weights: bool,
    pub description: Option<String>,
    /// Refuse with [`CloudErrorKind::Changed`] if the alias is no longer at this revision.
    pub if_revision: Option<String>,
}

/// A function URL, as declared or as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FunctionUrl {
    /// `AWS_IAM` or `NONE`.
    pub authorization_type: String,
    /// `BUFFERED` or `RESPONSE_STREAM`.
    pub invoke_mode: String,
    pub cors: Option<Cors>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cors {
    pub allow_credentials: bool,
    pub allow_headers: Vec<String>,
    pub allow_methods: Vec<String>,
    pub allow_origins: Vec<String>,
    pub expose_headers: Vec<String>,
    pub max_age: Option<i32>,
}

/// A statement of an alias's resource policy, to be made.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Permission {
    pub statement_id: String,
    pub principal: String,
    pub action: String,
    pub source_arn: Option<String>,
    pub source_account: Option<String>,
    pub principal_org_id: Option<String>,
    pub event_source_token: Option<String>,
    /// `lambda:FunctionUrlAuthType`, for public function URLs.
    pub function_url_auth_type: Option<String>,
    /// `lambda:InvokedViaFunctionUrl`, for public function URLs.
    pub invoked_via_function_url: bool,
}

/// What an invocation answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// `Handled` or `Unhandled` when the function failed.
    pub function_error: Option<String>,
    pub payload: Vec<u8>,
    /// The last lines of the function's log, oldest first.
    pub log_tail: Vec<String>,
}

/// A deployment group, as declared or as it is. CodeDeploy does not promise the order of its lists: they are sorted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    pub application: String,
    pub name: String,
    pub service_role_arn: String,
    pub deployment_config: String,
    /// Alarm names; empty = alarms are off.
    pub alarms: Vec<String>,
    pub ignore_alarm_poll_failure: bool,
    /// `DEPLOYMENT_FAILURE`, `DEPLOYMENT_STOP_ON_ALARM`, `DEPLOYMENT_STOP_ON_REQUEST`; empty = off.
    pub rollback_events: Vec<String>,
    pub triggers: Vec<Trigger>,
}

/// A group that exists, with the last deployment that it ran.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupState {
    pub group: Group,
    pub last_attempted: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Trigger {
    pub name: String,
    pub topic_arn: String,
    /// CodeDeploy's event names (`DeploymentStart`, …).
    pub events: Vec<String>,
}

/// A deployment to be created.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewDeployment {
    pub application: String,
    pub group: String,
    pub deployment_config: String,
    /// AppSpec text (JSON).
    pub app_spec: String,
    pub description: String,
    /// Empty = no alarm is watched in this deployment.
    pub alarms: Vec<String>,
    pub ignore_alarm_poll_failure: bool,
    pub rollback_events: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeploymentStatus {
    /// Created, Queued, `InProgress`, Baking, Ready, or a word that we do not know yet.
    Live,
    Succeeded,
    Failed,
    Stopped,
}

/// A deployment as CodeDeploy describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deployment {
    pub id: String,
    pub status: DeploymentStatus,
    /// CodeDeploy's own word for the status.
    pub status_text: String,
    pub application: String,
    pub group: String,
    pub deployment_config: String,
    pub description: String,
    pub creator: String,
    /// The alarms that stop this deployment, where they are its own and not the group's.
    pub alarms: Option<Vec<String>>,
    pub error_code: String,
    pub error_message: String,
    /// The deployment that rolls this one back.
    pub rolled_back_by: Option<String>,
    /// The deployment that this one rolls back.
    pub rolls_back: Option<String>,
    pub created: Option<SystemTime>,
    pub started: Option<SystemTime>,
    pub completed: Option<SystemTime>,
}

/// A look without which everything ends as well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Aside {
    /// It tells people how far a deployment is.
    Progress,
    /// It tells them what the new version did so far.
    Counts,
    /// It finds the crash of a hook before CodeDeploy's hour is over.
    Hook,
}

impl Deployment {
    /// Whether it takes traffic back, be it CodeDeploy's rollback or a bake's, whoever started it.
    pub fn is_way_back(&self) -> bool {
        self.rolls_back.is_some() || is_way_back(&self.description)
    }
}

/// The one target of a Lambda deployment.
#[derive(Debug, Clone, PartialEq)]
pub struct Target {
    pub function: String,
    pub alias: String,
    pub current_version: String,
    pub target_version: String,
    /// Share of the target version, 0 to 1.
    pub weight: f64,
    pub events: Vec<LifecycleEvent>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LifecycleEvent {
    /// `BeforeAllowTraffic`, `AllowTraffic`, `AfterAllowTraffic`.
    pub name: String,
    /// `Pending`, `InProgress`, `Succeeded`, `Failed`, `Skipped`, `Unknown`.
    pub status: String,
    pub message: String,
    pub started: Option<SystemTime>,
    pub ended: Option<SystemTime>,
}

/// An alarm to be made. Exactly what `PutMetricAlarm` takes for a metric-math alarm.
#[derive(Debug, Clone, PartialEq)]
pub struct NewAlarm {
    pub name: String,
    pub description: String,
    pub metrics: Vec<AlarmMetric>,
    pub comparison: Comparison,
    pub threshold: f64,
    pub evaluation_periods: i32,
    pub actions: Vec<String>,
    pub tags: Tags,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    GreaterThan,
    AtLeast,
}

/// One line of an alarm's metric math.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlarmMetric {
    pub id: String,
    /// Whether the alarm compares this line; exactly one does.
    pub returned: bool,
    pub source: MetricSource,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MetricSource {
    Expression(String),
    /// The sum of an `AWS/Lambda` metric over each period.
    Sum {
        metric: String,
        dimensions: Vec<(String, String)>,
        period: Duration,
    },
}

/// An alarm, metric or composite, and its state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alarm {
    pub name: String,
    /// `OK`, `ALARM` or `INSUFFICIENT_DATA`.
    pub state: String,
    pub reason: String,
    pub since: Option<SystemTime>,
    /// How much time it looks at before it fires; `None` for a composite alarm, which looks at others.
    pub window: Option<Duration>,
}

/// How often a version (or an alias) was called, and how often it failed.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Traffic {
    pub requests: f64,
    pub errors: f64,
}

/// A role to be made for CodeDeploy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewRole {
    pub name: String,
    pub description: String,
    /// JSON.
    pub trust_policy: String,
    pub permissions_boundary: Option<String>,
    pub tags: Tags,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Role {
    pub arn: String,
    pub tags: Tags,
    pub permissions_boundary: Option<String>,
}

/// Whether a role may do something, by the policies that IAM can evaluate without a real call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Allowance {
    Allowed,
    /// No policy of the role allows it; a policy of the resource still may.
    NotAllowed,
    /// A policy forbids it, whatever others say.
    Forbidden,
    /// It depends on conditions that only a real call fulfils.
    Depends,
}

/// What Lambda does when an asynchronous invocation of a function fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AsyncFailure {
    pub retries: usize,
    /// Somebody else is told in the end, and may act.
    pub goes_elsewhere: bool,
}

/// A line in the log of a function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLine {
    /// One execution environment writes one stream, one invocation after the other.
    pub stream: String,
    pub time: SystemTime,
    pub text: String,
}
