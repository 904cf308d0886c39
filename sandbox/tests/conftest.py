"""The fixture that the sandbox's tests share."""

import pytest
from drchrono_sandbox import Practice, Settings
from sandbox_bench import NOW, Bench


@pytest.fixture
def bench():
    """Make an API over a practice of 60 records a stream, all of it adjustable."""

    def make(practice=None, faults=(), **settings):
        practice = practice or Practice.generate(records=60, now=NOW)
        return Bench(practice, Settings(**settings), faults)

    return make
