//! Points in time as text, in the forms that the services write.

use crate::clock::Timestamp;

/// A date and a time of day in UTC.
struct Civil {
    year: i64,
    month: i64,
    day: i64,
    weekday: i64,
    seconds: i64,
    millis: i64,
}

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const WEEKDAYS: [&str; 7] = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];

/// `2026-11-23T09:44:33.120Z`
pub(crate) fn iso(at: Timestamp) -> String {
    let time = civil(at);
    format!("{:04}-{:02}-{:02}T{}.{:03}Z", time.year, time.month, time.day, clock(&time), time.millis)
}

/// `Mon Nov 23 09:44:33 UTC 2026`
pub(crate) fn long(at: Timestamp) -> String {
    let time = civil(at);
    format!(
        "{} {} {:02} {} UTC {}",
        name(&WEEKDAYS, time.weekday),
        name(&MONTHS, time.month - 1),
        time.day,
        clock(&time),
        time.year
    )
}

/// `23/11/26 09:44:33`
pub(crate) fn short(at: Timestamp) -> String {
    let time = civil(at);
    format!("{:02}/{:02}/{:02} {}", time.day, time.month, time.year % 100, clock(&time))
}

/// `23/Nov/2026:09:44:33 +0000`
pub(crate) fn log(at: Timestamp) -> String {
    let time = civil(at);
    format!("{:02}/{}/{}:{} +0000", time.day, name(&MONTHS, time.month - 1), time.year, clock(&time))
}

/// `Mon, 23 Nov 2026 09:44:33 GMT`
pub(crate) fn http(at: Timestamp) -> String {
    // The second that has begun, not the nearest.
    let time = civil(at.floor());
    format!(
        "{}, {:02} {} {:04} {} GMT",
        name(&WEEKDAYS, time.weekday),
        time.day,
        name(&MONTHS, time.month - 1),
        time.year,
        clock(&time)
    )
}

/// Reads the ISO form, with or without fractions and with a `Z` or an offset of zero.
pub(crate) fn parse_iso(text: &str) -> Option<Timestamp> {
    let (date, time) = text.split_once(['T', ' '])?;
    let mut date = date.splitn(3, '-').map(|part| part.parse::<i64>().ok());
    let (year, month, day) = (date.next()??, date.next()??, date.next()??);
    if !(0..=9999).contains(&year) || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let time = time.trim_end_matches('Z').trim_end_matches("+00:00");
    let mut parts = time.splitn(3, ':').map(|part| part.parse::<f64>().ok());
    let (hours, minutes, seconds) = (parts.next()??, parts.next()??, parts.next().flatten().unwrap_or(0.0));
    #[expect(clippy::cast_precision_loss, reason = "days since 1970 are few")]
    let days = days_from_civil(year, month, day) as f64;
    Some(days * 86_400.0 + hours * 3600.0 + minutes * 60.0 + seconds)
}

fn clock(time: &Civil) -> String {
    format!("{:02}:{:02}:{:02}", time.seconds / 3600, time.seconds / 60 % 60, time.seconds % 60)
}

fn name(names: &[&'static str], index: i64) -> &'static str {
    usize::try_from(index).ok().and_then(|index| names.get(index)).copied().unwrap_or_default()
}

/// Days to a date by the usual arithmetic on eras of 400 years that begin on the first of March.
fn civil(at: Timestamp) -> Civil {
    #[expect(clippy::cast_possible_truncation, reason = "times are far from the limits of an i64")]
    let millis = (at * 1000.0).round() as i64;
    let (days, rest) = (millis.div_euclid(86_400_000), millis.rem_euclid(86_400_000));
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * of_year + 2) / 153;
    let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
    Civil {
        year: year_of_era + era * 400 + i64::from(month <= 2),
        month,
        day: of_year - (153 * march_month + 2) / 5 + 1,
        weekday: (days + 4).rem_euclid(7),
        seconds: rest / 1000,
        millis: rest % 1000,
    }
}

fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let of_year = (153 * (if month > 2 { month - 3 } else { month + 9 }) + 2) / 5 + day - 1;
    let year_of_era = year.rem_euclid(400);
    year.div_euclid(400) * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + of_year
        - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms() {
        let at = 1_795_427_073.12;
        assert_eq!(iso(at), "2026-11-23T09:44:33.120Z");
        assert_eq!(long(at), "Mon Nov 23 09:44:33 UTC 2026");
        assert_eq!(http(at + 0.8), "Mon, 23 Nov 2026 09:44:33 GMT");
        assert_eq!(short(at), "23/11/26 09:44:33");
        assert_eq!(log(at), "23/Nov/2026:09:44:33 +0000");
    }

    #[test]
    fn reading_is_the_inverse() {
        for at in [0.0, 951_782_400.5, 1_709_164_800.0, 1_795_427_073.0, 4_102_444_799.0] {
            assert!((parse_iso(&iso(at)).unwrap() - at).abs() < 0.001, "{}", iso(at));
        }
        assert_eq!(parse_iso("2024-02-29T00:00:00Z"), Some(1_709_164_800.0));
        for text in ["soon", "2026-13-01T00:00:00Z", "9223372036854775807-01-01T00:00:00Z"] {
            assert_eq!(parse_iso(text), None, "{text}");
        }
    }
}
