"""A PostgreSQL server of its own, on loopback, for as long as the tests need it."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import typing as t
from pathlib import Path

from dev_tools.environments import loader_environment

if t.TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

DATABASE = "postgres"
USER = "loader"

_PATIENCE = 60.0
_SYSTEM = Path("/usr/lib/postgresql")
_UNPRIVILEGED = ("postgres", "nobody")
# Nothing that is stored here must survive a power failure.
_QUICK = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")


class Server(t.NamedTuple):
    """A running server.

    Attributes:
        port: Where it listens, on 127.0.0.1.
        psql: The client program.
        database: The database that is asked.
    """

    port: int
    psql: Path
    database: str = DATABASE

    def query(self, sql: str) -> list[str]:
        """Run a query of one text column without newlines, and return its rows."""
        done = subprocess.run(
            [
                *(self.psql, "--no-psqlrc", "-h", "127.0.0.1", "-p", str(self.port)),
                *("-U", USER, "-d", self.database, "-At", "-v", "ON_ERROR_STOP=1"),
                *("-c", sql),
            ],
            env=os.environ | {"PGCLIENTENCODING": "UTF8"},
            capture_output=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr.decode()
        # Not splitlines, which splits at U+2028 too.
        return done.stdout.decode().split("\n")[:-1]


def _programs() -> Path:
    """The directory of the server's programs: the system's, or else a package's."""
    found = [path for path in _SYSTEM.glob("*/bin") if (path / "initdb").exists()]
    if found:
        return max(found, key=lambda path: int(path.parent.name.split(".")[0]))
    if config := shutil.which("pg_config"):
        bindir = subprocess.check_output([config, "--bindir"], text=True).strip()
        if (Path(bindir) / "initdb").exists():
            return Path(bindir)
    environment = loader_environment("postgresql-server").parent.parent
    (initdb,) = environment.glob("lib/*/site-packages/*/pginstall/bin/initdb")
    return initdb.parent


def _account() -> dict[str, t.Any]:
    """Who runs the server: PostgreSQL refuses to be run by root."""
    if os.geteuid() != 0:
        return {}
    known = {entry.pw_name: entry for entry in pwd.getpwall()}
    entry = next(known[name] for name in _UNPRIVILEGED if name in known)
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def postgres() -> Iterator[Server]:
    """Run a server on an empty database; nothing of it is left."""
    programs, account = _programs(), _account()
    # Not below pytest's directory: only its owner gets there.
    home = Path(tempfile.mkdtemp(prefix="tap-drchrono-postgres-"))
    try:
        if account:
            os.chown(home, account["user"], account["group"])
        _init(programs, home, account)
        with _running(programs, home, account) as server:
            yield server
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _init(programs: Path, home: Path, account: Mapping[str, t.Any]) -> None:
    done = subprocess.run(
        [
            *(programs / "initdb", "-D", home / "data", "-U", USER, "-A", "trust"),
            *("-E", "UTF8", "--no-locale", "--no-sync"),
        ],
        cwd=home,
        capture_output=True,
        text=True,
        check=False,
        **account,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@contextlib.contextmanager
def _running(
    programs: Path, home: Path, account: Mapping[str, t.Any]
) -> Iterator[Server]:
    port = _free_port()
    here = (f"port={port}", f"unix_socket_directories={home}")
    options = [f"--{one}" for one in ("listen_addresses=127.0.0.1", *here, *_QUICK)]
    log = home / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [programs / "postgres", "-D", home / "data", *options],
            cwd=home,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            **account,
        )
    try:
        until = time.monotonic() + _PATIENCE
        while b"ready to accept connections" not in log.read_bytes():
            assert process.poll() is None, log.read_text("utf-8")
            assert time.monotonic() < until, log.read_text("utf-8")
            time.sleep(0.02)
        yield Server(port, programs / "psql")
    finally:
        # A fast shutdown: it ends the sessions that are open.
        process.send_signal(signal.SIGINT)
        process.wait(_PATIENCE)
