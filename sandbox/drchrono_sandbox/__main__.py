"""The command that runs the sandbox until it is stopped."""

from __future__ import annotations

import argparse
import datetime as dt
import json
import pathlib
import signal
import sys
import typing as t

from drchrono_sandbox.api import Api
from drchrono_sandbox.endpoints import ENDPOINTS
from drchrono_sandbox.oauth import ACCESS_TOKEN, REFRESH_TOKEN
from drchrono_sandbox.practice import Practice
from drchrono_sandbox.server import listen, make_server, url_of
from drchrono_sandbox.settings import Changes, PlainOrder, Settings

if t.TYPE_CHECKING:
    from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the sandbox.

    Args:
        arguments: The command line; that of the process if None.

    Returns:
        The exit status.
    """
    parser = _parser()
    asked = parser.parse_args(arguments)
    try:
        settings = _settings(asked)
        faults = _load(asked.faults) if asked.faults else []
        practice = Practice.generate(
            records=asked.records,
            counts=dict(asked.count),
            seed=asked.seed,
            zone_hours=asked.zone_hours,
            as_of=asked.as_of,
        )
        listener = listen(asked.host, asked.port)
    except (OSError, TypeError, ValueError) as error:
        parser.error(str(error))
    with listener:
        api = Api(practice, settings, faults=faults)
        server = make_server(api)

        def stop(*_: object) -> None:
            server.should_exit = server.force_exit = True

        # The server passes signals on once it has stopped: end quietly on them.
        for signum in (signal.SIGTERM, signal.SIGINT):
            signal.signal(signum, stop)
        # The socket accepts connections already; they are answered in a moment.
        sys.stdout.write(_greeting(url_of(listener), settings))
        sys.stdout.flush()
        server.run(sockets=[listener])
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="drchrono-sandbox",
        description="A simulated DrChrono API with invented data.",
    )
    add = parser.add_argument
    add("--host", default="127.0.0.1", help="a loopback address (%(default)s)")
    add("--port", type=int, default=0, help="0 for a free port (%(default)s)")
    add("--records", type=int, default=3000, help="a stream, about (%(default)s)")
    add(
        "--count",
        type=_count,
        action="append",
        default=[],
        metavar="STREAM=N",
        help="exact number of records of one stream; may be repeated",
    )
    add("--seed", type=int, default=0, help="another seed, another practice")
    add("--zone-hours", type=float, default=0.0, help="practice time less UTC")
    add(
        "--as-of",
        type=_day,
        metavar="DATE",
        help="the practice's last day: fifteen months end with it",
    )
    add(
        "--list-base-seconds",
        type=float,
        default=1.0,
        help="time in which an empty list is generated (%(default)s)",
    )
    add(
        "--list-record-seconds",
        type=float,
        default=0.002,
        help="time added by each record of a list (%(default)s)",
    )
    add(
        "--list-sigma",
        type=float,
        default=0.0,
        help="spread of these times, log-normal",
    )
    add(
        "--hourly-limit", type=int, default=500, help="requests an hour; 0 for no limit"
    )
    add("--burst-limit", type=int, default=10, help="calls a second; 0 for no limit")
    add("--updates", type=float, default=0.0, help="records edited a second and stream")
    add("--inserts", type=float, default=0.0, help="records added a second and stream")
    add(
        "--deletions",
        type=float,
        default=0.0,
        help="records deleted a second and stream",
    )
    add(
        "--changing",
        action="append",
        default=[],
        metavar="STREAM",
        help="where that is: a stream, bulk or plain; may be repeated (bulk)",
    )
    add(
        "--plain-order",
        choices=t.get_args(PlainOrder),
        default="id",
        help="how plain lists are sorted (%(default)s)",
    )
    add(
        "--plain-paging",
        choices=("cursor", "page"),
        default="cursor",
        help="what next of a plain list carries (%(default)s)",
    )
    add(
        "--archived",
        choices=("on_request", "listed", "never"),
        default="on_request",
        help="whether plain lists hold archived records (%(default)s)",
    )
    add(
        "--replica-lag",
        type=float,
        default=0.0,
        help="how many seconds old answers of plain lists are",
    )
    add("--odd", type=float, default=0.0, help="share of records with junk in them")
    add("--mark", default="", help="prefix of planted values in all texts")
    add("--settings", default="", help="a JSON file of further settings")
    add("--faults", default="", help="a JSON file with a list of faults")
    return parser


def _day(text: str) -> dt.date:
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        msg = f"expected a day such as 2026-03-31, not {text}"
        raise argparse.ArgumentTypeError(msg) from None


def _count(text: str) -> tuple[str, int]:
    stream, _, number = text.partition("=")
    if stream not in ENDPOINTS or not number.isdecimal():
        msg = f"expected STREAM=N with a stream of {', '.join(ENDPOINTS)}"
        raise argparse.ArgumentTypeError(msg)
    return stream, int(number)


def _load(path: str) -> t.Any:  # noqa: ANN401 - JSON of any kind
    return json.loads(pathlib.Path(path).read_text(encoding="utf-8"))


def _settings(asked: argparse.Namespace) -> Settings:
    rate = Changes(
        updates=asked.updates,
        inserts=asked.inserts,
        deletions=asked.deletions,
        streams=tuple(asked.changing),
    )
    settings = Settings(
        list_base_seconds=asked.list_base_seconds,
        list_record_seconds=asked.list_record_seconds,
        list_sigma=asked.list_sigma,
        hourly_limit=asked.hourly_limit or None,
        burst_limit=asked.burst_limit or None,
        odd=asked.odd,
        mark=asked.mark,
        changes_per_second=rate if rate != Changes(streams=rate.streams) else None,
        plain_order=asked.plain_order,
        plain_paging=asked.plain_paging,
        archived=asked.archived,
        replica_lag=asked.replica_lag,
    )
    return settings.with_changes(_load(asked.settings)) if asked.settings else settings


def _greeting(url: str, settings: Settings) -> str:
    app = settings.apps[0]
    return (
        f"drchrono-sandbox listening on {url}\n"
        "\n"
        "Point the tap at it:\n"
        f"  export TAP_DRCHRONO_API_URL={url}\n"
        f"  export TAP_DRCHRONO_CLIENT_ID={app.client_id}\n"
        f"  export TAP_DRCHRONO_CLIENT_SECRET={app.client_secret}\n"
        f"  export TAP_DRCHRONO_REFRESH_TOKEN={settings.mark}{REFRESH_TOKEN}\n"
        "or, instead of the last three:\n"
        f"  export TAP_DRCHRONO_ACCESS_TOKEN={settings.mark}{ACCESS_TOKEN}\n"
        "\n"
        f"Its source of truth: {url}/sandbox/streams. Stop it with Ctrl-C.\n"
    )


if __name__ == "__main__":
    sys.exit(main())
