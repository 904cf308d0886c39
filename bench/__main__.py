"""`python -m bench`: run the cases, print the table, fail where a goal is missed."""

from __future__ import annotations

import argparse
import functools
import json
import subprocess
import sys
import typing as t

from bench import readers
from bench.cases import CASES, Case, Row
from bench.simulation import VirtualClock

if t.TYPE_CHECKING:
    from drchrono_sandbox.api import Api
    from drchrono_sandbox.lists import BulkList

READERS: dict[str, t.Any] = {
    "tap": readers.read_with_tap,
    "sample": readers.read_with_sample_loop,
    "pages": readers.read_with_page_numbers,
}


def run(case: Case, reader: str) -> Row:
    """Run a case with a reader, in this process.

    Args:
        case: The case.
        reader: Name of the reader.

    Returns:
        The figures.
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
    return Row(
        requests=result.requests,
        seconds=round(result.seconds, 1),
        emitted=result.emitted,
        lost=len(before - gone - result.keys),
        throttled=result.throttled,
        cpu=round(result.cpu, 2),
        codec=round(result.codec, 2),
        peak=round(result.peak),
        slowest=round(max(seconds_of_lists), 1),
    )


def _watch(api: Api) -> list[float]:
    """Note how long the lists of an API take, in seconds."""
    seconds: list[float] = []
    post = api.lists.post

    @functools.wraps(post)
    def watched(*args: object) -> BulkList:
        bulk = t.cast("t.Any", post)(*args)
        seconds.append(bulk.ready_at - bulk.posted)
        return t.cast("BulkList", bulk)

    setattr(api.lists, "post", watched)  # noqa: B010 - not a name of its own type
    return seconds


def _keys(api: Api, case: Case) -> frozenset[tuple[str, str]]:
    """Return streams and keys of what is at the source."""
    return frozenset(
        (stream, str(record.get("id") or record["appointment"]))
        for stream in case.streams
        for record in api.records(stream)
    )


def _in_own_process(number: int, reader: str) -> Row:
    """Run a case in a process of its own, so that its memory and CPU are its own."""
    command = [sys.executable, "-m", "bench", "--case", str(number), "--reader", reader]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE)
    return Row(**json.loads(done.stdout))


def _print_table() -> bool:
    """Run all cases and print a table; tell whether all goals are reached."""
    print("| case | sample loop | page numbers | tap | goal | |")
    print("| --- | --- | --- | --- | --- | --- |")
    all_reached = True
    for number, case in enumerate(CASES):
        others = [
            _cost(_in_own_process(number, reader)) if case.plain else ""
            for reader in ("sample", "pages")
        ]
        row = _in_own_process(number, "tap")
        reached = case.check(row)
        all_reached = all_reached and reached
        tap = _cost(row)
        if not case.plain:
            tap += (
                f", {row.cpu} s CPU ({row.codec} s to decode and encode alone), "
                f"{row.peak:.0f} MiB"
            )
        mark = "reached" if reached else "**missed**"
        cells = (case.name, *others, tap, case.goal, mark)
        print(f"| {' | '.join(cells)} |", flush=True)
    return all_reached


def _cost(row: Row) -> str:
    """Write what a row cost."""
    cost = f"{row.seconds:,.0f} s, {row.requests:,} requests"
    if row.throttled:
        return f"{cost}, then throttled"
    return f"{cost}, {row.lost} lost" if row.lost else cost


def main() -> None:
    """Run all cases, or one."""
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("--case", type=int, help="number of one case, from 0")
    parser.add_argument("--reader", choices=READERS, default="tap")
    chosen = parser.parse_args()
    if chosen.case is None:
        sys.exit(not _print_table())
    print(json.dumps(run(CASES[chosen.case], chosen.reader)._asdict()))


if __name__ == "__main__":
    main()
