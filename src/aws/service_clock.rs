//! What time it is for AWS. Its timestamps are compared with "now", and the clock of a machine may be minutes off; so
//! "now" is read from the dates that its answers carry.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::{
    BeforeDeserializationInterceptorContextRef, BeforeTransmitInterceptorContextRef,
};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::DateTime;
use aws_smithy_types::config_bag::{ConfigBag, Storable, StoreReplace};
use aws_smithy_types::date_time::Format;

/// A date has no fractions, and a server may write the same one for a second before it reads its clock again.
const COARSENESS: i64 = 2_000;

/// Learns from every answer. Nothing is corrected while our own clock may be right.
#[derive(Debug, Default)]
pub(super) struct ServiceClock {
    ahead: Mutex<Option<Ahead>>,
}

/// AWS's clock is ahead of ours by something between these, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Ahead {
    least: i64,
    most: i64,
}

impl ServiceClock {
    pub(super) fn now(&self) -> SystemTime {
        let ahead = *self.ahead.lock().unwrap_or_else(PoisonError::into_inner);
        moved(SystemTime::now(), ahead.map_or(0, Ahead::likely))
    }

    fn learn(&self, sent: SystemTime, date: SystemTime, received: SystemTime) {
        let mut ahead = self.ahead.lock().unwrap_or_else(PoisonError::into_inner);
        let told = Ahead::told_by(sent, date, received);
        *ahead = Some(ahead.map_or(told, |known| known.narrowed(told)));
    }
}

impl Ahead {
    /// An answer was dated between the two moments of ours in which the request left and the answer came.
    fn told_by(sent: SystemTime, date: SystemTime, received: SystemTime) -> Self {
        let (sent, date, received) = (millis(sent), millis(date), millis(received));
        Self { least: date - received, most: date + COARSENESS - sent }
    }

    /// Every answer narrows it, until somebody sets our clock.
    fn narrowed(self, other: Self) -> Self {
        let both = Self { least: self.least.max(other.least), most: self.most.min(other.most) };
        if both.least <= both.most { both } else { other }
    }

    fn likely(self) -> i64 {
        if self.least <= 0 && self.most >= 0 { 0 } else { i64::midpoint(self.least, self.most) }
    }
}

fn moved(time: SystemTime, millis: i64) -> SystemTime {
    let by = Duration::from_millis(millis.unsigned_abs());
    let moved = if millis < 0 { time.checked_sub(by) } else { time.checked_add(by) };
    moved.unwrap_or(time)
}

fn millis(time: SystemTime) -> i64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX / 4)
}

/// Reads the dates on their way through a client.
#[derive(Debug)]
pub(super) struct ReadDates(pub(super) Arc<ServiceClock>);

/// When an attempt was sent.
#[derive(Debug)]
struct Sent(SystemTime);

impl Storable for Sent {
    type Storer = StoreReplace<Self>;
}

impl Intercept for ReadDates {
    fn name(&self) -> &'static str {
        "ReadDates"
    }

    fn read_before_transmit(
        &self,
        _: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        cfg: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        cfg.interceptor_state().store_put(Sent(SystemTime::now()));
        Ok(())
    }

    fn read_before_deserialization(
        &self,
        context: &BeforeDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        cfg: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let received = SystemTime::now();
        let date = context.response().headers().get("date");
        let date = date.and_then(|date| DateTime::from_str(date, Format::HttpDate).ok());
        let date = date.and_then(|date| SystemTime::try_from(date).ok());
        if let (Some(Sent(sent)), Some(date)) = (cfg.load::<Sent>(), date) {
            self.0.learn(*sent, date, received);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_hours(500_000) + Duration::from_millis(millis)
    }

    /// An answer that a server dated to the second, while our clock is this much behind.
    fn answer(sent: u64, took: u64, behind: i64) -> Ahead {
        let server = moved(at(sent + took / 2), behind);
        let date = SystemTime::UNIX_EPOCH + Duration::from_secs(millis(server).unsigned_abs() / 1000);
        Ahead::told_by(at(sent), date, at(sent + took))
    }

    #[test]
    fn a_clock_that_may_be_right_is_not_corrected() {
        for (sent, took) in [(0, 1), (999, 3), (500, 900), (0, 60_000)] {
            assert_eq!(answer(sent, took, 0).likely(), 0, "sent at {sent}, took {took}");
        }
    }

    #[test]
    fn a_clock_that_is_minutes_off_is_corrected_to_a_second_or_two() {
        for behind in [300_000, -300_000, 5_000, -5_000] {
            for (sent, took) in [(0, 1), (999, 3), (500, 900)] {
                let likely = answer(sent, took, behind).likely();
                assert!((likely - behind).abs() <= 2_000, "{behind}: {likely}, sent at {sent}, took {took}");
            }
        }
    }

    #[test]
    fn more_answers_narrow_it_and_a_slow_one_does_not_widen_it() {
        let first = answer(100, 10, 300_000);
        let sharper = first.narrowed(answer(990, 10, 300_000));
        assert!(sharper.most - sharper.least < first.most - first.least);
        assert_eq!(sharper.narrowed(answer(2_000, 60_000, 300_000)), sharper);
    }

    #[test]
    fn a_clock_that_was_set_is_followed_at_once() {
        let wrong = answer(0, 10, 300_000);
        assert_eq!(wrong.narrowed(answer(300_000, 10, 0)).likely(), 0);
    }
}
