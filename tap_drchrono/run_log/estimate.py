"""How long it will take: pure arithmetic over what was measured.

Time spent waiting for the quota is no measure of anything, so it is left out of what
was measured, and put back by counting requests.
"""

from __future__ import annotations

import math
import typing as t

if t.TYPE_CHECKING:
    from tap_drchrono.api.quota import Quota

HOUR = 3600.0

_REQUESTS_A_PAGE = 2.0
"""A POST and a GET: what a page costs at least."""
_DOUBT = 0.5
"""What is left of the plain average at the least, however long ago the last page came:
a list that does not come must not bring the end nearer."""


class Allowance(t.NamedTuple):
    """The quota at a moment.

    Attributes:
        limit: Requests that may be sent in a clock hour.
        used: Those that were sent in the current one.
        now: Seconds since the epoch.
    """

    limit: int
    used: int
    now: float

    @classmethod
    def of(cls, quota: Quota, now: float) -> Allowance:
        """Take it from the quota that is counted.

        Args:
            quota: The quota.
            now: Seconds since the epoch.
        """
        return cls(quota.limit, quota.used, now)

    @property
    def left(self) -> int:
        """Requests that may still be sent in the current clock hour."""
        return max(self.limit - self.used, 0)


class Measured(t.NamedTuple):
    """What was measured of one stream, since its reading began.

    Attributes:
        seconds: Time so far, without waits for the quota.
        records: Records that went out in it.
        page_seconds: The same time when the last page had gone out.
        page_records: Records that had gone out then.
        pages: Pages that had.
        pages_read: Pages that were read, with one that is going out.
        requests: Requests that those took, but for the first one, which costs some
            more: there is nothing to learn from yet.
    """

    seconds: float
    records: int
    page_seconds: float
    page_records: int
    pages: int
    pages_read: int
    requests: int


def with_quota(requests: float, seconds: float, allowance: Allowance) -> float:
    """Say how long requests take, waits for the quota included.

    Args:
        requests: How many are to be sent.
        seconds: How long they would take without a quota, evenly spread.
        allowance: The quota at the start.

    Returns:
        Seconds from the start to the last answer.
    """
    if requests <= 0:
        return seconds
    each = seconds / requests
    this_hour = (allowance.now // HOUR + 1) * HOUR - allowance.now
    sent = min(float(allowance.left), this_hour / each if each else math.inf)
    if requests <= sent:
        return seconds
    an_hour = min(float(allowance.limit), HOUR / each if each else math.inf)
    hours = math.ceil((requests - sent) / an_hour) - 1
    return this_hour + hours * HOUR + (requests - sent - hours * an_hour) * each


def time_left(
    measured: Measured, left: int, *, pending: int, at_once: int, allowance: Allowance
) -> float | None:
    """Estimate when a stream has been read.

    Lists are generated several at once and so come in rounds: a page that has just
    come says little before one round is over. From then on the average counts, less
    what has passed since the last page.

    Args:
        measured: What was measured so far.
        left: Records that are left to read.
        pending: Lists that were asked for and have not come.
        at_once: Lists that are generated at once.
        allowance: The quota.

    Returns:
        Seconds; None while that cannot be told.
    """
    if measured.page_records <= 0 or measured.pages <= 0:
        return None
    pages_left = left * measured.pages / measured.page_records
    pages = measured.pages + pages_left
    if measured.pages < min(max(at_once, 2), math.ceil(pages / 2)):
        return None
    since_page = measured.seconds - measured.page_seconds
    done = max(measured.records, measured.page_records)
    seconds = max(
        left * measured.page_seconds / measured.page_records - since_page,
        _DOUBT * left * measured.seconds / done,
    )
    a_page = max(measured.requests / max(measured.pages_read - 1, 1), _REQUESTS_A_PAGE)
    requests = max(a_page * pages_left - pending, pages_left)
    return with_quota(requests, seconds, allowance)
