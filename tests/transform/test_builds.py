"""Whatever was loaded, `dbt build` ends well."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from drchrono_sandbox import serve
from test_privacy_recipes import SALT, recipes, selected_by
from warehouses import DuckDbWarehouse, PostgresWarehouse, failed

# One worker reads the dbt project, once.
pytestmark = pytest.mark.xdist_group("builds")

OLD = Path(__file__).parent / "tables_0_1_0.sql"
SPOIL = """
UPDATE drchrono_marts.ar_aging SET total = total + 0.01;
INSERT INTO drchrono_marts.visits FROM drchrono_marts.visits LIMIT 1;
UPDATE drchrono_marts.charges SET billed = billed + 0.01;
DELETE FROM drchrono_marts.receivables WHERE side = 'patient';
UPDATE drchrono_marts.day_sheet SET kind = 'denied' WHERE kind = 'write-off';
UPDATE drchrono_marts.denials SET transaction_id = NULL;
"""
APPEND = """
CREATE TABLE drchrono.copy AS FROM drchrono.line_items;
INSERT INTO drchrono.copy SELECT * REPLACE (
    1000000 AS balance_ins, updated_at - INTERVAL 1 DAY AS updated_at
) FROM drchrono.line_items;
DROP TABLE drchrono.line_items;
ALTER TABLE drchrono.copy RENAME TO line_items;
"""
VERSIONS = """
CREATE SCHEMA drchrono;
CREATE TABLE drchrono.line_items (
    id text, updated_at timestamp, code text, _sdc_extracted_at timestamp
);
INSERT INTO drchrono.line_items VALUES
    ('later', '2024-01-02', 'new', '2024-02-01'),
    ('later', '2024-01-01', 'old', '2024-02-02'),
    ('undated', NULL, 'old', '2024-02-02'),
    ('undated', '2024-01-01', 'new', '2024-02-01'),
    ('read twice', '2024-01-01', 'old', '2024-02-01'),
    ('read twice', '2024-01-01', 'new', '2024-02-02');
CREATE TABLE drchrono.offices (id text, name text, _sdc_batched_at timestamp);
INSERT INTO drchrono.offices VALUES
    ('1', 'new', '2024-02-02'), ('1', 'old', '2024-02-01'), ('1', 'lost', NULL);
"""
OLD_ROWS = """
INSERT INTO drchrono.line_items
    (id, billed, balance_ins, balance_pt, posted_date, _extra)
VALUES (1, 100, 0.1 + 0.2, -5, '2024-03-01 23:30:00', '{"vendor_added": 1}');
INSERT INTO drchrono.transactions (id, line_item, ins_paid, posted_date)
VALUES (2, 1, 80.1, '2024-03-02 00:00:00');
"""
NO_UNIT_TESTS = ("--exclude-resource-type", "unit_test")


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory):
    """A warehouse at one place, so that dbt reads the project once."""
    warehouse = DuckDbWarehouse(tmp_path_factory.mktemp("builds"), "2026-03-31")
    yield warehouse
    warehouse.close()


@pytest.fixture
def empty(warehouse):
    warehouse.clear()
    return warehouse


def test_nothing_was_loaded(empty):
    statuses = empty.build()
    assert list(statuses.values()).count("success") > 30
    assert not empty.rows("charges")
    assert [row["compared"] for row in empty.rows("checks")] == [0] * 11


def test_nothing_was_loaded_in_postgresql(request, tmp_path):
    session = request.getfixturevalue("postgres_warehouse")
    session.run('CREATE DATABASE "empty"')
    warehouse = AnotherDatabase(tmp_path, session.as_of, session.server, "empty")
    # The unit tests hold whatever a practice decides.
    statuses = warehouse.build(
        drchrono_aging_date="service_date",
        drchrono_excluded_statuses=["Cancelled"],
        drchrono_kept_statuses=["Seen"],
        drchrono_not_denials=["50"],
    )
    warehouse.close()
    assert any("who_owes" in name for name in statuses)


class AnotherDatabase(PostgresWarehouse):
    """Another database of the same server."""

    def __init__(self, home, as_of, server, name):
        super().__init__(home, as_of, server._replace(database=name))

    def settings(self):
        return super().settings() | {"TARGET_POSTGRES_DATABASE": self.server.database}


TEXTS = """
CREATE SCHEMA drchrono;
CREATE TABLE drchrono.line_items (
    id text, service_date text, updated_at text, billed text, denied_flag text,
    price float8, code text, posted_date timestamptz, _sdc_deleted_at timestamp
);
INSERT INTO drchrono.line_items (
    id, service_date, updated_at, billed, denied_flag, price, code
) VALUES
    ('good', '2024-02-29', '2000-02-29T23:59:59', '12.345', 'true', 0.1, 'A'),
    ('other', '2023-11-30T09:00:00', '2024-01-01 10:00:00.5', '-7', 'f', -1e15, ''),
    ('bad', '2023-02-29', '2024-01-01 25:00:00', '12.3.4', 'maybe', 1e20, NULL),
    ('worse', '1900-02-29', '2024-13-01', '1e99', '', -1e16, NULL),
    ('long', '2023-04-31', '2023', '99999999999999999999', '', NULL, NULL),
    ('empty', '', '', '', '', NULL, ''),
    ('blank', '  ', ' ', '  ', ' ', NULL, '   '),
    (' padded ', ' 2024-02-29 ', ' 2000-02-29 10:00:00 ', ' .50 ', ' TRUE ', 1, ' A '),
    ('zone', '2024-01-01T01:30+02:00', '2024-01-01 01:30:00+0200', '1', 'No', 1, 'A'),
    ('utc', '2024-01-01T23:30:00Z', '2024-01-01 23:30:00Z', '0', 'y', 1, 'A'),
    ('deleted', NULL, NULL, NULL, NULL, NULL, NULL);
UPDATE drchrono.line_items SET posted_date = '2024-03-01 01:00:00+00' WHERE id = 'good';
UPDATE drchrono.line_items SET _sdc_deleted_at = '2024-01-01' WHERE id = 'deleted';
CREATE TABLE drchrono.patients (id text, primary_insurance text);
INSERT INTO drchrono.patients VALUES
    ('good', '{"insurance_plan_type": " MB "}'), ('null', 'null'), ('empty', ''),
    ('blank', '  '), ('bad', 'Invented Insurance'), ('list', '[]');
"""
READ = """
SELECT to_json(t) FROM (
    SELECT line_item_id, service_date, CAST(updated_at AS date) AS updated, billed,
        is_denied, price, code, posted_date, is_deleted
    FROM drchrono_staging.stg_drchrono__line_items ORDER BY line_item_id
) t
"""
READ_PLANS = """
SELECT patient_id FROM drchrono_staging.stg_drchrono__patients
WHERE primary_insurance__insurance_plan_type = 'MB'
"""


@pytest.mark.parametrize("kind", ["duckdb", "postgres"])
def test_what_cannot_be_read_is_null(request, kind, empty, tmp_path):
    """Where a loader, or a stream map, made texts of all columns."""
    if kind == "postgres":
        server = request.getfixturevalue("postgres_warehouse").server
        server.query('CREATE DATABASE "texts"')
        warehouse = AnotherDatabase(tmp_path, "2026-03-31", server, "texts")
    else:
        warehouse = empty
    warehouse.run(TEXTS)
    part = ("--indirect-selection", "cautious", "--select", "+charges")
    warehouse.build(*NO_UNIT_TESTS, *part)
    rows = [tuple(json.loads(row).values()) for row in warehouse.run(READ)]
    assert rows == [
        ("bad", None, None, None, None, None, None, None, False),
        ("blank", None, None, None, None, None, None, None, False),
        ("deleted", None, None, None, None, None, None, None, True),
        ("empty", None, None, None, None, None, None, None, False),
        (
            "good",
            "2024-02-29",
            "2000-02-29",
            12.35,
            True,
            0.1,
            "A",
            "2024-03-01",
            False,
        ),
        ("long", None, None, None, None, None, None, None, False),
        ("other", "2023-11-30", "2024-01-01", -7, False, -1e15, None, None, False),
        ("padded", "2024-02-29", "2000-02-29", 0.5, True, 1, "A", None, False),
        ("utc", "2024-01-01", "2024-01-01", 0, True, 1, "A", None, False),
        ("worse", None, None, None, None, None, None, None, False),
        ("zone", "2024-01-01", "2024-01-01", 1, False, 1, "A", None, False),
    ]
    assert warehouse.run(READ_PLANS) == ["good"]
    assert len(warehouse.rows("charges")) == 10
    if warehouse is not empty:
        warehouse.close()


def only(output, *streams):
    """The messages of some streams, and the states."""
    return b"".join(
        line
        for line in output.splitlines(keepends=True)
        if json.loads(line).get("stream") in {*streams, None}
    )


def test_only_appointments_were_loaded(empty, synced):
    empty.load(only(synced["first"].output, "appointments"))
    empty.build(*NO_UNIT_TESTS)
    visits = empty.rows("visits")
    assert visits
    # Where no charge is known, none can be missing.
    assert {row["is_unbilled"] for row in visits} == {None}
    assert not empty.rows("receivables")


def test_tables_of_the_first_version(empty):
    empty.run(OLD.read_text("utf-8") + OLD_ROWS)
    empty.build(*NO_UNIT_TESTS)
    amounts = {row["side"]: float(row["amount"]) for row in empty.rows("receivables")}
    assert amounts == {"insurance": 0.3, "patient": -5.0}
    events = {
        (row["kind"], float(row["amount"]), row["posted_date"])
        for row in empty.rows("day_sheet")
    }
    assert events == {
        ("charge", 100.0, "2024-03-01"),
        ("insurance payment", 80.1, "2024-03-02"),
    }


@pytest.mark.parametrize("number", range(len(recipes())))
def test_a_recipe_for_privacy(empty, number, practice, make_tap, catalog):
    recipe = recipes()[number]
    config = recipe.get("config", {})
    for name in config.get("stream_map_config", {}):
        config["stream_map_config"][name] = SALT
    with serve(practice=practice) as served:
        ended = make_tap(served, **config).run(
            catalog=selected_by(recipe["select"], catalog)
        )
        ended.good()
    empty.load(ended.output)
    empty.build(*NO_UNIT_TESTS)
    assert len(empty.rows("visits")) > 100
    assert len(empty.rows("receivables")) > 100


def test_all_is_flattened(empty, practice, make_tap):
    """Columns of their own instead of objects lead to the same."""
    with serve(practice=practice) as served:
        plain = make_tap(served).run()
        flat = make_tap(served, flattening_enabled=True, flattening_max_depth=1).run()
    found = []
    for ended in (plain, flat):
        ended.good()
        empty.clear()
        empty.load(ended.output)
        empty.build(*NO_UNIT_TESTS)
        found.append([empty.rows(mart) for mart in ("receivables", "visits")])
    classes = {row["payer_class"] for row in found[0][0]}
    assert len(classes) > 3
    for one, other in zip(*found, strict=True):
        assert sorted(map(str, one)) == sorted(map(str, other))


def test_a_mart_that_is_wrong_is_noticed(empty, synced):
    empty.load(synced["first"].output)
    empty.build(*NO_UNIT_TESTS)
    empty.run(SPOIL)
    noticed = failed(empty.dbt("test", *NO_UNIT_TESTS))
    assert {name.split("_kind__")[0] for name in noticed} == {
        "accepted_values_day_sheet",
        "ar_aging_has_all_receivables",
        "day_sheet_has_all_money",
        "drchrono_key_denials_transaction_id",
        "drchrono_key_visits_appointment_id",
        "receivables_are_the_balances",
        "visits_are_counted_once",
    }


def test_a_table_that_only_grows(empty, synced, wanted):
    """A loader that appends leaves older versions of a record; a setting drops them."""
    empty.load(synced["first"].output)
    empty.run(APPEND)
    staging = "stg_drchrono__line_items"
    part = ("--indirect-selection", "cautious", "--select", f"+{staging}")
    told = empty.dbt("build", *NO_UNIT_TESTS, *part)
    assert failed(told) == {f"drchrono_key_{staging}_line_item_id"}
    empty.build(*NO_UNIT_TESTS, drchrono_deduplicate=True)
    amounts = [row["amount"] for row in empty.rows("receivables")]
    want = [row["amount"] for row in wanted["first", "receivables"].values()]
    assert sorted(amounts) == sorted(want)


@pytest.mark.parametrize("kind", ["duckdb", "postgres"])
def test_the_latest_record_of_a_key_counts(request, kind, empty, tmp_path):
    """By its own stamp, and then by when it was loaded."""
    warehouse = empty
    if kind == "postgres":
        server = request.getfixturevalue("postgres_warehouse").server
        server.query('CREATE DATABASE "versions"')
        warehouse = AnotherDatabase(tmp_path, "2026-03-31", server, "versions")
    warehouse.run(VERSIONS)
    models = ("stg_drchrono__line_items", "stg_drchrono__offices")
    part = ("--indirect-selection", "cautious", "--select", *(f"+{m}" for m in models))
    warehouse.build(*NO_UNIT_TESTS, *part, drchrono_deduplicate=True)
    query = "SELECT {} FROM drchrono_staging.{} ORDER BY 1"
    found = [
        warehouse.run(query.format(column, model))
        for column, model in zip(("code", "name"), models, strict=True)
    ]
    assert found == [["new"] * 3, ["new"]]
    if warehouse is not empty:
        warehouse.close()
