"""What an answer says of itself: said, not known.

Some servers count from 0, count the page instead of the list, or name another page size
than they serve. What was asked for and what was read decides; a claim is used only
where it agrees with both.
"""

from __future__ import annotations

import dataclasses
import typing as t

if t.TYPE_CHECKING:
    from collections.abc import Mapping


@dataclasses.dataclass(frozen=True)
class Claims:
    """The `pagination` of an answer.

    Attributes:
        page: Page number.
        size: Page size in records.
        count: Records in the whole list.
    """

    page: int | None = None
    size: int | None = None
    count: int | None = None

    @classmethod
    def read(cls, pagination: object) -> Claims:
        """Read what an answer holds under `pagination`.

        Args:
            pagination: As decoded; junk says nothing.

        Returns:
            The claims.
        """
        said: Mapping[str, object] = pagination if isinstance(pagination, dict) else {}
        return cls(
            _whole_number(said.get("page")),
            _whole_number(said.get("page_size"), least=1),
            _whole_number(said.get("count")),
        )

    def count_beyond(self, seen: int) -> int | None:
        """Use the count, unless it is smaller than what was seen.

        Args:
            seen: Records up to the end of the page that came.

        Returns:
            Records in the whole list, or None if that is not known.
        """
        return self.count if self.count is not None and self.count >= seen else None


class Count(t.NamedTuple):
    """What the answers of one reading said of how many records there are.

    Attributes:
        first: The first count, or None before there was one.
        last: The latest one.
        rises: Whether the latest is larger than the one before.
        has_changed: Whether one was another than the one before.
        is_denied: Whether there was one that could not be.
    """

    first: int | None = None
    last: int | None = None
    rises: bool = False
    has_changed: bool = False
    is_denied: bool = False

    def then(self, count: int) -> Count:
        """Take in another count.

        Args:
            count: Records of the stream in all.

        Returns:
            What is known with it.
        """
        first = count if self.first is None else self.first
        before = count if self.last is None else self.last
        return self._replace(
            first=first,
            last=count,
            rises=count > before,
            has_changed=self.has_changed or count != before,
        )

    def denied(self) -> Count:
        """Take in that a count is smaller than what was seen."""
        return self._replace(rises=False, is_denied=True)

    @property
    def grown(self) -> int:
        """Records that came in since the first count, at least."""
        if self.first is None or self.last is None:
            return 0
        return max(self.last - self.first, 0)


def _whole_number(value: object, least: int = 0) -> int | None:
    """Read a whole number that may have come as text."""
    if (
        isinstance(value, str)
        and value.isascii()
        and value.isdecimal()
        and len(value) < len("1" * 16)
    ):
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool) and value >= least:
        return value
    return None
