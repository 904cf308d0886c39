"""The loop: how the pages of a stream are asked for, and what goes out for each."""

from __future__ import annotations

import abc
import datetime as dt
import enum
import logging
import typing as t

from singer_sdk.schema.source import StreamSchema
from singer_sdk.streams.rest import HTTPRequest
from typing_extensions import override

from tap_drchrono import words
from tap_drchrono.endpoints import Endpoint, Group
from tap_drchrono.records.rows import Rows, mapped_fields
from tap_drchrono.records.sinks import BatchFiles, RecordLines
from tap_drchrono.run_log.progress import Standing
from tap_drchrono.run_log.summary import Row, Tally
from tap_drchrono.schema_files import SCHEMAS
from tap_drchrono.streams.stateful import StatefulStream

if t.TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator, Mapping

    import requests
    from singer_sdk import Tap
    from singer_sdk.helpers import types
    from singer_sdk.helpers._batch import BatchConfig

    from tap_drchrono.api.ask import Answered
    from tap_drchrono.engine import Engine
    from tap_drchrono.pages import Outcome, Page
    from tap_drchrono.records.sinks import Sink

Token = t.TypeVar("Token")
Token_co = t.TypeVar("Token_co", covariant=True)
Value = t.TypeVar("Value")
Value_contra = t.TypeVar("Value_contra", contravariant=True)


REFUSED = "refused"
"""The word for a stream that nobody asked for and that DrChrono refuses."""


class Turn(enum.IntEnum):
    """When a stream is read, within a sync."""

    WHILE_LISTS_ARE_GENERATED = 1
    BULK = 2
    AFTER_BULK = 3


class Paginator(t.Protocol[Token_co, Value_contra]):
    """What the loop needs of a paginator, beside the SDK's own face of it."""

    @property
    def finished(self) -> bool:
        """Whether there is nothing more to ask."""

    @property
    def current_value(self) -> Token_co:
        """What to ask next."""

    def page(self, answer: Value_contra) -> Page | None:
        """Take in the answer to the current token.

        Args:
            answer: The answer, read.

        Returns:
            The records that it proves to be next; None where it proves none.
        """

    def advance(self, response: requests.Response) -> None:
        """Go on to the next token."""

    def outcome(self) -> Outcome:
        """Say what the read came to so far."""


class DrChronoStream(StatefulStream[Token], abc.ABC, t.Generic[Token, Value]):
    """A list endpoint of DrChrono, and all that is known of it.

    The SDK asks for plain attributes, so a stream declares its facts as such.
    """

    schema: t.ClassVar[StreamSchema] = StreamSchema(SCHEMAS)
    primary_keys: t.ClassVar[tuple[str, ...]] = ("id",)
    path_form: t.ClassVar[str]
    """The path, with the stream's name in it."""

    group: t.ClassVar[Group]
    """What it is about."""
    offered: t.ClassVar[bool]
    """Whether discovery offers it without being asked to."""
    turn: t.ClassVar[Turn]
    """When it is read."""
    scopes: t.ClassVar[frozenset[str]] = frozenset()
    """Read scopes that the endpoint needs."""
    permissions: t.ClassVar[tuple[str, ...]] = ()
    """Permissions in DrChrono that the authorizing user needs."""
    sharing: t.ClassVar[tuple[str, ...]] = ()
    """Flags of the practice that let a user see other providers' records."""
    joins: t.ClassVar[Mapping[str, str]] = {}
    """By column, dotted where it is nested, the stream whose key it holds."""
    drops_rows: t.ClassVar[bool] = True
    """Whether a target may drop the rows that are gone once the stream was read whole.
    Not where other tables still refer to them."""

    def __init_subclass__(cls) -> None:
        """Derive the path from the name."""
        super().__init_subclass__()
        if name := vars(cls).get("name"):
            cls.path = cls.path_form.format(name)

    def __init__(self, tap: Tap, engine: Engine) -> None:
        """Initialize the stream.

        Args:
            tap: The tap.
            engine: What the streams of a sync share.
        """
        super().__init__(tap)
        self.engine = engine
        self.records = 0
        self.tally: Tally | None = None
        self._trouble = "not read"
        self._why = ""
        self._warned: set[str] = set()

    @classmethod
    def endpoint(cls) -> Endpoint:
        """Return what other rooms know of the stream."""
        # The SDK declares for instances what a stream's class holds.
        declared: t.Any = cls
        return Endpoint(
            stream=declared.name,
            path=declared.path,
            key=declared.primary_keys[0],
            replication_key=declared.replication_key,
            group=cls.group,
            offered=cls.offered,
            scopes=cls.scopes,
            permissions=cls.permissions,
            sharing=cls.sharing,
            joins=cls.joins,
        )

    @property
    def is_asked_for(self) -> bool:
        """Whether somebody wants it, rather than that it came with the others."""
        return self.group is Group.BULK or not self.offered

    @property
    def begins_at_start_date(self) -> bool:
        """Whether this run reads from the setting `start_date` on."""
        return self.stored_bookmark is None

    # The loop

    def pages(self, paginator: Paginator[Token, Value]) -> Iterator[Page]:
        """Read the stream.

        Args:
            paginator: Says what to ask, and what an answer proves.

        Yields:
            Its pages, in order.
        """
        while not paginator.finished:
            answered = self.ask(paginator.current_value)
            if page := paginator.page(answered.value):
                yield page
            # The paginators decide by what they were told in `page`.
            paginator.advance(t.cast("requests.Response", answered.response))

    @abc.abstractmethod
    def ask(self, token: Token) -> Answered[Value]:
        """Ask for what a token says.

        Args:
            token: The page token.

        Returns:
            The answer, read.
        """

    def ping(self) -> HTTPRequest:
        """Return a request for the endpoint that changes nothing.

        Any answer to it tells that DrChrono is not out of service.
        """
        return HTTPRequest(self.url_base + self.path, "GET", {"page_size": 1})

    def _emit(self, sink: Sink) -> None:
        """Read the stream, and put out each page with the state that covers it."""
        clock, progress = self.engine.clock, self.engine.progress
        started = clock.now()
        self._trouble = "stopped"
        self.records = 0
        self.logger.info("%s: %s.", progress.place(self.name), self.aim())
        paginator = t.cast("Paginator[Token, Value]", self.get_new_paginator())
        rows = Rows(
            self.name,
            self.schema,
            mask=self.mask,
            withheld=mapped_fields(self.config.get("stream_maps"), self.name),
            maps=self.stream_maps,
            warn=self.warn_once,
        )
        covered = self.stored_bookmark
        progress.begin(self.name, lambda: self.standing(paginator))
        try:
            with self.get_record_counter() as counter, self.get_sync_timer():
                for page in self.pages(paginator):
                    if page.before != covered:
                        sink.flush(last=True)
                        self._claim(page.before)
                    extracted_at = dt.datetime.fromtimestamp(clock.now(), dt.UTC)
                    for record in page.records:
                        self._check_max_record_limit(current_record_index=self.records)
                        clock.check()
                        sink.put(rows.of(record), extracted_at)
                        self.records = rows.count
                        progress.show_if_due()
                    counter.increment(len(page.records))
                    covered = page.after
                    if sink.flush():
                        self._claim(covered)
                    progress.page_sent()
                sink.flush(last=True)
                if paginator.outcome().whole:
                    if not self._lacks_scopes():
                        sink.complete()
                    self.reached_end(paginator.outcome())
                self._note(paginator.outcome().shortage)
                self._claim(paginator.outcome().bookmark)
                self._trouble = "warned" if self._warned else ""
        finally:
            progress.end()
            self._count_up(paginator.outcome(), clock.now() - started)

    def aim(self) -> str:
        """Say what is read, for the line at the start."""
        return "reading everything"

    def standing(self, paginator: Paginator[Token, Value]) -> Standing:
        """Say how far the reading has come.

        Args:
            paginator: The paginator.
        """
        return Standing(self.records, pages=paginator.outcome().pages)

    def reached_end(self, outcome: Outcome) -> None:
        """Note that the stream was read to its end.

        Args:
            outcome: What the read came to.
        """

    def _count_up(self, outcome: Outcome, seconds: float) -> None:
        """Note what the stream cost, and say what was done twice."""
        tally = Tally(self.records, outcome.pages, seconds)
        self.tally = self.tally.plus(tally) if self.tally else tally
        if outcome.resubmitted or outcome.reread:
            self.logger.info(
                "%s: %s asked for again, %s read again because records moved.",
                self.name,
                words.counted(outcome.resubmitted, "list"),
                words.counted(outcome.reread, "page"),
            )

    def troubled(self, word: str, why: str) -> None:
        """Note for the table at the end what became of the stream.

        Args:
            word: What went wrong, in a word; nothing, if there was no need to read it.
            why: The reason, in a sentence.
        """
        self._trouble, self._why = word, why

    @property
    def is_refused(self) -> bool:
        """Whether nobody asked for it, and DrChrono refuses it."""
        return self._trouble == REFUSED

    def row(self) -> Row:
        """Return the stream's row of the table at the end."""
        bookmark = self.stream_state.get("replication_key_value")
        return Row(
            self.name,
            self.tally,
            self.engine.api.requests[self.name],
            str(bookmark) if bookmark else None,
            self._trouble,
            self._why,
        )

    def warn_once(self, message: str) -> None:
        """Log a warning unless this stream gave it already.

        Args:
            message: The warning, without a value of a record.
        """
        if message not in self._warned:
            self._warned.add(message)
            self.logger.warning("%s: %s", self.name, message)

    # What the SDK calls

    @override
    def request_records(
        self, context: types.Context | None
    ) -> Iterable[dict[str, t.Any]]:
        paginator = t.cast("Paginator[Token, Value]", self.get_new_paginator())
        for page in self.pages(paginator):
            yield from page.records

    @override
    def _sync_records(
        self, context: types.Context | None = None, *, write_messages: bool = True
    ) -> Generator[dict[str, t.Any], t.Any, t.Any]:
        """Write RECORD messages; nothing is left to yield."""
        self._emit(RecordLines(self._tap.write_message, self._version()))
        yield from ()

    def _version(self) -> int | None:
        """Return the version under which the rows of this run go out, if any.

        It is in whole seconds, as the SDK has it: targets keep it in 32 bits.
        """
        wanted = self.config.get("emit_activate_version_messages")
        if wanted and self.drops_rows and self.reads_whole:
            return int(self.engine.clock.now())
        return None

    def _lacks_scopes(self) -> bool:
        """Whether DrChrono may have left out records without a word."""
        return bool(self.endpoint().lacks(self.engine.authenticator.scope))

    @property
    def reads_whole(self) -> bool:
        """Whether a run reads all that there is, and puts all of it out."""
        return not self.incremental

    @property
    @override
    def emit_activate_version_messages(self) -> bool:
        """Whether the SDK writes ACTIVATE_VERSION: before the first record, so never.

        The loop does, after the last one.
        """
        return False

    @override
    def _sync_batches(
        self, batch_config: BatchConfig, context: types.Context | None = None
    ) -> None:
        """Write BATCH messages."""
        with self.get_batch_counter() as counter:
            self._emit(
                BatchFiles(
                    self._tap.write_message, counter, batch_config, self.tap_name
                )
            )

    @property
    @override
    def url_base(self) -> str:
        return str(self.config["api_url"]).rstrip("/")

    @property
    @override
    def authenticator(self) -> requests.auth.AuthBase:
        return self.engine.authenticator

    @override
    def log(
        self,
        message: str,
        *args: t.Any,
        level: int = logging.INFO,
        **kwargs: t.Any,
    ) -> None:
        """Log what the SDK says, but for lines that a better one of ours goes with."""
        if not message.startswith(("An unhandled error occurred", "Beginning sync")):
            super().log(message, *args, level=level, **kwargs)
