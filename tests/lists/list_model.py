"""A pure model of a bulk endpoint whose records change, to drive the paginator."""

from __future__ import annotations

import bisect
import datetime as dt
import logging
import typing as t

from tap_drchrono.endpoints import Endpoint
from tap_drchrono.lists.budget import ListDesk
from tap_drchrono.lists.jobs import (
    LIFETIME,
    Answer,
    Fetch,
    Order,
    Source,
    Status,
    Submit,
)
from tap_drchrono.lists.paginator import BulkListPaginator

if t.TYPE_CHECKING:
    import random
    from collections.abc import Callable

    from tap_drchrono.lists.jobs import PendingList

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
        self.lists: dict[str, tuple[float, Answer]] = {}
        self.posts: list[PendingList] = []
        self.gets = 0
        self.most_generating = 0
        self.tell_pagination = True
        self.shuffle: random.Random | None = None
        self.answer_get: Callable[[PendingList, Answer], Answer] = lambda _, answer: (
            answer
        )

    @property
    def requests(self) -> int:
        return len(self.posts) + self.gets

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
            rows = self.order[first:]
            if self.shuffle:
                rows.sort(key=lambda row: (row[0], self.shuffle.random()))
            keys = [key for _, key in rows[(page - 1) * size : page * size]]
        uuid = str(len(self.posts))
        answer = Answer(
            Status.COMPLETE,
            "Complete",
            uuid,
            [self.record(key) for key in keys],
            *((page, size, count) if self.tell_pagination else ()),
        )
        self.lists[uuid] = (now + self.seconds(len(keys)), answer)
        generating = sum(ready > now for ready, _ in self.lists.values())
        self.most_generating = max(self.most_generating, generating)
        return Answer(Status.IN_PROGRESS, "In progress", uuid)

    def get(self, pending: PendingList, now: float) -> Answer:
        self.gets += 1
        ready, answer = self.lists[t.cast("str", pending.uuid)]
        if now > pending.submitted_at + LIFETIME:
            answer = Answer(Status.GONE, "HTTP 404")
        elif now < ready:
            answer = Answer(Status.IN_PROGRESS, "In progress", pending.uuid)
        return self.answer_get(pending, answer)


def source_of(
    stream: str,
    page_size: int = 1000,
    since: dt.date = dt.date(1970, 1, 1),
    *,
    first_sync: bool = True,
) -> Source:
    """What is read of an invented stream."""
    scopes = frozenset({f"{stream}:read"})
    endpoint = Endpoint(stream, f"/api/{stream}_list", "id", scopes)
    return Source(endpoint, page_size, since, first_sync, 1800)


def read(
    model: ListModel,
    *,
    page_size: int = 1000,
    since: dt.date = dt.date(1970, 1, 1),
    first_sync: bool = True,
    before: Callable[[int], None] = lambda _: None,
    max_pending: int = 8,
    clock: FakeClock | None = None,
    limit: int = 200_000,
    on_page: Callable[[], None] = lambda: None,
    dated: list[dict[str, t.Any]] | None = None,
) -> tuple[list[dict[str, t.Any]], BulkListPaginator]:
    """Read the model as the tap would; `before` runs before each request.

    `dated` receives the records that were read in the order of `updated_at`: they move
    the bookmark.
    """
    clock = clock or FakeClock()
    desk = ListDesk(max_pending, clock)
    source = source_of("things", page_size, since, first_sync=first_sync)
    paginator = BulkListPaginator(source, desk, clock, logging.getLogger("test"))
    emitted: list[dict[str, t.Any]] = []
    dated = [] if dated is None else dated
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
        if (page := paginator.page(answer)) and page.records:
            emitted.extend(page.records)
            if page.after is not None:
                dated.extend(page.records)
            on_page()
        paginator.advance(t.cast("t.Any", None))
        if paginator.finished:
            return emitted, paginator
    msg = "the stream does not end"
    raise AssertionError(msg)
