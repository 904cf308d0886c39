"""A pure model of a bulk endpoint whose records change, to drive the paginator."""

from __future__ import annotations

import bisect
import datetime as dt
import logging
import typing as t

from tap_drchrono.desk import ListDesk
from tap_drchrono.lists import Answer, Fetch, Order, Status, Submit
from tap_drchrono.pagination import BulkListPaginator, Source

if t.TYPE_CHECKING:
    from collections.abc import Callable

    from tap_drchrono.lists import PendingList

T0 = dt.datetime(2024, 1, 1)  # noqa: DTZ001 - the API's timestamps name no zone


class FakeClock:
    """A clock that only moves when somebody sleeps."""

    def __init__(self, now: float = 1_700_000_000.0) -> None:
        self.time = now
        self.slept: list[float] = []

    def now(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.time += max(seconds, 0)

    def check(self) -> None:
        pass

    def call(self, function: Callable[[], t.Any]) -> t.Any:
        return function()


class ListModel:
    """Records with an id and an update time in seconds after T0, served in lists."""

    def __init__(
        self,
        *,
        dated: bool = True,
        max_page_size: int = 1000,
        zone_hours: float = 0,
        seconds: Callable[[int], float] = lambda _: 0.2,
    ) -> None:
        self.updated: dict[int, int] = {}
        self.order: list[tuple[int, int]] = []
        self.dated = dated
        self.max_page_size = max_page_size
        self.zone = int(zone_hours * 3600)
        self.seconds = seconds
        self.lists: dict[str, tuple[float, list[dict[str, t.Any]], Answer]] = {}
        self.posts: list[PendingList] = []
        self.gets = 0

    def put(self, key: int, updated: int) -> None:
        self.remove(key)
        self.updated[key] = updated
        bisect.insort(self.order, (updated, key))

    def remove(self, key: int) -> None:
        if (old := self.updated.pop(key, None)) is not None:
            del self.order[bisect.bisect_left(self.order, (old, key))]

    def stamp(self, key: int) -> str:
        return (T0 + dt.timedelta(seconds=self.updated[key])).isoformat()

    def record(self, key: int) -> dict[str, t.Any]:
        return {"id": key, **({"updated_at": self.stamp(key)} if self.dated else {})}

    def post(self, pending: PendingList, now: float) -> Answer:
        self.posts.append(pending)
        page, size = pending.window
        assert 1 <= page <= 1000, page
        size = min(size, self.max_page_size)
        since = dt.datetime.combine(pending.frame.since, dt.time.min) - T0
        first = bisect.bisect_left(
            self.order, (int(since.total_seconds()) + self.zone, -1)
        )
        count = len(self.order) - first
        if pending.frame.order is Order.ID:
            keys = sorted(key for _, key in self.order[first:])
            keys = keys[(page - 1) * size : page * size]
        else:
            at = first + (page - 1) * size
            keys = [key for _, key in self.order[at : at + size]]
        uuid = str(len(self.posts))
        answer = Answer(
            Status.COMPLETE,
            "Complete",
            uuid,
            [self.record(key) for key in keys],
            page,
            size,
            count,
        )
        self.lists[uuid] = (now + self.seconds(len(keys)), [], answer)
        return Answer(Status.IN_PROGRESS, "In progress", uuid)

    def get(self, pending: PendingList, now: float) -> Answer:
        self.gets += 1
        ready, _, answer = self.lists[t.cast("str", pending.uuid)]
        if now < ready:
            return Answer(Status.IN_PROGRESS, "In progress", pending.uuid)
        return answer


def read(  # noqa: PLR0913 - a harness takes what a test wants to vary
    model: ListModel,
    *,
    page_size: int = 1000,
    since: dt.date = dt.date(1970, 1, 1),
    first_sync: bool = True,
    before: Callable[[int], None] = lambda _: None,
    max_pending: int = 8,
    clock: FakeClock | None = None,
    limit: int = 200_000,
) -> tuple[list[dict[str, t.Any]], BulkListPaginator]:
    """Read the model as the tap would; `before` runs before each request."""
    clock = clock or FakeClock()
    desk = ListDesk(max_pending, clock)
    source = Source("things", "id", page_size, since, first_sync, 1800)
    paginator = BulkListPaginator(source, desk, clock, logging.getLogger("test"))
    emitted: list[dict[str, t.Any]] = []
    for request in range(limit):
        token = paginator.current_value
        assert token is not None
        before(request)
        if token.at > clock.now():
            clock.sleep(token.at - clock.now())
        if isinstance(token, Submit):
            answer = model.post(token.list, clock.now())
        else:
            assert isinstance(token, Fetch)
            answer = model.get(token.list, clock.now())
        emitted.extend(paginator.receive(answer))
        paginator.advance(t.cast("t.Any", None))
        if paginator.finished:
            return emitted, paginator
    msg = "the stream does not end"
    raise AssertionError(msg)
