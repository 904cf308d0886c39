"""Lists that lie, tie and hide: what ends up in the copy, after how many requests."""

from __future__ import annotations

import dataclasses
import datetime as dt
import math
import random

import pytest
from list_model import DAY, EPOCH, T0, Copy, FakeClock, ListModel

from tap_drchrono.lists.jobs import Answer, Order, Status


def filled(records, *, every=600, **traits):
    model = ListModel(**traits)
    for key in range(records):
        model.put(key, key * every)
    return model


def settle(copy, model, **how):
    """Two more syncs in quiet: the second one settles what the first one noted."""
    for _ in range(2):
        copy.sync(model, **how)


def with_tie(records, tied, start, seed):
    """Records far apart, of which some share one moment and change their order."""
    model = ListModel()
    for key in range(records):
        in_tie = start <= key < start + tied
        model.put(key, (start if in_tie else key) * 3 * 3600)
    model.shuffle = random.Random(seed)  # noqa: S311 - repeatable
    return model


class TestTies:
    @pytest.mark.parametrize("seed", range(6))
    def test_a_run_that_is_killed_has_claimed_no_more_than_is_proven(self, seed):
        model = with_tie(6_000, 1_400, 2_300 + 150 * seed, seed)
        whole = Copy().sync(model)
        assert set(whole.keys) == set(range(6_000))
        requests = model.requests
        rng = random.Random(seed)  # noqa: S311 - repeatable
        for _ in range(3):
            copy = Copy()
            copy.sync(model, kill_at=rng.randrange(4, requests))
            copy.sync(model)
            assert not copy.differences(model)

    @pytest.mark.parametrize("size", [50, 120, 1000])
    @pytest.mark.parametrize("by_window", [True, False])
    def test_every_tie_in_an_order_of_its_own(self, size, by_window):
        rng = random.Random(size)  # noqa: S311 - repeatable
        model = ListModel()
        moment = 0
        while len(model.updated) < 3_000:
            moment += rng.choice((900, 9 * 3600))
            for _ in range(rng.randint(20, 80)):
                model.put(len(model.updated), moment)
        model.by_window = by_window
        model.shuffle = None if by_window else random.Random(1)  # noqa: S311
        copy = Copy()
        copy.sync(model, page_size=size)
        assert not copy.differences(model)

    @pytest.mark.parametrize("size", [50, 100, 1000])
    def test_appointments_that_share_their_time_in_the_last_resort(self, size):
        rng = random.Random(size)  # noqa: S311 - repeatable
        model = ListModel()
        moment = 0
        while len(model.updated) < 1_000:
            moment += 3600
            for _ in range(rng.randint(20, 80)):
                key = len(model.updated)
                model.put(key, 0 if key > 300 else key)
                model.scheduled[key] = moment
        model.by_window = True
        copy = Copy()
        copy.sync(model, page_size=size, steady=Order.SCHEDULED_TIME)
        settle(copy, model, page_size=size, steady=Order.SCHEDULED_TIME)
        assert not copy.differences(model)

    def test_a_tie_is_told_apart_while_others_change(self):
        for seed in range(4):
            model = with_tie(6_000, 1_400, 2_500, seed)
            rng = random.Random(seed)  # noqa: S311 - repeatable
            late = [6_000 * 3 * 3600]

            def change(_, model=model, rng=rng, late=late):
                for _ in range(3):
                    late[0] += 1
                    model.put(rng.randrange(6_000), late[0])

            copy = Copy()
            copy.sync(model, before=change)
            copy.sync(model)
            assert not copy.differences(model)

    @pytest.mark.parametrize("gone", [1, 2, 4])
    @pytest.mark.parametrize("seed", range(12))
    def test_a_tie_that_moves_to_the_left_before_it_is_read_as_a_whole(
        self, seed, gone
    ):
        model = with_tie(46, 7, 36, seed)
        for key in range(43, 46):
            model.put(key, key * 4 * DAY)
        posts = []

        def work(_):
            # Between two lists, records that were read go, and others come at the end.
            if len(posts) < len(model.posts) < 5:
                first = gone * len(posts)
                posts.append(len(model.posts))
                for key in range(first, first + gone):
                    model.remove(key)
                    model.put(100 + key, (200 + key) * DAY)

        copy = Copy()
        copy.sync(model, page_size=40, before=work)
        copy.sync(model, page_size=40)
        assert not copy.differences(model)


class TestShortages:
    @pytest.mark.parametrize("leaves_slots", [True, False])
    @pytest.mark.parametrize("size", [20, 60, 1000])
    @pytest.mark.parametrize("scattered", [True, False])
    def test_what_is_listed_tomorrow_is_read_tomorrow(
        self, leaves_slots, size, scattered
    ):
        model = filled(2_600, every=3 * 3600)
        model.leaves_slots = leaves_slots
        model.hidden = set(range(13, 2_600, 52)) if scattered else set(range(700, 750))
        copy = Copy()
        run = copy.sync(model, page_size=size)
        assert set(run.keys) == set(range(2_600)) - model.hidden
        assert copy.shortage
        assert not run.outcome.whole
        model.hidden = set()
        copy.sync(model, page_size=size)
        assert not copy.differences(model)
        assert copy.shortage is None

    def test_the_next_sync_settles_it_whatever_the_number(self):
        model = filled(2_600, every=3 * 3600)
        model.hidden = set(range(700, 750))
        copy = Copy()
        copy.sync(model)
        assert copy.bookmark is None
        model.hidden = set(range(700, 730))
        copy.sync(model)
        assert copy.shortage is None
        assert copy.bookmark.startswith("2024-11-20")
        before = model.requests
        copy.sync(model)
        assert model.requests - before <= 4

    def test_a_run_that_is_killed_keeps_the_note(self):
        model = filled(2_600, every=3 * 3600)
        model.hidden = set(range(700, 750))
        copy = Copy()
        copy.sync(model, page_size=100)
        copy.sync(model, page_size=100, kill_at=30)
        assert copy.shortage
        model.hidden = set()
        copy.sync(model, page_size=100)
        assert not copy.differences(model)

    @pytest.mark.parametrize("size", [2])
    @pytest.mark.parametrize("trouble", ["hidden", "twice"])
    def test_more_pages_than_there_are_numbers(self, size, trouble):
        model = filled(1_050 * size, every=7_200)
        setattr(model, trouble, {200, 300, 400} if trouble == "hidden" else {300})
        copy = Copy()
        copy.sync(model, page_size=size)
        missing = model.hidden
        assert set(copy.differences(model)) == missing
        assert copy.bookmark

    def test_records_without_updated_at(self):
        model = filled(2_600, dated=False)
        model.hidden = set(range(700, 750))
        copy = Copy()
        copy.sync(model)
        assert copy.shortage
        assert copy.bookmark is None
        model.hidden = set()
        copy.sync(model)
        assert not copy.differences(model)
        assert copy.bookmark

    def test_changes_do_not_make_up_for_what_is_missing(self):
        model = filled(200, max_page_size=40, every=3 * 3600)
        model.leaves_slots = True
        model.hidden = {4, 31}
        clock = FakeClock(EPOCH + 200 * 3 * 3600)

        def change(request):
            if request < 6:
                model.put(10 + request, int(clock.now()) - EPOCH)

        copy = Copy()
        copy.sync(model, clock=clock, before=change)
        assert copy.shortage
        model.hidden = set()
        copy.sync(model, clock=clock)
        assert not copy.differences(model)

    @pytest.mark.parametrize("when", range(8, 20))
    def test_deletions_do_not_make_up_for_what_is_missing(self, when):
        model = filled(100, dated=False)
        model.hidden = {70}

        def change(request):
            if request == when:
                model.remove(5)

        copy = Copy()
        copy.sync(model, page_size=40, before=change, max_pending=1)
        assert copy.shortage
        model.hidden = set()
        copy.sync(model, page_size=40)
        assert not copy.differences(model)

    @pytest.mark.parametrize("when", range(4, 14))
    def test_a_late_commit_does_not_explain_what_is_missing(self, when):
        model = filled(100, every=3 * 3600)
        model.hidden = {70}

        def change(request):
            if request == when:
                model.put(200, 3600)

        copy = Copy()
        copy.sync(model, page_size=40, before=change, max_pending=1)
        assert copy.shortage
        model.hidden = set()
        copy.sync(model, page_size=40)
        assert not copy.differences(model)

    @pytest.mark.parametrize("kill_at", range(4, 16))
    def test_a_first_page_that_lacks_records_claims_nothing(self, kill_at):
        model = filled(200, max_page_size=40, every=3 * 3600)
        model.leaves_slots = True
        model.hidden = {4, 31}
        copy = Copy()
        clock = FakeClock(EPOCH + 200 * 3 * 3600)

        def change(request):
            model.put(10 + request, int(clock.now()) - EPOCH)

        copy.sync(model, clock=clock, before=change, kill_at=kill_at)
        model.hidden = set()
        copy.sync(model, clock=clock)
        assert not copy.differences(model)


LIES = {
    "page from 0": lambda said, _: {"page": said.page - 1},
    "page always 1": lambda *_: {"page": 1},
    "page missing": lambda *_: {"page": None},
    "count 0": lambda *_: {"count": 0},
    "count missing": lambda *_: {"count": None},
    "count too small": lambda said, _: {"count": said.count * 9 // 10},
    "count a third too large": lambda said, _: {"count": -(-said.count * 4 // 3)},
    "count doubled": lambda said, _: {"count": said.count * 2},
    "count absurd": lambda *_: {"count": 10**12},
    "count 1 too large": lambda said, _: {"count": said.count + 1},
    "count 50 too large": lambda said, _: {"count": said.count + 50},
    "count growing": lambda said, nth: {"count": said.count + 70 * nth},
    "page size 7": lambda *_: {"size": 7},
    "page size of a thousand": lambda *_: {"size": 1000},
    "page size doubled": lambda said, _: {"size": said.size * 2},
    "nothing": lambda *_: {"count": None, "page": None, "size": None},
}


def most_requests(records, size):
    """Requests that a sync may cost, however wrong the claims are."""
    pages = math.ceil(records / size)
    return 5 * pages + (20 if pages <= 10 else 0)


class TestClaims:
    @pytest.mark.parametrize("lie", LIES)
    @pytest.mark.parametrize("capped", [False, True])
    @pytest.mark.parametrize("records", [2_345, 2_400, 39])
    @pytest.mark.parametrize("dated", [True, False])
    def test_a_lie_costs_at_most_five_requests_a_page(
        self, lie, capped, records, dated
    ):
        model = filled(records, dated=dated, max_page_size=40 if capped else 1000)
        model.lie = lambda claims, nth: dataclasses.replace(
            claims, **LIES[lie](claims, nth)
        )
        copy = Copy()
        copy.sync(model, page_size=1000 if capped else 40)
        assert not copy.differences(model)
        assert model.requests <= most_requests(records, 40)

    @pytest.mark.parametrize("lie", [lie for lie in LIES if lie.startswith("count")])
    @pytest.mark.parametrize("beyond", ["empty", "get", "post", "last"])
    @pytest.mark.parametrize(
        ("records", "size"), [(20, 50), (300, 50), (3_000, 250), (12_000, 1000)]
    )
    def test_a_wrong_count_costs_no_more_in_later_syncs(
        self, lie, beyond, records, size
    ):
        model = filled(records, every=3 * 3600)
        model.beyond = beyond
        model.lie = lambda claims, nth: dataclasses.replace(
            claims, **LIES[lie](claims, nth)
        )
        clock, copy = FakeClock(EPOCH + records * 3 * 3600), Copy()
        for _ in range(4):
            before = model.requests
            copy.sync(model, clock=clock, page_size=size)
            assert not copy.differences(model)
            assert model.requests - before <= most_requests(records, size)
            clock.time += DAY
            for key in range(5):
                model.put(key, int(clock.now()) - EPOCH)
        # What was held in one night is let go in the next.
        assert copy.bookmark > (T0 + dt.timedelta(hours=3 * (records - 1))).isoformat()

    @pytest.mark.parametrize("capped", [False, True])
    @pytest.mark.parametrize("size", [40, 1000])
    def test_a_count_that_is_the_length_of_the_page(self, capped, size):
        model = filled(2_345, max_page_size=40 if capped else 1000)
        model.answer_get = lambda _, answer: dataclasses.replace(
            answer,
            claims=dataclasses.replace(answer.claims, count=len(answer.records)),
        )
        copy = Copy()
        copy.sync(model, page_size=size)
        assert not copy.differences(model)
        assert model.requests <= most_requests(2_345, 40 if capped else size)

    @pytest.mark.parametrize("beyond", ["empty", "get", "post", "last"])
    @pytest.mark.parametrize("size", [1, 3, 40, 1000])
    @pytest.mark.parametrize("claims", ["page missing", "count growing", "nothing"])
    def test_pages_beyond_the_end(self, beyond, size, claims):
        model = filled(117)
        model.beyond = beyond
        model.lie = lambda said, nth: dataclasses.replace(
            said, **LIES[claims](said, nth)
        )
        copy = Copy()
        copy.sync(model, page_size=size)
        assert not copy.differences(model)
        assert model.requests <= most_requests(117, size)


class TestNames:
    @pytest.mark.parametrize("after", [0.6, 1.5, 3.0, 5.0])
    @pytest.mark.parametrize("takes", [0.2, 4.0, 20.0])
    def test_a_name_that_comes_late(self, after, takes):
        model = filled(4_000, seconds=lambda _: takes)
        model.name_after = after
        copy = Copy()
        run = copy.sync(model)
        assert not copy.differences(model)
        assert run.outcome.resubmitted == 0
        assert model.requests <= 5 * 4 + 12

    def test_a_list_without_a_name_has_failed_once(self):
        model = filled(1_500)
        post, clock = model.post, FakeClock()

        def nameless(job, now):
            answer = post(job, now)
            if len(model.posts) == 2:
                return dataclasses.replace(answer, uuid=None)
            return answer

        model.post = nameless
        copy = Copy()
        run = copy.sync(model, clock=clock, max_pending=1)
        assert not copy.differences(model)
        assert run.outcome.resubmitted == 1

    def test_lists_that_expired_while_the_machine_slept_are_no_failures(self):
        model = filled(30_000, seconds=lambda _: 30)
        clock = FakeClock()
        slept = []

        def sleep(request):
            if request == 18 and not slept:
                slept.append(request)
                clock.time += 6 * 3600

        copy = Copy()
        copy.sync(model, clock=clock, before=sleep, max_pending=20)
        assert not copy.differences(model)


class TestForms:
    def test_the_same_moment_written_differently_is_the_same_version(self):
        forms = (
            lambda stamp: stamp.isoformat(),
            lambda stamp: stamp.isoformat(timespec="milliseconds"),
            lambda stamp: stamp.isoformat(sep=" "),
        )
        model = filled(4_428)
        plain = filled(4_428)
        model.form = lambda stamp, nth: forms[nth % 3](stamp)
        Copy().sync(plain)
        copy = Copy()
        run = copy.sync(model)
        assert not copy.differences(model)
        assert len(run.keys) == 4_428
        assert model.requests == plain.requests

    def test_an_hour_that_is_repeated_holds_nothing_back(self):
        model = filled(3_000, every=60)
        model.form = lambda stamp, _: (
            stamp.replace(hour=stamp.hour - 1) if stamp.hour == 8 else stamp
        ).isoformat()
        copy = Copy()
        run = copy.sync(model, page_size=100, kill_at=40)
        assert copy.bookmark > "2024-01-01T12"
        del run

    def test_rows_dated_ahead_do_not_move_the_bookmark(self):
        clock = FakeClock()
        model = filled(50)
        now = 1_800_000_000 - 1_704_067_200
        model.put(1_000, now - 60)
        model.put(1_001, now + DAY + DAY // 2)
        copy = Copy()
        copy.sync(model, clock=clock)
        assert not copy.differences(model)
        assert copy.bookmark.startswith("2027-01-15T07:59")

    def test_where_nothing_is_in_order_the_bookmark_is_the_start_of_the_run(self):
        clock = FakeClock()
        model = filled(500, every=12 * 3600)
        model.scrambled = True
        copy = Copy()
        run = copy.sync(model, clock=clock, page_size=40)
        assert not copy.differences(model)
        assert {bookmark for _, bookmark in run.states[:-1]} == {None}
        assert copy.bookmark.startswith("2027-01-15T08:00:00")


class TestFirstCounts:
    """A count may be too small at first, or always be a little ahead."""

    LIES = {  # noqa: RUF012 - not changed
        "ten more than the page's end": lambda claims, _: dataclasses.replace(
            claims, count=claims.page * claims.size + 10
        ),
        "small at first": lambda claims, nth: dataclasses.replace(
            claims, count=claims.size + 3 if nth < 3 else claims.count
        ),
        "one at first": lambda claims, nth: dataclasses.replace(
            claims, count=1 if nth == 1 else claims.count
        ),
    }

    @pytest.mark.parametrize("lie", LIES)
    @pytest.mark.parametrize("dated", [True, False])
    @pytest.mark.parametrize(("records", "size"), [(2_600, 100), (45, 12)])
    def test_all_is_read_at_once(self, lie, dated, records, size):
        model = filled(records, every=3 * 3600, dated=dated)
        model.lie = self.LIES[lie]
        copy = Copy()
        copy.sync(model, page_size=size)
        assert not copy.differences(model)
        assert model.requests <= 5 * records / size + 20


class TestRoom:
    @pytest.mark.parametrize("pending", [1, 2, 3, 8])
    @pytest.mark.parametrize("takes", [2.0, 20.0])
    @pytest.mark.parametrize("trouble", ["cap", "failing", "moving", "nameless"])
    def test_the_limit_holds_by_construction(self, pending, takes, trouble):
        model = filled(
            3_000,
            seconds=lambda _: takes,
            max_page_size=90 if trouble == "cap" else 1000,
        )
        rng = random.Random(pending)  # noqa: S311 - repeatable
        late = [3_000 * 600]

        def change(_):
            for _ in range(40 if trouble == "moving" else 0):
                late[0] += 1
                model.put(rng.randrange(3_000), late[0])

        def answer_get(_, answer):
            is_ready = answer.status is Status.COMPLETE
            if trouble == "failing" and is_ready and rng.random() < 0.3:
                return Answer(Status.FAILED, "Failed")
            return answer

        post = model.post

        def maybe_nameless(job, now):
            answer = post(job, now)
            if trouble == "nameless" and rng.random() < 0.2:
                return dataclasses.replace(answer, uuid=None)
            return answer

        model.answer_get = answer_get
        model.post = maybe_nameless
        copy = Copy()
        copy.sync(model, before=change, max_pending=pending, page_size=100)
        assert model.most_generating <= pending
        settle(copy, model, page_size=100)
        assert not copy.differences(model)
