"""Warehouses that dbt builds the marts in, and how these are read back."""

from __future__ import annotations

import json
import os
import subprocess
import typing as t
from decimal import Decimal
from pathlib import Path

from loaders import DuckDb, Postgres

from dev_tools.environments import ROOT, dbt_environment

if t.TYPE_CHECKING:
    from postgres_server import Server

Row: t.TypeAlias = dict[str, t.Any]

PROJECT = ROOT / "transform"
PROGRAM = Path(__file__).parent / "runner.py"

_OWN = ("DBT_", "DRCHRONO_", "TARGET_", "TAP_", "MELTANO_")
_RUN_DUCKDB = """
import sys, duckdb
connection = duckdb.connect(sys.argv[1])
for statement in sys.stdin.read().split(";\\n"):
    for row in connection.execute(statement).fetchall() if statement.strip() else ():
        print(row[0])
"""


Statuses: t.TypeAlias = dict[str, str]
"""What became of each model and test, by its name."""


def failed(statuses: Statuses) -> set[str]:
    """Tell which models and tests did not succeed."""
    good = {"success", "pass", "warn"}
    return {name for name, status in statuses.items() if status not in good}


class Warehouse:
    """A warehouse, with dbt set up for it.

    Attributes:
        kind: The name of its dbt target.
        home: Its directory.
        as_of: The day that ages are counted to.
    """

    kind: t.ClassVar[str]

    def __init__(self, home: Path, as_of: str) -> None:
        self.home = home
        self.as_of = as_of
        self._log = home / "dbt.log"
        self._process: subprocess.Popen[str] | None = None

    def settings(self) -> dict[str, str]:
        """The environment variables that lead dbt to it."""
        raise NotImplementedError

    def load(self, messages: bytes) -> None:
        """Load the tap's messages."""
        raise NotImplementedError

    def run(self, sql: str) -> list[str]:
        """Run statements, and return the first column of what they answer."""
        raise NotImplementedError

    def rows(self, table: str) -> list[Row]:
        """Read a mart."""
        query = f"SELECT to_json(t) FROM drchrono_marts.{table} t"  # noqa: S608 - names of the project's own
        return [json.loads(row, parse_float=Decimal) for row in self.run(query)]

    def dbt(self, *command: str, **variables: t.Any) -> Statuses:
        """Run dbt; it must end, but models and tests may fail."""
        if self._process is None:
            self._process = self._start()
        chosen = json.dumps({"drchrono_as_of": self.as_of, **variables})
        assert self._process.stdin
        assert self._process.stdout
        arguments = [*command, "--no-use-colors", "--vars", chosen]
        self._process.stdin.write(json.dumps(arguments) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        assert answer, self._log.read_text("utf-8")[-4000:]
        found: Statuses = json.loads(answer)
        return found

    def build(self, *more: str, **variables: t.Any) -> Statuses:
        """Build and test all models; each must succeed."""
        statuses = self.dbt("build", *more, **variables)
        assert failed(statuses) == set(), self._log.read_text("utf-8")[-8000:]
        return statuses

    def close(self) -> None:
        """End dbt."""
        if self._process is not None:
            assert self._process.stdin
            self._process.stdin.close()
            self._process.wait(60)
            self._process = None

    def _start(self) -> subprocess.Popen[str]:
        own = {
            "DRCHRONO_WAREHOUSE": self.kind,
            "DBT_PROJECT_DIR": str(PROJECT),
            "DBT_PROFILES_DIR": str(PROJECT),
            "DBT_TARGET_PATH": str(self.home / "target"),
            "DBT_LOG_PATH": str(self.home / "logs"),
            # No day may depend on where dbt runs.
            "TZ": "America/New_York",
            "PGTZ": "America/New_York",
        }
        kept = {k: v for k, v in os.environ.items() if not k.startswith(_OWN)}
        with self._log.open("w") as log:
            return subprocess.Popen(
                [dbt_environment(), PROGRAM],
                cwd=self.home,
                env=kept | self.settings() | own,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )


class DuckDbWarehouse(Warehouse):
    """A file, made by the loader's version of DuckDB."""

    kind = "duckdb"

    def __init__(self, home: Path, as_of: str) -> None:
        super().__init__(home, as_of)
        self.loader = DuckDb(home)
        self.file = Path(self.loader.config("warehouse")["filepath"])

    def settings(self) -> dict[str, str]:
        return {"TARGET_DUCKDB_FILEPATH": str(self.file)}

    def load(self, messages: bytes) -> None:
        self.loader.load(messages, "warehouse")

    def clear(self) -> None:
        """Begin anew at the same place, so that dbt need not read the project again."""
        self.file.unlink(missing_ok=True)

    def run(self, sql: str) -> list[str]:
        done = subprocess.run(
            [self.loader.python, "-X", "utf8", "-c", _RUN_DUCKDB, self.file],
            input=sql.encode(),
            capture_output=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout.decode().split("\n")[:-1]


class PostgresWarehouse(Warehouse):
    """A database of a real server, loaded by target-postgres."""

    kind = "postgres"

    def __init__(self, home: Path, as_of: str, server: Server) -> None:
        super().__init__(home, as_of)
        self.server = server
        self.loader = Postgres(home, server)

    def settings(self) -> dict[str, str]:
        config = self.loader.config("drchrono")
        names = ("host", "port", "user", "password", "database")
        return {f"TARGET_POSTGRES_{one.upper()}": str(config[one]) for one in names}

    def load(self, messages: bytes) -> None:
        self.loader.load(messages, "drchrono")

    def run(self, sql: str) -> list[str]:
        return self.server.query(sql)
