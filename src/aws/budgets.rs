//! What we allow ourselves to ask of AWS: all calls together, and the operations that are known to be throttled early.

use std::sync::Arc;

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::BeforeDeserializationInterceptorContextRef;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;

use super::budget::Budget;
use super::config::AwsConfig;
use super::deployments::{START, STOP};
use super::error::is_throttling;
use crate::rollout::clock::Clock;
use crate::rollout::cloud::Aside;

/// A full budget lets two seconds' worth of calls start at once.
const BURST_SECONDS: f64 = 2.0;

/// Calls a second, and how many at once, of operations that AWS throttles early. It publishes none of these limits: they are
/// what users saw throttled (some forty `GetDeployment` a minute, nine `DescribeAlarms` and three `PutMetricAlarm` a
/// second), with room to spare.
const QUOTAS: [(&str, f64, u32); 3] = [
    ("cloudwatch:DescribeAlarms", 8.0, 5),
    ("cloudwatch:PutMetricAlarm", 2.0, 2),
    ("cloudwatch:DeleteAlarms", 2.0, 2),
];
/// The same for each operation of CodeDeploy but [`START`], whose pace users set, and [`STOP`], which must not wait.
const CODE_DEPLOY: (f64, u32) = (0.9, 5);
const CODE_DEPLOY_OPERATIONS: [&str; 18] = [
    "codedeploy:BatchGetDeployments",
    "codedeploy:CreateApplication",
    "codedeploy:CreateDeploymentConfig",
    "codedeploy:CreateDeploymentGroup",
    "codedeploy:DeleteApplication",
    "codedeploy:DeleteDeploymentConfig",
    "codedeploy:DeleteDeploymentGroup",
    "codedeploy:GetApplication",
    "codedeploy:GetDeployment",
    "codedeploy:GetDeploymentConfig",
    "codedeploy:GetDeploymentGroup",
    "codedeploy:GetDeploymentTarget",
    "codedeploy:ListDeploymentGroups",
    "codedeploy:ListDeploymentTargets",
    "codedeploy:ListDeployments",
    "codedeploy:ListTagsForResource",
    "codedeploy:TagResource",
    "codedeploy:UpdateDeploymentGroup",
];
/// Looks that only tell people more.
const PROGRESS: (f64, u32) = (0.25, 5);
/// Looks at requests, errors and alarms that only tell people more, two calls each.
const COUNTS: (f64, u32) = (0.25, 5);
/// Looks into the logs of hooks.
const HOOKS: (f64, u32) = (0.5, 5);

#[derive(Debug)]
pub(super) struct Budgets {
    all: Budget,
    operations: Vec<(&'static str, Budget)>,
    starts: Budget,
    progress: Budget,
    counts: Budget,
    hooks: Budget,
}

impl Budgets {
    pub(super) fn new(config: &AwsConfig, clock: Clock) -> Self {
        let (all, starts) = (config.requests_per_second(), config.deployment_starts_per_second());
        let of = |(rate, burst)| Budget::new(clock, rate, burst);
        let quotas = QUOTAS.iter().map(|(name, rate, burst)| (*name, of((*rate, *burst))));
        let code_deploy = CODE_DEPLOY_OPERATIONS.iter().map(|name| (*name, of(CODE_DEPLOY)));
        Self {
            all: of((all, burst(all))),
            operations: quotas.chain(code_deploy).collect(),
            starts: of((starts, 1)),
            progress: of(PROGRESS),
            counts: of(COUNTS),
            hooks: of(HOOKS),
        }
    }

    /// Waits until one more call of this operation may start. Whoever has waited for a slow operation, or for a turn to
    /// start, does not wait in the line of all again: those that left the one line slowly would leave the other one
    /// together. Nor does a stop.
    pub(super) async fn take(&self, operation: &str) {
        match self.of(operation) {
            Some(own) => {
                own.take().await;
                self.all.take_first().await;
            }
            None if [START, STOP].contains(&operation) => self.all.take_first().await,
            None => self.all.take().await,
        }
    }

    /// The same, for a call that many wait for.
    pub(super) async fn take_first(&self, operation: &str) {
        if let Some(own) = self.of(operation) {
            own.take_first().await;
        }
        self.all.take_first().await;
    }

    /// Waits until one more deployment may start, or go back.
    pub(super) async fn take_start(&self, is_way_back: bool) {
        if is_way_back {
            self.starts.take_first().await;
        } else {
            self.starts.take().await;
        }
    }

    /// Whether there is room for a look that can be left out; then it is counted.
    pub(super) fn has_room(&self, aside: Aside) -> bool {
        match aside {
            Aside::Progress => self.progress.try_take(),
            Aside::Counts => self.counts.try_take(),
            Aside::Hook => self.hooks.try_take(),
        }
    }

    fn of(&self, operation: &str) -> Option<&Budget> {
        self.operations.iter().find(|(name, _)| *name == operation).map(|(_, budget)| budget)
    }
}

/// Lowers the pace of all calls when a service throttles one of them, also where the SDK then tries again by itself.
#[derive(Debug)]
pub(super) struct HeedThrottling(pub(super) Arc<Budgets>);

impl Intercept for HeedThrottling {
    fn name(&self) -> &'static str {
        "HeedThrottling"
    }

    fn read_before_deserialization(
        &self,
        context: &BeforeDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let response = context.response();
        if response.status().is_success() {
            self.0.all.recover();
        } else if response.status().as_u16() == 429 || says_throttled(response.body().bytes()) {
            self.0.all.slow_down();
        }
        Ok(())
    }
}

/// The services that do not answer with 429 name the error in the body.
fn says_throttled(body: Option<&[u8]>) -> bool {
    let text = String::from_utf8_lossy(body.unwrap_or_default());
    text.split(|c: char| !c.is_alphanumeric()).any(|word| is_throttling(word, "")) || is_throttling("", &text)
}

/// The number of calls that may start at once.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to what fits")]
fn burst(per_second: f64) -> u32 {
    (per_second * BURST_SECONDS).clamp(1.0, 1_000.0) as u32
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use futures_util::future::join_all;
    use tokio::time::Instant;

    use super::*;

    /// A thousand creations ask for everything at once, and most of it is of operations that have no limit of their own.
    #[tokio::test(start_paused = true)]
    async fn a_slow_operation_keeps_its_pace_however_many_calls_wait_beside_it() {
        let budgets = Budgets::new(&AwsConfig::default(), Clock::new(1.0));
        let begin = Instant::now();
        let others = join_all((0..500).map(|_| budgets.take("lambda:GetAlias")));
        let slow = join_all((0..40).map(|_| async {
            budgets.take("codedeploy:GetApplication").await;
            begin.elapsed()
        }));
        let (mut times, _) = tokio::join!(slow, others);
        times.sort();
        let (rate, burst) = CODE_DEPLOY;
        let most = |window: Duration| f64::from(burst) + rate * window.as_secs_f64() + 1.0;
        for window in [1, 5, 10].map(Duration::from_secs) {
            for from in &times {
                let count = times.iter().filter(|time| *time >= from && **time < *from + window).count();
                assert!(
                    f64::from(u32::try_from(count).unwrap()) <= most(window),
                    "{count} in {window:?}: {times:?}"
                );
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_stop_and_a_way_back_wait_for_nobody_who_waits_longer() {
        let budgets = Budgets::new(&AwsConfig::default(), Clock::new(1.0));
        let begin = Instant::now();
        let others = join_all((0..500).map(|_| budgets.take("lambda:GetAlias")));
        let starts = join_all((0..60).map(|_| budgets.take_start(false)));
        let urgent = async {
            tokio::time::sleep(Duration::from_secs(5)).await;
            budgets.take(STOP).await;
            budgets.take_start(true).await;
            budgets.take(START).await;
            begin.elapsed()
        };
        let (_, _, urgent) = tokio::join!(others, starts, urgent);
        assert!(urgent < Duration::from_secs(7), "{urgent:?}");
    }

    #[test]
    fn each_service_says_in_its_own_way_that_it_is_asked_too_often() {
        let told = |body: &str| says_throttled(Some(body.as_bytes()));
        assert!(told(r#"{"__type":"ThrottlingException","message":"slower"}"#));
        assert!(told("<Error><Code>Throttling</Code></Error>"));
        assert!(told(r#"{"message":"Rate exceeded"}"#));
        assert!(!told(r#"{"__type":"AccessDeniedException","message":"no"}"#));
        assert!(!says_throttled(None));
    }
}
