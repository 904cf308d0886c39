"""The order of a sync: what is asked for first, and whom a failure concerns."""

from __future__ import annotations

import logging
import typing as t

from tap_drchrono.advice import without_state
from tap_drchrono.errors import (
    EndpointError,
    OutputError,
    RefusedError,
    StreamError,
    TapDrchronoError,
)
from tap_drchrono.report import describe_crash
from tap_drchrono.run_log.summary import table
from tap_drchrono.streams.base import REFUSED
from tap_drchrono.streams.bulk import BulkListStream
from tap_drchrono.streams.readiness import lacking_scopes

if t.TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tap_drchrono.engine import Engine
    from tap_drchrono.streams.catalogue import AnyStream


class Order(t.NamedTuple):
    """Reads streams one after the other; the trouble of one does not cost the others.

    Attributes:
        streams: The streams, in the order in which they are read.
        engine: What they share.
        logger: Says what became of them.
    """

    streams: Sequence[AnyStream]
    engine: Engine
    logger: logging.Logger

    def barred(self) -> Mapping[str, StreamError]:
        """Say which streams the authorization is not enough for.

        Returns:
            Why some are not to be read, by name.
        """
        granted = self.engine.authenticator.granted()
        lacking = lacking_scopes(self.streams, granted)
        for line in lacking.warnings:
            self.logger.warning("%s", line)
        return lacking.errors

    def warn_of_an_earlier_start(self) -> None:
        """Say where start_date was moved before what was read, which moves nothing."""
        late = [stream.name for stream in self.streams if stream.starts_too_late]
        if late:
            self.logger.warning(
                "start_date lies before what the state covers of %s: older records are "
                "not read. To read them, run once %s.",
                ", ".join(late),
                without_state(),
            )

    def submit_first_lists(self, barred: Mapping[str, StreamError]) -> None:
        """Let DrChrono generate the first bulk lists while plain ones are read.

        Args:
            barred: Why some streams are not to be read, by name.
        """
        streams = [one for one in self.streams if one.name not in barred]
        bulk = [one for one in streams if isinstance(one, BulkListStream)]
        self.engine.budget.expect(stream.source().first_list() for stream in bulk)
        if bulk and bulk[0] is not streams[0]:
            bulk[0].submit_ahead()

    def read_all(self, barred: Mapping[str, StreamError]) -> list[str]:
        """Read streams, and write down what each came to, however that ends.

        A list that nobody asked for, and that is refused, is no failure. A stream whose
        endpoint fails, while others answer, is tried once more after them.

        Args:
            barred: Why some are not to be read, by name.

        Returns:
            The names of those that could not be read.
        """
        failed: list[str] = []
        aside: list[AnyStream] = []
        is_through = False
        try:
            for stream in self.streams:
                error = barred.get(stream.name) or self._read(stream)
                if isinstance(error, EndpointError):
                    self.logger.warning("%s It is tried once more at the end.", error)
                    aside.append(stream)
                elif self._is_failed(stream, error):
                    failed.append(stream.name)
            failed += [
                stream.name
                for stream in aside
                if self._is_failed(stream, self._read(stream))
            ]
            is_through = True
        finally:
            tallies = [stream.tally for stream in self.streams if stream.tally]
            # Of a run that ended before its first page, the error says all.
            if any(is_through or tally.pages for tally in tallies):
                for line in table([stream.row() for stream in self.streams]):
                    self.logger.info("%s", line)
        return failed

    def _is_failed(self, stream: AnyStream, error: StreamError | None) -> bool:
        """Say what a stream came to, if it could not be read, and whether that counts.

        Args:
            stream: The stream.
            error: Why it could not be read; None where it was.
        """
        if error is None:
            return False
        if isinstance(error, RefusedError) and not stream.is_asked_for:
            stream.troubled(REFUSED, str(error))
            # Where a scope is lacking, that was told, for all streams at once.
            lacks = stream.endpoint().lacks(self.engine.authenticator.scope)
            self.logger.log(logging.INFO if lacks else logging.WARNING, "%s", error)
            return False
        stream.troubled("failed", str(error))
        self.logger.error("%s", error)
        return True

    def _read(self, stream: AnyStream) -> StreamError | None:
        """Read one stream.

        Args:
            stream: The stream.

        Returns:
            Why it cannot be read on, in one line; None where it was read.

        Raises:
            TapDrchronoError: If what failed concerns every stream.
            Stopped: If the tap was asked to stop.
        """
        try:
            stream.sync()
        except StreamError as error:
            problem = error
        except OutputError:
            raise
        except TapDrchronoError:
            stream.write_state()
            raise
        except Exception as error:  # noqa: BLE001 - the other streams still run
            problem = StreamError(f"{stream.name}: {describe_crash(error)}")
        else:
            return None
        stream.write_state()
        return problem
