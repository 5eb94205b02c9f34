"""What the entity of a link promises: an id that follows from the address, and only what is true now."""

from __future__ import annotations

import pytest

from hallway.links.status import LinkStatus, forget_links
from tests.links.stubs import HERE, World


@pytest.fixture
def world() -> World:
    return World()


@pytest.mark.parametrize(
    ("host", "entity_id"),
    [
        ("192.168.1.20", "link.192_168_1_20_8123"),
        ("Cellar.example", "link.cellar_example_8123"),
        ("[fe80::1%eth0]", "link.fe80_1_eth0_8123"),
    ],
)
def test_every_sign_that_an_id_cannot_have_becomes_an_underscore(world: World, host: str, entity_id: str) -> None:
    LinkStatus(world.home, host, 8123, "to").show("connected", queued=0, last_error=None)
    assert world.shown(entity_id) == (
        "connected",
        {"friendly_name": f"{host}:8123", "direction": "to", "queued": 0},
    )


def test_details_that_are_not_told_again_are_gone(world: World) -> None:
    status = LinkStatus(world.home, "cellar", 1, "from")
    status.show("retrying", last_error="it does not answer")
    status.show("connected")
    assert world.shown("link.cellar_1") == ("connected", {"friendly_name": "cellar:1", "direction": "from"})


def test_a_link_that_is_no_more_is_no_entity(world: World) -> None:
    status = LinkStatus(world.home, "cellar", 1, "to")
    status.remove()
    status.show("connected")
    status.remove()
    assert world.home.states() == []
    status.show("connecting")
    assert world.shown("link.cellar_1")[0] == "connecting"


def test_what_links_showed_before_the_start_is_forgotten(world: World) -> None:
    LinkStatus(world.home, "cellar", 1, "to").show("connected")
    world.home.report("garden.gate", "open", {}, HERE)
    forget_links(world.home)
    assert [state.entity_id for state in world.home.states()] == ["garden.gate"]
