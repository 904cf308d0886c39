"""When to look whether a list is ready: learned from the lists before it."""

from __future__ import annotations

FIRST_LOOK = 0.5
"""Seconds before the first look at a list of which nothing is known."""

_LONGEST_STEP = 60.0
"""Seconds between two looks at the most."""

_FEW = 50
"""Records in a list that is taken to be ready after the base time."""

_LATE = 1.03
"""A look a little late costs less than one too early, which costs a request."""


def explore(age: float) -> float:
    """Say when to look again at a list of which nothing is known.

    Early and cheap: after 0.5, 1.2, 2.7 and 5.5 s, every 2.8 s up to 11 s, and then
    each time a quarter later.

    Args:
        age: Seconds between the list's submission and the look that was too early;
            0 before the first.

    Returns:
        The age in seconds at which to look next.
    """
    if age < FIRST_LOOK:
        return FIRST_LOOK
    step = max(min(1.2 * age + 0.1, 2.8), 0.25 * age)
    return age + min(step, _LONGEST_STEP)


class ListTimes:
    """How long the lists of one stream take: a base and a time for each record.

    Larger pages take longer to generate, so an observation is scaled by the records
    that the list holds.
    """

    def __init__(self) -> None:
        """Start without an observation."""
        self._base = 0.0
        self._per_record = 0.0
        self._largest: int | None = None

    def expected(self, records: int) -> float | None:
        """Estimate how long a list takes.

        Args:
            records: Records that the list will hold.

        Returns:
            Seconds from submission until it is ready, or None if no list of about
            that size or a larger one was observed.
        """
        if self._largest is None or records > 2 * self._largest + _FEW:
            return None
        return self._base + self._per_record * records

    def observe(self, records: int, too_early: float, ready: float) -> None:
        """Learn from a list that was found ready.

        Args:
            records: Records that it holds.
            too_early: Age in seconds at the last look that found it in progress; 0 if
                the first look found it ready.
            ready: Age in seconds at the look that found it ready.
        """
        expected = self.expected(records)
        if expected is None:
            took = (too_early + ready) / 2 if too_early else ready
            # Where nothing else is known, a quarter of the time is taken for the base.
            if self._largest is None:
                self._base = took if records < _FEW else took / 4
            self._base = min(self._base, took)
            self._per_record = (took - self._base) / max(records, 1)
        elif too_early:
            self._scale(((too_early + ready) / 2 + expected) / 2 / expected)
        elif ready < expected * 1.2:
            # Ready at the first look: perhaps it was earlier. Shrink slowly, so that
            # only one look in many is wasted on finding out.
            self._scale(0.9995)
        self._largest = max(self._largest or 0, records)

    def look_at(self, records: int, age: float, looks: int) -> float:
        """Say when to look at a list.

        Args:
            records: Records that it will hold.
            age: Seconds between its submission and the last look, 0 before the first.
            looks: Looks that found it in progress.

        Returns:
            The age in seconds at which to look next.
        """
        expected = self.expected(records)
        if expected is None:
            return explore(age)
        due = max(expected * _LATE, FIRST_LOOK)
        if not looks:
            return due
        step = max(0.5, 0.08 * expected) * 1.5 ** (looks - 1)
        return max(due, age + min(step, _LONGEST_STEP))

    def _scale(self, factor: float) -> None:
        """Change the estimate for lists of all sizes."""
        self._base *= factor
        self._per_record *= factor
