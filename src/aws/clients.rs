//! The clients of the services, and the one way through which all calls go.

use std::collections::HashMap;
use std::error::Error;
use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use aws_config::SdkConfig;
use aws_sdk_lambda::error::{ErrorMetadata, ProvideErrorMetadata, SdkError};
use futures_util::future::BoxFuture;
use tokio::sync::{Mutex, OnceCell};

use super::budgets::{Budgets, HeedThrottling};
use super::config::{AwsConfig, Service};
use super::error::{self, Answered};
use super::service_clock::{ReadDates, ServiceClock};
use crate::rollout::clock::Clock;
use crate::rollout::cloud::{CloudError, Identity};

/// How often and how far apart a change is tried while Lambda is busy with another change of the function.
const BUSY_TRIES: u32 = 30;
const BUSY_PAUSE: Duration = Duration::from_secs(2);

/// Everything is made when it is first used: making it costs time and memory that a preview does not need.
pub(super) struct Clients {
    pub(super) config: AwsConfig,
    pub(super) clock: Clock,
    service_clock: Arc<ServiceClock>,
    sdk: OnceCell<SdkConfig>,
    code_deploy: OnceCell<aws_sdk_codedeploy::Client>,
    lambda: OnceCell<aws_sdk_lambda::Client>,
    iam: OnceCell<aws_sdk_iam::Client>,
    cloud_watch: OnceCell<aws_sdk_cloudwatch::Client>,
    logs: OnceCell<aws_sdk_cloudwatchlogs::Client>,
    sts: OnceCell<aws_sdk_sts::Client>,
    pub(super) identity: OnceCell<Identity>,
    pub(super) log_groups: Mutex<HashMap<String, String>>,
    /// The target of each deployment that was looked at: CodeDeploy wants it named.
    pub(super) target_ids: Mutex<HashMap<String, String>>,
    pub(super) budgets: Arc<Budgets>,
}

/// A client that is made on first use, with the endpoint that the settings give it.
macro_rules! client {
    ($name:ident, $sdk:ident, $service:expr) => {
        pub(super) async fn $name(&self) -> &$sdk::Client {
            let make = || async {
                let dates = ReadDates(Arc::clone(&self.service_clock));
                let heed = HeedThrottling(Arc::clone(&self.budgets));
                let mut builder =
                    $sdk::config::Builder::from(self.sdk().await).interceptor(dates).interceptor(heed);
                if let Some(url) = self.config.endpoint($service) {
                    builder = builder.endpoint_url(url);
                }
                $sdk::Client::from_conf(builder.build())
            };
            self.$name.get_or_init(make).await
        }
    };
}

impl Clients {
    client!(code_deploy, aws_sdk_codedeploy, Service::CodeDeploy);
    client!(lambda, aws_sdk_lambda, Service::Lambda);
    client!(iam, aws_sdk_iam, Service::Iam);
    client!(cloud_watch, aws_sdk_cloudwatch, Service::CloudWatch);
    client!(logs, aws_sdk_cloudwatchlogs, Service::Logs);
    client!(sts, aws_sdk_sts, Service::Sts);

    pub(super) fn new(config: AwsConfig, clock: Clock) -> Self {
        Self {
            clock,
            service_clock: Arc::default(),
            sdk: OnceCell::new(),
            code_deploy: OnceCell::new(),
            lambda: OnceCell::new(),
            iam: OnceCell::new(),
            cloud_watch: OnceCell::new(),
            logs: OnceCell::new(),
            sts: OnceCell::new(),
            identity: OnceCell::new(),
            log_groups: Mutex::default(),
            target_ids: Mutex::default(),
            budgets: Arc::new(Budgets::new(&config, clock)),
            config,
        }
    }

    /// What time it is for AWS, as far as its answers have told.
    pub(super) fn now(&self) -> SystemTime {
        self.service_clock.now()
    }

    /// Sends one request when the budget allows it.
    ///
    /// Boxed, here and below, because the SDK's futures are large, and so would be all that waits for them. Thousands may
    /// wait for their turn, so one is made only when it has come; and what everybody reads, many at once, is not even
    /// a request before.
    pub(super) fn call<'a, T, E, F>(
        &'a self,
        operation: &'static str,
        send: impl FnOnce() -> F + Send + 'a,
    ) -> BoxFuture<'a, Answered<T>>
    where
        T: Send,
        E: ProvideErrorMetadata + Error + Send + Sync + 'static,
        F: Future<Output = Result<T, SdkError<E>>> + Send,
    {
        Box::pin(async move {
            self.budgets.take(operation).await;
            self.call_admitted(operation, send()).await
        })
    }

    /// Sends one request at once: for what is no control-plane call, or has its room already.
    pub(super) fn call_admitted<'a, T, E>(
        &'a self,
        operation: &'static str,
        request: impl Future<Output = Result<T, SdkError<E>>> + Send + 'a,
    ) -> BoxFuture<'a, Answered<T>>
    where
        T: Send,
        E: ProvideErrorMetadata + Error + Send + Sync + 'static,
    {
        Box::pin(async move {
            match request.await {
                Ok(answer) => Ok(answer),
                Err(failure) => {
                    Err(self.failed(operation, failure.map_service_error(|e| e.meta().clone())).await)
                }
            }
        })
    }

    /// Sends a change again while Lambda is busy with another change of the same function.
    pub(super) async fn change<T, E, F>(
        &self,
        operation: &'static str,
        send: impl Fn() -> F + Sync,
    ) -> Answered<T>
    where
        T: Send,
        E: ProvideErrorMetadata + Error + Send + Sync + 'static,
        F: Future<Output = Result<T, SdkError<E>>> + Send,
    {
        let mut tries = 1;
        loop {
            match self.call(operation, &send).await {
                Err(busy) if error::is_update_in_progress(&busy) && tries < BUSY_TRIES => tries += 1,
                answer => return answer,
            }
            self.clock.sleep(BUSY_PAUSE).await;
        }
    }

    /// Boxed and without the operation's own types, since every operation has a copy of what calls it.
    fn failed(&self, operation: &'static str, failure: SdkError<ErrorMetadata>) -> BoxFuture<'_, CloudError> {
        Box::pin(async move {
            let route = self.config.route(Service::of(operation), self.sdk().await);
            let error = error::translate(operation, &route, &failure);
            tracing::debug!(operation, kind = ?error.kind, code = error.code, "failed");
            error
        })
    }

    pub(super) async fn sdk(&self) -> &SdkConfig {
        // Boxed: it happens once, and every call would have room for it.
        self.sdk.get_or_init(|| Box::pin(self.config.load())).await
    }
}

impl fmt::Debug for Clients {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Clients").field("config", &self.config).finish_non_exhaustive()
    }
}
