"""Calls the version under test."""

from __future__ import annotations

import json
from typing import Any

from . import _aws
from ._current import under_test
from ._event import HookEvent


class FunctionError(Exception):
    """The version under test answered with an error."""

    def __init__(self, message: str, error_type: str | None) -> None:
        super().__init__(message)
        # The name of the error that the function raised.
        self.error_type = error_type


def invoke(payload: Any = None) -> Any:
    """Invokes the version under test and waits for its answer; raises when the function does.

    Works inside the function given to `rollout.handler`.
    """
    event = under_test()
    if event is None:
        raise RuntimeError("rollout.invoke works only inside the function given to rollout.handler")
    function_name, version = _known(event)
    answer = _call(function_name, version, json.dumps({} if payload is None else payload).encode())
    body = answer["Payload"].read()
    result = json.loads(body) if body else None
    if "FunctionError" not in answer:
        return result
    told = result if isinstance(result, dict) else {}
    said = ": ".join(filter(None, (told.get("errorType"), told.get("errorMessage")))) or body.decode()
    raise FunctionError(f"version {version} of {function_name} failed: {said}", told.get("errorType"))


def _call(function_name: str, version: str, payload: bytes) -> dict[str, Any]:
    try:
        return _aws.invoke(function_name, version, payload)
    except Exception as error:
        if (_aws.error_code(error) or "").startswith("AccessDenied"):
            cure = f"allow lambda:InvokeFunction on {function_name}:{version} in the role of this function"
            raise PermissionError(f"{cure} ({error})") from None
        raise


def _known(event: HookEvent) -> tuple[str, str]:
    if event.function_name and event.target_version:
        return event.function_name, event.target_version
    raise LookupError(
        "rollout.invoke does not know the version under test: allow codedeploy:ListDeploymentTargets and "
        "codedeploy:GetDeploymentTarget in the role of this function, or set LAMBDA_ROLLOUT_FUNCTION_NAME and "
        f"LAMBDA_ROLLOUT_TARGET_VERSION ({event.lookup_error or 'the deployment does not say it'})"
    )
