//! What the log of a hook tells: that it crashed, and for which deployment; or why it reported Failed. Pure.

use std::time::{Duration, SystemTime};

use super::line::{Said, hook_line, is_crash, lambda_says, readable, reason_for, tells_error};
use crate::rollout::cloud::LogLine;

/// CodeDeploy calls a hook at once, and a cold start takes seconds.
const CALLED_WITHIN: Duration = Duration::from_secs(30);
/// Two services, two clocks: a call may seem to come this much before CodeDeploy says that it made it.
pub const SKEW: Duration = Duration::from_secs(5);

/// A call of the hook that failed in every attempt so far, and can have reported nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Crash {
    pub error: String,
    pub attempts: usize,
    pub blame: Blame,
}

/// How sure it is that the call was made for this deployment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Blame {
    /// The log names the deployment.
    Named,
    /// It is the only call at the right time, and names no deployment.
    OnlyCall,
    /// Others call the same hook.
    Unclear,
}

/// Finds the crash of the hook that CodeDeploy called at `called` for this deployment.
pub fn find_crash(lines: &[LogLine], deployment: &str, called: SystemTime) -> Option<Crash> {
    let calls = calls(lines);
    let from = called.checked_sub(SKEW).unwrap_or(called);
    let mut candidates: Vec<&Call> = calls.iter().filter(|call| call.first >= from).collect();
    // One function may be both hooks of a deployment: the last call is the one that runs now.
    if let Some(named) = candidates.iter().rev().find(|call| call.names(deployment)) {
        return named.crash(deployment, Blame::Named);
    }
    candidates.retain(|call| !call.names_another(deployment));
    let blame = match candidates.as_slice() {
        [only] if only.first <= called + CALLED_WITHIN => Blame::OnlyCall,
        _ => Blame::Unclear,
    };
    candidates.iter().find_map(|call| call.crash(deployment, blame))
}

/// What a log tells of why a hook reported Failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    Given(String),
    NotGiven,
    /// The lines of a call come into the log one after the other.
    NotThereYet,
}

/// The reason is in the line that our hook SDKs write. CodeDeploy counts the first report.
pub fn failed_reason(lines: &[LogLine], deployment: &str) -> Reason {
    match lines.iter().find_map(|line| reason_for(&line.text, deployment, "Failed")) {
        Some(reason) if reason.is_empty() => Reason::NotGiven,
        Some(reason) => Reason::Given(reason),
        None if has_no_sdk(lines) => Reason::NotGiven,
        None => Reason::NotThereYet,
    }
}

/// Whether a call is there to its end, and none has a line of our hook SDKs.
fn has_no_sdk(lines: &[LogLine]) -> bool {
    let has_ended = |call: &Call| call.attempts.iter().any(|attempt| attempt.ended);
    calls(lines).iter().any(has_ended) && !lines.iter().any(|line| hook_line(&line.text).is_some())
}

/// One asynchronous invocation. Lambda keeps its request id when it tries again.
#[derive(Debug)]
struct Call {
    request: String,
    first: SystemTime,
    attempts: Vec<Attempt>,
}

#[derive(Debug, Default)]
struct Attempt {
    lines: Vec<String>,
    ended: bool,
    /// What Lambda said in the end, where it did.
    status: Option<bool>,
    showed_crash: bool,
}

/// Groups lines by request id. A stream holds one invocation after the other, so that a line without an id belongs to
/// the invocation that began last in its stream.
fn calls(lines: &[LogLine]) -> Vec<Call> {
    let mut calls: Vec<Call> = Vec::new();
    let mut current: Vec<(&str, usize)> = Vec::new();
    for line in lines {
        if let Said::Started { request } = lambda_says(&line.text) {
            let index = calls.iter().position(|call| call.request == request).unwrap_or_else(|| {
                calls.push(Call { request, first: line.time, attempts: Vec::new() });
                calls.len() - 1
            });
            calls[index].attempts.push(Attempt::default());
            current.retain(|(stream, _)| *stream != line.stream);
            current.push((&line.stream, index));
        }
        let Some((_, index)) = current.iter().find(|(stream, _)| *stream == line.stream) else {
            continue;
        };
        if let Some(attempt) = calls[*index].attempts.last_mut() {
            attempt.see(&line.text);
        }
    }
    calls
}

impl Attempt {
    fn see(&mut self, text: &str) {
        match lambda_says(text) {
            Said::Ended => self.ended = true,
            Said::Verdict { failed } => {
                self.ended = true;
                self.status = Some(failed);
            }
            Said::Started { .. } | Said::Nothing => {}
        }
        self.showed_crash |= is_crash(text);
        self.lines.push(text.to_owned());
    }

    /// Lambda's own word counts; a line that looks like a crash only where there is none.
    fn failed(&self) -> bool {
        self.status.unwrap_or(self.showed_crash)
    }

    /// A hook that could not report says so itself, better than the error with which it then ends.
    fn error(&self, deployment: &str) -> Option<String> {
        let mut reasons = self.lines.iter().filter_map(|line| reason_for(line, deployment, "NotReported"));
        let unreported = reasons.find(|reason| !reason.is_empty());
        let crashed = || self.lines.iter().rev().find(|line| tells_error(line)).map(|line| readable(line));
        unreported.map(|reason| format!("it could not report: {reason}")).or_else(crashed)
    }
}

impl Call {
    fn crash(&self, deployment: &str, blame: Blame) -> Option<Crash> {
        let ended: Vec<&Attempt> = self.attempts.iter().filter(|attempt| attempt.ended).collect();
        if ended.is_empty() || ended.len() < self.attempts.len() || !ended.iter().all(|a| a.failed()) {
            return None;
        }
        let error = ended.iter().rev().find_map(|attempt| attempt.error(deployment));
        Some(Crash {
            error: error.unwrap_or_else(|| "its log does not say why".to_owned()),
            attempts: ended.len(),
            blame,
        })
    }

    fn names(&self, deployment: &str) -> bool {
        self.words().any(|word| word == deployment)
    }

    fn names_another(&self, deployment: &str) -> bool {
        self.words().any(|word| is_deployment_id(word) && word != deployment)
    }

    fn words(&self) -> impl Iterator<Item = &str> {
        let lines = self.attempts.iter().flat_map(|attempt| &attempt.lines);
        lines.flat_map(|line| line.split(|c: char| !c.is_ascii_alphanumeric() && c != '-'))
    }
}

/// `d-` and nine characters.
fn is_deployment_id(word: &str) -> bool {
    let Some(rest) = word.strip_prefix("d-") else { return false };
    rest.len() == 9 && rest.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    const NODE: &str = "2026-11-23T10:00:01.000Z\tr1\tERROR\tInvoke Error \t{\"errorType\":\"TypeError\",\"errorMessage\":\"no url\",\"stack\":[]}";

    fn at(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000 + seconds)
    }

    fn line(stream: &str, seconds: u64, text: &str) -> LogLine {
        LogLine { stream: stream.to_owned(), time: at(seconds), text: text.to_owned() }
    }

    /// One attempt of a request in a stream, with what it wrote.
    fn attempt(stream: &str, seconds: u64, request: &str, text: &str) -> Vec<LogLine> {
        vec![
            line(stream, seconds, &format!("START RequestId: {request} Version: $LATEST\n")),
            line(stream, seconds, text),
            line(stream, seconds, &format!("END RequestId: {request}\n")),
            line(stream, seconds, &format!("REPORT RequestId: {request}\tDuration: 3.10 ms\n")),
        ]
    }

    fn crash(lines: &[Vec<LogLine>]) -> Option<Crash> {
        find_crash(&lines.concat(), "d-ABCDEF123", at(0))
    }

    #[test]
    fn the_attempts_of_one_request_are_counted() {
        let lines =
            [attempt("s", 1, "r1", NODE), attempt("s", 60, "r1", NODE), attempt("t", 180, "r1", NODE)];
        let found = crash(&lines).unwrap();
        assert_eq!((found.error.as_str(), found.attempts), ("TypeError: no url", 3));
        assert_eq!((found.blame, crash(&lines[..2]).unwrap().attempts), (Blame::OnlyCall, 2));
    }

    #[test]
    fn a_call_that_runs_on_or_went_well_in_the_end_is_no_crash() {
        let running = vec![line("s", 60, "START RequestId: r1 Version: 1")];
        assert_eq!(crash(&[attempt("s", 1, "r1", NODE), running]), None);
        assert_eq!(crash(&[attempt("s", 1, "r1", NODE), attempt("s", 60, "r1", "fine")]), None);
        assert_eq!(crash(&[attempt("s", 1, "r1", "2026\tr1\tERROR\tonly a log line")]), None);
        assert_eq!(crash(&[]), None);
    }

    #[test]
    fn a_call_that_names_the_deployment_is_ours_whoever_else_calls() {
        let ours = format!("{NODE} d-ABCDEF123");
        let found = crash(&[attempt("s", 1, "r0", NODE), attempt("t", 2, "r1", &ours)]).unwrap();
        assert_eq!(found.blame, Blame::Named);
    }

    #[test]
    fn a_call_for_another_deployment_is_not_ours() {
        let theirs = "{\"deploymentId\":\"d-ZZZZZZ999\"}";
        let other = [attempt("s", 1, "r0", theirs), attempt("s", 1, "r0", NODE)];
        assert_eq!(crash(&other), None);
    }

    #[test]
    fn two_calls_that_name_nobody_leave_it_unclear() {
        let found = crash(&[attempt("s", 1, "r1", NODE), attempt("t", 2, "r2", NODE)]).unwrap();
        assert_eq!(found.blame, Blame::Unclear);
        let one = crash(&[attempt("s", 1, "r1", NODE), attempt("t", 2, "r2", "fine")]).unwrap();
        assert_eq!(one.blame, Blame::Unclear);
        assert_eq!(crash(&[attempt("s", 90, "r1", NODE)]).unwrap().blame, Blame::Unclear);
    }

    #[test]
    fn an_older_call_does_not_count() {
        let lines = attempt("s", 1, "r1", NODE);
        assert_eq!(find_crash(&lines, "d-ABCDEF123", at(100)), None);
    }

    #[test]
    fn every_runtimes_way_to_die_is_understood() {
        for (text, error) in [
            ("[ERROR] ValueError: no url\nTraceback (most recent call last):\n  File", "ValueError: no url"),
            (
                "2026-11-23T10:00:01.000Z r1 Task timed out after 3.00 seconds\n\n",
                "Task timed out after 3.00 seconds",
            ),
            (
                "RequestId: r1 Error: Runtime exited with error: signal: killed",
                "RequestId: r1 Error: Runtime exited with error: signal: killed",
            ),
        ] {
            assert_eq!(
                crash(&[attempt("s", 1, "r1", text)]).map(|crash| crash.error).as_deref(),
                Some(error)
            );
        }
    }

    #[test]
    fn lambdas_json_format_tells_the_same() {
        let start = r#"{"time":"t","type":"platform.start","record":{"requestId":"r1","version":"1"}}"#;
        let error =
            r#"{"timestamp":"t","level":"ERROR","requestId":"r1","errorType":"E","errorMessage":"m"}"#;
        let report = |status: &str| {
            format!(
                r#"{{"time":"t","type":"platform.report","record":{{"requestId":"r1","status":"{status}"}}}}"#
            )
        };
        let told = |lines: &[&str]| crash(&[lines.iter().map(|text| line("s", 1, text)).collect()]);
        assert_eq!(told(&[start, error, &report("failure")]).unwrap().error, "E: m");
        assert_eq!(told(&[start, &report("timeout")]).unwrap().error, "its log does not say why");
        // An error that the hook handled itself.
        assert_eq!(told(&[start, error, &report("success")]), None);
    }

    #[test]
    fn what_a_hook_prints_about_others_is_no_crash_of_its_own() {
        for text in [
            "the function said: Task timed out after 3.00 seconds",
            "2026-11-23T10:00:01.000Z\tr1\tINFO\tError: RuntimeError: handled",
            "[ERROR]\t2026-11-23T10:00:01.000Z\tr1\thandled\nTraceback (most recent call last):",
        ] {
            assert_eq!(crash(&[attempt("s", 1, "r1", text)]), None, "{text}");
        }
    }

    #[test]
    fn the_call_that_runs_now_is_the_last_that_names_the_deployment() {
        let before = attempt("s", 1, "r1", "d-ABCDEF123");
        let after = attempt("s", 3, "r2", &format!("{NODE} d-ABCDEF123"));
        assert_eq!(crash(&[before, after]).unwrap().blame, Blame::Named);
    }

    #[test]
    fn the_reason_of_a_hook_is_read_from_the_line_of_its_sdk() {
        let said = r#"{"lambdaRollout":"hook","deploymentId":"d-ABCDEF123","status":"Failed","reason":"health said 500"}"#;
        let nested = format!(r#"{{"level":"ERROR","message":{said}}}"#);
        let quoted = format!(r#"{{"level":"ERROR","message":{}}}"#, Value::from(said));
        for text in [said.to_owned(), format!("2026\tr1\tERROR\t{said}\n"), nested, quoted] {
            let lines = [line("s", 1, &text)];
            let given = Reason::Given("health said 500".to_owned());
            assert_eq!(failed_reason(&lines, "d-ABCDEF123"), given, "{text}");
            assert_eq!(failed_reason(&lines, "d-ZZZZZZ999"), Reason::NotThereYet);
        }
    }

    #[test]
    fn a_reason_may_come_until_a_whole_call_is_there_without_the_line_of_an_sdk() {
        let told = |lines: &[LogLine]| failed_reason(lines, "d-ABCDEF123");
        let whole = attempt("s", 1, "r1", "checks");
        assert_eq!(told(&[]), Reason::NotThereYet);
        assert_eq!(told(&whole[..2]), Reason::NotThereYet);
        assert_eq!(told(&whole[1..2]), Reason::NotThereYet);
        assert_eq!(told(&whole), Reason::NotGiven);
        let theirs = r#"{"lambdaRollout":"hook","deploymentId":"d-ZZZZZZ999","status":"Succeeded"}"#;
        assert_eq!(told(&attempt("s", 1, "r0", theirs)), Reason::NotThereYet);
        let silent = r#"{"lambdaRollout":"hook","deploymentId":"d-ABCDEF123","status":"Failed"}"#;
        assert_eq!(told(&[line("s", 1, silent)]), Reason::NotGiven);
    }

    #[test]
    fn a_hook_that_could_not_report_says_why_itself() {
        let said = r#"{"lambdaRollout":"hook","deploymentId":"d-ABCDEF123","status":"NotReported","reason":"denied"}"#;
        let mut whole = attempt("s", 1, "r1", said);
        whole.insert(2, line("s", 1, NODE));
        assert_eq!(crash(&[whole.clone()]).unwrap().error, "it could not report: denied");
        whole[1].text = said.replace("denied", "");
        assert_eq!(crash(&[whole]).unwrap().error, "TypeError: no url");
    }
}
