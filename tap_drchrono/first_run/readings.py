"""What the lists of a first look tell: pure readings of records that were fetched."""

from __future__ import annotations

import itertools
import typing as t
from collections import Counter
from decimal import Decimal, InvalidOperation

from tap_drchrono import timestamps
from tap_drchrono.first_run import zones
from tap_drchrono.first_run.findings import Field, Finding
from tap_drchrono.first_run.forms import form, name_of, rough, share

if t.TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from tap_drchrono.first_run.lists import List

    Record: t.TypeAlias = Mapping[str, t.Any]

_PAGINATION = ("count", "page", "page_size", "pages")
_CENT = Decimal("0.005")
_TOO_LARGE = Decimal("1e15")
_SAID_NOTHING = frozenset({"null", "empty text"})
_FORMS_OF = {
    "integer": {"whole number"},
    "number": {"whole number", "number"},
    "boolean": {"true or false"},
    "object": {"object"},
    "array": {"list"},
}


def durations(lists: Sequence[List]) -> Iterator[Finding]:
    """Say how long lists took, and what a time limit follows from that."""
    took = [one.seconds for one in lists if one.ready]
    for one in lists:
        stream = one.endpoint.stream
        if not one.ready:
            answer = f"no list ({one.refusal})"
        else:
            answer = f"{one.seconds:.0f} s for {rough(len(one.records))} records"
        yield Finding(f"How long a list takes: {stream}", answer, 90)
    if took:
        slowest = max(took)
        limit = max(300, 60 * round(slowest * 20 / 60))
        yield Finding(
            "How long the slowest list takes",
            f"{slowest:.0f} s",
            90,
            f"The slowest list took {slowest:.0f} s.",
            {"list_timeout": (limit, "twenty times the slowest list")},
        )


def envelope(lists: Sequence[List]) -> Iterator[Finding]:
    """Say what an answer looks like: where its records are, and what it claims."""
    ready = [one for one in lists if one.ready]
    keys = {
        key
        for one in ready
        for key in ("results", "data")
        if one.ready and isinstance(one.ready.json.get(key), list)
    }
    if keys:
        yield Finding(
            "Where an answer keeps its records",
            " and ".join(sorted(keys)),
            95,
            f"Answers keep their records in {' and '.join(sorted(keys))}.",
        )
    claims = Counter[str]()
    obeyed = Counter[str]()
    served = []
    for one in ready:
        found = one.ready.json.get("pagination") if one.ready else None
        pagination: Mapping[str, object] = found if isinstance(found, dict) else {}
        claims.update(name_of(str(key), _PAGINATION) for key in pagination)
        size = pagination.get("page_size")
        if isinstance(size, int):
            is_obeyed = size == one.asked["page_size"]
            obeyed["obeyed" if is_obeyed else "not obeyed"] += 1
            # A server may claim the number of records, and that is not told.
            is_count = size == one.counted or (one.counted is None and one.records)
            if not is_obeyed and size >= 1 and not is_count:
                served.append(size)
    told = ", ".join(sorted(claims)) or "none"
    yield Finding("What pagination claims", told, 95 if ready else None)
    if obeyed:
        answer = " and ".join(sorted(obeyed))
        yield Finding(
            "Whether page_size is obeyed",
            answer,
            90,
            f"The page size that is asked for is {answer}.",
            {"page_size": (min(served), "larger pages are cut to it")}
            if served
            else {},
        )


def keys_and_dates(lists: Sequence[List]) -> Iterator[Finding]:
    """Say which streams carry `id` and `updated_at`."""
    for one in lists:
        stream, records = one.endpoint.stream, one.records
        for name in ("id", "updated_at"):
            if stream not in {"clinical_notes", "prescription_messages"}:
                continue
            if not records:
                answer, sure = "no records to tell from", None
            else:
                there = sum(name in record for record in records)
                answer = "present" if there == len(records) else "absent"
                answer = answer if there in {0, len(records)} else "now and then"
                sure = 95
            yield Finding(f"Whether {stream} carry {name}", answer, sure)


def order(lists: Sequence[List]) -> Iterator[Finding]:
    """Say whether lists come in the order asked for, and how large ties are."""
    verdicts = Counter[str]()
    largest = 0
    for one in lists:
        stamps = [timestamps.parse(record.get("updated_at")) for record in one.records]
        dated = [stamp for stamp in stamps if stamp]
        if len(dated) > 1:
            in_order = all(a <= b for a, b in itertools.pairwise(dated))
            verdicts["ascending" if in_order else "not in order"] += 1
            largest = max(largest, *Counter(dated).values())
    if verdicts:
        answer = " and ".join(sorted(verdicts))
        yield Finding(
            "Whether lists come in the order of updated_at",
            answer,
            90,
            f"Lists ordered by updated_at come {answer}.",
        )
        yield Finding("Most records of one updated_at", rough(largest), 70)


def zones_of(lists: Sequence[List], now: dt.datetime) -> Iterator[Finding]:
    """Say which clock the stamps of each stream are on."""
    for one in lists:
        if not one.records:
            continue
        stamps = [record.get("updated_at") for record in one.records]
        found = zones.of_stamps(stamps, now)
        stream = one.endpoint.stream
        sentence = (
            f"Timestamps of {stream} are {found.answer}. {found.sure} % sure."
            if found.sure
            else ""
        )
        yield Finding(
            f"The clock of updated_at: {stream}", found.answer, found.sure, sentence
        )


def ids(lists: Sequence[List]) -> Iterator[Finding]:
    """Say which forms keys and references have."""
    for column in ("id", "appointment"):
        forms = Counter(
            form(record[column])
            for one in lists
            for record in one.records
            if column in record
        )
        if forms:
            whole = forms.total()
            told = ", ".join(
                f"{name} {share(count, whole)}" for name, count in forms.most_common()
            )
            yield Finding(f"Forms of {column}", told, 95)


def deleted(lists: Sequence[List]) -> Iterator[Finding]:
    """Say whether deleted appointments are listed."""
    for one in lists:
        if one.endpoint.stream == "appointments" and one.records:
            seen = any(record.get("deleted_flag") is True for record in one.records)
            answer = "seen" if seen else "none among these"
            yield Finding(
                "Deleted appointments in the list", answer, 95 if seen else 40
            )


class _Amounts:
    """The amounts of one record; a missing one leaves an identity open."""

    def __init__(self, record: Record) -> None:
        self._record = record

    def __getitem__(self, name: str) -> Decimal:
        value = self._record.get(name)
        if isinstance(value, bool) or not isinstance(value, (str, int, Decimal)):
            raise KeyError(name)
        try:
            amount = Decimal(value)
        except InvalidOperation:
            raise KeyError(name) from None
        if not amount.is_finite() or abs(amount) >= _TOO_LARGE:
            raise KeyError(name)
        return amount


_IDENTITIES: tuple[tuple[str, str, Callable[[_Amounts], Decimal]], ...] = (
    (
        "line_items",
        "ins_total = ins1_paid + ins2_paid + ins3_paid",
        lambda a: a["ins_total"] - a["ins1_paid"] - a["ins2_paid"] - a["ins3_paid"],
    ),
    (
        "line_items",
        "paid_total = ins_total + pt_paid",
        lambda a: a["paid_total"] - a["ins_total"] - a["pt_paid"],
    ),
    (
        "line_items",
        "balance_total = balance_ins + balance_pt",
        lambda a: a["balance_total"] - a["balance_ins"] - a["balance_pt"],
    ),
    (
        "line_items",
        "balance_total = billed - adjustment - paid_total",
        lambda a: a["balance_total"] - a["billed"] + a["adjustment"] + a["paid_total"],
    ),
    (
        "line_items",
        "billed = price x quantity",
        lambda a: a["billed"] - a["price"] * a["quantity"],
    ),
    (
        "transactions",
        "ins_paid or adjustment is zero",
        lambda a: a["ins_paid"] * a["adjustment"],
    ),
)


def money(lists: Sequence[List]) -> Iterator[Finding]:
    """Say in how many records the identities of the money columns hold."""
    records = {one.endpoint.stream: one.records for one in lists}
    for stream, identity, difference in _IDENTITIES:
        holds = compared = 0
        for record in records.get(stream, ()):
            try:
                off = difference(_Amounts(record))
            except KeyError:
                continue
            compared += 1
            holds += abs(off) < _CENT
        answer = (
            f"holds in {share(holds, compared)}" if compared else "nothing to compare"
        )
        yield Finding(f"{stream}: {identity}", answer, 90 if compared else None)


def reasons(lists: Sequence[List]) -> Iterator[Finding]:
    """Say which signs the amounts have for the reason codes that are unclear."""
    wanted = ("-4", "-3", "-2", "-1", "0", "225", "253")
    signs: dict[str, Counter[str]] = {code: Counter() for code in wanted}
    for one in lists:
        if one.endpoint.stream != "transactions":
            continue
        for record in one.records:
            code = str(record.get("adjustment_reason", ""))
            if code in signs:
                for column in ("ins_paid", "adjustment"):
                    try:
                        amount = _Amounts(record)[column]
                    except KeyError:
                        continue
                    sign = "+" if amount > 0 else "-" if amount < 0 else "0"
                    signs[code][f"{column} {sign}"] += 1
    for code, found in signs.items():
        if found:
            told = ", ".join(f"{what}: {rough(n)}" for what, n in sorted(found.items()))
            yield Finding(f"transactions: reason {code}", told, 70)


def statuses(lists: Sequence[List]) -> Iterator[Finding]:
    """Say whether `insurance_status`, a free form, is one of a few words."""
    for one in lists:
        if one.endpoint.stream == "line_items" and one.records:
            told = [record.get("insurance_status") for record in one.records]
            said = [str(value) for value in told if form(value) not in _SAID_NOTHING]
            yield Finding(
                "line_items: insurance_status",
                f"filled in {share(len(said), len(told))}, "
                f"{rough(len(set(said)))} different values",
                70,
            )


def fields(
    lists: Sequence[List], schemas: Callable[[str], Mapping[str, t.Any]]
) -> Iterator[Field]:
    """Name the columns that are unknown, never filled, or of another form.

    Args:
        lists: The lists.
        schemas: Returns a stream's schema.

    Yields:
        A line for each such column.
    """
    for one in lists:
        if not one.records:
            continue
        stream = one.endpoint.stream
        known = schemas(stream)["properties"]
        names = dict.fromkeys(name for record in one.records for name in record)
        for name in (*known, *(name for name in names if name not in known)):
            if name != "_extra":
                yield from _field(stream, name, known.get(name), one.records)


def _field(
    stream: str,
    name: str,
    schema: Mapping[str, t.Any] | None,
    records: Sequence[Record],
) -> Iterator[Field]:
    """Describe a column, if it is worth a line."""
    forms = Counter(form(record[name]) for record in records if name in record)
    said = [one for one in forms if one not in _SAID_NOTHING]
    filled = share(sum(forms[one] for one in said), len(records))
    shown = name_of(name, () if schema is None else (name,))
    told = sorted(said)
    if schema is None:
        yield Field(stream, shown, told, filled, "not in the schema")
    elif not forms:
        yield Field(stream, shown, told, filled, "absent")
    elif not said:
        yield Field(stream, shown, told, filled, "never filled")
    elif other := sorted(set(said) - _expected(schema)):
        yield Field(stream, shown, other, filled, "of another form than documented")


def _expected(schema: Mapping[str, t.Any]) -> set[str]:
    """Name the forms that a column of a schema may have."""
    (kind,) = (
        {*schema["type"]} - {"null"}
        if isinstance(schema["type"], list)
        else (schema["type"],)
    )
    texts = {"text", "digits", "digits_8digits", "0.00 text", "date"}
    texts |= {"naive seconds", "naive seconds with a space", "naive fractions"}
    if "contentMediaType" in schema:
        return texts | {"object", "list", "whole number", "number", "true or false"}
    if kind == "string":
        match schema.get("format"):
            case "date":
                return {"date"}
            case "date-time":
                return {"naive seconds", "date"}
        return texts | {"whole number", "time with a zone"}
    if kind == "number":
        return _FORMS_OF[kind] | {"0.00 text", "digits"}
    return set(_FORMS_OF[kind])
