"""The fault matrix of the companion lists, as `fault_matrix` is for the bulk lists.

`test_companion_faults.py` runs each row end to end, and the table in
docs/reliability.md is rendered from it.
"""

from __future__ import annotations

import enum
import typing as t

OFFERED, ASKED_FOR = "users", "tasks"
"""Read by default, and by `extra_streams`; the second one from a bookmark on."""


class Outcome(enum.Enum):
    """How the run ends; the value is the page's word for it, and what that means."""

    WHOLE = ("recovers", "the run ends well (exit status 0), and nothing is lost")
    WARNED = ("warns", "the same, but for a record that no target could load")
    REFUSED = (
        "left out or fails",
        (
            "where it is read by default it is left out with a warning (exit status "
            "0); one of `extra_streams` fails (exit status 1)"
        ),
    )
    FAILS = ("stream fails", "exit status 1; the other streams complete")
    STOPS = ("stops", "exit status 1; the run ends at once")


class Expect(t.NamedTuple):
    """What a run must show: how it ends, and what its log must contain."""

    outcome: Outcome
    says: str = ""


WHOLE = Expect(Outcome.WHOLE)


class Trouble(t.NamedTuple):
    """One thing that goes wrong.

    Attributes:
        name: In the page's words.
        fault: The sandbox's fault.
        once: What is expected where it happens once.
        lasting: The same where it goes on for good; None where that is no other.
        later: What is expected where it begins on a later page, if that differs.
        cut: How the connection ends instead of being closed.
        sandbox: Settings of the sandbox.
    """

    name: str
    fault: dict[str, t.Any]
    once: Expect
    lasting: Expect | None
    later: Expect | None = None
    cut: str = ""
    sandbox: dict[str, t.Any] = {}  # noqa: RUF012 - not changed


class Row(t.NamedTuple):
    """One run of the matrix."""

    trouble: Trouble
    stream: str
    nth: int
    lasting: bool
    expect: Expect

    @property
    def name(self) -> str:
        often = "for good" if self.lasting else "once"
        words = (self.trouble.name, self.stream, f"page {self.nth}", often)
        return "-".join(words).lower().replace(" ", "_")


def _fails(says: str) -> Expect:
    return Expect(Outcome.FAILS, says)


def _stops(says: str) -> Expect:
    return Expect(Outcome.STOPS, says)


def _passing(name: str, kind: str, says: str, cut: str = "", **more: t.Any) -> Trouble:
    """Something that another try may mend."""
    return Trouble(name, {"kind": kind, **more}, WHOLE, _fails(f"{says} for"), cut=cut)


def _odd(name: str, kind: str) -> Trouble:
    """An answer of which the second one says that there is no use in a third."""
    says = "without a list of records for /api/{}, twice in a row"
    return Trouble(name, {"kind": kind}, WHOLE, _fails(says))


def _unreached(name: str, cut: str) -> Trouble:
    """No way to the host, though only this list asks for it in vain."""
    return Trouble(name, {"kind": "close"}, WHOLE, _fails("failed"), cut=cut)


def _refused(status: str, *, also_later: bool) -> Trouble:
    says = "refuses access to /api/{}" if also_later else "has no list at /api/{}"
    refused = Expect(Outcome.REFUSED, says)
    later = refused if also_later else _fails(f"answers HTTP {status}")
    return Trouble(f"HTTP {status}", {"kind": status}, refused, refused, later)


_CUT_OFF = "No connection, or one that was cut off"
_NO_JSON = "JSON that is cut off or malformed"
_NEXT = "the address of the next page"

TROUBLES: tuple[Trouble, ...] = (
    _passing("connection closed", "close", _CUT_OFF),
    _passing("connection reset", "reset", _CUT_OFF),
    _passing("no answer in time", "hang", "No answer in time", seconds=90.0),
    _passing("answer cut off", "truncate", "An answer that was cut off"),
    Trouble("slow answer", {"kind": "slow", "seconds": 20.0}, WHOLE, WHOLE),
    _unreached("connection refused", "refused"),
    _unreached("unknown host", "unknown host"),
    _unreached("TLS certificate not accepted", "bad certificate"),
    *(
        _passing(f"HTTP {status}", status, f"HTTP {status}")
        for status in ("500", "502", "503", "504")
    ),
    _passing("HTML instead of JSON", "html", "with HTML instead of JSON"),
    _passing("empty body", "empty_body", _NO_JSON),
    _odd("JSON that is no object", "not_an_object"),
    _passing("JSON cut off", "truncated_json", _NO_JSON),
    _passing("malformed JSON", "malformed_json", _NO_JSON),
    _odd("neither results nor data", "missing_results"),
    *(
        Trouble(words, {"kind": kind}, WHOLE, WHOLE)
        for kind, words in (
            ("byte_order_mark", "a byte-order mark before the JSON"),
            ("latin_1", "JSON in declared Latin-1"),
            ("utf_16", "JSON in UTF-16"),
        )
    ),
    Trouble(
        "redirect on the same host",
        {"kind": "redirect"},
        WHOLE,
        _stops("redirects without end"),
    ),
    Trouble(
        "redirect to another host",
        {"kind": "redirect_elsewhere"},
        _stops("redirects to another host"),
        None,
    ),
    Trouble("HTTP 400", {"kind": "400"}, _fails("(HTTP 400)"), None),
    Trouble(
        "HTTP 401",
        {"kind": "401"},
        WHOLE,
        Expect(Outcome.REFUSED, "refuses access to /api/{} (HTTP 401)"),
    ),
    _refused("403", also_later=True),
    _refused("404", also_later=False),
    _refused("405", also_later=False),
    _refused("410", also_later=False),
    Trouble(
        "HTTP 429",
        {"kind": "429", "form": "sentence", "seconds": 412.0},
        WHOLE,
        _stops("for 24 hours"),
    ),
    Trouble(
        "next to another host",
        {"kind": "slow", "seconds": 0.1},
        WHOLE,
        WHOLE,
        sandbox={"next_base": "https://elsewhere.invalid", "next_slash": True},
    ),
    Trouble(
        "next to another path",
        {"kind": "next_elsewhere"},
        _fails(f"{_NEXT} that DrChrono gives for /api/{{}} leads to another endpoint"),
        None,
    ),
    Trouble(
        "next in a loop",
        {"kind": "next_loop"},
        _fails("leads to a page that was read before"),
        None,
    ),
    Trouble(
        "next without end",
        {"kind": "next_endless"},
        WHOLE,
        _fails("leads on after 2000 pages"),
    ),
    Trouble("short page", {"kind": "short_page"}, WHOLE, WHOLE),
    Trouble("empty page that is not the last", {"kind": "empty_page"}, WHOLE, None),
    Trouble(
        "record without a key",
        {"kind": "record_without_key"},
        Expect(Outcome.WARNED, "without a usable id was left out"),
        None,
    ),
)

PAGES = (1, 2)
"""Where a trouble begins: at the first page, and in the middle."""


def rows() -> list[Row]:
    """Return the whole matrix."""
    found = []
    for trouble in TROUBLES:
        often = [(False, trouble.once), (True, trouble.lasting)]
        for lasting, expect in ((one, usual) for one, usual in often if usual):
            for stream in (OFFERED, ASKED_FOR):
                for nth in PAGES:
                    later = trouble.later if nth > 1 else None
                    found.append(Row(trouble, stream, nth, lasting, later or expect))
    return found


def render() -> str:
    """Render the table in docs/reliability.md."""
    lines = [
        f"Proven by {len(rows())} runs: on a list read by default and on one of",
        "`extra_streams`, at the first page and at a later one. After each, a run",
        "without the trouble makes the copy equal to the source.",
        "",
        "| what goes wrong | once | for good |",
        "| --- | --- | --- |",
    ]
    alike: dict[tuple[str, str], list[str]] = {}
    for trouble in TROUBLES:
        once, lasting = (
            _cell(one, trouble.later) for one in (trouble.once, trouble.lasting)
        )
        alike.setdefault((once, lasting or once), []).append(trouble.name)
    lines += [
        f"| {'; '.join(names)} | {' | '.join(cells)} |"
        for cells, names in alike.items()
    ]
    lines += ["", *(f"- *{one.value[0]}*: {one.value[1]}." for one in Outcome)]
    return "\n".join(lines)


def _cell(expect: Expect | None, later: Expect | None) -> str:
    """Say how rows end; on a later page that may differ."""
    if expect is None:
        return ""
    words = expect.outcome.value[0]
    if later and later.outcome is not expect.outcome:
        words += f"; on a later page: {later.outcome.value[0]}"
    return words
