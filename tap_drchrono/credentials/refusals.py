"""What a 401 means: a token that is too new, one that ended, or an endpoint's own no.

DrChrono answers 401 for a token that expired or was replaced, for some moments also for
one that it has just made, and perhaps for an endpoint that the authorization is not
good for. Which it is shows in what other endpoints do with the same token.
"""

from __future__ import annotations

import enum

_WAITS = (1.0, 2.0, 4.0, 8.0, 15.0)
"""Seconds between the tries of a token that never worked; half a minute in all."""


class Verdict(enum.Enum):
    """What to do about a 401."""

    WAIT = enum.auto()
    """The token may be too new: try again a little later."""
    RENEW = enum.auto()
    """The token has ended: get another one, and try again."""
    GIVE_UP = enum.auto()
    """This endpoint is refused; others can be asked."""
    END = enum.auto()
    """No token is taken."""


class Refusals:
    """Judges each 401 by what was taken and refused before.

    A token that has worked has ended, and is replaced at once. One that never worked,
    or cannot be replaced, is tried for half a minute; then it is replaced once. An
    endpoint that still refuses it is given up; from there on only an endpoint that has
    taken a token before can show that the token is at fault.
    """

    def __init__(self, *, renewable: bool) -> None:
        """Begin with a token that was never tried.

        Args:
            renewable: Whether another token can be got.
        """
        self._renewable = renewable
        self._taken: set[str] = set()
        self._given_up: set[str] = set()
        self._in_doubt = False
        self._renewed_unproven = False
        self._worked = False
        self._waits = iter(_WAITS)
        self.wait = 0.0

    @property
    def any_taken(self) -> bool:
        """Whether some endpoint has taken some token."""
        return bool(self._taken)

    def accepted(self, path: str) -> None:
        """Note that an endpoint took the token.

        Args:
            path: The endpoint.
        """
        self._taken.add(path)
        self._worked = True
        self._in_doubt = self._renewed_unproven = False
        self._waits = iter(_WAITS)

    def renewed(self, *, spent: bool) -> None:
        """Go on with another token.

        Args:
            spent: Whether a refresh token was spent because this one was refused.
        """
        self._renewed_unproven = spent and not self._worked
        self._worked = False
        self._waits = iter(_WAITS)

    def refused(self, path: str) -> Verdict:
        """Judge a 401.

        Args:
            path: The endpoint that answered it.

        Returns:
            What to do. For `WAIT`, `wait` holds the seconds.
        """
        never_took = self.any_taken and path not in self._taken
        if path in self._given_up or (self._in_doubt and never_took):
            verdict = Verdict.GIVE_UP
        elif self._worked and self._renewable:
            verdict = Verdict.RENEW
        elif wait := next(self._waits, None):
            self.wait = wait
            verdict = Verdict.WAIT
        elif self._renewable and not self._renewed_unproven and not never_took:
            verdict = Verdict.RENEW
        elif self._in_doubt or (path in self._taken and not self._renewable):
            verdict = Verdict.END
        else:
            verdict = Verdict.GIVE_UP
        if verdict is Verdict.GIVE_UP and path not in self._given_up:
            self._given_up.add(path)
            self._in_doubt = True
        return verdict
