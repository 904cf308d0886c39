"""Reads the tap's log as a person does: line by line, without the log's own prefix."""

from __future__ import annotations

import itertools

VERBOSE = {"LOGLEVEL": "DEBUG"}
"""The environment of a tap that tells each page."""

_HEAD = ["stream", "records", "pages", "requests", "seconds", "bookmark"]


def messages_in(log: str) -> list[str]:
    """The messages, in order."""
    return [line.split(" | ", 3)[3] for line in log.splitlines() if " | " in line]


def warnings_in(log: str) -> list[str]:
    """The warnings among them."""
    return _of_level(log, "WARNING")


def errors_in(log: str) -> list[str]:
    """The errors among them."""
    return _of_level(log, "ERROR")


def _of_level(log: str, level: str) -> list[str]:
    lines = [line.split(" | ", 3) for line in log.splitlines() if " | " in line]
    return [line[3] for line in lines if line[1].strip() == level]


def table_in(log: str) -> list[str]:
    """The lines of the table at the end, its head first; none if there is no table."""
    lines = messages_in(log)
    heads = [at for at, line in enumerate(lines) if line.split()[:6] == _HEAD]
    if not heads:
        return []
    (start,) = heads
    rows = itertools.takewhile(_is_row, lines[start + 1 :])
    return [lines[start], *rows]


def _is_row(line: str) -> bool:
    """Tell a row from a sentence: its second word is a number, or a dash."""
    cells = line.replace(",", "").split()
    return len(cells) > 1 and (cells[1] == "-" or cells[1].isdecimal())


def rows_of(log: str) -> dict[str, list[str]]:
    """The cells of each stream's row, without its name and the thousands' commas."""
    rows = [line.replace(",", "").split() for line in table_in(log)[1:]]
    return {name: cells for name, *cells in rows}
