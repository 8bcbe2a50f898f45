"""What Lambda hands to a hook."""

from __future__ import annotations

import base64
import secrets
import time
import uuid

from .._event import HookPayload


def fake_event() -> HookPayload:
    """What CodeDeploy sends, with ids of their own each time."""
    return {
        "DeploymentId": f"d-{secrets.token_hex(5)[:9].upper()}",
        "LifecycleEventHookExecutionId": base64.b64encode(secrets.token_bytes(48)).decode(),
    }


class FakeContext:
    """Lambda's context, as far as a hook needs it."""

    def __init__(self, timeout: float) -> None:
        self.aws_request_id = str(uuid.uuid4())
        self._end = time.monotonic() + timeout

    def get_remaining_time_in_millis(self) -> int:
        return max(0, int((self._end - time.monotonic()) * 1000))


def fake_context(timeout: float = 30) -> FakeContext:
    """The context of a function with that many seconds to run, counted from now."""
    return FakeContext(timeout)
