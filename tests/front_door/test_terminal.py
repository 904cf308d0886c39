"""Messages in a terminal: at 80 columns; in a file: one line each."""

from __future__ import annotations

import os
import pty
import subprocess

import pytest
from process import TAP


@pytest.fixture
def command(tmp_path):
    """A run that ends with a long error, before any request."""
    settings = tmp_path / "config.json"
    settings.write_text("{}")
    return [str(TAP), "--config", str(settings)]


def in_a_terminal(command):
    """What a person sees."""
    ours, theirs = pty.openpty()
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=theirs, check=False)
    os.close(theirs)
    seen = b""
    try:
        while chunk := os.read(ours, 1 << 16):
            seen += chunk
    except OSError:  # how a terminal says that nobody is left at its other end
        pass
    os.close(ours)
    return done.returncode, seen.decode().replace("\r", "").splitlines()


def test_an_error_is_wrapped_in_a_terminal(command):
    status, lines = in_a_terminal(command)
    first = next(at for at, line in enumerate(lines) if "| ERROR" in line)
    prefix = lines[first].rindex(" | ") + 3
    wrapped = [line[prefix:] for line in lines[first:]]
    assert status == 1
    assert len(wrapped) > 1
    assert max(map(len, wrapped)) <= 80
    assert all(line[:prefix].isspace() for line in lines[first + 1 :])
    assert " ".join(wrapped) == in_a_file(command)[-1]


def in_a_file(command):
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return [line.split(" | ", 3)[3] for line in done.stderr.splitlines()]


def test_it_is_one_line_in_a_file(command):
    said = [line for line in in_a_file(command) if line.startswith("client_id, ")]
    assert len(said) == 1
    assert len(said[0]) > 80
