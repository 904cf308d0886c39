"""The authorization server: single-use tokens, codes, refusals."""

import urllib.parse

import pytest
from drchrono_sandbox import REFRESH_TOKEN, SCOPES, App
from sandbox_bench import NOW, form, refresh

CALLBACK = "http://127.0.0.1:8765/callback"


def exchange(api, code, uri=CALLBACK):
    body = form(grant_type="authorization_code", code=code, redirect_uri=uri)
    return api.send("POST", "/o/token/", body)


def authorize(api, method="POST", **fields):
    asked = {
        "client_id": "sandbox-client",
        "redirect_uri": CALLBACK,
        "response_type": "code",
        "scope": "patients:read billing:read",
        "state": "s t&te",
    } | fields
    query = urllib.parse.urlencode(asked)
    if method == "GET":
        return api.send("GET", "/o/authorize/", **dict(urllib.parse.parse_qsl(query)))
    return api.send("POST", "/o/authorize/", query)


def code_of(answer):
    assert answer.status == 302
    parts = urllib.parse.urlsplit(answer.headers["location"])
    assert f"{parts.scheme}://{parts.netloc}{parts.path}" == CALLBACK
    sent = dict(urllib.parse.parse_qsl(parts.query))
    assert sent["state"] == "s t&te"
    return sent["code"]


def test_a_refresh_returns_a_new_pair_with_the_documented_fields(bench):
    api = bench()
    answer = refresh(api)
    assert answer.status == 200
    body = answer.json()
    assert set(body) == {
        "access_token",
        "token_type",
        "expires_in",
        "refresh_token",
        "scope",
    }
    assert (body["token_type"], body["expires_in"]) == ("Bearer", 172_800)
    assert body["scope"].split() == list(SCOPES)
    api.token = body["access_token"]
    assert api.post("patients").status == 201


def test_a_refresh_token_can_be_spent_once(bench):
    api = bench()
    new = refresh(api).json()["refresh_token"]
    again = refresh(api)
    assert again.status == 400
    assert again.json()["error"] == "invalid_grant"
    assert REFRESH_TOKEN in again.json()["error_description"]
    assert refresh(api, new).status == 200


def test_errors_need_not_repeat_the_token_and_may_be_a_401(bench):
    api = bench(echo_tokens=False, invalid_grant_status=401)
    answer = refresh(api, "gone")
    assert (answer.status, answer.json()) == (401, {"error": "invalid_grant"})


def test_rotation_can_be_off_and_the_answer_without_a_refresh_token(bench):
    api = bench(rotate=False, return_refresh_token=False)
    assert "refresh_token" not in refresh(api).json()
    assert refresh(api).status == 200


@pytest.mark.parametrize("field", ["client_id", "client_secret"])
def test_an_unknown_application_is_refused(bench, field):
    answer = refresh(bench(), **{field: "wrong"})
    assert (answer.status, answer.json()["error"]) == (401, "invalid_client")


def test_other_grant_types_and_methods_are_refused(bench):
    api = bench()
    other = api.send("POST", "/o/token/", form(grant_type="password"))
    assert (other.status, other.json()["error"]) == (400, "unsupported_grant_type")
    assert api.send("GET", "/o/token/").status == 405
    assert api.send("POST", "/o/token", form()).status == 404


def test_an_access_token_expires(bench):
    api = bench(access_seconds=100)
    api.now = NOW + 99
    assert api.post("patients").status == 201
    api.now = NOW + 100
    answer = api.post("patients")
    assert answer.status == 401
    assert list(answer.json()) == ["detail"]


@pytest.mark.parametrize("token", ["", "wrong"])
def test_without_a_valid_token_nothing_is_read(bench, token):
    api = bench()
    api.token = token
    assert api.post("patients").status == 401


def test_a_fresh_token_may_be_refused_for_a_while(bench):
    api = bench(fresh_refused_seconds=2.0, fresh_refused_requests=1)
    assert api.post("patients").status == 201
    api.token = refresh(api).json()["access_token"]
    assert api.post("patients").status == 401
    api.now += 2
    assert [api.post("patients").status for _ in range(2)] == [401, 201]


def test_a_refresh_may_kill_the_access_token_before_it(bench):
    for revokes, status in ((False, 201), (True, 401)):
        api = bench(refresh_revokes=revokes)
        refresh(api)
        assert api.post("patients").status == status


def test_approving_gives_a_code_that_works_once(bench):
    api = bench()
    page = authorize(api, "GET")
    assert page.status == 200
    assert page.body.count(b"<button") == 1
    assert b'value="s t&amp;te"' in page.body
    code = code_of(authorize(api))
    body = exchange(api, code).json()
    assert body["scope"] == "patients:read billing:read"
    assert refresh(api, body["refresh_token"]).status == 200
    assert exchange(api, code).json()["error"] == "invalid_grant"


def test_a_code_lives_for_a_minute_and_belongs_to_its_redirect_uri(bench):
    api = bench()
    late, other = (code_of(authorize(api)) for _ in range(2))
    assert exchange(api, other, "http://127.0.0.1:1/").status == 400
    api.now += 60
    assert exchange(api, late).status == 400


@pytest.mark.parametrize(
    ("field", "value"),
    [("client_id", "x"), ("redirect_uri", "https://elsewhere.invalid/")],
)
def test_nobody_is_sent_to_an_unknown_place(bench, field, value):
    for method in ("GET", "POST"):
        answer = authorize(bench(), method, **{field: value})
        assert answer.status == 400
        assert "location" not in answer.headers


@pytest.mark.parametrize(
    ("field", "value", "error"),
    [
        ("response_type", "token", "unsupported_response_type"),
        ("scope", "", "invalid_scope"),
        ("scope", "patients:read everything", "invalid_scope"),
    ],
)
def test_a_bad_request_is_sent_back_as_an_error(bench, field, value, error):
    answer = authorize(bench(), **{field: value})
    assert f"error={error}" in answer.headers["location"]


def test_a_person_may_deny(bench):
    assert "error=access_denied" in authorize(bench(deny=True)).headers["location"]


def test_registered_redirect_uris_are_binding(bench):
    app = App(client_id="a", client_secret="b", redirect_uris=("https://my.invalid/",))
    api = bench(apps=(app,))
    assert authorize(api, client_id="a").status == 400
    ok = authorize(api, client_id="a", redirect_uri="https://my.invalid/")
    assert ok.headers["location"].startswith("https://my.invalid/?code=")


def test_applications_have_grants_of_their_own(bench):
    apps = (
        App(client_id="sandbox-client", client_secret="sandbox-secret"),
        App(client_id="second", client_secret="s2"),
    )
    api = bench(apps=apps, hourly_limit=1)
    grant = api.api.oauth.add_grant("second", NOW)
    assert refresh(api, grant.refresh_token).json()["error"] == "invalid_grant"
    assert api.post("patients").status == 429
    api.token = grant.access_token
    assert api.post("patients").status == 201


def test_a_missing_scope_is_silent_or_a_403(bench):
    for setting, outcome in (("empty", (201, [])), ("403", (403, None))):
        api = bench(missing_scope=setting, granted_scope="patients:read")
        api.token = refresh(api).json()["access_token"]
        answer = api.post("line_items")
        assert answer.status == outcome[0]
        if outcome[1] is not None:
            assert api.results("line_items") == []
        assert len(api.results("patients")) > 10


def test_a_missing_permission_is_a_403(bench):
    answer = bench(denied_streams=("line_items",)).post("line_items")
    assert answer.status == 403
    assert list(answer.json()) == ["detail"]
