"""Writes Singer messages, whole lines only, and never gets stuck in one."""

from __future__ import annotations

import contextlib
import datetime as dt
import fcntl
import os
import select
import signal
import stat
import struct
import sys
import termios
import typing as t

import msgspec
from singer_sdk.singerlib.encoding.base import GenericSingerWriter
from singer_sdk.singerlib.messages import Message, StateMessage
from typing_extensions import override

from tap_drchrono.errors import OutputError, Stopped

if t.TYPE_CHECKING:
    from collections.abc import Callable

    from tap_drchrono.clock import Clock

_PIPE_SIZE = 1 << 20
"""Bytes that a pipe to the target should hold."""
_RESERVE = 1 << 14
"""Bytes of the pipe that records leave free, for a last STATE."""
_PAUSE = 0.01
"""Seconds between two looks at a pipe that is full."""


def _encode_other(value: object) -> str:
    """Encode what JSON has no form for, as the SDK does."""
    return value.isoformat() if isinstance(value, dt.datetime) else str(value)


class MessageWriter(GenericSingerWriter[bytes, Message]):
    """Writes messages to standard output.

    Into a pipe, a line is only begun when it fits: so a target that is slow or stuck
    never leaves the tap in the middle of a line, where it could not be stopped.

    Attributes:
        clock: Waits until there is room in the pipe.
        on_wait: Called again and again meanwhile.
    """

    def __init__(self) -> None:
        """Write without looking at a clock, until one is given."""
        super().__init__()
        self.clock: Clock | None = None
        self.on_wait: Callable[[], None] = lambda: None
        self._encoder = msgspec.json.Encoder(
            enc_hook=_encode_other, decimal_format="number"
        )
        self._pipe: int | None = None
        self._capacity = 0
        self._room = 0

    @override
    def serialize_message(self, message: Message) -> bytes:
        """Encode a message as a line, decimals with the digits that they came with."""
        return self._encoder.encode(message.to_dict()) + b"\n"

    @override
    def write_message(self, message: Message) -> None:
        """Write a message to standard output.

        Args:
            message: The message.

        Raises:
            Stopped: If a stop is requested while there is no room for it, or if the
                target has died, which it says itself.
            OutputError: If it cannot be written, as on a disk that is full.
        """
        line = self.serialize_message(message)
        try:
            if self._into_pipe():
                self._wait_for(len(line), last=isinstance(message, StateMessage))
                self._write(line)
            else:
                sys.stdout.buffer.write(line)
                sys.stdout.flush()
        except BrokenPipeError:
            self._write_nowhere()
            raise Stopped(signal.SIGPIPE) from None
        except OSError as error:
            self._write_nowhere()
            msg = (
                f"Standard output cannot be written ({error.strerror}). Put that right "
                "and run the tap again, with the last whole STATE line."
            )
            raise OutputError(msg) from None

    def _write_nowhere(self) -> None:
        """Keep what is still in a buffer from failing again when the process ends."""
        self._pipe = -1
        with contextlib.suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())

    def _into_pipe(self) -> bool:
        """Tell whether standard output is a pipe that can be looked at."""
        if self._pipe is None:
            self._pipe = -1
            try:
                descriptor = sys.stdout.fileno()
                is_pipe = stat.S_ISFIFO(os.fstat(descriptor).st_mode)
            except (OSError, ValueError):
                return False
            if is_pipe and hasattr(fcntl, "F_GETPIPE_SZ"):
                self._pipe = descriptor
                self._capacity = self._widen(descriptor)
        return self._pipe >= 0

    @staticmethod
    def _widen(pipe: int) -> int:
        """Make a pipe larger if the system allows it, and return what it holds."""
        with contextlib.suppress(OSError):
            fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, _PIPE_SIZE)
        # A write may leave half a page unused, so only half of the pipe is counted on.
        return fcntl.fcntl(pipe, fcntl.F_GETPIPE_SZ) // 2

    def _wait_for(self, size: int, *, last: bool) -> None:
        """Wait until a line fits into the pipe, beside the room kept for a last STATE.

        Args:
            size: Bytes of the line.
            last: Whether it may take that room when the tap was asked to stop.
        """
        while self._room < size + _RESERVE and self.clock is not None:
            unread = self._unread()
            self._room = self._capacity - unread
            if unread == 0 or (last and self.clock.stop_requested):
                break
            if self._reader_is_gone():
                break  # what it has not read stays unread, and a write fails
            if self._room < size + _RESERVE:
                self.clock.sleep(_PAUSE)
                self.on_wait()
        self._room -= size

    def _reader_is_gone(self) -> bool:
        """Tell whether the target has closed its end of the pipe."""
        poll = select.poll()
        poll.register(self._pipe or 0, 0)
        return any(event & select.POLLERR for _, event in poll.poll(0))

    def _unread(self) -> int:
        """Return the bytes that the target has not read yet."""
        if self._pipe is None:
            return 0
        answer = fcntl.ioctl(self._pipe, termios.FIONREAD, b"\0\0\0\0")
        return int(struct.unpack("i", answer)[0])

    def _write(self, line: bytes) -> None:
        """Write all bytes of a line."""
        rest = memoryview(line)
        while rest and self._pipe is not None:
            rest = rest[os.write(self._pipe, rest) :]
