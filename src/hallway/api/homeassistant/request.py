"""How a request of the Home Assistant API of 2014 is read: credential, method, data.

Data is the query string under the JSON body, for every method; `_METHOD` in it takes the place of the real method and
`api_password` that of the header. No Content-Type is needed. It must not know what is asked for.
"""

from __future__ import annotations

from typing import Any, cast
from urllib.parse import parse_qsl

import msgspec

from hallway.errors import HallwayError, InvalidInput
from hallway.home.values import Attributes, Value, decode

PASSWORD = "api_password"  # noqa: S105 - the name of a field
METHOD = "_METHOD"
COOKIE = b"sessionId="
HOPS = b"x-hallway-hops"
"""The hubs that an event has passed, with commas between; only hallway sends it."""
MAX_FIELDS = 1000


class BadJson(HallwayError):
    """The body is not a JSON object."""

    code = "bad_json"
    status = 422


class Head(msgspec.Struct):
    """What the headers say: credential, session, whether a body follows, hubs that an event passed, whose page asks."""

    password: bytes = b""
    cookie: bytes = b""
    length: int = 0
    chunked: bool = False
    hops: bytes = b""
    host: bytes = b""
    origin: bytes = b""
    authorization: bytes = b""


def read_head(headers: list[tuple[bytes, bytes]]) -> Head:
    """The few headers that this API looks at."""
    head = Head()
    for name, value in headers:
        if name == b"x-ha-access":
            head.password = head.password or (value if value.isascii() else as_utf8(value))
        elif name == b"cookie":
            head.cookie = value
        elif name == b"content-length":
            head.length = int(value) if value.isdigit() else 0
        elif name == b"transfer-encoding":
            head.chunked = True
        elif name == b"host":
            head.host = value
        elif name == b"origin":
            head.origin = value
        elif name == b"authorization":
            head.authorization = value
        elif name == HOPS:
            head.hops = value
    return head


def as_utf8(text: bytes) -> bytes:
    """A header's text as UTF-8: what is none was written in Latin-1, as headers once were."""
    try:
        text.decode("utf-8")
    except UnicodeDecodeError:
        return text.decode("latin-1").encode("utf-8")
    return text


def read_query(query: bytes) -> Attributes:
    """The query string as data; the last of a repeated name counts."""
    try:
        pairs = parse_qsl(query.decode("ascii"), keep_blank_values=False, errors="replace", max_num_fields=MAX_FIELDS)
    except (UnicodeDecodeError, ValueError):
        raise InvalidInput(
            f"the query string cannot be read: percent-encoded ASCII, at most {MAX_FIELDS} fields"
        ) from None
    return dict(pairs)


def read_data(query: bytes, body: bytes) -> Attributes:
    """All data of a request. BadJson: the body is not an object (or a list of pairs, which counts as one)."""
    data: Attributes = read_query(query) if query else {}
    if not body:
        return data
    try:
        value = decode(body)
    except InvalidInput as error:
        raise BadJson(f"Error parsing JSON: {error.message}") from None
    return data | _object_of(value) if data else _object_of(value)


def _object_of(value: Value) -> Attributes:
    if isinstance(value, dict):
        return value
    if value == "":
        return {}
    if isinstance(value, list):
        try:
            pairs: dict[Any, Value] = dict(cast("Any", value))
        except (TypeError, ValueError):
            pairs = {None: None}
        if all(isinstance(key, str) for key in pairs):
            return pairs
    raise BadJson('Error parsing JSON: the body must be a JSON object, like {"state": "on"}')


def is_same_origin(head: Head) -> bool:
    """Whether the page that asks came from this very host and port."""
    return head.origin.partition(b"://")[2].lower() == head.host.lower()


def hops_in(hops: bytes) -> tuple[str, ...]:
    """The hubs that the header names."""
    return tuple(hop.strip() for hop in hops.decode("latin-1").split(",") if hop.strip())


def session_in(cookie: bytes) -> str:
    """The session id in a Cookie header, empty when there is none."""
    for part in cookie.split(b";"):
        pair = part.strip()
        if pair.startswith(COOKIE):
            return pair[len(COOKIE) :].decode("latin-1")
    return ""
