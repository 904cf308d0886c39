"""A practice that works while it is read: nothing is lost, end to end.

What the paginator promises against a pure model, in `test_paging_properties.py`, holds
for the whole tap against the sandbox, whatever is unknown of the real API.
"""

from __future__ import annotations

import dataclasses
import random

import pytest
from comparison import source
from drchrono_sandbox import STREAMS, Changes, Practice, Settings
from offline import offline
from process import only
from simulated import NOW

QUIET = Changes()
_STARTS = (0.0, 0.5, 15 * 3600 + 0.9)
"""Seconds after `NOW` at which a sync begins."""


def draw(seed: int) -> tuple[Settings, dict[str, object], int, dict[str, object]]:
    """Draw a sandbox and settings of the tap that fit to its bustle."""
    rng = random.Random(seed)  # noqa: S311 - no secret
    settings = Settings(
        access_seconds=10**9,
        list_base_seconds=rng.choice([0, 1, 20]),
        list_record_seconds=rng.choice([0, 0.02]),
        changes_per_list=Changes(
            updates=rng.choice([0, 1, 3]),
            inserts=rng.choice([0, 1, 2]),
            deletions=rng.choice([0, 0, 1, 2]),
            purge=True,
        ),
        cut=rng.choice(["post", "ready"]),
        tie=rng.choice(["id", "insertion", "shuffled"]),
        since_shift_hours=rng.choice([0, 8, -8]),
        page_size_cap=rng.choice([None, None, 17, 40]),
        out_of_range=rng.choice(["empty", "not_found", "not_found_at_post"]),
        results_key=rng.choice(["results", "data"]),
        without_updated_at=rng.choice(
            [("clinical_notes", "prescription_messages"), (), tuple(STREAMS)[1:]]
        ),
    )
    practice = {
        "zone_hours": rng.choice([0, -8]),
        "shared": rng.choice([0, 0.1, 0.6]),
        "shared_moments": rng.choice([None, 1]),
    }
    config = {
        "page_size": rng.choice([20, 50, 1000]),
        "max_pending_lists": rng.choice([1, 3, 8]),
        "hourly_request_limit": 1_000_000,
    }
    return settings, practice, rng.choice([60, 150, 300]), config


@pytest.mark.parametrize("seed", range(24))
def test_nothing_is_lost_while_the_practice_works(seed, make_tap, catalog):
    settings, traits, records, config = draw(seed)
    chosen = random.Random(seed).sample(list(STREAMS), 2)  # noqa: S311 - no secret
    # What shares a second, or a day, depends on when it begins.
    now = NOW + _STARTS[seed % len(_STARTS)]
    practice = Practice.generate(
        counts=dict.fromkeys(chosen, records), seed=seed, now=now, **traits
    )
    with offline(settings, practice=practice, now=now) as served:
        tap = make_tap(served, **config)
        selection = only(catalog, chosen)
        copy = tap.run(catalog=selection).good()
        served.clock.sleep(3 * 86_400)
        tap.run(catalog=selection, state=copy.state).good(copy)
        served.api.settings = dataclasses.replace(settings, changes_per_list=QUIET)
        tap.run(catalog=selection, state=copy.state).good(copy)
        for stream in chosen:
            (key,) = copy.keys[stream]
            rows = {str(row[key]): row for row in copy.rows(stream)}
            for record in source(served.api, stream):
                row = rows[str(record[key])]
                assert (row.get("updated_at") or "") == str(
                    record.get("updated_at") or ""
                ).replace(" ", "T"), stream
