"""The marts of `transform/` a second time: in plain Python, from the source's records.

The demo and the tests compare both. Nothing here is taken from the SQL; docs/answers.md
says what each column means.
"""

from __future__ import annotations

import typing as t

from dev_tools.marts.calendar import provider_month, visits
from dev_tools.marts.checks import checks
from dev_tools.marts.events import day_sheet, denials
from dev_tools.marts.owed import ar_aging, charges, receivables
from dev_tools.marts.source import Mart, Record, Row, Source

if t.TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["MARTS", "Mart", "Record", "Row", "Source"]

MARTS: Mapping[str, Callable[[Source], Mart]] = {
    "charges": charges,
    "receivables": receivables,
    "ar_aging": ar_aging,
    "day_sheet": day_sheet,
    "denials": denials,
    "visits": visits,
    "provider_month": provider_month,
    "checks": checks,
}
"""How each mart is computed: rows by the value of the table's first column."""
