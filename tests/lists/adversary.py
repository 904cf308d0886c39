"""Draws a practice and a server at their worst, and syncs until the copy must be right.

Everything that may go wrong with lists is mixed: ties in an order of their own, records
that are counted and not listed, claims that are wrong, names that come late, pages
beyond the end, changes of all kinds, commits that are late, zones, quotas, and kills.
"""

from __future__ import annotations

import dataclasses
import math
import random
import typing as t
from collections import Counter

from list_model import DAY, EPOCH, Copy, FakeClock, ListModel

from tap_drchrono.lists.jobs import Answer, Order, Status

LIES: dict[str, t.Any] = {
    "none": lambda *_: {},
    "page from 0": lambda said, _: {"page": said.page - 1},
    "page always 1": lambda *_: {"page": 1},
    "page missing": lambda *_: {"page": None},
    "count 0": lambda *_: {"count": 0},
    "count missing": lambda *_: {"count": None},
    "count too small": lambda said, _: {"count": said.count * 9 // 10},
    "count too large": lambda said, _: {"count": said.count + 7},
    "count growing": lambda said, nth: {"count": said.count + 70 * nth},
    "page size 7": lambda *_: {"size": 7},
    "page size of a thousand": lambda *_: {"size": 1000},
    "page size doubled": lambda said, _: {"size": said.size * 2},
    "nothing": lambda *_: {"count": None, "page": None, "size": None},
}
"""What an answer says of itself, given what is true and the number of the list."""

FORMS: tuple[t.Any, ...] = (
    lambda stamp, _: stamp.isoformat(),
    lambda stamp, nth: stamp.isoformat(sep=" " if nth % 2 else "T"),
    lambda stamp, nth: stamp.isoformat(
        timespec="milliseconds" if nth % 3 else "seconds"
    ),
)


class World:
    """One practice behind one server, and the copy that syncs make of it."""

    def __init__(self, seed: int) -> None:
        self.rng = rng = random.Random(seed)  # noqa: S311 - repeatable
        self.clock = FakeClock()
        self.copy = Copy()
        self.at_hour: Counter[int] = Counter()
        takes = rng.choice([0.2, 0.2, 3.0, 20.0])
        self.model = model = ListModel(
            dated=rng.random() < 0.85,
            max_page_size=rng.choice([1000, 1000, 17, 40]),
            zone_hours=rng.choice([0, 0, -8, 8, -14, 14]),
            seconds=lambda records: takes + 0.01 * records * (takes > 1),
        )
        # No zone lies further from the server's clock than 14 hours.
        hours = model.zone // 3600
        zones = [one for one in (0, 0, -8, 5) if -14 <= one - hours <= 14]
        self.stamp_zone = rng.choice(zones) * 3600
        self.size = rng.choice([1, 2, 3, 7, 20, 60, 1000])
        self.steady = Order.ID
        # Pages of a few records cannot hold a tie, and are told so in an error.
        if model.dated and self.size > 3 and rng.random() < 0.3:
            self.steady = Order.SCHEDULED_TIME
        self.records = rng.choice([0, 1, 5, 40, 200])
        if self.size > 7:
            self.records = rng.choice([40, 300, 1200])
        ties = rng.choice([0, 0, 0.3, 0.95])
        moment = self.now() - rng.choice([1, 400]) * DAY
        gap = (self.now() - moment) / (self.records + 1)
        for key in range(self.records):
            moment += 0 if rng.random() < ties else gap
            self.put(key, int(moment))
        # A page of one record does not show that the next one is older.
        order = rng.choice(
            ["id", "id", "shuffled", "window", "none"][: 4 + (self.size > 3)]
        )
        model.shuffle = rng if order == "shuffled" else None
        model.by_window = order == "window"
        model.scrambled = order == "none"
        model.beyond = rng.choice(["empty", "get", "post", "last"])
        model.name_after = rng.choice([0, 0, 0, 0.6, 5.0])
        model.leaves_slots = rng.random() < 0.5
        model.form = rng.choice(FORMS)
        self.lie = rng.choice(list(LIES)) if rng.random() < 0.5 else "none"
        model.lie = lambda said, nth: dataclasses.replace(
            said, **LIES[self.lie](said, nth)
        )
        if self.size <= 3 and order != "id":
            # Which records such a page lacks, only the count can tell.
            self.lie = "none"
        self.failing = rng.choice([0, 0, 0, 0.05])
        model.answer_get = self.maybe_failed
        self.rate = rng.choice([0, 0, 0.02, 0.3])
        if self.size <= 3:
            # Such pages never get through a practice that is busier than they are.
            self.rate = min(self.rate, 0.002)
        unstable = order in {"shuffled", "window"}
        if self.steady is Order.SCHEDULED_TIME and unstable and self.size < 60:
            # Where ties larger than a page are the last resort, and records come and
            # go, their number does not tell what was read.
            self.rate = 0
        self.changed_at = self.clock.now()

    def now(self) -> int:
        """Seconds after T0, in the zone of the timestamps."""
        return int(self.clock.now()) - EPOCH + self.stamp_zone

    def put(self, key: int, moment: int) -> None:
        self.model.put(key, moment)
        hour = self.rng.randrange(40)
        if key not in self.model.scheduled:
            # Of a tie larger than a page, in an order that is the last, each window
            # may leave out the same record.
            while self.at_hour[hour] >= max(self.served - 1, 1):
                hour += 40
            self.at_hour[hour] += 1
            self.model.scheduled[key] = hour * 3600

    def maybe_failed(self, _: t.Any, answer: Answer) -> Answer:
        is_ready = answer.status is Status.COMPLETE
        if is_ready and self.rng.random() < self.failing:
            return Answer(Status.FAILED, "Failed")
        return answer

    def change(self, _: int = 0) -> None:
        """What happened in the practice since the last request."""
        seconds = min(self.clock.now() - self.changed_at, 600)
        self.changed_at = self.clock.now()
        whole, part = divmod(self.rate * seconds, 1)
        for _ in range(int(whole) + (self.rng.random() < part)):
            self.change_one()

    def change_one(self) -> None:
        rng, keys = self.rng, list(self.model.updated)
        late = rng.choice([0, 0, 0, 3600, 23 * 3600]) if self.model.dated else 0
        kind = rng.random()
        if kind < 0.2 or not keys:
            self.put(max(keys, default=0) + 1, self.now() - late)
        elif kind < 0.3 and len(keys) > 3:
            self.model.remove(rng.choice(keys))
        else:
            key = rng.choice(keys)
            moment = max(self.now() - late, self.model.updated[key])
            self.put(key, moment)

    def sync(self, *, kill: bool, hide: bool) -> None:
        """One sync, in which anything may happen."""
        rng, model = self.rng, self.model
        model.hidden = set()
        # What nothing counts, nobody can miss. Where nothing shows before the end, a
        # run that is killed has claimed what it could not know.
        shows = not self.lie.startswith(("count", "nothing"))
        hide = hide and shows and (model.leaves_slots or not kill)
        if hide and self.copy.shortage is None and model.updated:
            keys = sorted(model.updated)
            some = rng.randint(1, max(1, len(keys) // 8))
            at = rng.randrange(len(keys))
            scattered = rng.random() < 0.5
            model.hidden = set(
                rng.sample(keys, some) if scattered else keys[at : at + some]
            )
        self.copy.sync(
            model,
            page_size=self.size,
            steady=self.steady,
            clock=self.clock,
            before=self.change,
            max_pending=rng.choice([1, 2, 8]),
            kill_at=rng.randint(2, 60) if kill else None,
            hourly=rng.choice([None, None, 120]),
        )
        model.hidden = set()

    def live(self, syncs: int) -> None:
        """Some syncs with the worst, and two in quiet: then the copy is right."""
        for _ in range(syncs):
            before = self.model.requests
            kill = self.rng.random() < 0.4
            self.sync(kill=kill, hide=self.rng.random() < 0.3)
            pages = math.ceil(len(self.model.updated) / self.served)
            assert self.model.requests - before <= 60 * pages + 800
            self.model.lists.clear()
            self.clock.time += self.rng.choice([60, 3600, 30 * 3600])
            self.changed_at = self.clock.now()
            for _ in range(self.rng.randint(0, 5)):
                self.change_one()
        self.rate = 0
        for _ in range(2):
            self.sync(kill=False, hide=False)

    @property
    def served(self) -> int:
        """Records on a page at most."""
        return min(self.size, self.model.max_page_size)

    def __repr__(self) -> str:
        names = ("size", "records", "lie", "rate", "steady", "failing")
        traits = {name: getattr(self, name) for name in names}
        shown = ("dated", "max_page_size", "zone", "scrambled", "by_window", "beyond")
        traits |= {name: getattr(self.model, name) for name in shown}
        traits |= {"shuffled": bool(self.model.shuffle)}
        traits |= {"slots": self.model.leaves_slots, "late": self.model.name_after}
        return f"World({traits})"
