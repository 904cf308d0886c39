"""What decides a stream's run, and what the run leaves: catalog entry and state."""

from __future__ import annotations

import abc
import typing as t
from functools import cached_property

from singer_sdk.singerlib.catalog import REPLICATION_FULL_TABLE, Metadata
from singer_sdk.singerlib.messages import StateMessage
from singer_sdk.streams.rest import RESTStream
from typing_extensions import override

from tap_drchrono import bookmarks, states, timestamps
from tap_drchrono.pages import Shortage
from tap_drchrono.stream_maps import Columns
from tap_drchrono.streams import selection

if t.TYPE_CHECKING:
    import datetime as dt

    from singer_sdk.helpers import types
    from singer_sdk.singerlib import Catalog, MetadataMapping

    from tap_drchrono.engine import Engine

Token = t.TypeVar("Token")


class StatefulStream(RESTStream[Token], abc.ABC):
    """A stream between two runs.

    Attributes:
        engine: What the streams of a sync share.
    """

    engine: Engine

    @abc.abstractmethod
    def warn_once(self, message: str) -> None:
        """Log a warning unless this stream gave it already.

        Args:
            message: The warning, without a value of a record.
        """

    # The catalog

    @property
    @override
    def metadata(self) -> MetadataMapping:
        """The catalog's metadata; in discovery, with the fields in arrays too."""
        found = super().metadata
        if self._tap.input_catalog is None:
            for breadcrumb in selection.breadcrumbs(self.schema):
                if breadcrumb not in found:
                    inclusion = Metadata.InclusionType.AVAILABLE
                    found[breadcrumb] = Metadata(inclusion=inclusion)
        return found

    @property
    def selected_schema(self) -> dict[str, t.Any]:
        """The columns that are selected."""
        return selection.selected_schema(self.schema, self.mask)

    @property
    def columns(self) -> Columns:
        """What stream maps may name."""
        every, selected = self.schema, self.selected_schema
        return Columns(
            every["properties"], selected["properties"], self.primary_keys[0]
        )

    def warn_of_selection(self) -> None:
        """Say what of the selection is not clear, or concerns no field."""
        found = selection.warnings(self.name, self.schema, self.metadata)
        for warning in found:
            self.warn_once(warning)

    @override
    def apply_catalog(self, catalog: Catalog) -> None:
        """Take selection and replication method from a catalog.

        Args:
            catalog: The catalog passed to the tap.
        """
        super().apply_catalog(catalog)
        # The SDK also looks for the method in the metadata, where it may be another.
        entry = catalog.get_stream(self.name)
        self.forced_replication_method = entry.replication_method if entry else None

    # The state

    @property
    def incremental(self) -> bool:
        """Whether the stream keeps a bookmark."""
        return self.replication_method != REPLICATION_FULL_TABLE

    @property
    def stored_bookmark(self) -> str | None:
        """The bookmark of the previous run; junk counts as none."""
        return self._stored().bookmark

    @property
    def lies_ahead(self) -> bool:
        """Whether the bookmark lies so far ahead that the clock may be wrong."""
        value = self.stream_state.get("replication_key_value")
        today = bookmarks.utc_day(self.engine.clock.now())
        is_moment = timestamps.parse(value) is not None
        return is_moment and not bookmarks.is_usable(value, today)

    def first_day(self) -> tuple[dt.date, bool]:
        """Say from which day to read.

        Returns:
            The day, never one that has yet to come less the lookback; and whether a
            bookmark decided it.
        """
        lookback = self.config["lookback_days"]
        day, resumed = bookmarks.since(
            self.stored_bookmark, self.config.get("start_date"), lookback
        )
        if resumed:
            today = bookmarks.utc_day(self.engine.clock.now())
            day = min(day, timestamps.days_before(today, lookback))
        return day, resumed

    @cached_property
    def covered_from(self) -> dt.date | None:
        """The day from which on the stream is in the warehouse, once this run is over.

        None for all that there is, or where that is not known.
        """
        stored = self._stored()
        if stored.bookmark is not None:
            return stored.covered_from
        day, _ = bookmarks.since(None, self.config.get("start_date"), 0)
        return day if day > timestamps.EVERYTHING else None

    @property
    def starts_too_late(self) -> bool:
        """Whether `start_date` lies before what the state covers."""
        day, _ = bookmarks.since(None, self.config.get("start_date"), 0)
        return self.covered_from is not None and day < self.covered_from

    def _stored(self) -> states.Stored:
        """Read what the state holds of the stream."""
        if not self.incremental:
            return states.Stored()
        today = bookmarks.utc_day(self.engine.clock.now())
        stored = states.read(self.stream_state, str(self.replication_key), today)
        if not stored.is_usable:
            self.warn_once(
                "The bookmark in the state cannot be used. Reading from start_date. "
                f"{states.HOW_TO_KEEP}"
            )
        return stored

    @override
    def get_replication_key_signpost(
        self, context: types.Context | None = None
    ) -> None:
        """Compare no bookmark with the machine's clock."""

    def begin(self) -> None:
        """Let the state say where the run starts, before any stream is read.

        So a full refresh that fails is one for each stream until it is finished.
        """
        if self.incremental:
            self._keep(self.stored_bookmark)

    def _claim(self, bookmark: str | None) -> None:
        """Write a STATE with a bookmark that holds now.

        Args:
            bookmark: The bookmark; None for none. That is written out: Meltano merges
                states, so what is left out would keep an older value.
        """
        if self.incremental:
            self._keep(bookmark)
        else:
            states.clear(self.stream_state)
        self.write_state()

    def _keep(self, bookmark: str | None) -> None:
        """Put a bookmark into the state."""
        # The state changes only then: until now it says where the run started.
        covered = self.covered_from
        key = str(self.replication_key)
        states.write(self.stream_state, key, bookmark, covered)

    @property
    def noted_shortage(self) -> Shortage | None:
        """What the run before noted: records counted that did not come."""
        return Shortage.of(self.stream_state.get(states.SHORTAGE))

    def _note(self, shortage: Shortage | None) -> None:
        """Put a shortage into the state.

        Args:
            shortage: The shortage; None for none.
        """
        if self.incremental:
            note = shortage.note() if shortage else None
            self.stream_state[states.SHORTAGE] = note

    def write_state(self) -> None:
        """Write a STATE, with the bookmark that was claimed last."""
        self._tap.write_message(StateMessage(value=self.tap_state))
