"""Requests that write states which change every time, made from one piece of bytes and a number.

It must not send them; who does must ask for them in order.
"""

import itertools
import json
from collections.abc import Sequence
from typing import Final

from benchmarks.servers import Server

FIRST: Final = 10_000_000
"""States are numbers of eight digits, so that every body has the same length."""


class StateWrites:
    """A Work: each call is the next POST to the entity of that connection, answered with its new state.

    `size` pads the JSON body to that many bytes; 0 leaves it as short as it is.
    """

    def __init__(self, server: Server, entities: Sequence[str], size: int = 0) -> None:
        self._server = server
        self._entities = tuple(entities)
        self._size = size
        self._numbers = itertools.count(FIRST)
        self._halves = [self._split(entity) for entity in self._entities]

    def create(self) -> None:
        """Make the entities with a state that no later request writes."""
        for entity in self._entities:
            self._server.expect("POST", f"/api/states/{entity}", self._body(entity, "created_"))

    def __call__(self, connection: int) -> tuple[bytes, bytes]:
        state = b"%d" % next(self._numbers)
        before, after = self._halves[connection]
        return before + state + after, b'"' + state + b'"'

    def _split(self, entity: str) -> tuple[bytes, bytes]:
        request = self._server.request("POST", f"/api/states/{entity}", self._body(entity, "########"))
        before, _, after = request.partition(b"########")
        return before, after

    def _body(self, entity: str, state: str) -> bytes:
        attributes = {"friendly_name": entity.rpartition(".")[2], "unit_of_measurement": "W"}
        body = json.dumps({"state": state, "attributes": attributes}).encode()
        if len(body) >= self._size:
            return body
        padded = {**attributes, "location": ""}
        missing = self._size - len(json.dumps({"state": state, "attributes": padded}))
        return json.dumps({"state": state, "attributes": {**padded, "location": "x" * missing}}).encode()
