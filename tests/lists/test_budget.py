"""The limit on pending lists holds for all that the server may be generating."""

from __future__ import annotations

import pytest
from list_model import FakeClock, source_of

from tap_drchrono.lists.budget import JobBudget
from tap_drchrono.lists.jobs import Answer, Frame, Job, JobState, Status, Wanted
from tap_drchrono.lists.windows import Window

IN_PROGRESS = Answer(Status.IN_PROGRESS, "In progress", "uuid")


class Desk:
    """A budget of eight lists, and the stream `first` that is being read."""

    def __init__(self, limit=8):
        self.clock = FakeClock()
        self.budget = JobBudget(limit, self.clock)
        self.source = source_of("first")

    def submit(self, job=None, answer=IN_PROGRESS):
        job = job or Job(Wanted(self.source, Frame(self.source.since), Window(2, 1000)))
        self.budget.submitting(job)
        self.budget.submitted(job, answer)
        return job

    def ahead(self):
        count = 0
        while job := self.budget.next_ahead("first"):
            self.submit(job)
            count += 1
        return count

    def learn(self, seconds=2.0):
        job = self.submit()
        self.clock.sleep(seconds)
        job.looked(self.clock.now(), seen=True)
        self.budget.ready(job, 1000)

    def room(self):
        return sum(bool(self.submit()) for _ in range(20) if self.budget.has_room())


def test_a_list_costs_room_from_before_its_post_until_it_came():
    desk = Desk(1)
    job = Job(desk.source.first_list())
    assert desk.budget.has_room()
    desk.budget.submitting(job)
    assert not desk.budget.has_room()
    desk.budget.submitted(job, IN_PROGRESS)
    assert not desk.budget.has_room()
    desk.budget.ready(job, 1000)
    assert desk.budget.has_room()


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 8])
@pytest.mark.parametrize("is_start", [True, False])
def test_the_stream_being_read_may_always_have_half(limit, is_start):
    desk = Desk(limit)
    if not is_start:
        desk.learn()
    desk.budget.expect(source_of(f"o{n}").first_list() for n in range(20))
    assert desk.ahead() == limit // 2
    assert desk.room() == limit - limit // 2


def test_at_the_start_others_may_have_all_the_room_where_all_of_them_find_some():
    desk = Desk()
    desk.submit()
    desk.budget.expect(source_of(f"o{n}").first_list() for n in range(7))
    assert desk.ahead() == 7


def test_before_the_first_stream_its_own_list_is_asked_for_too():
    desk = Desk(1)
    desk.budget.expect(source_of(name).first_list() for name in ("first", "second"))
    assert desk.ahead() == 1
    assert desk.budget.take(source_of("first").first_list()).uuid


def test_what_is_in_the_way_is_looked_at_and_kept_for_its_stream():
    desk = Desk(2)
    other = source_of("other").first_list()
    desk.budget.expect([other])
    desk.submit()
    assert desk.ahead() == 1
    assert not desk.budget.has_room()
    job = desk.budget.in_the_way("first")
    assert job.wanted == other
    desk.budget.looked_at(job, IN_PROGRESS)
    assert not desk.budget.has_room()
    complete = Answer(Status.COMPLETE, "Complete", "uuid", [{"id": 1}])
    desk.budget.looked_at(job, complete)
    assert desk.budget.has_room()
    kept = desk.budget.take(other)
    assert (kept.state, kept.answer) == (JobState.READY, complete)


@pytest.mark.parametrize(
    "status", [Status.FAILED, Status.GONE, Status.BEYOND, Status.REFUSED]
)
def test_one_in_the_way_that_will_not_come_is_asked_for_again_by_its_stream(status):
    desk = Desk(2)
    other = source_of("other").first_list()
    desk.budget.expect([other])
    desk.ahead()
    job = desk.budget.in_the_way("first")
    job.seen = True
    desk.budget.looked_at(job, Answer(status))
    assert not desk.budget.take(other).answer


def test_dropped_lists_cost_room_until_they_are_surely_done():
    desk = Desk(2)
    desk.learn(10.0)
    for job in [desk.submit(), desk.submit()]:
        desk.budget.drop(job)
    assert not desk.budget.has_room()
    desk.clock.sleep(11)
    assert not desk.budget.has_room()
    desk.clock.sleep(20)
    assert desk.budget.has_room()


def test_dropped_lists_of_which_nothing_is_known_can_be_looked_at():
    desk = Desk(1)
    job = desk.submit()
    desk.budget.drop(job)
    assert desk.budget.in_the_way("first") is job
    desk.budget.looked_at(job, Answer(Status.COMPLETE, "Complete", "uuid"))
    assert desk.budget.has_room()


def test_a_list_without_a_name_costs_room_though_nobody_can_fetch_it():
    desk = Desk(1)
    job = desk.submit(answer=Answer(Status.IN_PROGRESS, "In progress"))
    assert job.state is JobState.FAILED
    assert not desk.budget.has_room()
    assert desk.budget.in_the_way("first") is None
    assert desk.clock.now() < desk.budget.room_from() <= desk.clock.now() + 60


def test_what_a_stream_leaves_is_dropped_when_the_next_one_begins():
    desk = Desk(2)
    left = desk.submit()
    desk.budget.take(source_of("second").first_list())
    assert left.state is JobState.DROPPED
    assert desk.budget.pending() == 1


def test_failing_lists_make_for_fewer_at_once_but_the_next_one_is_always_asked_for():
    desk = Desk()
    for _ in range(4):
        desk.budget.over(desk.submit(), JobState.FAILED)
    assert desk.room() == 1
    assert desk.budget.has_room(urgent=True)


def test_a_list_that_the_server_does_not_know_yet_is_looked_at_five_times_in_a_minute():
    desk = Desk()
    job = desk.submit()
    ages = []
    while job.may_become_known(desk.clock.now()):
        desk.clock.sleep(desk.budget.look_at(job, None) - desk.clock.now())
        ages.append(desk.clock.now() - job.submitted_at)
        job.looked(desk.clock.now(), seen=False)
    assert 4 <= len(ages) <= 5
    assert ages[0] == 0.5
    assert 5 < ages[-1] < 60


@pytest.mark.parametrize("held_up", [60.0, 3500.0])
@pytest.mark.parametrize(("known", "at_most"), [(None, 1.0), (2.0, 3.0)])
def test_a_look_that_comes_late_tells_nothing_of_how_long_lists_take(
    held_up, known, at_most
):
    """The hour's requests were used up, or DrChrono was out of service."""
    desk = Desk()
    if known:
        desk.learn(known)
    job = desk.submit()
    desk.clock.sleep(1.0)
    job.looked(desk.clock.now(), seen=True)
    desk.clock.sleep(held_up)
    desk.budget.ready(job, 1000)
    assert desk.budget.look_at(desk.submit(), 1000) - desk.clock.now() <= at_most
