"""However much changes while a list is read, its end comes, and nothing is lost."""

from __future__ import annotations

import math
import os
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from list_model import EPOCH, Copy, FakeClock, ListModel

LONG = os.environ.get("SOAK") == "long"

CASES = {
    "50 a second, pages of 50": (50, 2_000, 50, None),
    "8 a second on 12,000": (8, 12_000, 200, None),
    "4 a second, 100 requests an hour": (4, 6_000, 50, 100),
    "1 a second, 60 requests an hour": (1, 6_000, 50, 60),
    "4 a second on 12,000, 100 an hour": (4, 12_000, 200, 100),
}


def most_requests(records: int, size: int) -> int:
    """The bound that docs/reading-a-moving-list.md states."""
    return 12 * math.ceil(records / size) + 60


def sync_while_it_changes(
    *,
    rate: float,
    records: int,
    size: int,
    hourly: int | None,
    takes: float,
    seed: int,
    new: float = 0.0,
) -> int:
    """Sync once under `rate` changes a second, and twice in quiet.

    Of the changes, a share `new` are new records, and the others updates.

    Returns:
        The requests of the first sync.
    """
    model = ListModel(seconds=lambda _: takes)
    for key in range(records):
        model.put(key, key * 60)
    clock = FakeClock()
    rng = random.Random(seed)  # noqa: S311 - repeatable
    changed_at, moment = clock.now(), int(clock.now()) - EPOCH

    def change(_: int) -> None:
        nonlocal changed_at, moment
        # In the hours that a quota takes, all records change some times.
        due = min(int((clock.now() - changed_at) * rate), 3 * records)
        changed_at = clock.now() if due else changed_at
        for nth in range(due):
            key = len(model.updated) if rng.random() < new else rng.randrange(records)
            model.put(key, moment + nth // 50)
        moment = max(moment, int(clock.now()) - EPOCH)

    copy = Copy()
    run = copy.sync(model, clock=clock, before=change, page_size=size, hourly=hourly)
    requests = model.requests
    # A target may drop what a whole read did not bring.
    assert not run.outcome.whole or set(range(records)) <= set(run.keys)
    for _ in range(2):
        copy.sync(model, clock=clock, page_size=size)
    assert not copy.differences(model)
    return requests


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("takes", [0.3, 6.0])
def test_the_end_comes(name, takes):
    rate, records, size, hourly = CASES[name]
    requests = sync_while_it_changes(
        rate=rate, records=records, size=size, hourly=hourly, takes=takes, seed=1
    )
    assert requests <= most_requests(records, size)


@pytest.mark.parametrize("rate", [40, 70, 150])
@pytest.mark.parametrize("seed", range(3))
def test_a_stream_that_is_left_is_not_whole(rate, seed):
    sync_while_it_changes(
        rate=rate, records=2_000, size=100, hourly=None, takes=0.5, seed=seed, new=0.6
    )


@settings(max_examples=2_000 if LONG else 30, derandomize=not LONG)
@given(
    rate=st.floats(math.log(0.1), math.log(60)).map(math.exp),
    records=st.integers(1, 60_000 if LONG else 4_000),
    size=st.sampled_from([50, 100, 250, 1000]),
    hourly=st.integers(60, 500),
    takes=st.sampled_from([0.2, 2.0, 20.0]),
    seed=st.integers(0, 1_000),
)
def test_the_end_comes_at_any_rate(rate, records, size, hourly, takes, seed):
    requests = sync_while_it_changes(
        rate=rate, records=records, size=size, hourly=hourly, takes=takes, seed=seed
    )
    assert requests <= most_requests(records, size)
