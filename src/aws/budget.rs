//! A token bucket: how many calls a second may start.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

use crate::rollout::clock::Clock;

/// A slower rate would be no rate, and its places are beyond what a clock can count.
const LONGEST_GAP: Duration = Duration::from_hours(1);
/// How far throttling can lower the rate.
const SLOWEST: f64 = 8.0;
/// Each answer that is none of throttling takes this share of the slowness away.
const RECOVERY: f64 = 0.95;

/// How many of those who go first do so while somebody else waits; then it is his turn.
const IN_A_ROW: usize = 4;

/// Calls take a place in a queue; each place is one gap after the one before it.
#[derive(Debug)]
pub(super) struct Budget {
    /// Wall time between two calls when the bucket is empty.
    gap: Duration,
    /// How far ahead of its place a call may start: a full bucket's worth of gaps.
    head_start: Duration,
    state: Mutex<State>,
    /// Those who go first.
    hurried: Line,
    patient: Line,
    /// How many have gone first since somebody else had his turn.
    in_a_row: AtomicUsize,
}

#[derive(Debug)]
struct State {
    next_place: Option<Instant>,
    /// By how much the gap is longer than it should be; 1 = not at all.
    slowness: f64,
    slowed: Option<Instant>,
}

impl Budget {
    /// `per_second` calls in a second of the service's time, `burst` of them at once. What is not a positive rate
    /// counts as one call a second, so that a mistake cannot become a flood.
    pub(super) fn new(clock: Clock, per_second: f64, burst: u32) -> Self {
        let rate = if per_second.is_finite() && per_second > 0.0 { per_second } else { 1.0 };
        let gap = Duration::try_from_secs_f64(rate.recip()).unwrap_or(Duration::from_secs(1));
        let gap = clock.scaled(gap.min(LONGEST_GAP));
        let state = State { next_place: None, slowness: 1.0, slowed: None };
        let head_start = gap * burst.saturating_sub(1);
        Self {
            gap,
            head_start,
            state: Mutex::new(state),
            hurried: Line::default(),
            patient: Line::default(),
            in_a_row: AtomicUsize::default(),
        }
    }

    /// Waits until one more call may start, in the order of asking.
    pub(super) async fn take(&self) {
        let _waiting = self.patient.join();
        let _head = self.patient.head.lock().await;
        loop {
            if self.hurried.is_waiting() && !self.is_turn_of_others() {
                self.hurried.left.notified().await;
            } else if let Err(later) = self.reserve(Instant::now()) {
                tokio::time::sleep_until(later).await;
            } else {
                return self.in_a_row.store(0, Ordering::SeqCst);
            }
        }
    }

    /// The same, ahead of those who wait in [`Self::take`], but for every fifth: for a call that many wait for.
    pub(super) async fn take_first(&self) {
        let _waiting = self.hurried.join();
        let _head = self.hurried.head.lock().await;
        loop {
            if self.patient.is_waiting() && self.is_turn_of_others() {
                self.patient.left.notified().await;
            } else if let Err(later) = self.reserve(Instant::now()) {
                tokio::time::sleep_until(later).await;
            } else {
                self.in_a_row.fetch_add(1, Ordering::SeqCst);
                return;
            }
        }
    }

    /// Whether a call may start at once; then it is counted.
    pub(super) fn try_take(&self) -> bool {
        self.patient.head.try_lock().is_ok()
            && !self.hurried.is_waiting()
            && self.reserve(Instant::now()).is_ok()
    }

    fn is_turn_of_others(&self) -> bool {
        self.in_a_row.load(Ordering::SeqCst) >= IN_A_ROW
    }

    /// The service says that it is asked too often. Calls that were under way together are told so together, which
    /// counts once.
    pub(super) fn slow_down(&self) {
        let now = Instant::now();
        let mut state = self.state();
        if state.slowed.is_some_and(|slowed| now < slowed + self.gap.mul_f64(state.slowness)) {
            return;
        }
        state.slowness = (state.slowness * 2.0).min(SLOWEST);
        state.slowed = Some(now);
        // What the bucket held is no longer to be had.
        let emptied = now + self.head_start;
        state.next_place = Some(state.next_place.map_or(emptied, |next| next.max(emptied)));
    }

    /// The service answered.
    pub(super) fn recover(&self) {
        let mut state = self.state();
        state.slowness = (state.slowness * RECOVERY).max(1.0);
    }

    /// Takes the next place if it may start by now; says otherwise when it may.
    fn reserve(&self, now: Instant) -> Result<(), Instant> {
        let mut state = self.state();
        let place = state.next_place.map_or(now, |next| next.max(now));
        match place.checked_sub(self.head_start) {
            Some(start) if start > now => Err(start),
            _ => {
                state.next_place = Some(place + self.gap.mul_f64(state.slowness));
                Ok(())
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Those who wait for one thing.
#[derive(Debug, Default)]
struct Line {
    /// Whoever holds it is the next of them.
    head: tokio::sync::Mutex<()>,
    count: AtomicUsize,
    /// Tells the head of the other line that one has started, or has given up.
    left: Notify,
}

impl Line {
    fn join(&self) -> Waiting<'_> {
        self.count.fetch_add(1, Ordering::SeqCst);
        Waiting(self)
    }

    fn is_waiting(&self) -> bool {
        self.count.load(Ordering::SeqCst) > 0
    }
}

struct Waiting<'a>(&'a Line);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.count.fetch_sub(1, Ordering::SeqCst);
        // One listens at most. If nobody does, the next one looks once more than needed.
        self.0.left.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use futures_util::future::join_all;

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

    #[tokio::test(start_paused = true)]
    async fn whoever_is_in_a_hurry_goes_before_the_line_and_the_line_keeps_its_order() {
        let budget = Budget::new(Clock::new(1.0), 1.0, 1);
        let order = Mutex::new(Vec::new());
        let patient = async |name| {
            budget.take().await;
            order.lock().unwrap().push(name);
        };
        let hurried = async {
            tokio::time::sleep(Duration::from_millis(1500)).await;
            budget.take_first().await;
            order.lock().unwrap().push("hurried");
        };
        tokio::join!(patient("first"), patient("second"), patient("third"), patient("fourth"), hurried);
        let order = order.into_inner().unwrap();
        assert_eq!(order, ["first", "second", "hurried", "third", "fourth"]);
    }

    #[tokio::test(start_paused = true)]
    async fn however_many_are_in_a_hurry_every_fifth_place_is_left_to_the_others() {
        let budget = Budget::new(Clock::new(1.0), 10.0, 1);
        let begin = Instant::now();
        let hurried = join_all((0..100).map(|_| budget.take_first()));
        let others = async {
            join_all((0..10).map(|_| budget.take())).await;
            begin.elapsed()
        };
        let (_, others) = tokio::join!(hurried, others);
        assert_eq!(others.as_millis(), (10 * (IN_A_ROW as u128 + 1) - 1) * 100);
        assert_eq!(begin.elapsed().as_millis(), (100 + 10 - 1) * 100);
    }

    #[tokio::test(start_paused = true)]
    async fn what_can_be_left_out_never_waits() {
        let budget = Budget::new(Clock::new(1.0), 1.0, 2);
        assert_eq!([budget.try_take(), budget.try_take(), budget.try_take()], [true, true, false]);
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert_eq!([budget.try_take(), budget.try_take()], [true, false]);
    }

    #[tokio::test(start_paused = true)]
    async fn throttling_empties_the_bucket_and_lowers_the_rate_until_calls_succeed() {
        let budget = Budget::new(Clock::new(1.0), 10.0, 3);
        budget.slow_down();
        budget.slow_down();
        assert_eq!(starts(&budget, 3).await, [0, 200, 400]);
        for _ in 0..20 {
            budget.recover();
        }
        assert_eq!(starts(&budget, 3).await, [200, 300, 400]);
    }
}
