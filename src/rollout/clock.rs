//! Waiting, with a clock that can run faster.
//!
//! Against AWS the speed is 1. The sandbox divides every duration of the service by its own speed; the provider is told
//! the same speed so that both agree on how long "five minutes" are.

use std::time::Duration;

/// Nothing is waited for longer, and a time so far ahead can still be counted.
const FOR_EVER: Duration = Duration::from_hours(100 * 365 * 24);

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
        times(duration, self.speed.recip())
    }

    /// How much of the service's time passes in `wall` time.
    pub fn passed(&self, wall: Duration) -> Duration {
        times(wall, self.speed)
    }

    pub async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(self.scaled(duration)).await;
    }
}

fn times(duration: Duration, factor: f64) -> Duration {
    let product = Duration::try_from_secs_f64(duration.as_secs_f64() * factor);
    product.map_or(FOR_EVER, |product| product.min(FOR_EVER))
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

    #[test]
    fn what_is_beyond_counting_is_for_ever() {
        for (speed, duration) in [(1e300, Duration::MAX), (1e-300, Duration::MAX), (1.0, Duration::MAX)] {
            let clock = Clock::new(speed);
            assert!(clock.scaled(duration) <= FOR_EVER && clock.passed(duration) <= FOR_EVER);
        }
        assert_eq!(Clock::new(60.0).passed(Duration::MAX), FOR_EVER);
        assert_eq!(Clock::new(1e-300).scaled(Duration::from_secs(1)), FOR_EVER);
    }
}
