"""Tells where a program error happened, without any value that it held."""

from __future__ import annotations

import traceback
import typing as t

if t.TYPE_CHECKING:
    from types import TracebackType


def describe_crash(error: BaseException) -> str:
    """Describe an unexpected error by its type and place; its text may hold data.

    Args:
        error: The error.

    Returns:
        One line for the log.
    """
    places = [
        f"{frame.name} ({frame.filename.rsplit('/', 1)[-1]}:{frame.lineno})"
        for frame in _frames(error.__traceback__)
    ]
    return (
        f"unexpected {type(error).__name__} in {' > '.join(places[-4:]) or 'the tap'}. "
        "Please report this line to the tap's developers."
    )


def _frames(tb: TracebackType | None) -> traceback.StackSummary:
    return traceback.extract_tb(tb)
