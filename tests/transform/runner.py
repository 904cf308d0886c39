"""Runs dbt as often as it is told to, and never with the network.

A line on standard input is a list of arguments as JSON; a line of the answer has the
statuses of all models and tests. To start dbt takes longer than to build the marts, so
it is started once for a warehouse.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import typing as t

LOOPBACK = {"127.0.0.1", "::1", "localhost"}


def watch(event: str, args: tuple[t.Any, ...]) -> None:
    """See each connection of Python's own before it is made."""
    if event == "socket.getaddrinfo":
        host = args[0]
    elif event == "socket.connect" and isinstance(args[1], tuple):
        host = args[1][0]
    else:
        return
    if host not in LOOPBACK:
        sys.stderr.write("dbt reached for the network\n")
        sys.stderr.flush()
        os._exit(70)


def run(arguments: list[str]) -> dict[str, str]:
    """Run dbt once, and let go of the warehouse."""
    from dbt.cli.main import dbtRunner  # noqa: PLC0415 - nothing is imported unwatched

    done = dbtRunner().invoke(arguments)
    with contextlib.suppress(ImportError):
        from dbt.adapters.duckdb.connections import (  # noqa: PLC0415 - if it is there
            DuckDBConnectionManager as Manager,
        )

        if Manager._ENV is not None:  # noqa: SLF001 - it has no other way
            Manager._ENV.close()  # noqa: SLF001
        Manager.close_all_connections()
    if done.exception:
        raise done.exception
    return {one.node.name: str(one.status) for one in done.result.results}


def main() -> None:
    """Answer until standard input ends."""
    answers = os.fdopen(os.dup(1), "w")
    # What dbt prints is no answer.
    os.dup2(2, 1)
    for line in sys.stdin:
        answers.write(json.dumps(run(json.loads(line))) + "\n")
        answers.flush()


if __name__ == "__main__":
    sys.addaudithook(watch)
    main()
