"""The simulated API: a request goes in, a response comes out, and nothing waits."""

from __future__ import annotations

import dataclasses
import random
import threading
import time
import typing as t

from drchrono_sandbox import control
from drchrono_sandbox.faults import LIST_KINDS, Call, Fault, FaultPlan
from drchrono_sandbox.lists import BulkList, Cut, Lists
from drchrono_sandbox.messages import (
    Request,
    Response,
    dump,
    html_response,
    json_response,
    raw_json_response,
)
from drchrono_sandbox.oauth import AUTHORIZE_PATH, TOKEN_PATH, AccessToken, OAuth
from drchrono_sandbox.parameters import ParameterError, read_query
from drchrono_sandbox.quota import Quota
from drchrono_sandbox.rendering import Variant, encode_all
from drchrono_sandbox.settings import Changes, Settings
from drchrono_sandbox.spoil import canned, detail, spoiled, throttled
from drchrono_sandbox.streams import BY_PATH, STREAMS, StreamInfo

if t.TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from drchrono_sandbox.practice import Practice

_FATES: dict[str, t.Literal["failed", "canceled", "error", "never"]] = {
    "list_failed": "failed",
    "list_canceled": "canceled",
    "list_error": "error",
    "list_never": "never",
}


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
    poll: int
    state: str
    api_version: str | None
    accept: str | None
    app: str
    status: int
    fault: str
    records: int


class _Seen:
    """A request, and what has been found out about it."""

    def __init__(self, request: Request, now: float) -> None:
        self.request = request
        self.now = now
        self.info: StreamInfo | None = BY_PATH.get(request.path)
        self.bulk: BulkList | None = None
        self.fault = ""
        self.records = 0

    @property
    def endpoint(self) -> str:
        if self.info is not None:
            return self.info.name
        names = {TOKEN_PATH: "token", AUTHORIZE_PATH: "authorize"}
        return names.get(self.request.path, self.request.path)

    @property
    def is_known(self) -> bool:
        return self.info is not None or self.request.path in {
            TOKEN_PATH,
            AUTHORIZE_PATH,
        }

    def call(self) -> Call:
        method, bulk = self.request.method, self.bulk
        if bulk is not None and method == "GET":
            state: t.Literal["progress", "complete"] = (
                "complete" if bulk.is_ready(self.now) else "progress"
            )
            query = bulk.query
            return Call(
                method, self.endpoint, query.page, query.page_size, bulk.polls, state
            )
        page, page_size = (self._asked(name) for name in ("page", "page_size"))
        return Call(method, self.endpoint, page, page_size)

    def _asked(self, name: str) -> int | None:
        text = self.request.query.get(name, "")
        return int(text) if text.isdecimal() else None


class Api:
    """The simulated DrChrono API.

    Thread-safe: each call is done as a whole.

    Attributes:
        practice: The records.
        clock: Seconds since the epoch.
        oauth: Grants and tokens.
        quota: What was used of it.
        lists: The bulk lists.
        faults: What goes wrong.
        log: The requests that were seen; those to the control endpoints are not.
    """

    def __init__(
        self,
        practice: Practice,
        settings: Settings | None = None,
        *,
        clock: Callable[[], float] = time.time,
        faults: Iterable[Fault | Mapping[str, t.Any]] = (),
    ) -> None:
        """Open the API.

        Args:
            practice: Whose records it serves.
            settings: How it behaves.
            clock: Tells the time in seconds since the epoch.
            faults: What goes wrong.
        """
        self.practice = practice
        self.clock = clock
        self._settings = settings or Settings()
        self.oauth = OAuth(self._settings, clock())
        self.quota = Quota()
        self.lists = Lists(self._settings.list_seed)
        self.faults = FaultPlan(faults, self._settings.list_seed)
        self.log: list[LogEntry] = []
        self._rng = random.Random(self._settings.list_seed)  # noqa: S311 - invented
        self._worked_until = clock()
        self._lock = threading.RLock()

    @property
    def settings(self) -> Settings:
        """How the API behaves; may be replaced at any time."""
        return self._settings

    @settings.setter
    def settings(self, settings: Settings) -> None:
        with self._lock:
            self._work(self.clock())
            self._settings = settings
            self.oauth.settings = settings

    def set_faults(self, faults: Iterable[Fault | Mapping[str, t.Any]]) -> None:
        """Replace the faults, and count their matches from zero.

        Args:
            faults: What goes wrong from now on.
        """
        with self._lock:
            self.faults = FaultPlan(faults, self._settings.list_seed)

    def handle(self, request: Request) -> Response:
        """Answer one request.

        Args:
            request: Any request.

        Returns:
            The answer, with what the transport is to do wrong.
        """
        with self._lock:
            if request.path.startswith(control.PREFIX):
                return control.handle(self, request)
            seen = _Seen(request, self.clock())
            self._work(seen.now)
            response = self._answer(seen)
            self.log.append(self._entry(seen, response))
            return response

    def change(
        self, changes: Changes, *, seed: int | None = None
    ) -> dict[str, dict[str, list[t.Any]]]:
        """Change records now.

        Args:
            changes: How much; in all streams if it names none.
            seed: Picks the records; goes on with the API's own choices if None.

        Returns:
            The keys of changed records, by stream and kind.
        """
        with self._lock:
            rng = self._rng if seed is None else random.Random(seed)  # noqa: S311
            now = self.clock()
            self._work(now)
            return {
                stream: self.practice.change(stream, changes, rng, now)
                for stream in changes.streams or STREAMS
            }

    def counts(self, *, hidden: bool = True) -> dict[str, int]:
        """Count what a full read gives.

        Args:
            hidden: Whether archived and inactive records are read, where the API
                delivers them at all.

        Returns:
            Records by stream.
        """
        return {stream: self._all(stream, hidden=hidden).total for stream in STREAMS}

    def records(
        self, stream: str, *, verbose: bool = True, hidden: bool = True
    ) -> list[dict[str, t.Any]]:
        """Read all records of a stream as the API delivers them, by internal id.

        Args:
            stream: The stream's name.
            verbose: With verbose fields.
            hidden: Whether archived and inactive records are read, where the API
                delivers them at all.

        Returns:
            The records; their URLs are signed anew.
        """
        body = self.records_body(stream, verbose=verbose, hidden=hidden)
        records: list[dict[str, t.Any]] = Response(200, {}, body).json()
        return records

    def records_body(
        self, stream: str, *, verbose: bool = True, hidden: bool = True
    ) -> bytes:
        """Encode all records of a stream; see `records`.

        Args:
            stream: The stream's name.
            verbose: With verbose fields.
            hidden: Whether archived and inactive records are read.

        Returns:
            A JSON array.
        """
        with self._lock:
            rows = self._all(stream, hidden=hidden).rows
            variant = Variant.of(stream, self._settings, verbose=verbose)
            return encode_all(self.practice, stream, rows, variant)

    def _all(self, stream: str, *, hidden: bool) -> Cut:
        with self._lock:
            self._work(self.clock())
            if stream == "patients" and self._settings.show_inactive != "honoured":
                hidden = self._settings.show_inactive == "always"
            view = self.practice.tables[stream].view(
                "id", by_touch=False, hidden=hidden, since=None
            )
            return Cut(len(view), t.cast("list[t.Any]", view))

    def _work(self, now: float) -> None:
        """Let people work for as long as the clock has moved on."""
        changes = self._settings.changes_per_second
        if changes is None:
            self._worked_until = now
            return
        while self._worked_until + 1 <= now:
            self._worked_until += 1
            streams = changes.streams or tuple(STREAMS)
            for stream in streams:
                self._change_by_rate(stream, changes, self._worked_until)

    def _change_by_rate(self, stream: str, rate: Changes, now: float) -> None:
        """Change as much as a rate says, which may be less than one at a time."""
        amounts = {
            name: int(amount) + (self._rng.random() < amount % 1)
            for name in ("updates", "inserts", "deletions")
            for amount in (getattr(rate, name),)
        }
        now_changes = dataclasses.replace(rate, **amounts)
        self.practice.change(stream, now_changes, self._rng, now)

    def _answer(self, seen: _Seen) -> Response:
        if not seen.is_known:
            return html_response(404, "<h1>Not Found</h1>")
        app = self.oauth.app_of(seen.request)
        late = self.quota.hit(app, seen.now, self._settings) if app else None
        if late is not None:
            seen.fault = "throttled"
            form = self._settings.throttle_form
            return throttled(form, late.wait, self._settings.mark)
        uuid = seen.request.query.get("uuid", "")
        if seen.info is not None and uuid and seen.request.method == "GET":
            seen.bulk = self.lists.find(uuid, seen.info, seen.now, self._settings)
            if seen.bulk is not None:
                seen.bulk.polls += 1
        fault = self.faults.hit(seen.call())
        if fault is None:
            return self._perform(seen)
        seen.fault = fault.kind
        return self._misbehave(fault, seen)

    def _misbehave(self, fault: Fault, seen: _Seen) -> Response:
        mark = self._settings.mark
        if fault.kind in {"invalid_grant", "invalid_client"}:
            status = 401 if fault.kind == "invalid_client" else 0
            status = status or self._settings.invalid_grant_status
            return self.oauth.error(status, fault.kind, seen.request)
        if fault.kind in LIST_KINDS:
            return self._doom(fault, seen)
        answer = canned(fault, seen.request, mark)
        if answer is None:
            return spoiled(fault, self._perform(seen), mark)
        if fault.performed:
            self._perform(seen)
        return answer

    def _doom(self, fault: Fault, seen: _Seen) -> Response:
        """Let a fault stick to the list that is posted or polled."""
        posted = self._perform(seen) if seen.request.method == "POST" else None
        bulk = seen.bulk
        if bulk is not None:
            if fault.kind == "list_expired":
                self.lists.expire(bulk.uuid)
                seen.bulk = None
            elif fault.kind == "scope_missing":
                bulk.emptied = True
            elif fault.kind == "out_of_order":
                bulk.disordered = True
            else:
                bulk.fate = _FATES[fault.kind]
                bulk.fate_status = fault.status
        return posted or self._perform(seen)

    def _perform(self, seen: _Seen) -> Response:
        """Do what is asked for, once no fault stands in the way."""
        request, now = seen.request, seen.now
        if request.path == TOKEN_PATH:
            return self.oauth.token(request, now)
        if seen.info is None:
            return self.oauth.authorize(request, now)
        return self._bulk(seen, seen.info, self.oauth.check(request, now))

    def _bulk(
        self, seen: _Seen, info: StreamInfo, token: AccessToken | None
    ) -> Response:
        request, mark = seen.request, self._settings.mark
        if token is None:
            return detail(401, mark=mark)
        if request.method not in {"GET", "POST"}:
            return detail(405, f'Method "{request.method}" not allowed.', mark)
        lacks_scope = not set(info.scopes) <= set(token.scope.split())
        if info.name in self._settings.denied_streams or (
            lacks_scope and self._settings.missing_scope == "403"
        ):
            return detail(403, mark=mark)
        try:
            if request.method == "POST":
                return self._post(seen, info, lacks_scope=lacks_scope)
            return self._get(seen, info)
        except ParameterError as error:
            message = f"{error.message} {mark and mark + 'error'}".strip()
            return json_response(400, {error.field: [message]})

    def _post(self, seen: _Seen, info: StreamInfo, *, lacks_scope: bool) -> Response:
        settings = self._settings
        query = read_query(info, seen.request.query, settings)
        if (rate := settings.changes_per_list) is not None:
            for stream in rate.streams or (info.name,):
                self._change_by_rate(stream, rate, seen.now)
        bulk = self.lists.post(self.practice, info, query, seen.now, settings)
        bulk.emptied = lacks_scope
        seen.bulk = bulk
        if settings.out_of_range == "not_found_at_post" and self._is_beyond(bulk):
            self.lists.expire(bulk.uuid)
            return detail(404, "Invalid page.", settings.mark)
        link = f"{seen.request.base_url}{info.path}?uuid={bulk.uuid}"
        return json_response(
            201,
            {
                "status": "In progress",
                "uuid": bulk.uuid,
                "description": f"Call {link} to get the list",
            },
        )

    def _is_beyond(self, bulk: BulkList) -> bool:
        cut = bulk.cut or self.lists.cut(
            self.practice, bulk.info, bulk.query, self._settings
        )
        return not cut.rows and bulk.query.page > 1

    def _get(self, seen: _Seen, info: StreamInfo) -> Response:
        settings, bulk = self._settings, seen.bulk
        if not seen.request.query.get("uuid"):
            field, message = "uuid", "This field is required."
            raise ParameterError(field, message)
        if bulk is None:
            status = settings.invalid_uuid_status.get(info.name, info.expired_status)
            return detail(status, "Invalid uuid specified", settings.mark)
        if bulk.fate in {"failed", "canceled", "error"}:
            return self._fate(bulk)
        if not bulk.is_ready(seen.now):
            return json_response(200, {"status": "In progress", "uuid": bulk.uuid})
        cut = self.lists.deliver(bulk, self.practice, settings)
        if settings.out_of_range == "not_found" and self._is_beyond(bulk):
            return detail(404, "Invalid page.", settings.mark)
        return self._complete(seen, bulk, cut)

    def _fate(self, bulk: BulkList) -> Response:
        body = {
            "status": bulk.fate.capitalize(),
            "uuid": bulk.uuid,
            "detail": f"Please submit the list again {self._settings.mark}".strip(),
        }
        return json_response(bulk.fate_status, body)

    def _complete(self, seen: _Seen, bulk: BulkList, cut: Cut) -> Response:
        settings, query = self._settings, bulk.query
        if bulk.emptied:
            cut = Cut(0, [])
        rows = cut.rows[::-1] if bulk.disordered else cut.rows
        seen.records = len(rows)
        head = {
            "status": "Complete",
            "pagination": {
                "count": cut.total,
                "pages": max(1, -(-cut.total // query.page_size)),
                "page_size": query.page_size,
                "page": query.page,
            },
            "uuid": bulk.uuid,
        }
        variant = Variant.of(bulk.info.name, settings, verbose=query.verbose)
        records = encode_all(self.practice, bulk.info.name, rows, variant)
        start = dump(head)[:-1] + f',"{settings.results_key}":'.encode()
        return raw_json_response(200, start + records + b"}")

    def _entry(self, seen: _Seen, response: Response) -> LogEntry:
        request, call = seen.request, seen.call()
        asked = request.query
        cut = response.misbehaviour.cut if response.misbehaviour else ""
        return LogEntry(
            time=seen.now,
            method=request.method,
            endpoint=seen.endpoint,
            page=call.page,
            page_size=call.page_size,
            since=asked.get("since"),
            order_by=asked.get("order_by"),
            verbose=asked.get("verbose"),
            show_archived=asked.get("show_archived"),
            show_inactive=asked.get("show_inactive"),
            uuid="uuid" in asked,
            poll=call.poll,
            state=call.state,
            api_version=request.headers.get("x-drc-api-version"),
            accept=request.headers.get("accept"),
            app=self.oauth.app_of(request),
            status=0 if cut in {"close", "reset", "hang"} else response.status,
            fault=seen.fault,
            records=seen.records,
        )
