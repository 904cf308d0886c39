"""The private environments: `.venv` for the code, `.dev` for what runs beside it.

Nothing is installed outside the checkout, and nothing is done again while the files
that decide it are the same.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import time
import typing as t
from pathlib import Path

if t.TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

ROOT = Path(__file__).resolve().parent.parent
DEV = ROOT / ".dev"
VENV = ROOT / ".venv"
MELTANO = DEV / "meltano"
LOADERS = DEV / "loaders"
LOADER_PINS = Path("tests", "loaders", "pins")
DBT_PINS = Path("tests", "transform", "pins", "dbt.txt")

UV = "uv>=0.9,<1"
# Not a virtual environment that happens to be active: `.venv` may be that one.
PYTHON = Path(sys.executable).resolve()
# The pinned DuckDB has no build for a newer Python, and dbt-core 1.11 does not start on
# one; Meltano installs its plugins with the Python that it runs on itself.
MELTANO_PYTHONS = ">=3.11,<3.14"

_LAST_LINES = 25


class SetupError(Exception):
    """The environments cannot be set up; the text says what to do."""


def environ() -> dict[str, str]:
    """Return the environment variables for installers.

    Returns:
        Those of this process; downloads are kept below `.dev` unless set otherwise.
    """
    return {
        "UV_CACHE_DIR": str(DEV / "cache"),
        "UV_NO_PROGRESS": "1",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        **os.environ,
        "PIP_USER": "0",
    }


def python_environment() -> Path:
    """Set up `.venv`: what `requirements.lock` pins, the tap and the sandbox.

    Returns:
        Its Python.

    Raises:
        SetupError: If a step fails.
    """
    python = VENV / "bin" / "python"
    decides = ("requirements.lock", "pyproject.toml", "sandbox/pyproject.toml")
    with _locked(), _stamped(VENV / ".dev-stamp", python, decides) as is_current:
        if not is_current:
            uv = _uv()
            here = ("--python", python)
            _step("creating .venv", uv, "venv", "--clear", "-p", PYTHON, VENV)
            _step(
                "installing what requirements.lock pins",
                *(uv, "pip", "sync", *here, "--require-hashes", "requirements.lock"),
            )
            _step(
                "installing the tap and the sandbox",
                *(uv, "pip", "install", *here, "--no-deps", "-e", ".", "-e", "sandbox"),
            )
    return python


def meltano_environment() -> Path:
    """Set up `.dev/meltano`, with the version that `meltano.yml` asks for.

    Returns:
        The program `meltano`.

    Raises:
        SetupError: If a step fails.
    """
    program = MELTANO / "bin" / "meltano"
    text = (ROOT / "meltano.yml").read_text("utf-8")
    version = re.search(r'^requires_meltano: "([^"]+)"$', text, re.MULTILINE)
    if version is None:
        msg = 'meltano.yml has no line like: requires_meltano: ">=4.4,<5"'
        raise SetupError(msg)
    wanted = f"meltano{version[1]}"
    python = PYTHON if sys.version_info < (3, 14) else MELTANO_PYTHONS
    stamp = DEV / "meltano.stamp"
    with _locked(), _stamped(stamp, program, (), wanted) as is_current:
        if not is_current:
            uv = _uv()
            if sys.version_info >= (3, 14):
                say("the loader for DuckDB and dbt need Python 3.11, 3.12 or 3.13")
            _step(
                "creating an environment for Meltano",
                *(uv, "venv", "--clear", "-p", python, MELTANO),
            )
            _step(
                "installing Meltano",
                *(uv, "pip", "install", "-p", MELTANO / "bin" / "python", wanted),
            )
    return program


def loader_environment(name: str) -> Path:
    """Set up `.dev/loaders/NAME`, in which tests run a loader.

    Args:
        name: Of a file below `tests/loaders/pins`, which says what is installed.

    Returns:
        Its Python.

    Raises:
        SetupError: If a step fails.
    """
    return _pinned_environment(name, LOADERS / name, LOADER_PINS / f"{name}.txt")


def measured_environment(
    name: str, packages: Sequence[str], instead: Sequence[str] = ()
) -> Path:
    """Set up `.dev/measured/NAME`, in which `./dev loaders` tries a target.

    Args:
        name: The target.
        packages: What to install.
        instead: Versions to install, whatever the packages ask for.

    Returns:
        Its Python.

    Raises:
        SetupError: If a step fails.
    """
    place = DEV / "measured" / name
    python, overrides = place / "bin" / "python", place / "overrides.txt"
    wanted = (*packages, *instead)
    with _locked(), _stamped(place / ".dev-stamp", python, (), *wanted) as is_current:
        if not is_current:
            uv = _uv()
            newest = PYTHON if sys.version_info < (3, 14) else MELTANO_PYTHONS
            _step(
                f"creating an environment for {name}",
                *(uv, "venv", "--clear", "-p", newest, place),
            )
            overrides.write_text("\n".join(instead), "utf-8")
            install = (uv, "pip", "install", "-p", python, "--override", overrides)
            _step(f"installing {name}", *install, *packages)
    return python


def dbt_environment() -> Path:
    """Set up `.dev/dbt`, in which tests build the marts.

    Returns:
        Its Python.

    Raises:
        SetupError: If a step fails.
    """
    return _pinned_environment("dbt", DEV / "dbt", DBT_PINS)


def _pinned_environment(name: str, place: Path, pins: Path) -> Path:
    python = place / "bin" / "python"
    decides = (str(pins),)
    with _locked(), _stamped(place / ".dev-stamp", python, decides) as is_current:
        if not is_current:
            uv = _uv()
            newest = PYTHON if sys.version_info < (3, 14) else MELTANO_PYTHONS
            _step(
                f"creating an environment for {name}",
                *(uv, "venv", "--clear", "-p", newest, place),
            )
            _step(f"installing {name}", uv, "pip", "sync", "-p", python, pins)
    return python


def _uv() -> Path:
    """Find or install uv, privately, in whichever way this Python allows."""
    target = DEV / "uv"
    program = target / "bin" / "uv"
    if _runs(program):
        return program
    shutil.rmtree(target, ignore_errors=True)
    install = ["-m", "pip", "install", "--quiet", "--no-deps"]
    if importlib.util.find_spec("pip"):
        # Into a directory of its own: allowed where pip is managed by the system too.
        _step("installing uv", sys.executable, *install, "--target", target, UV)
    elif importlib.util.find_spec("ensurepip"):
        _step("creating an environment for uv", PYTHON, "-m", "venv", target)
        _step("installing uv", target / "bin" / "python", *install, UV)
    elif found := shutil.which("uv"):
        return Path(found)
    else:
        version = f"python{sys.version_info.major}.{sys.version_info.minor}"
        msg = (
            f"{PYTHON} has neither pip nor venv. Install one of them, for "
            f"example with: apt-get install {version}-venv"
        )
        raise SetupError(msg)
    return program


def _runs(program: Path) -> bool:
    """Tell whether a program starts: a moved checkout leaves broken ones."""
    try:
        return run([program, "--version"], os.environ).returncode == 0
    except OSError:
        return False


@contextlib.contextmanager
def _locked() -> Iterator[None]:
    """Let one process at a time install."""
    DEV.mkdir(exist_ok=True)
    with (DEV / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@contextlib.contextmanager
def _stamped(
    stamp: Path, program: Path, files: Sequence[str], *more: str
) -> Iterator[bool]:
    """Yield whether an environment is current, and note that it is.

    The stamp is of the files that decide what is installed, of the Python, and of the
    place: environments hold absolute paths.
    """
    digest = hashlib.sha256()
    for part in (*more, sys.version, str(PYTHON), str(ROOT), UV):
        digest.update(part.encode() + b"\0")
    for file in files:
        digest.update((ROOT / file).read_bytes() + b"\0")
    value = digest.hexdigest()
    try:
        is_current = stamp.read_text("utf-8") == value and program.exists()
    except OSError:
        is_current = False
    if not is_current:
        stamp.unlink(missing_ok=True)
    yield is_current
    if not is_current:
        stamp.write_text(value, "utf-8")


def _step(name: str, *command: str | Path) -> None:
    """Run a step of the setup, and say how long it took."""
    started = time.monotonic()
    done = run(command, environ())
    if done.returncode:
        lines = done.stdout.splitlines()[-_LAST_LINES:]
        msg = f"{name} failed:\n" + "\n".join(f"  {line}" for line in lines)
        raise SetupError(msg)
    say(f"{name}: {time.monotonic() - started:.1f} s")


def run(
    command: Sequence[str | Path], env: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    """Run a program to its end in the checkout, its output in one text.

    Args:
        command: The program and its arguments.
        env: Its environment variables.

    Returns:
        Its exit status, and all that it printed.
    """
    return subprocess.run(  # noqa: S603 - the commands are this project's own
        command,
        cwd=ROOT,
        env=dict(env),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )


def say(text: str) -> None:
    """Print a line about the setup, apart from what a command prints.

    Args:
        text: The line.
    """
    sys.stderr.write(f"dev: {text}\n")
    sys.stderr.flush()
