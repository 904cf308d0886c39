"""When the practice works: its visits, what came of them, and how fast money moves."""

from __future__ import annotations

import array
import dataclasses
import enum

from drchrono_sandbox.draw import Draw
from drchrono_sandbox.stamps import DAY

BREAK_EVERY = 19
"""One of so many appointments is a break: it has no patient and no note."""

_QUARTER = 900
_OPENS = 32
_OPEN_QUARTERS = 36
_LEAD_DAYS = 60
_SLOW_HISTORY = 300

_SCHEDULED_SEED = 52
_OUTCOME_SEED = 101


class Outcome(enum.Enum):
    """What came of a visit."""

    KEPT = "kept"
    NO_SHOW = "no show"
    CANCELLED = "cancelled"
    RESCHEDULED = "rescheduled"
    UPCOMING = "upcoming"


_PAST = (
    *[Outcome.KEPT] * 32,
    *[Outcome.NO_SHOW] * 4,
    *[Outcome.CANCELLED] * 3,
    Outcome.RESCHEDULED,
)


@dataclasses.dataclass(frozen=True, slots=True)
class Calendar:
    """The time that a practice's first records span; all times are practice seconds.

    Attributes:
        seed: Other seeds give other practices.
        start: When the first record was made.
        end: When the practice closes on its last day: what lies later is to come.
        visits: Appointments at the start.
        pace: How many seconds a day of waiting takes: fewer where the history is short.
    """

    seed: int
    start: int
    end: int
    visits: int
    pace: int = dataclasses.field(init=False)
    _scheduled: array.array[int] = dataclasses.field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Set the pace, and schedule the appointments of the start."""
        pace = min(DAY, (self.end - self.start) // _SLOW_HISTORY)
        object.__setattr__(self, "pace", pace)
        moments = (self._schedule(n, self.created(n)) for n in range(self.visits))
        object.__setattr__(self, "_scheduled", array.array("q", moments))

    def created(self, visit: int) -> int:
        """Tell when an appointment of the start was made.

        Args:
            visit: Its number.

        Returns:
            Practice time in seconds.
        """
        return self.start + (self.end - self.start) * visit // max(1, self.visits)

    def scheduled(self, visit: int, created: int | None = None) -> int:
        """Tell when an appointment takes place.

        Args:
            visit: Its number.
            created: When it was made, for an appointment that is none of the start.

        Returns:
            Practice time in seconds, on a quarter of an hour of the daytime.
        """
        if visit < self.visits:
            return self._scheduled[visit]
        return self._schedule(
            visit, self.created(visit) if created is None else created
        )

    def _schedule(self, visit: int, made: int) -> int:
        draw = Draw(self.seed, _SCHEDULED_SEED, visit)
        day = made // DAY + draw.below(_LEAD_DAYS)
        return day * DAY + (_OPENS + draw.below(_OPEN_QUARTERS)) * _QUARTER

    def outcome(self, visit: int, scheduled: int) -> Outcome:
        """Tell what came of an appointment.

        Args:
            visit: Its number.
            scheduled: When it takes place.

        Returns:
            The outcome as of the end of the calendar.
        """
        if scheduled > self.end:
            return Outcome.UPCOMING
        return Draw(self.seed, _OUTCOME_SEED, visit).pick(_PAST)

    def later(self, moment: int, days: float) -> int:
        """Wait for some days, or for less where the whole history is short.

        Args:
            moment: From when on.
            days: How long in a history of a year or more.

        Returns:
            Practice time in seconds.
        """
        return moment + int(days * self.pace)

    @staticmethod
    def is_break(visit: int) -> bool:
        """Tell whether an appointment is a break.

        Args:
            visit: Its number.

        Returns:
            Whether it has no patient.
        """
        return visit % BREAK_EVERY == BREAK_EVERY - 1
