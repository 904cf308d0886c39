"""The same as a tap and a sandbox of their own, without sockets and without waiting."""

from __future__ import annotations

import contextlib
import time
import typing as t

import simulated
from drchrono_sandbox import Api, Practice
from process import Tap

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from drchrono_sandbox import Fault, Settings
    from target import Ended


class Offline(t.NamedTuple):
    """A sandbox that is not on the network.

    Attributes:
        url: What the tap takes for its base URL.
        api: The API itself.
        clock: The time of both.
    """

    url: str
    api: Api
    clock: simulated.SimulatedClock


@contextlib.contextmanager
def offline(
    settings: Settings | None = None,
    *,
    practice: Practice | None = None,
    faults: Iterable[Fault | dict[str, t.Any]] = (),
    now: float | None = None,
) -> Iterator[Offline]:
    """Set up a sandbox; the arguments are those of the sandbox's `serve`.

    Its time begins at `now`, in seconds since the epoch; else at the machine's.
    """
    clock = simulated.SimulatedClock(time.time() if now is None else now)
    practice = practice or Practice.generate(records=3, now=clock.time)
    api = Api(practice, settings, clock=clock.now, faults=faults)
    yield Offline(simulated.URL, api, clock)


class OfflineTap(Tap):
    """Runs the command line in this process, on the sandbox's clock."""

    def __init__(self, home: Path, source: Offline, **config: t.Any) -> None:
        super().__init__(home, **config)
        self._source = source

    def with_settings(self, **config: t.Any) -> Tap:
        """A tap with further settings."""
        return OfflineTap(self.home, self._source, **(self.config | config))

    def run(
        self,
        *args: str,
        catalog: object = None,
        state: object = None,
        level: str = "INFO",
        **_: t.Any,
    ) -> Ended:
        """Run the tap to its end."""
        return simulated.run(
            self._source.api,
            self._source.clock,
            self.home,
            self.config,
            catalog=catalog,
            state=state,
            level=level,
            options=args,
        )
