"""Runs the report against a sandbox, in this process and on a virtual clock."""

from __future__ import annotations

import json
import os
import re
import signal
import tempfile
import typing as t
from pathlib import Path

import simulated
from drchrono_sandbox import Api, Changes, Practice, Settings

if t.TYPE_CHECKING:
    from drchrono_sandbox import Fault

NOW = simulated.NOW + 14 * 3600
"""2026-01-01T14:00:00 UTC."""
DOCS = Path(__file__).parents[2] / "docs" / "first-run.md"
BEGIN, END = "<!-- {}: begin -->\n", "\n<!-- {}: end -->"

EXAMPLES: dict[str, dict[str, t.Any]] = {
    "documented": {},
    "eastern": {
        "zone_hours": -5.0,
        "since_timestamps": True,
        "extra_headers": {"X-RateLimit-Limit": "500"},
        "without_id": (),
        "without_updated_at": (),
    },
    "refused": {
        "granted_scope": "calendar:read clinical:read patients:read billing:read",
        "denied_streams": ("line_items",),
        "archived": "never",
        "results_key": "data",
    },
}
"""Three ways in which DrChrono may behave, as docs/first-run.md shows them."""


class Found(t.NamedTuple):
    """What a run of the report left.

    Attributes:
        status: The exit status.
        output: Standard output.
        log: Standard error.
        page: The page; empty where there is none.
        json: The JSON, decoded.
        api: The sandbox.
        files: All files in its directory.
    """

    status: int
    output: str
    log: str
    page: str
    json: dict[str, t.Any]
    api: Api
    files: dict[str, Path]

    def answer(self, unknown: str) -> list[str]:
        """The answers to what begins with these words."""
        return [
            finding["answer"]
            for finding in self.json["findings"]
            if finding["unknown"].startswith(unknown)
        ]


def report(
    directory: Path,
    *,
    records: int = 40,
    zone_hours: float = 0.0,
    machine_ahead: float = 0.0,
    changing: tuple[str, ...] = ("line_items", "patients"),
    faults: t.Iterable[Fault | dict[str, t.Any]] = (),
    stop_at: float = float("inf"),
    stopped_by: signal.Signals = signal.SIGTERM,
    options: t.Iterable[str] = (),
    config: t.Mapping[str, t.Any] | None = None,
    **settings: t.Any,
) -> Found:
    """Run `--report` once."""
    clock = simulated.SimulatedClock(NOW, machine_ahead=machine_ahead)
    practice = Practice.generate(
        records=records, now=NOW - 86_400 * 2, zone_hours=zone_hours, seed=5
    )
    settings = {"list_base_seconds": 3.0} | settings
    api = Api(practice, Settings(**settings), clock=clock.now, faults=faults)
    # A practice that works: changes all day long, until a moment ago.
    clock.time -= 72 * 3600
    for _ in range(72 * 2):
        clock.time += 1800
        api.change(Changes(updates=3, streams=changing))
    clock.stop_at, clock.signal = NOW + stop_at, stopped_by
    api.log.clear()
    home = directory / "home"
    home.mkdir(exist_ok=True)
    before = Path.cwd()
    os.chdir(directory)
    try:
        ran = simulated.run(
            api,
            clock,
            home,
            simulated.settings_for(api, home, **(config or {})),
            options=("--report", *options),
        )
    finally:
        os.chdir(before)
    files = {file.name: file for file in directory.iterdir() if file.is_file()}
    page = files.get("drchrono-report.md")
    found = files.get("drchrono-report.json")
    return Found(
        ran.status,
        ran.output.decode(),
        ran.log,
        page.read_text("utf-8") if page else "",
        json.loads(found.read_text("utf-8")) if found else {},
        api,
        files,
    )


def example(name: str) -> str:
    """Render a page as the docs show it: without the version."""
    with tempfile.TemporaryDirectory() as place:
        page = report(Path(place), **EXAMPLES[name]).page
    page = re.sub(r"^tap-drchrono \S+,", "tap-drchrono,", page, flags=re.MULTILINE)
    return "````markdown\n" + page.rstrip() + "\n````"


def rendered() -> str:
    """The text of docs/first-run.md with each example made anew."""
    text = DOCS.read_text("utf-8")
    for name in EXAMPLES:
        begin, end = BEGIN.format(name), END.format(name)
        before, _, rest = text.partition(begin)
        _, _, after = rest.partition(end)
        text = before + begin + example(name) + end + after
    return text


if __name__ == "__main__":
    DOCS.write_text(rendered(), "utf-8")
