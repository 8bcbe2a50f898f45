"""What the test that runs now is about, so that `rollout.invoke` needs no more than a payload.

Lambda runs one invocation at a time in a process. So this is not bound to a thread, and a test may invoke from many.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from ._event import HookEvent

_event: HookEvent | None = None


def under_test() -> HookEvent | None:
    return _event


@contextmanager
def testing(event: HookEvent) -> Iterator[None]:
    global _event
    _event = event
    try:
        yield
    finally:
        _event = None
