//! Times in outputs: RFC 3339 in UTC, to the second.

use std::time::SystemTime;

use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;

pub fn format(time: SystemTime) -> String {
    let seconds = DateTime::from(time).secs();
    DateTime::from_secs(seconds).fmt(Format::DateTime).unwrap_or_default()
}

pub fn parse(text: &str) -> Option<SystemTime> {
    DateTime::from_str(text, Format::DateTime).ok().and_then(|time| SystemTime::try_from(time).ok())
}
