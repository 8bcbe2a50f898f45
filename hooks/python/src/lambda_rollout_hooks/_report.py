"""The report to CodeDeploy."""

from __future__ import annotations

import time
from typing import Literal, TypedDict

from . import _aws, _limits, _reason
from ._event import AnyEvent, HookEvent, identify
from ._log import Line

Status = Literal["Succeeded", "Failed"]


class _Status(TypedDict):
    status: Status


class Verdict(_Status, total=False):
    reason: str


class NotReportedError(Exception):
    """CodeDeploy could not be told. The message says what to do about it."""


# How long `rollout.report` tries, when no function's time limit says so.
_PATIENCE = 60


def report(event: AnyEvent, status: Status, reason: str | None = None) -> None:
    """Reports how a hook went.

    `rollout.handler` does it by itself; this is for a test that goes on after the hook function has returned. Takes the
    event, or what CodeDeploy sent. That it was reported before is no error.
    """
    line = Line(*identify(event), lifecycle_event=event.lifecycle_event if isinstance(event, HookEvent) else None)
    verdict: Verdict = {"status": status} if reason is None else {"status": status, "reason": reason}
    tell(line, verdict, time.monotonic() + _PATIENCE)


def tell(line: Line, verdict: Verdict, end: float, stack: str | None = None) -> None:
    """Writes the verdict into the log, and reports it."""
    status = verdict["status"]
    # First the log: when CodeDeploy ends the deployment, whoever reads why shall find it.
    line.write(status, reason=verdict.get("reason"), stack=stack)
    try:
        _limits.within(end, lambda: _aws.put_status(line.deployment_id, line.hook_execution_id, status))
    except Exception as error:
        if _aws.error_code(error) == "LifecycleEventAlreadyCompletedException":
            return
        reason = f'CodeDeploy was not told "{status}": {_cure(error, line.deployment_id)}'
        line.write("NotReported", reason=reason, verdict=status)
        raise NotReportedError(reason) from error


def _cure(error: Exception, deployment_id: str) -> str:
    said, code = _reason.reason_of(error), _aws.error_code(error) or ""
    if isinstance(error, _limits.OutOfTime) or _aws.unreachable(error):
        return f"{said}; a function in a VPC needs a NAT gateway or a VPC endpoint for CodeDeploy"
    if code.startswith("AccessDenied"):
        action = "codedeploy:PutLifecycleEventHookExecutionStatus"
        return f"allow {action} on the deployment group in the role of this function ({said})"
    if code == "DeploymentDoesNotExistException":
        return f"there is no deployment {deployment_id} here; the hook has to run in the deployment's account and region"
    return said
