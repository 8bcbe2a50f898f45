//! The domain's voice: lines on the resource's row in the engine's display.

use std::sync::Mutex;

use crate::pulumi::EngineLog;
use crate::rollout::context::Reporter;

/// Says each passing line only when it differs from the last one.
pub struct EngineReporter {
    log: EngineLog,
    last: Mutex<String>,
}

impl EngineReporter {
    pub fn new(log: EngineLog) -> Self {
        Self { log, last: Mutex::new(String::new()) }
    }
}

impl Reporter for EngineReporter {
    fn status(&self, text: &str) {
        let mut last = self.last.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if *last != text {
            text.clone_into(&mut last);
            self.log.status(text);
        }
    }

    fn info(&self, text: &str) {
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
