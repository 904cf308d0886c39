"""Long messages in a terminal: lines of 80 columns, below each other.

In a file, and for a program that reads the log, a message stays one line.
"""

from __future__ import annotations

import logging
import textwrap

from singer_sdk.logging import ConsoleFormatter
from typing_extensions import override

WIDTH = 80
"""Columns of a message, after the log's own prefix."""


class TerminalFormatter(ConsoleFormatter):
    """The SDK's format, with long messages wrapped."""

    @override
    def format(self, record: logging.LogRecord) -> str:
        """Write a record.

        Args:
            record: The record.
        """
        whole = super().format(record)
        message = record.getMessage()
        if len(message) <= WIDTH or "\n" in message:
            return whole
        prefix, _, rest = whole.partition(message)
        lines = textwrap.wrap(
            message, WIDTH, break_long_words=False, break_on_hyphens=False
        )
        return prefix + ("\n" + " " * len(prefix)).join(lines) + rest


def fit_into_terminal() -> None:
    """Wrap what the SDK's handler writes, if a person reads it as it comes."""
    for handler in logging.getLogger().handlers:
        if (
            isinstance(handler, logging.StreamHandler)
            and isinstance(handler.formatter, ConsoleFormatter)
            and handler.stream.isatty()
        ):
            handler.setFormatter(TerminalFormatter())
