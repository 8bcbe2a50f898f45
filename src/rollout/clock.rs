//! Waiting, with a clock that can run faster.
//!
//! Against AWS the speed is 1. The sandbox divides every duration of the service by its own speed; the provider is told
//! the same speed so that both agree on how long "five minutes" are.

use std::time::Duration;

#[derive(Debug, Clone, Copy)]
pub struct Clock {
    speed: f64,
}

impl Clock {
    /// `speed` 60 makes a minute a second. What is not a positive number counts as 1.
    pub fn new(speed: f64) -> Self {
        Self { speed: if speed.is_finite() && speed > 0.0 { speed } else { 1.0 } }
    }

    /// How long `duration` of the service's time takes on the wall.
    pub fn scaled(&self, duration: Duration) -> Duration {
        duration.div_f64(self.speed)
    }

    /// How much of the service's time passes in `wall` time.
    pub fn passed(&self, wall: Duration) -> Duration {
        wall.mul_f64(self.speed)
    }

    pub async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(self.scaled(duration)).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fast_clock_shortens_waits_and_stretches_what_passed() {
        let clock = Clock::new(60.0);
        assert_eq!(clock.scaled(Duration::from_secs(300)), Duration::from_secs(5));
        assert_eq!(clock.passed(Duration::from_secs(5)), Duration::from_secs(300));
        assert_eq!(Clock::new(0.0).scaled(Duration::from_secs(1)), Duration::from_secs(1));
    }
}
