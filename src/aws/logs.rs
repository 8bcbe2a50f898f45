//! The log of a function: the last error lines of a version, and everything since a time.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_sdk_cloudwatchlogs::types::FilteredLogEvent;
use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;

use super::clients::Clients;
use super::error::{Answered, absent};
use crate::rollout::cloud::LogLine;

/// Any of these terms; CloudWatch Logs finds them, so that other lines need not travel.
const FILTER: &str = r#"?ERROR ?Error ?Exception ?errorMessage ?Traceback ?"Task timed out""#;
const WORDS: [&str; 6] = ["ERROR", "Error", "Exception", "errorMessage", "Traceback", "Task timed out"];
/// Lambda's own lines about an invocation.
const PLATFORM: [&str; 6] =
    ["START RequestId", "END RequestId", "REPORT RequestId", "INIT_START", "INIT_REPORT", "EXTENSION"];
const LATEST: &str = "$LATEST";
/// Enough for the error and the stack that a runtime writes as one line of JSON.
const MAX_LINE: usize = 4_000;
/// A search that takes more is given up with what it has found: the lines are a help, not a record.
const MAX_PAGES: usize = 10;
const DAY: Duration = Duration::from_hours(24);
/// Streams are named by the day of their first event, and can be a day older than the lines that we look for.
const MAX_DAYS: u32 = 4;

impl Clients {
    pub(super) async fn error_lines(
        &self,
        function: &str,
        version: &str,
        since: SystemTime,
        limit: usize,
    ) -> Answered<Vec<String>> {
        let group = self.log_group(function, version).await;
        let mut lines = Vec::new();
        for day in days(since, self.now()) {
            let prefix = stream_prefix(&group, &day, function, version);
            let events = self.events(&group, Some(&prefix), Some(FILTER), since).await?;
            for event in &events {
                let time = event.timestamp().unwrap_or_default();
                lines.extend(lines_of(event, &prefix).into_iter().map(|line| (time, line)));
            }
        }
        Ok(latest(lines, limit))
    }

    pub(super) async fn log(&self, function: &str, since: SystemTime) -> Answered<Vec<LogLine>> {
        let group = self.log_group(function, LATEST).await;
        let mut lines = Vec::new();
        if group == default_group(function) {
            lines.extend(self.events(&group, None, None, since).await?);
        } else {
            for day in days(since, self.now()) {
                let prefix = format!("{day}/{function}[");
                lines.extend(self.events(&group, Some(&prefix), None, since).await?);
            }
        }
        let mut lines: Vec<_> = lines.into_iter().map(log_line).collect();
        lines.sort_by_key(|line| line.time);
        Ok(lines)
    }

    /// The version's own log group, asked for once; the default one if it cannot be told.
    async fn log_group(&self, function: &str, version: &str) -> String {
        let key = format!("{function}:{version}");
        if let Some(known) = self.log_groups.lock().await.get(&key) {
            return known.clone();
        }
        let configured = self.configuration(function, version).await.ok().flatten();
        let group = configured
            .and_then(|function| function.logging_config?.log_group)
            .unwrap_or_else(|| default_group(function));
        self.log_groups.lock().await.insert(key, group.clone());
        group
    }

    /// The events of the streams whose names begin so, or of all.
    async fn events(
        &self,
        group: &str,
        prefix: Option<&str>,
        pattern: Option<&str>,
        since: SystemTime,
    ) -> Answered<Vec<FilteredLogEvent>> {
        let mut events = Vec::new();
        let mut token = None;
        for _ in 0..MAX_PAGES {
            let request = self
                .logs()
                .await
                .filter_log_events()
                .log_group_name(group)
                .set_log_stream_name_prefix(prefix.map(str::to_owned))
                .set_filter_pattern(pattern.map(str::to_owned))
                .start_time(milliseconds(since))
                .set_next_token(token);
            let Some(page) = absent(self.call("logs:FilterLogEvents", || request.send()).await)? else {
                break;
            };
            events.extend(page.events.unwrap_or_default());
            token = page.next_token.filter(|token| !token.is_empty());
            if token.is_none() {
                break;
            }
        }
        Ok(events)
    }
}

fn log_line(event: FilteredLogEvent) -> LogLine {
    let milliseconds = u64::try_from(event.timestamp.unwrap_or_default()).unwrap_or_default();
    LogLine {
        stream: event.log_stream_name.unwrap_or_default(),
        time: UNIX_EPOCH + Duration::from_millis(milliseconds),
        text: event.message.unwrap_or_default(),
    }
}

/// The last lines of all streams, oldest first.
fn latest(mut lines: Vec<(i64, String)>, limit: usize) -> Vec<String> {
    lines.sort_by_key(|(time, _)| *time);
    let skipped = lines.len().saturating_sub(limit);
    lines.into_iter().skip(skipped).map(|(_, line)| line).collect()
}

fn default_group(function: &str) -> String {
    format!("/aws/lambda/{function}")
}

/// What the names of a version's streams begin with. In a group of their own choice, functions share it, and the name
/// says whose stream it is.
fn stream_prefix(group: &str, day: &str, function: &str, version: &str) -> String {
    if group == default_group(function) {
        format!("{day}/[{version}]")
    } else {
        format!("{day}/{function}[{version}]")
    }
}

/// The days whose streams can hold lines since then, as stream names write them: `2026/11/23`.
fn days(since: SystemTime, now: SystemTime) -> Vec<String> {
    let oldest = since.checked_sub(DAY).unwrap_or(since);
    let mut days: Vec<_> = (0..MAX_DAYS)
        .filter_map(|back| now.checked_sub(DAY * back).map(day))
        .take_while(|name| *name >= day(oldest))
        .collect();
    days.reverse();
    days
}

fn day(time: SystemTime) -> String {
    let text = DateTime::from(time).fmt(Format::DateTime).unwrap_or_default();
    text.chars().take_while(|c| *c != 'T').map(|c| if c == '-' { '/' } else { c }).collect()
}

fn milliseconds(time: SystemTime) -> i64 {
    let since_epoch = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX)
}

/// The first and the last line of an event that speak of an error: a trace ends with its cause.
fn lines_of(event: &FilteredLogEvent, prefix: &str) -> Vec<String> {
    if !event.log_stream_name().unwrap_or_default().starts_with(prefix) {
        return Vec::new();
    }
    let text = event.message().unwrap_or_default();
    let mut telling: Vec<_> =
        text.split(['\n', '\r']).filter(|line| speaks_of_error(line)).map(shorten).collect();
    if telling.len() > 2 {
        telling.drain(1..telling.len() - 1);
    }
    telling
}

fn speaks_of_error(line: &str) -> bool {
    WORDS.iter().any(|word| line.contains(word)) && !is_platform_line(line) && !is_trace_line(line)
}

fn is_platform_line(line: &str) -> bool {
    PLATFORM.iter().any(|start| line.starts_with(start))
}

fn is_trace_line(line: &str) -> bool {
    let line = line.trim_start();
    ["at ", "File \"", "Traceback (most recent call last)", "... "]
        .iter()
        .any(|start| line.starts_with(start))
}

/// Without what could upset a terminal, and cut to a length.
fn shorten(line: &str) -> String {
    let clean = line.trim().chars().map(|c| if c.is_control() { ' ' } else { c });
    let mut short: String = clean.clone().take(MAX_LINE).collect();
    if clean.count() > MAX_LINE {
        short.push('…');
    }
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(message: &str) -> FilteredLogEvent {
        FilteredLogEvent::builder().log_stream_name("2026/11/23/[7]ab").message(message).build()
    }

    fn lines(message: &str) -> Vec<String> {
        lines_of(&event(message), "2026/11/23/[7]")
    }

    #[test]
    fn lines_that_speak_of_an_error_are_kept() {
        for line in [
            "2026-11-23T10:00:00Z 5f ERROR no such table",
            "[ERROR] ValueError: bad input",
            r#"{"errorType":"Error","errorMessage":"boom"}"#,
            "2026-11-23T10:00:00Z 5f Task timed out after 3.00 seconds",
            "java.lang.IllegalStateException: no",
        ] {
            assert_eq!(lines(line), [line]);
        }
    }

    #[test]
    fn lines_of_the_platform_and_of_stack_traces_are_left_out() {
        for line in [
            "START RequestId: 5f Version: 7",
            "END RequestId: 5f",
            "REPORT RequestId: 5f Duration: 3 ms Status: error Error Type: Runtime.ExitError",
            "INIT_REPORT Init Duration: 9 ms Phase: init Status: error Error Type: x",
            "    at Error.captureStackTrace (/var/task/index.js:1:1)",
            "  File \"/var/task/Error.py\", line 3, in handler",
            "Traceback (most recent call last):",
            "all is well",
        ] {
            assert!(lines(line).is_empty(), "{line}");
        }
    }

    #[test]
    fn of_a_trace_the_head_and_the_cause_are_kept() {
        let trace = "[ERROR] request failed\rTraceback (most recent call last):\r  File \"a.py\", line 1\r\
                     KeyError: 'a'\r\rDuring handling of the above exception:\rAppError: no a";
        assert_eq!(lines(trace), ["[ERROR] request failed", "AppError: no a"]);
    }

    #[test]
    fn lines_are_cut_and_carry_no_control_characters() {
        let line = lines(&format!("ERROR \u{1b}[31m{}", "x".repeat(MAX_LINE))).remove(0);
        assert_eq!(line.chars().count(), MAX_LINE + 1);
        assert!(line.starts_with("ERROR  [31mx") && line.ends_with("x…"), "{line}");
    }

    #[test]
    fn the_latest_lines_of_all_streams_are_kept_oldest_first() {
        let line = |time: i64, text: &str| (time, text.to_owned());
        let lines = vec![line(3, "c"), line(5, "e"), line(1, "a"), line(4, "d")];
        assert_eq!(latest(lines, 3), ["c", "d", "e"]);
    }

    #[test]
    fn streams_of_another_version_do_not_count() {
        assert!(lines_of(&event("ERROR"), "2026/11/23/[70]").is_empty());
    }

    #[test]
    fn a_shared_group_names_the_function_in_its_streams() {
        let prefix = |group| stream_prefix(group, "2026/11/23", "api", "7");
        assert_eq!(prefix("/aws/lambda/api"), "2026/11/23/[7]");
        assert_eq!(prefix("/apps/all"), "2026/11/23/api[7]");
    }

    #[test]
    fn streams_are_looked_for_from_the_day_before() {
        let noon = UNIX_EPOCH + DAY * 20_000 + DAY / 2;
        assert_eq!(days(noon - DAY / 24, noon), ["2024/10/03", "2024/10/04"]);
        assert_eq!(days(noon - DAY * 2, noon), ["2024/10/01", "2024/10/02", "2024/10/03", "2024/10/04"]);
        assert_eq!(days(noon - DAY * 30, noon).len(), 4);
    }
}
