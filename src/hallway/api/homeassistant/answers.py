"""How answers of the Home Assistant API of 2014 are written: each result by its name, errors as `{"message": …}`.

The JSON is ASCII, as it was then, and that of a state is kept until the state changes. It must not know how a request
was read.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, Final

from hallway.api.answer import JSON, Answer
from hallway.api.operations.base import Result
from hallway.api.operations.forms import state_bytes
from hallway.api.operations.homeassistant import Bootstrap, Message, StateSet
from hallway.api.operations.large_results import Entries, Flow, StateLists
from hallway.home.changes import State
from hallway.home.values import ascii_json, encode, encode_sorted

CONTENT_TYPE: Final = (b"content-type", JSON)
Send = Callable[[Any], Awaitable[None]]
AT_ONCE: Final = 1000
"""Lines of a logbook in one piece of an answer."""
STATES_AT_ONCE: Final = 50
"""Likewise states, whose attributes may be large."""


class StateBytes:
    """The JSON of each entity's present state, written when it is first asked for."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[State, bytes]] = {}

    def of(self, state: State) -> bytes:
        kept = self._kept.get(state.entity_id)
        if kept is not None and kept[0] is state:
            return kept[1]
        written = state_bytes(state)
        self._kept[state.entity_id] = (state, written)
        return written

    def list_of(self, states: list[State]) -> bytes:
        return b"[" + b",".join([self.of(state) for state in states]) + b"]"


class Writer:
    """Writes results; which one is told by the operation's `result`."""

    def __init__(self) -> None:
        self._states = StateBytes()
        self._write: dict[str, Callable[[Any], Answer]] = {
            "message": self._message,
            "state": self._state,
            "state_set": self._state_set,
            "states": self._state_list,
            "bootstrap": self._bootstrap,
            "past_states": self._past_states,
        }

    def write(self, name: str, result: Result) -> Answer:
        write = self._write.get(name)
        return write(result) if write is not None else Answer(200, _sorted(result))

    def flow(self, result: Result) -> Flow | None:
        """The result as a flow of bytes, if it is one that comes in pieces."""
        if isinstance(result, StateLists):
            return Flow(_state_lists(result), JSON.decode())
        if isinstance(result, Entries):
            return Flow(_entries(result), JSON.decode())
        return None

    def _message(self, result: Message) -> Answer:
        return Answer(200, ascii_json(encode({"message": result.text})))

    def _state(self, result: State) -> Answer:
        return Answer(200, self._states.of(result))

    def _state_set(self, result: StateSet) -> Answer:
        location = b"/api/states/" + result.entity_id.encode()
        return Answer(201 if result.created else 200, self._states.of(result.state), [(b"location", location)])

    def _state_list(self, result: list[State]) -> Answer:
        return Answer(200, self._states.list_of(result))

    def _past_states(self, result: list[State]) -> Answer:
        return Answer(200, b"[" + b",".join(map(state_bytes, result)) + b"]")

    def _bootstrap(self, result: Bootstrap) -> Answer:
        parts = {
            "config": _sorted(result.config),
            "events": _sorted(result.events),
            "services": _sorted(result.services),
            "states": self._states.list_of(result.states),
        }
        return Answer(200, b"{" + b",".join([b'"%b":%b' % (k.encode(), v) for k, v in parts.items()]) + b"}")


async def _state_lists(result: StateLists) -> AsyncIterator[bytes]:
    opening = b"["
    async for piece in result.pieces:
        begins = piece.begins
        for number in range(0, len(piece.states), STATES_AT_ONCE):
            states = b",".join(map(state_bytes, piece.states[number : number + STATES_AT_ONCE]))
            yield (opening + b"[" if begins else b",") + states
            opening, begins = b"],", False
    yield b"[]" if opening == b"[" else b"]]"


async def _entries(result: Entries) -> AsyncIterator[bytes]:
    separator = b"["
    async for piece in result.pieces:
        for number in range(0, len(piece), AT_ONCE):
            yield separator + b",".join(map(_sorted, piece[number : number + AT_ONCE]))
            separator = b","
    yield b"[]" if separator == b"[" else b"]"


def _sorted(result: object) -> bytes:
    return ascii_json(encode_sorted(result))


async def send_answer(send: Send, answer: Answer, method: str) -> None:
    """Write an answer; a HEAD has no body."""
    body = b"" if method == "HEAD" else answer.body
    length = (b"content-length", b"%d" % len(answer.body))
    await send(
        {"type": "http.response.start", "status": answer.status, "headers": [CONTENT_TYPE, length, *answer.headers]}
    )
    await send({"type": "http.response.body", "body": body})
