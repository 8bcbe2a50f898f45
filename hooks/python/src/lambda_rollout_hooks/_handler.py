"""The main path of a hook: what CodeDeploy sent, the test, the verdict, the report."""

from __future__ import annotations

import asyncio
import functools
import inspect
import os
from collections.abc import Callable, Coroutine
from typing import Any, Protocol, Union

from . import _aws, _current, _event, _limits, _log, _reason, _report
from ._event import HookEvent, HookPayload
from ._report import Verdict


class HookContext(Protocol):
    """What a hook needs of Lambda's context."""

    @property
    def aws_request_id(self) -> str: ...

    def get_remaining_time_in_millis(self) -> int: ...


# Your test. When it returns, the version is good; when it raises, it is not.
# It returns nothing: a `False` would be taken for success.
HookFunction = Union[
    Callable[[HookEvent], None],
    Callable[[HookEvent, HookContext], None],
    Callable[[HookEvent], Coroutine[Any, Any, None]],
    Callable[[HookEvent, HookContext], Coroutine[Any, Any, None]],
]

# What Lambda calls. It returns the verdict, once CodeDeploy has it.
HookHandler = Callable[[HookPayload, HookContext], Verdict]


def handler(test: HookFunction) -> HookHandler:
    """Makes a Lambda handler of a test: it always reports, also when the test raises or hangs."""

    if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:
        # While it starts, Lambda gives a function more of a processor than later.
        _aws.prepare()

    @functools.wraps(test)
    def handle(payload: HookPayload, context: HookContext) -> Verdict:
        deployment_id, hook_execution_id = _event.identify(payload)
        line = _log.Line(deployment_id, hook_execution_id, getattr(context, "aws_request_id", None))
        line.write("Started")
        _aws.prepare()
        limits = _limits.limits_of(context.get_remaining_time_in_millis())
        event = _event.describe(deployment_id, hook_execution_id, limits.lookup)
        line.lifecycle_event = event.lifecycle_event
        verdict, stack = _judge(test, event, context, limits.test)
        _report.tell(line, verdict, limits.report, stack)
        return verdict

    return handle


def _judge(test: HookFunction, event: HookEvent, context: HookContext, end: float) -> tuple[Verdict, str | None]:
    """Runs the test, and stops waiting for it in time to report."""

    def run() -> tuple[Verdict, str | None]:
        try:
            result = test(*(event, context)[: _arguments(test)])  # type: ignore[arg-type]
            if inspect.iscoroutine(result):
                asyncio.run(result)
        except BaseException as error:
            return {"status": "Failed", "reason": _reason.reason_of(error)}, _reason.stack_of(error)
        return {"status": "Succeeded"}, None

    try:
        with _current.testing(event):
            return _limits.within(end, run)
    except _limits.OutOfTime as late:
        reason = f"still running after {late.seconds:.1f} s, when the function's time was nearly up"
        return {"status": "Failed", "reason": reason}, None


def _arguments(test: HookFunction) -> int:
    """Whether the test wants the context, too."""
    kinds = [parameter.kind for parameter in inspect.signature(test).parameters.values()]
    if inspect.Parameter.VAR_POSITIONAL in kinds:
        return 2
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return min(2, sum(kind in positional for kind in kinds))
