"""What the credentials need of whoever waits out an outage of the token endpoint."""

from __future__ import annotations

import typing as t


class Patience(t.Protocol):
    """Waits between two tries, for as long as an outage may take."""

    def wait(self, error: Exception, *, is_doubtful: bool = False) -> None:
        """Wait before the next try.

        Args:
            error: Why the last one failed.
            is_doubtful: Whether it looks like another host, and nothing is known that
                ever came from this one.

        Raises:
            HostError: If it has taken too long.
            Stopped: If the tap is asked to stop.
        """

    def answered(self) -> None:
        """Note that the host gave an answer: whatever was wrong is over."""
