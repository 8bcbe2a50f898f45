//! What every operation on AWS is handed: the cloud, the clock, the voice and the two ways of being told to stop.

use std::time::{Duration, SystemTime};

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::clock::Clock;
use super::cloud::{Cloud, CloudError};
use super::refusal::Refusal;
use super::report::FailureReport;

/// Where the domain tells people what it is doing.
pub trait Reporter: Send + Sync {
    /// A passing line on the resource's row; the next one replaces it.
    fn status(&self, text: &str);
    /// A passing line that only counts time, and may be left out.
    fn tick(&self, text: &str);
    /// A line that stays.
    fn info(&self, text: &str);
    fn warn(&self, text: &str);
}

pub struct Context<'a, C: Cloud> {
    pub cloud: &'a C,
    pub clock: Clock,
    pub reporter: &'a dyn Reporter,
    pub cancel: CancellationToken,
    /// When the user's time limit for this operation is over.
    pub deadline: Option<Instant>,
}

/// Why a wait ended before what it waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Interrupted {
    #[error("the operation was cancelled")]
    Cancelled,
    #[error("the time limit of the operation was reached (`customTimeouts` sets it)")]
    TimedOut,
}

#[derive(Debug, thiserror::Error)]
pub enum RolloutError {
    #[error("{doing}: {source}")]
    Cloud { doing: String, source: CloudError },
    #[error(transparent)]
    Refused(Box<Refusal>),
    #[error("{0}")]
    Failed(Box<FailureReport>),
    #[error("{0}")]
    Left(String),
}

impl From<Refusal> for RolloutError {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(Box::new(refusal))
    }
}

/// Adds what was being done to an error of a call.
pub trait Doing<T> {
    fn doing(self, what: impl FnOnce() -> String) -> Result<T, RolloutError>;
}

impl<T> Doing<T> for Result<T, CloudError> {
    fn doing(self, what: impl FnOnce() -> String) -> Result<T, RolloutError> {
        self.map_err(|source| RolloutError::Cloud { doing: what(), source })
    }
}

impl<C: Cloud> Context<'_, C> {
    /// What time it is for AWS. Our own clock may be minutes off, and on another machine was.
    pub fn now(&self) -> SystemTime {
        self.cloud.now()
    }

    /// Waits on the service's clock, unless somebody wants the operation to end.
    pub async fn pause(&self, duration: Duration) -> Result<(), Interrupted> {
        self.or_interrupted(self.clock.sleep(duration)).await
    }

    /// How much of the service's time is left until the time limit.
    pub fn left(&self) -> Option<Duration> {
        Some(self.clock.passed(self.deadline?.saturating_duration_since(Instant::now())))
    }

    /// Runs a wait that may be dropped at any time.
    pub async fn or_interrupted<T>(&self, wait: impl Future<Output = T>) -> Result<T, Interrupted> {
        let timed_out = async {
            match self.deadline {
                Some(deadline) => tokio::time::sleep_until(deadline).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            () = self.cancel.cancelled() => Err(Interrupted::Cancelled),
            () = timed_out => Err(Interrupted::TimedOut),
            value = wait => Ok(value),
        }
    }
}

impl<C: Cloud> std::fmt::Debug for Context<'_, C> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Context")
            .field("clock", &self.clock)
            .field("deadline", &self.deadline)
            .finish_non_exhaustive()
    }
}
