"""A list whose cursor counts within records of one position loses none that moved."""

from __future__ import annotations

import dataclasses

import pytest
from comparison import plain, source_of
from drchrono_sandbox import Changes, Practice, Settings
from offline import OfflineTap, offline
from process import only
from test_companions import discovered

WHEN = "2024-05-06T07:08:09"
COUNT = 60
PAGE = 10


@pytest.fixture(scope="module")
def everything(tmp_path_factory):
    with offline() as served:
        home = tmp_path_factory.mktemp("all")
        return discovered(OfflineTap(home, served, extra_streams="all"))


def tied(stream):
    """A practice whose records all changed in the same second, as after an import."""
    records = [{"id": n, "updated_at": WHEN, "created_at": WHEN} for n in range(COUNT)]
    return Practice.of({stream: records})


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("order", ["updated_at", "-updated_at"])
@pytest.mark.parametrize("stream", ["patient_payments", "procedures"])
def test_a_tie_that_pages_cut_loses_nothing(make_tap, everything, stream, order, seed):
    settings = Settings(plain_order=order, list_seed=seed)
    churn = Changes(updates=1, deletions=0.2, purge=True, streams=(stream,))
    chosen = only(everything, [stream])
    moving = dataclasses.replace(settings, changes_per_page=churn)
    with offline(moving, practice=tied(stream)) as served:
        tap = make_tap(served, extra_streams="all", page_size=PAGE)
        copy = tap.run(catalog=chosen).good()
        served.api.settings = settings
        tap.run(catalog=chosen, state=copy.state).good(copy)
        wanted = source_of(served.api, [stream])[stream]
    rows = {str(row["id"]): plain(row) for row in copy.rows(stream)}
    assert [key for key in wanted if wanted[key] != rows.get(key)] == []


@pytest.mark.parametrize(("order", "passes"), [("id", 1), ("updated_at", 2)])
def test_only_where_a_cursor_counts_is_a_list_read_twice(
    make_tap, everything, order, passes
):
    stream = "patient_payments"
    settings = Settings(plain_order=order)
    with offline(settings, practice=tied(stream)) as served:
        tap = make_tap(served, page_size=PAGE)
        target = tap.run(catalog=only(everything, [stream])).good()
        assert len(served.api.log) == passes * COUNT // PAGE
    assert target.emitted[stream] == COUNT
