"""Cheap reproducible choices: the same numbers give the same record, at any time."""

from __future__ import annotations

import typing as t

if t.TYPE_CHECKING:
    from collections.abc import Sequence

T = t.TypeVar("T")

_MASK = (1 << 64) - 1
_STEP = 6364136223846793005
_ADD = 1442695040888963407


class Draw:
    """A stream of choices that depends on its seeds only.

    A page of a thousand records draws some ten thousand times, so this is a plain
    linear congruence rather than the `random` module, whose seeding alone costs more
    than a whole record here.
    """

    __slots__ = ("_state",)

    def __init__(self, *seeds: int) -> None:
        """Mix the seeds.

        Args:
            seeds: For instance the practice's seed, the stream, the record's number.
        """
        state = 0
        for seed in seeds:
            state = ((state ^ (seed + 1)) * _STEP + _ADD) & _MASK
            state ^= state >> 29
        self._state = state

    def below(self, limit: int) -> int:
        """Draw a number from 0 to `limit - 1`.

        Args:
            limit: At least 1.

        Returns:
            The number.
        """
        self._state = state = (self._state * _STEP + _ADD) & _MASK
        return (state >> 33) % limit

    def one_in(self, limit: int) -> bool:
        """Draw something rare.

        Args:
            limit: True once in so many draws.

        Returns:
            Whether it happened.
        """
        return self.below(limit) == 0

    def pick(self, values: Sequence[T]) -> T:
        """Draw from a pool.

        Args:
            values: Not empty.

        Returns:
            One of them.
        """
        return values[self.below(len(values))]

    def digits(self, count: int) -> str:
        """Draw a text of digits that doesn't begin with 0.

        Args:
            count: How many.

        Returns:
            The text.
        """
        least: int = 10 ** (count - 1)
        return str(least + self.below(9 * least))

    def money(self, top: int = 400) -> str | None:
        """Draw an amount as the API writes it: a string, now and then empty or null.

        Args:
            top: Upper limit in whole units.

        Returns:
            Such as `"125.00"`.
        """
        kind = self.below(40)
        if kind == 0:
            return ""
        if kind == 1:
            return None
        return f"{self.below(top)}.{self.below(100):02d}"
