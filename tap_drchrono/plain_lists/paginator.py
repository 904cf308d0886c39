"""The paginator: follows `next`, and reads again where what it counts may move."""

from __future__ import annotations

import typing as t

from singer_sdk.pagination import BaseAPIPaginator
from typing_extensions import override

from tap_drchrono import timestamps
from tap_drchrono.errors import StreamError
from tap_drchrono.pages import Outcome, Page
from tap_drchrono.plain_lists.answers import Ask, PlainAnswer
from tap_drchrono.plain_lists.links import LinkError, counts, parameters
from tap_drchrono.plain_lists.newest import Newest
from tap_drchrono.plain_lists.settling import Settling

if t.TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Collection, Mapping

    import requests

    from tap_drchrono.endpoints import Endpoint
    from tap_drchrono.pages import Record
    from tap_drchrono.plain_lists.links import Parameters

_MOST_PAGES = 2000
"""Pages of a list: half a million records, four hours of requests."""
_MOST_PASSES = 5
"""Passes through a list of counted pages of which each one brings what was missed."""


class PlainSource(t.NamedTuple):
    """What is read.

    Attributes:
        endpoint: The list.
        paths: What the path of a `next` may be.
        parameters: What its first page is asked for with.
        changed: The field that tells when a record changed; None where none does.
        bookmark: The stored bookmark; None for none.
        written_from: The day of change from which records go out; None for all.
    """

    endpoint: Endpoint
    paths: Collection[str]
    parameters: Mapping[str, str]
    changed: str | None
    bookmark: str | None
    written_from: dt.date | None = None

    def first(self, turn: int = 1) -> Ask:
        """Ask for the first page.

        Args:
            turn: The pass that it begins.
        """
        return Ask(tuple(sorted(self.parameters.items())), turn=turn)


class PlainPaginator(BaseAPIPaginator[Ask | None]):
    """Follows the pages of one list.

    A cursor that names a position meets what does not change exactly once. Where pages
    are counted, or the records that share a position, the rest shifts where one is
    deleted or moves, and one that did not change is lost: such a list is read again
    until a pass brings nothing that was missed.
    """

    def __init__(self, source: PlainSource, warn: Callable[[str], None]) -> None:
        """Start with the first page.

        Args:
            source: What is read.
            warn: Says something once, without values.
        """
        first = source.first()
        super().__init__(first)
        self._source = source
        self._warn = warn
        self._newest = Newest(source.bookmark)
        self._next: Ask | None = first
        self._asked: set[Parameters] = {first.parameters}
        self._seen: dict[str, dt.datetime | None] = {}
        self._settling = Settling()
        self._settled = False
        self._astray_by: str | None = None
        self._is_counted = False
        self._pages_again = 0
        self.pages = 0
        self.records = 0
        self.twice = 0
        self.started: float | None = None

    @override
    def get_next(self, response: requests.Response) -> Ask | None:
        """Say what to ask next, or None at the end of the list.

        Raises:
            StreamError: If `next` does not lead on. The page that held it is out.
        """
        if self._astray_by is not None:
            endpoint = self._source.endpoint
            msg = (
                f"{endpoint.stream}: the address of the next page that DrChrono gives "
                f"for {endpoint.path} {self._astray_by}. Run the tap again later; if "
                "it stays, report it to DrChrono."
            )
            raise StreamError(msg)
        return self._next

    def page(self, answer: PlainAnswer) -> Page | None:
        """Take in the answer to the current token.

        Args:
            answer: The answer, read.

        Returns:
            Its records, without those that need not be written; the bookmark stays
            where it was, since no order is promised.
        """
        ask = t.cast("Ask", self.current_value)
        following = self._following(answer)
        if self.started is None:
            self.started = answer.at
        self._is_counted |= following is not None and counts(following)
        self.pages += 1
        self._pages_again += ask.turn > 1
        if self._source.changed:
            changes = [record.get(self._source.changed) for record in answer.records]
        else:
            changes = [None] * len(answer.records)
        self._newest.see(changes, self.started)
        records = [
            one for one in answer.records if self._is_wanted(one, ask.turn, answer.at)
        ]
        self.records += len(records)
        self._next = None if self._astray_by else self._after(ask, following)
        return Page(records, self._source.bookmark, self._source.bookmark)

    def outcome(self) -> Outcome:
        """Say what the read came to so far."""
        bookmark = self._source.bookmark
        if self._settled and self.started is not None:
            bookmark = self._newest.bookmark(self.started)
        return Outcome(
            bookmark,
            self.records,
            self.pages,
            reread=self._pages_again,
            started=self.started,
            whole=self._settled,
            twice=self.twice,
        )

    def _changed(self, record: Record) -> dt.datetime | None:
        """Read when a record changed."""
        name = self._source.changed
        return timestamps.parse(record.get(name)) if name else None

    def _is_wanted(self, record: Record, turn: int, at: float) -> bool:
        """Tell whether a record is to be written, and remember that it came."""
        key = record.get(self._source.endpoint.key)
        changed = self._changed(record)
        if isinstance(key, (str, int)):
            name = str(key)
            is_new = name not in self._seen
            self.twice += turn == 1 and not is_new
            self._settling.see(name, changed, at, is_new=is_new)
            if turn > 1 and not is_new and self._seen[name] == changed:
                return False
            self._seen[name] = changed
        day = self._source.written_from
        return day is None or changed is None or changed.date() >= day

    def _following(self, answer: PlainAnswer) -> Parameters | None:
        """Read where an answer says that the list goes on."""
        source = self._source
        try:
            return parameters(answer.next, source.parameters, source.paths)
        except LinkError as error:
            self._astray_by = str(error)
            return None

    def _after(self, ask: Ask, found: Parameters | None) -> Ask | None:
        """Say what to ask after a page."""
        if found is None:
            return self._after_pass(ask)
        if found in self._asked:
            self._astray_by = "leads to a page that was read before"
        elif ask.number >= _MOST_PAGES:
            self._astray_by = f"leads on after {_MOST_PAGES} pages"
        else:
            self._asked.add(found)
            return Ask(found, ask.number + 1, ask.turn)
        return None

    def _after_pass(self, ask: Ask) -> Ask | None:
        """Say whether the list is read, or has to be read again."""
        if (
            ask.number == 1
            or not self._is_counted
            or self._settling.ends_pass(t.cast("float", self.started))
        ):
            self._settled = True
        elif ask.turn >= _MOST_PASSES:
            self._warn(
                f"The list kept changing while it was read {_MOST_PASSES} times; a "
                "record may be missing until the next sync."
            )
        else:
            first = self._source.first(ask.turn + 1)
            self._asked = {first.parameters}
            return first
        return None
