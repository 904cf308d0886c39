"""The state between two runs: its form, and what is understood of other forms.

Meltano merges a new state into the old one and never deletes a key. So what does not
hold any more is written as null, a null bookmark says "from the start", and a note is
never an object: Meltano fails where one meets a null. Version 0.1.0 reads these states,
and its own are read here.
"""

from __future__ import annotations

import datetime as dt
import typing as t

from tap_drchrono import bookmarks

if t.TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

Entry: t.TypeAlias = dict[str, t.Any]
"""What a state holds of one stream."""

_KEY, _VALUE = "replication_key", "replication_key_value"
_COVERED_FROM = "covered_from"
SHORTAGE = "shortage"
"""Where it is noted how many records are counted and did not come."""
_FOREIGN = ("partitions", "progress_markers")
"""What states of other taps hold of a stream, and this one never."""
_KNOWN = frozenset(
    {_KEY, _VALUE, _COVERED_FROM, SHORTAGE, "pages", "read_at", *_FOREIGN}
    | {"replication_key_signpost", "starting_replication_value"}
)
"""What a stream's part may hold; the last two are the SDK's."""
HOW_TO_KEEP = "To keep a bookmark, write it as docs/incremental.md shows."
"""What to do where a state's form is not understood."""


class Stored(t.NamedTuple):
    """What the run before left of a stream.

    Attributes:
        bookmark: Its bookmark; None means from the start.
        covered_from: The day from which on it was read; None for all that there was,
            or where that is not known.
        is_usable: Whether what stands for a bookmark is one.
    """

    bookmark: str | None = None
    covered_from: dt.date | None = None
    is_usable: bool = True


def read(entry: Mapping[str, t.Any], replication_key: str, today: dt.date) -> Stored:
    """Read what a state holds of a stream.

    Args:
        entry: The stream's part of the state.
        replication_key: The column that the bookmark must be of.
        today: The day in UTC.

    Returns:
        What is left of it.
    """
    value = entry.get(_VALUE)
    if value is None:
        return Stored()
    of_another = entry.get(_KEY, replication_key) != replication_key
    if of_another or not bookmarks.is_usable(value, today):
        return Stored(is_usable=False)
    return Stored(str(value), _day(entry.get(_COVERED_FROM)))


def _day(value: object) -> dt.date | None:
    """Read the day of a note; junk counts as none."""
    try:
        return dt.date.fromisoformat(str(value))
    except ValueError:
        return None


def write(
    entry: Entry, replication_key: str, bookmark: str | None, covered: dt.date | None
) -> None:
    """Put a bookmark into a state.

    Args:
        entry: The stream's part of the state; it is changed.
        replication_key: The column that the bookmark is of.
        bookmark: The bookmark; None for "from the start".
        covered: The day from which on the stream was read, as `Stored` has it.
    """
    entry[_KEY] = replication_key
    entry[_VALUE] = bookmark
    entry[_COVERED_FROM] = covered and covered.isoformat()
    # A run that was given no state may follow others that noted something.
    entry.setdefault(SHORTAGE, None)
    _leave_out_foreign(entry)


def clear(entry: Entry) -> None:
    """Leave a state without a bookmark, for a stream that is read whole each time.

    Args:
        entry: The stream's part of the state; it is changed.
    """
    for name in (_KEY, _VALUE, _COVERED_FROM, SHORTAGE):
        entry.pop(name, None)
    _leave_out_foreign(entry)


def _leave_out_foreign(entry: Entry) -> None:
    """Write as null what another tap wrote, once that was told."""
    entry.update({name: None for name in _FOREIGN if name in entry})


def entries(state: Mapping[str, t.Any]) -> dict[str, Entry]:
    """Pick what a state holds of streams.

    Args:
        state: As handed in, in whatever form.

    Returns:
        The part of each stream; what is no such part is left out, and a bookmark in
        another form is null.
    """
    return {
        name: entry | dict.fromkeys(_of_another_form(entry))
        for name, entry in _parts(state).items()
    }


def _parts(state: Mapping[str, t.Any]) -> dict[str, Entry]:
    """Pick the part of each stream, as it is."""
    found = state.get("bookmarks")
    if not isinstance(found, dict):
        return {}
    return {name: one for name, one in found.items() if isinstance(one, dict)}


def _of_another_form(entry: Entry) -> list[str]:
    """Name what may be a bookmark as another tap writes it, such as `updated_at`."""
    if entry.get(_VALUE) is not None:
        return []
    return [
        name
        for name, value in entry.items()
        if name not in _KNOWN and value is not None
    ]


def warnings(state: Mapping[str, t.Any], streams: Collection[str]) -> Iterator[str]:
    """Say what of a state is not understood, each with what to do.

    Args:
        state: As handed in, in whatever form.
        streams: All streams of the tap, by name.

    Yields:
        One line for each kind; it holds no value of the state.
    """
    found = state.get("bookmarks")
    kept = _parts(state)
    bare = [name for name in streams if name in state and name not in kept]
    if bare:
        yield (
            f"The state holds {', '.join(bare)} beside bookmarks instead of below it, "
            "as older taps write it; that counts as none, so they are read from "
            f"start_date. {HOW_TO_KEEP}"
        )
    elif found is None and isinstance(state.get("value"), dict):
        yield (
            "The state is a whole STATE message; it counts as none. Give the tap what "
            "stands below value in it."
        )
    elif state and (not isinstance(found, dict) or len(kept) < len(found)):
        yield (
            "The state holds bookmarks that cannot be read; they count as none. Those "
            f"streams are read from start_date. {HOW_TO_KEEP}"
        )
    other = [name for name in streams if _of_another_form(kept.get(name, {}))]
    if other:
        yield (
            f"The state holds bookmarks of {', '.join(other)} in another tap's form; "
            "they count as none. Those streams are read from start_date. "
            f"{HOW_TO_KEEP}"
        )
    for kind in _FOREIGN:
        of = [name for name in streams if kept.get(name, {}).get(kind)]
        if of:
            yield (
                f"The state holds {kind} of {', '.join(of)}, as another tap writes "
                "them; they are left out. A stream without a bookmark beside them is "
                f"read from start_date. {HOW_TO_KEEP}"
            )
