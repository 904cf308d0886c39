"""The command that starts the sandbox."""

import json
import re
import signal
import subprocess
import sys

import pytest
import requests
from drchrono_sandbox.__main__ import main


@pytest.fixture
def start():
    running = []

    def run(*arguments):
        command = [sys.executable, "-m", "drchrono_sandbox", *arguments]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        running.append(process)
        first = process.stdout.readline()
        url = re.fullmatch(r"drchrono-sandbox listening on (http://\S+)\n", first)[1]
        return process, url

    yield run
    for process in running:
        process.kill()
        process.wait()
        process.stdout.close()


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT])
def test_it_says_where_it_is_and_how_to_use_it_and_stops_quietly(start, signum):
    process, url = start("--records", "20", "--count", "patients=3")
    greeting = [process.stdout.readline() for _ in range(10)]
    settings = dict(re.findall(r"export (TAP_DRCHRONO_\w+)=(\S+)", "".join(greeting)))
    assert settings == {
        "TAP_DRCHRONO_API_URL": url,
        "TAP_DRCHRONO_CLIENT_ID": "sandbox-client",
        "TAP_DRCHRONO_CLIENT_SECRET": "sandbox-secret",
        "TAP_DRCHRONO_REFRESH_TOKEN": "sandbox-refresh",
        "TAP_DRCHRONO_ACCESS_TOKEN": "sandbox-access",
    }
    counts = requests.get(f"{url}/sandbox/streams", timeout=10).json()
    assert (counts["patients"], counts["line_items"]) == (3, 20)
    applied = requests.get(f"{url}/sandbox/settings", timeout=10).json()
    assert (applied["hourly_limit"], applied["burst_limit"]) == (500, 10)
    process.send_signal(signum)
    assert process.wait(timeout=10) == 0


def test_options_settings_and_faults_come_from_the_command_line(start, tmp_path):
    settings, faults = tmp_path / "settings.json", tmp_path / "faults.json"
    settings.write_text(json.dumps({"since_shift_hours": 8}))
    faults.write_text(json.dumps([{"kind": "500"}]))
    options = ["--hourly-limit", "0", "--updates", "2", "--settings", str(settings)]
    _, url = start("--records", "5", *options, "--faults", str(faults))
    applied = requests.get(f"{url}/sandbox/settings", timeout=10).json()
    assert applied["hourly_limit"] is None
    assert applied["since_shift_hours"] == 8
    assert applied["changes_per_second"]["updates"] == 2
    assert requests.get(f"{url}/sandbox/faults", timeout=10).json()[0]["kind"] == "500"


def test_plain_lists_are_set_up_by_options(start):
    _, url = start(
        *("--records", "20", "--count", "tasks=9", "--inserts", "0.5"),
        *("--changing", "plain", "--changing", "patients", "--archived", "listed"),
        *("--plain-order=-updated_at", "--plain-paging", "page", "--replica-lag", "3"),
    )
    applied = requests.get(f"{url}/sandbox/settings", timeout=10).json()
    assert applied["plain_order"] == "-updated_at"
    assert applied["plain_paging"] == "page"
    assert applied["archived"] == "listed"
    assert applied["replica_lag"] == 3
    streams = applied["changes_per_second"]["streams"]
    assert len(streams) == 44
    assert streams[-1] == "patients"
    token = {"Authorization": "Bearer sandbox-access"}
    asked = {"page_size": 2}
    page = requests.get(f"{url}/api/tasks", asked, headers=token, timeout=10).json()
    assert page["next"] == "https://drchrono.com/api/tasks?page=2&page_size=2"
    assert requests.get(f"{url}/sandbox/plain", timeout=10).json()["tasks"] >= 9


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--host", "0.0.0.0"], "not on '0.0.0.0'"),  # noqa: S104 - it is refused
        (["--host", "example.invalid"], "not on 'example.invalid'"),
        (["--count", "patients"], "expected STREAM=N with a stream of appointments"),
        (["--updates=1", "--changing=nonsense"], "Unknown streams ['nonsense']"),
        (["--settings", "/nonexistent"], "/nonexistent"),
        (["--as-of", "yesterday"], "not yesterday"),
        (["--as-of", "2999-01-01"], "later than the clock's day"),
    ],
)
def test_what_it_cannot_do_is_refused(arguments, said, capsys):
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == 2
    assert said in capsys.readouterr().err
