"""Reads one list of each stream, with as few looks as it takes."""

from __future__ import annotations

import typing as t

from tap_drchrono.errors import StreamError

if t.TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from tap_drchrono.clock import Clock
    from tap_drchrono.endpoints import Endpoint
    from tap_drchrono.first_run.asking import Questioner, Seen

    _Send: t.TypeAlias = Callable[[Endpoint, Mapping[str, t.Any]], Seen]

_LOOKS = (0.5, 2.0, 5.0, 12.0, 30.0, 60.0, 120.0)
"""Seconds after its submission at which a list is looked at."""
_FAILURES = ("Failed", "Canceled", "Error")
"""What DrChrono documents for a list that failed."""
_SURELY = 2
"""Times as long as others took, after which a list is looked at if it is only once."""


class List(t.NamedTuple):
    """A list that was asked for.

    Attributes:
        endpoint: What was asked.
        asked: The query.
        posted: The answer to the POST; None where it, or a look, got no answer.
        seconds: From the POST until it was found ready, or looked at for the last time.
        ready: The answer that held it; None where none did.
        failed: The answer that said that it will not be there.
    """

    endpoint: Endpoint
    asked: Mapping[str, t.Any]
    posted: Seen | None
    seconds: float
    ready: Seen | None = None
    failed: Seen | None = None

    @property
    def uuid(self) -> str | None:
        """Its name; None where it was not submitted."""
        return self.posted.uuid if self.posted else None

    @property
    def refusal(self) -> str:
        """Say why it is not there."""
        seen = self.failed or self.posted
        if seen is None:
            return "no answer"
        status = str(seen.json.get("status", ""))
        word = f", {status}" if status in _FAILURES else ""
        waited = self.uuid and not self.failed
        why = f"not ready after {self.seconds:.0f} s"
        return why if waited else f"HTTP {seen.status}{word}"

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


class _Tries:
    """Lets one request go without an answer, but not two in a row."""

    def __init__(self) -> None:
        self._failed = False

    def __call__(
        self, send: _Send, endpoint: Endpoint, params: Mapping[str, t.Any]
    ) -> Seen | None:
        """Send a request.

        Args:
            send: Sends it.
            endpoint: What to ask.
            params: The query.

        Returns:
            The answer; None where none came.

        Raises:
            StreamError: If it was the second in a row.
        """
        try:
            seen = send(endpoint, params)
        except StreamError:
            if self._failed:
                raise
            self._failed = True
            return None
        self._failed = False
        return seen


def read_all(
    wanted: Sequence[tuple[Endpoint, Mapping[str, t.Any]]],
    asking: Questioner,
    clock: Clock,
    *,
    keep: int = 0,
    usual: float = 0.0,
) -> Iterator[List]:
    """Ask for lists, all at once, and read them one by one as they become ready.

    Args:
        wanted: Endpoints and queries.
        asking: Sends the requests.
        clock: Waits.
        keep: Requests to leave for other questions: what comes first is to know more,
            not to know these lists.
        usual: Seconds that lists took before; zero if that is not known.

    Yields:
        The lists, in the same order.

    Raises:
        NotAskedError: If there are not even enough for a look at each.
        StreamError: If two requests in a row got no answer.
    """
    asking.need(2 * len(wanted))
    tries = _Tries()
    posted = []
    for endpoint, params in wanted:
        seen = tries(asking.post, endpoint, params)
        posted.append(List(endpoint, params, seen, clock.now()))
    for done, one in enumerate(posted, 1):
        at, ready, failed, looks = one.seconds, None, None, 0
        while one.uuid:
            is_last = asking.left <= keep + len(wanted) - done + 1
            age = next_look(clock.now() - at, looks, usual=usual, is_last=is_last)
            if (wait := at + age - clock.now()) > 0:
                clock.sleep(wait)
            looks += 1
            seen = tries(asking.get, one.endpoint, {"uuid": one.uuid})
            if seen and seen.has_list:
                ready = seen
            elif seen and not is_in_progress(seen):
                failed = seen
            if seen is None:
                one = one._replace(posted=None)  # noqa: PLW2901 - the same list
            elif ready or failed or is_last or age >= _LOOKS[-1]:
                break
        took = clock.now() - at
        if ready:
            usual = max(usual, took)
        yield one._replace(seconds=took, ready=ready, failed=failed)


def next_look(age: float, looks: int, *, usual: float, is_last: bool) -> float:
    """Say how old a list should be when it is looked at next.

    Args:
        age: Its age in seconds.
        looks: How often it was looked at.
        usual: Seconds that others took; zero if that is not known.
        is_last: Whether there are no requests for a further look.

    Returns:
        An age in seconds, no less than its own.
    """
    if is_last:
        return max(age, min(_SURELY * usual or _LOOKS[-1], _LOOKS[-1]))
    if not looks:
        return max(age, usual, _LOOKS[0])
    return next((one for one in _LOOKS if one > age), age)
