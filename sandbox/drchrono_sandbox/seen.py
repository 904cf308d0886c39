"""What is known of a request: while it is answered, and afterwards in the log."""

from __future__ import annotations

import collections
import dataclasses
import typing as t
import urllib.parse

from drchrono_sandbox.endpoints import BY_PATH, EndpointInfo
from drchrono_sandbox.faults import Call
from drchrono_sandbox.oauth import AUTHORIZE_PATH, TOKEN_PATH

if t.TYPE_CHECKING:
    from drchrono_sandbox.lists import BulkList
    from drchrono_sandbox.messages import Request, Response


@dataclasses.dataclass(frozen=True, slots=True)
class LogEntry:
    """One request that was seen. It holds no token and no secret.

    Attributes:
        time: The clock's time in seconds.
        method: In upper case.
        endpoint: A stream's name, `token`, `authorize`, or the path of anything else.
        page: As it was asked for; of a GET, that of its list.
        page_size: As it was asked for; of a GET, that of its list.
        since: As it was sent.
        order_by: As it was sent.
        verbose: As it was sent.
        show_archived: As it was sent.
        show_inactive: As it was sent.
        uuid: Whether a uuid was sent.
        cursor: Whether a cursor was sent.
        repeated: Parameters that were sent more than once.
        poll: The number of this poll of its list; 0 for other requests.
        state: What the poll found: `progress` or `complete`.
        api_version: The header `X-DRC-API-Version`.
        accept: The header `Accept`.
        app: The application, as far as it could be told.
        status: The status code of the answer; 0 where the connection is cut instead.
        fault: The kind of the fault that was applied; `throttled` for the quota.
        records: Records in the answer.
    """

    time: float
    method: str
    endpoint: str
    page: int | None
    page_size: int | None
    since: str | None
    order_by: str | None
    verbose: str | None
    show_archived: str | None
    show_inactive: str | None
    uuid: bool
    cursor: bool
    repeated: tuple[str, ...]
    poll: int
    state: str
    api_version: str | None
    accept: str | None
    app: str
    status: int
    fault: str
    records: int


class Seen:
    """A request, and what has been found out about it.

    Attributes:
        request: The request.
        now: The clock's time in seconds.
        info: The list endpoint that is asked, if one is.
        bulk: The bulk list that is posted or polled, if one is.
        fault: The kind of the fault that was applied.
        records: Records in the answer.
    """

    def __init__(self, request: Request, now: float) -> None:
        """Look where a request goes.

        Args:
            request: The request.
            now: The clock's time in seconds.
        """
        self.request = request
        self.now = now
        self.info: EndpointInfo | None = BY_PATH.get(request.path)
        self.bulk: BulkList | None = None
        self.fault = ""
        self.records = 0

    @property
    def endpoint(self) -> str:
        """The endpoint as faults and the log call it."""
        if self.info is not None:
            return self.info.name
        names = {TOKEN_PATH: "token", AUTHORIZE_PATH: "authorize"}
        return names.get(self.request.path, self.request.path)

    @property
    def is_known(self) -> bool:
        """Whether anything answers at this path."""
        return self.info is not None or self.request.path in {
            TOKEN_PATH,
            AUTHORIZE_PATH,
        }

    def call(self) -> Call:
        """Tell what a fault can look at.

        Returns:
            The call, with what is known so far.
        """
        method, bulk = self.request.method, self.bulk
        if bulk is not None and method == "GET":
            state: t.Literal["progress", "complete"] = (
                "complete" if bulk.is_ready(self.now) else "progress"
            )
            query = bulk.query
            return Call(
                method,
                self.endpoint,
                query.page,
                query.page_size,
                bulk.polls,
                state,
                self.now,
            )
        page, page_size = (self._asked(name) for name in ("page", "page_size"))
        return Call(method, self.endpoint, page, page_size, now=self.now)

    def _asked(self, name: str) -> int | None:
        text = self.request.query.get(name, "")
        return int(text) if text.isdecimal() else None

    def entry(self, response: Response, app: str) -> LogEntry:
        """Write the log's line about the request.

        Args:
            response: The answer.
            app: The application, as far as it could be told.

        Returns:
            The entry.
        """
        request, call = self.request, self.call()
        asked = request.query
        cut = response.misbehaviour.cut if response.misbehaviour else ""
        return LogEntry(
            time=self.now,
            method=request.method,
            endpoint=self.endpoint,
            page=call.page,
            page_size=call.page_size,
            since=asked.get("since"),
            order_by=asked.get("order_by"),
            verbose=asked.get("verbose"),
            show_archived=asked.get("show_archived"),
            show_inactive=asked.get("show_inactive"),
            uuid="uuid" in asked,
            cursor="cursor" in asked,
            repeated=_repeated(request),
            poll=call.poll,
            state=call.state,
            api_version=request.headers.get("x-drc-api-version"),
            accept=request.headers.get("accept"),
            app=app,
            status=0 if cut in {"close", "reset", "hang"} else response.status,
            fault=self.fault,
            records=self.records,
        )


def _repeated(request: Request) -> tuple[str, ...]:
    pairs = urllib.parse.parse_qsl(request.full_query, keep_blank_values=True)
    counts = collections.Counter(name for name, _ in pairs)
    return tuple(name for name, count in counts.items() if count > 1)
