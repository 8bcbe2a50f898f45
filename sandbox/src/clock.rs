//! One place that turns the service's durations into those of this sandbox.
//!
//! Time of day is real, unless it is to be off by some seconds. Only durations shrink: at speed 60 a minute of the
//! service is a second here.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Seconds since 1970, with fractions: the form in which the services speak of time.
pub(crate) type Timestamp = f64;

/// How far the services' time of day is from the machine's, in milliseconds. There is one time of day in a process.
static SKEW: AtomicI64 = AtomicI64::new(0);

/// How fast the services' durations pass.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Clock {
    speed: f64,
}

impl Clock {
    /// A clock on which durations pass `speed` times as fast; a speed that makes no sense counts as 1.
    pub(crate) fn new(speed: f64) -> Self {
        Self { speed: if speed.is_finite() && speed > 0.0 { speed } else { 1.0 } }
    }

    pub(crate) fn speed(self) -> f64 {
        self.speed
    }

    /// The services' time of day.
    pub(crate) fn now() -> Timestamp {
        let machine = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64());
        #[expect(clippy::cast_precision_loss, reason = "nobody's clock is that far off")]
        let skew = SKEW.load(Ordering::Relaxed) as f64 / 1000.0;
        machine + skew
    }

    /// From now on the services' time of day is this much ahead of the machine's, or behind it.
    pub(crate) fn set_skew(self, seconds: f64) {
        #[expect(clippy::cast_possible_truncation, reason = "it saturates")]
        SKEW.store((self.real_seconds(seconds) * 1000.0) as i64, Ordering::Relaxed);
    }

    /// How long a duration of the service takes here.
    pub(crate) fn real(self, duration: Duration) -> Duration {
        duration.div_f64(self.speed)
    }

    /// The same for a number of seconds.
    pub(crate) fn real_seconds(self, seconds: f64) -> f64 {
        seconds / self.speed
    }

    /// Sleeps for a duration of the service.
    pub(crate) async fn sleep(self, duration: Duration) {
        tokio::time::sleep(self.real(duration)).await;
    }
}

/// A delay that is somewhere between two durations of the service, each time anew.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Delay {
    pub least: Duration,
    pub most: Duration,
}

impl Delay {
    pub(crate) fn some(self) -> Duration {
        self.least + self.most.saturating_sub(self.least).mul_f64(fastrand::f64())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_shrink_by_the_speed() {
        for (speed, minutes, expected_ms) in
            [(1.0, 1, 60_000), (60.0, 5, 5_000), (600.0, 1, 100), (0.5, 1, 120_000)]
        {
            let clock = Clock::new(speed);
            assert_eq!(clock.real(Duration::from_secs(minutes * 60)), Duration::from_millis(expected_ms));
        }
    }

    #[test]
    fn a_senseless_speed_is_one() {
        for speed in [0.0, -3.0, f64::NAN, f64::INFINITY] {
            assert_eq!(Clock::new(speed).speed().to_bits(), 1.0_f64.to_bits());
        }
    }

    #[tokio::test(start_paused = true)]
    async fn sleeping_takes_the_shortened_time() {
        let before = tokio::time::Instant::now();
        Clock::new(60.0).sleep(Duration::from_secs(300)).await;
        assert_eq!(before.elapsed(), Duration::from_secs(5));
    }
}
