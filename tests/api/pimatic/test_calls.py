"""An operation is used by its name, with a permission, by whoever has it."""

from __future__ import annotations

from typing import cast

import pytest

from hallway.access.callers import Caller
from hallway.api.operations.base import Ask, Hub, Operation
from hallway.api.pimatic.calls import Calls
from hallway.errors import Forbidden, NotFound
from hallway.home.changes import Context

READER = Caller("anna", frozenset({"rules:read"}), Context("pimatic", user="anna"))


async def later(_hub: Hub, ask: Ask) -> object:
    return [ask.data["x"], "later"]


def operation(name: str, permission: str, handler: object) -> Operation:
    return Operation(name, ("GET",), f"/api/{name}", "Do it", permission, "done", handler)  # type: ignore[arg-type]


@pytest.fixture
def calls() -> Calls:
    table = (
        operation("now", "rules:read", lambda _hub, ask: [ask.data["x"], ask.caller.name, ask.path]),
        operation("later", "", later),
        operation("never", "rules:write", lambda _hub, _ask: "must not happen"),
    )
    return Calls(cast("Hub", None), table)


async def test_a_call_gives_its_result_now_or_later(calls: Calls) -> None:
    assert await calls.run(calls.operation("now"), {"x": 1}, READER) == [1, "anna", ()]
    assert await calls.run(calls.operation("later"), {"x": 2}, READER) == [2, "later"]


async def test_who_lacks_the_permission_does_nothing(calls: Calls) -> None:
    with pytest.raises(Forbidden, match="never needs the permission rules:write, which anna lacks"):
        await calls.run(calls.operation("never"), {}, READER)


def test_what_does_not_exist_is_not_found(calls: Calls) -> None:
    with pytest.raises(NotFound, match="no action 'nope'"):
        calls.operation("nope")
