"""The log lines by which `pulumi up` knows what a hook said. Their format is a contract: docs/hooks.md."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Literal

_REASON = 1_000
_STACK = 2_000


@dataclass
class Line:
    """What every line of one hook's run has."""

    deployment_id: str
    hook_execution_id: str
    request_id: str | None = None
    lifecycle_event: str | None = None

    def write(
        self,
        status: Literal["Started", "Succeeded", "Failed", "NotReported"],
        reason: str | None = None,
        verdict: str | None = None,
        stack: str | None = None,
    ) -> None:
        members = {
            "lambdaRollout": "hook",
            "deploymentId": self.deployment_id,
            "status": status,
            "verdict": verdict,
            "reason": reason and _encodable(reason if len(reason) <= _REASON else reason[: _REASON - 1] + "…"),
            "lifecycleEvent": self.lifecycle_event,
            "requestId": self.request_id,
            "hookExecutionId": self.hook_execution_id,
            "level": "ERROR" if status in ("Failed", "NotReported") else "INFO",
            "timestamp": datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            # The last lines of a traceback say the most.
            "stack": stack and _encodable(stack[-_STACK:]),
        }
        known = {name: value for name, value in members.items() if value is not None}
        # To the stream itself, and at once: `logging` would put other things around it.
        sys.stderr.write(json.dumps(known, separators=(",", ":")) + "\n")
        sys.stderr.flush()


def _encodable(text: str) -> str:
    """Without halves of characters, which would be JSON that not every reader takes."""
    return text.encode("utf-8", "replace").decode("utf-8")
