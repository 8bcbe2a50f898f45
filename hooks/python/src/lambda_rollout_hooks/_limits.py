"""How the time that Lambda gives is shared out: for the lookup, the test, and the report."""

from __future__ import annotations

import contextvars
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, wait
from dataclasses import dataclass
from typing import TypeVar

Result = TypeVar("Result")

# Left after the report, to write down that it did not get through.
_LAST_WORDS = 0.25


@dataclass(frozen=True)
class Limits:
    """Times at which each must be over, as `time.monotonic` has them."""

    lookup: float
    test: float
    report: float


class OutOfTime(Exception):
    def __init__(self, seconds: float) -> None:
        super().__init__(f"no answer after {seconds:.1f} s")
        self.seconds = seconds


def limits_of(remaining_millis: int) -> Limits:
    """Shares out what is left of the function's time: a fifth of it is kept for the report, never more than 5 s."""
    now, remaining = time.monotonic(), remaining_millis / 1000
    reserve = min(remaining / 2, max(1, min(remaining / 5, 5)))
    return Limits(
        lookup=now + min(5, remaining * 0.4),
        test=now + remaining - reserve,
        report=now + remaining - _LAST_WORDS,
    )


def within(end: float, run: Callable[[], Result]) -> Result:
    """Runs something that must be over at a time.

    It runs in a thread, which is left alone when it does not end: Python cannot end what hangs.
    """
    start = time.monotonic()
    outcome: Future[Result] = Future()

    def work() -> None:
        try:
            outcome.set_result(run())
        except BaseException as error:
            outcome.set_exception(error)

    variables = contextvars.copy_context()
    threading.Thread(target=variables.run, args=(work,), name="hook", daemon=True).start()
    if wait([outcome], max(0, end - start)).done:
        return outcome.result()
    raise OutOfTime(time.monotonic() - start)
