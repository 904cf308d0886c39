"""What is known of a reading, on every page, and what may be claimed of it.

The bookmark may cover only what is proven: as many distinct records were read as lie
before the position, in order.
"""

from __future__ import annotations

import typing as t


class Evidence(t.NamedTuple):
    """What the pages of one reading add up to.

    Attributes:
        position: Records of the list that lie before the place where the reading is.
        distinct: Records read, each once; one that changed so long ago that it is not
            remembered counts as another.
        counted: Records up to the furthest page's end, by what was asked and counted.
        unlisted: Records that the pages counted, and did not list.
        between: Those of them behind which others were listed.
        excess: Records that are counted behind the last one that is listed.
        entered: Records that may have come in before the position, in an order in
            which that is no sign of a loss.
        tied: Whether records of one value, too many for one page, come in another
            order each time.
        doubted: Whether records were missing or tied at some page.
    """

    position: int = 0
    distinct: int = 0
    counted: int = 0
    unlisted: int = 0
    between: int = 0
    excess: int = 0
    entered: int = 0
    tied: bool = False
    doubted: bool = False

    @property
    def missing(self) -> int:
        """Records that lie before the position and were not read, if above zero.

        A record that was read and then changed or was deleted does not lie before the
        position. Until it comes again it can hide such a loss, but never look like one.
        """
        return self.position - self.distinct - self.entered

    @property
    def short(self) -> int:
        """Records that should have come and did not."""
        return max(self.missing, self.unlisted, self.excess, 0)

    @property
    def is_whole(self) -> bool:
        """Whether all that lies before the position was read."""
        return not (self.short or self.tied)

    @property
    def is_clean(self) -> bool:
        """Whether that holds, and has held at each page."""
        return self.is_whole and not self.doubted

    @property
    def only_counts_more(self) -> bool:
        """Whether all that is short is counted behind the last record listed."""
        others = self.missing > 0 or self.between or self.tied or self.doubted
        return self.excess > 0 and not others

    def after(
        self, *, end: int, fresh: int, counted: int, entered: int, tied: bool
    ) -> Evidence:
        """Take in a page that continues what was read.

        Args:
            end: Records up to its end.
            fresh: Its records that were not read before, in whatever version.
            counted: Records up to its end, by what was asked and counted.
            entered: Records that may have come in before the position.
            tied: Whether it begins within a tie that cannot be told apart.

        Returns:
            The evidence with it.
        """
        unlisted = counted - max(end, self.counted)
        now = self._replace(
            position=end,
            distinct=self.distinct + fresh,
            counted=max(counted, self.counted),
            unlisted=self.unlisted + max(unlisted, 0),
            between=self.unlisted if fresh else self.between,
            entered=entered,
            tied=self.tied or tied,
        )
        return now._replace(doubted=now.doubted or now.tied or now.missing > 0)

    def lacking(self, excess: int) -> Evidence:
        """Take in that records behind the position are counted, and not listed.

        Args:
            excess: How many.

        Returns:
            The evidence with it.
        """
        return self._replace(excess=max(self.excess, excess))
