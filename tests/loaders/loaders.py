"""The loaders: how each is run, and how what it stored is read back."""

from __future__ import annotations

import json
import os
import subprocess
import typing as t
from decimal import Decimal

from dev_tools.environments import loader_environment

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from postgres_server import Server

Row: t.TypeAlias = dict[str, t.Any]

_OWN = ("TARGET_", "TAP_", "MELTANO_", "SINGER_")

_READ_DUCKDB = """
import sys, duckdb
connection = duckdb.connect(sys.argv[1], read_only=True)
for row, in connection.execute(sys.argv[2]).fetchall():
    print(row)
"""
_RUN_DUCKDB = """
import sys, duckdb
duckdb.connect(sys.argv[1]).execute(sys.argv[2])
"""


_COLUMNS = """
SELECT attname, format_type(atttypid, atttypmod) AS type
FROM pg_attribute WHERE attnum > 0 AND attrelid =
"""


class Form(t.NamedTuple):
    """How far a loader keeps what it is given.

    Attributes:
        exact: Whether numbers keep their digits; they are doubles otherwise.
        empty: Whether an empty text stays one; it is NULL otherwise.
    """

    exact: bool
    empty: bool


class Loader:
    """A target in an environment of its own.

    Attributes:
        name: The name of its program.
        form: How far it keeps values.
        home: Its directory.
    """

    name: t.ClassVar[str]
    form: t.ClassVar[Form]

    def __init__(self, home: Path) -> None:
        self.home = home
        self.python = loader_environment(self.name)

    def config(self, place: str) -> dict[str, t.Any]:
        """The settings with which it loads into a place, as `meltano.yml` has them."""
        raise NotImplementedError

    def rows(self, place: str, stream: str) -> list[Row]:
        """All rows of a table, each as JSON with exact digits."""
        raise NotImplementedError

    def types(self, place: str, stream: str) -> dict[str, str]:
        """The types of a table's columns, in the loader's words."""
        raise NotImplementedError

    def ask(self, place: str, query: str) -> list[Row]:
        """The rows that a query gives, each as JSON with exact digits."""
        raise NotImplementedError

    def load(self, messages: bytes, place: str, **changes: t.Any) -> dict[str, t.Any]:
        """Load messages, and return the last state that was written."""
        done = self.run(messages, place, changes)
        assert done.returncode == 0, done.stderr.decode()[-4000:]
        return json.loads(done.stdout.splitlines()[-1])

    def run(
        self,
        messages: bytes,
        place: str,
        changes: Mapping[str, t.Any],
        **variables: str,
    ) -> subprocess.CompletedProcess[bytes]:
        """Load messages, however that ends, with further environment variables."""
        config = self.home / f"{place}.json"
        config.write_text(json.dumps(self.config(place) | changes), encoding="utf-8")
        kept = {k: v for k, v in os.environ.items() if not k.startswith(_OWN)}
        return subprocess.run(
            [self.python.parent / self.name, "--config", config],
            cwd=self.home,
            env=kept | variables,
            input=messages,
            capture_output=True,
            check=False,
        )


class Jsonl(Loader):
    """One file a stream, which grows with each run."""

    name = "target-jsonl"
    form = Form(exact=True, empty=True)

    def config(self, place: str) -> dict[str, t.Any]:
        return {"destination_path": str(self.home / place), "do_timestamp_file": False}

    def lines(self, place: str, stream: str) -> list[Row]:
        """All lines of a file."""
        path = self.home / place / f"{stream}.jsonl"
        return parsed(path.read_text("utf-8").split("\n")[:-1])

    def rows(self, place: str, stream: str) -> list[Row]:
        keys = {
            "clinical_notes": "appointment",
            "line_item_deletions": "billing_line_item_id",
        }
        key = keys.get(stream, "id")
        return list({row[key]: row for row in self.lines(place, stream)}.values())


class DuckDb(Loader):
    """A file with one schema."""

    name = "target-duckdb"
    form = Form(exact=False, empty=False)

    def config(self, place: str) -> dict[str, t.Any]:
        return {
            "filepath": str(self.home / f"{place}.duckdb"),
            "default_target_schema": "drchrono",
        }

    def rows(self, place: str, stream: str) -> list[Row]:
        return self._query(place, f"SELECT to_json(t) FROM drchrono.{stream} t")  # noqa: S608 - names of the tests' own

    def types(self, place: str, stream: str) -> dict[str, str]:
        query = f"SELECT to_json(t) FROM (DESCRIBE drchrono.{stream}) t"  # noqa: S608 - as above
        rows = self._query(place, query)
        return {one["column_name"]: one["column_type"] for one in rows}

    def execute(self, place: str, statement: str) -> None:
        """Run a statement of a user's."""
        self._in_python(place, _RUN_DUCKDB, statement)

    def ask(self, place: str, query: str) -> list[Row]:
        return self._query(place, f"SELECT to_json(t) FROM ({query}) t")  # noqa: S608 - the tests' own

    def _query(self, place: str, query: str) -> list[Row]:
        return parsed(self._in_python(place, _READ_DUCKDB, query).split("\n")[:-1])

    def _in_python(self, place: str, program: str, query: str) -> str:
        file = self.config(place)["filepath"]
        done = subprocess.run(
            [self.python, "-X", "utf8", "-c", program, file, query],
            capture_output=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout.decode()


class Postgres(Loader):
    """A schema of a server's database."""

    name = "target-postgres"
    form = Form(exact=True, empty=True)

    def __init__(self, home: Path, server: Server) -> None:
        super().__init__(home)
        self.server = server

    def config(self, place: str) -> dict[str, t.Any]:
        return {
            "host": "127.0.0.1",
            "port": self.server.port,
            "user": "loader",
            "password": "not asked for",
            "database": "postgres",
            "default_target_schema": place,
            "load_method": "upsert",
        }

    def execute(self, place: str, statement: str) -> None:
        """Run a statement of a user's, whatever place it names."""
        del place
        self.server.query(statement)

    def rows(self, place: str, stream: str) -> list[Row]:
        query = f'SELECT to_jsonb(t) FROM "{place}"."{stream}" t'  # noqa: S608 - names of the tests' own
        return parsed(self.server.query(query))

    def types(self, place: str, stream: str) -> dict[str, str]:
        table = f'"{place}"."{stream}"'
        query = f"SELECT to_jsonb(c) FROM ({_COLUMNS} '{table}'::regclass) c"  # noqa: S608 - as above
        rows = parsed(self.server.query(query))
        return {one["attname"]: one["type"] for one in rows}

    def ask(self, place: str, query: str) -> list[Row]:
        del place
        query = " ".join(query.split())
        return parsed(self.server.query(f"SELECT to_jsonb(t) FROM ({query}) t"))  # noqa: S608 - the tests' own


def parsed(lines: Iterable[str]) -> list[Row]:
    """Read JSON texts, with exact digits."""
    return [json.loads(line, parse_float=Decimal) for line in lines]
