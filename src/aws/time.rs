//! Times of the SDK as times of the standard library.

use std::time::SystemTime;

use aws_smithy_types::DateTime;

/// A time that cannot be represented counts as absent.
pub(super) fn system_time(time: Option<DateTime>) -> Option<SystemTime> {
    time.and_then(|time| SystemTime::try_from(time).ok())
}
