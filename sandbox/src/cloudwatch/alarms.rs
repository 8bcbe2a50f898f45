//! The operations on alarms.

use serde_json::{Value, json};

use super::alarm::{self, Alarm, Current, Kind};
use super::evaluation::State;
use super::input::Input;
use super::query::invalid;
use super::{CloudWatch, Region};
use crate::clock::Clock;
use crate::error::ServiceError;
use crate::identity::Scope;

type Answer = Result<Value, ServiceError>;

const PAGE: usize = 50;
const NAMES: usize = 100;

pub(crate) fn put(region: &mut Region, scope: &Scope, input: Input<'_>, kind: Kind) -> Answer {
    let name = input.required("AlarmName")?;
    let arn = scope.arn("cloudwatch", &format!("alarm:{name}"));
    let known = region.alarms.get(name);
    let same_kind =
        known.is_none_or(|known| matches!(known.kind, Kind::Metric(_)) == matches!(kind, Kind::Metric(_)));
    if !same_kind {
        return Err(invalid(format!("There is an alarm named {name} of the other type")));
    }
    let alarm = Alarm::put(input, arn, kind, known, Clock::now())?;
    region.alarms.insert(name.to_owned(), alarm);
    Ok(json!({}))
}

pub(crate) fn describe(region: &Region, input: Input<'_>) -> Answer {
    let (names, prefix) = (input.texts("AlarmNames"), input.text("AlarmNamePrefix"));
    if names.len() > NAMES {
        return Err(invalid(format!("AlarmNames has at most {NAMES} entries")));
    }
    if !names.is_empty() && prefix.is_some() {
        let message = "AlarmNamePrefix and AlarmNames cannot be used together";
        return Err(ServiceError::bad("InvalidParameterCombination", message));
    }
    let mut types = input.texts("AlarmTypes");
    if types.is_empty() {
        types.push("MetricAlarm".to_owned());
    }
    let fits = |alarm: &&Alarm| {
        types.iter().any(|name| name == type_of(alarm))
            && (names.is_empty() || names.contains(&alarm.name))
            && prefix.is_none_or(|prefix| alarm.name.starts_with(prefix))
            && input.text("StateValue").is_none_or(|state| state == alarm.current.state.name())
            && input
                .text("ActionPrefix")
                .is_none_or(|prefix| alarm.actions.values().flatten().any(|a| a.starts_with(prefix)))
    };
    let size =
        input.integer("MaxRecords").and_then(|size| usize::try_from(size).ok()).unwrap_or(PAGE).clamp(1, 100);
    let start = input.text("NextToken").and_then(|token| token.parse().ok()).unwrap_or(0);
    let all: Vec<_> = region.alarms.values().filter(fits).collect();
    let page = all.iter().skip(start).take(size);
    let (metric, composite): (Vec<&Alarm>, Vec<&Alarm>) =
        page.copied().partition(|alarm| matches!(alarm.kind, Kind::Metric(_)));
    let told = |alarms: Vec<&Alarm>| alarms.into_iter().map(Alarm::describe).collect::<Vec<_>>();
    let mut answer = json!({ "MetricAlarms": told(metric), "CompositeAlarms": told(composite) });
    if all.len() > start + size {
        answer["NextToken"] = (start + size).to_string().into();
    }
    Ok(answer)
}

/// Like the service, says nothing of names that do not exist.
pub(crate) fn delete(region: &mut Region, input: Input<'_>) -> Value {
    for name in input.texts("AlarmNames") {
        region.alarms.remove(&name);
    }
    json!({})
}

pub(crate) fn set_state(service: &CloudWatch, region: &mut Region, input: Input<'_>) -> Answer {
    let name = input.required("AlarmName")?;
    let state = State::parse(input.required("StateValue")?);
    let state = state.ok_or_else(|| invalid("StateValue is OK, ALARM or INSUFFICIENT_DATA"))?;
    let reason = input.required("StateReason")?.to_owned();
    let now = Clock::now();
    let alarm = region.alarms.get_mut(name).ok_or_else(not_found)?;
    let period = match &alarm.kind {
        Kind::Metric(watched) => watched.period(),
        Kind::Composite { .. } => 60,
    };
    let data = input.text("StateReasonData").map(str::to_owned);
    alarm.held_until = now + service.real_period(period);
    alarm.change(Current { state, reason, data, updated: now, transitioned: now });
    let told = alarm.clone();
    service.tell(&told);
    Ok(json!({}))
}

pub(crate) fn enable_actions(region: &mut Region, input: Input<'_>, enabled: bool) -> Value {
    for name in input.texts("AlarmNames") {
        if let Some(alarm) = region.alarms.get_mut(&name) {
            alarm.actions_enabled = enabled;
        }
    }
    json!({})
}

pub(crate) fn tag(region: &mut Region, input: Input<'_>) -> Answer {
    let alarm = by_arn(region, input)?;
    alarm.tags.extend(alarm::tags(input));
    Ok(json!({}))
}

pub(crate) fn untag(region: &mut Region, input: Input<'_>) -> Answer {
    let keys = input.texts("TagKeys");
    by_arn(region, input)?.tags.retain(|key, _| !keys.contains(key));
    Ok(json!({}))
}

pub(crate) fn list_tags(region: &mut Region, input: Input<'_>) -> Answer {
    let tags = &by_arn(region, input)?.tags;
    Ok(
        json!({ "Tags": tags.iter().map(|(key, value)| json!({ "Key": key, "Value": value })).collect::<Vec<_>>() }),
    )
}

pub(crate) fn history(region: &Region, input: Input<'_>) -> Value {
    let wanted = |item: &&Value| input.text("AlarmName").is_none_or(|name| item["AlarmName"] == name);
    let items: Vec<_> = region.history.iter().rev().filter(wanted).take(100).collect();
    json!({ "AlarmHistoryItems": items })
}

pub(crate) fn type_of(alarm: &Alarm) -> &'static str {
    match alarm.kind {
        Kind::Metric(_) => "MetricAlarm",
        Kind::Composite { .. } => "CompositeAlarm",
    }
}

fn by_arn<'a>(region: &'a mut Region, input: Input<'_>) -> Result<&'a mut Alarm, ServiceError> {
    let arn = input.required("ResourceARN")?;
    region.alarms.values_mut().find(|alarm| alarm.arn == arn).ok_or_else(|| {
        ServiceError::new(404, "ResourceNotFoundException", format!("There is no alarm with the ARN {arn}"))
    })
}

fn not_found() -> ServiceError {
    ServiceError::new(404, "ResourceNotFound", "The named alarm does not exist")
}
