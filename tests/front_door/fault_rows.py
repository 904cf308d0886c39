"""A row of the fault matrix: a trouble, when it happens, and what then holds."""

from __future__ import annotations

import enum
import typing as t

STREAMS = ("appointments", "patients", "prescription_messages")
"""What is read: in the order of `updated_at`, the same asked for ahead, and by id."""


class Request(enum.Enum):
    """Which request is hit."""

    POST = "POST"
    GET = "GET"
    TOKEN = "token"


class Moment(enum.Enum):
    """When it is hit; the value says the stream and page, or which token request."""

    FIRST = ("appointments", 1)
    AHEAD = ("patients", 1)
    MIDDLE = ("patients", 3)
    LAST = ("patients", 5)
    BY_ID = ("prescription_messages", 3)
    START = ("token", 1)
    NEAR_EXPIRY = ("token", 2)
    REFUSED = ("token", 3)


LIST_MOMENTS = (Moment.FIRST, Moment.AHEAD, Moment.MIDDLE, Moment.LAST, Moment.BY_ID)
LASTING_MOMENTS = (Moment.FIRST, Moment.MIDDLE, Moment.LAST)
TOKEN_MOMENTS = (Moment.START, Moment.NEAR_EXPIRY, Moment.REFUSED)


_ENDS_WELL = "the run ends well (exit status 0)"
_NAMED = "an error says why and what to do (exit status 1)"
_READ_AGAIN = "the next run reads them again"
_GOES_ON = "the next run goes on from the last state that was saved"


class Outcome(enum.Enum):
    """How the run ends; the value is the page's word for it, and what that means."""

    WHOLE = ("recovers", f"{_ENDS_WELL}, and nothing is lost")
    HELD = (
        "holds",
        f"{_ENDS_WELL}; a warning says how many are short, and {_READ_AGAIN}",
    )
    WARNED = ("warns", f"{_ENDS_WELL}; a stream looks empty, which is said")
    STREAM_FAILS = ("stream fails", f"{_NAMED}; the other streams complete; {_GOES_ON}")
    ALL_STOP = ("stops", f"{_NAMED}; the run ends at once; {_GOES_ON}")
    AUTHORIZE = ("authorize", f"{_NAMED}; a person must authorize again")


class Expect(t.NamedTuple):
    """What a run must show.

    Attributes:
        outcome: How it ends.
        says: What its log must contain.
    """

    outcome: Outcome
    says: str = ""


WHOLE = Expect(Outcome.WHOLE)


def fails(says: str) -> Expect:
    return Expect(Outcome.STREAM_FAILS, says)


def stops(says: str) -> Expect:
    return Expect(Outcome.ALL_STOP, says)


def authorize(says: str = "A person must authorize again") -> Expect:
    return Expect(Outcome.AUTHORIZE, says)


class Trouble(t.NamedTuple):
    """One thing that goes wrong.

    Attributes:
        name: In the page's words.
        fault: The sandbox's fault.
        once: What is expected where it happens once, by request.
        lasting: The same where it goes on for good.
        cut: How the connection ends instead of being closed.
        at: Where a moment makes a difference: what is expected instead.
        by_page: Whether a fault that goes on hits one page, not all lists from there.
        moments: The moments at which it is tried, once and for good; the usual ones
            if empty.
        sandbox: Settings of the sandbox while it goes wrong.
        most: Requests for each page of the stream that is hit, at most.
    """

    name: str
    fault: dict[str, t.Any]
    once: dict[Request, Expect]
    lasting: dict[Request, Expect]
    cut: str = ""
    at: dict[tuple[Request, Moment, bool], Expect] = {}  # noqa: RUF012 - not changed
    by_page: bool = True
    moments: tuple[tuple[Moment, ...], tuple[Moment, ...]] | None = None
    sandbox: dict[str, t.Any] = {}  # noqa: RUF012 - not changed
    most: int | None = None

    def moments_of(self, request: Request, *, lasting: bool) -> tuple[Moment, ...]:
        """When it is tried."""
        if self.moments is not None:
            return self.moments[lasting]
        if request is Request.TOKEN:
            return TOKEN_MOMENTS
        if not lasting:
            return LIST_MOMENTS
        ahead = (Moment.AHEAD,) if request is Request.POST else ()
        return (*LASTING_MOMENTS, *ahead)


class Row(t.NamedTuple):
    """One run of the matrix."""

    trouble: Trouble
    request: Request
    moment: Moment
    lasting: bool
    expect: Expect

    @property
    def name(self) -> str:
        words = (
            self.trouble.name,
            self.request.name,
            self.moment.name,
            "for good" if self.lasting else "once",
        )
        return "-".join(words).lower().replace(" ", "_")
