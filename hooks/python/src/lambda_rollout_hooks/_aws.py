"""The calls to AWS, with the boto3 that Lambda's runtime brings."""

from __future__ import annotations

import functools
import os
import random
import time
from typing import Any

# A synchronous invocation answers when the function has: after fifteen minutes at most.
_LONGEST_INVOCATION = 910
_ATTEMPTS = 10


def prepare() -> None:
    """Makes the client for the report, so that the report itself takes little time.

    The other is made anew for each invocation: its connections may have died while the function was frozen, and what
    it sends may not be sent again.
    """
    _code_deploy(_endpoint("codedeploy"))
    _lambda.cache_clear()


def put_status(deployment_id: str, hook_execution_id: str, status: str) -> None:
    _code_deploy(_endpoint("codedeploy")).put_lifecycle_event_hook_execution_status(
        deploymentId=deployment_id, lifecycleEventHookExecutionId=hook_execution_id, status=status
    )


def target_of(deployment_id: str) -> dict[str, Any]:
    """What a deployment says about the function that it deploys."""
    client = _code_deploy(_endpoint("codedeploy"))
    [target_id, *_] = client.list_deployment_targets(deploymentId=deployment_id)["targetIds"]
    found = client.get_deployment_target(deploymentId=deployment_id, targetId=target_id)
    target = found["deploymentTarget"]["lambdaTarget"]
    info, events = target.get("lambdaFunctionInfo", {}), target.get("lifecycleEvents", [])
    running = (event["lifecycleEventName"] for event in events if event["status"] == "InProgress")
    return {
        "lifecycle_event": next(running, None),
        "function_name": info.get("functionName"),
        "alias": info.get("functionAlias"),
        "current_version": info.get("currentVersion"),
        "target_version": info.get("targetVersion"),
    }


def invoke(function_name: str, version: str, payload: bytes) -> dict[str, Any]:
    """Only what Lambda refused to run is tried again: anything else may have run."""
    client = _lambda(_endpoint("lambda"))
    failed = 0
    while True:
        try:
            answer: dict[str, Any] = client.invoke(FunctionName=function_name, Qualifier=version, Payload=payload)
            return answer
        except client.exceptions.TooManyRequestsException:
            failed += 1
            if failed == _ATTEMPTS:
                raise
            time.sleep(random.random() * min(5, 0.1 * 2**failed))


def error_code(error: BaseException) -> str | None:
    """The code with which AWS refused, if it did."""
    from botocore.exceptions import ClientError

    return error.response["Error"]["Code"] if isinstance(error, ClientError) else None


def unreachable(error: BaseException) -> bool:
    """Whether no answer came."""
    from botocore.exceptions import HTTPClientError

    return isinstance(error, HTTPClientError)


def _endpoint(service: str) -> str | None:
    return os.environ.get(f"AWS_ENDPOINT_URL_{service.upper()}") or os.environ.get("AWS_ENDPOINT_URL")


# Making a client takes a small function a second, so one is kept for each endpoint.


@functools.lru_cache
def _code_deploy(endpoint: str | None) -> Any:
    retries = {"mode": "standard", "total_max_attempts": _ATTEMPTS}
    return _client("codedeploy", endpoint, read_timeout=10, retries=retries)


@functools.lru_cache
def _lambda(endpoint: str | None) -> Any:
    once = {"total_max_attempts": 1}
    return _client("lambda", endpoint, read_timeout=_LONGEST_INVOCATION, retries=once, tcp_keepalive=True)


def _client(service: str, endpoint: str | None, **settings: Any) -> Any:
    # Not at the top: it takes as long again, and who only imports a hook, as a test runner does, needs none of it.
    import boto3
    from botocore.config import Config

    # A session of its own: the one that boto3 shares is not made for threads.
    return boto3.session.Session().client(service, endpoint_url=endpoint, config=Config(connect_timeout=3, **settings))
