"""A plain list: a GET a page, read whole or from the bookmark on."""

from __future__ import annotations

import datetime as dt
import typing as t
from functools import cached_property
from urllib.parse import urlsplit

from singer_sdk.streams.rest import HTTPRequest, PageContext
from typing_extensions import override

from tap_drchrono import timestamps, words
from tap_drchrono.api.headers import server_time
from tap_drchrono.endpoints import Group
from tap_drchrono.plain_lists.answers import (
    Ask,
    ParametersRefusedError,
    PlainAnswer,
    interpret,
)
from tap_drchrono.plain_lists.paginator import PlainPaginator, PlainSource
from tap_drchrono.streams.base import DrChronoStream, Turn

if t.TYPE_CHECKING:
    import requests

    from tap_drchrono.api.ask import Answered
    from tap_drchrono.pages import Outcome
    from tap_drchrono.records.sinks import Sink

_PAGE_SIZE = 250
_VERBOSE_PAGE_SIZE = 50
"""Records a page at most, as DrChrono documents for all plain lists."""
_READ_AT = "read_at"
"""Where the state notes when a reference list was last read whole."""
_TIMES = ("updated_at", "created_at")
"""Fields that can tell when a record changed."""


class PlainStream(DrChronoStream[Ask, PlainAnswer]):
    """A plain list endpoint of DrChrono: a companion of the bulk lists.

    With `since` it is read from the bookmark on, else whole.
    """

    path_form = "/api/{}"
    offered = False
    turn = Turn.WHILE_LISTS_ARE_GENERATED
    replication_key: str | None = None

    since: t.ClassVar[str | None] = None
    """The parameter that bounds the time of change from below, if there is one."""
    archived: t.ClassVar[bool] = False
    """Whether records can be archived; they are asked for."""
    verbose: t.ClassVar[bool] = False
    """Whether verbose fields are worth pages of a fifth of the size."""
    sized: t.ClassVar[bool] = True
    """Whether `page_size` is documented."""

    _refused: frozenset[str] = frozenset()
    """Parameters that DrChrono refused in this run."""

    def source(self) -> PlainSource:
        """Say what is read, and from which day on."""
        day, resumed = self.first_day()
        asked: dict[str, str] = {}
        if self.since and day > timestamps.EVERYTHING:
            asked[self.since] = day.isoformat()
        verbose = self.verbose and self.config["verbose"]
        if verbose:
            asked["verbose"] = "true"
        if self.archived:
            asked["show_archived"] = "true"
        if self.sized:
            most = _VERBOSE_PAGE_SIZE if verbose else _PAGE_SIZE
            asked["page_size"] = str(min(self.config.get("page_size") or most, most))
        return PlainSource(
            self.endpoint(),
            {self.path, urlsplit(self.url_base).path + self.path},
            asked,
            self.replication_key if self.replication_key in _TIMES else None,
            self.stored_bookmark,
            day if resumed and not self.since and not self._version() else None,
        )

    @property
    @override
    def begins_at_start_date(self) -> bool:
        return self.since is not None and super().begins_at_start_date

    @cached_property
    @override
    def covered_from(self) -> dt.date | None:
        # Without `since` a list is read whole, whatever start_date says.
        return super().covered_from if self.since else None

    @property
    @override
    def reads_whole(self) -> bool:
        return self.since is None or not self.incremental

    @override
    def get_new_paginator(self) -> PlainPaginator:
        return PlainPaginator(self.source(), self.warn_once)

    @override
    def get_http_request(self, *, page: PageContext[Ask]) -> HTTPRequest:
        """Turn a page token into a GET."""
        params: dict[str, t.Any] = {}
        for name, value in t.cast("Ask", page.next_page_token).parameters:
            params.setdefault(name, []).append(value)
        return HTTPRequest(self.url_base + self.path, "GET", params)

    @override
    def ask(self, token: Ask) -> Answered[PlainAnswer]:
        """Ask for a page; where parameters are refused, without them."""
        asked = token.leaving_out(self._refused)
        while True:
            try:
                answered = self._ask(asked)
            except ParametersRefusedError as refused:
                asked = refused.instead
                continue
            self._refused = token.names - asked.names
            for name in sorted(self._refused):
                self.warn_once(
                    f"DrChrono refuses the parameter {name} for {self.path}, so the "
                    "list is read without it."
                )
            return answered

    def _ask(self, token: Ask) -> Answered[PlainAnswer]:
        """Ask for a page, in one way."""
        endpoint = self.endpoint()

        def read(response: requests.Response) -> PlainAnswer:
            at = server_time(response.headers)
            now = self.engine.clock.now() if at is None else at
            return interpret(endpoint, token, response, now)

        request = self.get_http_request(page=PageContext(None, token))
        return self.engine.api.ask(endpoint, request, read)

    def probe(self) -> None:
        """Ask for as little as possible, to see whether the list can be read.

        Raises:
            RefusedError: If it is not there for this authorization.
            StreamError: If it cannot be read.
        """
        asked = dict(self.source().parameters)
        if self.sized:
            asked["page_size"] = "1"
        self.ask(Ask(tuple(sorted(asked.items()))))

    @property
    def expected_pages(self) -> int | None:
        """Pages that it had when it was last read whole; None if it never was."""
        pages = self.stream_state.get("pages")
        return pages if type(pages) is int and pages > 0 else None

    @override
    def aim(self) -> str:
        since = self.since and dict(self.source().parameters).get(self.since)
        return f"reading what changed since {since}" if since else super().aim()

    @override
    def reached_end(self, outcome: Outcome) -> None:
        """Keep how many pages the list has, for `--plan`."""
        if outcome.twice:
            self.logger.info(
                "%s: %s came twice, since the list moved while it was read; its key "
                "makes each one row.",
                self.name,
                words.counted(outcome.twice, "record"),
            )
        if self.since is None or self.stored_bookmark is None:
            self.stream_state["pages"] = outcome.pages


class ReferenceStream(PlainStream):
    """A list of names behind ids: short, slow to change, and read whole.

    Rows that are no longer listed stay in the warehouse, since old facts point to them.
    """

    group = Group.REFERENCE
    offered = True
    drops_rows = False

    @property
    def is_fresh(self) -> bool:
        """Whether it was read whole within `reference_max_age_hours`."""
        read_at = timestamps.parse(self.stream_state.get(_READ_AT))
        if read_at is None:
            return False
        age = self.engine.clock.now() - read_at.replace(tzinfo=dt.UTC).timestamp()
        return 0 <= age < float(self.config["reference_max_age_hours"]) * 3600

    @override
    def begin(self) -> None:
        super().begin()
        # Left out, it would keep what an older state says, once Meltano merges them.
        self.stream_state.setdefault(_READ_AT, None)

    @property
    @override
    def expected_pages(self) -> int | None:
        return 0 if self.is_fresh else super().expected_pages

    @override
    def _emit(self, sink: Sink) -> None:
        if self.is_fresh:
            self.logger.info(
                "%s: not read, since it was within the last %s "
                "(reference_max_age_hours).",
                self.name,
                words.counted(self.config["reference_max_age_hours"], "hour"),
            )
            self.troubled("", "")
            return
        super()._emit(sink)

    @override
    def reached_end(self, outcome: Outcome) -> None:
        super().reached_end(outcome)
        # One that is empty may be so for want of a scope, without a word.
        if outcome.started is not None and self.records:
            read_at = dt.datetime.fromtimestamp(int(outcome.started), dt.UTC)
            self.stream_state[_READ_AT] = read_at.isoformat()
