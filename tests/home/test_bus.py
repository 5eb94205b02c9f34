"""What the bus promises: changes as events, by type or all, in order."""

from __future__ import annotations

import pytest

from hallway.home.bus import MATCH_ALL, STATE_CHANGED, Event
from hallway.home.changes import StateChange
from tests.home.homes import TEST, House, a_device


@pytest.fixture
def house() -> House:
    return House(a_device("DummySwitch"), variables=({"name": "x", "value": 1},))


def moved(event: Event) -> StateChange:
    assert isinstance(event.data, StateChange)
    return event.data


def test_an_event_has_its_type_data_time_number_and_cause(house: House) -> None:
    seen: list[Event] = []
    house.home.bus.listen("Door.Bell_2", seen.append)
    house.home.fire("Door.Bell_2", {"who": "postman"}, TEST, remote=True)
    assert seen == [
        Event("Door.Bell_2", {"who": "postman"}, house.clock.now(), TEST, house.home.changes.seq, remote=True)
    ]


def test_types_are_told_apart_also_by_case(house: House) -> None:
    seen: list[Event] = []
    house.home.bus.listen("bell", seen.append)
    house.home.fire("Bell", {}, TEST)
    house.home.fire("bells", {}, TEST)
    assert seen == []


def test_each_entity_that_moves_is_an_event(house: House) -> None:
    seen: list[Event] = []
    house.home.bus.listen(STATE_CHANGED, seen.append)
    house.act("it", "turnOn")
    house.act("it", "turnOn")
    house.home.set_variable("x", 2, TEST)
    house.report("weather.sun", "bright")
    house.home.add_device(a_device("DummyTemperatureSensor", "t"), "file")
    assert [moved(event).entity_id for event in seen] == [
        "switch.it",
        "variable.x",
        "weather.sun",
        "sensor.t_temperature",
        "sensor.t_humidity",
    ]
    first, new = moved(seen[0]), moved(seen[2])
    assert first.old is not None
    assert first.new is not None
    assert (first.old.state, first.new.state) == ("off", "on")
    assert new.old is None


def test_an_entity_that_goes_is_no_event(house: House) -> None:
    seen: list[Event] = []
    house.home.bus.listen(MATCH_ALL, seen.append)
    house.home.remove_device("it", TEST)
    assert seen == []


def test_those_of_a_type_hear_before_those_of_all_in_the_order_in_which_they_came(house: House) -> None:
    heard: list[str] = []
    house.home.bus.listen(MATCH_ALL, lambda _event: heard.append("all"))
    house.home.bus.listen("e", lambda _event: heard.append("first"))
    house.home.bus.listen("e", lambda _event: heard.append("second"))
    house.home.fire("e", {}, TEST)
    assert heard == ["first", "second", "all"]


def test_all_hear_everything_in_order(house: House) -> None:
    seen: list[Event] = []
    house.home.bus.listen(MATCH_ALL, seen.append)
    house.call("switch.turn_on", entity_id="switch.it")
    assert [event.event_type for event in seen] == ["call_service", "state_changed", "service_executed"]
    assert [event.seq for event in seen] == sorted(event.seq for event in seen)


def test_listeners_are_counted_after_those_of_the_hub_in_the_order_of_the_first_of_each_type(house: House) -> None:
    bus = house.home.bus
    own = bus.counts()
    assert {"state_changed", "call_service", "service_executed", "service_registered"} <= set(own)
    stops = [bus.listen(event_type, lambda _event: None) for event_type in ("b", MATCH_ALL, "a", "b", "call_service")]
    assert list(bus.counts()) == [*own, "b", MATCH_ALL, "a"]
    assert [bus.counts()[event_type] for event_type in ("b", MATCH_ALL, "a")] == [2, 1, 1]
    assert bus.counts()["call_service"] == own["call_service"] + 1
    stops[0]()
    stops[0]()
    assert bus.counts()["b"] == 1
    for stop in stops:
        stop()
    assert bus.counts() == own


def test_one_who_passes_events_on_counts_for_all_who_hear_them(house: House) -> None:
    bus = house.home.bus
    audience = 3
    stop = bus.listen(MATCH_ALL, lambda _event: None, lambda: audience)
    bus.listen(MATCH_ALL, lambda _event: None)
    assert bus.counts()[MATCH_ALL] == 4
    audience = 0
    assert bus.counts()[MATCH_ALL] == 1
    stop()
    assert bus.counts()[MATCH_ALL] == 1


def test_who_listens_no_more_hears_nothing_and_may_come_back(house: House) -> None:
    seen: list[Event] = []
    house.home.bus.listen("e", seen.append)()
    house.home.fire("e", {}, TEST)
    assert seen == []
    house.home.bus.listen("e", seen.append)
    house.home.fire("e", {}, TEST)
    assert len(seen) == 1


def test_a_listener_that_fails_stops_no_other(house: House, caplog: pytest.LogCaptureFixture) -> None:
    seen: list[Event] = []

    def fail(_event: Event) -> None:
        raise ValueError("broken listener")

    house.home.bus.listen("e", fail)
    house.home.bus.listen("e", seen.append)
    house.home.fire("e", {}, TEST)
    assert len(seen) == 1
    assert "broken listener" in caplog.text
    assert "event e" in caplog.text
