"""The single questions: each asks for a few requests and reads what comes."""

from __future__ import annotations

import datetime as dt
import typing as t
import uuid
from http import HTTPStatus
from urllib.parse import parse_qs, urlsplit

from tap_drchrono import timestamps
from tap_drchrono.first_run import zones
from tap_drchrono.first_run.asking import NotAskedError
from tap_drchrono.first_run.findings import Finding
from tap_drchrono.first_run.forms import share
from tap_drchrono.first_run.lists import query, read_all

if t.TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tap_drchrono.clock import Clock
    from tap_drchrono.endpoints import Endpoint
    from tap_drchrono.first_run.asking import Questioner, Seen
    from tap_drchrono.first_run.lists import List

_KNOWN_DETAILS = {
    "invalid uuid specified": "Invalid uuid specified",
    "invalid page": "Invalid page",
    "not found": "Not found",
    "you do not have permission": "You do not have permission",
    "authentication credentials": "Authentication credentials …",
}
"""Messages that are known to come; of others only the length is told."""
LATER = "A list an hour later"
_SCHEMES = ("http", "https")
_ENVELOPE = frozenset(
    {
        *("count", "data", "detail", "error", "next", "previous", "results"),
        *("status", "uuid", "description", "pagination", "since", "page", "page_size"),
        *("order_by", "verbose", "non_field_errors"),
    }
)
"""Keys of answers, and parameters that an error may name."""
_UNNAMED = "others"


class Ask(t.NamedTuple):
    """What each question needs.

    Attributes:
        asking: Sends requests.
        clock: Waits.
        today: The day by DrChrono's clock, in UTC.
        endpoints: By stream; the selected ones.
        lists: The lists that were read first, by stream.
        usual: Seconds that the slowest of these took; zero if none was read.
    """

    asking: Questioner
    clock: Clock
    today: dt.date
    endpoints: Mapping[str, Endpoint]
    lists: Mapping[str, List]
    usual: float

    def read(self, *wanted: tuple[Endpoint, Mapping[str, t.Any]]) -> tuple[List, ...]:
        """Read further lists.

        Args:
            wanted: Endpoints and queries.

        Returns:
            The lists, in the same order.
        """
        return tuple(read_all(wanted, self.asking, self.clock, usual=self.usual))


def message_of(seen: Seen) -> str:
    """Name the class of an answer's message, never an unknown message itself."""
    detail = seen.json.get("detail")
    if not isinstance(detail, str):
        # An object without a schema may have data for keys.
        names = sorted({key if key in _ENVELOPE else _UNNAMED for key in seen.json})
        return f"keys {', '.join(names)}" if names else "no JSON object"
    for begin, known in _KNOWN_DETAILS.items():
        if begin in detail.lower():
            return known
    return f"other, {len(detail)} characters"


def _one_of(ask: Ask) -> List:
    """Choose the list with most records.

    Raises:
        NotAskedError: If none has any.
    """
    one = max(ask.lists.values(), key=lambda one: len(one.records), default=None)
    if one is None or not one.records:
        why = "no list has records to tell from"
        raise NotAskedError(why)
    return one


def since_zone(ask: Ask) -> Iterator[Finding]:
    """On which clock does the server read the day in `since`?"""
    one = _one_of(ask)
    endpoint = one.endpoint
    days = [ask.today - dt.timedelta(days) for days in (1, 3)]
    size = one.asked["page_size"]
    lists = ask.read(*((endpoint, query(day, size)) for day in days))
    found = zones.CANNOT_TELL
    for day, one in zip(days, lists, strict=True):
        stamps = [record.get("updated_at") for record in one.records]
        reading = zones.of_since(stamps, day)
        if reading.sure and (found.sure is None or reading.sure > found.sure):
            found = reading
    yield Finding(
        "The clock of since",
        found.answer,
        found.sure,
        f"A day in since begins at {found.answer}. {found.sure} % sure."
        if found.sure
        else "",
        {"lookback_days": (1, "the zone is covered beside it")} if found.sure else {},
    )


def sight(ask: Ask) -> Iterator[Finding]:
    """Does the authorization see the whole practice, or one provider?"""
    seen = ask.asking.get(ask.endpoints["doctors"], {"page_size": 250})
    listed = {str(record.get("id")) for record in seen.records}
    inside = {
        str(doctor)
        for one in ask.lists.values()
        for record in one.records
        if (doctor := record.get("doctor")) not in (None, "")
    }
    answer, sure, sentence = "cannot tell", None, ""
    if listed and len(inside) > 1:
        part = share(len(inside & listed), len(listed))
        answer, sure = f"several doctors ({part} of those listed)", 80
        sentence = "The authorization sees the records of more than one doctor."
    elif listed and inside and len(listed) == 1:
        answer, sure = "the one doctor there is", 80
    elif listed and inside:
        answer, sure = "one doctor only", 70
        sentence = (
            "The authorization sees one doctor's records only: the practice has to set "
            "share_patients."
        )
    yield Finding("Whose records the authorization sees", answer, sure, sentence)
    yield Finding("GET of doctors", f"HTTP {seen.status}, {message_of(seen)}", 95)


def naive_time(ask: Ask) -> Iterator[Finding]:
    """Does `since` take a time of day?"""
    yesterday = ask.today - dt.timedelta(1)
    asked = query(f"{yesterday}T00:00:00", 1)
    seen = ask.asking.post(ask.endpoints["line_items"], asked)
    unknown = "A time without a zone in since"
    answer = "taken" if seen.uuid else _refused(seen)
    if answer is None:
        yield Finding(unknown, "cannot tell")
    else:
        yield Finding(unknown, answer, 90, f"A time of day in since is {answer}.")


def _refused(seen: Seen | None) -> str | None:
    """Say that a parameter was refused; None where it may be something else."""
    if seen is None or seen.status != HTTPStatus.BAD_REQUEST:
        return None
    return f"refused (HTTP {seen.status})"


def inactive(ask: Ask) -> Iterator[Finding]:
    """Does `patients_list` honour `show_inactive`?"""
    endpoint = ask.endpoints["patients"]
    asked = query(timestamps.EVERYTHING, 1)
    plain, more = ask.read(
        (endpoint, asked), (endpoint, {**asked, "show_inactive": "true"})
    )
    unknown = "show_inactive on patients_list"
    if refused := _refused(more.posted):
        yield Finding(unknown, refused, 90)
    elif plain.counted is None or more.counted is None:
        yield Finding(unknown, "cannot tell")
    else:
        answer = "more patients" if more.counted > plain.counted else "no more patients"
        yield Finding(
            unknown,
            answer,
            90 if more.counted > plain.counted else 60,
            f"show_inactive brings {answer}.",
        )


def unknown_uuid(ask: Ask) -> Iterator[Finding]:
    """What does a list that is not there answer?"""
    for stream in ("patients", "line_items"):
        if stream in ask.endpoints:
            name = {"uuid": str(uuid.uuid4())}
            seen = ask.asking.get(ask.endpoints[stream], name)
            answer = f"HTTP {seen.status}, {message_of(seen)}"
            yield Finding(f"An unknown uuid at {stream}", answer, 95)


def frozen(ask: Ask) -> Iterator[Finding]:
    """Is page 2 a list of its own, and is a list that was fetched still the same?"""
    one = _one_of(ask)
    size = max(len(one.records) // 2, 1)
    key = one.endpoint.key
    asked = {**one.asked, "page": 2, "page_size": size}
    (second,) = ask.read((one.endpoint, asked))
    first_keys = [str(record.get(key)) for record in one.records]
    keys = [str(record.get(key)) for record in second.records]
    joins = bool(keys) and keys == first_keys[size : size + len(keys)]
    yield Finding(
        "Page 2 continues page 1",
        "yes" if joins else "not exactly",
        60 if joins else 80,
    )
    again = ask.asking.get(one.endpoint, {"uuid": one.uuid})
    same = [str(record.get(key)) for record in again.records] == first_keys
    answer = "the same" if same else f"not the same (HTTP {again.status})"
    yield Finding(
        "A list that was fetched, fetched again",
        answer,
        80,
        f"Fetched again, a list is {answer}.",
    )


def later(asking: Questioner, lists: Sequence[List], wait: int) -> Iterator[Finding]:
    """Is a list kept for the hour that is documented, and no longer?

    Args:
        asking: Sends the request.
        lists: Those that were read.
        wait: Seconds to wait first.

    Yields:
        The answer.

    Raises:
        NotAskedError: If no list was ready, or no request is left.
    """
    ready = [one for one in lists if one.ready]
    if not ready:
        why = "no list was ready"
        raise NotAskedError(why)
    asking.need(1)
    asking.clock.sleep(wait)
    # The longest list was fetched twice, which may keep it.
    one = min(ready, key=lambda one: len(one.records))
    seen = asking.get(one.endpoint, {"uuid": one.uuid})
    is_there = seen.has_list
    answer = "still there" if is_there else f"HTTP {seen.status}, {message_of(seen)}"
    yield Finding(
        LATER,
        answer,
        95,
        f"A list is {'still there' if is_there else 'gone'} {wait // 60} minutes after "
        "it was read.",
    )


def descending(ask: Ask) -> Iterator[Finding]:
    """Does `order_by` take a minus sign?"""
    unknown = "order_by=-updated_at"
    endpoint = ask.endpoints["line_items"]
    day = ask.today - dt.timedelta(30)
    asked = {**query(day, 50), "order_by": "-updated_at"}
    seen = ask.asking.post(endpoint, asked)
    if not seen.uuid:
        refused = _refused(seen)
        yield Finding(unknown, refused or "cannot tell", 90 if refused else None)
        return
    ask.clock.sleep(max(5.0, ask.usual))
    listed = ask.asking.get(endpoint, {"uuid": seen.uuid})
    stamps = [timestamps.parse(record.get("updated_at")) for record in listed.records]
    dated = [stamp for stamp in stamps if stamp]
    if len(set(dated)) < 2:  # noqa: PLR2004 - one stamp has no order
        yield Finding(unknown, "cannot tell")
    elif dated == sorted(dated, reverse=True):
        yield Finding(unknown, "newest first", 90, "Lists can be had newest first.")
    else:
        yield Finding(unknown, "ignored", 90)


def companions(ask: Ask, offered: Sequence[str]) -> Iterator[Finding]:
    """Which of the plain lists can be read, and what do their pages look like?"""
    nexts = set()
    readable = []
    refused = []
    for stream in offered:
        if stream not in ask.endpoints or stream == "doctors":
            continue
        asked: dict[str, t.Any] = {"page_size": 1}
        if stream == "line_item_deletions":
            asked = {}
        if stream in {"line_item_deletions", "patient_payments"}:
            asked = {**asked, "since": str(ask.today - dt.timedelta(30))}
        seen = ask.asking.get(ask.endpoints[stream], asked)
        if seen.has_list:
            readable.append(stream)
            place = "results" if "results" in seen.json else "data"
            told = "records" if seen.records else "no records"
            yield Finding(f"GET of {stream}", f"HTTP 200, {place}, {told}", 95)
        else:
            refused.append(stream)
            answer = f"HTTP {seen.status}, {message_of(seen)}"
            yield Finding(f"GET of {stream}", answer, 95)
        following = seen.json.get("next")
        if isinstance(following, str):
            nexts.add(_form_of_next(following))
        if stream == "appointment_profiles" and seen.records:
            yield from _archived(ask, stream)
    if nexts:
        answer = "; ".join(sorted(nexts))
        yield Finding(
            "What next of a plain list carries",
            answer,
            90,
            f"next of a plain list carries {answer}.",
        )
    if refused:
        yield Finding(
            "Plain lists that cannot be read",
            ", ".join(refused),
            90,
            f"These lists cannot be read: {', '.join(refused)}.",
        )


def _form_of_next(address: str) -> str:
    """Say how a list goes on, without its address."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return "no address"
    names = parse_qs(parts.query)
    if "cursor" in names:
        way = "a cursor"
    elif "page" in names:
        way = "a page number"
    else:
        way = "neither a cursor nor a page number"
    return f"{way}, over {parts.scheme if parts.scheme in _SCHEMES else 'no scheme'}"


def _archived(ask: Ask, stream: str) -> Iterator[Finding]:
    """Are archived rows listed?"""
    counts = []
    for more in ({}, {"show_archived": "true"}):
        seen = ask.asking.get(ask.endpoints[stream], {"page_size": 250, **more})
        counts.append((len(seen.records), any(r.get("archived") for r in seen.records)))
    (plain, has), (more_of_them, has_more) = counts
    if has:
        answer = "listed by default"
    elif has_more or more_of_them > plain:
        answer = "listed with show_archived"
    else:
        answer = "none seen"
    yield Finding("Archived rows of plain lists", answer, 80 if has or has_more else 40)
