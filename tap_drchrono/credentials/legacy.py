"""What version 0.1.0 left: files of one pair each, named by the setting of that time.

Its default file depended on the setting `refresh_token`. Without the setting it had the
name that the default file has in all versions.
"""

from __future__ import annotations

import contextlib
import typing as t
from dataclasses import dataclass

import msgspec

from tap_drchrono.credentials.grant import Grant, Pair, fingerprint

if t.TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


@dataclass(frozen=True)
class OnePair:
    """The content of such a file.

    Attributes:
        api_url: The API that the pair belongs to.
        client_id: The API application that it belongs to.
        pair: The newest pair.
        descends_from: Hash of the setting that it comes from.
        superseded: Hashes of earlier settings.
        version: Of that format.
    """

    api_url: str
    client_id: str
    pair: Pair
    descends_from: str | None = None
    superseded: frozenset[str] = frozenset()
    version: t.Literal[1] = 1

    @property
    def grant(self) -> Grant:
        """The same as a grant."""
        former = {self.descends_from} if self.descends_from else set()
        names = self.superseded | former
        return Grant(self.pair, names - {fingerprint(self.pair.refresh_token)})


def left_beside(default: Path, api_url: str, client_id: str) -> dict[Path, Grant]:
    """Find what that version left, and what is still in use.

    Args:
        default: The default file, beside which it lies.
        api_url: The API that it must belong to.
        client_id: The API application that it must belong to.

    Returns:
        Grants by the files that hold them. A file that was taken over is a link to the
        default file; what cannot be read is none of them.
    """
    found = {}
    for path in sorted(default.parent.glob("credentials-*.json")):
        if path != default and not path.is_symlink():
            with contextlib.suppress(OSError, msgspec.MsgspecError, UnicodeDecodeError):
                one = msgspec.json.decode(path.read_bytes(), type=OnePair)
                if (one.api_url, one.client_id) == (api_url, client_id):
                    found[path] = one.grant
    return found


def merged(grants: Iterable[Grant], found: Iterable[Grant]) -> list[Grant]:
    """Add grants of that version to those that are kept.

    Args:
        grants: What the default file holds.
        found: What was found beside it. A tap of that version may still be running, so
            that a grant that was taken over can be newer there.

    Returns:
        Each grant once.
    """
    known = list(grants)
    for grant in found:
        kin = [one for one in known if one.is_kin(grant)]
        if not kin:
            known.append(grant)
        elif fingerprint(grant.pair.refresh_token) not in kin[0].superseded:
            known[known.index(kin[0])] = kin[0].newer(grant)
    return known
