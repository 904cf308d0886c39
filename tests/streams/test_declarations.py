"""What each stream declares: complete, sound, and as the sandbox has it."""

from __future__ import annotations

import json
import re

import pytest
from comparison import leaves
from drchrono_sandbox import STREAMS as BULK
from drchrono_sandbox import Api, Practice
from drchrono_sandbox.plain.endpoints import PLAIN

from tap_drchrono.endpoints import Group
from tap_drchrono.schema_files import SCHEMAS, marks
from tap_drchrono.streams.bulk import BulkListStream
from tap_drchrono.streams.catalogue import ENDPOINTS, ON_REQUEST, STREAMS
from tap_drchrono.streams.plain import PlainStream, ReferenceStream

CLASSES = {stream.endpoint().stream: stream for stream in STREAMS}

each_stream = pytest.mark.parametrize("name", ENDPOINTS)

NO_JOIN = {
    ("patient_authorizations", "doctor"): "text beside doctor_id: an id or a name",
    ("patient_authorizations", "patient"): "text beside patient_id: an id or a name",
    ("clinical_notes", "signee.locked_by"): "an id or a name",
    ("clinical_notes", "signee.supervisor_locked_by"): "an id or a name",
    ("comm_logs", "author"): "an id or a name",
    ("appointments", "recurrence_instance_key"): "names one of a series, made or not",
    ("appointments", "reminders.id"): "reminders are no stream",
    ("lab_orders", "documents"): "documents of laboratories are no stream",
    ("lab_results", "document"): "documents of laboratories are no stream",
    ("documents", "document"): "the address of a file",
}
"""Columns that may hold an id of a stream, and why they declare no join."""
TEXT_FOR_A_NUMBER = {
    ("appointments", "supervising_provider"),
    ("appointments", "billing_provider"),
}
"""Columns that are documented as text and hold a key that is a number."""


def column(name, path):
    """The schema of a column, with the type of an item where it is an array."""
    field = inner = SCHEMAS.get_schema(name)
    for part in path.split("."):
        field = inner["properties"][part]
        inner = field.get("items", field)
    return field | {"type": inner["type"]}


def kind(field):
    types = field["type"]
    return types if isinstance(types, str) else types[0]


def test_there_are_eight_bulk_streams_and_forty_five_companions():
    groups = [endpoint.group for endpoint in ENDPOINTS.values()]
    assert groups.count(Group.BULK) == 8
    assert groups.count(Group.REFERENCE) == 11
    assert len(groups) == 8 + 45
    offered = {name for name, one in ENDPOINTS.items() if one.offered}
    assert len(offered) == 21
    assert {"line_item_deletions", "patient_payments"} < offered
    assert offered | ON_REQUEST == set(ENDPOINTS)


@each_stream
def test_each_has_a_schema_with_its_key_and_its_replication_key(name):
    columns = SCHEMAS.get_schema(name)["properties"]
    endpoint = ENDPOINTS[name]
    assert kind(columns[endpoint.key]) in {"integer", "string"}
    assert endpoint.replication_key in {*columns, None}


@each_stream
def test_what_tells_of_changes_is_the_replication_key(name):
    columns = SCHEMAS.get_schema(name)["properties"]
    stream = CLASSES[name]
    key = ENDPOINTS[name].replication_key
    if issubclass(stream, ReferenceStream):
        assert key is None
    elif "updated_at" in columns:
        assert key == "updated_at"
    elif stream.since and "created_at" in columns:
        assert key == "created_at"
    else:
        assert (key is not None) == bool(stream.since)


@each_stream
def test_a_class_is_short(name):
    """All that is declared fits on a few lines: the rest is derived."""
    own = [one for one in vars(CLASSES[name]) if not one.startswith("_")]
    assert len(own) <= 14
    assert CLASSES[name].__doc__


class TestJoins:
    @each_stream
    def test_columns_and_streams_are_known(self, name):
        for path, parent in ENDPOINTS[name].joins.items():
            assert path in marks(name)
            assert parent in ENDPOINTS

    @each_stream
    def test_a_column_has_the_type_of_the_key(self, name):
        for path, parent in ENDPOINTS[name].joins.items():
            ours = kind(column(name, path))
            theirs = kind(column(parent, ENDPOINTS[parent].key))
            if (name, path) in TEXT_FOR_A_NUMBER:
                assert (ours, theirs) == ("string", "integer")
            else:
                assert ours == theirs, path

    @each_stream
    def test_what_holds_an_id_by_its_name_is_joined(self, name):
        named = {
            *("doctor", "patient", "office", "appointment", "profile", "line_item"),
            *("user", "staff", "members", "created_by", "assigned_by", "provider"),
            *("entered_by", "administered_by", "locked_by", "supervisor_locked_by"),
            *("author", "owner"),
            *(parent.removesuffix("s") for parent in ENDPOINTS),
        }
        for path in marks(name):
            last = path.rpartition(".")[2]
            holds = {last, last.removesuffix("_id"), last.removesuffix("s")} & named
            is_text = kind(column(name, path)) == "string" and last == "message"
            if holds and path != ENDPOINTS[name].key and not is_text:
                known = path in ENDPOINTS[name].joins or (name, path) in NO_JOIN
                assert known, path

    @each_stream
    def test_what_is_described_as_a_key_of_a_stream_is_joined(self, name):
        keys = {f"{parent}.{one.key}": parent for parent, one in ENDPOINTS.items()}
        for path in marks(name):
            for told in re.findall(r"`(\w+\.\w+)`", column(name, path)["description"]):
                if told in keys and path != ENDPOINTS[name].key:
                    assert ENDPOINTS[name].joins.get(path) == keys[told], path

    def test_what_holds_ids_in_the_sandbox_is_joined(self):
        """There each stream has ids of its own, so an id tells its stream."""
        api = Api(Practice.generate(records=60, seed=31))
        records = {name: json.loads(api.records_body(name)) for name in ENDPOINTS}
        owner = {
            str(record[ENDPOINTS[name].key]): name
            for name in ENDPOINTS
            if name not in {"clinical_notes", "line_item_deletions"}
            for record in records[name]
        }
        found = {
            (name, path, owner[str(value)])
            for name in ENDPOINTS
            for record in records[name]
            for path, value in leaves(record)
            if path != ENDPOINTS[name].key and str(value) in owner
        }
        assert len(found) > 100
        undeclared = {
            (name, path, parent)
            for name, path, parent in found
            if ENDPOINTS[name].joins.get(path) != parent and (name, path) not in NO_JOIN
        }
        assert not undeclared

    def test_each_reason_belongs_to_a_column_without_a_join(self):
        for name, path in NO_JOIN:
            assert path in marks(name)
            assert path not in ENDPOINTS[name].joins


class TestTheSandboxSaysTheSame:
    """The sandbox was written from the vendor's document, without looking here."""

    @pytest.mark.parametrize("name", BULK)
    def test_of_a_bulk_list(self, name):
        told, stream = BULK[name], CLASSES[name]
        assert issubclass(stream, BulkListStream)
        endpoint = stream.endpoint()
        assert (endpoint.path, endpoint.key) == (told.path, told.key)
        assert endpoint.scopes == set(told.scopes)
        assert stream.max_page_size == told.page_size_max
        assert stream.steady_order.value == told.orders[0]

    @pytest.mark.parametrize(
        "name", [name for name, one in ENDPOINTS.items() if one.group is not Group.BULK]
    )
    def test_of_a_plain_list(self, name):
        told, stream = PLAIN[name], CLASSES[name]
        assert issubclass(stream, PlainStream)
        endpoint = stream.endpoint()
        assert (endpoint.path, endpoint.key) == (told.path, told.key)
        assert endpoint.scopes == set(told.scopes)
        assert set(endpoint.permissions) == set(told.permissions)
        assert (stream.since or "") == told.since
        assert stream.archived == bool(told.archived)
        assert stream.sized == told.sized
        if endpoint.replication_key:
            assert endpoint.replication_key == told.time
        if stream.verbose:
            assert told.verbose_only
