"""Runs target-snowflake to the point where it would talk to Snowflake.

A program for that loader's own environment: it reads messages from standard input, and
writes as JSON what would have gone over the wire: the statements, and the rows in the
files that would have been staged.
"""

import gzip
import json
import sys
from pathlib import Path

import sqlalchemy
from snowflake.sqlalchemy.snowdialect import SnowflakeDialect
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
}


class Offline(SnowflakeConnector):
    """The loader's own connector, without a connection."""

    seen = {}
    files = {}

    def _table(self, name):
        return self.seen.setdefault(str(name), {"staged": []})

    def prepare_schema(self, schema_name):
        """Make no schema."""

    def prepare_table(self, full_table_name, schema, primary_keys, **_):
        """Write the statement that would make the table."""
        dialect = SnowflakeDialect()
        engine = sqlalchemy.create_mock_engine(
            "snowflake://",
            lambda ddl, *_, **__: statements.append(str(ddl.compile(dialect=dialect))),
        )
        statements = []
        columns = [
            sqlalchemy.Column(
                name, self.to_sql_type(field), primary_key=name in primary_keys
            )
            for name, field in schema["properties"].items()
        ]
        _, schema_name, table_name = self.parse_full_table_name(full_table_name)
        meta = sqlalchemy.MetaData(schema=schema_name)
        sqlalchemy.Table(table_name, meta, *columns).create(engine)
        table = self._table(full_table_name)
        table["create"] = statements
        table["columns"] = {
            column.name: column.type.compile(dialect=dialect) for column in columns
        }

    def put_batches_to_stage(self, sync_id, files):
        """Read the files that would be staged."""
        self.files[sync_id] = [
            line.decode()
            for file in files
            for line in gzip.open(file.removeprefix("file://"))
        ]

    def merge_from_stage(
        self, full_table_name, schema, sync_id, file_format, key_properties
    ):
        """Write the statement that would load what was staged."""
        statement, _ = self._get_merge_from_stage_statement(
            full_table_name, schema, sync_id, file_format, key_properties
        )
        table = self._table(full_table_name)
        table["merge"] = str(statement)
        table["staged"] += self.files.pop(sync_id)
        return len(table["staged"])

    def create_file_format(self, **_):
        """Make no file format."""

    def drop_file_format(self, **_):
        """Drop no file format."""

    def remove_staged_files(self, **_):
        """Remove no files."""


def main():
    """Load what comes, to nowhere."""
    SnowflakeSink.connector_class = Offline
    out, sys.stdout = sys.stdout, sys.stderr
    TargetSnowflake(config=CONFIG).listen(sys.stdin)
    json.dump(Offline.seen, out)


if __name__ == "__main__":
    main()
