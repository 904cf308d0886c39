"""When to look whether a list is ready: learned from the lists before it."""

from __future__ import annotations

FIRST_LOOK = 0.5
"""Seconds before the first look at a list of which nothing is known."""

_LONGEST_STEP = 60.0
"""Seconds between two looks at the most."""

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
        self._observed = False

    def expected(self, records: int) -> float | None:
        """Estimate how long a list takes.

        Args:
            records: Records that the list will hold.

        Returns:
            Seconds from submission until it is ready, or None if none was observed.
        """
        if not self._observed:
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
            share = 1.0 if records < 50 else 0.25  # noqa: PLR2004 - a page of a few
            self._base = share * took
            self._per_record = (1 - share) * took / max(records, 1)
            self._observed = True
        elif too_early:
            self._scale(records, expected, ((too_early + ready) / 2 + expected) / 2)
        elif ready < expected * 1.2:
            # Ready at the first look: perhaps it was earlier. Shrink slowly, so that
            # only one look in many is wasted on finding out.
            self._scale(records, expected, expected * 0.998)

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

    def _scale(self, records: int, expected: float, wanted: float) -> None:
        """Change the estimate for lists of a size from one value to another."""
        if not self._per_record and expected < wanted:
            # So far only lists of a few records were seen: the rest is by the record.
            self._per_record = (wanted - self._base) / max(records, 1)
            return
        self._base *= wanted / expected
        self._per_record *= wanted / expected
