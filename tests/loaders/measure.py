"""`./dev loaders`: load the sandbox twice into each target, compare, write the table.

What a target stored is compared with what the tap wrote last for each key, value by
value: a text that is empty counts as null, a number as equal up to the 15 digits that a
double holds, and an object or array as its JSON text. The tap's own messages are
compared with the source by the tests.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import math
import re
import shutil
import subprocess
import sys
import tempfile
import typing as t
from collections import Counter
from pathlib import Path

from comparison import plain
from drchrono_sandbox import ACCESS_TOKEN, Changes, Practice, Settings, serve
from measured import STORE, TARGETS, Place, environment, store
from postgres_server import postgres
from process import Tap
from target import Target as Messages

from dev_tools.environments import ROOT, SetupError, measured_environment, say

if t.TYPE_CHECKING:
    from collections.abc import Iterable

    from measured import Row, Target
    from postgres_server import Server

PAGE = ROOT / "docs" / "loaders.md"
BEGIN, END = "<!-- loaders:begin -->\n", "<!-- loaders:end -->\n"
RECORDS = 150
PATIENCE = 600

_OF_PROGRAMS = frozenset({"AttributeError", "ImportError", "ModuleNotFoundError"})
_MIDNIGHT = re.compile(r"(\d{4}-\d{2}-\d{2})T00:00:00")
_MOMENT = re.compile(r"(\d{4}-\d{2}-\d{2})[ T](\d{2}:\d{2}:\d{2})(\.0+)?(\+00:00|Z)?")


class Runs(t.NamedTuple):
    """Two runs of the tap, with edits, inserts and deletions between.

    Attributes:
        outputs: What it wrote, run by run.
        wanted: What it wrote last for each key, by stream.
        keys: The key of each stream.
    """

    outputs: list[bytes]
    wanted: dict[str, dict[str, Row]]
    keys: dict[str, str]


def read_twice(home: Path, **settings: t.Any) -> Runs:
    """Read the sandbox, change it, and read it again."""
    practice = Practice.generate(records=RECORDS, seed=41)
    messages, outputs = Messages(), []
    with serve(Settings(odd=0.1), practice=practice) as served:
        tap = Tap(home, api_url=served.url, access_token=ACCESS_TOKEN, **settings)
        for number in (1, 2):
            ended = tap.run(state=messages.state)
            ended.good(messages)
            outputs.append(ended.output)
            if number == 1:
                served.api.change(Changes(updates=20, inserts=5), seed=1)
                gone = Changes(deletions=4, streams=("appointments",))
                served.api.change(gone, seed=2)
    wanted = {
        stream: {str(key): row for (key,), row in table.items()}
        for stream, table in messages.tables.items()
        if table
    }
    return Runs(outputs, wanted, {name: key for name, (key,) in messages.keys.items()})


def measure(target: Target, runs: Runs, server: Server) -> str:
    """Try a target, and say in a few words how it went."""
    home = Path(tempfile.mkdtemp(prefix="tap-drchrono-loader-"))
    try:
        python = measured_environment(
            target.name, (target.package, *target.more), target.instead
        )
        if not target.needs_store:
            return _load_and_compare(target, runs, Place(python, home, server))
        with store(measured_environment("object-store", STORE)) as address:
            place = Place(python, home, server, address)
            return _load_and_compare(target, runs, place)
    except SetupError:
        return "cannot be installed"
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _load_and_compare(target: Target, runs: Runs, place: Place) -> str:
    for number, output in enumerate(runs.outputs, start=1):
        if problem := _load(target, place, number, output):
            return f"run {number} fails: {problem}"
    return _differences(target, runs, place)


def _load(target: Target, place: Place, number: int, output: bytes) -> str | None:
    """Load one run; return the last line of its log where that fails."""
    config = place.home / "config.json"
    config.write_text(json.dumps(target.config(place, number)), "utf-8")
    try:
        done = subprocess.run(
            [place.python.parent / target.program, "--config", config],
            cwd=place.home,
            env=environment(),
            input=output,
            capture_output=True,
            timeout=PATIENCE,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return "it does not end"
    if done.returncode == 0:
        return None
    lines = done.stderr.decode(errors="replace").strip().splitlines() or ["no word"]
    errors = [line for line in lines if re.match(r"[\w.]+(Error|Exception)\b", line)]
    kind, _, text = (errors or lines)[-1].partition(":")
    # Other errors may quote a row: their kind is enough.
    return f"{kind}:{text}" if kind in _OF_PROGRAMS else kind[:60]


def _differences(target: Target, runs: Runs, place: Place) -> str:
    """Compare all streams; name what differs, by column."""
    wrong: Counter[str] = Counter()
    missing = 0
    for stream, wanted in runs.wanted.items():
        key = runs.keys[stream]
        try:
            rows = target.rows(place, stream)
        except (OSError, subprocess.CalledProcessError, AssertionError):
            return f"{stream} was not stored"
        found = {str(_same(row[key])): row for row in rows}
        for name, row in wanted.items():
            if name not in found:
                missing += 1
                continue
            for column, value in row.items():
                if not equal(value, found[name].get(column)):
                    wrong[f"{stream}.{column}"] += 1
    total = sum(map(len, runs.wanted.values()))
    if missing:
        return f"{missing} of {total:,} rows are missing"
    if wrong:
        names = ", ".join(f"`{name}`" for name, _ in wrong.most_common(3))
        return f"{len(wrong)} columns differ, such as {names}"
    return f"ok ({total:,} rows)"


def equal(sent: t.Any, stored: t.Any) -> bool:
    """Tell whether a stored value says what was sent."""
    return _alike(_same(sent), _same(stored))


def _same(value: t.Any) -> t.Any:
    """Reduce a value to what it says, whatever its type."""
    if isinstance(value, dict):
        return plain(value)
    if isinstance(value, str) and (moment := _MOMENT.fullmatch(value)):
        # Some targets store a zone that nobody sent; the clock is what is compared.
        value = f"{moment[1]}T{moment[2]}"
    reduced = plain(value)
    if isinstance(reduced, str):
        reduced = _MIDNIGHT.sub(r"\1", reduced)
        reduced = reduced.lower() if reduced in {"True", "False"} else reduced
    return reduced


def _alike(one: t.Any, other: t.Any) -> bool:
    """Compare, numbers as doubles, and truth as it is stored where there is no type."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(
            _alike(one[name], other[name]) for name in one
        )
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_alike, one, other))
    if one == other:
        return True
    if {one, other} in ({"true", "1"}, {"false", "0"}):
        return True
    try:
        return math.isclose(float(one), float(other), rel_tol=1e-14)
    except (TypeError, ValueError):
        return False


def table(results: Iterable[tuple[Target, str]], day: dt.date) -> str:
    """Lay out the results."""
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    lines = [
        f"Measured with `./dev loaders` on {day:%Y-%m-%d}, with Python {python}.",
        "",
        "| target | version | the tap | two syncs with edits and deletions |",
        "| --- | --- | --- | --- |",
    ]
    for target, result in results:
        name, _, version = target.package.partition("==")
        form = "flattens" if target.flat else "as it is"
        lines.append(f"| `{name}` | {version} | {form} | {result} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Measure all targets, or those that are named."""
    parser = argparse.ArgumentParser(prog="./dev loaders", description=__doc__)
    parser.add_argument("names", nargs="*", help="packages to try, by default all")
    parser.add_argument("--write", action="store_true", help="write docs/loaders.md")
    given = parser.parse_args()
    chosen = [one for one in TARGETS if not given.names or one.name in given.names]
    results = []
    with tempfile.TemporaryDirectory() as home, postgres() as server:
        nested = read_twice(Path(home))
        flat = read_twice(Path(home), flattening_enabled=True, flattening_max_depth=1)
        for target in chosen:
            result = measure(target, flat if target.flat else nested, server)
            say(f"{target.package}: {result}")
            results.append((target, result))
    text = table(results, dt.datetime.now(dt.UTC).date())
    sys.stdout.write(text)
    if given.write:
        page = PAGE.read_text("utf-8")
        before, _, rest = page.partition(BEGIN)
        _, _, after = rest.partition(END)
        PAGE.write_text(f"{before}{BEGIN}{text}{END}{after}", "utf-8")


if __name__ == "__main__":
    main()
