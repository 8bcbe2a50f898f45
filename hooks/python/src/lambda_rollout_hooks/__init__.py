"""What a hook imports: `from lambda_rollout_hooks import rollout`."""

from . import rollout
from ._event import HookEvent, HookPayload, LifecycleEvent
from ._handler import HookContext, HookFunction, HookHandler
from ._invoke import FunctionError
from ._report import NotReportedError, Status, Verdict

__all__ = [
    "FunctionError",
    "HookContext",
    "HookEvent",
    "HookFunction",
    "HookHandler",
    "HookPayload",
    "LifecycleEvent",
    "NotReportedError",
    "Status",
    "Verdict",
    "rollout",
]
