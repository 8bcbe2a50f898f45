//! Durations as people write them: `"5 minutes"` (SST's form) or `"1h30m"` (Go's form).

use std::time::Duration;

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("it is no duration; write for example \"5 minutes\", \"90 seconds\", \"5m\" or \"1h30m\"")]
pub struct DurationError;

/// Parses either form. Equal lengths give equal durations, whatever the spelling.
pub fn parse(text: &str) -> Result<Duration, DurationError> {
    let trimmed = text.trim();
    let seconds = match trimmed.split_once(char::is_whitespace) {
        Some((count, unit)) => words(count, unit.trim()),
        None => parts(trimmed),
    };
    let seconds = seconds.ok_or(DurationError)?;
    Duration::try_from_secs_f64(seconds).map_err(|_| DurationError)
}

/// The shortest spelling in words: `5 minutes`, `90 seconds`, `2 hours`.
pub fn format(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let (count, unit) = match seconds {
        s if s >= 3_600 && s % 3_600 == 0 => (s / 3_600, "hour"),
        s if s >= 60 && s % 60 == 0 => (s / 60, "minute"),
        s => (s, "second"),
    };
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {unit}{plural}")
}

/// As a clock would show it: `3m10s`, `45s`, `1h05m`.
pub fn short(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match (seconds / 3_600, seconds / 60 % 60, seconds % 60) {
        (0, 0, s) => format!("{s}s"),
        (0, m, 0) => format!("{m}m"),
        (0, m, s) => format!("{m}m{s:02}s"),
        (h, m, _) => format!("{h}h{m:02}m"),
    }
}

/// `5 minutes`
fn words(count: &str, unit: &str) -> Option<f64> {
    let count: f64 = plain_number(count)?;
    let seconds = match unit {
        "second" | "seconds" => 1.0,
        "minute" | "minutes" => 60.0,
        "hour" | "hours" => 3_600.0,
        "day" | "days" => 86_400.0,
        _ => return None,
    };
    Some(count * seconds)
}

/// `1h30m`
fn parts(text: &str) -> Option<f64> {
    let mut total = 0.0;
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let count = plain_number(&rest[..digits])?;
        rest = &rest[digits..];
        let unit_length = rest.find(|c: char| c.is_ascii_digit()).unwrap_or(rest.len());
        let seconds = match &rest[..unit_length] {
            "ms" => 0.001,
            "s" => 1.0,
            "m" => 60.0,
            "h" => 3_600.0,
            _ => return None,
        };
        total += count * seconds;
        rest = &rest[unit_length..];
    }
    (!text.is_empty()).then_some(total)
}

fn plain_number(text: &str) -> Option<f64> {
    let plain = !text.is_empty() && text.chars().all(|c| c.is_ascii_digit() || c == '.');
    plain.then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_parse_to_the_same_length() {
        for (text, seconds) in [
            ("5 minutes", 300),
            ("1 minute", 60),
            ("90 seconds", 90),
            ("2 hours", 7_200),
            ("1 day", 86_400),
            ("5m", 300),
            ("1h30m", 5_400),
            ("1h0m30s", 3_630),
            ("1.5h", 5_400),
            (" 5 minutes ", 300),
        ] {
            assert_eq!(parse(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
    }

    #[test]
    fn what_is_no_duration_is_refused_with_examples() {
        for text in
            ["", "5", "five minutes", "5 parsecs", "5x", "m", "-5m", "5m-", "1e3s", "5 minutes ago", "NaN s"]
        {
            let error = parse(text).unwrap_err().to_string();
            assert!(error.contains("\"5 minutes\""), "{text}: {error}");
        }
    }

    #[test]
    fn lengths_are_shown_in_the_largest_whole_unit() {
        assert_eq!(format(Duration::from_secs(300)), "5 minutes");
        assert_eq!(format(Duration::from_secs(60)), "1 minute");
        assert_eq!(format(Duration::from_secs(90)), "90 seconds");
        assert_eq!(format(Duration::from_secs(7_200)), "2 hours");
        assert_eq!(short(Duration::from_secs(190)), "3m10s");
        assert_eq!(short(Duration::from_secs(3_900)), "1h05m");
    }
}
