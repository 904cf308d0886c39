"""The tap as a process against a sandbox on a socket, and how it is ended."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import typing as t
from pathlib import Path

from drchrono_sandbox import REFRESH_TOKEN
from fault_matrix import STREAMS
from simulated import catalog_of

if t.TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from drchrono_sandbox import Api

TAP = str(Path(sys.executable).with_name("tap-drchrono"))
_PATIENCE = 60.0
"""Seconds after which a process that does not end is killed."""


class Ended(t.NamedTuple):
    """What a process left.

    Attributes:
        status: The exit status; negative for a signal that nobody handled.
        output: Standard output.
        log: Standard error.
    """

    status: int
    output: bytes
    log: str


class Process:
    """A running tap. Its standard output is a pipe, as in a real pipeline."""

    def __init__(
        self,
        url: str,
        api: Api,
        directory: Path,
        *,
        state: object = None,
        streams: tuple[str, ...] = STREAMS,
        variables: Mapping[str, str] | None = None,
        prepare: Callable[[], None] | None = None,
    ) -> None:
        """Start it.

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
            **os.environ,
            "HOME": str(directory / "home"),
            "XDG_STATE_HOME": str(directory / "xdg"),
            "TAP_DRCHRONO_API_URL": url,
            "TAP_DRCHRONO_CLIENT_ID": app.client_id,
            "TAP_DRCHRONO_CLIENT_SECRET": app.client_secret,
            "TAP_DRCHRONO_REFRESH_TOKEN": api.settings.mark + REFRESH_TOKEN,
            "TAP_DRCHRONO_CREDENTIALS_PATH": str(directory / "kept" / "pair.json"),
            **(variables or {}),
        }
        for name in ("home", "tmp"):
            (directory / name).mkdir(exist_ok=True)
        arguments = [TAP, "--config", "ENV"]
        for name, content in {"catalog": catalog_of(*streams), "state": state}.items():
            if content is not None:
                path = directory / f"{name}.json"
                path.write_text(json.dumps(content))
                arguments += [f"--{name}", str(path)]
        self._log = directory / "log.txt"
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                arguments,
                cwd=directory,
                env=environment,
                stdout=subprocess.PIPE,
                stderr=log,
                preexec_fn=prepare,  # noqa: PLW1509 - sets a limit, nothing else
            )

    def end(self, signum: int | None = None, *, after: bytes = b"") -> Ended:
        """Read what it writes until it ends.

        Args:
            signum: A signal to send.
            after: What standard output must hold before that.
        """
        pipe = t.cast("t.IO[bytes]", self.process.stdout)
        output = b""
        guard = threading.Timer(_PATIENCE, self.process.kill)
        guard.start()
        while part := os.read(pipe.fileno(), 1 << 16):
            output += part
            if signum and after in output:
                self.process.send_signal(signum)
                signum = None
        status = self.process.wait()
        guard.cancel()
        pipe.close()
        return Ended(status, output, self._log.read_text())
