"""When to look: early and cheap at first, then just after the list is ready."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_drchrono.lists.polling import FIRST_LOOK, ListTimes, explore


def looks_until(ready, look_at):
    """The ages at which a list that takes some time is looked at."""
    ages = []
    age = 0.0
    while age < ready:
        age = look_at(age, len(ages))
        ages.append(age)
    return ages


def learn(times, records, ready):
    """Read one list, and return the ages of the looks at it."""
    ages = looks_until(ready, lambda age, n: times.look_at(records, age, n))
    times.observe(records, ages[-2] if len(ages) > 1 else 0.0, ages[-1])
    return ages


def test_the_first_look_comes_after_half_a_second():
    assert explore(0.0) == FIRST_LOOK == 0.5
    assert ListTimes().look_at(1000, 0.0, 0) == 0.5


def test_looks_at_an_unknown_list_are_few_and_never_long_late():
    for ready, most in [(0.4, 1), (1.0, 2), (3.0, 4), (10.0, 7), (25.0, 10), (600, 27)]:
        ages = looks_until(ready, lambda age, _: explore(age))
        assert len(ages) <= most
        assert ages[-1] - ready <= max(2.8, 0.25 * ready)


@given(st.floats(0, 100_000))
def test_looks_go_forward(age):
    assert age < explore(age) <= age + 60.0 or age < FIRST_LOOK


@pytest.mark.parametrize("seconds", [0.6, 3.0, 25.0, 120.0])
def test_a_list_that_takes_its_usual_time_is_looked_at_once(seconds):
    times = ListTimes()
    learn(times, 1000, seconds)
    looks = [len(learn(times, 1000, seconds)) for _ in range(20)]
    assert sum(looks) <= 23
    last = learn(times, 1000, seconds)
    assert last[-1] <= seconds * 1.35 + 0.5


@given(
    st.floats(0, 10),
    st.floats(0.001, 0.1),
    st.lists(st.integers(400, 1000), min_size=5, max_size=20),
)
def test_times_that_grow_with_the_page_are_learned(base, each, pages):
    times = ListTimes()
    learn(times, 1000, base + each * 1000)
    for records in pages:
        ages = learn(times, records, base + each * records)
        assert len(ages) <= 6
        assert ages[-1] <= (base + each * records) * 1.7 + 1


def test_a_list_much_larger_than_any_before_is_unknown():
    times = ListTimes()
    times.observe(1, 0.0, 0.5)
    assert times.expected(20) is not None
    assert times.expected(1000) is None
    assert times.look_at(1000, 0.0, 0) == 0.5


def test_times_that_become_longer_are_followed():
    times = ListTimes()
    learn(times, 1000, 5.0)
    for _ in range(6):
        learn(times, 1000, 20.0)
    assert len(learn(times, 1000, 20.0)) <= 2


def test_after_a_look_too_early_the_next_is_later():
    times = ListTimes()
    times.observe(1000, 9.0, 11.0)
    ages = [0.0]
    for looks in range(12):
        ages.append(times.look_at(1000, ages[-1], looks))
    steps = [new - old for old, new in itertools.pairwise(ages)]
    assert all(step > 0 for step in steps)
    assert max(steps[1:]) <= 60.0


def test_an_immediate_list_is_still_not_looked_at_before_half_a_second():
    times = ListTimes()
    times.observe(10, 0.0, 0.5)
    for _ in range(2000):
        times.observe(10, 0.0, times.look_at(10, 0.0, 0))
    assert times.look_at(10, 0.0, 0) == 0.5
