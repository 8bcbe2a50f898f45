//! What a `FunctionRollout` declares, checked and complete: every value is known and every default filled in.

use std::collections::BTreeMap;
use std::time::Duration;

use super::appspec::Hooks;
use super::cloud::{FunctionUrl, Permission, Tags, Target};
use super::function::FunctionRef;
use super::smoke::SmokeTest;
use super::strategy::Strategy;

pub const DEFAULT_ALIAS: &str = "stable";
pub const DEFAULT_LATEST_ALIAS: &str = "latest";
pub const DEFAULT_BAKE: Duration = Duration::from_mins(3);

#[derive(Debug, Clone, PartialEq)]
pub struct RolloutSpec {
    pub function: FunctionRef,
    pub version: String,
    pub alias: String,
    /// `None` = the rollout keeps no alias for the version under test.
    pub latest_alias: Option<String>,
    /// How traffic moves in this run.
    pub routing: Routing,
    /// What the program says, where the provider's configuration overrides it for this run.
    pub declared_routing: Option<Routing>,
    pub bake: Duration,
    pub error_alarm: Option<ErrorAlarm>,
    pub min_requests: u64,
    pub alarms: Vec<String>,
    pub alarms_already_firing: AlarmsAlreadyFiring,
    pub ignore_alarm_poll_failure: bool,
    pub auto_rollback: Vec<RollbackEvent>,
    pub hooks: Hooks,
    pub smoke_test: Option<SmokeTest>,
    pub notifications: Vec<Notification>,
    pub on_conflict: OnConflict,
    pub on_failed_version: OnFailedVersion,
    pub triggers: BTreeMap<String, String>,
    pub wait: bool,
    pub on_cancel: OnCancel,
    pub adopt: bool,
    pub function_url: Option<FunctionUrl>,
    pub latest_function_url: Option<FunctionUrl>,
    /// Without statement ids; those are derived.
    pub permissions: Vec<Permission>,
    pub description: Option<String>,
    pub show_logs: bool,
    pub service_role_arn: Option<String>,
    pub application_name: Option<String>,
    pub deployment_group_name: Option<String>,
    pub permissions_boundary: Option<String>,
    pub tags: Tags,
}

/// How traffic moves: by a strategy of ours, or by a configuration that the user brings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Routing {
    Strategy(Strategy),
    Named(String),
}

impl Routing {
    pub fn config_name(&self) -> String {
        match self {
            Self::Strategy(strategy) => strategy.config_name(),
            Self::Named(name) => name.clone(),
        }
    }

    /// The strategy; `None` for a configuration of the user's that nobody has looked at.
    pub fn strategy(&self) -> Option<Strategy> {
        match self {
            Self::Strategy(strategy) => Some(*strategy),
            Self::Named(name) => Strategy::of_config(name),
        }
    }

    /// Whether both versions serve at the same time for a while, as far as one can tell.
    pub fn is_weighted(&self) -> bool {
        self.strategy().is_none_or(|strategy| strategy.is_weighted())
    }

    pub fn describe(&self) -> String {
        match self {
            Self::Strategy(strategy) => strategy.describe(),
            Self::Named(name) => format!("as {name} says"),
        }
    }
}

/// The alarm on the errors of the version that is being rolled out.
#[derive(Debug, Clone, PartialEq)]
pub struct ErrorAlarm {
    pub mode: ErrorAlarmMode,
    /// Percentage points above the old version's error rate, or errors in a period.
    pub threshold: f64,
    pub period: Duration,
    pub evaluation_periods: i32,
    pub actions: Vec<String>,
}

impl Default for ErrorAlarm {
    fn default() -> Self {
        Self {
            mode: ErrorAlarmMode::Relative,
            threshold: 1.0,
            period: Duration::from_mins(1),
            evaluation_periods: 1,
            actions: Vec::new(),
        }
    }
}

impl ErrorAlarm {
    /// How far back the alarm looks.
    pub fn window(&self) -> Duration {
        self.period.saturating_mul(u32::try_from(self.evaluation_periods).unwrap_or(1))
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorAlarmMode {
    Relative,
    Count,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AlarmsAlreadyFiring {
    Fail,
    Ignore,
    Wait,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum RollbackEvent {
    Failure,
    Stop,
    Alarm,
}

impl RollbackEvent {
    pub const ALL: [Self; 3] = [Self::Failure, Self::Stop, Self::Alarm];

    /// CodeDeploy's name.
    pub fn code(self) -> &'static str {
        match self {
            Self::Failure => "DEPLOYMENT_FAILURE",
            Self::Stop => "DEPLOYMENT_STOP_ON_REQUEST",
            Self::Alarm => "DEPLOYMENT_STOP_ON_ALARM",
        }
    }

    /// The event that a deployment with this error code is.
    pub fn of_error(code: &str) -> Self {
        match code {
            "ALARM_ACTIVE" => Self::Alarm,
            "MANUAL_STOP" => Self::Stop,
            _ => Self::Failure,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notification {
    pub topic_arn: String,
    /// CodeDeploy's event names.
    pub events: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnConflict {
    Stop,
    Wait,
    Fail,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnFailedVersion {
    Keep,
    Fail,
    Retry,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnCancel {
    Leave,
    Stop,
}

fn mark(values: &BTreeMap<String, String>) -> String {
    if values.is_empty() {
        return String::new();
    }
    let lines: Vec<String> = values.iter().map(|(key, value)| format!("{key}={value}")).collect();
    super::names::short_hash(&lines.join("\n"))
}

impl RolloutSpec {
    /// `function:alias`, the id of the resource.
    pub fn id(&self) -> String {
        format!("{}:{}", self.function.name, self.alias)
    }

    pub fn strategy(&self) -> Option<Strategy> {
        self.routing.strategy()
    }

    /// The routing that the group keeps.
    pub fn group_routing(&self) -> &Routing {
        self.declared_routing.as_ref().unwrap_or(&self.routing)
    }

    pub fn rollback_codes(&self) -> Vec<String> {
        self.auto_rollback.iter().map(|event| event.code().to_owned()).collect()
    }

    /// One text for the values of `triggers`, to see whether they changed.
    pub fn trigger_mark(&self) -> String {
        mark(&self.triggers)
    }

    /// The same for the values of `tags`.
    pub fn tag_mark(&self) -> String {
        mark(&self.tags)
    }
}

impl RolloutSpec {
    /// The plainest declaration of one version behind one alias: no smoke test, no hooks, no alarms of the user's.
    pub fn plain(function: FunctionRef, alias: &str, version: &str) -> Self {
        Self {
            function,
            version: version.to_owned(),
            alias: alias.to_owned(),
            latest_alias: None,
            routing: Routing::Strategy(Strategy::default()),
            declared_routing: None,
            bake: Duration::ZERO,
            error_alarm: Some(ErrorAlarm::default()),
            min_requests: 0,
            alarms: Vec::new(),
            alarms_already_firing: AlarmsAlreadyFiring::Fail,
            ignore_alarm_poll_failure: false,
            auto_rollback: RollbackEvent::ALL.to_vec(),
            hooks: Hooks::default(),
            smoke_test: None,
            notifications: Vec::new(),
            on_conflict: OnConflict::Stop,
            on_failed_version: OnFailedVersion::Keep,
            triggers: BTreeMap::new(),
            wait: true,
            on_cancel: OnCancel::Leave,
            adopt: false,
            function_url: None,
            latest_function_url: None,
            permissions: Vec::new(),
            description: None,
            show_logs: true,
            service_role_arn: None,
            application_name: None,
            deployment_group_name: None,
            permissions_boundary: None,
            tags: Tags::new(),
        }
    }

    /// What a deployment that somebody else started is about.
    pub fn of_target(target: &Target) -> Self {
        let function = FunctionRef { name: target.function.clone(), place: None };
        Self::plain(function, &target.alias, &target.target_version)
    }
}
