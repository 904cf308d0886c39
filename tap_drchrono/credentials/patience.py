"""How long the token endpoint is waited for while it gives no usable answer."""

from __future__ import annotations

import logging
import typing as t

import requests
from urllib3.exceptions import NameResolutionError, NewConnectionError

from tap_drchrono.errors import HostError

if t.TYPE_CHECKING:
    from tap_drchrono.clock import Clock

logger = logging.getLogger("tap-drchrono.auth")

_FIRST_WAIT = 2.0
_LONGEST_WAIT = 60.0
_IMPATIENCE = 8.0
"""Seconds for a host that nobody reaches and that has never answered: a wrong name."""

_UNREACHABLE = (
    NameResolutionError,
    NewConnectionError,
    requests.exceptions.ProxyError,
    requests.exceptions.SSLError,
)


class Patience(t.Protocol):
    """Waits between two tries, for as long as an outage may take."""

    def wait(self, error: Exception) -> None:
        """Wait before the next try.

        Args:
            error: Why the last one failed.

        Raises:
            HostError: If it has taken too long.
            Stopped: If the tap is asked to stop.
        """

    def answered(self) -> None:
        """Note that the host gave an answer: whatever was wrong is over."""


class Outage:
    """One outage of the token endpoint after another, each with its own patience."""

    def __init__(self, clock: Clock, seconds: float) -> None:
        """Begin in good order.

        Args:
            clock: Tells the time and waits.
            seconds: How long an outage may take.
        """
        self._clock = clock
        self._patience = seconds
        self._began: float | None = None
        self._next_wait = _FIRST_WAIT
        self._ever_answered = False

    def wait(self, error: Exception) -> None:
        """Wait before the next try.

        Args:
            error: Why the last one failed.

        Raises:
            HostError: If it has taken too long.
            Stopped: If the tap is asked to stop.
        """
        now = self._clock.now()
        if self._began is None:
            self._began = now
        unreachable = not self._ever_answered and _is_unreachable(error)
        patience = min(self._patience, _IMPATIENCE if unreachable else self._patience)
        left = self._began + patience - now
        if left <= 0:
            if unreachable:
                msg = (
                    "DrChrono cannot be reached for a token. Check api_url and the "
                    "network, and run the tap again."
                )
                raise HostError(msg)
            msg = (
                "The token endpoint gave no usable answer for "
                f"{patience / 60:.0f} minutes (last: {error}). The stored credentials "
                "are unchanged; run the tap again later."
            )
            raise HostError(msg)
        wait = min(self._next_wait, left)
        self._next_wait = min(self._next_wait * 2, _LONGEST_WAIT)
        logger.warning("No new access token yet (%s); next try in %.0f s", error, wait)
        self._clock.sleep(wait)

    def answered(self) -> None:
        """Note that the host gave an answer: whatever was wrong is over."""
        if self._began is not None:
            logger.info("The token endpoint answers again")
        self._began = None
        self._next_wait = _FIRST_WAIT
        self._ever_answered = True


def _is_unreachable(error: BaseException) -> bool:
    """Tell a host that nobody reaches from one that has trouble."""
    cause: object = error
    while isinstance(cause, BaseException):
        if isinstance(cause, _UNREACHABLE):
            return True
        inner = cause.args[0] if cause.args else None
        cause = cause.__cause__ or getattr(cause, "reason", None) or inner
    return False
