"""A bulk list: POST, look until it is ready, GET."""

from __future__ import annotations

import typing as t
from uuid import UUID

from singer_sdk.streams.rest import HTTPRequest, PageContext
from typing_extensions import override

from tap_drchrono import timestamps
from tap_drchrono.api.ask import Answered
from tap_drchrono.api.retries import may_have_taken_effect
from tap_drchrono.endpoints import Group
from tap_drchrono.errors import StreamError
from tap_drchrono.lists.answers import interpret
from tap_drchrono.lists.jobs import Answer, ListEndpoint, Order, Status, Submit, Token
from tap_drchrono.lists.paginator import BulkListPaginator
from tap_drchrono.run_log.progress import Standing
from tap_drchrono.streams.base import DrChronoStream, Turn

if t.TYPE_CHECKING:
    from collections.abc import Mapping

    from tap_drchrono.pages import Outcome
    from tap_drchrono.streams.base import Paginator

_SOON = 1.0
"""Seconds after which room is looked for again."""


class BulkListStream(DrChronoStream[Token, Answer]):
    """A bulk list endpoint of DrChrono, read incrementally by `updated_at`."""

    path_form = "/api/{}_list"
    group = Group.BULK
    offered = True
    turn = Turn.BULK
    replication_key = "updated_at"

    max_page_size: t.ClassVar[int] = 1000
    """Records a page at most, as DrChrono documents for the endpoint."""
    steady_order: t.ClassVar[Order] = Order.ID
    """The order, beside `updated_at`, that DrChrono offers for the endpoint."""
    includes: t.ClassVar[Mapping[str, str]] = {}
    """Parameters sent as `true` while the setting that they are mapped to is on."""

    def source(self) -> ListEndpoint:
        """Say what is read, and from which day on."""
        since, resumed = self.first_day()
        includes = {**self.includes, "verbose": "verbose"}
        return ListEndpoint(
            self.endpoint(),
            min(self.config.get("page_size") or self.max_page_size, self.max_page_size),
            since,
            not resumed,
            self.config["list_timeout"],
            self.steady_order,
            self.stored_bookmark,
            {name: "true" for name, on in includes.items() if self.config[on]},
            self.config["lookback_days"],
            self.noted_shortage,
        )

    @override
    def get_new_paginator(self) -> BulkListPaginator:
        return BulkListPaginator(
            self.source(), self.engine.budget, self.engine.clock, self.logger
        )

    @override
    def get_http_request(self, *, page: PageContext[Token]) -> HTTPRequest:
        """Turn a page token into a POST or a GET."""
        token = t.cast("Token", page.next_page_token)
        job = token.list
        url = self.url_base + job.wanted.source.endpoint.path
        if not isinstance(token, Submit):
            return HTTPRequest(url, "GET", {"uuid": job.uuid})
        wanted = job.wanted
        params: dict[str, t.Any] = {
            "since": wanted.frame.since.isoformat(),
            "order_by": wanted.frame.order.value,
            "page": wanted.window.page,
            "page_size": wanted.window.size,
            **wanted.source.flags,
        }
        return HTTPRequest(url, "POST", params)

    @override
    def ask(self, token: Token) -> Answered[Answer]:
        """Ask for what a token says, when it is due.

        A list asked for ahead, for a stream whose turn will come, is no reason to
        wait, or to fail: its own stream will ask again.
        """
        if token.list.answer:
            return Answered(None, token.list.answer)
        self.engine.progress.wait_until(token.at)
        if isinstance(token, Submit):
            token.list.submitted_at = self.engine.clock.now()
        if token.list.wanted.stream != self.name:
            return self._ask_ahead(token)
        request = self.get_http_request(page=PageContext(None, token))
        return self.engine.api.ask(
            self.endpoint(),
            request,
            lambda found: interpret(token, found),
            again=lambda error: self._before_another_try(token, error),
        )

    def _before_another_try(self, token: Token, error: Exception) -> None:
        """Wait for room, where a POST may have begun a list that nobody can fetch."""
        budget = self.engine.budget
        if isinstance(token, Submit) and may_have_taken_effect(error):
            budget.lose(token.list)
            while not budget.has_room(urgent=True):
                soon = self.engine.clock.now() + _SOON
                self.engine.progress.wait_until(max(budget.room_from(), soon))
            budget.submitting(token.list)

    def _ask_ahead(self, token: Token) -> Answered[Answer]:
        """Ask for a list that a stream will want later."""
        request = self.get_http_request(page=PageContext(None, token))
        try:
            return self.engine.api.ask(
                token.list.wanted.source.endpoint,
                request,
                lambda found: interpret(token, found),
                tries=1,
            )
        except StreamError:
            return Answered(None, Answer(Status.REFUSED))

    def submit_ahead(self) -> None:
        """Submit the first lists of the bulk streams, as far as there is room."""
        budget = self.engine.budget
        while job := budget.next_ahead(self.name):
            budget.submitting(job)
            answer = self._ask_ahead(Submit(job, 1)).value
            budget.submitted(job, answer)
            if answer.status is not Status.IN_PROGRESS:
                return

    @override
    def aim(self) -> str:
        since = self.source().since
        if since == timestamps.EVERYTHING:
            return super().aim()
        return f"reading what changed since {since}"

    @override
    def ping(self) -> HTTPRequest:
        """Return a request for a list that nobody submitted."""
        return HTTPRequest(self.url_base + self.path, "GET", {"uuid": str(UUID(int=0))})

    @override
    def standing(self, paginator: Paginator[Token, Answer]) -> Standing:
        reading = t.cast("BulkListPaginator", paginator)
        # Records of a page that is going out have been read, and are not out yet;
        # records that moved while they were read went out twice. A list that waits for
        # room is counted as if it were being generated.
        return Standing(
            min(self.records, reading.position),
            reading.total,
            min(reading.pending, self.config["max_pending_lists"]),
            reading.pages,
        )

    @override
    def reached_end(self, outcome: Outcome) -> None:
        if not outcome.records and self.stored_bookmark is None:
            self.logger.warning(
                "%s: no records. If there should be some, check that the authorization "
                "has the scopes %s: DrChrono may leave out records without an error.",
                self.name,
                ", ".join(sorted(self.scopes)),
            )
