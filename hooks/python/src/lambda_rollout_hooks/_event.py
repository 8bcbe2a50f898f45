"""What a hook is told: by CodeDeploy's payload, by the environment, and by the deployment itself."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, TypedDict, Union

from . import _aws, _limits, _reason

LifecycleEvent = Literal["BeforeAllowTraffic", "AfterAllowTraffic"]


class HookPayload(TypedDict):
    """What CodeDeploy sends to a hook."""

    DeploymentId: str
    LifecycleEventHookExecutionId: str


@dataclass(frozen=True)
class HookEvent:
    """What is tested. Only the first two are always there; the README says what the others need."""

    deployment_id: str
    hook_execution_id: str
    # Before the new version gets traffic, or after it has all of it.
    lifecycle_event: LifecycleEvent | None = None
    function_name: str | None = None
    # The alias whose traffic moves.
    alias: str | None = None
    # The version that served before.
    current_version: str | None = None
    # The version under test.
    target_version: str | None = None
    # Why the deployment could not be asked for what is missing.
    lookup_error: str | None = None


# A hook may be finished by another function, which gets the event as JSON: `dataclasses.asdict(event)`.
AnyEvent = Union[HookEvent, HookPayload, Mapping[str, Any]]


def identify(event: AnyEvent) -> tuple[str, str]:
    """The ids in what CodeDeploy sent, or in an event made from it."""
    members: Mapping[str, Any] = asdict(event) if isinstance(event, HookEvent) else event
    for deployment, execution in (("DeploymentId", "LifecycleEventHookExecutionId"), ("deployment_id", "hook_execution_id")):
        if deployment in members and execution in members:
            return members[deployment], members[execution]
    raise ValueError("this is not an event of CodeDeploy: it has no DeploymentId and LifecycleEventHookExecutionId")


def describe(deployment_id: str, hook_execution_id: str, end: float) -> HookEvent:
    """Everything that can be known about what is tested. It is given up when it takes too long: the test comes first."""
    given = _from_environment()
    if all(given.values()):
        return HookEvent(deployment_id, hook_execution_id, **given)
    try:
        found = _limits.within(end, lambda: _aws.target_of(deployment_id))
    except Exception as error:
        return HookEvent(deployment_id, hook_execution_id, **given, lookup_error=_reason.reason_of(error))
    known = {name: value for name, value in given.items() if value}
    return HookEvent(deployment_id, hook_execution_id, **{**found, **known})


def _from_environment() -> dict[str, Any]:
    names = ("lifecycle_event", "function_name", "alias", "current_version", "target_version")
    return {name: os.environ.get(f"LAMBDA_ROLLOUT_{name.upper()}") or None for name in names}
