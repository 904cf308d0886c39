"""What the records of all areas need: ids, references that fit, and names."""

from __future__ import annotations

import typing as t

from drchrono_sandbox.draw import Draw
from drchrono_sandbox.endpoints import SEEDS
from drchrono_sandbox.ledger.calendar import Calendar
from drchrono_sandbox.ledger.claims import patient_of
from drchrono_sandbox.pools import Pools, pools
from drchrono_sandbox.references import References, key_of
from drchrono_sandbox.stamps import DAY, day_text

if t.TYPE_CHECKING:
    from collections.abc import Mapping


class Common:
    """Ids and names of a practice.

    Attributes:
        seed: Other seeds give other practices.
        sizes: Records per stream at the start.
        start: Practice time of the oldest record, in seconds.
        calendar: When there are visits.
        ids: Draws ids of records.
        pools: Names and texts to draw from.
    """

    def __init__(
        self, seed: int, sizes: Mapping[str, int], start: int, end: int
    ) -> None:
        """Set up a practice.

        Args:
            seed: Other seeds give other practices.
            sizes: Records per stream at the start, for references that fit.
            start: Practice time of the oldest record, in seconds.
            end: When the practice closes on its last day, in seconds.
        """
        self.seed = seed
        self.sizes = sizes
        self.start = start
        self.calendar = Calendar(seed, start, end, sizes["appointments"])
        self.ids = References(sizes)
        self.pools: Pools = pools()

    def draw(self, stream: str, number: int) -> Draw:
        """Draw for a record.

        Args:
            stream: Its stream.
            number: Its number.

        Returns:
            Choices that are always the same.
        """
        return Draw(self.seed, SEEDS[stream], number)

    def key(self, stream: str, number: int) -> int | str:
        """Tell the public id of a record.

        Args:
            stream: The stream's name.
            number: The record's number.

        Returns:
            A string for appointments, else an integer.
        """
        if stream == "appointments":
            return self.appointment_id(number)
        return key_of(stream, number)

    def appointment_id(self, number: int) -> str:
        """Tell the public id of an appointment.

        Args:
            number: Its number.

        Returns:
            A number as text, or for one in 23 a series and a day.
        """
        base = 90_000_001 + number
        is_series = number % 23 == 11  # noqa: PLR2004 - always the same few
        if is_series and not Calendar.is_break(number):
            day = day_text(self.start + number * 7919 % 1500 * DAY)
            return f"{base}_{day}".replace("-", "")
        return str(base)

    def patient_of(self, visit: int) -> int:
        """Tell who comes to an appointment.

        Args:
            visit: The appointment's number.

        Returns:
            The patient's id.
        """
        number = patient_of(self.seed, visit, self.sizes["patients"])
        return key_of("patients", number)

    def doctor(self, number: int) -> int:
        """Tell the id of a doctor.

        Args:
            number: The doctor's number; it starts again where there are fewer.

        Returns:
            The id.
        """
        return key_of("doctors", number % max(1, self.sizes["doctors"]))

    def some_number(self, stream: str, draw: Draw) -> int:
        """Draw a record of the start.

        Args:
            stream: Its stream.
            draw: What decides.

        Returns:
            Its number.
        """
        return draw.below(max(1, self.sizes[stream]))

    def visit(self, draw: Draw) -> int:
        """Draw an appointment that has a patient.

        Args:
            draw: What decides.

        Returns:
            Its number.
        """
        number = self.some_number("appointments", draw)
        return number - 1 if Calendar.is_break(number) else number

    def reference(self, visit: int, draw: Draw) -> int | str:
        """Refer to an appointment as a number or as a string, as it happens.

        Args:
            visit: Its number.
            draw: What decides.

        Returns:
            Its id.
        """
        key = self.appointment_id(visit)
        return int(key) if key.isdigit() and draw.one_in(2) else key

    def user(self, draw: Draw) -> str:
        """Draw somebody who works there.

        Args:
            draw: What decides.

        Returns:
            The id of a user.
        """
        return str(self.ids.pick("users", draw))

    def phone(self, draw: Draw) -> str:
        """Invent a phone number.

        Args:
            draw: What decides.

        Returns:
            Such as `(123) 456-7890`.
        """
        return f"({draw.digits(3)}) {draw.digits(3)}-{draw.digits(4)}"

    def name(self, draw: Draw) -> str:
        """Invent a name.

        Args:
            draw: What decides.

        Returns:
            A first and a last name.
        """
        first, last = (
            draw.pick(self.pools.first_names),
            draw.pick(self.pools.last_names),
        )
        return f"{first} {last}"
