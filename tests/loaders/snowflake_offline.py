"""Runs target-snowflake to the point where it would talk to Snowflake.

A program for that loader's own environment. It reads files of messages, and writes as
JSON what would have gone over the wire: the statements, and the rows that would have
been staged.
"""

import gzip
import json
import sys
import typing as t
from pathlib import Path

import sqlalchemy
from target_snowflake.connector import SnowflakeConnector
from target_snowflake.sinks import SnowflakeSink
from target_snowflake.target import TargetSnowflake

CONFIG = {
    "account": "none",
    "user": "nobody",
    "password": "none",
    "database": "db",
    "default_target_schema": "DRCHRONO",
    "load_method": "upsert",
    # They are read by another loader as well.
    "clean_up_batch_files": False,
}


class Offline(SnowflakeConnector):
    """The loader's own connector, without a connection."""

    seen: t.ClassVar[dict] = {}
    files: t.ClassVar[dict] = {}

    def create_engine(self):
        """Make what knows Snowflake's words, and has nothing to connect to."""
        self.statements = []
        return sqlalchemy.create_mock_engine("snowflake://", self._note)

    def _note(self, statement, *_, **__):
        self.statements.append(str(statement.compile(dialect=self._dialect)))

    def prepare_schema(self, schema_name):
        """Make no schema."""

    def prepare_table(self, full_table_name, schema, primary_keys, as_temp_table):
        """Write the statement that would make the table."""
        self.create_empty_table(
            full_table_name, schema, primary_keys, as_temp_table=as_temp_table
        )
        self.seen[str(full_table_name)] = {
            "create": self.statements.pop(),
            "columns": {
                name: self.to_sql_type(field).compile(dialect=self._dialect)
                for name, field in schema["properties"].items()
            },
            "staged": [],
        }

    def put_batches_to_stage(self, sync_id, files):
        """Read the files that would be staged."""
        self.files[sync_id] = lines = []
        for path in files:
            with gzip.open(
                path.removeprefix("file://"), "rt", encoding="utf-8"
            ) as file:
                lines += file

    def merge_from_stage(self, *, full_table_name, sync_id, **rest):
        """Write the statement that would load what was staged."""
        statement, _ = self._get_merge_from_stage_statement(
            full_table_name=full_table_name, sync_id=sync_id, **rest
        )
        lines = self.files.pop(sync_id)
        table = self.seen[str(full_table_name)]
        table["merge"] = str(statement)
        table["staged"] += lines
        return len(lines)

    def create_file_format(self, **_):
        """Make no file format."""

    def drop_file_format(self, **_):
        """Drop no file format."""

    def remove_staged_files(self, **_):
        """Remove no files."""


def main():
    """Load each file of messages, to nowhere."""
    SnowflakeSink.connector_class = Offline
    out, sys.stdout = sys.stdout, sys.stderr
    found = {}
    for path in sys.argv[1:]:
        with Path(path).open(encoding="utf-8") as messages:
            TargetSnowflake(config=CONFIG).listen(messages)
        found[path] = dict(Offline.seen)
        Offline.seen.clear()
    json.dump(found, out)


if __name__ == "__main__":
    main()
