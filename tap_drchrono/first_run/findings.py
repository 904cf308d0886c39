"""What the report holds: values, from which the page and the JSON are both made."""

from __future__ import annotations

import typing as t

if t.TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class Finding(t.NamedTuple):
    """What was found of one thing that DrChrono leaves open.

    Attributes:
        unknown: What was open, in a few words.
        answer: What was found, in words of a fixed set, or `left out: …`.
        sure: How sure that is, in percent; None where nothing was found.
        sentence: The same for a person; empty where it says nothing new.
        settings: What the answer suggests for `meltano.yml`, and why.
    """

    unknown: str
    answer: str
    sure: int | None = None
    sentence: str = ""
    settings: Mapping[str, tuple[int, str]] = {}


class Field(t.NamedTuple):
    """What was seen of one column that is worth a line.

    Attributes:
        stream: The stream.
        name: The column, if its name is no data.
        forms: The forms of its values.
        filled: Share of records in which it says something.
        remark: Why it is worth a line.
    """

    stream: str
    name: str
    forms: Sequence[str]
    filled: str
    remark: str


class Report(t.NamedTuple):
    """All that a run found out.

    Attributes:
        version: Of the tap.
        day: Of the run, by DrChrono's clock, in UTC.
        requests: How many were sent.
        most: How many may be.
        findings: In the order in which they were asked for.
        fields: Columns worth a line.
        left_out: What was not asked, and why.
    """

    version: str
    day: str
    requests: int
    most: int
    findings: Sequence[Finding]
    fields: Sequence[Field]
    left_out: Sequence[str]


def left_out(unknown: str, why: str) -> Finding:
    """Say that something was not asked.

    Args:
        unknown: What stays open.
        why: Why, in a few words.
    """
    return Finding(unknown, f"left out: {why}")
