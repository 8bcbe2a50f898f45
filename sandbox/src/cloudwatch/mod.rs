//! CloudWatch's metrics and alarms.

mod alarm;
mod alarms;
mod composite;
mod data;
mod evaluation;
mod input;
mod math;
mod metrics;
pub(crate) mod protocol;
mod query;
mod watch;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tokio::sync::mpsc;

use self::alarm::{Alarm, Kind};
use self::input::Input;
use self::metrics::{Metric, Metrics, Sample};
use self::watch::Told;
use crate::clock::{Clock, Delay, Timestamp};
use crate::error::ServiceError;
use crate::identity::Scope;
use crate::lock::locked;
use crate::upstream::Upstream;

/// What one account has in one region.
#[derive(Debug, Default)]
struct Region {
    metrics: Metrics,
    alarms: BTreeMap<String, Alarm>,
    history: Vec<Value>,
}

#[derive(Debug)]
pub(crate) struct CloudWatch {
    clock: Clock,
    /// How long data are on their way.
    delay: Delay,
    regions: Mutex<HashMap<Scope, Region>>,
    /// Alarms that changed their state, for those who subscribed to it.
    told: mpsc::UnboundedSender<Told>,
}

impl CloudWatch {
    /// Starts the service; alarms are evaluated until it is dropped.
    pub(crate) fn start(clock: Clock, delay: Delay, upstream: Upstream) -> Arc<Self> {
        let (told, inbox) = mpsc::unbounded_channel();
        let service = Arc::new(Self { clock, delay, regions: Mutex::default(), told });
        tokio::spawn(watch::evaluate_for_ever(Arc::downgrade(&service), clock));
        tokio::spawn(watch::deliver(inbox, upstream));
        service
    }

    /// Answers one call.
    pub(crate) fn handle(
        &self,
        scope: &Scope,
        operation: &str,
        input: &Value,
    ) -> Result<Value, ServiceError> {
        let input = Input(input);
        let mut regions = locked(&self.regions);
        let region = regions.entry(scope.clone()).or_default();
        match operation {
            "PutMetricData" => data::put(self, region, input),
            "GetMetricData" => data::get(self, region, input),
            "GetMetricStatistics" => data::statistics(self, region, input),
            "ListMetrics" => Ok(data::list(region, input)),
            "PutMetricAlarm" => Kind::metric(input).and_then(|kind| alarms::put(region, scope, input, kind)),
            "PutCompositeAlarm" => {
                Kind::composite(input).and_then(|kind| alarms::put(region, scope, input, kind))
            }
            "DescribeAlarms" => alarms::describe(region, input),
            "DescribeAlarmHistory" => Ok(alarms::history(region, input)),
            "DeleteAlarms" => Ok(alarms::delete(region, input)),
            "SetAlarmState" => alarms::set_state(self, region, input),
            "EnableAlarmActions" => Ok(alarms::enable_actions(region, input, true)),
            "DisableAlarmActions" => Ok(alarms::enable_actions(region, input, false)),
            "TagResource" => alarms::tag(region, input),
            "UntagResource" => alarms::untag(region, input),
            "ListTagsForResource" => alarms::list_tags(region, input),
            _ => {
                let message = format!("The sandbox does not have CloudWatch's operation {operation}");
                Err(ServiceError::bad("UnknownOperationException", message))
            }
        }
    }

    /// Records one measurement.
    #[expect(clippy::too_many_arguments, reason = "a measurement is all of these")]
    pub(crate) fn record(
        &self,
        scope: &Scope,
        namespace: &str,
        name: &str,
        dimensions: &[(&str, &str)],
        value: f64,
        unit: &str,
        at: Timestamp,
    ) {
        let dimensions =
            dimensions.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let metric = Metric { namespace: namespace.to_owned(), name: name.to_owned(), dimensions };
        let visible = self.visible_from(Clock::now());
        let mut regions = locked(&self.regions);
        regions.entry(scope.clone()).or_default().metrics.add(metric, Sample::one(value), unit, at, visible);
    }

    /// The states of those of the named alarms that exist.
    pub(crate) fn states(&self, scope: &Scope, names: &[String]) -> HashMap<String, String> {
        let regions = locked(&self.regions);
        let Some(region) = regions.get(scope) else { return HashMap::new() };
        let found = names.iter().filter_map(|name| region.alarms.get(name));
        found.map(|alarm| (alarm.name.clone(), alarm.current.state.name().to_owned())).collect()
    }

    /// What exists, for the sandbox's own report.
    pub(crate) fn inventory(&self, scope: &Scope) -> Value {
        let regions = locked(&self.regions);
        let alarms = regions.get(scope).into_iter().flat_map(|region| region.alarms.values());
        let told = alarms.map(|alarm| {
            json!({ "name": alarm.name, "type": alarms::type_of(alarm), "state": alarm.current.state.name(),
                "reason": alarm.current.reason, "tags": alarm.tags })
        });
        json!({ "alarms": told.collect::<Vec<_>>() })
    }

    pub(crate) fn scopes(&self) -> Vec<Scope> {
        locked(&self.regions).keys().cloned().collect()
    }

    fn visible_from(&self, now: Timestamp) -> Timestamp {
        now + self.clock.real(self.delay.some()).as_secs_f64()
    }

    /// The real length of a period.
    fn real_period(&self, seconds: i64) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "periods are short")]
        let seconds = seconds as f64;
        self.clock.real_seconds(seconds)
    }

    fn tell(&self, alarm: &Alarm) {
        // Nobody listens any more when the sandbox is stopping.
        let _ = self.told.send(Told::of(alarm));
    }
}
