"""Says which statements target-snowflake would send to a table that is there already.

A program for that loader's own environment. It reads two schemas by name, the one that
the table was made for and the one that it meets, and writes the statements.
"""

import json
import sys
from contextlib import contextmanager

import sqlalchemy
from snowflake_offline import CONFIG
from target_snowflake.connector import SnowflakeConnector

TABLE = "DB.DRCHRONO.LINE_ITEMS"


class Existing(SnowflakeConnector):
    """The loader's own connector, with a table and without a connection."""

    def __init__(self, config, made_for):
        """Remember what the table was made for."""
        super().__init__(config=config)
        self.statements = []
        self._columns = {
            name: sqlalchemy.Column(name, self.to_sql_type(field))
            for name, field in made_for["properties"].items()
        }

    def create_engine(self):
        """Make what knows Snowflake's words, and has nothing to connect to."""
        return sqlalchemy.create_mock_engine("snowflake://", self._note)

    def _note(self, statement, *_, **__):
        self.statements.append(str(statement.compile(dialect=self._dialect)))

    @contextmanager
    def _connect(self):
        yield self

    @contextmanager
    def begin(self):
        """Begin nothing."""
        yield

    def execute(self, statement, *_, **__):
        """Keep a statement."""
        self._note(statement)

    def table_exists(self, full_table_name):
        """Say that the table is there."""
        return bool(full_table_name)

    def get_table_columns(self, *_, **__):
        """Return the columns of the table."""
        return self._columns


def main():
    """Prepare the table for the schema that it meets."""
    given = json.load(sys.stdin)
    out, sys.stdout = sys.stdout, sys.stderr
    connector = Existing(CONFIG, given["made_for"])
    for name, field in given["meets"]["properties"].items():
        connector.prepare_column(TABLE, name, connector.to_sql_type(field))
    json.dump(connector.statements, out)


if __name__ == "__main__":
    main()
