"""`--report`: the order of the questions, and what is kept if they end early."""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import re
import typing as t

import click

from tap_drchrono.bookmarks import utc_day, utc_moment
from tap_drchrono.errors import Stopped, StreamError, TapDrchronoError
from tap_drchrono.first_run import questions, readings
from tap_drchrono.first_run.asking import (
    MOST_REQUESTS,
    NotAskedError,
    Questioner,
)
from tap_drchrono.first_run.findings import Field, Finding, Report, left_out
from tap_drchrono.first_run.lists import query, read_all
from tap_drchrono.first_run.page import as_json, as_page
from tap_drchrono.schema_files import SCHEMAS
from tap_drchrono.words import counted

if t.TYPE_CHECKING:
    import logging
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from tap_drchrono.endpoints import Endpoint
    from tap_drchrono.engine import Engine
    from tap_drchrono.first_run.lists import List

PAGE, JSON = "drchrono-report.md", "drchrono-report.json"

_LATER = 70 * 60
"""Seconds after which a list is asked for again: it should be kept for an hour."""
_A_DAY = frozenset({"appointments", "patients", "line_items", "transactions"})
"""Streams of which a day's changes are enough to tell; of the others a month's."""


class _Question(t.NamedTuple):
    """A question, what it takes, and what stays open without it."""

    unknown: str
    requests: int
    needs: frozenset[str]
    ask: Callable[[questions.Ask], Iterator[Finding]]


def _questions(offered: Sequence[str]) -> tuple[_Question, ...]:
    """List the single questions, by how much their answers change."""
    return (
        _Question(
            "Plain lists that can be read",
            len(offered) + 1,
            frozenset(),
            lambda ask: questions.companions(ask, offered),
        ),
        _Question(
            "Whose records the authorization sees",
            1,
            frozenset({"doctors"}),
            questions.sight,
        ),
        _Question(
            "A time without a zone in since",
            1,
            frozenset({"line_items"}),
            questions.naive_time,
        ),
        _Question("An unknown uuid", 2, frozenset(), questions.unknown_uuid),
        _Question(
            "show_inactive on patients_list",
            4,
            frozenset({"patients"}),
            questions.inactive,
        ),
        _Question("The clock of since", 4, frozenset(), questions.since_zone),
        _Question("Page 2 and page 1 again", 3, frozenset(), questions.frozen),
        _Question(
            "order_by=-updated_at", 2, frozenset({"line_items"}), questions.descending
        ),
    )


class _Notes:
    """What is known so far."""

    def __init__(self) -> None:
        self.findings: list[Finding] = []
        self.fields: list[Field] = []
        self.left_out: list[str] = []
        self.lists: list[List] = []
        self.unanswered = 0
        self.status = 0


def make(  # noqa: PLR0913 - what a report takes
    endpoints: Sequence[Endpoint],
    engine: Engine,
    *,
    api_url: str,
    version: str,
    sizes: t.Mapping[str, int],
    output_format: str | None,
    follow_up: bool,
    logger: logging.Logger,
    directory: Path,
) -> int:
    """Ask, and write the report; what is known is written however it ends.

    Args:
        endpoints: Of the selected streams.
        engine: What to ask with.
        api_url: The base URL.
        version: Of the tap.
        sizes: The largest page of each bulk stream, in records.
        output_format: `json` prints the JSON.
        follow_up: Wait more than an hour then, and ask whether a list is still there.
        logger: Says why it ended early.
        directory: Where the files go.

    Returns:
        The exit status.
    """
    asking = Questioner(engine, api_url)
    notes = _Notes()

    def write() -> Report:
        report = Report(
            version,
            utc_day(engine.clock.now()).isoformat(),
            asking.asked,
            MOST_REQUESTS,
            notes.findings,
            notes.fields,
            notes.left_out,
        )
        for name, text in ((PAGE, as_page(report)), (JSON, as_json(report))):
            _write(directory / name, text)
        return report

    try:
        with _ending_well(notes, logger):
            _ask_all(endpoints, engine, asking, notes, sizes)
        if follow_up and not notes.status:
            write()
            logger.info(
                "Wrote %s. Waiting for %d minutes, to ask whether a list is still "
                "there; Ctrl-C ends that.",
                PAGE,
                _LATER // 60,
            )
            with _ending_well(notes, logger), _leaving_out(questions.LATER, notes):
                notes.findings.extend(questions.later(asking, notes.lists, _LATER))
        report = write()
    except OSError as error:
        logger.error(  # noqa: TRY400 - no traceback for a user's mistake
            "The report cannot be written to the current directory (%s). Run it again "
            "where files can be made.",
            error.strerror,
        )
        return 1
    if output_format == "json":
        click.echo(as_json(report), nl=False)
    else:
        click.echo(
            f"Wrote {PAGE} and {JSON}, with {counted(asking.asked, 'request')}. Both "
            "hold no health information: no record, id, name or exact size."
        )
    return notes.status


@contextlib.contextmanager
def _ending_well(notes: _Notes, logger: logging.Logger) -> Iterator[None]:
    """Note why the questions ended early, and keep what is known."""
    try:
        yield
    except Stopped as stop:
        notes.status = 128 + stop.signum
        notes.left_out.append("the rest, as it was stopped")
    except TapDrchronoError as error:
        notes.status = 1
        notes.left_out.append("the rest, as DrChrono did not answer any more")
        logger.error("%s", error)  # noqa: TRY400 - no traceback for a user's mistake


def _ask_all(
    endpoints: Sequence[Endpoint],
    engine: Engine,
    asking: Questioner,
    notes: _Notes,
    sizes: t.Mapping[str, int],
) -> None:
    """Ask what costs nothing, then the lists, then the single questions."""
    granted = engine.authenticator.granted()
    notes.findings.extend(_scopes(endpoints, granted))
    by_name = {endpoint.stream: endpoint for endpoint in endpoints}
    today = utc_day(engine.clock.now())
    bulk = [endpoint for endpoint in endpoints if endpoint.stream in sizes]
    offered = [one.stream for one in endpoints if one.stream not in sizes]
    asks = _questions(offered)
    wanted = [
        (
            endpoint,
            query(
                today - dt.timedelta(1 if endpoint.stream in _A_DAY else 30),
                sizes[endpoint.stream],
                show_archived="true",
            ),
        )
        for endpoint in bulk
    ]
    keep = sum(question.requests for question in asks)
    try:
        try:
            with _leaving_out("The bulk lists", notes):
                for one in read_all(wanted, asking, engine.clock, keep=keep):
                    notes.lists.append(one)
        finally:
            # However it ends: what is known by then is told.
            _tell(notes, utc_moment(engine.clock.now()))
        ready = {one.endpoint.stream: one for one in notes.lists if one.ready}
        usual = max((one.seconds for one in ready.values()), default=0.0)
        ask = questions.Ask(asking, engine.clock, today, by_name, ready, usual)
        for question in asks:
            if not question.needs <= by_name.keys():
                notes.findings.append(left_out(question.unknown, "not selected"))
                continue
            with _leaving_out(question.unknown, notes):
                asking.need(question.requests)
                notes.findings.extend(question.ask(ask))
    finally:
        notes.findings.extend(_limits(asking))
        notes.findings.extend(_headers(asking))


def _tell(notes: _Notes, now: dt.datetime) -> None:
    """Say what the lists tell that were read."""
    for reading in (
        readings.durations,
        readings.envelope,
        readings.keys_and_dates,
        readings.order,
        readings.ids,
        readings.deleted,
        readings.money,
        readings.reasons,
        readings.statuses,
    ):
        notes.findings.extend(reading(notes.lists))
    notes.findings.extend(readings.zones_of(notes.lists, now))
    notes.fields.extend(readings.fields(notes.lists, SCHEMAS.get_schema))


@contextlib.contextmanager
def _leaving_out(unknown: str, notes: _Notes) -> Iterator[None]:
    """Note what could not be asked, and go on with what still can."""
    try:
        yield
    except NotAskedError as error:
        why = str(error)
    except StreamError:
        notes.unanswered += 1
        if notes.unanswered > 1:
            raise
        why = "no answer"
    else:
        notes.unanswered = 0
        return
    notes.findings.append(left_out(unknown, why))
    notes.left_out.append(f"{unknown}: {why}")


def _scopes(
    endpoints: Sequence[Endpoint], granted: frozenset[str] | None
) -> Iterator[Finding]:
    """Say what the authorization is good for."""
    if granted is None:
        yield Finding("Scopes that were granted", "not told")
        return
    lacking = {
        endpoint.stream: scopes
        for endpoint in endpoints
        if (scopes := endpoint.lacks(granted))
    }
    names = ", ".join(sorted({scope for one in lacking.values() for scope in one}))
    answer = f"lacking: {names}" if names else "all that are needed"
    yield Finding(
        "Scopes that were granted",
        answer,
        95,
        f"The authorization lacks {names}, which {', '.join(lacking)} need."
        if names
        else "",
    )


def _limits(asking: Questioner) -> Iterator[Finding]:
    """Say what follows from a 429: others use the same quota."""
    if asking.is_throttled:
        yield Finding(
            "Requests until DrChrono throttled",
            f"{asking.asked} of this run",
            70,
            "DrChrono throttled: others use the quota of the same API application.",
            {
                "hourly_request_limit": (
                    max(asking.limit // 2, 1),
                    "half, as others use the same quota",
                )
            },
        )


_LIMIT_WORDS = ("limit", "quota", "retry", "throttle")
_HEADER = re.compile(r"[a-z]+(-[a-z]+)*(-\d)?", re.ASCII)
_USUAL_HEADERS = frozenset({"date", "content-type", "content-length", "server"})


def _headers(asking: Questioner) -> Iterator[Finding]:
    """Say which headers came, and what the clocks say."""
    limits = sorted(
        name
        for name in asking.headers
        if _HEADER.fullmatch(name) and any(word in name for word in _LIMIT_WORDS)
    )
    yield Finding(
        "Headers that tell of a limit",
        ", ".join(limits) or "none",
        90,
        f"There are headers that tell of a limit: {', '.join(limits)}."
        if limits
        else "",
    )
    others = sorted(
        name
        for name in asking.headers - _USUAL_HEADERS - set(limits)
        if _HEADER.fullmatch(name)
    )
    yield Finding("Other headers", ", ".join(others) or "none", 90)
    if asking.ahead:
        ahead = sorted(asking.ahead)[len(asking.ahead) // 2]
        side = "ahead of" if ahead > 0 else "behind"
        answer = (
            "within a minute of DrChrono's"
            if abs(ahead) < 60  # noqa: PLR2004 - a minute
            else f"{abs(ahead) / 60:.0f} min {side} DrChrono's"
        )
        yield Finding("This machine's clock", answer, 95)


def _write(path: Path, text: str) -> None:
    """Write a file that only its owner can read."""
    path.unlink(missing_ok=True)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
