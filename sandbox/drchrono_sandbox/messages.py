"""What goes into the simulated API and what comes out, without any socket."""

from __future__ import annotations

import dataclasses
import json
import typing as t
import urllib.parse

if t.TYPE_CHECKING:
    from collections.abc import Mapping

Json: t.TypeAlias = t.Any
"""A value that JSON can hold."""


@dataclasses.dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request.

    Attributes:
        method: In upper case.
        path: Without the query.
        query: The query parameters; of a repeated one, the last.
        headers: By name in lower case.
        body: As it came.
        base_url: Scheme, host and port that the client used, for links and redirects.
        full_query: The query as it came, for redirects.
    """

    method: str
    path: str
    query: Mapping[str, str] = dataclasses.field(default_factory=dict)
    headers: Mapping[str, str] = dataclasses.field(default_factory=dict)
    body: bytes = b""
    base_url: str = "http://127.0.0.1"
    full_query: str = ""

    @classmethod
    def of(
        cls,
        method: str,
        url: str,
        headers: Mapping[str, str] | None = None,
        body: bytes | str | None = None,
    ) -> Request:
        """Take a request apart that is addressed by a whole URL.

        Args:
            method: In any case.
            url: Absolute, with its query.
            headers: By name in any case.
            body: Text is encoded as UTF-8.

        Returns:
            The request.
        """
        parts = urllib.parse.urlsplit(url)
        return cls(
            method=method.upper(),
            path=parts.path,
            query=dict(urllib.parse.parse_qsl(parts.query, keep_blank_values=True)),
            headers={name.lower(): value for name, value in (headers or {}).items()},
            body=body.encode() if isinstance(body, str) else body or b"",
            base_url=f"{parts.scheme}://{parts.netloc}",
            full_query=parts.query,
        )

    @property
    def form(self) -> dict[str, str]:
        """The fields of a form body."""
        text = self.body.decode("utf-8", "replace")
        return dict(urllib.parse.parse_qsl(text, keep_blank_values=True))


@dataclasses.dataclass(frozen=True, slots=True)
class Misbehaviour:
    """What the transport does wrong with a response.

    Attributes:
        delay: Seconds before anything is sent.
        cut: How the connection ends: `close` and `reset` before any answer, `hang`
            without any answer until the client gives up (after `delay` seconds at the
            latest), `truncate` within the body, whose announced length is longer.
    """

    delay: float = 0.0
    cut: t.Literal["", "close", "reset", "hang", "truncate"] = ""


@dataclasses.dataclass(frozen=True, slots=True)
class Response:
    """One HTTP response.

    Attributes:
        status: The status code.
        headers: Content type and, rarely, others.
        body: The whole body, also where the transport will cut it.
        misbehaviour: What the transport is to do wrong, if anything.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    misbehaviour: Misbehaviour | None = None

    def json(self) -> Json:
        """Decode the body.

        Returns:
            The JSON value.
        """
        return json.loads(self.body)


def dump(value: Json) -> bytes:
    """Encode a value compactly, non-ASCII text as it is, like the vendor's framework.

    Args:
        value: What to encode.

    Returns:
        UTF-8 JSON text.
    """
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def json_response(
    status: int, value: Json, headers: Mapping[str, str] | None = None
) -> Response:
    """Make a JSON response.

    Args:
        status: The status code.
        value: The body.
        headers: Further headers.

    Returns:
        The response.
    """
    return raw_json_response(status, dump(value), headers)


def raw_json_response(
    status: int, body: bytes, headers: Mapping[str, str] | None = None
) -> Response:
    """Make a JSON response from text that is already encoded.

    Args:
        status: The status code.
        body: The encoded body.
        headers: Further headers.

    Returns:
        The response.
    """
    return Response(
        status, {"content-type": "application/json", **(headers or {})}, body
    )


def html_response(
    status: int, text: str, headers: Mapping[str, str] | None = None
) -> Response:
    """Make a page.

    Args:
        status: The status code.
        text: What the body element holds.
        headers: Further headers.

    Returns:
        The response.
    """
    page = (
        "<!doctype html>\n<html lang=en><head><meta charset=utf-8>"
        f"<title>DrChrono sandbox</title></head>\n<body>{text}</body></html>\n"
    )
    kind = {"content-type": "text/html; charset=utf-8"}
    return Response(status, {**kind, **(headers or {})}, page.encode())
