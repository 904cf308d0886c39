"""Questions before a sync: is everything in order, and what would it cost?

Both ask for the smallest possible list of each bulk stream. Plain lists tell no count:
what a sync would cost is what it cost the last time.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import logging
import textwrap
import typing as t
from collections import deque

import click

from tap_drchrono.advice import authorize_command
from tap_drchrono.errors import CredentialsError, RefusedError, StreamError
from tap_drchrono.lists.jobs import Fetch, Frame, Job, Purpose, Status, Submit, Wanted
from tap_drchrono.lists.polling import explore
from tap_drchrono.lists.windows import Window
from tap_drchrono.run_log.estimate import Allowance
from tap_drchrono.run_log.outlook import WIDTH, Work, told
from tap_drchrono.streams.bulk import BulkListStream
from tap_drchrono.streams.plain import PlainStream

if t.TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tap_drchrono.engine import Engine
    from tap_drchrono.streams.catalogue import AnyStream

logger = logging.getLogger("tap-drchrono")

_LOOK_AFTER = 4.0
"""Seconds after which the smallest list is usually ready."""
_MOST_LOOKS = 8
_PAGE_SECONDS = 30.0
"""Seconds that a full page is taken to need; DrChrono publishes no figure."""
_VERDICT = 8
"""Columns of the word before what was found of a stream."""
_OVERLAP = 1.06
"""Pages read for each page of records, as windows overlap."""


class Size(t.NamedTuple):
    """What a stream would cost.

    Attributes:
        stream: Its name.
        records: Records to read, or None if that could not be learned.
        pages: Pages to read.
        requests: Requests for them.
        problem: Why the size is not known.
        or_more: Whether these are the least that there can be.
    """

    stream: str
    records: int | None
    pages: int = 0
    requests: int = 0
    problem: str | None = None
    or_more: bool = False


def _ask(stream: BulkListStream) -> Job:
    """Submit the smallest list of a stream.

    Raises:
        StreamError: If DrChrono refuses it.
    """
    source = stream.source()
    frame = Frame(source.since)
    pending = Job(Wanted(source, frame, Window(1, 1), Purpose.COUNT))
    answer = stream.ask(Submit(pending, 1)).value
    if not answer.uuid:
        msg = f"{stream.name}: DrChrono could not generate a list ({answer.word})."
        raise StreamError(msg)
    pending.submitted(answer.uuid, stream.engine.clock.now())
    return pending


def _count(stream: BulkListStream, pending: Job) -> int:
    """Fetch the smallest list of a stream, and return the count that it tells.

    Raises:
        StreamError: If it does not become ready.
    """
    age = _LOOK_AFTER
    word = ""
    for look in range(_MOST_LOOKS):
        answer = stream.ask(Fetch(pending, look, pending.submitted_at + age)).value
        word = answer.word
        if answer.status is Status.COMPLETE:
            count = answer.claims.count
            return len(answer.records) if count is None else count
        if answer.status is not Status.IN_PROGRESS:
            break
        age = explore(stream.engine.clock.now() - pending.submitted_at)
    msg = f"{stream.name}: the list that tells the count is not ready ({word})."
    raise StreamError(msg)


def measure(streams: Sequence[AnyStream]) -> list[Size]:
    """Ask for the size of each bulk stream, with one POST and one GET.

    Args:
        streams: The streams; with a state, what the next sync would read.

    Returns:
        The sizes, in the order of the sync.
    """
    pending: deque[tuple[BulkListStream, Job]] = deque()
    sizes: dict[str, Size] = {}

    def count_first() -> None:
        stream, job = pending.popleft()
        try:
            sizes[stream.name] = _size(stream, _count(stream, job))
        except StreamError as error:
            sizes[stream.name] = Size(stream.name, None, problem=str(error))

    for stream in _bulk(streams):
        if len(pending) >= stream.engine.budget.max_pending:
            count_first()
        try:
            pending.append((stream, _ask(stream)))
        except StreamError as error:
            sizes[stream.name] = Size(stream.name, None, problem=str(error))
    while pending:
        count_first()
    return [
        _size_of_plain(stream)
        if isinstance(stream, PlainStream)
        else sizes[stream.name]
        for stream in streams
    ]


def _bulk(streams: Sequence[AnyStream]) -> list[BulkListStream]:
    """Choose the bulk streams."""
    return [stream for stream in streams if isinstance(stream, BulkListStream)]


def _size_of_plain(stream: PlainStream) -> Size:
    """Say what a list that tells no count cost the last time."""
    pages = stream.expected_pages
    if pages is None:
        return Size(stream.name, None, 1, 1, or_more=True)
    return Size(stream.name, None, pages, pages)


def _size(stream: BulkListStream, records: int) -> Size:
    """Work out pages and requests from a count."""
    full = -(-records // stream.source().max_size)
    pages = max(1, full if full < 2 else round(full * _OVERLAP))  # noqa: PLR2004
    return Size(stream.name, records, pages, 2 * pages)


def show(
    streams: Sequence[AnyStream],
    engine: Engine,
    *,
    at_once: int,
    output_format: str | None,
) -> int:
    """Print what a sync would cost.

    Args:
        streams: The selected streams, in the order of the sync.
        engine: What they share.
        at_once: Lists generated at once.
        output_format: `json`, or anything else for a table.

    Returns:
        The exit status: 1 if the size of a stream is not known.

    Raises:
        CredentialsError: If no stream takes the access token.
    """
    sizes = measure(streams)
    is_known = not any(size.problem for size in sizes)
    if not is_known and (doubt := engine.authenticator.doubt):
        raise CredentialsError(doubt)
    bulk = {stream.name for stream in _bulk(streams)}
    lists = sum(size.pages for size in sizes if size.stream in bulk)
    requests = sum(size.requests for size in sizes)
    work = Work(requests, lists, at_once, _PAGE_SECONDS)
    allowance = Allowance.of(engine.quota, engine.clock.now())
    if output_format == "json":
        seconds = work.seconds(allowance)
        total = {
            "records": sum(size.records or 0 for size in sizes),
            "pages": sum(size.pages for size in sizes),
            "requests": requests,
            "seconds": round(seconds) if is_known else None,
            "hourly_limit": allowance.limit,
            "used_this_hour": allowance.used,
            "ends_at": _utc(allowance.now + seconds) if is_known else None,
        }
        found = {"streams": [size._asdict() for size in sizes], "total": total}
        click.echo(json.dumps(found, indent=2))
    else:
        for line in _table(sizes):
            click.echo(line)
        for line in told(work, allowance) if is_known else ():
            click.echo(line)
    for size in sizes:
        if size.problem:
            logger.error(size.problem)
    return int(any(size.problem for size in sizes))


def _table(sizes: Sequence[Size]) -> Iterator[str]:
    """Write what streams would cost, and what marks in it mean."""
    yield _row("stream", "records", "pages", "requests")
    for size in sizes:
        more = "+" if size.or_more else ""
        if size.problem:
            yield _row(size.stream, "?", "?", "?")
        else:
            records = "-" if size.records is None else f"{size.records:,}"
            pages, requests = f"{size.pages:,}{more}", f"{size.requests:,}{more}"
            yield _row(size.stream, records, pages, requests)
    unknown = "+" if any(size.problem for size in sizes) else ""
    more = unknown or ("+" if any(size.or_more for size in sizes) else "")
    yield _row(
        "all",
        f"{sum(size.records or 0 for size in sizes):,}{unknown}",
        f"{sum(size.pages for size in sizes):,}{more}",
        f"{sum(size.requests for size in sizes):,}{more}",
    )
    if any(size.or_more for size in sizes):
        yield "+: or more. The list tells no count, and was never read whole."
    if unknown:
        yield "?: not known, and so is when a sync would end. The log says why."


def _row(stream: str, records: str, pages: str, requests: str) -> str:
    return f"{stream:<28}{records:>12}{pages:>8}{requests:>10}"


def test(streams: Sequence[AnyStream], engine: Engine) -> int:
    """Say whether the credentials, the connection and each stream are good.

    Args:
        streams: The selected streams.
        engine: What they share.

    Returns:
        The exit status: 1 if anything is not good.

    Raises:
        CredentialsError: If no stream takes the access token.
    """
    engine.api.hurry()
    good = True
    without: list[str] = []
    pending: deque[tuple[BulkListStream, Job]] = deque()
    for stream in streams:
        optional = isinstance(stream, PlainStream) and stream.offered
        try:
            if isinstance(stream, PlainStream):
                stream.probe()
            elif isinstance(stream, BulkListStream):
                if len(pending) >= engine.budget.max_pending:
                    with contextlib.suppress(StreamError):
                        _count(*pending.popleft())
                pending.append((stream, _ask(stream)))
        except StreamError as error:
            spared = optional and isinstance(error, RefusedError)
            good = good and spared
            without.append(stream.name)
            _say("refused" if spared else "FAILED", str(error))
            continue
        granted = engine.authenticator.scope
        if scopes := stream.endpoint().lacks(granted):
            good = good and optional
            without.append(stream.name)
            _say(
                "lacking" if optional else "FAILED",
                f"{stream.name}: the authorization lacks the scopes "
                f"{', '.join(sorted(scopes))}. Run {authorize_command()}.",
            )
        else:
            known = "" if granted else " (its scopes are not known)"
            _say("good", f"{stream.name}{known}")
    if streams and (doubt := engine.authenticator.doubt):
        raise CredentialsError(doubt)
    if not good:
        end = "but not every stream can be read."
    elif without:
        end = (
            "and a sync can run. It goes on without what is refused or lacking: "
            f"{', '.join(without)}."
        )
    else:
        end = "and all selected streams can be read."
    click.echo(_wrapped(f"Credentials and connection are good, {end}"))
    return int(not good)


def _say(verdict: str, text: str) -> None:
    """Print what was found of a stream, with what follows the first line indented."""
    click.echo(_wrapped(f"{verdict:<{_VERDICT}}{text}", " " * _VERDICT))


def _wrapped(text: str, indent: str = "") -> str:
    """Break what a person reads into lines, without breaking a word."""
    return textwrap.fill(
        text,
        WIDTH,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _utc(moment: float) -> str:
    """Write a time as ISO 8601."""
    return dt.datetime.fromtimestamp(round(moment), dt.UTC).isoformat()
