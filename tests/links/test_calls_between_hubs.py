"""What holds for calls that pass between hubs: each is carried out once, and ends when that is impossible."""

from __future__ import annotations

import pytest

from hallway.errors import Unreachable
from hallway.home.calls import Call
from hallway.home.services import CALL_ID, MAX_REMEMBERED, SAME_CALL_WITHIN
from hallway.home.values import Attributes
from tests.links.stubs import HERE, World


@pytest.fixture
def world() -> World:
    world = World()
    world.home.add_device({"id": "ac", "class": "DummySwitch"}, "file")
    world.home.services.elsewhere = lambda _domain, _service: True
    return world


def test_without_other_hubs_a_script_may_use_the_same_id_for_each_of_its_calls() -> None:
    world = World()
    world.home.add_device({"id": "ac", "class": "DummySwitch"}, "file")
    for _ in range(2):
        world.hear("call_service", toggle("always-the-same"))
    assert not is_on(world)


def toggle(call_id: str) -> Attributes:
    return {"domain": "switch", "service": "toggle", "entity_id": "switch.ac", CALL_ID: call_id}


def is_on(world: World) -> bool:
    return world.shown("switch.ac")[0] == "on"


def test_a_call_that_comes_back_from_another_hub_is_not_carried_out_again(world: World) -> None:
    told: list[Attributes] = []
    world.home.bus.listen("call_service", lambda event: told.append(dict(event.data)))  # type: ignore[arg-type]
    world.home.call_service("switch", "toggle", {"entity_id": "switch.ac"}, HERE)
    for _ in range(3):
        world.hear("call_service", told[0])
    assert is_on(world)


def test_a_call_from_another_hub_that_comes_again_is_carried_out_once(world: World) -> None:
    for _ in range(3):
        world.hear("call_service", toggle("theirs-1"))
    assert is_on(world)
    world.hear("call_service", toggle("theirs-2"))
    assert not is_on(world)


def test_an_id_may_be_used_again_later(world: World) -> None:
    world.hear("call_service", toggle("theirs-1"))
    world.clock.advance(SAME_CALL_WITHIN)
    world.hear("call_service", toggle("theirs-1"))
    assert not is_on(world)


def test_calls_without_an_id_are_each_carried_out(world: World) -> None:
    data = {name: value for name, value in toggle("").items() if name != CALL_ID}
    for _ in range(2):
        world.hear("call_service", data)
    assert not is_on(world)


def test_the_ids_of_the_last_thousand_calls_are_remembered(world: World) -> None:
    for number in range(MAX_REMEMBERED):
        world.hear("call_service", toggle(f"theirs-{number}"))
    assert not is_on(world)
    world.hear("call_service", toggle("theirs-0"))
    assert not is_on(world)
    for number in range(MAX_REMEMBERED):
        world.hear("call_service", toggle(f"others-{number}"))
    world.hear("call_service", toggle("theirs-0"))
    assert is_on(world)


def test_a_call_that_can_be_carried_out_nowhere_fails(world: World) -> None:
    told: list[Attributes] = []
    world.home.bus.listen("call_service", lambda event: told.append(dict(event.data)))  # type: ignore[arg-type]
    world.home.services.elsewhere = lambda _domain, _service: True
    call: Call = world.home.call_service("coffee", "brew", {}, HERE)
    world.home.services.fail("another", Unreachable("not this one"))
    assert not call.done
    world.home.services.fail(told[0][CALL_ID], Unreachable("the kitchen is away"))
    assert str(call.error) == "the kitchen is away"
