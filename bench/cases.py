"""The cases: what is read, under which conditions, and what must be reached."""

from __future__ import annotations

import dataclasses
import typing as t

from drchrono_sandbox.api import Api
from drchrono_sandbox.practice import Practice
from drchrono_sandbox.settings import Changes, Settings
from drchrono_sandbox.streams import STREAMS

if t.TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bench.simulation import VirtualClock


BASE, PER_RECORD = 3.0, 0.022
"""Seconds that a list takes: a base, and for each record."""
_UNLIMITED = Settings(list_base_seconds=BASE, list_record_seconds=PER_RECORD)


class Row(t.NamedTuple):
    """What a case cost with a reader.

    Attributes:
        requests: Requests sent.
        seconds: Virtual seconds from the first request to the last answer.
        emitted: Records handed on.
        lost: Records at the source before and after that were not handed on.
        throttled: Answers with 429.
        cpu: CPU seconds of the client alone.
        codec: CPU seconds to decode and encode the same records, and nothing else.
        peak: Peak memory of the process in MiB, the simulated API included.
        slowest: Seconds of the slowest list.
    """

    requests: int
    seconds: float
    emitted: int
    lost: int
    throttled: int
    cpu: float
    codec: float
    peak: float
    slowest: float


@dataclasses.dataclass(frozen=True, kw_only=True)
class Case:
    """One row of the table.

    Attributes:
        name: What is read.
        make: Sets up the API with a clock.
        streams: The streams that are read.
        config: Settings of the tap.
        goal: What must be reached, in words.
        check: Whether a row reaches it.
        plain: Whether the plain loops are run beside it.
        small: Whether the keys are kept and compared.
    """

    name: str
    make: Callable[[VirtualClock], Api]
    streams: Sequence[str]
    goal: str
    check: Callable[[Row], bool]
    config: dict[str, t.Any] = dataclasses.field(default_factory=dict)
    plain: bool = True
    small: bool = True


def _lean(
    stream: str, records: int, settings: Settings = _UNLIMITED
) -> Callable[[VirtualClock], Api]:
    """Serve one stream of small records."""

    def make(clock: VirtualClock) -> Api:
        practice = Practice.lean(stream, records, now=clock.now())
        return Api(practice, settings, clock=clock.now)

    return make


def _practice(
    counts: dict[str, int], settings: Settings
) -> Callable[[VirtualClock], Api]:
    """Serve full records."""

    def make(clock: VirtualClock) -> Api:
        practice = Practice.generate(counts=counts, now=clock.now())
        return Api(practice, settings, clock=clock.now)

    return make


def _paced(requests: int) -> float:
    """Return the seconds that the quota allows for: half an hour is left at first."""
    page = (BASE + 1000 * PER_RECORD) / 8
    return 1800 + (requests - 500) / 2 * page + 8 * page


_PLENTY = {"hourly_request_limit": 1_000_000}
_VARYING = dataclasses.replace(_UNLIMITED, list_sigma=0.3, list_seed=5)

CASES: tuple[Case, ...] = (
    Case(
        name="4,428 appointments, 5 pages",
        make=_lean("appointments", 4428),
        streams=("appointments",),
        goal="≤ 33 s, ≤ 26 requests",
        check=lambda r: r.seconds <= 33 and r.requests <= 26 and not r.lost,
    ),
    Case(
        name="60,000 line items, 60 pages",
        make=_lean("line_items", 60_000),
        streams=("line_items",),
        goal="≤ 240 s, ≤ 150 requests",
        check=lambda r: r.seconds <= 240 and r.requests <= 150 and not r.lost,
    ),
    Case(
        name="eight streams of 300 records, a list 5 s",
        make=_practice(dict.fromkeys(STREAMS, 300), Settings(list_base_seconds=5.0)),
        streams=tuple(STREAMS),
        goal="≤ 8 s, ≤ 24 requests",
        check=lambda r: r.seconds <= 8 and r.requests <= 24 and not r.lost,
    ),
    Case(
        name="list times that vary, 5 pages",
        make=_lean("appointments", 4428, _VARYING),
        streams=("appointments",),
        goal="≤ 1.35 of the slowest list, ≤ 26 requests",
        check=lambda r: (
            r.seconds <= 1.35 * r.slowest and r.requests <= 26 and not r.lost
        ),
    ),
    Case(
        name="300 pages with 500 requests an hour",
        make=_lean(
            "line_items",
            300_000,
            dataclasses.replace(_UNLIMITED, hourly_limit=500, burst_limit=10),
        ),
        streams=("line_items",),
        goal="no 429, within 2 % of the quota's pace",
        check=lambda r: (
            not r.throttled and not r.lost and r.seconds <= 1.02 * _paced(r.requests)
        ),
    ),
    Case(
        name="churn: 3 updates and 1 insert before each page",
        make=_lean(
            "appointments",
            4428,
            dataclasses.replace(
                _UNLIMITED, changes_per_list=Changes(updates=3, inserts=1)
            ),
        ),
        streams=("appointments",),
        goal="0 lost, ≤ 8 % more requests than without churn",
        check=lambda r: not r.lost and r.requests <= 24,
    ),
    Case(
        name="8 updates a second, 60,000 line items",
        make=_lean(
            "line_items",
            60_000,
            dataclasses.replace(_UNLIMITED, changes_per_second=Changes(updates=8)),
        ),
        streams=("line_items",),
        config=_PLENTY,
        goal="0 lost, ≤ 12 requests a page and 60",
        check=lambda r: not r.lost and r.requests <= 12 * 60 + 60,
        plain=False,
    ),
    Case(
        name="50 updates a second, 2,000 line items, 50 a page",
        make=_lean(
            "line_items",
            2_000,
            dataclasses.replace(_UNLIMITED, changes_per_second=Changes(updates=50)),
        ),
        streams=("line_items",),
        config={"page_size": 50, **_PLENTY},
        goal="0 lost, ≤ 12 requests a page and 60",
        check=lambda r: not r.lost and r.requests <= 12 * 40 + 60,
        plain=False,
    ),
    Case(
        name="1,000,000 small records, 1000 a page",
        make=_lean("line_items", 1_000_000),
        streams=("line_items",),
        config=_PLENTY,
        goal="whole, memory flat (≤ 120 MB)",
        check=lambda r: r.emitted == 1_000_000 and r.peak <= 120,
        plain=False,
        small=False,
    ),
    Case(
        name="CPU, 100,000 verbose patients",
        make=_practice({"patients": 100_000}, Settings()),
        streams=("patients",),
        config=_PLENTY,
        goal="≤ 5 s CPU where decoding and encoding take 1.9 s",
        check=lambda r: r.emitted == 100_000 and r.cpu <= 5 * r.codec / 1.9,
        plain=False,
        small=False,
    ),
)
