//! The domain's voice: lines on the resource's row in the engine's display.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::pulumi::EngineLog;
use crate::rollout::context::Reporter;

/// Without a terminal each passing line is printed, so one that only counts time comes this seldom.
const TICK: Duration = Duration::from_secs(10);

/// Says each passing line only when it differs from the last one.
pub struct EngineReporter {
    log: EngineLog,
    last: Mutex<Last>,
}

#[derive(Default)]
struct Last {
    text: String,
    at: Option<Instant>,
}

impl EngineReporter {
    pub fn new(log: EngineLog) -> Self {
        Self { log, last: Mutex::default() }
    }
}

impl Reporter for EngineReporter {
    fn status(&self, text: &str) {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if last.text != text {
            text.clone_into(&mut last.text);
            last.at = Some(Instant::now());
            self.log.status(text);
        }
    }

    fn tick(&self, text: &str) {
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner).at;
        if last.is_none_or(|at| at.elapsed() >= TICK) {
            self.status(text);
        }
    }

    fn info(&self, text: &str) {
        self.last.lock().unwrap_or_else(PoisonError::into_inner).at = Some(Instant::now());
        self.log.info(text);
    }

    fn warn(&self, text: &str) {
        self.log.warn(text);
    }
}

impl std::fmt::Debug for EngineReporter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EngineReporter").finish_non_exhaustive()
    }
}
