"""Loaded into ministack as it starts: writes of each invocation what Lambda writes to CloudWatch Logs.

ministack knows what a function printed and how it ended. Here that becomes the lines of the service: START, END and
REPORT with the request's id, the runtime's own words about a crash as one event, and the time limit's.
"""

import json
import re
import threading
import time
from datetime import datetime, timezone

WORKER_DIED = "Worker process died"
TIMED_OUT = re.compile(r"Task timed out after \d+\.\d+ seconds")
CODE_FOLDER = re.compile(r"/[^\s\"]*/ministack-lambda-[^/]*/code")

# What a function's process last answered, in the thread that asked.
last = threading.local()


def remember(worker):
    """Keeps what a process answers: ministack mixes the error into what was printed."""
    invoke = worker.invoke

    def invoke_kept(*args, **kwargs):
        last.response = invoke(*args, **kwargs)
        return last.response

    worker.invoke = invoke_kept


def taken():
    """The last answer, once."""
    response, last.response = getattr(last, "response", None), None
    return response


def begun(config, request_id, started):
    """The first line of an invocation with its time."""
    return [(started, f"START RequestId: {request_id} Version: {config.get('Version', '$LATEST')}\n")]


def finished(config, request_id, started, memory, result, response):
    """The other lines of an invocation with their times, and its result in the runtime's own form."""
    ended = time.time()
    printed = (response or result).get("log") or ""
    lines = [(ended, f"{line}\n") for line in printed.splitlines()]
    status = ""
    if result.get("error"):
        body, line, status = failure(config.get("Runtime", ""), request_id, result.get("body"), response)
        lines.append((ended, line))
        result = {**result, "body": body}
    lines.append((ended, f"END RequestId: {request_id}\n"))
    took = (ended - started) * 1000
    report = [
        f"REPORT RequestId: {request_id}",
        f"Duration: {took:.2f} ms",
        f"Billed Duration: {int(took) + 1} ms",
        f"Memory Size: {config.get('MemorySize', 128)} MB",
        f"Max Memory Used: {memory} MB",
        status,
    ]
    lines.append((ended, "\t".join(report) + "\n"))
    whole = begun(config, request_id, started) + lines
    return lines, {**result, "log": "".join(line for _, line in whole)}


def failure(runtime, request_id, body, response):
    """The body that a failed invocation answers with, its line in the log, and the REPORT's status."""
    body = body if isinstance(body, dict) else {"errorMessage": str(body)}
    message = (response or {}).get("error") or body.get("errorMessage", "")
    if TIMED_OUT.fullmatch(message):
        text = {"errorType": "Sandbox.Timedout", "errorMessage": f"RequestId: {request_id} Error: {message}"}
        return text, f"{now()} {request_id} {message}\n\n", "Status: timeout"
    if message == WORKER_DIED:
        text = f"RequestId: {request_id} Error: Runtime exited without providing a reason"
        answer = {"errorType": "Runtime.ExitError", "errorMessage": text}
        return answer, f"{text}\nRuntime.ExitError\n", "Status: error\tError Type: Runtime.ExitError"
    trace = CODE_FOLDER.sub("/var/task", (response or {}).get("trace") or "")
    kind = error_type(trace) or body.get("errorType", "Error")
    if runtime.startswith("nodejs"):
        stack = node_stack(trace) or [f"{kind}: {message}"]
        answer = {"errorType": kind, "errorMessage": message, "trace": stack}
        told = json.dumps({"errorType": kind, "errorMessage": message, "stack": stack}, separators=(",", ":"))
        return answer, f"{now()}\t{request_id}\tERROR\tInvoke Error \t{told}\n", ""
    frames = python_frames(trace)
    answer = {"errorMessage": message, "errorType": kind, "requestId": request_id, "stackTrace": frames}
    traced = "Traceback (most recent call last):\n" + "".join(frames) if frames else ""
    return answer, f"[ERROR] {kind}: {message}\n{traced}", ""


def error_type(trace):
    """The name of the error in a trace: Python's is in the last line that is not indented, Node's in the first."""
    lines = [line for line in trace.splitlines() if line and not line.startswith((" ", "Traceback"))]
    names = [found.group(1) for line in lines if (found := re.match(r"([A-Za-z_][\w.]*)(?::|$)", line))]
    return (names[-1] if trace.startswith("Traceback") else names[0]) if names else None


def node_stack(trace):
    """The lines of a Node.js trace down to those of the function's process itself."""
    lines = trace.splitlines()
    own = [index for index, line in enumerate(lines) if "_worker.js" in line]
    return lines[: own[0]] if own else lines


def python_frames(trace):
    """The frames of a Python trace, each with its code, without those of the function's process itself."""
    frames = []
    for line in trace.splitlines(keepends=True):
        if line.startswith("  File "):
            frames.append(line)
        elif line.startswith("    ") and frames:
            frames[-1] += line
    return [frame for frame in frames if "_worker.py" not in frame]


def now():
    return datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def write(logs, config, stream_id, lines):
    """Puts the lines into the function's log group, which comes into being with its first line."""
    group = (config.get("LoggingConfig") or {}).get("LogGroup") or f"/aws/lambda/{config['FunctionName']}"
    day = datetime.now(timezone.utc).strftime("%Y/%m/%d")
    place = {"logGroupName": group, "logStreamName": f"{day}/[{config.get('Version', '$LATEST')}]{stream_id}"}
    events = [{"timestamp": int(at * 1000), "message": message} for at, message in lines]
    # What exists already says so, and is as good.
    logs._create_log_group({"logGroupName": group})
    logs._create_log_stream(place)
    logs._put_log_events({**place, "logEvents": events})
