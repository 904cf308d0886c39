"""When a sync that has not begun would end: the quota's arithmetic, in words."""

from __future__ import annotations

import textwrap
import time
import typing as t

from tap_drchrono.clock import how_long
from tap_drchrono.run_log.estimate import HOUR, Allowance, with_quota
from tap_drchrono.words import counted

WIDTH = 80
"""Columns of what a person reads in a terminal."""


class Work(t.NamedTuple):
    """What there is to do.

    Attributes:
        requests: Requests in all.
        pages: Pages that are lists of their own.
        at_once: Lists that are generated at once.
        page_seconds: Seconds that a full page is taken to need.
    """

    requests: int
    pages: int
    at_once: int
    page_seconds: float

    def seconds(self, allowance: Allowance) -> float:
        """Say how long it takes, waits for the quota included.

        Args:
            allowance: The quota at the start.
        """
        rounds = -(-self.pages // self.at_once)
        return with_quota(self.requests, self.page_seconds * rounds, allowance)


def told(work: Work, allowance: Allowance) -> list[str]:
    """Say how the quota is used up, and when it is done.

    Args:
        work: What there is to do.
        allowance: The quota at the start.

    Returns:
        Lines of at most 80 columns.
    """
    seconds = work.seconds(allowance)
    end = allowance.now + seconds
    quota = f"Quota: {counted(work.requests, 'request')}, {_hours(work, allowance)}."
    ends = (
        f"A sync that begins now ends at about {_moment(end, allowance.now)}, after "
        f"{how_long(seconds)}, if a full page takes {work.page_seconds:.0f} s and "
        "nothing else uses the quota."
    )
    return [line for text in (quota, ends) for line in textwrap.wrap(text, WIDTH)]


def _hours(work: Work, allowance: Allowance) -> str:
    """Divide the requests among the clock hours."""
    top = (allowance.now // HOUR + 1) * HOUR
    first = f"{allowance.left:,} are left until {_moment(top, allowance.now)}"
    of = f"at {allowance.limit:,} a clock hour"
    rest = work.requests - allowance.left
    if rest <= 0:
        return f"{of}: {first}"
    full, last = divmod(rest, allowance.limit)
    parts = [first]
    if full:
        parts.append(f"{counted(full, 'hour')} of {allowance.limit:,}")
    if last:
        parts.append(f"{last:,} in the hour after that")
    return f"{of}: {', then '.join(parts)}"


def _moment(moment: float, now: float) -> str:
    """Write a time to the minute, with its day if that is another one."""
    then, today = time.localtime(moment), time.localtime(now)
    form = "%H:%M" if then[:3] == today[:3] else "%H:%M on %Y-%m-%d"
    return time.strftime(form, then)
