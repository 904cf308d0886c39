"""Reads one list of each stream, with as few looks as it takes."""

from __future__ import annotations

import typing as t

if t.TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping, Sequence

    from tap_drchrono.clock import Clock
    from tap_drchrono.endpoints import Endpoint
    from tap_drchrono.first_run.asking import Questioner, Seen

_LOOKS = (0.5, 2.0, 5.0, 12.0, 30.0, 60.0, 120.0)
"""Seconds after its submission at which a list is looked at."""
_SPARE_LOOKS = 2
"""Looks at one list that do not come out of what later questions need."""


class List(t.NamedTuple):
    """A list that was asked for.

    Attributes:
        endpoint: What was asked.
        asked: The query.
        posted: The answer to the POST.
        seconds: From the POST until it was found ready; None where it was not.
        ready: The answer that held it; None where none did.
    """

    endpoint: Endpoint
    asked: Mapping[str, t.Any]
    posted: Seen
    seconds: float | None
    ready: Seen | None

    @property
    def records(self) -> Sequence[dict[str, t.Any]]:
        """Its records."""
        return self.ready.records if self.ready else ()

    @property
    def counted(self) -> int | None:
        """Records that it counts."""
        return self.ready.counted if self.ready else None


def query(since: dt.date | str, size: int, **more: object) -> dict[str, t.Any]:
    """Return the query for a list, in the order of `updated_at`.

    Args:
        since: From when on.
        size: Records a page.
        more: Further parameters.
    """
    return {
        "since": str(since),
        "order_by": "updated_at",
        "page": 1,
        "page_size": size,
        "verbose": "true",
        **more,
    }


def is_in_progress(seen: Seen) -> bool:
    """Tell whether a list is still being generated."""
    return str(seen.json.get("status", "")).strip().lower() == "in progress"


def read_all(
    wanted: Sequence[tuple[Endpoint, Mapping[str, t.Any]]],
    asking: Questioner,
    clock: Clock,
    *,
    keep: int = 0,
) -> list[List]:
    """Ask for lists, all at once, and read them as they become ready.

    Args:
        wanted: Endpoints and queries.
        asking: Sends the requests.
        clock: Waits.
        keep: Requests to leave for other questions: what comes first is to know more,
            not to know this list.

    Returns:
        The lists, in the same order.

    Raises:
        NotAskedError: If there are not even enough for a look at each.
    """
    asking.need(2 * len(wanted))
    posted = []
    for endpoint, params in wanted:
        posted.append((clock.now(), asking.post(endpoint, params)))
    lists: list[List] = []
    for (endpoint, params), (at, seen) in zip(wanted, posted, strict=True):
        ready = seconds = None
        if seen.uuid:
            kept = keep + len(wanted) - len(lists)
            ready = _look(endpoint, seen.uuid, at, asking, clock, keep=kept)
            seconds = clock.now() - at if ready else None
        lists.append(List(endpoint, params, seen, seconds, ready))
    return lists


def _look(  # noqa: PLR0913 - one list, and what looks at it
    endpoint: Endpoint,
    uuid: str,
    at: float,
    asking: Questioner,
    clock: Clock,
    *,
    keep: int,
) -> Seen | None:
    """Look at a list until it is ready, or until that costs too much."""
    looks = 0
    for age in _LOOKS:
        if (wait := at + age - clock.now()) > 0:
            clock.sleep(wait)
        elif looks:
            continue
        if looks and (looks > _SPARE_LOOKS or asking.left() <= keep):
            return None
        looks += 1
        seen = asking.get(endpoint, {"uuid": uuid})
        if not is_in_progress(seen):
            return seen
    return None
