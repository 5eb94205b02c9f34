"""How a request of pimatic's REST API is read: its head, the method that is meant, the parameters in its body.

A body is JSON (an object or a list) or a form; of any other type it is ignored. It must not know operations.
"""

from __future__ import annotations

from typing import Any

import msgspec

from hallway.api.pimatic.query import parse
from hallway.errors import InvalidInput
from hallway.home.values import Attributes, check_texts, decode

JSON_TYPE, FORM_TYPE = b"application/json", b"application/x-www-form-urlencoded"
OVERRIDE = b"x-http-method-override"


class Request(msgspec.Struct):
    """The head of a request. sent: the method as it was sent; method: the one that is meant."""

    sent: str
    method: str
    path: str
    query: bytes
    head: dict[bytes, bytes]
    address: str

    def get(self, name: bytes) -> bytes:
        """A header, empty when it was not sent."""
        return self.head.get(name, b"")

    @property
    def length(self) -> int:
        """How long the body says that it is."""
        length = self.get(b"content-length")
        return int(length) if length.isdigit() else 0

    @property
    def has_body(self) -> bool:
        """Whether a body follows."""
        return b"content-length" in self.head or b"transfer-encoding" in self.head


def read_request(scope: dict[str, Any]) -> Request:
    """The request of an ASGI scope."""
    head: dict[bytes, bytes] = dict(scope["headers"])
    sent: str = scope["method"]
    method = sent
    if sent == "POST":
        method = head.get(OVERRIDE, b"POST").decode("latin-1").upper() or sent
    elif sent == "HEAD":
        method = "GET"
    client = scope.get("client")
    address = client[0] if client else ""
    return Request(sent, method, scope["raw_path"].decode("ascii"), scope["query_string"], head, address)


def read_body_data(head: dict[bytes, bytes], body: bytes) -> Attributes:
    """The parameters in a body. InvalidInput: it is not what its Content-Type says."""
    media = head.get(b"content-type", b"").partition(b";")[0].strip().lower()
    if media == JSON_TYPE:
        _refuse_encoding(head)
        return _json(body)
    if media == FORM_TYPE:
        _refuse_encoding(head)
        return parse(body)
    return {}


def _json(body: bytes) -> Attributes:
    if not body.strip():
        return {}
    value = decode(body)
    if isinstance(value, list):
        return {}
    if not isinstance(value, dict):
        raise InvalidInput('the body must be a JSON object with the parameters by name, like {"name": "value"}')
    if b"\\u" in body:
        check_texts(value)
    return value


def _refuse_encoding(head: dict[bytes, bytes]) -> None:
    encoding = head.get(b"content-encoding", b"identity")
    if encoding.lower() != b"identity":
        raise InvalidInput("the body is compressed: send it as it is, without Content-Encoding")
