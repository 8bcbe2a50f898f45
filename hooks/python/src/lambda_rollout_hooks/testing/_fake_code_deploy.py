"""CodeDeploy on this machine, and the version under test: an HTTP server that boto3 is sent to by its environment."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any
from urllib.parse import quote

from .._event import LifecycleEvent
from .._report import Status
from ._environment import Environment


@dataclass(frozen=True)
class Report:
    """A report that CodeDeploy got."""

    deployment_id: str
    hook_execution_id: str
    status: Status


@dataclass(frozen=True)
class _Answer:
    body: Any
    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()


class FakeCodeDeploy:
    """Every hook that runs `with` it in this process is sent to it.

    `answer` is what the version under test answers to `rollout.invoke`; what it raises is a function error. `denied` are
    operations that the hook's role does not allow, such as `PutLifecycleEventHookExecutionStatus`. `throttled` is how
    many calls are throttled before the first that is not.
    """

    def __init__(
        self,
        *,
        lifecycle_event: LifecycleEvent = "BeforeAllowTraffic",
        function_name: str = "my-function",
        alias: str = "stable",
        current_version: str = "1",
        target_version: str = "2",
        answer: Callable[[Any], Any] = lambda payload: None,
        denied: Iterable[str] = (),
        throttled: int = 0,
    ) -> None:
        # What was reported, and the names of all operations that were called, in order.
        self.reports: list[Report] = []
        self.calls: list[str] = []
        self._lifecycle_event = lifecycle_event
        self._function = {
            "functionName": function_name,
            "functionAlias": alias,
            "currentVersion": current_version,
            "targetVersion": target_version,
        }
        self._answer, self._denied, self._throttled = answer, set(denied), throttled

    def __enter__(self) -> FakeCodeDeploy:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _listener(self._serve))
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        self._environment = Environment(self.url)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._environment.restore()
        self._server.shutdown()
        self._server.server_close()

    def _serve(self, operation: str, path: str, asked: Any) -> _Answer:
        self.calls.append(operation)
        if len(self.calls) <= self._throttled:
            return _throttle(operation)
        if operation in self._denied:
            return _refuse("AccessDeniedException", f"not authorized to perform {operation}")
        if operation == "PutLifecycleEventHookExecutionStatus":
            return self._put(asked)
        if operation == "ListDeploymentTargets":
            return _Answer({"targetIds": [self._function["functionName"]]})
        if operation == "GetDeploymentTarget":
            return _Answer({"deploymentTarget": {"deploymentTargetType": "LambdaFunction", "lambdaTarget": self._target(asked)}})
        if operation == "Invoke":
            return self._invoke(path, asked)
        return _refuse("UnknownOperationException", f"the test kit does not know {operation}")

    def _put(self, asked: Any) -> _Answer:
        """CodeDeploy takes one report for each run of a hook."""
        report = Report(asked["deploymentId"], asked["lifecycleEventHookExecutionId"], asked["status"])
        if any(report.hook_execution_id == earlier.hook_execution_id for earlier in self.reports):
            return _refuse("LifecycleEventAlreadyCompletedException", "The lifecycle event has already completed")
        self.reports.append(report)
        return _Answer({"lifecycleEventHookExecutionId": report.hook_execution_id})

    def _invoke(self, path: str, payload: Any) -> _Answer:
        name, version = self._function["functionName"], self._function["targetVersion"]
        if not path.endswith(f"/functions/{quote(name, safe='')}/invocations?Qualifier={version}"):
            return _refuse("ResourceNotFoundException", f"Function not found: {path}", 404)
        try:
            return _Answer(self._answer(payload))
        except Exception as error:
            told = {"errorType": type(error).__name__, "errorMessage": str(error)}
            return _Answer(told, headers=(("x-amz-function-error", "Unhandled"),))

    def _target(self, asked: Any) -> dict[str, Any]:
        other = "Succeeded" if self._lifecycle_event == "AfterAllowTraffic" else "Pending"
        names = ("BeforeAllowTraffic", "AllowTraffic", "AfterAllowTraffic")
        events = [
            {"lifecycleEventName": name, "status": "InProgress" if name == self._lifecycle_event else other}
            for name in names
        ]
        return {**asked, "status": "InProgress", "lifecycleEvents": events, "lambdaFunctionInfo": self._function}


def _throttle(operation: str) -> _Answer:
    if operation == "Invoke":
        return _refuse("TooManyRequestsException", "Rate Exceeded.", 429)
    return _refuse("ThrottlingException", "Rate exceeded")


def _refuse(code: str, message: str, status: int = 400) -> _Answer:
    return _Answer({"__type": code, "message": message}, status, (("x-amzn-errortype", code),))


def _listener(serve: Callable[[str, str, Any], _Answer]) -> type[BaseHTTPRequestHandler]:
    class Listener(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
            operation = self.headers.get("x-amz-target", "Invoke").rpartition(".")[2]
            answer = serve(operation, self.path, asked)
            body = json.dumps(answer.body).encode()
            self.send_response(answer.status)
            for name, value in (("content-type", "application/json"), ("content-length", str(len(body))), *answer.headers):
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            """What was called is in `calls`."""

    return Listener
