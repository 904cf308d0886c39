"""What a stream costs, how many lists are pending, and what failing lists lead to."""

from __future__ import annotations

import dataclasses
import datetime as dt
import logging
import random

import pytest
from list_model import FakeClock, ListModel, read, source_of

from tap_drchrono.errors import StreamError
from tap_drchrono.lists.budget import JobBudget
from tap_drchrono.lists.claims import Claims
from tap_drchrono.lists.jobs import Answer, Fetch, Status, Submit
from tap_drchrono.lists.paginator import BulkListPaginator


def filled(records, *, every=600, **traits):
    model = ListModel(**traits)
    for key in range(records):
        model.put(key, key * every)
    return model


def keys(records):
    return [record["id"] for record in records]


def steady(seconds):
    return lambda _: seconds


def test_a_page_whose_list_takes_its_usual_time_costs_two_requests():
    model = filled(30_000, seconds=steady(20))
    emitted, paginator = read(model)
    assert keys(emitted) == list(range(30_000))
    # The first list is explored; later pages cost one POST and, but for a rare miss,
    # one GET.
    assert model.requests <= 2 * paginator.pages + 22


def test_a_page_costs_few_percent_more_for_the_overlap():
    model = filled(60_000)
    _, paginator = read(model)
    assert paginator.pages <= 64


@pytest.mark.parametrize("pending", [1, 2, 3, 8])
def test_no_more_lists_are_generated_at_once_than_allowed(pending):
    model = filled(9_000, seconds=steady(20))
    clock = FakeClock()
    started = clock.now()
    read(model, max_pending=pending, clock=clock)
    assert model.most_generating <= pending
    assert clock.now() - started <= 20 * (1 + -(-9 // pending)) * 1.5 + 10


def test_a_slow_first_list_is_no_reason_to_wait_with_the_others():
    model = filled(4_428, seconds=lambda records: 3 + 0.022 * records)
    clock = FakeClock()
    started = clock.now()
    read(model, clock=clock)
    assert clock.now() - started <= 33
    assert model.requests <= 26


def test_the_first_lists_of_later_streams_are_generated_meanwhile():
    clock = FakeClock()
    desk = JobBudget(8, clock)
    names = [f"s{n}" for n in range(8)]
    models = {name: filled(300, seconds=steady(5)) for name in names}
    sources = {n: source_of(n) for n in names}
    desk.expect(sources[name].first_list() for name in names[1:])
    started = clock.now()
    for name in names:
        paginator = BulkListPaginator(
            sources[name], desk, clock, logging.getLogger("test")
        )
        emitted = []
        while not paginator.finished:
            token = paginator.current_value
            clock.sleep(token.at - clock.now())
            model = models[token.list.wanted.stream]
            ask = model.post if isinstance(token, Submit) else model.get
            page = paginator.page(ask(token.list, clock.now()))
            emitted += page.records if page else ()
            paginator.advance(None)
        assert len(emitted) == 300
    assert clock.now() - started <= 6
    assert sum(model.requests for model in models.values()) <= 20


@pytest.mark.parametrize(
    "failure",
    [
        Answer(Status.FAILED, "Failed"),
        Answer(Status.FAILED, "HTTP 500 Error"),
    ],
)
def test_a_list_that_fails_is_submitted_again(failure):
    model = filled(3_000)
    failed = []

    def answer_get(pending, answer):
        if pending.wanted.window.page == 2 and not failed:
            failed.append(pending)
            return failure
        return answer

    model.answer_get = answer_get
    emitted, paginator = read(model)
    assert keys(emitted) == list(range(3_000))
    assert paginator.outcome().resubmitted == 1


def test_a_window_that_fails_twice_is_read_in_smaller_pages():
    model = filled(6_000)

    def answer_get(pending, answer):
        if answer.status is Status.COMPLETE and pending.wanted.window.size > 600:
            return Answer(Status.FAILED, "Failed")
        return answer

    model.answer_get = answer_get
    emitted, _ = read(model)
    assert keys(emitted) == list(range(6_000))


def test_a_stream_whose_lists_keep_failing_ends_with_what_was_tried():
    model = filled(3_000)
    model.answer_get = lambda _, __: Answer(Status.FAILED, "Failed")
    with pytest.raises(StreamError, match=r"things: .*Failed.*Tried 6 times"):
        read(model)


def test_a_list_that_never_ends_is_given_up_and_submitted_again():
    model = filled(10)
    never = []

    def answer_get(pending, answer):
        never[:] = never or [pending.uuid]
        if pending.uuid in never:
            return Answer(Status.IN_PROGRESS, "In progress", pending.uuid)
        return answer

    model.answer_get = answer_get
    clock = FakeClock()
    started = clock.now()
    emitted, paginator = read(model, clock=clock, first_sync=False)
    assert keys(emitted) == list(range(10))
    assert paginator.outcome().resubmitted == 1
    assert 1800 <= clock.now() - started < 1900


def test_a_slow_target_costs_lists_but_no_records():
    model = filled(5_000)
    clock = FakeClock()

    def two_hours() -> None:
        clock.time += 7200

    emitted, paginator = read(model, clock=clock, on_page=two_hours)
    assert keys(emitted) == list(range(5_000))
    assert paginator.outcome().resubmitted


def test_without_pagination_the_pages_are_read_one_by_one():
    model = filled(3_456)
    model.tell_pagination = False
    emitted, _ = read(model)
    assert keys(emitted) == list(range(3_456))


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
@pytest.mark.parametrize("served", [1, 2, 5, 1000])
@pytest.mark.parametrize("dated", [True, False])
def test_without_pagination_a_short_page_is_not_taken_for_the_end(size, served, dated):
    model = filled(23, max_page_size=served, dated=dated)
    model.tell_pagination = False
    emitted, _ = read(model, page_size=size)
    assert sorted(set(keys(emitted))) == list(range(23))


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_a_count_that_is_too_high_costs_a_warning_not_the_stream(size, caplog):
    model = filled(40)
    model.answer_get = lambda _, answer: (
        dataclasses.replace(answer, claims=dataclasses.replace(answer.claims, count=43))
        if answer.status is Status.COMPLETE
        else answer
    )
    emitted, _ = read(model, page_size=size)
    assert set(keys(emitted)) == set(range(40))
    assert "counts 3 records more than it lists" in caplog.text


@pytest.mark.parametrize("lie", [{"count": 0}, {"count": 5}, {"size": 7}])
def test_an_answer_that_contradicts_itself_is_not_believed(lie):
    model = filled(40)
    model.answer_get = lambda _, answer: (
        dataclasses.replace(answer, claims=dataclasses.replace(answer.claims, **lie))
        if answer.status is Status.COMPLETE
        else answer
    )
    emitted, _ = read(model, page_size=7)
    assert keys(emitted) == list(range(40))


@pytest.mark.parametrize("seed", range(5))
def test_a_tie_in_no_order_is_read_again_by_id(seed, caplog):
    model = ListModel()
    for key in range(5_000):
        model.put(key, 0 if key < 4_500 else key)
    model.shuffle = random.Random(seed)  # noqa: S311 - no secret
    emitted, _ = read(model)
    assert set(keys(emitted)) == set(range(5_000))
    assert "in the order of id" in caplog.text


def test_a_count_that_is_never_reached_is_told_and_ends(caplog):
    model = filled(100)
    model.answer_get = lambda _, answer: (
        answer
        if answer.status is not Status.COMPLETE
        else Answer(
            Status.COMPLETE,
            "Complete",
            answer.uuid,
            answer.records[:99],
            Claims(1, 100, 99),
        )
        if len(answer.records) < 100
        else Answer(
            Status.COMPLETE,
            "Complete",
            answer.uuid,
            answer.records[1:] * 2,
            Claims(1, 198, 198),
        )
    )
    read(model, page_size=100)
    assert "more than it lists" in caplog.text


def test_since_moves_forward_where_page_numbers_end():
    model = filled(300_000, every=60)
    emitted, _ = read(model, page_size=200)
    assert keys(emitted) == list(range(300_000))
    assert all(pending.window.page <= 1000 for pending in model.posts)
    assert len({pending.frame.since for pending in model.posts}) > 1
    assert len(model.posts) < 300_000 / 200 * 1.15


@pytest.mark.parametrize("hours", [-14, -8, 8, 14, 30])
def test_since_in_another_zone_loses_nothing_when_moving(hours):
    model = filled(25_000, zone_hours=hours)
    since = dt.date(2024, 1, 1)
    first = max(0, hours * 6)
    emitted, _ = read(model, page_size=20, since=since)
    assert keys(emitted) == list(range(first, 25_000))


def test_a_day_with_more_records_than_pages_reach_is_an_error():
    model = filled(25_000, every=1)
    with pytest.raises(StreamError, match="share one day"):
        read(model, page_size=20)


def test_more_undated_records_than_pages_reach_are_an_error():
    model = filled(6_000, dated=False)
    with pytest.raises(StreamError, match="not read in the order of updated_at"):
        read(model, page_size=5)


def test_a_list_that_grows_for_ever_ends_once_the_first_count_is_covered():
    model = filled(2_000)
    added = iter(range(2_000, 10**9))

    def grow(_):
        for _ in range(600):
            key = next(added)
            model.put(key, key * 600)

    emitted, _ = read(model, before=grow, limit=400)
    assert set(range(2_000)) <= set(keys(emitted))


def test_changes_without_end_are_an_error():
    model = filled(400)
    latest = [400 * 600]

    def shuffle_all(_):
        for key in range(400):
            latest[0] += 1
            model.put(key, latest[0])

    emitted, _ = read(model, page_size=10, before=shuffle_all, limit=20_000)
    assert set(keys(emitted)) <= set(range(400))


def test_a_page_that_is_gone_when_the_list_shrank_is_stepped_back_from():
    model = filled(3_000)

    def answer_get(pending, answer):
        if pending.wanted.window.page == 4 and len(model.updated) == 3_000:
            for key in range(1_500):
                model.remove(key)
            return Answer(Status.BEYOND, "no such page")
        return answer

    model.answer_get = answer_get
    emitted, _ = read(model, max_pending=1)
    assert set(range(1_500, 3_000)) <= set(keys(emitted))


def test_a_page_refused_when_asked_for_ahead_waits_for_the_pages_before_it():
    model = filled(5_000)
    post = model.post

    def refusing(pending, now):
        for key in [key for key in model.updated if key % 7 == len(model.posts) % 7][
            :9
        ]:
            model.remove(key)
        answer = post(pending, now)
        if pending.wanted.window.start >= len(model.updated):
            return Answer(Status.BEYOND, "no such page")
        return answer

    model.post = refusing
    emitted, _ = read(model, page_size=20)
    assert set(model.updated) <= set(keys(emitted))


def test_a_quota_too_small_to_fetch_what_was_asked_for_is_an_error():
    model = filled(10)
    clock = FakeClock()

    def an_hour(_):
        clock.time += 3601

    with pytest.raises(StreamError, match="expired before the quota"):
        read(model, clock=clock, before=an_hour)


def test_the_token_of_a_list_says_when_to_look():
    model = filled(10, seconds=steady(5))
    clock = FakeClock()
    looks = []
    submitted = []

    def note(pending, answer):
        looks.append(clock.now() - pending.submitted_at)
        submitted.append(pending)
        return answer

    model.answer_get = note
    read(model, clock=clock, first_sync=False)
    assert looks[0] == pytest.approx(0.5)
    assert len(looks) <= 4
    assert isinstance(Fetch(submitted[0], 1, 0.0), tuple)
