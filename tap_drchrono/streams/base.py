"""The base stream: its requests, records, bookmark and batches."""

from __future__ import annotations

import datetime as dt
import logging
import typing as t
from functools import cached_property

import requests
from singer_sdk.exceptions import RetriableAPIError
from singer_sdk.pagination import BaseAPIPaginator
from singer_sdk.schema.source import StreamSchema
from singer_sdk.singerlib.catalog import REPLICATION_FULL_TABLE
from singer_sdk.singerlib.messages import RecordMessage
from singer_sdk.streams.rest import HTTPRequest, PageContext, RESTStream
from typing_extensions import override

from tap_drchrono import timestamps
from tap_drchrono.api.retries import retried
from tap_drchrono.clock import in_words
from tap_drchrono.errors import CredentialsError, HostError, StreamError
from tap_drchrono.lists import answers as responses
from tap_drchrono.lists.jobs import (
    Answer,
    Order,
    PendingList,
    Source,
    Status,
    Submit,
    Token,
)
from tap_drchrono.lists.paginator import BulkListPaginator
from tap_drchrono.records import bookmarks
from tap_drchrono.records.rows import Emission, write_batches
from tap_drchrono.report import describe_crash
from tap_drchrono.schema_files import SCHEMAS
from tap_drchrono.scopes import SCOPES

if t.TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Mapping

    from singer_sdk.helpers import types
    from singer_sdk.helpers._batch import BatchConfig
    from singer_sdk.singerlib import Catalog

    from tap_drchrono.api.retries import Request
    from tap_drchrono.clock import Clock
    from tap_drchrono.tap import TapDrchrono

_LONG_WAIT = 20.0
"""Seconds from which a wait for a list is worth a line."""


class SingleToken(BaseAPIPaginator[Token]):
    """A paginator for one request outside of a sync."""

    @override
    def get_next(self, response: requests.Response) -> None:
        """End after that request."""


class BulkListStream(RESTStream[Token]):
    """A bulk list endpoint of DrChrono, read incrementally by `updated_at`."""

    replication_key = "updated_at"
    schema: t.ClassVar[StreamSchema] = StreamSchema(SCHEMAS)

    max_page_size: t.ClassVar[int] = 1000
    """Records a page at most, as DrChrono documents for the endpoint."""
    steady_order: t.ClassVar[Order] = Order.ID
    """The order, beside `updated_at`, that DrChrono offers for the endpoint."""
    includes: t.ClassVar[Mapping[str, str]] = {}
    """Parameters sent as `true` while the setting that they are mapped to is on."""

    _tap: TapDrchrono
    _token: Token

    def __init__(self, tap: TapDrchrono) -> None:
        """Initialize the stream.

        Args:
            tap: The tap.
        """
        super().__init__(tap)
        self._requests_session = tap.session
        self._paginator: BulkListPaginator | None = None
        self._answer: Answer | None = None
        self._bookmark: bookmarks.Bookmark | None = None
        self._dated = False
        self._extracted_at: dt.datetime | None = None
        self._crash: Exception | None = None
        self._warned: set[object] = set()
        self._requests = 0

    @override
    def log(
        self,
        message: str,
        *args: t.Any,
        level: int = logging.INFO,
        **kwargs: t.Any,
    ) -> None:
        """Log what the SDK says, but for the line that every error of ours follows."""
        if not message.startswith("An unhandled error occurred"):
            super().log(message, *args, level=level, **kwargs)

    # Where to read from

    @override
    def apply_catalog(self, catalog: Catalog) -> None:
        """Take selection and replication method from a catalog.

        Args:
            catalog: The catalog passed to the tap.
        """
        super().apply_catalog(catalog)
        # The SDK also looks for the method in the metadata, where it may be another.
        entry = catalog.get_stream(self.name)
        self.forced_replication_method = entry.replication_method if entry else None

    @property
    def incremental(self) -> bool:
        """Whether the stream keeps a bookmark."""
        return self.replication_method != REPLICATION_FULL_TABLE

    @property
    def _stored_bookmark(self) -> str | None:
        """The bookmark of the previous run; junk counts as none."""
        state = self.stream_state
        value = state.get("replication_key_value")
        if value is None or not self.incremental:
            return None
        key = state.get("replication_key", self.replication_key)
        today = _utc_today(self.clock.now())
        if key != self.replication_key or not bookmarks.is_usable(value, today):
            self._warn_once(
                "The bookmark in the state cannot be used. Reading from start_date.",
            )
            return None
        return str(value)

    @cached_property
    def source(self) -> Source:
        """What the paginator must know of the stream."""
        since, resumed = bookmarks.since(
            self._stored_bookmark,
            self.config.get("start_date"),
            self.config["lookback_days"],
        )
        size = min(
            self.config.get("page_size") or self.max_page_size, self.max_page_size
        )
        return Source(
            self.name,
            self.primary_keys[0],
            size,
            since,
            not resumed,
            self.config["list_timeout"],
            self.steady_order,
        )

    # Requests

    @property
    @override
    def url_base(self) -> str:
        return str(self.config["api_url"]).rstrip("/")

    @property
    @override
    def authenticator(self) -> requests.auth.AuthBase:
        return self._tap.authenticator

    @override
    def get_new_paginator(self) -> BulkListPaginator:
        self._paginator = BulkListPaginator(
            self.source, self._tap.desk, self.clock, self.logger
        )
        return self._paginator

    @override
    def get_http_request(self, *, page: PageContext[Token]) -> HTTPRequest:
        """Turn a page token into a POST or a GET."""
        self._token = token = t.cast("Token", page.next_page_token)
        owner = self._tap.bulk_streams[token.list.stream]
        headers = {"Accept": "application/json", "X-DRC-API-Version": "v4"}
        url = owner.get_url(page.stream_context)
        if isinstance(token, Submit):
            return HTTPRequest(url, "POST", owner.list_params(token.list), headers)
        return HTTPRequest(url, "GET", {"uuid": token.list.uuid}, headers)

    def list_params(self, pending: PendingList) -> dict[str, t.Any]:
        """Return the query parameters that ask for a list.

        Args:
            pending: The list.

        Returns:
            The parameters; `since` in the one documented format.
        """
        flags = {name: "true" for name, on in self.includes.items() if self.config[on]}
        if self.config["verbose"]:
            flags["verbose"] = "true"
        return {
            "since": pending.frame.since.isoformat(),
            "order_by": pending.frame.order.value,
            "page": pending.window.page,
            "page_size": pending.window.size,
            **flags,
        }

    @override
    def request_decorator(self, func: Request) -> Request:
        """Retry what may pass."""
        return retried(
            func,
            stream=self.name,
            path=self.path,
            clock=self.clock,
            logger=self.logger,
        )

    @override
    def _request(
        self, prepared_request: requests.PreparedRequest, context: types.Context | None
    ) -> requests.Response:
        """Send a request when it is due, with a token that is taken."""
        tap = self._tap
        self._wait_for(self._token)
        while True:
            try:
                response = tap.transport.send(self.authenticator(prepared_request))
            except requests.RequestException:
                # Of a list asked for ahead: see `validate_response`.
                if self._token.list.stream == self.name:
                    raise
                self._answer = Answer(Status.REFUSED)
                return requests.Response()
            self._requests += 1
            self._write_request_duration_log(
                endpoint=self.path, response=response, context=context, extra_tags=None
            )
            if response.status_code != requests.codes.unauthorized:
                break
            tap.authenticator.refused()
        tap.authenticator.accepted()
        tap.check_scopes()
        self.validate_response(response)
        return response

    def _wait_for(self, token: Token) -> None:
        """Wait until a request is due; say so if that takes a while."""
        wait = token.at - self.clock.now()
        if wait > _LONG_WAIT:
            self.logger.info(
                "Waiting until %s for a list of %s, page %d.",
                in_words(token.at),
                token.list.stream,
                token.list.window.page,
            )
        self.clock.sleep(wait)

    def ask(self, token: Token) -> Answer:
        """Ask outside of a sync.

        Args:
            token: What to ask.

        Returns:
            The answer.

        Raises:
            StreamError: If DrChrono refuses.
        """
        single = SingleToken(token)
        prepared = self._prepare_request(context=None, page=single)
        self.request_decorator(self._request)(prepared, None)
        return t.cast("Answer", self._answer)

    @property
    def clock(self) -> Clock:
        """The tap's clock."""
        return self._tap.clock

    def write_state(self) -> None:
        """Write a STATE that covers what was emitted, if that is not written yet."""
        self._write_state_message()

    @override
    def validate_response(self, response: requests.Response) -> None:
        """Read the answer; raise where asking again may help, or where it cannot."""
        try:
            self._answer = responses.interpret(self._token, response)
        except (RetriableAPIError, StreamError):
            # A list asked for ahead is no reason to wait, or to fail: its own stream
            # will ask again.
            if self._token.list.stream == self.name:
                raise
            self._answer = Answer(Status.REFUSED)

    # Records

    @override
    def get_records(self, context: types.Context | None) -> Iterable[dict[str, t.Any]]:
        """Read the stream; its trouble does not cost the other streams.

        Args:
            context: The SDK's context, not used.

        Yields:
            Raw records.
        """
        self._tap.expect_streams_after(self)
        started = self.clock.now()
        self._bookmark = bookmarks.Bookmark(self._stored_bookmark, _utc_today(started))
        try:
            yield from super().get_records(context)
            self._reached_end()
        except (CredentialsError, HostError, OSError):
            raise
        except StreamError as error:
            self._tap.failed(self.name, str(error))
        except Exception as error:  # noqa: BLE001 - the other streams still run
            self._tap.failed(self.name, f"{self.name}: {describe_crash(error)}")
        finally:
            self._summarize(started)

    @override
    def parse_response(self, response: requests.Response) -> Iterable[dict[str, t.Any]]:
        """Hand on the records that the paginator has proven to be next."""
        paginator = t.cast("BulkListPaginator", self._paginator)
        answer, self._answer = t.cast("Answer", self._answer), None
        pages = paginator.pages
        records = paginator.receive(answer)
        del answer
        if records:
            self._begin_page(paginator, records)
        for record in records:
            self.clock.check()
            yield record
            if self._crash:
                raise self._crash
        if paginator.pages > pages:
            self._end_page(paginator)

    def _begin_page(
        self, paginator: BulkListPaginator, records: Iterable[dict[str, t.Any]]
    ) -> None:
        """Look at a page before its first record goes out."""
        bookmark = t.cast("bookmarks.Bookmark", self._bookmark)
        self._extracted_at = dt.datetime.fromtimestamp(self.clock.now(), dt.UTC)
        if paginator.order is not Order.UPDATED_AT:
            # A record that changed after its page was read lies behind later ones, so
            # nothing that is read in this order moves the bookmark.
            bookmark.hold()
            return
        values = [record.get("updated_at") for record in records]
        self._dated = self._dated or any(map(timestamps.parse, values))
        oddities = bookmark.begin_page(values)
        if bookmarks.Oddity.DISORDER in oddities:
            paginator.distrust_order()
        for oddity in oddities:
            self._warn_once(oddity.value)

    def _end_page(self, paginator: BulkListPaginator) -> None:
        """Write the state that covers a page, and a line for the reader."""
        if not self.get_batch_config(self.config):
            self._write_state_message()
        total = paginator.total
        size = self.source.max_size
        self.logger.info(
            "%s: page %d of about %s, %d of %s records; %d lists pending, %d of %d "
            "requests used this hour.",
            self.name,
            paginator.pages,
            "?" if total is None else max(-(-total // size), paginator.pages),
            paginator.position,
            "?" if total is None else total,
            paginator.pending,
            self._tap.quota.used,
            self._tap.quota.limit,
        )

    def _reached_end(self) -> None:
        """Note that every record was read."""
        bookmark = t.cast("bookmarks.Bookmark", self._bookmark)
        paginator = t.cast("BulkListPaginator", self._paginator)
        if paginator.complete:
            bookmark.release()
            if paginator.position and not self._dated:
                bookmark.reach(_utc_today(paginator.started_at))
        self.state_manager.is_flushed = False
        if not paginator.position and self.source.first_sync:
            self.logger.warning(
                "%s: no records. If there should be some, check that the authorization "
                "has the scopes %s: DrChrono may leave out records without an error.",
                self.name,
                ", ".join(sorted(SCOPES[self.name])),
            )

    def _summarize(self, started: float) -> None:
        """Log what the stream cost."""
        if (paginator := self._paginator) is None:
            return
        self.logger.info(
            "%s: %d records on %d pages with %d requests in %.0f s; %d lists submitted "
            "again, %d pages re-read because records moved.",
            self.name,
            self._emission.count,
            paginator.pages,
            self._requests,
            self.clock.now() - started,
            paginator.resubmitted,
            paginator.reread,
        )

    @cached_property
    def _emission(self) -> Emission:
        """Casts and maps the records."""
        return Emission(
            self.name,
            self.schema,
            mask=self.mask,
            withheld=self._tap.mapped_fields(self.name),
            maps=self.stream_maps,
            warn=self._warn_once,
        )

    @override
    def _generate_record_messages(
        self, record: types.Record
    ) -> Generator[RecordMessage, None, None]:
        """Say what goes out for a record."""
        try:
            rows = list(self._emission.rows(record))
        except Exception as error:  # noqa: BLE001 - this stream's trouble alone
            # Raised where the record came from: only there it is this stream's alone.
            self._crash = error
            return
        for alias, row in rows:
            yield RecordMessage(alias, row, self._stream_version, self._extracted_at)

    @override
    def _process_record(
        self,
        record: types.Record,
        child_context: types.Context | None = None,
        partition_context: types.Context | None = None,
    ) -> None:
        """Do nothing: there are no child streams."""

    @override
    def _sync_batches(
        self, batch_config: BatchConfig, context: types.Context | None = None
    ) -> None:
        """Write batch files, and a state that covers them after each lot."""
        records = self._sync_records(context, write_messages=False)
        batches = write_batches(records, self._emission, batch_config, self.tap_name)
        with self.get_batch_counter() as counter:
            for lot in batches:
                for message in lot:
                    self._tap.write_message(message)
                    counter.increment()
                self.state_manager.is_flushed = False
                self._write_state_message()
        self._write_state_message()

    # Bookmarks

    @override
    def get_replication_key_signpost(
        self, context: types.Context | None = None
    ) -> None:
        """Compare no bookmark with the machine's clock."""

    @override
    def _write_starting_replication_value(self, context: types.Context | None) -> None:
        """Leave the state alone: the bookmark says where to start."""

    @override
    def _increment_stream_state(
        self, latest_record: types.Record, *, context: types.Context | None = None
    ) -> None:
        """Move the bookmark to a record that was emitted."""
        bookmark = t.cast("bookmarks.Bookmark", self._bookmark)
        paginator = t.cast("BulkListPaginator", self._paginator)
        if paginator.order is Order.UPDATED_AT and not self._crash:
            bookmark.advance(latest_record.get("updated_at"))

    @override
    def _write_state_message(self) -> None:
        """Put the bookmark into the state, and write it if it changed."""
        if self.incremental and self._bookmark:
            value = self._bookmark.value
            if value is None:
                self.stream_state.pop("replication_key", None)
                self.stream_state.pop("replication_key_value", None)
            else:
                self.stream_state["replication_key"] = self.replication_key
                self.stream_state["replication_key_value"] = value
        super()._write_state_message()

    def _warn_once(self, message: str) -> None:
        """Log a warning unless this stream gave it already."""
        if message not in self._warned:
            self._warned.add(message)
            self.logger.warning("%s: %s", self.name, message)


def _utc_today(now: float) -> dt.date:
    """Return the day in UTC."""
    return dt.datetime.fromtimestamp(now, dt.UTC).date()
