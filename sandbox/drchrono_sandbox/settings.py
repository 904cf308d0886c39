"""How the simulated API behaves: one frozen value that can be replaced at run time."""

from __future__ import annotations

import dataclasses
import typing as t

from drchrono_sandbox.endpoints import GROUPS, SCOPES, check_names

if t.TYPE_CHECKING:
    from collections.abc import Mapping

    from drchrono_sandbox.faults import ThrottleForm

PlainOrder: t.TypeAlias = t.Literal["id", "-id", "updated_at", "-updated_at"]
Tie: t.TypeAlias = t.Literal["id", "insertion", "shuffled"]
OutOfRange: t.TypeAlias = t.Literal[
    "empty",
    "last_page",
    "not_found",
    "not_found_at_post",
    "bad_request",
    "bad_request_at_post",
]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Changes:
    """How much changes at a time.

    Attributes:
        updates: Records that are edited.
        inserts: Records that are added.
        deletions: Records that are deleted; appointments get their `deleted_flag`, and
            plain records their `archived`, if they have one.
        purge: Whether such records vanish altogether.
        streams: Where: names of streams, `bulk`, or `plain` (all but those whose
            records come with others). If empty: the listed stream for changes per list
            and page, else the bulk streams.
    """

    updates: float = 0
    inserts: float = 0
    deletions: float = 0
    purge: bool = False
    streams: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Write groups out, and refuse unknown streams.

        Raises:
            ValueError: If a stream is unknown.
        """
        names = [name for each in self.streams for name in GROUPS.get(each, (each,))]
        check_names(names)
        object.__setattr__(self, "streams", tuple(names))


@dataclasses.dataclass(frozen=True, kw_only=True)
class App:
    """An API application that somebody registered.

    Attributes:
        client_id: Its public name.
        client_secret: Its secret.
        redirect_uris: Where codes may be sent; any loopback address if empty.
    """

    client_id: str
    client_secret: str
    redirect_uris: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True, kw_only=True)
class Settings:
    """All that can be set; the defaults suit quick tests.

    Attributes:
        list_base_seconds: Time in which a list of no records is generated.
        list_record_seconds: Time added by each record on the list's page.
        list_sigma: Spread of that time: sigma of a log-normal factor.
        list_times: Explicit times of a stream's first lists, in order of their POSTs.
        list_lifetime: Seconds from the POST after which a uuid is invalid.
        list_seed: Seed of the spread, of shuffled ties and of changes.
        kept_lists: How many delivered lists are remembered.
        cut: When records are put on a list: when it is posted, or when it is first
            found ready.
        tie: Order of records with one `updated_at`; `shuffled` is anew for each list.
        ignore_order_by: Whether lists come in an order of their own.
        descending: What a `-` before `order_by` does.
        extra_headers: Headers of all answers, by name.
        results_key: The name of the records in an answer.
        page_size_cap: A silent limit of the page size, below the documented one.
        out_of_range: What a page beyond the last one gives: no results, the last page
            again, or a 404 or 400 (that names `page`) for the poll that finds it ready
            or for the POST.
        out_of_range_detail: What the 404 says.
        invalid_uuid_status: Status for an expired or unknown uuid, by stream; 404 for
            patients and 400 elsewhere by default.
        since_timestamps: Whether `since` may be a timestamp without a zone.
        since_shift_hours: How much later than practice time `since` cuts.
        show_inactive: Whether `patients_list` honours that parameter, or ignores it
            and never or always delivers inactive patients.
        without_id: Streams whose records carry no `id`.
        without_updated_at: Streams whose records carry no `updated_at`.
        values: By stream, fields of which all records of a bulk list have one value.
        odd: Share of records with junk in them.
        mark: Prefix of planted values in all text, errors and tokens; off if empty.
        hourly_limit: Requests per application and clock hour.
        ten_minute_limit: Requests per application and ten minutes.
        burst_limit: Calls per second of which the last is throttled.
        used_by_others: Requests that others take from each hour's quota.
        throttle_form: How a 429 says how long to wait.
        apps: The registered applications.
        access_seconds: `expires_in` of access tokens.
        fresh_refused_seconds: How long a new access token is refused.
        fresh_refused_requests: How many requests a new access token is refused.
        refresh_revokes: Whether a refresh kills the access token before it.
        rotate: Whether a refresh replaces the refresh token.
        return_refresh_token: Whether the answer to a refresh holds a refresh token.
        granted_scope: The scope granted whatever is asked for; what is asked for if
            None.
        invalid_grant_status: Status of an `invalid_grant` answer.
        echo_tokens: Whether token errors repeat what was sent.
        deny: Whether the authorization is denied.
        denied_streams: Streams for which an in-app permission is missing (403).
        missing_scope: What a token without the scope gets.
        changes_per_list: What changes before each list is posted.
        changes_per_second: What changes in each second of the clock.
        changes_per_page: What changes before each page of a plain list is cut.
        plain_order: How plain lists are sorted, `-` for falling.
        plain_paging: Whether `next` of a plain list carries a cursor or a page number.
        next_base: Scheme and host of `next`; those that were asked if empty.
        next_slash: Whether the path of `next` ends with a slash.
        archived: Whether plain lists hold archived records: if `show_archived` asks
            for them, always, or never.
        replica_lag: How many seconds old the answers of plain lists are.
        denied_permissions: In-app permissions that are missing: plain lists that need
            one of them answer 403.
    """

    list_base_seconds: float = 0.0
    list_record_seconds: float = 0.0
    list_sigma: float = 0.0
    list_times: Mapping[str, tuple[float, ...]] = dataclasses.field(
        default_factory=dict
    )
    list_lifetime: float = 3600.0
    list_seed: int = 0
    kept_lists: int = 200
    cut: t.Literal["post", "ready"] = "post"
    tie: Tie = "id"
    ignore_order_by: bool = False
    descending: t.Literal["refused", "ignored", "honoured"] = "refused"
    extra_headers: Mapping[str, str] = dataclasses.field(default_factory=dict)
    results_key: t.Literal["results", "data"] = "results"
    page_size_cap: int | None = None
    out_of_range: OutOfRange = "empty"
    out_of_range_detail: str = "Invalid page."
    invalid_uuid_status: Mapping[str, int] = dataclasses.field(default_factory=dict)
    since_timestamps: bool = False
    since_shift_hours: float = 0.0
    show_inactive: t.Literal["honoured", "never", "always"] = "honoured"
    without_id: tuple[str, ...] = ("clinical_notes",)
    without_updated_at: tuple[str, ...] = ("clinical_notes", "prescription_messages")
    values: Mapping[str, Mapping[str, t.Any]] = dataclasses.field(default_factory=dict)
    odd: float = 0.0
    mark: str = ""
    hourly_limit: int | None = 1_000_000
    ten_minute_limit: int | None = None
    burst_limit: int | None = None
    used_by_others: int = 0
    throttle_form: ThrottleForm = "sentence"
    apps: tuple[App, ...] = (
        App(client_id="sandbox-client", client_secret="sandbox-secret"),  # noqa: S106 - invented
    )
    access_seconds: int = 172_800
    fresh_refused_seconds: float = 0.0
    fresh_refused_requests: int = 0
    refresh_revokes: bool = False
    rotate: bool = True
    return_refresh_token: bool = True
    granted_scope: str | None = None
    invalid_grant_status: int = 400
    echo_tokens: bool = True
    deny: bool = False
    denied_streams: tuple[str, ...] = ()
    missing_scope: t.Literal["empty", "403"] = "empty"
    changes_per_list: Changes | None = None
    changes_per_second: Changes | None = None
    changes_per_page: Changes | None = None
    plain_order: PlainOrder = "id"
    plain_paging: t.Literal["cursor", "page"] = "cursor"
    next_base: str = "https://drchrono.com"
    next_slash: bool = False
    archived: t.Literal["on_request", "listed", "never"] = "on_request"
    replica_lag: float = 0.0
    denied_permissions: tuple[str, ...] = ()

    def with_changes(self, values: Mapping[str, t.Any]) -> Settings:
        """Replace some settings by values from JSON.

        Args:
            values: By name; changes and applications as objects.

        Returns:
            The new settings.

        Raises:
            ValueError: If a setting is unknown.
        """
        known = {field.name for field in dataclasses.fields(self)}
        if unknown := set(values) - known:
            msg = (
                f"Unknown settings {sorted(unknown)}; known: {', '.join(sorted(known))}"
            )
            raise ValueError(msg)
        return dataclasses.replace(
            self, **{name: _read(name, value) for name, value in values.items()}
        )


def _read(name: str, value: t.Any) -> t.Any:  # noqa: ANN401 - JSON of any kind
    if name.startswith("changes_per_") and isinstance(value, dict):
        return Changes(**value)
    if name == "apps":
        return tuple(App(**app) if isinstance(app, dict) else app for app in value)
    return tuple(value) if isinstance(value, list) else value


DEFAULT_SCOPE = " ".join(SCOPES)
"""What a token may read unless something else was granted."""
