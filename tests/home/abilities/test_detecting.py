"""What contacts and presence sensors promise."""

from __future__ import annotations

from typing import Any

import pytest

from hallway.errors import InvalidInput
from tests.home.homes import House, a_device, only


@pytest.fixture
def door() -> House:
    return House(a_device("DummyContactSensor", name="Front Door"))


@pytest.fixture
def hall() -> House:
    return House(a_device("DummyPresenceSensor", name="Hall", resetTime=3000))


@pytest.fixture
def sofa() -> House:
    return House(a_device("DummyPresenceSensor", name="Sofa", autoReset=False))


def test_a_new_contact_is_open_so_its_entity_is_on(door: House) -> None:
    assert door.values() == {"contact": False}
    assert door.shows("binary_sensor.it") == ("on", {"device_class": "opening", "friendly_name": "Front Door"})


@pytest.mark.parametrize(("given", "contact", "state"), [(True, True, "off"), ("false", False, "on")])
def test_a_closed_contact_is_an_entity_that_is_off(door: House, given: Any, contact: bool, state: str) -> None:
    door.act("it", "changeContactTo", contact=given)
    assert door.value("contact") is contact
    assert door.shown("binary_sensor.it").state == state


@pytest.mark.parametrize("given", ["open", "closed", 2, []])
def test_a_contact_is_true_or_false(door: House, given: Any) -> None:
    with door.refuses(InvalidInput, "changeContactTo", "contact", "true or false"):
        door.act("it", "changeContactTo", contact=given)


def test_the_contact_must_be_given(door: House) -> None:
    with door.refuses(InvalidInput, "changeContactTo", "needs", "contact"):
        door.act("it", "changeContactTo")


@pytest.mark.parametrize(("state", "contact"), [("on", False), ("off", True), ("unavailable", None)])
def test_a_report_is_what_the_contact_says(door: House, state: str, contact: bool | None) -> None:
    door.report("binary_sensor.it", state, battery=80)
    assert door.value("contact") is contact
    assert door.shows("binary_sensor.it") == (state, {"battery": 80})


def test_the_reported_state_stays_until_the_contact_speaks_again(door: House) -> None:
    door.report("binary_sensor.it", "off", battery=80)
    door.act("it", "changeContactTo", contact=True)
    assert door.shows("binary_sensor.it") == ("off", {"battery": 80})
    door.act("it", "changeContactTo", contact=False)
    assert door.shows("binary_sensor.it") == ("on", {"device_class": "opening", "friendly_name": "Front Door"})


def test_nobody_is_at_a_new_presence_sensor(hall: House) -> None:
    assert hall.values() == {"presence": False}
    assert hall.shows("binary_sensor.it") == ("off", {"device_class": "presence", "friendly_name": "Hall"})


@pytest.mark.parametrize("given", ["yes", "present", 7])
def test_presence_is_true_or_false(hall: House, given: Any) -> None:
    with hall.refuses(InvalidInput, "changePresenceTo", "presence", "true or false"):
        hall.act("it", "changePresenceTo", presence=given)


def test_presence_must_be_given(hall: House) -> None:
    with hall.refuses(InvalidInput, "changePresenceTo", "needs", "presence"):
        hall.act("it", "changePresenceTo")


def test_it_becomes_absent_by_itself_after_its_reset_time(hall: House) -> None:
    hall.act("it", "changePresenceTo", presence="true")
    assert hall.shown("binary_sensor.it").state == "on"
    hall.clock.advance(2.99)
    assert hall.value("presence") is True
    hall.clock.advance(0.02)
    assert hall.value("presence") is False
    assert hall.shown("binary_sensor.it").state == "off"
    assert hall.plans() == {}


def test_without_reset_time_that_is_ten_seconds() -> None:
    house = House(a_device("DummyPresenceSensor"))
    house.act("it", "changePresenceTo", presence=True)
    assert house.plans() == {("it", "reset"): pytest.approx(10)}


def test_somebody_there_again_starts_the_time_anew(hall: House) -> None:
    hall.act("it", "changePresenceTo", presence=True)
    hall.clock.advance(2)
    hall.act("it", "changePresenceTo", presence=True)
    hall.clock.advance(2)
    assert hall.value("presence") is True
    hall.clock.advance(1.1)
    assert hall.value("presence") is False
    assert [update.new for update in hall.updates()] == [{"presence": True}, {"presence": False}]


def test_absent_cancels_the_reset(hall: House) -> None:
    hall.act("it", "changePresenceTo", presence=True)
    hall.act("it", "changePresenceTo", presence=False)
    assert hall.plans() == {}
    hall.changes.clear()
    hall.clock.advance(60)
    assert hall.changes == []


def test_without_auto_reset_it_stays_present(sofa: House) -> None:
    sofa.act("it", "changePresenceTo", presence=True)
    sofa.clock.advance(1e6)
    assert sofa.value("presence") is True
    assert sofa.planned() == []


def test_what_it_plans_and_drops_is_told(hall: House) -> None:
    hall.act("it", "changePresenceTo", presence=True)
    plan = only(hall.planned())
    assert (plan.device_id, plan.name, plan.due) == ("it", "reset", pytest.approx(hall.clock.now() + 3))
    hall.act("it", "changePresenceTo", presence=False)
    assert [planned.due for planned in hall.planned()] == [plan.due, None]


@pytest.mark.parametrize(("state", "presence"), [("on", True), ("off", False), ("home", None)])
def test_a_report_is_what_the_presence_sensor_says(sofa: House, state: str, presence: bool | None) -> None:
    sofa.report("binary_sensor.it", state)
    assert sofa.value("presence") is presence
    assert sofa.shows("binary_sensor.it") == (state, {})
