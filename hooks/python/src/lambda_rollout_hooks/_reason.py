"""An error in words, for the people who read why a rollout failed."""

from __future__ import annotations

import traceback

from ._limits import OutOfTime

# How many causes of causes are told.
_DEPTH = 5


def reason_of(error: BaseException, depth: int = _DEPTH) -> str:
    """The message of an error and of what caused it: `ValueError: no total: KeyError: 'total'`."""
    name, words = type(error).__name__, str(error)
    plain = type(error) in (Exception, OutOfTime) and words
    said = words if plain else ": ".join(filter(None, (name, words)))
    if error.__cause__ is None or depth == 0:
        return said
    return f"{said}: {reason_of(error.__cause__, depth - 1)}"


def stack_of(error: BaseException) -> str:
    # Without the frame of this package that called the test.
    frames = error.__traceback__ and error.__traceback__.tb_next
    return "".join(traceback.format_exception(type(error), error, frames)).rstrip()
