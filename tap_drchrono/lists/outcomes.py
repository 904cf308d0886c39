"""How a reading ended, and where that leaves the bookmark."""

from __future__ import annotations

import typing as t

from tap_drchrono.pages import Outcome, Shortage

if t.TYPE_CHECKING:
    from tap_drchrono.lists.reading.reading import Reading


def outcome_of(reading: Reading, resubmitted: int) -> Outcome:
    """Say what a reading came to so far.

    A shortage holds the bookmark once. The next sync that reads the same stretch to its
    end settles it: what is short then is DrChrono's way of counting. So is, at once,
    what is short in a stretch longer than page numbers reach.

    Args:
        reading: The reading.
        resubmitted: Lists asked for again.

    Returns:
        The outcome.
    """
    evidence, bookmark = reading.now.evidence, reading.bookmark
    adds_up = reading.done and reading.is_complete and reading.adds_up
    shortage = reading.source.shortage
    if reading.done and reading.is_complete:
        shortage = None
        if adds_up or reading.is_settled:
            reading.let_bookmark_go()
        else:
            shortage = Shortage(evidence.short)
    return Outcome(
        bookmark.value,
        evidence.position,
        reading.pages,
        resubmitted,
        reading.gaps,
        whole=adds_up and not reading.is_left,
        shortage=shortage,
    )
