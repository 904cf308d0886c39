"""The simulated API: a request goes in, a response comes out, and nothing waits."""

from __future__ import annotations

import dataclasses
import random
import threading
import time
import typing as t

from drchrono_sandbox import control
from drchrono_sandbox.faults import LIST_KINDS, PAGE_KINDS, Fault, FaultPlan
from drchrono_sandbox.lists import BulkList, Cut, Lists
from drchrono_sandbox.messages import (
    Request,
    Response,
    dump,
    html_response,
    json_response,
    raw_json_response,
)
from drchrono_sandbox.oauth import TOKEN_PATH, AccessToken, OAuth
from drchrono_sandbox.parameters import ParameterError, read_query
from drchrono_sandbox.plain import serving
from drchrono_sandbox.plain.endpoints import PLAIN, PlainInfo
from drchrono_sandbox.quota import Quota
from drchrono_sandbox.rendering import Variant, encode_all
from drchrono_sandbox.seen import LogEntry, Seen
from drchrono_sandbox.settings import Changes, Settings
from drchrono_sandbox.spoil import canned, detail, spoiled, throttled
from drchrono_sandbox.streams import STREAMS, StreamInfo
from drchrono_sandbox.tables import Table

if t.TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from drchrono_sandbox.endpoints import EndpointInfo
    from drchrono_sandbox.practice import Practice

_FATES: dict[str, t.Literal["failed", "canceled", "error", "never"]] = {
    "list_failed": "failed",
    "list_canceled": "canceled",
    "list_error": "error",
    "list_never": "never",
}
_METHODS = {StreamInfo: ("GET", "POST"), PlainInfo: ("GET",)}


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
            seen = Seen(request, self.clock())
            self._work(seen.now)
            response = self._answer(seen)
            if more := self._settings.extra_headers:
                headers = {**response.headers, **more}
                response = dataclasses.replace(response, headers=headers)
            self.log.append(seen.entry(response, self.oauth.app_of(request)))
            return response

    def change(
        self, changes: Changes, *, seed: int | None = None
    ) -> dict[str, dict[str, list[t.Any]]]:
        """Change records now.

        Args:
            changes: How much; in all bulk streams if it names none.
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

    def counts(self, *, hidden: bool = True, plain: bool = False) -> dict[str, int]:
        """Count what a full read gives.

        Args:
            hidden: Whether archived and inactive records are read, where the API
                delivers them at all.
            plain: Of the plain streams instead of the bulk ones.

        Returns:
            Records by stream.
        """
        streams = PLAIN if plain else STREAMS
        return {stream: self._all(stream, hidden=hidden).total for stream in streams}

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
            if stream in PLAIN and self._settings.archived != "on_request":
                hidden = self._settings.archived == "listed"
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

    def _answer(self, seen: Seen) -> Response:
        if not seen.is_known:
            return html_response(404, "<h1>Not Found</h1>")
        app = self.oauth.app_of(seen.request)
        late = self.quota.hit(app, seen.now, self._settings) if app else None
        if late is not None:
            seen.fault = "throttled"
            form = self._settings.throttle_form
            return throttled(form, late.wait, self._settings.mark)
        uuid = seen.request.query.get("uuid", "")
        if isinstance(seen.info, StreamInfo) and uuid and seen.request.method == "GET":
            seen.bulk = self.lists.find(uuid, seen.info, seen.now, self._settings)
            if seen.bulk is not None:
                seen.bulk.polls += 1
        fault = self.faults.hit(seen.call())
        if fault is None:
            return self._perform(seen)
        seen.fault = fault.kind
        return self._misbehave(fault, seen)

    def _misbehave(self, fault: Fault, seen: Seen) -> Response:
        mark = self._settings.mark
        if fault.kind in {"invalid_grant", "invalid_client"}:
            status = 401 if fault.kind == "invalid_client" else 0
            status = status or self._settings.invalid_grant_status
            return self.oauth.error(status, fault.kind, seen.request)
        if fault.kind in LIST_KINDS:
            return self._doom(fault, seen)
        if fault.kind in PAGE_KINDS:
            return self._perform(seen)
        answer = canned(fault, seen.request, mark)
        if answer is None:
            return spoiled(fault, self._perform(seen), seen.request, mark)
        if fault.performed:
            self._perform(seen)
        return answer

    def _doom(self, fault: Fault, seen: Seen) -> Response:
        """Let a fault stick to the list that is posted or polled."""
        posted = self._perform(seen) if seen.request.method == "POST" else None
        bulk = seen.bulk
        if bulk is not None:
            if fault.kind == "list_expired":
                self.lists.expire(bulk.uuid)
                seen.bulk = None
            elif fault.kind == "list_unnamed":
                bulk.known_at = bulk.posted + fault.seconds
                seen.bulk = bulk if seen.now >= bulk.known_at else None
            elif fault.kind == "records_unlisted":
                self.lists.withhold(
                    bulk, self.practice, self._settings, gaps=fault.gaps
                )
            elif fault.kind == "scope_missing":
                bulk.emptied = True
            elif fault.kind == "out_of_order":
                bulk.disordered = True
            else:
                bulk.fate = _FATES[fault.kind]
                bulk.fate_status = fault.status
        return posted or self._perform(seen)

    def _perform(self, seen: Seen) -> Response:
        """Do what is asked for, once no fault stands in the way."""
        request, now = seen.request, seen.now
        if request.path == TOKEN_PATH:
            return self.oauth.token(request, now)
        if seen.info is None:
            return self.oauth.authorize(request, now)
        return self._list(seen, seen.info, self.oauth.check(request, now))

    def _list(
        self, seen: Seen, info: EndpointInfo, token: AccessToken | None
    ) -> Response:
        settings, mark = self._settings, self._settings.mark
        if token is None:
            return detail(401, mark=mark)
        method = seen.request.method
        if method not in _METHODS[type(info)]:
            return detail(405, f'Method "{method}" not allowed.', mark)
        lacks_scope = not set(info.scopes) <= set(token.scope.split())
        if self._is_denied(info) or (lacks_scope and settings.missing_scope == "403"):
            return detail(403, mark=mark)
        try:
            return self._read(seen, info, lacks_scope=lacks_scope)
        except ParameterError as error:
            message = f"{error.message} {mark and mark + 'error'}".strip()
            return json_response(400, {error.field: [message]})
        except serving.NoSuchPageError as error:
            return detail(404, str(error), mark)

    def _read(self, seen: Seen, info: EndpointInfo, *, lacks_scope: bool) -> Response:
        if isinstance(info, PlainInfo):
            return self._plain(seen, info, lacks_scope=lacks_scope)
        if seen.request.method == "POST":
            return self._post(seen, info, lacks_scope=lacks_scope)
        return self._get(seen, info)

    def _is_denied(self, info: EndpointInfo) -> bool:
        settings = self._settings
        if info.name in settings.denied_streams:
            return True
        needed = info.permissions if isinstance(info, PlainInfo) else ()
        return not set(settings.denied_permissions).isdisjoint(needed)

    def _plain(self, seen: Seen, info: PlainInfo, *, lacks_scope: bool) -> Response:
        settings = self._settings
        query = serving.read_query(info, seen.request.query, settings)
        if (rate := settings.changes_per_page) is not None:
            for stream in rate.streams or (info.name,):
                self._change_by_rate(stream, rate, seen.now)
        table = Table(()) if lacks_scope else self._replica(info.name, seen.now)
        asked = serving.Asked(seen.request, settings, seen.fault)
        page = serving.list_page(query, table, asked)
        seen.records = len(page.rows)
        variant = Variant.of(info.name, settings, verbose=query.verbose)
        records = encode_all(self.practice, info.name, page.rows, variant)
        head = dump({"previous": page.previous})[:-1]
        body = head + f',"{settings.results_key}":'.encode() + records
        return raw_json_response(200, body + b"," + dump({"next": page.next})[1:])

    def _replica(self, stream: str, now: float) -> Table:
        """Find the rows as they were when the replica was brought up to date."""
        table = self.practice.tables[stream]
        lag = self._settings.replica_lag
        return table.as_of(self.practice.stamp(now) - int(lag)) if lag else table

    def _post(self, seen: Seen, info: StreamInfo, *, lacks_scope: bool) -> Response:
        settings = self._settings
        query = read_query(info, seen.request.query, settings)
        if (rate := settings.changes_per_list) is not None:
            for stream in rate.streams or (info.name,):
                self._change_by_rate(stream, rate, seen.now)
        bulk = self.lists.post(self.practice, info, query, seen.now, settings)
        bulk.emptied = lacks_scope
        seen.bulk = bulk
        if settings.out_of_range.endswith("_at_post") and self._is_beyond(bulk):
            self.lists.expire(bulk.uuid)
            return self._beyond()
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

    def _beyond(self) -> Response:
        """Refuse a page beyond the last one.

        Raises:
            ParameterError: If that is a 400.
        """
        settings = self._settings
        if settings.out_of_range.startswith("bad_request"):
            field, message = "page", "Invalid page."
            raise ParameterError(field, message)
        return detail(404, settings.out_of_range_detail, settings.mark)

    def _get(self, seen: Seen, info: StreamInfo) -> Response:
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
        refuses = settings.out_of_range in {"not_found", "bad_request"}
        if refuses and self._is_beyond(bulk):
            return self._beyond()
        return self._complete(seen, bulk, cut)

    def _fate(self, bulk: BulkList) -> Response:
        body = {
            "status": bulk.fate.capitalize(),
            "uuid": bulk.uuid,
            "detail": f"Please submit the list again {self._settings.mark}".strip(),
        }
        return json_response(bulk.fate_status, body)

    def _complete(self, seen: Seen, bulk: BulkList, cut: Cut) -> Response:
        settings, query = self._settings, bulk.query
        if bulk.emptied:
            cut = Cut(0, [], cut.page)
        rows = cut.rows[::-1] if bulk.disordered else cut.rows
        seen.records = len(rows)
        head = {
            "status": "Complete",
            "pagination": {
                "count": cut.total,
                "pages": max(1, -(-cut.total // query.page_size)),
                "page_size": query.page_size,
                "page": cut.page,
            },
            "uuid": bulk.uuid,
        }
        variant = Variant.of(bulk.info.name, settings, verbose=query.verbose)
        records = encode_all(self.practice, bulk.info.name, rows, variant)
        start = dump(head)[:-1] + f',"{settings.results_key}":'.encode()
        return raw_json_response(200, start + records + b"}")
