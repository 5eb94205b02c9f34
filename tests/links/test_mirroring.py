"""What mirrored states promise: they are that hub's own, ours stay ours, and what it no longer has goes away."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from hallway.home.calls import Call, done
from hallway.home.changes import AnyChange, Context, StateChange, Updated
from hallway.home.values import Attributes
from hallway.links.mirroring import MISSING_FOR, MirroredStates
from tests.links.stubs import HERE, World

TOLD_BY = "link:cellar"


class Far:
    """A hub that is followed; nobody asks it for anything here."""

    def call(self, domain: str, service: str, data: Attributes) -> Call:
        return done()

    def write(self, entity_id: str, state: str, attributes: Attributes) -> Call:
        return done()


class Case:
    def __init__(self) -> None:
        self.world = World()
        self.home = self.world.home
        self.home.mirrors["cellar"] = Far()
        self.mirrored = MirroredStates(self.home, "cellar")

    def all(self, *states: Attributes) -> None:
        self.mirrored.begin()
        self.mirrored.all(states)

    @property
    def shown(self) -> dict[str, str]:
        return {state.entity_id: state.state for state in self.home.states()}


@pytest.fixture
def case() -> Case:
    return Case()


def a_state(entity_id: str, state: Any, **attributes: Any) -> Attributes:
    return {"entity_id": entity_id, "state": state, "attributes": attributes, "last_changed": "whenever"}


def test_the_states_of_that_hub_are_entities_here(case: Case) -> None:
    case.all(a_state("light.bed", "on", brightness=77), a_state("Sensor.Water", 12))
    assert case.shown == {"light.bed": "on", "sensor.water": "12"}
    assert case.world.shown("light.bed")[1] == {"brightness": 77}
    assert {owner.told_by for owner in case.home.entities.owners.values()} == {TOLD_BY}


def test_what_an_event_tells_is_shown_and_told_by_that_hub(case: Case) -> None:
    changes: list[AnyChange] = []
    case.mirrored.told("light.bed", a_state("light.bed", "off"))
    case.home.changes.subscribe(changes.append)
    case.mirrored.told("light.bed", a_state("light.bed", "on"))
    assert case.shown == {"light.bed": "on"}
    assert isinstance(changes[0], Updated)
    moved: StateChange = changes[0].states[0]
    assert (moved.told_by, changes[0].context) == (TOLD_BY, Context(TOLD_BY))


def test_states_that_did_not_change_are_no_changes(case: Case) -> None:
    nan = a_state("sensor.odd", "nan", value=float("nan"), deep=[{"x": float("inf")}])
    case.all(a_state("light.bed", "on", brightness=77), nan)
    before = case.home.changes.seq
    case.all(a_state("light.bed", "on", brightness=77), nan)
    assert case.home.changes.seq == before
    assert case.world.shown("sensor.odd")[1] == {"value": None, "deep": [{"x": None}]}


def test_an_event_is_newer_than_an_answer_that_was_asked_for_before_it(case: Case) -> None:
    case.all(a_state("light.bed", "off"))
    case.mirrored.begin()
    case.mirrored.told("light.bed", a_state("light.bed", "on"))
    case.mirrored.told("light.hall", a_state("light.hall", "on"))
    case.mirrored.all([a_state("light.bed", "off")])
    assert case.shown == {"light.bed": "on", "light.hall": "on"}
    case.all(a_state("light.bed", "off"), a_state("light.hall", "on"))
    assert case.shown["light.bed"] == "off"


# ---------------------------------------------------------------------- ours stay ours


def test_our_own_entities_are_not_touched_and_that_is_logged_once(case: Case, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, "hallway.links")
    case.home.add_device({"id": "bed", "class": "DummyDimmer", "name": "Bed"}, "file")
    case.home.report("garden.gate", "open", {}, HERE)
    for _ in range(3):
        case.all(a_state("light.bed", "on"), a_state("garden.gate", "shut"), a_state("light.far", "on"))
        case.mirrored.told("light.bed", a_state("light.bed", "on"))
    assert case.shown == {"light.bed": "off", "garden.gate": "open", "light.far": "on"}
    (said,) = (record.message for record in caplog.records)
    assert said == (
        "not mirrored from link:cellar, since this home has entities of the same id: light.bed, garden.gate"
    )


def test_many_of_the_same_id_make_one_line_of_bearable_length(case: Case, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, "hallway.links")
    names = [f"test.n{number}" for number in range(50)]
    for name in names:
        case.home.report(name, "ours", {}, HERE)
    case.all(*(a_state(name, "theirs") for name in names))
    (said,) = (record.message for record in caplog.records)
    assert said.endswith("test.n8, test.n9 and 40 more")


def test_an_entity_of_another_hub_that_is_followed_stays_with_it(case: Case) -> None:
    case.home.mirrors["attic"] = Far()
    MirroredStates(case.home, "attic").told("light.bed", a_state("light.bed", "on"))
    case.all(a_state("light.bed", "off"))
    assert case.shown == {"light.bed": "on"}


def test_what_a_link_has_left_that_is_no_more_is_taken_over(case: Case) -> None:
    case.home.report_new("light.bed", "on", {}, HERE, "link:old name of the cellar")
    case.all(a_state("light.bed", "off"))
    assert case.shown == {"light.bed": "off"}
    assert case.home.entities.owners["light.bed"].told_by == TOLD_BY


def test_links_of_that_hub_are_not_ours(case: Case) -> None:
    case.all(a_state("link.10_0_0_5_8123", "connected"))
    case.mirrored.told("link.10_0_0_5_8123", a_state("link.10_0_0_5_8123", "connected"))
    assert case.shown == {}


# ---------------------------------------------------------------------- what is gone there


def test_what_that_hub_no_longer_has_is_removed_after_a_minute(case: Case) -> None:
    both = (a_state("light.bed", "on"), a_state("light.hall", "on"))
    case.all(*both)
    case.all(both[0])
    case.world.clock.advance(MISSING_FOR - 1)
    case.all(both[0])
    assert case.shown == {"light.bed": "on", "light.hall": "on"}
    case.world.clock.advance(1)
    case.all(both[0])
    assert case.shown == {"light.bed": "on"}
    assert case.home.devices.keys() == {"light-bed"}


def test_what_comes_back_within_the_minute_has_never_been_away(case: Case) -> None:
    case.all(a_state("light.bed", "on"))
    changed = case.home.state("light.bed")
    for _ in range(5):
        case.all()
        case.world.clock.advance(MISSING_FOR - 1)
        case.all(a_state("light.bed", "on"))
    assert case.home.state("light.bed") == changed


def test_what_an_event_has_just_told_is_not_missing(case: Case) -> None:
    case.mirrored.begin()
    case.mirrored.told("light.bed", a_state("light.bed", "on"))
    case.mirrored.all([])
    case.world.clock.advance(MISSING_FOR)
    case.mirrored.begin()
    case.mirrored.told("light.bed", a_state("light.bed", "off"))
    case.mirrored.all([])
    assert case.shown == {"light.bed": "off"}


def test_what_an_event_says_is_gone_is_removed_at_once(case: Case) -> None:
    case.all(a_state("light.bed", "on"))
    case.home.report("garden.gate", "open", {}, HERE)
    case.mirrored.told("light.bed", None)
    case.mirrored.told("garden.gate", None)
    assert case.shown == {"garden.gate": "open"}


def test_our_own_entities_are_never_missed(case: Case) -> None:
    case.home.report("garden.gate", "open", {}, HERE)
    for _ in range(3):
        case.all()
        case.world.clock.advance(MISSING_FOR)
    assert case.shown == {"garden.gate": "open"}


# ---------------------------------------------------------------------- what cannot be kept


@pytest.mark.parametrize(
    "odd",
    [
        {},
        {"entity_id": "light.bed"},
        {"state": "on"},
        {"entity_id": 5, "state": "on"},
        {"entity_id": "light", "state": "on"},
        {"entity_id": "light.bed.lamp", "state": "on"},
        {"entity_id": "light.bed", "state": "\ud800"},
        {"entity_id": "light.bed", "state": "on", "attributes": {"a": "\ud800"}},
    ],
)
def test_what_is_no_state_is_left_out_and_the_others_are_not(case: Case, odd: Attributes) -> None:
    case.all(odd, a_state("light.hall", "on"))
    assert case.shown == {"light.hall": "on"}


@pytest.mark.parametrize("attributes", [None, [1], "text", 7])
def test_attributes_that_are_none_count_as_none(case: Case, attributes: Any) -> None:
    case.all({"entity_id": "light.bed", "state": "on", "attributes": attributes})
    assert case.world.shown("light.bed") == ("on", {})


def test_an_event_whose_state_is_of_another_entity_is_left_aside(case: Case) -> None:
    case.mirrored.told("light.bed", a_state("light.hall", "on"))
    assert case.shown == {}
