"""Misbehaviour on purpose, as plain data: which request, and what happens."""

from __future__ import annotations

import dataclasses
import random
import typing as t

from drchrono_sandbox.claims import LIES
from drchrono_sandbox.plain.endpoints import PLAIN
from drchrono_sandbox.streams import STREAMS

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Kind: t.TypeAlias = t.Literal[
    "close",
    "reset",
    "hang",
    "slow",
    "truncate",
    "400",
    "401",
    "403",
    "404",
    "405",
    "410",
    "429",
    "500",
    "502",
    "503",
    "504",
    "html",
    "redirect",
    "redirect_elsewhere",
    "truncated_json",
    "malformed_json",
    "byte_order_mark",
    "latin_1",
    "utf_16",
    "odd_values",
    "empty_body",
    "not_an_object",
    "missing_status",
    "unexpected_status",
    "missing_results",
    "missing_uuid",
    "claims",
    "record_without_key",
    "next_elsewhere",
    "next_loop",
    "next_endless",
    "short_page",
    "empty_page",
    "list_failed",
    "list_canceled",
    "list_error",
    "list_expired",
    "list_never",
    "list_unnamed",
    "records_unlisted",
    "scope_missing",
    "out_of_order",
    "invalid_grant",
    "invalid_client",
]
KINDS: tuple[str, ...] = t.get_args(Kind)

LIST_KINDS = frozenset(
    {
        "list_failed",
        "list_canceled",
        "list_error",
        "list_expired",
        "list_never",
        "list_unnamed",
        "records_unlisted",
        "scope_missing",
        "out_of_order",
    }
)
"""Kinds that stick to the list that is posted or polled."""

PAGE_KINDS = frozenset({"next_endless", "short_page", "empty_page"})
"""Kinds that change how a page of a plain list is cut."""

ThrottleForm: t.TypeAlias = t.Literal["sentence", "decimal", "bare", "retry_after"]
When: t.TypeAlias = t.Literal["any", "complete"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Fault:
    """One thing that goes wrong.

    Attributes:
        kind: What happens. `close`, `reset` and `hang` end without an answer, `slow`
            answers after `seconds`, `truncate` cuts the body short; the kinds that
            begin with `list_`, `records_unlisted`, `scope_missing` and `out_of_order`
            stick to the list that is posted or polled; the others replace or spoil one
            answer (`odd_values` gives each record four fields that are hardly JSON;
            `claims` changes what it says of its page, page size and count). A list is
            `list_unnamed` if it is not known until `seconds` after its POST. One
            record in nine is unlisted: it is counted, and does not come. Of plain
            lists: the `next` that there is leads to another path or to the same page;
            `next_endless` makes up one at the end; a page that is cut for a cursor is
            short, or empty, though the list goes on.
        method: `POST` or `GET`; either if empty.
        endpoint: A stream's name, `token`, `authorize`, `plain` for any plain endpoint,
            any bulk endpoint if empty (`*` for any endpoint at all).
        page: Only lists of this page.
        page_size: Only lists of this page size or more.
        poll: Only the poll with this number of its list, from 1.
        when: Any request, or only polls that would find the list complete.
        nth: The first of the matching requests that is hit, from 1.
        times: How many of them are hit from there on; all if None.
        begins: When it begins, in seconds since the epoch.
        ends: When it ends, likewise; never if None.
        lasts: Seconds from its first hit for which it hits all requests, whatever they
            are.
        chance: How likely each of those is really hit.
        performed: Whether the request takes effect before its answer is lost.
        status: The status code of `list_failed`, `list_canceled` and `list_error`.
        seconds: Of `hang`, `slow`, `list_unnamed`, and what `429` says.
        claims: What `claims` claims: a name in `drchrono_sandbox.claims`.
        gaps: Whether an unlisted record leaves its place on the page empty.
        form: How `429` says it.
        retry_after: The `Retry-After` of an answer that does not depend on the request.
        location: Where `redirect_elsewhere` leads; a made-up host if empty.
        permanent: Whether a redirect has status 301 rather than 302.
    """

    kind: Kind
    method: t.Literal["", "GET", "POST"] = ""
    endpoint: str = ""
    page: int | None = None
    page_size: int | None = None
    poll: int | None = None
    when: When = "any"
    nth: int = 1
    times: int | None = 1
    begins: float = 0.0
    ends: float | None = None
    lasts: float = 0.0
    chance: float = 1.0
    performed: bool = False
    status: int = 200
    seconds: float = 30.0
    claims: str = "nothing"
    gaps: bool = True
    form: ThrottleForm = "sentence"
    retry_after: str = ""
    location: str = ""
    permanent: bool = False

    def __post_init__(self) -> None:
        """Refuse a kind, or a claim, that does not exist.

        Raises:
            ValueError: If the kind or the claim is unknown.
        """
        if self.kind not in KINDS:
            msg = f"Unknown fault kind {self.kind!r}; known: {', '.join(KINDS)}"
            raise ValueError(msg)
        if self.claims not in LIES:
            msg = f"Unknown claims {self.claims!r}; known: {', '.join(LIES)}"
            raise ValueError(msg)

    @classmethod
    def of(cls, values: Fault | Mapping[str, t.Any]) -> Fault:
        """Read a fault from JSON.

        Args:
            values: The attributes by name, or a fault.

        Returns:
            The fault.

        Raises:
            ValueError: If an attribute or the kind is unknown.
        """
        if isinstance(values, Fault):
            return values
        known = {field.name for field in dataclasses.fields(cls)}
        if unknown := set(values) - known:
            msg = f"Unknown fault attributes {sorted(unknown)}; known: {sorted(known)}"
            raise ValueError(msg)
        return cls(**values)


class Call(t.NamedTuple):
    """What a fault can look at in a request.

    Attributes:
        method: In upper case.
        endpoint: A stream's name, `token` or `authorize`.
        page: Of the list that is posted or polled.
        page_size: Of the list that is posted or polled.
        poll: The number of this poll of its list, from 1; 0 for other requests.
        state: What a poll would find; empty for other requests.
        now: When it came, in seconds since the epoch.
    """

    method: str
    endpoint: str
    page: int | None = None
    page_size: int | None = None
    poll: int = 0
    state: t.Literal["", "progress", "complete"] = ""
    now: float = 0.0


def _matches(fault: Fault, call: Call) -> bool:
    groups = {"*", call.endpoint}
    if call.endpoint in STREAMS:
        groups.add("")
    if call.endpoint in PLAIN:
        groups.add("plain")
    if fault.endpoint not in groups:
        return False
    if fault.page_size is not None and (call.page_size or 0) < fault.page_size:
        return False
    if call.now < fault.begins or (fault.ends is not None and call.now >= fault.ends):
        return False
    return (
        fault.method in {"", call.method}
        and fault.page in {None, call.page}
        and fault.poll in {None, call.poll}
        and fault.when in {"any", call.state}
    )


class FaultPlan:
    """A list of faults, and how often each has matched."""

    def __init__(
        self, faults: Iterable[Fault | Mapping[str, t.Any]] = (), seed: int = 0
    ) -> None:
        """Start counting at zero.

        Args:
            faults: What is to go wrong, as faults or as JSON; the first that hits a
                request is applied to it, and the ones after it don't see it.
            seed: Of faults that hit by chance.
        """
        self._rng = random.Random(seed)  # noqa: S311 - reproducible faults
        self.faults = tuple(Fault.of(fault) for fault in faults)
        self.matched = [0] * len(self.faults)
        self.applied = [0] * len(self.faults)
        self._until = [0.0] * len(self.faults)

    def hit(self, call: Call) -> Fault | None:
        """Find the fault that hits a request, and count.

        Args:
            call: The request.

        Returns:
            The fault to apply, if any.
        """
        for position, fault in enumerate(self.faults):
            if call.now < self._until[position]:
                return fault
            if not _matches(fault, call):
                continue
            self.matched[position] += 1
            done = self.matched[position] - fault.nth
            hits = done >= 0 and (fault.times is None or done < fault.times)
            if hits and self._rng.random() < fault.chance:
                self.applied[position] += 1
                self._until[position] = call.now + fault.lasts
                return fault
        return None
