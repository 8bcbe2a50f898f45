//! What single lines in the log of a function mean: Lambda's own, its runtimes', and those of our hook SDKs. Pure.

use serde_json::Value;

const MAX_TEXT: usize = 300;

/// What Lambda says about an invocation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Said {
    Nothing,
    Started {
        request: String,
    },
    Ended,
    /// The text format has a verdict on time-outs and exits only; an exception that the runtime caught is told by a
    /// line of its own.
    Verdict {
        failed: bool,
    },
}

pub(super) fn lambda_says(text: &str) -> Said {
    if let Some(rest) = text.strip_prefix("START RequestId: ") {
        return Said::Started { request: rest.split_whitespace().next().unwrap_or_default().to_owned() };
    }
    if text.starts_with("REPORT RequestId: ") {
        let failed = ["Status: error", "Status: timeout"].iter().any(|status| text.contains(status));
        return if failed { Said::Verdict { failed } } else { Said::Ended };
    }
    if let Some(record) = platform_record(text, "platform.start") {
        return Said::Started { request: record["requestId"].as_str().unwrap_or_default().to_owned() };
    }
    let Some(record) = platform_record(text, "platform.report") else { return Said::Nothing };
    record["status"].as_str().map_or(Said::Ended, |status| Said::Verdict { failed: status != "success" })
}

fn platform_record(text: &str, kind: &str) -> Option<Value> {
    if !text.starts_with('{') || !text.contains(kind) {
        return None;
    }
    let value: Value = serde_json::from_str(text).ok()?;
    (value["type"] == kind).then(|| value["record"].clone())
}

/// The lines of the text format with which Lambda and its runtimes say that a handler has thrown, or that its process
/// has ended. What a hook prints itself looks otherwise: it has no tab, no request id or another word in front.
pub(super) fn is_crash(text: &str) -> bool {
    const NODE: [&str; 3] =
        ["\tERROR\tInvoke Error", "\tERROR\tUncaught Exception", "\tERROR\tUnhandled Promise Rejection"];
    let node = text.split('\n').next().is_some_and(|line| NODE.iter().any(|sign| line.contains(sign)));
    let python =
        text.starts_with("[ERROR] ") && (text.contains("Traceback") || text.starts_with("[ERROR] Runtime."));
    let exited = text.starts_with("RequestId: ") && text.contains(" Error: Runtime exited");
    node || python || exited || is_timeout(text)
}

/// `TIME REQUEST Task timed out after 3.00 seconds`
fn is_timeout(text: &str) -> bool {
    text.split_whitespace().skip(2).take(4).eq(["Task", "timed", "out", "after"])
}

/// The line to show: Lambda's format of JSON has no sign of its own for a crash.
pub(super) fn tells_error(text: &str) -> bool {
    is_crash(text) || is_json_crash(text)
}

/// In the JSON log format the runtimes write the error's type beside the level.
fn is_json_crash(text: &str) -> bool {
    let Ok(value) = serde_json::from_str::<Value>(text) else { return false };
    value["level"] == "ERROR" && (value["errorType"].is_string() || value["message"]["errorType"].is_string())
}

/// The error alone: its type and message, and where it was thrown, without the runtime's prefix and the rest of the stack.
pub fn readable(line: &str) -> String {
    let json = line.find('{').and_then(|at| serde_json::from_str::<Value>(line[at..].trim_end()).ok());
    let error =
        json.as_ref().map(|value| if value["errorType"].is_string() { value } else { &value["message"] });
    if let Some(error) = error.filter(|error| error["errorType"].is_string()) {
        let text = |key: &str| error[key].as_str().unwrap_or_default();
        let place = thrown_at(error).map(|place| format!(", {place}")).unwrap_or_default();
        return cut(&format!("{}: {}{place}", text("errorType"), text("errorMessage")));
    }
    let text = line.rsplit('\t').next().unwrap_or(line);
    let first = text.split(['\n', '\r']).next().unwrap_or(text);
    let timed_out = first.find("Task timed out").map_or(first, |at| &first[at..]);
    cut(timed_out.trim_start_matches("[ERROR] "))
}

/// The frame in which the error came up: Node's runtime names it first and Python's last.
fn thrown_at(error: &Value) -> Option<&str> {
    let frames = |key: &str| error[key].as_array().map(Vec::as_slice).unwrap_or_default();
    let node = frames("stack").iter().chain(frames("stackTrace")).filter_map(Value::as_str).map(str::trim);
    let python = frames("stackTrace").iter().rev().filter_map(Value::as_str).map(str::trim);
    node.into_iter()
        .find(|frame| frame.starts_with("at "))
        .or_else(|| python.into_iter().find(|frame| frame.starts_with("File ")))
        .map(|frame| frame.lines().next().unwrap_or(frame))
}

/// Without what could upset a terminal, and cut to a length.
fn cut(text: &str) -> String {
    let clean = text.trim().chars().map(|c| if c.is_control() { ' ' } else { c });
    let mut short: String = clean.clone().take(MAX_TEXT).collect();
    if clean.count() > MAX_TEXT {
        short.push('…');
    }
    short
}

/// The reason in a line that a hook wrote for this deployment, with this status; an empty one if it gave none.
pub(super) fn reason_for(text: &str, deployment: &str, status: &str) -> Option<String> {
    let said = hook_line(text)?;
    let reason = said["reason"].as_str().unwrap_or_default();
    (said["deploymentId"] == deployment && said["status"] == status).then(|| cut(reason))
}

/// The object that a hook SDK wrote, bare, behind what the runtime puts before it, or inside a JSON log line.
pub(super) fn hook_line(text: &str) -> Option<Value> {
    let value: Value = serde_json::from_str(text.get(text.find('{')?..)?.trim_end()).ok()?;
    let inner = match value.get("message") {
        Some(Value::String(message)) => serde_json::from_str(message).ok(),
        Some(message) => Some(message.clone()),
        None => None,
    };
    [Some(value), inner].into_iter().flatten().find(|value| value["lambdaRollout"] == "hook")
}
