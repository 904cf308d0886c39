"""max_pending_lists holds for all lists that DrChrono may be generating."""

import pytest
from comparison import differences, source_of
from drchrono_sandbox import Api, Practice, Settings
from simulated import NOW, SimulatedClock, catalog_of, pasted, run, settings_for
from target import Target

THREE = ("appointments", "patients", "prescription_messages")
LOST = (
    {"kind": "reset"},
    {"kind": "hang", "seconds": 90.0},
    {"kind": "502"},
    {"kind": "html"},
)


@pytest.fixture(scope="module")
def practice():
    return Practice.generate(records=60, now=NOW - 7200)


class Generating:
    """Counts, at each POST, the lists that the server has not generated yet."""

    def __init__(self, api):
        self._post = api.lists.post
        self._ready = []
        self.most = 0
        api.lists.post = self

    def __call__(self, practice, info, query, now, settings):
        bulk = self._post(practice, info, query, now, settings)
        self._ready = [*(at for at in self._ready if at > now), bulk.ready_at]
        self.most = max(self.most, len(self._ready))
        return bulk


@pytest.mark.parametrize("pending", [1, 2, 3, 8])
@pytest.mark.parametrize("seconds", [3.0, 25.0])
@pytest.mark.parametrize("lost", LOST, ids=[one["kind"] for one in LOST])
def test_lists_whose_post_was_not_answered_count(
    practice, tmp_path, lost, seconds, pending
):
    clock = SimulatedClock()
    faults = [
        {**lost, "method": "POST", "nth": nth, "times": 2, "performed": True}
        for nth in (1, 4, 9)
    ]
    base = Settings(list_base_seconds=seconds)
    api = Api(practice, base, clock=clock.now, faults=faults)
    generating = Generating(api)
    settings = settings_for(
        api,
        tmp_path,
        access_token=pasted(api),
        page_size=10,
        max_pending_lists=pending,
        request_timeout=60,
    )
    ended = run(api, clock, tmp_path, settings, catalog=catalog_of(*THREE))
    assert ended.status == 0, ended.log
    assert sum(api.faults.applied) == 6
    assert generating.most <= pending
    copy = Target(checks=False).read(ended.output)
    assert differences(copy, source_of(api, THREE)) == {}


@pytest.mark.parametrize("option", ["--plan", "--test"])
@pytest.mark.parametrize("pending", [1, 3])
def test_questions_before_a_sync_keep_to_it_too(practice, tmp_path, option, pending):
    clock = SimulatedClock()
    api = Api(practice, Settings(list_base_seconds=6.0), clock=clock.now)
    generating = Generating(api)
    settings = settings_for(
        api, tmp_path, access_token=pasted(api), max_pending_lists=pending
    )
    ended = run(
        api, clock, tmp_path, settings, catalog=catalog_of(*THREE), options=[option]
    )
    assert ended.status == 0, ended.log
    assert generating.most <= pending
