"""The writer of messages on a real pipe: whole lines, whatever the target does."""

from __future__ import annotations

import contextlib
import datetime as dt
import itertools
import json
import os
import signal
import sys
import threading
from decimal import Decimal
from unittest import mock

import pytest
from singer_sdk.singerlib.messages import RecordMessage, StateMessage

from tap_drchrono.clock import Clock
from tap_drchrono.errors import Stopped
from tap_drchrono.records import messages
from tap_drchrono.records.messages import MessageWriter

STATE = StateMessage(value={"bookmarks": {"patients": {}}})


def record(number, size=100):
    return RecordMessage(stream="patients", record={"id": number, "text": "x" * size})


class Impatient(Clock):
    """Is asked to stop after some waits."""

    def __init__(self, waits):
        super().__init__()
        self.waits = waits

    def sleep(self, _):
        self.waits -= 1
        if self.waits <= 0:
            self.request_stop(signal.SIGTERM)
        self.check()


class Pipe:
    """A pipe that is the standard output within a `with` block."""

    def __init__(self):
        self.read_end, write_end = os.pipe()
        self._stdout = os.fdopen(write_end, "w")
        self._patch = mock.patch.object(sys, "stdout", self._stdout)
        self.received = b""

    def __enter__(self):
        self._patch.start()
        return self

    def __exit__(self, *_):
        self._patch.stop()
        self.close()
        with contextlib.suppress(OSError):
            os.close(self.read_end)

    def close(self):
        self._stdout.close()

    def drain(self, chunk=1 << 16):
        """Read until the other end is closed."""
        while part := os.read(self.read_end, chunk):
            self.received += part

    def lines(self):
        assert self.received.endswith(b"\n")
        return [json.loads(line) for line in self.received.splitlines()]


@pytest.fixture
def open_pipe():
    """Opens the pipe within the test, since pytest has its own standard output."""
    with contextlib.ExitStack() as stack:
        yield lambda: stack.enter_context(Pipe())


def writer_with(clock):
    writer = MessageWriter()
    writer.clock = clock
    return writer


def write_until_stopped(writer, size, written):
    """Write records without end, and note which went out."""
    for number in itertools.count():
        writer.write_message(record(number, size))
        written.append(number)


@pytest.mark.parametrize("pipe_size", [4096, 1 << 20])
@pytest.mark.parametrize("size", [10, 1000, 5000, 100_000])
def test_a_slow_target_gets_every_line(open_pipe, monkeypatch, pipe_size, size):
    pipe = open_pipe()
    monkeypatch.setattr(messages, "_PIPE_SIZE", pipe_size)
    monkeypatch.setattr(messages, "_PAUSE", 0.0001)
    target = threading.Thread(target=pipe.drain, kwargs={"chunk": 9999})
    target.start()
    writer = writer_with(Clock())
    for number in range(30):
        writer.write_message(record(number, size))
    writer.write_message(STATE)
    pipe.close()
    target.join()
    *records, last = pipe.lines()
    assert [line["record"]["id"] for line in records] == list(range(30))
    assert last["type"] == "STATE"


@pytest.mark.parametrize("size", [10, 1000, 4090, 20_000, 300_000])
def test_a_stuck_target_does_not_hold_a_stop(open_pipe, size):
    pipe = open_pipe()
    writer = writer_with(Impatient(waits=3))
    written = []
    with pytest.raises(Stopped):
        write_until_stopped(writer, size, written)
    writer.write_message(STATE)
    writer.write_message(STATE)
    pipe.close()
    pipe.drain()
    *records, before, last = pipe.lines()
    assert [line["record"]["id"] for line in records] == written
    assert written
    assert before["type"] == last["type"] == "STATE"


def test_that_the_target_is_slow_can_be_told(open_pipe):
    open_pipe()
    clock = Impatient(waits=3)
    writer = writer_with(clock)
    told = []
    writer.on_wait = lambda: told.append(clock.waits)
    with pytest.raises(Stopped):
        write_until_stopped(writer, 1000, [])
    assert told == [2, 1]


def test_a_line_longer_than_the_pipe_goes_through_an_empty_one(open_pipe):
    pipe = open_pipe()
    target = threading.Thread(target=pipe.drain)
    target.start()
    writer = writer_with(Clock())
    writer.write_message(record(1, 3 << 20))
    writer.write_message(record(2))
    pipe.close()
    target.join()
    assert [line["record"]["id"] for line in pipe.lines()] == [1, 2]


def test_a_target_that_died_is_noticed(open_pipe):
    pipe = open_pipe()
    os.close(pipe.read_end)
    writer = writer_with(Clock())
    with pytest.raises(Stopped):
        writer.write_message(record(1))


def test_a_target_that_dies_while_the_tap_waits_is_noticed(open_pipe):
    pipe = open_pipe()

    class Closing(Impatient):
        def sleep(self, seconds):
            if self.waits == 3:
                os.close(pipe.read_end)
            super().sleep(seconds)

    writer = writer_with(Closing(waits=3))
    with pytest.raises(Stopped):
        write_until_stopped(writer, 1000, [])


def test_without_a_pipe_lines_go_to_the_file(monkeypatch, tmp_path):
    with (tmp_path / "out.jsonl").open("w", encoding="utf-8") as file:
        monkeypatch.setattr(sys, "stdout", file)
        writer = writer_with(Impatient(waits=0))
        writer.write_message(record(1))
        writer.write_message(STATE)
    kinds = [
        json.loads(line)["type"]
        for line in (tmp_path / "out.jsonl").read_text("utf-8").splitlines()
    ]
    assert kinds == ["RECORD", "STATE"]


def test_numbers_keep_their_digits():
    line = MessageWriter().serialize_message(
        RecordMessage(
            stream="line_items",
            record={
                "price": Decimal("125.00"),
                "long": Decimal("0.1234567890123456789"),
            },
            time_extracted=dt.datetime(2024, 1, 2, 3, 4, 5, tzinfo=dt.UTC),
        )
    )
    assert b'"price":125.00,' in line
    assert b'"long":0.1234567890123456789' in line
    assert b"2024-01-02T03:04:05" in line
    assert line.count(b"\n") == 1


def test_text_is_utf_8_on_one_line():
    text = "Zo\u00eb\n\r\u2028\x85"
    line = MessageWriter().serialize_message(
        RecordMessage(stream="patients", record={"text": text})
    )
    assert line.count(b"\n") == 1
    assert b"\r" not in line
    assert "Zo\u00eb".encode() in line
    assert json.loads(line)["record"]["text"] == text
