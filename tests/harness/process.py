"""Runs the tap as a process."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
import typing as t
from functools import cached_property
from pathlib import Path

from drchrono_sandbox import REFRESH_TOKEN
from fault_rows import STREAMS
from simulated import catalog_of
from target import Ended

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from drchrono_sandbox import Api

TAP = Path(sys.executable).parent / "tap-drchrono"
PREFIX = "TAP_DRCHRONO_"
PATIENCE = 60.0
"""Seconds after which a tap that does not end has failed the test."""


class Tap:
    """A tap with its settings, in a directory of its own."""

    def __init__(self, home: Path, **config: t.Any) -> None:
        self.home = home
        self.config = config

    def with_settings(self, **config: t.Any) -> Tap:
        """A tap with further settings."""
        return Tap(self.home, **(self.config | config))

    @cached_property
    def _environment(self) -> dict[str, str]:
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith((PREFIX, "MELTANO_", "SINGER_"))
        }
        return kept | {
            "XDG_STATE_HOME": str(self.home),
            "HOME": str(self.home),
            "NO_COLOR": "1",
        }

    def file(self, name: str, content: object) -> str:
        """Write a file for the tap, JSON unless it is text."""
        path = self.home / name
        text = content if isinstance(content, str) else json.dumps(content)
        path.write_text(text, encoding="utf-8")
        return str(path)

    def command(
        self,
        *args: str,
        catalog: object = None,
        state: object = None,
        config: bool = True,
    ) -> list[str]:
        """Put the command line together."""
        command = [str(TAP)]
        if config:
            command += ["--config", self.file("config.json", self.config)]
        if catalog is not None:
            command += ["--catalog", self.file("catalog.json", catalog)]
        if state is not None:
            command += ["--state", self.file("state.json", state)]
        return [*command, *args]

    def start(
        self,
        *args: str,
        env: Mapping[str, str] | None = None,
        stdout: int = subprocess.PIPE,
        prepare: t.Callable[[], None] | None = None,
        **files: t.Any,
    ) -> Running:
        """Start the tap; `prepare` runs in the process before it does."""
        return Running(
            subprocess.Popen(
                self.command(*args, **files),
                stdout=stdout,
                stderr=subprocess.PIPE,
                stdin=subprocess.DEVNULL,
                env=self._environment | dict(env or {}),
                cwd=self.home,
                preexec_fn=prepare,  # noqa: PLW1509 - sets a limit, nothing else
            )
        )

    def run(self, *args: str, **kwargs: t.Any) -> Ended:
        """Run the tap to its end."""
        with self.start(*args, **kwargs) as running:
            return running.end()

    def discover(self) -> dict[str, t.Any]:
        """Let the tap write its catalog."""
        ended = self.run("--discover", config=False)
        assert ended.status == 0, ended.log
        return json.loads(ended.output)


class Running:
    """A tap at work; what it writes is read as it comes."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.process = process
        self.started = time.monotonic()
        self._out = bytearray()
        self._err = bytearray()
        self._readers = [
            threading.Thread(target=_drain, args=(stream, into), daemon=True)
            for stream, into in (
                (process.stdout, self._out),
                (process.stderr, self._err),
            )
            if stream is not None
        ]
        self._reading = False

    def __enter__(self) -> t.Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        if not self._reading:
            for stream in (self.process.stdout, self.process.stderr):
                if stream is not None:
                    stream.close()

    def read(self) -> Running:
        """Begin to read what it writes."""
        if not self._reading:
            self._reading = True
            for reader in self._readers:
                reader.start()
        return self

    def wait_for(self, condition: t.Callable[[], object]) -> None:
        """Wait until something holds, while the tap runs."""
        until = time.monotonic() + PATIENCE
        while not condition():
            assert self.process.poll() is None, self._err.decode()
            assert time.monotonic() < until, self._err.decode()
            time.sleep(0.01)

    def wait_for_output(self, text: bytes) -> None:
        """Wait until the tap has written something to standard output."""
        self.read()
        self.wait_for(lambda: text in self._out)

    def wait_for_log(self, text: str) -> None:
        """Wait until the tap has written something to standard error, in any case."""
        self.read()
        self.wait_for(lambda: text.lower().encode() in self._err.lower())

    def signal(self, signum: int) -> Ended:
        """Send a signal, and wait for the end; `seconds` count from the signal."""
        sent = time.monotonic()
        self.process.send_signal(signum)
        status = self.process.wait(PATIENCE)
        seconds = time.monotonic() - sent
        return self.end()._replace(status=status, seconds=seconds)

    def terminate(self) -> Ended:
        """Send SIGTERM."""
        return self.signal(signal.SIGTERM)

    def end(self, signum: int | None = None, *, after: bytes = b"") -> Ended:
        """Wait for the end; send a signal once standard output holds something."""
        self.read()
        while signum and after not in self._out and self.process.poll() is None:
            time.sleep(0.01)
        if signum and self.process.poll() is None:
            self.process.send_signal(signum)
        status = self.process.wait(PATIENCE)
        for reader in self._readers:
            reader.join(PATIENCE)
        return Ended(
            status,
            bytes(self._out),
            self._err.decode(),
            time.monotonic() - self.started,
        )


def _drain(stream: t.IO[bytes], into: bytearray) -> None:
    with stream:
        while chunk := os.read(stream.fileno(), 1 << 16):
            into += chunk


def started(
    url: str,
    api: Api,
    directory: Path,
    *,
    state: object = None,
    streams: tuple[str, ...] = STREAMS,
    variables: Mapping[str, str] | None = None,
    prepare: t.Callable[[], None] | None = None,
) -> Running:
    """Start a tap whose settings are all in its environment.

    Args:
        url: Where the sandbox is.
        api: The sandbox.
        directory: The only one that the process has a reason to write to.
        state: The state of the run before.
        streams: What is selected.
        variables: Further environment variables.
        prepare: Runs in the process before the tap does.
    """
    app = api.settings.apps[0]
    environment = {
        "XDG_STATE_HOME": str(directory / "xdg"),
        "TAP_DRCHRONO_API_URL": url,
        "TAP_DRCHRONO_CLIENT_ID": app.client_id,
        "TAP_DRCHRONO_CLIENT_SECRET": app.client_secret,
        "TAP_DRCHRONO_REFRESH_TOKEN": api.settings.mark + REFRESH_TOKEN,
        "TAP_DRCHRONO_CREDENTIALS_PATH": str(directory / "kept" / "pair.json"),
        **(variables or {}),
    }
    (directory / "tmp").mkdir(exist_ok=True)
    return Tap(directory).start(
        "--config",
        "ENV",
        config=False,
        env=environment,
        catalog=catalog_of(*streams),
        state=state,
        prepare=prepare,
    )


def only(catalog: dict[str, t.Any], streams: Iterable[str]) -> dict[str, t.Any]:
    """Select these streams only."""
    wanted = set(streams)
    return select(
        catalog,
        {
            (entry["tap_stream_id"],): entry["tap_stream_id"] in wanted
            for entry in catalog["streams"]
        },
    )


def select(
    catalog: dict[str, t.Any], choices: Mapping[tuple[str, ...], bool]
) -> dict[str, t.Any]:
    """Select or deselect streams, `(stream,)`, and fields, `(stream, field, …)`."""
    catalog = json.loads(json.dumps(catalog))
    for (stream, *names), selected in choices.items():
        breadcrumb = [part for name in names for part in ("properties", name)]
        (entry,) = (e for e in catalog["streams"] if e["tap_stream_id"] == stream)
        for item in entry["metadata"]:
            if item["breadcrumb"] == breadcrumb:
                item["metadata"]["selected"] = selected
                break
        else:
            entry["metadata"].append(
                {"breadcrumb": breadcrumb, "metadata": {"selected": selected}}
            )
    return catalog
