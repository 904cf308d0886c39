"""What `./dev` can do."""

from __future__ import annotations

import os
import subprocess
import sys
import typing as t

from dev_tools.environments import (
    ROOT,
    VENV,
    SetupError,
    environ,
    meltano_environment,
    python_environment,
    say,
)

if t.TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path


GITHUB = ROOT / ".github"
YAML = (".pre-commit-config.yaml", ".yamllint.yml", "meltano.yml")


class Command(t.NamedTuple):
    """A command.

    Attributes:
        help: What it does, for people.
        run: Does it with the arguments given, and returns the exit status.
    """

    help: str
    run: Callable[[Sequence[str]], int]


def _python(*command: str, env: dict[str, str] | None = None) -> t.NoReturn:
    """Become a program of `.venv`, so that signals reach it directly."""
    python = python_environment()
    _flush()
    os.chdir(ROOT)
    path = os.pathsep.join((str(VENV / "bin"), os.environ.get("PATH", os.defpath)))
    everything = {**environ(), "PATH": path, **(env or {})}
    os.execve(python, [str(python), *command], everything)  # noqa: S606 - no shell is wanted


def _demo(arguments: Sequence[str]) -> int:
    meltano = meltano_environment()
    _python("-m", "dev_tools.demo", str(meltano), *arguments)


def _test(arguments: Sequence[str]) -> int:
    # For a few tests, starting workers would take longer than the tests.
    workers = () if arguments else ("-n", "auto", "--dist", "loadgroup")
    _python("-m", "pytest", *workers, *arguments)


def _check(arguments: Sequence[str]) -> int:
    """Run all checks, also after one has failed."""
    python_environment()
    workflows = (path.relative_to(ROOT) for path in GITHUB.glob("workflows/*.yml"))
    forms = (path.relative_to(ROOT) for path in GITHUB.glob("ISSUE_TEMPLATE/[!c]*.yml"))
    checks = (
        ["ruff", "check", ".", "dev", *arguments],
        ["ruff", "format", "--check", ".", "dev"],
        ["mypy"],
        ["lint-imports", "--no-cache"],
        ["yamllint", "--strict", ".github", *YAML],
        ["zizmor", "--quiet", "--offline", "--persona=pedantic", ".github"],
        _schema_check("github-workflows", *workflows),
        _schema_check("github-issue-forms", *forms),
        _schema_check("github-issue-config", ".github/ISSUE_TEMPLATE/config.yml"),
        _schema_check("dependabot", ".github/dependabot.yml"),
        _schema_check("meltano", "meltano.yml"),
    )
    failed = []
    for check in checks:
        line = " ".join(check)
        say(line)
        command = [str(VENV / "bin" / check[0]), *check[1:]]
        if subprocess.run(command, cwd=ROOT, check=False).returncode:  # noqa: S603
            failed.append(line)
    for line in failed:
        say(f"failed: {line}")
    return int(bool(failed))


def _schema_check(schema: str, *files: Path | str) -> list[str]:
    """Compare files with a JSON Schema that the checker brings along."""
    return [
        "check-jsonschema",
        "--quiet",
        f"--builtin-schema=vendor.{schema}",
        *sorted(str(file) for file in files),
    ]


def _sandbox(arguments: Sequence[str]) -> int:
    _python("-m", "drchrono_sandbox", *arguments)


def _bench(arguments: Sequence[str]) -> int:
    _python("-m", "bench", *arguments)


def _soak(arguments: Sequence[str]) -> int:
    _python(
        "-m",
        "pytest",
        "tests/front_door/test_soak.py",
        "tests/lists/test_adversary.py",
        "tests/lists/test_unrest.py",
        *arguments,
        env={"SOAK": "long"},
    )


def _loaders(arguments: Sequence[str]) -> int:
    folders = (ROOT, ROOT / "tests" / "harness", ROOT / "tests" / "loaders")
    path = os.pathsep.join(map(str, folders))
    _python("tests/loaders/measure.py", *arguments, env={"PYTHONPATH": path})


def _setup(_: Sequence[str]) -> int:
    python_environment()
    meltano_environment()
    return 0


COMMANDS = {
    "demo": Command("run the tap twice, with Meltano, on a simulated practice", _demo),
    "test": Command(
        "run all tests, or those that the arguments for pytest name", _test
    ),
    "check": Command("lint, formatting, types, layers and workflows", _check),
    "sandbox": Command("start the simulated API; --help tells its options", _sandbox),
    "bench": Command(
        "measure requests, time and memory on simulated practices", _bench
    ),
    "soak": Command("many syncs with random faults, kills and changes", _soak),
    "loaders": Command(
        "load the sandbox into many targets and compare; --write writes the table",
        _loaders,
    ),
    "setup": Command("only install, into .venv and .dev", _setup),
}


def _flush() -> None:
    sys.stdout.flush()
    sys.stderr.flush()


def _usage() -> str:
    lines = [f"  {name:<10}{command.help}" for name, command in COMMANDS.items()]
    return "\n".join(("usage: ./dev COMMAND [ARGUMENTS]", "", *lines, ""))


def main(arguments: Sequence[str]) -> int:
    """Run one command.

    Args:
        arguments: Its name and its own arguments.

    Returns:
        The exit status.
    """
    name = arguments[0] if arguments else "help"
    if name in {"help", "-h", "--help"}:
        sys.stdout.write(_usage())
        return 0
    command = COMMANDS.get(name)
    if command is None:
        sys.stderr.write(f"dev: there is no command {name}\n\n{_usage()}")
        return 2
    try:
        return command.run(arguments[1:])
    except SetupError as error:
        say(str(error))
        return 1
    except KeyboardInterrupt:
        return 130
