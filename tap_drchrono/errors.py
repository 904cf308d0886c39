"""The errors of the tap: who is affected, and one readable line each."""

from __future__ import annotations


class TapDrchronoError(Exception):
    """Base of all errors that a user is meant to read.

    The text names the stream, endpoint or setting, says what to do next, and holds
    no record data, no token and no query string.
    """


class SettingsError(TapDrchronoError):
    """A setting, a catalog or a state file that the tap cannot work with."""


class CredentialsError(TapDrchronoError):
    """No usable access token, or none that could be kept: stops all streams."""


class HostError(TapDrchronoError):
    """The host cannot be reached or answers nothing usable: stops all streams."""


class ThrottledError(HostError):
    """DrChrono throttles, and nobody wants to wait for the top of the hour."""


class SpentError(HostError):
    """No further request may be sent, and nobody wants to wait for the next hour."""


class OutputError(TapDrchronoError, OSError):
    """Standard output takes no more messages: stops all streams."""


class StreamError(TapDrchronoError):
    """One stream cannot be read on: the others still run."""


class RefusedError(StreamError):
    """DrChrono does not give this list to this authorization, or does not have it."""


class EndpointError(StreamError):
    """The host fails on one endpoint only: its stream is worth another try later."""


class Stopped(BaseException):
    """SIGTERM or Ctrl-C asked the tap to end.

    A `BaseException`, so that no handler for errors takes it for a failed try.

    Attributes:
        signum: The signal's number; the exit status is 128 + signum.
    """

    def __init__(self, signum: int) -> None:
        """Remember the signal.

        Args:
            signum: The signal's number.
        """
        super().__init__(f"Stopped by signal {signum}")
        self.signum = signum
