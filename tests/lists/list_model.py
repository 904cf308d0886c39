"""A pure model of a bulk endpoint whose records change, to drive the paginator."""

from __future__ import annotations

import bisect
import dataclasses
import datetime as dt
import logging
import typing as t

from tap_drchrono import bookmarks
from tap_drchrono.endpoints import Endpoint
from tap_drchrono.lists.budget import JobBudget
from tap_drchrono.lists.claims import Claims
from tap_drchrono.lists.jobs import (
    LIFETIME,
    Answer,
    ListEndpoint,
    Order,
    Status,
    Submit,
)
from tap_drchrono.lists.paginator import BulkListPaginator

if t.TYPE_CHECKING:
    import random
    from collections.abc import Callable

    from tap_drchrono.lists.jobs import Job, Wanted
    from tap_drchrono.pages import Outcome, Shortage

T0 = dt.datetime(2024, 1, 1)  # noqa: DTZ001 - the API's timestamps name no zone
EPOCH = 1_704_067_200
"""T0 in seconds since the epoch, if its zone were UTC."""
DAY = 86_400


class FakeClock:
    """A clock that only moves when somebody sleeps."""

    woke_at = 0.0

    def __init__(self, now: float = 1_800_000_000.0) -> None:
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
    """Records with an id and an update time in seconds after T0, served in lists.

    Attributes:
        hidden: Keys that are counted and not listed.
        leaves_slots: Whether those take up their place on a page.
        twice: Keys that are listed twice.
        shuffle: Draws the order of a tie anew for each list.
        by_window: Whether the order of a tie depends on page and page size.
        scrambled: Whether lists come in an order of their own.
        scheduled: By key, what `scheduled_time` sorts by.
        lie: Changes what an answer claims.
        beyond: What a page beyond the last one gives.
        name_after: Seconds after which a list is known by its name.
        form: Writes a timestamp, given the number of the list.
    """

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
        self.posts: list[Wanted] = []
        self.gets = 0
        self.most_generating = 0
        self.tell_pagination = True
        self.shuffle: random.Random | None = None
        self.by_window = False
        self.scrambled = False
        self.scheduled: dict[int, int] = {}
        self.hidden: set[int] = set()
        self.leaves_slots = False
        self.twice: set[int] = set()
        self.beyond: t.Literal["empty", "get", "post", "last"] = "empty"
        self.name_after = 0.0
        self.lie: Callable[[Claims, int], Claims] = lambda claims, _: claims
        self.form: Callable[[dt.datetime, int], str] = lambda stamp, _: (
            stamp.isoformat()
        )
        self.answer_get: Callable[[Job, Answer], Answer] = lambda _, answer: answer

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

    def record(self, key: int, nth_list: int = 0) -> dict[str, t.Any]:
        record: dict[str, t.Any] = {"id": key, "version": self.updated[key]}
        if self.dated:
            stamp = T0 + dt.timedelta(seconds=self.updated[key])
            record["updated_at"] = self.form(stamp, nth_list)
        if key in self.scheduled:
            moment = T0 + dt.timedelta(seconds=self.scheduled[key])
            record["scheduled_time"] = moment.isoformat()
        return record

    def _first(self, wanted: Wanted) -> int:
        """Records before those of a list."""
        since = dt.datetime.combine(wanted.frame.since, dt.time.min) - T0
        return bisect.bisect_left(
            self.order, (int(since.total_seconds()) + self.zone, -1)
        )

    def _in_order(self, wanted: Wanted) -> list[int]:
        """All keys of a list, in its order."""
        rows = self.order[self._first(wanted) :]
        if self.scrambled:
            return [key for _, key in sorted(rows, key=lambda row: hash((row[1], 7)))]
        if wanted.frame.order is Order.ID:
            return sorted(key for _, key in rows)
        if wanted.frame.order is Order.SCHEDULED_TIME:
            rows = sorted((self.scheduled[key], key) for _, key in rows)
        if self.shuffle:
            draw = self.shuffle.random
            return [key for _, key in sorted(rows, key=lambda row: (row[0], draw()))]
        if self.by_window:
            window = wanted.window
            return [
                key
                for _, key in sorted(
                    rows, key=lambda row: (row[0], hash((*window, row[1])))
                )
            ]
        return [key for _, key in rows]

    def _cut(self, wanted: Wanted, size: int) -> tuple[list[int], int, int]:
        """The keys of a page, the count, and the number of the page served."""
        start = (wanted.window.page - 1) * size
        by_update = wanted.frame.order is Order.UPDATED_AT
        odd = self.scrambled or self.shuffle or self.by_window
        if by_update and not (odd or self.twice or self.hidden):
            first = self._first(wanted)
            rows = self.order[first + start : first + start + size]
            if rows or self.beyond != "last":
                page = wanted.window.page
                return [key for _, key in rows], len(self.order) - first, page
        keys = [
            key
            for key in self._in_order(wanted)
            for _ in range(1 + (key in self.twice))
        ]
        count = len(keys)
        if not self.leaves_slots:
            keys = [key for key in keys if key not in self.hidden]
        page = wanted.window.page
        if self.beyond == "last" and start >= len(keys) > 0:
            page = -(-len(keys) // size)
        return keys[(page - 1) * size : page * size], count, page

    def post(self, job: Job, now: float) -> Answer:
        wanted = job.wanted
        self.posts.append(wanted)
        assert 1 <= wanted.window.page <= 1000, wanted.window
        size = min(wanted.window.size, self.max_page_size)
        keys, count, page = self._cut(wanted, size)
        is_beyond = not keys and page > 1
        if is_beyond and self.beyond == "post":
            return Answer(Status.BEYOND, "HTTP 404")
        nth = len(self.posts)
        uuid = str(nth)
        claims = Claims(page, size, count) if self.tell_pagination else Claims()
        answer = Answer(
            Status.BEYOND if is_beyond and self.beyond == "get" else Status.COMPLETE,
            "Complete",
            uuid,
            [self.record(key, nth) for key in keys if key not in self.hidden],
            self.lie(claims, nth),
        )
        self.lists[uuid] = (now + self.seconds(len(keys)), answer)
        generating = sum(ready > now for ready, _ in self.lists.values())
        self.most_generating = max(self.most_generating, generating)
        return Answer(Status.IN_PROGRESS, "In progress", uuid)

    def get(self, job: Job, now: float) -> Answer:
        self.gets += 1
        ready, answer = self.lists[t.cast("str", job.uuid)]
        age = now - job.submitted_at
        if age > LIFETIME or age < self.name_after:
            answer = Answer(Status.GONE, "HTTP 404")
        elif now < ready:
            answer = Answer(Status.IN_PROGRESS, "In progress", job.uuid)
        return self.answer_get(job, answer)


def source_of(
    stream: str,
    page_size: int = 1000,
    since: dt.date = dt.date(1970, 1, 1),
    *,
    first_sync: bool = True,
    **more: t.Any,
) -> ListEndpoint:
    """What is read of an invented stream."""
    scopes = frozenset({f"{stream}:read"})
    endpoint = Endpoint(stream, f"/api/{stream}_list", "id", scopes)
    return ListEndpoint(endpoint, page_size, since, first_sync, 1800, **more)


class EndlessError(AssertionError):
    """A stream was not at its end after as many requests as a test allows."""


class KilledError(Exception):
    """The process ends here."""


@dataclasses.dataclass
class Run:
    """What a run of the loop put out.

    Attributes:
        records: All that went out.
        states: The bookmarks of its STATEs, and how many records were out before each.
        outcome: How it ended; None if it was killed.
    """

    records: list[dict[str, t.Any]] = dataclasses.field(default_factory=list)
    states: list[tuple[int, str | None]] = dataclasses.field(default_factory=list)
    outcome: Outcome | None = None

    @property
    def keys(self) -> list[int]:
        return [record["id"] for record in self.records]


def loop(
    model: ListModel,
    source: ListEndpoint,
    *,
    before: Callable[[int], None] = lambda _: None,
    max_pending: int = 8,
    clock: FakeClock | None = None,
    limit: int = 20_000,
    on_page: Callable[[], None] = lambda: None,
    hourly: int | None = None,
    kill_at: int | None = None,
) -> tuple[Run, BulkListPaginator]:
    """Read the model as the tap does; `before` runs before each request.

    `hourly` requests are sent in a clock hour; at request `kill_at` the process dies.
    """
    clock = clock or FakeClock()
    budget = JobBudget(max_pending, clock)
    paginator = BulkListPaginator(source, budget, clock, logging.getLogger("test"))
    run, covered, used = Run(), source.bookmark, (0.0, 0)
    for request in range(limit):
        token = paginator.current_value
        assert token is not None
        if request == kill_at:
            return run, paginator
        hour = clock.now() // 3600
        used = (hour, used[1] + 1 if used[0] == hour else 1)
        if hourly and used[1] > hourly:
            clock.sleep((hour + 1) * 3600 - clock.now())
            used = (hour + 1, 1)
        before(request)
        if token.list.answer:
            answer = token.list.answer
        else:
            clock.sleep(token.at - clock.now())
            ask = model.post if isinstance(token, Submit) else model.get
            answer = ask(token.list, clock.now())
            clock.sleep(0.05)
        if page := paginator.page(answer):
            if page.before != covered:
                run.states.append((len(run.records), page.before))
            run.records.extend(page.records)
            covered = page.after
            run.states.append((len(run.records), covered))
            on_page()
        paginator.advance(t.cast("t.Any", None))
        if paginator.finished:
            run.outcome = paginator.outcome()
            run.states.append((len(run.records), run.outcome.bookmark))
            return run, paginator
    msg = f"the stream does not end in {limit} requests"
    raise EndlessError(msg)


def read(
    model: ListModel,
    *,
    page_size: int = 1000,
    since: dt.date = dt.date(1970, 1, 1),
    first_sync: bool = True,
    **how: t.Any,
) -> tuple[list[dict[str, t.Any]], BulkListPaginator]:
    """Read the model once, from a day on."""
    source = source_of("things", page_size, since, first_sync=first_sync)
    run, paginator = loop(model, source, **how)
    return run.records, paginator


class Copy:
    """What a target holds after some syncs, and the state that the next one gets."""

    def __init__(self) -> None:
        self.rows: dict[int, t.Any] = {}
        self.bookmark: str | None = None
        self.shortage: Shortage | None = None
        self.runs: list[Run] = []

    def sync(
        self,
        model: ListModel,
        *,
        page_size: int = 1000,
        lookback: int = 1,
        steady: Order = Order.ID,
        **how: t.Any,
    ) -> Run:
        """Read once more, as the run after the last one."""
        since, resumed = bookmarks.since(self.bookmark, None, lookback)
        source = source_of(
            "things",
            page_size,
            since,
            first_sync=not resumed,
            steady=steady,
            bookmark=self.bookmark,
            lookback=lookback,
            shortage=self.shortage,
        )
        run, _ = loop(model, source, **how)
        for record in run.records:
            self.rows[record["id"]] = record["version"]
        if run.states:
            self.bookmark = run.states[-1][1]
        if run.outcome:
            self.shortage = run.outcome.shortage
        self.runs.append(run)
        return run

    def differences(self, model: ListModel) -> dict[int, t.Any]:
        """Records of the source that the copy lacks, or holds in an older version."""
        return {
            key: (self.rows.get(key), updated)
            for key, updated in model.updated.items()
            if self.rows.get(key) != updated
        }
