"""The JavaScript client at `/api/decl-api-client.js`: our own program with the description of the API put into it.

Used like pimatic's: `new DeclApiClient(api).rest.getDevices({})`. It must not know what the operations do.
"""

from __future__ import annotations

from collections.abc import Iterable
from importlib import resources
from typing import Final

from hallway.api.operations.base import Operation
from hallway.api.pimatic.describing import description
from hallway.home.values import ascii_json, encode

_HERE: Final = b'"the description of the API"'


def client_script(operations: Iterable[Operation]) -> bytes:
    """The whole script."""
    program = resources.files("hallway").joinpath("web/decl-api-client.js").read_bytes()
    return program.replace(_HERE, ascii_json(encode(description(operations))))
