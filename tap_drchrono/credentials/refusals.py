"""What a 401 means: a token that is too new, one that ended, or an endpoint's own no.

DrChrono answers 401 for a token that expired or was replaced, for some moments also for
one that it has just made, and perhaps for an endpoint that the authorization is not
good for. Which it is shows in what another endpoint does with the same token.
"""

from __future__ import annotations

import enum
import typing as t

if t.TYPE_CHECKING:
    from collections.abc import Sequence

_WAITS = (1.0, 2.0, 4.0, 8.0, 15.0)
"""Seconds between the tries of a token that nobody takes; half a minute in all."""
_WAITS_OF_ONE = (1.0, 2.0, 4.0)
"""Seconds between the tries of a token that others take."""
_YOUNG = 30.0
"""Seconds after which a token is known to all of DrChrono."""
_MANY = 6
"""Endpoints that hardly refuse a token each for a reason of its own."""


class Elsewhere(enum.Enum):
    """What another endpoint does with the token that one has refused."""

    TAKEN = enum.auto()
    REFUSED = enum.auto()
    """By one that took a token before, by half a dozen, or by all that there are."""
    UNKNOWN = enum.auto()
    """There is none to ask, or it gave no usable answer, or not all were asked."""


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
    """Judges each 401 by what another endpoint does with the same token.

    ====================  ===========================  ===============================
    elsewhere it is       the token so far             verdict
    ====================  ===========================  ===============================
    taken                 young, or taken here before  WAIT 1, 2 and 4 s, then GIVE_UP
    taken                 any other                    WAIT 1 s, then GIVE_UP
    refused, or unknown   taken, and renewable         RENEW: it has ended
    refused, or unknown   any other                    WAIT, half a minute in all
    after half a minute   renewable                    RENEW, once
    then, if refused      any                          END: no token is taken
    then, if unknown      one was ever taken here      END
    then, if unknown      none was                     GIVE_UP
    ====================  ===========================  ===============================

    Where another takes it, one more try shows that this endpoint was not just asked
    before everyone took the token again; a few more, that what is known of a token has
    come to all of DrChrono. An endpoint that was given up stays so.
    """

    def __init__(self, *, renewable: bool) -> None:
        """Begin with a token that was never tried.

        Args:
            renewable: Whether another token can be got.
        """
        self._renewable = renewable
        self._ever_taken: set[str] = set()
        self._given_up: set[str] = set()
        self._tries_of_one: dict[str, int] = {}
        self._renewed_unproven = False
        self._forget()
        self.wait = 0.0

    def _forget(self) -> None:
        """Forget what was learned of the token before."""
        self._taken: set[str] = set()
        self._refused: set[str] = set()
        self._waits = iter(_WAITS)

    @property
    def any_taken(self) -> bool:
        """Whether some endpoint has taken some token."""
        return bool(self._ever_taken)

    def accepted(self, path: str) -> None:
        """Note that an endpoint took the token.

        Args:
            path: The endpoint.
        """
        self._taken.add(path)
        self._ever_taken.add(path)
        self._refused.discard(path)
        self._tries_of_one.pop(path, None)
        self._renewed_unproven = False
        self._waits = iter(_WAITS)

    def renewed(self, *, spent: bool) -> None:
        """Go on with another token.

        Args:
            spent: Whether a refresh token was spent because this one was refused.
        """
        self._renewed_unproven = spent and not self._taken
        self._forget()

    def is_given_up(self, path: str) -> bool:
        """Tell whether an endpoint is known to refuse.

        Args:
            path: The endpoint.
        """
        return path in self._given_up

    def compare_with(self, path: str, others: Sequence[str]) -> str | None:
        """Say which other endpoint to ask with the same token.

        Args:
            path: The endpoint that refused it.
            others: Those that can be asked, the best first.

        Returns:
            One that took the token, else one that was not asked yet, else any; None if
            there is none but those that are known to refuse.
        """
        known = [one for one in others if one != path and one not in self._given_up]
        return min(
            known,
            key=lambda one: (one not in self._taken, one in self._refused),
            default=None,
        )

    def refused_elsewhere(self, path: str, others: Sequence[str]) -> Elsewhere:
        """Note that an endpoint that was asked to compare has refused the token.

        Args:
            path: The endpoint.
            others: All that can be asked.

        Returns:
            What that shows. One that never took a token may refuse for itself.
        """
        self._refused.add(path)
        unasked = set(others) - self._refused - self._given_up
        is_clear = (
            path in self._ever_taken or not unasked or len(self._refused) >= _MANY
        )
        return Elsewhere.REFUSED if is_clear else Elsewhere.UNKNOWN

    def refused(self, path: str, elsewhere: Elsewhere, age: float) -> Verdict:
        """Judge a 401.

        Args:
            path: The endpoint that answered it.
            elsewhere: What another one did with the same token since.
            age: Seconds since the token was made; infinite where that is not known.

        Returns:
            What to do. For `WAIT`, `wait` holds the seconds.
        """
        if path in self._given_up:
            return Verdict.GIVE_UP
        if elsewhere is Elsewhere.TAKEN:
            verdict = self._refused_here_alone(path, age)
        elif self._taken and self._renewable:
            verdict = Verdict.RENEW
        elif wait := next(self._waits, None):
            self.wait = wait
            verdict = Verdict.WAIT
        elif self._renewable and not self._renewed_unproven:
            verdict = Verdict.RENEW
        elif elsewhere is Elsewhere.REFUSED or path in self._ever_taken:
            verdict = Verdict.END
        else:
            verdict = Verdict.GIVE_UP
        self._refused.add(path)
        if verdict is Verdict.GIVE_UP:
            self._given_up.add(path)
        return verdict

    def _refused_here_alone(self, path: str, age: float) -> Verdict:
        """Judge a 401 for a token that another endpoint has taken since."""
        tries = self._tries_of_one.get(path, 0)
        patient = path in self._taken or age < _YOUNG
        waits = _WAITS_OF_ONE if patient else _WAITS_OF_ONE[:1]
        if tries >= len(waits):
            return Verdict.GIVE_UP
        self._tries_of_one[path] = tries + 1
        self.wait = waits[tries]
        return Verdict.WAIT
