"""The file that keeps the rotated tokens between runs.

DrChrono's refresh tokens are single use: whoever loses the newest one has to ask a
person to authorize again. So a write replaces the file in one step, only one process
spends a token at a time, and whether a write works is tried before a token is spent.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import logging
import os
import secrets
import stat
import typing as t
from pathlib import Path

import msgspec

from tap_drchrono.advice import authorize_command
from tap_drchrono.credentials.grant import Stored
from tap_drchrono.credentials.legacy import OnePair
from tap_drchrono.errors import CredentialsError

if t.TYPE_CHECKING:
    from collections.abc import Iterator

    from tap_drchrono.clock import Clock

logger = logging.getLogger("tap-drchrono.credentials")

_LOCK_STEP = 0.2
_LOCK_TIMEOUT = 5400.0
"""Seconds; the holder may wait for the top of the hour (its quota) and an outage."""
_OLD = 3600.0
"""Seconds after which nobody is still writing a draft."""

_ADVICE = (
    ({errno.EACCES, errno.EPERM}, "Let this user read and write in its directory"),
    ({errno.EROFS}, "Mount its file system for writing"),
    ({errno.ENOSPC, errno.EDQUOT, errno.EFBIG}, "Make room there"),
    ({errno.EBUSY}, "A mounted file cannot be replaced: mount its directory instead"),
    (
        {errno.ENOLCK, errno.ENOTSUP, errno.ENOSYS},
        "Its file system has no locks, which keep two runs apart: turn them on there",
    ),
    (
        {errno.ESTALE, errno.EIO, errno.ETIMEDOUT, errno.ENOTCONN},
        "See that its disk or network file system works, and run the tap again",
    ),
    (
        {errno.ENOTDIR, errno.EISDIR, errno.EEXIST},
        "Its path must lead through directories to a file",
    ),
)
"""What to do about a failure, by its cause."""


class CredentialsFile:
    """The credentials file of one API application."""

    def __init__(
        self, path: Path, *, api_url: str, client_id: str, clock: Clock
    ) -> None:
        """Name the file. Nothing is read or written yet.

        Args:
            path: Where it is, or is to be.
            api_url: The API that its content must belong to.
            client_id: The API application that its content must belong to.
            clock: For waits that a wish to stop ends.
        """
        # Through a symbolic link, so that a write does not replace the link.
        self.path = Path(os.path.realpath(path.expanduser()))
        self._api_url = api_url.rstrip("/")
        self._client_id = client_id
        self._clock = clock
        self._permissions_told = False

    def read(self) -> Stored | None:
        """Read the file. Needs no lock, since it is only ever replaced whole.

        Returns:
            Its content, or None where there is no file.

        Raises:
            CredentialsError: If it cannot be read, is damaged, or belongs to another
                API or API application.
        """
        with self._trying("read"):
            try:
                content = self._bytes()
                self._tighten()
            except FileNotFoundError:
                return None
        if (stored := _decoded(content)) is None:
            msg = (
                f"The credentials file {self.path} is damaged, or not one of this "
                "version of the tap. Restore it, or move it away and authorize again "
                f"with {authorize_command()}."
            )
            raise CredentialsError(msg)
        for setting, ours, theirs in (
            ("api_url", self._api_url, stored.api_url),
            ("client_id", self._client_id, stored.client_id),
        ):
            if ours != theirs:
                msg = (
                    f"The credentials file {self.path} belongs to another {setting}, "
                    "and is left alone. Correct that setting, or give this one a file "
                    "of its own in the setting credentials_path."
                )
                raise CredentialsError(msg)
        if isinstance(stored, OnePair):
            return Stored(stored.api_url, stored.client_id, (stored.grant,))
        return stored

    def _bytes(self) -> bytes:
        """Read it, once more where it was replaced on a network file system."""
        try:
            return self.path.read_bytes()
        except OSError as error:
            if error.errno != errno.ESTALE:
                raise
            return self.path.read_bytes()

    def check_writable(self) -> None:
        """Try a write before a token is spent. Hold the lock.

        The very steps of a write are taken, with the content that is there: that also
        finds a file that is itself a mount, which cannot be replaced.

        Raises:
            CredentialsError: If the file could not be written.
        """
        with self._trying("written"):
            if not self.path.exists():
                with self._drafted(b"\0" * 4096):
                    return
            content = self._bytes()
            with self._drafted(content) as draft:
                # Where locks do nothing, another process may just have written.
                if self._bytes() == content:
                    self._put(draft)

    def write(self, stored: Stored) -> None:
        """Replace the content in one step. Hold the lock.

        Args:
            stored: The new content.

        Raises:
            CredentialsError: If the file cannot be written.
        """
        with self._trying("written"):
            content = msgspec.json.encode(stored, order="deterministic")
            with self._drafted(msgspec.json.format(content) + b"\n") as draft:
                self._put(draft)

    def take_place_of(self, former: Path) -> None:
        """Leave a link to this file where a former one was. Hold the lock.

        Args:
            former: A file whose content is in this one now. It stays as it is where
                there can be no link.
        """
        link = former.with_name(f".{former.name}.link")
        with contextlib.suppress(OSError):
            link.unlink(missing_ok=True)
            link.symlink_to(os.path.relpath(self.path, former.parent))
            link.replace(former)

    @contextlib.contextmanager
    def lock(self) -> Iterator[None]:
        """Be the only process that spends a token of this file.

        Yields:
            Nothing; the lock ends with the block, or with the process.

        Raises:
            CredentialsError: If there can be no lock, or none within the time.
        """
        with self._trying("locked"):
            self._make_directory()
            handle = os.open(self._beside(".lock"), os.O_RDWR | os.O_CREAT, 0o600)
        try:
            self._acquire(handle)
            yield
        finally:
            os.close(handle)

    def _acquire(self, handle: int) -> None:
        for attempt in range(int(_LOCK_TIMEOUT / _LOCK_STEP)):
            with self._trying("locked"):
                try:
                    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    pass
                else:
                    return
            if attempt == 1:
                logger.info("Waiting for another process that uses %s", self.path)
            self._clock.sleep(_LOCK_STEP)
        msg = (
            f"Another process has held the credentials file {self.path} for over "
            f"{_LOCK_TIMEOUT / 60:.0f} minutes. End it, then run the tap again."
        )
        raise CredentialsError(msg)

    def _beside(self, suffix: str) -> Path:
        return self.path.with_name(f".{self.path.name}{suffix}")

    def _make_directory(self) -> None:
        directory = self.path.parent
        if not directory.is_dir():
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            # Nobody shall commit tokens.
            (directory / ".gitignore").write_text("*\n", encoding="utf-8")

    @contextlib.contextmanager
    def _drafted(self, content: bytes) -> Iterator[Path]:
        """Write a file beside, which can take the place of this one."""
        if self.path.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        self._make_directory()
        self._remove_old_drafts()
        # A name of its own, for where locks do nothing.
        draft = self._beside(f".{secrets.token_hex(4)}.tmp")
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(handle)
            yield draft
        finally:
            draft.unlink(missing_ok=True)

    def _remove_old_drafts(self) -> None:
        """Remove what processes that were killed have left: it may hold tokens."""
        for draft in self.path.parent.glob(f".{self.path.name}*.tmp"):
            with contextlib.suppress(FileNotFoundError):
                if self._clock.machine_time() - draft.stat().st_mtime > _OLD:
                    draft.unlink()

    def _put(self, draft: Path) -> None:
        draft.replace(self.path)
        directory = os.open(self.path.parent, os.O_RDONLY)
        try:
            # The file is in place; some file systems cannot sync a directory.
            with contextlib.suppress(OSError):
                os.fsync(directory)
        finally:
            os.close(directory)

    def _tighten(self) -> None:
        mode = stat.S_IMODE(self.path.stat().st_mode)
        if not mode & 0o077 or self._permissions_told:
            return
        self._permissions_told = True
        try:
            self.path.chmod(0o600)
        except OSError:
            outcome = "and that could not be changed: make its mode 0600"
        else:
            outcome = "its mode is 0600 now"
        logger.warning(
            "Other users could read the credentials file %s; %s", self.path, outcome
        )

    @contextlib.contextmanager
    def _trying(self, action: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            found = (advice for causes, advice in _ADVICE if error.errno in causes)
            advice = next(found, "See that this user can write in its directory")
            msg = (
                f"The credentials file {self.path} cannot be {action} "
                f"({error.strerror or type(error).__name__}). {advice}, or name "
                "another file in the setting credentials_path."
            )
            raise CredentialsError(msg) from error


def _decoded(content: bytes) -> Stored | OnePair | None:
    """Read what a version of the tap wrote; None for anything else."""
    kinds: tuple[type[Stored | OnePair], ...] = (Stored, OnePair)
    for kind in kinds:
        # What it says could quote the file.
        with contextlib.suppress(msgspec.MsgspecError, UnicodeDecodeError):
            return msgspec.json.decode(content, type=kind)
    return None
