"""Whatever happens between two requests, no record is lost."""

from __future__ import annotations

import datetime as dt

from hypothesis import example, given, settings
from hypothesis import strategies as st
from list_model import EPOCH, T0, FakeClock, ListModel, Run, loop, read, source_of

DAY = 86_400
MORE = settings(max_examples=3 * settings.default.max_examples)

page_sizes = st.sampled_from([1, 2, 3, 4, 5, 7, 10, 20, 1000])
stamps = st.one_of(st.integers(0, 400), st.sampled_from([7, 7, 100])).map(
    lambda day: day * DAY
)
change = st.tuples(
    st.sampled_from(["update", "update", "insert", "delete"]),
    st.integers(0, 10_000),
    st.sampled_from([0, 1, 1, 30, DAY // 2, 3 * DAY]),
)
changes = st.lists(st.lists(change, max_size=6), max_size=60)


class Practice:
    """Applies drawn changes to a model, one batch before each request."""

    def __init__(self, model: ListModel, drawn: list) -> None:
        self.model = model
        self.drawn = drawn
        self.now = max([0, *model.updated.values()]) + 1
        self.next_key = max([0, *model.updated]) + 1
        self.start = self.now
        self.clock = FakeClock(EPOCH + self.now)

    def change(self, request: int) -> None:
        for kind, pick, later in (
            self.drawn[request] if request < len(self.drawn) else []
        ):
            self.now += later
            keys = sorted(self.model.updated)
            if kind == "insert" or not keys:
                self.model.put(self.next_key, self.now)
                self.next_key += 1
            elif kind == "update":
                self.model.put(keys[pick % len(keys)], self.now)
            else:
                self.model.remove(keys[pick % len(keys)])


def seconds(stamp: str) -> int:
    return int((dt.datetime.fromisoformat(stamp) - T0).total_seconds())


def copy_of(emitted: list[dict]) -> dict[int, int]:
    return {record["id"]: seconds(record["updated_at"]) for record in emitted}


def check_each_state(run: Run, model: ListModel, practice: Practice) -> None:
    """A run that ends after any STATE leaves what it lacks to the next one."""
    for sent, bookmark in run.states:
        held = {record["id"] for record in run.records[:sent]}
        for key, updated in model.updated.items():
            if updated < practice.start and key not in held and bookmark:
                assert updated >= seconds(bookmark) - DAY, (sent, bookmark)


# A tie that is read again has moved to the left meanwhile: the window that was to begin
# before it begins within it.
@example(
    [0, 3 * DAY, 2 * DAY, 0, 0, 0, 0, 0, 2 * DAY, 2 * DAY, 2 * DAY],
    5,
    [
        [("update", 3, 0), ("update", 4, 0)],
        [("update", 2, 0), ("update", 5, 0), ("delete", 0, 0)],
    ],
    1,
)
@MORE
@given(st.lists(stamps, max_size=80), page_sizes, changes, st.integers(1, 8))
def test_updates_inserts_and_deletions_lose_nothing(initial, size, drawn, pending):
    model = ListModel()
    for key, stamp in enumerate(initial):
        model.put(key, stamp)
    practice = Practice(model, drawn)
    run, _ = loop(
        model,
        source_of("things", size),
        before=practice.change,
        max_pending=pending,
        clock=practice.clock,
    )

    check_each_state(run, model, practice)
    copy = copy_of(run.records)
    bookmark = run.outcome.bookmark or T0.isoformat()
    for key, updated in model.updated.items():
        if copy.get(key) != updated:
            assert updated >= seconds(bookmark) - DAY
    since = dt.date.fromisoformat(bookmark[:10]) - dt.timedelta(days=1)
    copy |= copy_of(read(model, page_size=size, since=since)[0])
    assert {key: copy.get(key) for key in model.updated} == model.updated


@MORE
@given(st.lists(stamps, max_size=80), page_sizes, st.integers(1, 8), st.booleans())
def test_a_quiet_stream_is_emitted_exactly_once(initial, size, pending, dated):
    model = ListModel(dated=dated)
    for key, stamp in enumerate(initial):
        model.put(key, stamp)
    emitted, paginator = read(model, page_size=size, max_pending=pending)
    assert sorted(r["id"] for r in emitted) == list(range(len(initial)))
    assert paginator.outcome().reread == 0


@MORE
@given(st.lists(stamps, max_size=60), page_sizes, changes)
def test_streams_without_updated_at_lose_nothing(initial, size, drawn):
    model = ListModel(dated=False)
    for key, stamp in enumerate(initial):
        model.put(key, stamp)
    before = dict(model.updated)
    practice = Practice(model, drawn)
    emitted, _ = read(model, page_size=size, before=practice.change)
    seen = {record["id"] for record in emitted}
    # Records that changed during the run lie at or after its first day, from which
    # the next run reads; all others must be here.
    for key, updated in model.updated.items():
        if before.get(key) == updated:
            assert key in seen


@MORE
@given(
    st.lists(stamps, min_size=1, max_size=80),
    page_sizes,
    st.integers(1, 7),
    changes,
)
def test_a_server_that_clamps_page_sizes_is_believed(initial, size, served, drawn):
    model = ListModel(max_page_size=served)
    for key, stamp in enumerate(initial):
        model.put(key, stamp)
    before = dict(model.updated)
    practice = Practice(model, drawn)
    source = source_of("things", size)
    run, _ = loop(model, source, before=practice.change, clock=practice.clock)
    check_each_state(run, model, practice)
    bookmark = seconds(run.outcome.bookmark or T0.isoformat())
    copy = copy_of(run.records)
    for key, updated in model.updated.items():
        assert copy.get(key) == updated or updated >= bookmark - DAY, before
