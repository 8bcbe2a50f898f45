//! Evaluating the alarms again and again, and telling their topics.

use std::sync::Weak;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::alarm::{ACTIONS, Alarm, Current, Kind, Watched};
use super::evaluation::{EXTRA, State, Verdict, judge};
use super::metrics::{Metrics, Window, period_of};
use super::{CloudWatch, Region, query};
use crate::clock::{Clock, Timestamp};
use crate::identity::Scope;
use crate::lock::locked;
use crate::timestamp;
use crate::upstream::{Call, Upstream};

/// How often alarms are evaluated; not oftener than this in real time, whatever the speed.
const EVERY: Duration = Duration::from_secs(10);
const SHORTEST: Duration = Duration::from_millis(20);

/// A change of state, for those who subscribed.
#[derive(Clone, Debug)]
pub(crate) struct Told {
    arn: String,
    topics: Vec<String>,
    subject: String,
    message: String,
}

impl Told {
    pub(crate) fn of(alarm: &Alarm) -> Self {
        let state = alarm.current.state;
        let topics =
            ACTIONS.iter().filter(|(_, of)| *of == state).filter_map(|(member, _)| alarm.actions.get(member));
        let topics =
            topics.flatten().filter(|arn| alarm.actions_enabled && arn.contains(":sns:")).cloned().collect();
        let message = json!({
            "AlarmName": alarm.name,
            "AlarmDescription": alarm.description,
            "AlarmArn": alarm.arn,
            "NewStateValue": state.name(),
            "NewStateReason": alarm.current.reason,
            "StateChangeTime": timestamp::iso(alarm.current.updated),
        });
        Self {
            arn: alarm.arn.clone(),
            topics,
            subject: format!("{}: \"{}\"", state.name(), alarm.name),
            message: message.to_string(),
        }
    }
}

impl Alarm {
    pub(crate) fn change(&mut self, current: Current) {
        let transitioned =
            if current.state == self.current.state { self.current.transitioned } else { current.updated };
        self.current = Current { transitioned, ..current };
    }
}

/// Evaluates all alarms until the service is gone.
pub(crate) async fn evaluate_for_ever(service: Weak<CloudWatch>, clock: Clock) {
    let mut ticks = tokio::time::interval(clock.real(EVERY).max(SHORTEST));
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let Some(service) = service.upgrade() else { return };
        service.evaluate();
    }
}

impl CloudWatch {
    fn evaluate(&self) {
        let now = Clock::now();
        let mut changed = Vec::new();
        for region in locked(&self.regions).values_mut() {
            changed.extend(self.evaluate_region(region, now));
        }
        for alarm in changed {
            self.tell(&alarm);
        }
    }

    /// Composite alarms come last, because they depend on the others.
    fn evaluate_region(&self, region: &mut Region, now: Timestamp) -> Vec<Alarm> {
        let metric_alarms = region.alarms.values().filter(|alarm| alarm.held_until <= now);
        let mut news: Vec<_> = metric_alarms
            .filter_map(|alarm| match &alarm.kind {
                Kind::Metric(watched) => {
                    Some((alarm.name.clone(), self.of_metrics(&region.metrics, watched, now)?))
                }
                Kind::Composite { .. } => None,
            })
            .collect();
        let mut changed = apply(region, std::mem::take(&mut news));
        let state = |name: &str| region.alarms.get(name).map(|alarm| alarm.current.state);
        for alarm in region.alarms.values().filter(|alarm| alarm.held_until <= now) {
            if let Kind::Composite { text, rule } = &alarm.kind {
                let state = if rule.holds(&state) { State::Alarm } else { State::Ok };
                let reason = format!("The rule {text} is {}", state == State::Alarm);
                news.push((
                    alarm.name.clone(),
                    Current { state, reason, data: None, updated: now, transitioned: now },
                ));
            }
        }
        changed.extend(apply(region, news));
        changed
    }

    /// What the alarm's metrics say now; nothing if they leave it as it is.
    fn of_metrics(&self, metrics: &Metrics, watched: &Watched, now: Timestamp) -> Option<Current> {
        let period = self.real_period(watched.period());
        let looked_at = watched.rule.periods + EXTRA;
        // Only whole periods count, and of these the ones whose data have arrived.
        let last = period_of(now - self.clock.real(self.delay.most).as_secs_f64(), period) - 1;
        let first = last + 1 - i64::try_from(looked_at).ok()?;
        let series = query::answer(metrics, &watched.queries, Window { first, last, period, now }).ok()?;
        let series = series.get(&watched.deciding()?.id)?;
        let values: Vec<_> = (first..=last).map(|number| series.get(&number).copied()).collect();
        let verdict = judge(&values, &watched.rule);
        let state = verdict.state?;
        let used = verdict
            .used
            .iter()
            .filter_map(|place| Some((first + i64::try_from(*place).ok()?, values[*place]?)));
        #[expect(clippy::cast_precision_loss, reason = "period numbers are far below 2^52")]
        let used: Vec<_> = used.map(|(number, value)| (number as f64 * period, value)).collect();
        let data = json!({
            "version": "1.0", "queryDate": timestamp::iso(now), "period": watched.period(),
            "recentDatapoints": used.iter().map(|(_, value)| *value).collect::<Vec<_>>(),
            "threshold": watched.rule.threshold,
        });
        Some(Current {
            state,
            reason: reason(watched, &verdict, state, &used),
            data: Some(data.to_string()),
            updated: now,
            transitioned: now,
        })
    }
}

/// Changes the alarms whose state is another one now.
fn apply(region: &mut Region, news: Vec<(String, Current)>) -> Vec<Alarm> {
    let mut changed = Vec::new();
    for (name, current) in news {
        let Some(alarm) = region.alarms.get_mut(&name).filter(|alarm| alarm.current.state != current.state)
        else {
            continue;
        };
        let before = alarm.current.state.name();
        alarm.change(current);
        region.history.push(history(alarm, before));
        changed.push(alarm.clone());
    }
    changed
}

fn history(alarm: &Alarm, before: &str) -> Value {
    let after = alarm.current.state.name();
    json!({
        "AlarmName": alarm.name,
        "AlarmType": super::alarms::type_of(alarm),
        "Timestamp": alarm.current.updated,
        "HistoryItemType": "StateUpdate",
        "HistorySummary": format!("Alarm updated from {before} to {after}"),
        "HistoryData": json!({ "version": "1.0", "oldState": { "stateValue": before },
            "newState": { "stateValue": after, "stateReason": alarm.current.reason } }).to_string(),
    })
}

/// The sentence that explains a state, with the values that made it.
fn reason(watched: &Watched, verdict: &Verdict, state: State, used: &[(Timestamp, f64)]) -> String {
    let rule = &watched.rule;
    let (all, needed) = (rule.periods, rule.datapoints);
    if used.is_empty() {
        return match state {
            State::Insufficient => format!("Insufficient Data: {all} datapoints were unknown."),
            _ => format!("Threshold Crossed: no datapoints were received for {all} periods."),
        };
    }
    let points = used.iter().rev().map(|(at, value)| format!("{value:?} ({})", timestamp::short(*at)));
    let points = points.collect::<Vec<_>>().join(", ");
    let (count, not, change) = match state {
        State::Alarm => (verdict.breaching, "", "OK -> ALARM"),
        _ => (used.len() - verdict.breaching, "not ", "ALARM -> OK"),
    };
    format!(
        "Threshold Crossed: {count} out of the last {all} datapoints [{points}] was {not}{} the threshold ({:?}) \
         (minimum {needed} datapoint{} for {change} transition).",
        rule.comparison.words(),
        rule.threshold,
        if needed == 1 { "" } else { "s" },
    )
}

/// Sends what the alarms tell to their topics.
pub(crate) async fn deliver(mut inbox: mpsc::UnboundedReceiver<Told>, upstream: Upstream) {
    while let Some(told) = inbox.recv().await {
        for topic in &told.topics {
            let mut parts = topic.split(':').skip(3);
            let (region, account) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
            let scope = Scope::new(account, region);
            let call = Call { scope: &scope, service: "sns", headers: &[] };
            let parameters = [
                ("Action", "Publish"),
                ("Version", "2010-03-31"),
                ("TopicArn", topic.as_str()),
                ("Subject", told.subject.as_str()),
                ("Message", told.message.as_str()),
            ];
            if let Err(error) = upstream.form(call, &parameters).await {
                tracing::warn!(%error, alarm = told.arn, topic, "an alarm's topic was not told");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn alarm(service: &CloudWatch, scope: &Scope, missing: &str) {
        let input = json!({
            "AlarmName": "errors", "Namespace": "AWS/Lambda", "MetricName": "Errors", "Statistic": "Sum", "Period": 60,
            "EvaluationPeriods": 1, "Threshold": 0, "ComparisonOperator": "GreaterThanThreshold",
            "TreatMissingData": missing, "Dimensions": [{ "Name": "FunctionName", "Value": "f" }],
        });
        service.handle(scope, "PutMetricAlarm", &input).unwrap();
    }

    fn service() -> Arc<CloudWatch> {
        let (told, _) = mpsc::unbounded_channel();
        let regions = std::sync::Mutex::default();
        Arc::new(CloudWatch { clock: Clock::new(60.0), delay: crate::clock::Delay::default(), regions, told })
    }

    fn state(service: &CloudWatch, scope: &Scope) -> (String, String) {
        let answer = service.handle(scope, "DescribeAlarms", &json!({})).unwrap();
        let alarm = &answer["MetricAlarms"][0];
        (alarm["StateValue"].as_str().unwrap().to_owned(), alarm["StateReason"].as_str().unwrap().to_owned())
    }

    #[test]
    fn an_alarm_fires_when_its_period_is_over() {
        let (service, scope) = (service(), Scope::new("0", "r"));
        alarm(&service, &scope, "notBreaching");
        let evaluate = |now| {
            let mut regions = locked(&service.regions);
            service.evaluate_region(regions.get_mut(&scope).unwrap(), now).len()
        };
        assert_eq!(state(&service, &scope).0, "INSUFFICIENT_DATA");
        assert_eq!(evaluate(1000.0), 1);
        assert_eq!(state(&service, &scope).0, "OK");
        let mut regions = locked(&service.regions);
        let dimensions = [("FunctionName".to_owned(), "f".to_owned())].into();
        let metric =
            super::super::Metric { namespace: "AWS/Lambda".into(), name: "Errors".into(), dimensions };
        regions.get_mut(&scope).unwrap().metrics.add(
            metric,
            super::super::Sample::one(3.0),
            "Count",
            1000.2,
            1000.2,
        );
        drop(regions);
        assert_eq!(evaluate(1000.9), 0, "the period has not ended");
        assert_eq!(evaluate(1001.0), 1);
        let (now, reason) = state(&service, &scope);
        assert_eq!(now, "ALARM");
        assert!(
            reason.contains("1 out of the last 1 datapoints [3.0 (") && reason.contains("(0.0)"),
            "{reason}"
        );
        assert_eq!(evaluate(1005.0), 1, "long after, nothing is missing any more");
        assert_eq!(state(&service, &scope).0, "OK");
    }

    #[test]
    fn an_edited_alarm_keeps_its_state_and_a_set_one_drifts_back() {
        let (service, scope) = (service(), Scope::new("0", "r"));
        alarm(&service, &scope, "notBreaching");
        let set = json!({ "AlarmName": "errors", "StateValue": "ALARM", "StateReason": "by hand" });
        service.handle(&scope, "SetAlarmState", &set).unwrap();
        let held = locked(&service.regions)[&scope].alarms["errors"].held_until;
        locked(&service.regions).get_mut(&scope).map(|region| service.evaluate_region(region, held - 0.1));
        assert_eq!(state(&service, &scope), ("ALARM".to_owned(), "by hand".to_owned()));
        alarm(&service, &scope, "notBreaching");
        assert_eq!(state(&service, &scope).0, "ALARM");
        locked(&service.regions).get_mut(&scope).map(|region| service.evaluate_region(region, held));
        assert_eq!(state(&service, &scope).0, "OK");
    }
}
