"""Whatever an adversary mixes, the copy is right after two syncs in quiet.

`SOAK=long ./dev test tests/lists/test_adversary.py` draws for ten minutes, each time
other seeds.
"""

from __future__ import annotations

import os
import time

import pytest
from adversary import World

LONG = os.environ.get("SOAK") == "long"
SEEDS = range(0, 100, 4)
"""A test draws the seed and the three after it."""


def live(seed: int) -> None:
    world = World(seed)
    world.live(4)
    assert not world.copy.differences(world.model), (seed, world)


SHOWN = {
    5052: "slots of hidden records on a first page were taken for a cap on page sizes, "
    "and records that came in two versions made up for the two that were missing",
    83: "a page that only adjoins what was read, within a tie that every window orders "
    "anew, was taken for a gap again and again; then the reading ended as if whole",
    5367: "the same ended in no number of requests, as ties were read in ever smaller "
    "windows and those stayed small",
    11354: "where a count grew without end, so did the number of windows that a stream "
    "was given before it is read in another order",
    13431: "a record that came in while the last page was given for each page behind "
    "it was taken for the proof that there is more",
    14027: "a name that comes late was taken for a page beyond the end, by a count "
    "that is too small",
    5235: "the last page came again for each page beyond it, so there was no end",
}
"""Seeds, and what each of them showed."""


@pytest.mark.parametrize("seed", SHOWN)
def test_what_a_seed_has_shown_stays_mended(seed):
    live(seed)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_copy_is_right_in_the_end(seed):
    for one in range(seed, seed + 4):
        live(one)


@pytest.mark.skipif(not LONG, reason="`./dev soak` draws for ten minutes")
def test_the_copy_is_right_for_ten_minutes():
    until = time.monotonic() + 600
    seed = int(time.time()) * 1000
    while time.monotonic() < until:
        live(seed)
        seed += 1
