"""What is refused: one readable line a problem, before any request, with no secret."""

from __future__ import annotations

import re

import pytest
from drchrono_sandbox import (
    ACCESS_TOKEN,
    REFRESH_TOKEN,
    Practice,
    serve,
)
from offline import offline
from process import Tap, only

from tap_drchrono.settings import SETTINGS, given, problems, url_problem
from tap_drchrono.streams.catalogue import ENDPOINTS
from tap_drchrono.tap import TapDrchrono
from tap_drchrono.user_files import from_environment

SECRET = "s3cr3t-value"
LINE = re.compile(r"^\S+ \S+ \| (\w+) +\| [\w.-]+ +\| (.*)$")


def errors(log):
    """The error lines; nothing may stand beside them but the usual ones."""
    found = []
    for line in log.splitlines():
        match = LINE.match(line)
        assert match, log
        if match[1] == "ERROR":
            found.append(match[2])
    return found


@pytest.fixture(scope="module")
def served():
    with serve(practice=Practice.generate(records=3)) as served:
        yield served


@pytest.fixture
def refused(tmp_path, served):
    """Runs a tap that must refuse, and returns its error lines."""

    def run(env=None, **config):
        served.api.log.clear()
        tap = Tap(tmp_path, **({"api_url": served.url} | config))
        args = [] if env is None else ["--config=ENV"]
        ended = tap.run(*args, env=env)
        assert ended.status not in {0, -15}
        assert not ended.output
        assert not served.api.log
        assert SECRET not in ended.log
        assert "Traceback" not in ended.log
        return errors(ended.log)

    return run


class TestRefused:
    def test_each_setting_of_the_wrong_type_has_its_line(self, refused):
        wrong = {name: [SECRET] for name in SETTINGS["properties"]} | {"api_url": 5}
        lines = refused(**wrong, nonsense=SECRET)
        starts = {line.split(":")[0] for line in lines}
        assert starts == {*SETTINGS["properties"], "nonsense"}
        assert len(lines) == len(starts)
        assert "nonsense: there is no such setting" in lines
        assert "page_size: must be a whole number" in lines
        assert "verbose: must be true or false" in lines

    def test_values_out_of_range(self, refused):
        lines = refused(
            access_token=SECRET,
            page_size=5.5,
            lookback_days=0,
            hourly_request_limit=0,
            max_pending_lists=0,
            list_timeout=0,
            request_timeout=-1,
        )
        assert set(lines) == {
            "page_size: must be a whole number",
            "lookback_days: must be at least 1",
            "hourly_request_limit: must be at least 1",
            "max_pending_lists: must be at least 1",
            "list_timeout: must be at least 1",
            "request_timeout: must be at least 1",
        }

    def test_bad_date_and_url(self, refused):
        lines = refused(
            access_token=SECRET,
            start_date="31.01.2024",
            api_url="http://app.drchrono.com",
        )
        assert [line.split(":")[0] for line in lines] == ["start_date", "api_url"]
        assert "https" in lines[1]

    def test_bad_settings_in_the_environment(self, refused):
        lines = refused(
            env={
                "TAP_DRCHRONO_ACCESS_TOKEN": SECRET,
                "TAP_DRCHRONO_PAGE_SIZE": SECRET,
                "TAP_DRCHRONO_VERBOSE": "perhaps",
                "TAP_DRCHRONO_STREAM_MAPS": "{" + SECRET,
            }
        )
        assert sorted(line.split(":")[0] for line in lines) == [
            "page_size",
            "stream_maps",
            "verbose",
        ]

    @pytest.mark.parametrize(
        "maps",
        [
            {"patients": {"x": "first_name("}},
            {"patients": {"id": None}},
            {"patients": 5},
            {"patients": {"x": 5}},
        ],
    )
    def test_stream_maps_that_cannot_work(self, refused, maps):
        (line,) = refused(access_token=SECRET, stream_maps=maps)
        assert line.startswith("stream_maps")

    def test_no_credentials_at_all(self, refused):
        (line,) = refused()
        assert "no credentials are given" in line
        assert "--config=ENV" not in line

    def test_credentials_in_the_environment_that_nobody_read(self, tmp_path, served):
        tap = Tap(tmp_path, api_url=served.url)
        ended = tap.run(env={"TAP_DRCHRONO_ACCESS_TOKEN": SECRET})
        assert ended.status == 1
        (line,) = errors(ended.log)
        assert "--config=ENV" in line
        assert "TAP_DRCHRONO_ACCESS_TOKEN" in line
        assert SECRET not in ended.log


@pytest.fixture(scope="module")
def schema():
    TapDrchrono.append_builtin_config(SETTINGS)
    return SETTINGS


PAIR = {"client_id": "a", "client_secret": SECRET, "refresh_token": SECRET}


class TestProblems:
    """The same, without a process for each case."""

    @pytest.fixture
    def told(self, schema):
        def tell(**config):
            lines = problems(given(config), schema, ENDPOINTS)
            assert SECRET not in " ".join(lines)
            return lines

        return tell

    @pytest.mark.parametrize(
        ("config", "start"),
        [
            ({"client_id": "a"}, "client_secret: is missing"),
            ({"client_secret": SECRET}, "client_id: is missing"),
            (PAIR | {"client_id": None}, "client_id: is missing"),
            (PAIR | {"client_secret": ""}, "client_secret: is missing"),
            (PAIR | {"access_token": SECRET}, "access_token: cannot be combined"),
            ({"access_token": ""}, "client_id, client_secret, refresh_token: no"),
            ({}, "client_id, client_secret, refresh_token: no"),
        ],
    )
    def test_credentials(self, told, config, start):
        (line,) = told(**config)
        assert line.startswith(start)

    @pytest.mark.parametrize(
        "config",
        [
            PAIR,
            {"access_token": SECRET},
            PAIR | {"refresh_token": None},
            PAIR | {"access_token": ""},
            {"access_token": SECRET, "start_date": "2024-01-31"},
            {"access_token": SECRET, "start_date": "2024-01-31T10:00:00Z"},
            {"access_token": SECRET, "start_date": "2024-01-31T10:00:00.5+05:00"},
            {"access_token": SECRET, "page_size": 20_000},
            {"access_token": SECRET, "stream_maps": {}, "flattening_enabled": True},
            {"access_token": SECRET, "emit_activate_version_messages": True},
        ],
    )
    def test_none(self, told, config):
        assert told(**config) == []

    @pytest.mark.parametrize(
        "start",
        ["yesterday", "2024-02-30", "2024-1-5", "2024-01-31T25:00", "24-01-31", "now"],
    )
    def test_dates(self, told, start):
        (line,) = told(access_token=SECRET, start_date=start)
        assert line.startswith("start_date: must be a date such as")

    @pytest.mark.parametrize(
        ("page_size", "end"),
        [
            (20_001, "at most 20000"),
            (0, "at least 1"),
            (1.5, "a whole number"),
            ("7", "a whole number"),
            (True, "a whole number"),
        ],
    )
    def test_page_sizes(self, told, page_size, end):
        (line,) = told(access_token=SECRET, page_size=page_size)
        assert line.startswith("page_size: ")
        assert line.endswith(end)

    @pytest.mark.parametrize(
        ("change", "name"),
        [
            ({"batch_size": 0}, "batch_size"),
            ({"batch_size": -5}, "batch_size"),
            ({"storage": None}, "storage.root"),
            ({"storage": {"root": ""}}, "storage.root"),
            ({"encoding": None}, "encoding.format"),
            ({"encoding": {"format": "parquet"}}, "encoding.format"),
            ({"encoding": {"format": "xml"}}, "encoding.format"),
            (
                {"encoding": {"format": "jsonl", "compression": 1}},
                "encoding.compression",
            ),
        ],
    )
    def test_batches(self, told, change, name):
        batch = {
            "encoding": {"format": "jsonl", "compression": "gzip"},
            "storage": {"root": "file:///tmp/batches"},
        }
        assert told(access_token=SECRET, batch_config=batch) == []
        lines = told(access_token=SECRET, batch_config=batch | change)
        assert {line.split(": ")[0] for line in lines} == {f"batch_config.{name}"}

    def test_a_typo_names_the_setting_only(self, told):
        lines = told(access_token=SECRET, acess_token=SECRET)
        assert lines == ["acess_token: there is no such setting"]


@pytest.mark.parametrize(
    "url",
    [
        "https://app.drchrono.com",
        "https://app.drchrono.com/",
        "https://app.drchrono.com:8443",
        "http://localhost:8000",
        "http://127.0.0.1:8000",
        "http://[::1]:8000",
    ],
)
def test_urls_that_are_accepted(url):
    assert url_problem(url) is None


@pytest.mark.parametrize(
    "url",
    [
        "app.drchrono.com",
        "ftp://app.drchrono.com",
        "https://",
        "https://user:pass@app.drchrono.com",
        "https://app.drchrono.com?x=1",
        "https://app.drchrono.com#x",
        "https://app.drchrono.com:port",
        "https://[::1",
        "http://localhost.example.com",
        "http://127.0.0.1.example.com",
        "http://10.0.0.1",
        "https://app dr chrono",
        "https://app.drchrono.com\\@example.com",
    ],
)
def test_urls_that_are_refused(url):
    assert url_problem(url)


class TestFiles:
    """Files on the command line that cannot be used."""

    def check(self, ended, words):
        assert ended.status != 0
        assert not ended.output
        assert "Traceback" not in ended.log
        assert SECRET not in ended.log
        assert words in ended.log

    @pytest.mark.parametrize("content", ["{" + SECRET, f'["{SECRET}"]', "5", "null"])
    def test_settings(self, tmp_path, content):
        tap = Tap(tmp_path)
        path = tap.file("settings.json", content)
        ended = tap.run("--config", path, config=False)
        self.check(ended, f"a settings file is not a JSON object: {path}")

    def test_settings_that_are_not_there(self, tmp_path):
        missing = str(tmp_path / "nowhere.json")
        ended = Tap(tmp_path).run("--config", missing, config=False)
        self.check(ended, f"(it does not exist): {missing}")

    @pytest.mark.parametrize("content", ["{" + SECRET, "[]", "null", ""])
    def test_a_catalog(self, make_tap, content):
        with offline() as source:
            tap = make_tap(source)
            path = tap.file("broken.json", content)
            ended = tap.run("--catalog", path)
            assert not source.api.log
        self.check(ended, "The catalog file is not a JSON object")

    @pytest.mark.parametrize("content", ["{" + SECRET, "[]", "null", ""])
    def test_a_state(self, make_tap, content):
        with offline() as source:
            tap = make_tap(source)
            ended = tap.run("--state", tap.file("broken.json", content))
            assert not source.api.log
        self.check(ended, "The state file is not a JSON object")

    @pytest.mark.parametrize(
        "catalog", [{}, {"streams": 5}, {"streams": [1]}, {"streams": [{}]}]
    )
    def test_what_is_no_catalog(self, make_tap, catalog):
        with offline() as source:
            ended = make_tap(source).run(catalog=catalog)
            assert not source.api.log
        self.check(ended, "The catalog has no list of streams")


class TestWhereSettingsComeFrom:
    def test_from_the_environment(self, tmp_path, served, catalog):
        served.api.log.clear()
        tap = Tap(tmp_path)
        ended = tap.run(
            "--config=ENV",
            config=False,
            catalog=only(catalog, ["patients"]),
            env={
                "TAP_DRCHRONO_ACCESS_TOKEN": ACCESS_TOKEN,
                "TAP_DRCHRONO_API_URL": served.url,
                "TAP_DRCHRONO_PAGE_SIZE": "5",
                "TAP_DRCHRONO_VERBOSE": "False",
                "TAP_DRCHRONO_INCLUDE_INACTIVE": "",
                "TAP_DRCHRONO_LOOKBACK_DAYS": "",
                "TAP_DRCHRONO_CLIENT_ID": "",
            },
        )
        assert len(ended.good().rows("patients")) == 3
        (post,) = (e for e in served.api.log if e.method == "POST")
        assert (post.page_size, post.verbose, post.show_inactive) == (5, None, "true")

    def test_the_oauth_settings(self, tmp_path, served, catalog):
        tap = Tap(
            tmp_path,
            api_url=f"{served.url}/",
            client_id="sandbox-client",
            client_secret="sandbox-secret",
            refresh_token=REFRESH_TOKEN,
        )
        ended = tap.run(catalog=only(catalog, ["patients"]))
        assert len(ended.good().rows("patients")) == 3
        assert REFRESH_TOKEN not in ended.log


def test_a_dotenv_file_fills_what_the_environment_leaves_open(tmp_path, monkeypatch):
    (tmp_path / ".env").write_text(
        "TAP_DRCHRONO_CLIENT_ID=\nTAP_DRCHRONO_PAGE_SIZE=7\nTAP_DRCHRONO_LOOKBACK_DAYS=3\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TAP_DRCHRONO_CLIENT_ID", "from-the-environment")
    monkeypatch.setenv("TAP_DRCHRONO_LOOKBACK_DAYS", "5")
    monkeypatch.delenv("TAP_DRCHRONO_PAGE_SIZE", raising=False)
    found = from_environment(SETTINGS, "TAP_DRCHRONO_")
    monkeypatch.delenv("TAP_DRCHRONO_PAGE_SIZE", raising=False)
    assert found["client_id"] == "from-the-environment"
    assert found["lookback_days"] == 5
    assert found["page_size"] == 7
