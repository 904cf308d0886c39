"""The hourly quota and the burst limit."""

import pytest
from sandbox_bench import NOW, refresh

SENTENCE = "Request was throttled. Expected available in {} seconds."


def test_the_quota_is_reset_at_the_top_of_the_clock_hour(bench):
    api = bench(hourly_limit=3)
    api.now = NOW + 3600 - 412
    assert [api.post("patients").status for _ in range(3)] == [201] * 3
    refused = api.post("patients")
    assert refused.status == 429
    assert refused.json() == {"detail": SENTENCE.format(412)}
    assert "retry-after" not in refused.headers
    api.now = NOW + 3599
    assert api.post("patients").status == 429
    api.now = NOW + 3600
    assert api.post("patients").status == 201


def test_every_request_counts_tokens_and_polls_too(bench):
    api = bench(hourly_limit=3)
    uuid = api.post("patients").json()["uuid"]
    api.poll("patients", uuid)
    assert refresh(api).status == 200
    late = refresh(api)
    assert (late.status, list(late.json())) == (429, ["detail"])
    assert api.api.quota.used("sandbox-client", NOW) == 4


def test_others_may_use_the_same_quota(bench):
    api = bench(hourly_limit=10, used_by_others=9)
    assert [api.post("patients").status for _ in range(2)] == [201, 429]


def test_there_may_be_a_limit_of_ten_minutes(bench):
    api = bench(ten_minute_limit=1)
    assert [api.post("patients").status for _ in range(2)] == [201, 429]
    api.now = NOW + 600
    assert api.post("patients").status == 201


@pytest.mark.parametrize(
    ("form", "text", "header"),
    [
        ("sentence", SENTENCE.format(3600), None),
        ("decimal", SENTENCE.format("3600.0"), None),
        ("bare", "Request was throttled.", None),
        ("retry_after", "Request was throttled.", "3600"),
    ],
)
def test_a_429_says_how_long_in_several_ways(bench, form, text, header):
    answer = bench(hourly_limit=0, throttle_form=form).post("patients")
    assert answer.json() == {"detail": text}
    assert answer.headers.get("retry-after") == header


def test_ten_calls_within_a_second_are_throttled(bench):
    api = bench(burst_limit=10)
    statuses = []
    for call in range(10):
        api.now = NOW + call * 0.09
        statuses.append(api.post("patients").status)
    assert statuses == [201] * 9 + [429]
    api.now = NOW + 2
    assert api.post("patients").status == 201


def test_hammering_keeps_the_burst_limit_tripped(bench):
    api = bench(burst_limit=10)
    for call in range(30):
        api.now = NOW + call * 0.05
        last = api.post("patients")
    assert last.status == 429
    assert last.json() == {"detail": "Request was throttled."}
