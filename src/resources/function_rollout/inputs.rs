//! The inputs of a `FunctionRollout`: read, checked, and brought to one spelling.

use std::time::Duration;

use serde_json::Value;

use crate::pulumi::{CheckFailure, Input, PropertyMap, Reader};
use crate::resources::gather::{self, Gather, Unknowns};
use crate::rollout::duration;
use crate::rollout::smoke::SmokeTest;
use crate::rollout::spec::{
    AlarmsAlreadyFiring, DEFAULT_ALIAS, DEFAULT_BAKE, DEFAULT_LATEST_ALIAS, ErrorAlarm, ErrorAlarmMode,
    Notification, OnCancel, OnConflict, OnFailedVersion, RolloutSpec, Routing,
};

/// CodeDeploy's limits on one deployment group.
const MOST_ALARMS: usize = 10;
const MOST_TRIGGERS: usize = 10;
/// CloudWatch's limits on one alarm: how many it notifies, and how far it looks back when its periods are under an hour.
/// With periods of an hour it would be seven days, more than is taken here.
const MOST_ALARM_ACTIONS: usize = 5;
const LONGEST_LOOK_BACK: Duration = Duration::from_hours(24);
/// Lambda's longest invocation.
const LONGEST_INVOCATION: Duration = Duration::from_secs(900);

pub const ALREADY_FIRING: [(&str, AlarmsAlreadyFiring); 3] = [
    ("fail", AlarmsAlreadyFiring::Fail),
    ("ignore", AlarmsAlreadyFiring::Ignore),
    ("wait", AlarmsAlreadyFiring::Wait),
];
pub const ON_CONFLICT: [(&str, OnConflict); 3] =
    [("stop", OnConflict::Stop), ("wait", OnConflict::Wait), ("fail", OnConflict::Fail)];
const ON_FAILED_VERSION: [(&str, OnFailedVersion); 3] =
    [("keep", OnFailedVersion::Keep), ("fail", OnFailedVersion::Fail), ("retry", OnFailedVersion::Retry)];
const ON_CANCEL: [(&str, OnCancel); 2] = [("leave", OnCancel::Leave), ("stop", OnCancel::Stop)];
const ALARM_MODES: [(&str, ErrorAlarmMode); 2] =
    [("relative", ErrorAlarmMode::Relative), ("count", ErrorAlarmMode::Count)];
const NOTIFICATIONS: [(&str, &str); 5] = [
    ("start", "DeploymentStart"),
    ("success", "DeploymentSuccess"),
    ("failure", "DeploymentFailure"),
    ("stop", "DeploymentStop"),
    ("rollback", "DeploymentRollback"),
];

/// What was declared: complete where everything is known, with stand-ins where it is not.
#[derive(Debug)]
pub struct Declared {
    pub spec: RolloutSpec,
    pub unknowns: Unknowns,
    pub failures: Vec<CheckFailure>,
}

pub fn read(inputs: &PropertyMap) -> Declared {
    let gather = Gather::default();
    let reader = Reader::new(inputs);
    let spec = read_spec(&gather, &reader);
    let unknowns = gather.unknowns();
    check_together(&spec, inputs, &unknowns, &reader);
    Declared { spec, unknowns, failures: reader.finish() }
}

fn read_spec(u: &Gather, r: &Reader<'_>) -> RolloutSpec {
    let error_alarm = error_alarm(u, r);
    RolloutSpec {
        function: u.function(r, "functionName"),
        version: u.version(r, "version"),
        alias: u.alias(r, "aliasName").unwrap_or_else(|| DEFAULT_ALIAS.to_owned()),
        latest_alias: latest_alias(u, r),
        routing: routing(u, r),
        declared_routing: None,
        bake: gather::bake(u, r).unwrap_or(DEFAULT_BAKE),
        error_alarm,
        min_requests: min_requests(u, r),
        alarms: u.texts(r, "alarms").unwrap_or_default(),
        alarms_already_firing: u
            .choice(r, "alarmsAlreadyFiring", &ALREADY_FIRING)
            .unwrap_or(AlarmsAlreadyFiring::Fail),
        ignore_alarm_poll_failure: u.flag(r, "ignoreAlarmPollFailure", false),
        auto_rollback: gather::auto_rollback(u, r),
        hooks: u.object(r, "hooks", gather::hooks).unwrap_or_default(),
        smoke_test: u.object(r, "smokeTest", smoke_test),
        notifications: u.objects(r, "notifications", notification),
        on_conflict: u.choice(r, "onConflict", &ON_CONFLICT).unwrap_or(OnConflict::Stop),
        on_failed_version: u
            .choice(r, "onFailedVersion", &ON_FAILED_VERSION)
            .unwrap_or(OnFailedVersion::Keep),
        wait: u.flag(r, "wait", true),
        on_cancel: u.choice(r, "onCancel", &ON_CANCEL).unwrap_or(OnCancel::Leave),
        adopt: u.flag(r, "adopt", false),
        function_url: u.object(r, "functionUrl", gather::function_url),
        latest_function_url: u.object(r, "latestFunctionUrl", gather::function_url),
        permissions: u.objects(r, "permissions", gather::permission),
        description: gather::description(u, r),
        show_logs: u.flag(r, "showLogs", true),
        service_role_arn: service_role(u, r, "serviceRoleArn"),
        application_name: u.text(r, "applicationName"),
        deployment_group_name: u.text(r, "deploymentGroupName"),
        permissions_boundary: service_role(u, r, "permissionsBoundary"),
        tags: gather::tags(u, r, "tags"),
        // The last, as nothing limits how large they are: what came behind them in memory would keep it from being given
        // back.
        triggers: u.text_map(r, "triggers"),
    }
}

/// Rules that look at more than one input.
fn check_together(spec: &RolloutSpec, inputs: &PropertyMap, unknowns: &Unknowns, r: &Reader<'_>) {
    let given = |key: &str| inputs.get(key).is_some_and(|value| !value.is_null());
    if given("strategy") && given("deploymentConfigName") {
        r.misplaced("deploymentConfigName", "cannot be given together with `strategy`: keep one of the two");
    }
    if given("bake") && !spec.wait {
        r.misplaced(
            "bake",
            "needs `wait: true`; with `wait: false`, give `bake` to the DeploymentWaiter that waits",
        );
    }
    if given("deploymentGroupName") && !given("applicationName") {
        r.misplaced("deploymentGroupName", "needs `applicationName`, the application that the group is in");
    }
    if given("permissionsBoundary") && given("serviceRoleArn") {
        r.misplaced(
            "permissionsBoundary",
            "has no meaning together with `serviceRoleArn`: it is for the role that the rollout makes",
        );
    }
    if spec.latest_alias.as_ref() == Some(&spec.alias) && !unknowns.contains("aliasName") {
        r.misplaced("latestAliasName", "is the name of the stable alias, too: choose another");
    }
    if spec.latest_alias.is_none() && spec.latest_function_url.is_some() {
        r.misplaced(
            "latestFunctionUrl",
            "needs the latest alias, and `latestAliasName` is \"\": name the alias, or leave out the URL",
        );
    }
    if spec.alarms.len() > MOST_ALARMS - usize::from(spec.error_alarm.is_some()) {
        r.fail("alarms", format!("{} alarms are too many: CodeDeploy watches at most {MOST_ALARMS}, the error alarm among them", spec.alarms.len()));
    }
    if let Some(arn) = spec.alarms.iter().find(|name| name.starts_with("arn:")) {
        r.fail("alarms", format!("names \"{arn}\": give the alarm's name, not its ARN"));
    }
    let mut names: Vec<&str> = spec.alarms.iter().map(String::as_str).collect();
    names.sort_unstable();
    if let Some([twice, _]) = names.windows(2).find(|pair| pair[0] == pair[1]) {
        r.fail("alarms", format!("names \"{twice}\" twice"));
    }
    if spec.notifications.len() > MOST_TRIGGERS {
        r.fail(
            "notifications",
            format!("{} are too many: CodeDeploy takes at most {MOST_TRIGGERS}", spec.notifications.len()),
        );
    }
}

fn latest_alias(u: &Gather, r: &Reader<'_>) -> Option<String> {
    let none = matches!(r.string("latestAliasName"), Input::Known(name) if name.is_empty());
    if none {
        return None;
    }
    Some(u.alias(r, "latestAliasName").unwrap_or_else(|| DEFAULT_LATEST_ALIAS.to_owned()))
}

fn routing(u: &Gather, r: &Reader<'_>) -> Routing {
    let strategy = u.object(r, "strategy", gather::strategy);
    match u.text(r, "deploymentConfigName") {
        Some(name) => Routing::Named(name),
        None => Routing::Strategy(strategy.unwrap_or_default()),
    }
}

fn error_alarm(u: &Gather, r: &Reader<'_>) -> Option<ErrorAlarm> {
    u.object(r, "errorAlarm", read_error_alarm).unwrap_or_else(|| Some(ErrorAlarm::default()))
}

fn read_error_alarm(u: &Gather, r: &Reader<'_>) -> Option<ErrorAlarm> {
    let default = ErrorAlarm::default();
    let threshold =
        u.take("threshold", r.number("threshold"), default.threshold).unwrap_or(default.threshold);
    if !(threshold.is_finite() && threshold >= 0.0) {
        r.fail("threshold", format!("cannot be {threshold}: give 0 or more"));
    }
    let period = u.duration(r, "period").unwrap_or(default.period);
    let whole_minutes = period.as_secs().is_multiple_of(60) && period.subsec_nanos() == 0;
    if !whole_minutes || !(60..=3_600).contains(&period.as_secs()) {
        let shown = duration::format(period);
        r.fail(
            "period",
            format!("cannot be {shown}: Lambda's metrics come once a minute; give whole minutes, at most 60"),
        );
    }
    let mode = u.choice(r, "mode", &ALARM_MODES).unwrap_or(default.mode);
    if mode == ErrorAlarmMode::Count && threshold < 1.0 {
        r.fail(
            "threshold",
            format!(
                "cannot be {threshold} in the mode \"count\": no error at all would fire; give 1 or more"
            ),
        );
    }
    let alarm = ErrorAlarm {
        mode,
        threshold,
        period,
        evaluation_periods: i32::try_from(u.integer_in(r, "evaluationPeriods", 1..=60, 1)).unwrap_or(1),
        actions: u.texts(r, "alarmActions").unwrap_or_default(),
    };
    check_alarm_limits(&alarm, r);
    u.flag(r, "enabled", true).then_some(alarm)
}

fn check_alarm_limits(alarm: &ErrorAlarm, r: &Reader<'_>) {
    let (count, period) = (alarm.evaluation_periods, alarm.period);
    if period < Duration::from_hours(1) && alarm.window() > LONGEST_LOOK_BACK {
        r.fail(
            "evaluationPeriods",
            format!(
                "cannot be {count}: with a period of {}, CloudWatch looks back over at most {}, a day in all",
                duration::format(period),
                LONGEST_LOOK_BACK.as_secs() / period.as_secs()
            ),
        );
    }
    if alarm.actions.len() > MOST_ALARM_ACTIONS {
        r.fail(
            "alarmActions",
            format!("{} are too many: CloudWatch notifies at most {MOST_ALARM_ACTIONS}", alarm.actions.len()),
        );
    }
}

fn smoke_test(u: &Gather, r: &Reader<'_>) -> SmokeTest {
    let payload = r.parse("payload", |text| {
        serde_json::from_str::<Value>(text)
            .map(|_| text.to_owned())
            .map_err(|_| "it is no JSON; write for example JSON.stringify({ ping: true })".to_owned())
    });
    let expect = r.parse("expect", |text| {
        serde_json::from_str::<Value>(text).map_err(|error| {
            format!("it is no JSON ({error}); write for example JSON.stringify({{ ok: true }})")
        })
    });
    let timeout = u.duration(r, "timeout").unwrap_or(Duration::from_secs(30));
    if timeout.is_zero() || timeout > LONGEST_INVOCATION {
        r.fail(
            "timeout",
            format!("cannot be {}: an invocation takes at most 15 minutes", duration::format(timeout)),
        );
    }
    SmokeTest {
        payload: u.take("payload", r.required("payload", payload), String::new()).unwrap_or_default(),
        expect: u.take("expect", expect, Value::Null),
        timeout,
        attempts: u32::try_from(u.integer_in(r, "attempts", 1..=10, 1)).unwrap_or(1),
    }
}

fn notification(u: &Gather, r: &Reader<'_>) -> Notification {
    let topic = gather::arn(r, "topicArn", "sns", "arn:aws:sns:eu-west-1:123456789012:topic");
    let events = u.choices(r, "events", &NOTIFICATIONS);
    let all = || NOTIFICATIONS.iter().map(|(_, code)| *code).collect();
    Notification {
        topic_arn: u.take("topicArn", r.required("topicArn", topic), String::new()).unwrap_or_default(),
        events: events.unwrap_or_else(all).into_iter().map(str::to_owned).collect(),
    }
}

fn min_requests(u: &Gather, r: &Reader<'_>) -> u64 {
    u64::try_from(u.integer_in(r, "minRequests", 0..=1_000_000_000, 0)).unwrap_or(0)
}

fn service_role(u: &Gather, r: &Reader<'_>, key: &'static str) -> Option<String> {
    let example = if key == "serviceRoleArn" {
        "arn:aws:iam::123456789012:role/NAME"
    } else {
        "arn:aws:iam::123456789012:policy/NAME"
    };
    let input = gather::arn(r, key, "iam", example);
    u.take(key, input, String::new())
}

/// Every input, as the schema has them.
pub const KEYS: &[&str] = &[
    "functionName",
    "version",
    "aliasName",
    "latestAliasName",
    "strategy",
    "deploymentConfigName",
    "bake",
    "errorAlarm",
    "minRequests",
    "alarms",
    "alarmsAlreadyFiring",
    "ignoreAlarmPollFailure",
    "autoRollback",
    "hooks",
    "smokeTest",
    "notifications",
    "onConflict",
    "onFailedVersion",
    "triggers",
    "wait",
    "onCancel",
    "adopt",
    "functionUrl",
    "latestFunctionUrl",
    "permissions",
    "description",
    "showLogs",
    "serviceRoleArn",
    "applicationName",
    "deploymentGroupName",
    "permissionsBoundary",
    "tags",
];
