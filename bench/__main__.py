"""`python -m bench`: run the cases, print the table, fail where a goal is missed."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import typing as t

from bench import readers
from bench.cases import CASES, Case
from bench.simulation import VirtualClock

READERS: dict[str, t.Any] = {
    "tap": readers.read_with_tap,
    "sample": readers.read_with_sample_loop,
    "pages": readers.read_with_page_numbers,
}


def run(case: Case, reader: str) -> dict[str, t.Any]:
    """Run a case with a reader, in this process.

    Args:
        case: The case.
        reader: Name of the reader.

    Returns:
        The figures of the row.
    """
    clock = VirtualClock()
    api = case.make(clock)
    before = _keys(api, case) if case.small else frozenset()
    seconds_of_lists = _watch(api)
    more: dict[str, t.Any] = {}
    if reader == "tap":
        more = {"keep_keys": case.small, **case.config}
    result = READERS[reader](api, clock, case.streams, **more)
    gone = before - _keys(api, case) if case.small else frozenset()
    lost = len(before - gone - result.keys)
    slowest = max(seconds_of_lists)
    return {
        "slowest": round(slowest, 1),
        "requests": result.requests,
        "seconds": round(result.seconds, 1),
        "emitted": result.emitted,
        "lost": lost,
        "throttled": result.throttled,
        "cpu": round(result.cpu, 2),
        "peak": round(result.peak),
        "reached": case.check(result, lost, slowest),
    }


def _watch(api: t.Any) -> list[float]:
    """Note how long the lists of an API take, in seconds."""
    seconds: list[float] = []
    post = api.lists.post

    def watched(*args: t.Any) -> t.Any:
        bulk = post(*args)
        seconds.append(bulk.ready_at - bulk.posted)
        return bulk

    api.lists.post = watched
    return seconds


def _keys(api: t.Any, case: Case) -> frozenset[tuple[str, str]]:
    """Return streams and keys of what is at the source."""
    return frozenset(
        (stream, str(record.get("id") or record["appointment"]))
        for stream in case.streams
        for record in api.records(stream)
    )


def _in_own_process(number: int, reader: str) -> dict[str, t.Any]:
    """Run a case in a process of its own, so that its memory and CPU are its own."""
    done = subprocess.run(
        [sys.executable, "-m", "bench", "--case", str(number), "--reader", reader],
        check=True,
        stdout=subprocess.PIPE,
    )
    return t.cast("dict[str, t.Any]", json.loads(done.stdout))


def main() -> None:
    """Run all cases, or one."""
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("--case", type=int, help="number of one case, from 0")
    parser.add_argument("--reader", choices=READERS, default="tap")
    chosen = parser.parse_args()
    if chosen.case is not None:
        print(json.dumps(run(CASES[chosen.case], chosen.reader)))
        return
    reached = True
    print("| case | sample loop | page numbers | tap | lost | goal | |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for number, case in enumerate(CASES):
        cells = []
        for reader in ("sample", "pages") if case.plain else ():
            row = _in_own_process(number, reader)
            lost = f", {row['lost']} lost" if row["lost"] else ""
            throttled = ", throttled" if row["throttled"] else ""
            cells.append(
                f"{row['seconds']} s, {row['requests']} requests{lost}{throttled}"
            )
        cells = cells or ["", ""]
        row = _in_own_process(number, "tap")
        reached = reached and row["reached"]
        cells += [
            f"{row['seconds']} s, {row['requests']} requests, {row['cpu']} s CPU, "
            f"{row['peak']} MiB",
            str(row["lost"]),
            case.goal,
            "reached" if row["reached"] else "**missed**",
        ]
        print(f"| {case.name} | {' | '.join(cells)} |", flush=True)
    sys.exit(not reached)


if __name__ == "__main__":
    main()
