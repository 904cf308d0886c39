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
