//! A token bucket: how many calls a second may start.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::rollout::clock::Clock;

/// A slower rate would be no rate, and its places are beyond what a clock can count.
const LONGEST_GAP: Duration = Duration::from_hours(1);

/// Calls take a place in a queue; each place is one gap after the one before it.
#[derive(Debug)]
pub(super) struct Budget {
    /// Wall time between two calls when the bucket is empty.
    gap: Duration,
    /// How far ahead of its place a call may start: a full bucket's worth of gaps.
    head_start: Duration,
    next_place: Mutex<Option<Instant>>,
}

impl Budget {
    /// `per_second` calls in a second of the service's time, `burst` of them at once. What is not a positive rate
    /// counts as one call a second, so that a mistake cannot become a flood.
    pub(super) fn new(clock: Clock, per_second: f64, burst: u32) -> Self {
        let rate = if per_second.is_finite() && per_second > 0.0 { per_second } else { 1.0 };
        let gap = Duration::try_from_secs_f64(rate.recip()).unwrap_or(Duration::from_secs(1));
        let gap = clock.scaled(gap.min(LONGEST_GAP));
        Self { gap, head_start: gap * burst.saturating_sub(1), next_place: Mutex::new(None) }
    }

    /// Waits until one more call may start, in the order of asking.
    pub(super) async fn take(&self) {
        let start = self.reserve(Instant::now());
        tokio::time::sleep_until(start).await;
    }

    fn reserve(&self, now: Instant) -> Instant {
        let mut next = self.next_place.lock().unwrap_or_else(PoisonError::into_inner);
        let place = next.map_or(now, |next| next.max(now));
        *next = Some(place + self.gap);
        place.checked_sub(self.head_start).map_or(now, |start| start.max(now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn starts(budget: &Budget, calls: usize) -> Vec<u128> {
        let begin = Instant::now();
        let mut starts = Vec::new();
        for _ in 0..calls {
            budget.take().await;
            starts.push(begin.elapsed().as_millis());
        }
        starts
    }

    #[tokio::test(start_paused = true)]
    async fn a_burst_passes_and_then_calls_are_spread() {
        let budget = Budget::new(Clock::new(1.0), 10.0, 3);
        assert_eq!(starts(&budget, 6).await, [0, 0, 0, 100, 200, 300]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_rest_fills_the_bucket_again_but_not_beyond_its_size() {
        let budget = Budget::new(Clock::new(1.0), 10.0, 2);
        assert_eq!(starts(&budget, 3).await, [0, 0, 100]);
        tokio::time::sleep(Duration::from_mins(1)).await;
        assert_eq!(starts(&budget, 4).await, [0, 0, 100, 200]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_fast_clock_allows_more_in_the_same_wall_time() {
        let budget = Budget::new(Clock::new(10.0), 2.0, 1);
        assert_eq!(starts(&budget, 3).await, [0, 50, 100]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_rate_that_is_none_counts_as_one_a_second() {
        for rate in [0.0, -3.0, f64::NAN, f64::INFINITY] {
            let budget = Budget::new(Clock::new(1.0), rate, 1);
            assert_eq!(starts(&budget, 2).await, [0, 1000], "{rate}");
        }
    }
}
