"""Why something is so, and what touches what: answered from what happened."""

from __future__ import annotations

import pytest

from hallway.errors import NotFound
from hallway.home.changes import Context
from tests.rules.houses import NOW, SOMEBODY, RuledHouse


def kinds(house: RuledHouse, name: str) -> list[str]:
    return [link.kind for link in house.why(name).chain]


def test_a_value_leads_back_to_the_person_who_began_it() -> None:
    house = RuledHouse("when door is closed then turn lamp on", "when lamp is on then set $x to 5")
    house.home.act("door", "changeContactTo", {"contact": True}, Context("pimatic", "anna"))
    answer = house.why("$x")
    assert [link.kind for link in answer.chain] == ["change", "rule", "change", "rule", "change", "person"]
    assert [link.rule_id for link in answer.chain if link.kind == "rule"] == ["r1", "r0"]
    assert answer.chain[-1].user == "anna"
    assert answer.value == 5
    for part in ("$x is 5", "r1", "lamp.state is true", "r0", "door.contact is true", "anna", "pimatic"):
        assert part in answer.sentence
    traced = house.engine.traces.get("r1", answer.chain[1].trace or 0)
    assert traced is not None
    assert traced.did[0].text == "$x set to 5"


def test_what_is_computed_leads_to_what_it_was_computed_from() -> None:
    house = RuledHouse()
    house.set("x", 4)
    answer = house.why("$double")
    assert "$x is 4" in answer.sentence
    assert answer.chain[-1].kind == "person"


def test_what_a_time_did_says_which() -> None:
    house = RuledHouse("when its 9:00 then turn lamp on", "when lamp is on for 1 minute then turn fan on")
    house.wait(3700)
    assert kinds(house, "lamp.state") == ["change", "rule", "time"]
    assert "its 9:00" in house.why("lamp.state").sentence
    assert kinds(house, "fan.state") == ["change", "rule", "change", "rule", "time"]


def test_what_came_later_leads_to_what_began_it() -> None:
    house = RuledHouse("when ding is pressed then turn lamp on for 5 minutes")
    house.ring()
    house.wait(301)
    answer = house.why("lamp.state")
    assert answer.value is False
    assert [link.kind for link in answer.chain] == ["change", "rule", "change", "person"]


@pytest.mark.parametrize(
    ("rule", "began"),
    [
        ("when lamp is on then turn fan on after 10 seconds", "lamp.state is true"),
        ("when lamp is on for 10 seconds then turn fan on", "lamp is on for 10 seconds"),
    ],
)
def test_a_change_that_was_not_kept_over_a_restart_is_told_by_the_trace_of_what_it_started(
    rule: str, began: str
) -> None:
    house = RuledHouse(rule)
    house.turn("lamp", True)
    house.restart(after=1)
    house.wait(10)
    answer = house.why("fan.state")
    assert [link.kind for link in answer.chain] == ["change", "rule", "change", "person"]
    assert answer.chain[2].text == began
    assert answer.chain[3].user == "somebody"
    assert "rule:" not in answer.chain[3].text


def test_entities_can_be_asked_about_as_well() -> None:
    house = RuledHouse()
    house.turn("lamp", True)
    house.home.report("weather.sun", "up", {}, Context("homeassistant"))
    assert kinds(house, "switch.lamp") == ["change", "person"]
    assert house.why("weather.sun").value == "up"


def test_only_what_made_a_difference_counts() -> None:
    house = RuledHouse()
    house.warm(20)
    house.wait(10)
    house.warm(20)
    assert house.why("air.temperature").chain[0].at == NOW


def test_what_is_not_remembered_is_said_so_and_what_is_not_there_is_an_error() -> None:
    house = RuledHouse()
    assert kinds(house, "lamp.state") == ["unknown"]
    for name in ("lamp.nothing", "$nothing", "nothing.at_all", "nothing"):
        with pytest.raises(NotFound):
            house.why(name)


def test_what_touches_a_device_or_variable() -> None:
    house = RuledHouse(
        "when temperature of air > 25 then turn fan on",
        "when $warm > 50 then turn lamp on",
        {"rule": 'when ding is pressed then call switch.turn_off with entity_id = "switch.fan"', "active": False},
        "when fan is on and if door is closed then set $x to $air.temperature",
        'when state of switch.fan is "on" then log "a"',
    )
    house.home.add_variable({"name": "warm", "expression": "$air.temperature * 2"}, SOMEBODY)
    house.home.rules.read_again(SOMEBODY)
    house.home.add_group({"id": "all", "devices": ["fan"], "variables": ["x"]}, SOMEBODY)
    house.home.pages.add({"id": "p", "devices": [{"deviceId": "fan"}]})
    house.home.scenes.add({"id": "cool", "entities": {"switch.fan": "on", "variable.x": "5"}}, SOMEBODY)
    house.home.rules.add({"id": "r5", "rule": "when ding is pressed then activate scene cool"}, SOMEBODY)
    fan = house.engine.touches("fan")
    assert fan.scenes == ("cool",)
    assert (fan.reading, fan.acting) == (("r3", "r4"), ("r0", "r2", "r5"))
    assert (fan.groups, fan.pages, fan.entities) == (("all",), ("p",), ("switch.fan",))
    air = house.engine.touches("air")
    assert (air.reading, air.acting, air.variables) == (("r0", "r1", "r3"), (), ("warm",))
    x = house.engine.touches("$x")
    assert (x.reading, x.acting, x.groups, x.variables) == ((), ("r3", "r5"), ("all",), ("double",))
    for name in ("nothing", "$nothing"):
        with pytest.raises(NotFound):
            house.engine.touches(name)


def test_what_comes_up_in_the_next_days() -> None:
    house = RuledHouse(
        "when its 9:00 then turn lamp on",
        'when every 6 hours then log "tick"',
        "when ding is pressed then turn fan on for 5 minutes and set $x to 1 after 2 minutes",
        'when lamp is on for 10 minutes then log "long"',
        'when every 1 second then log "often"',
        'when ding is pressed and if its after 9:30 then log "no"',
    )
    house.turn("lamp", True)
    house.ring()
    found = house.engine.upcoming(1)
    assert len([each for each in found if each.rule_id == "r4"]) == 100
    shown = [(round(each.at - house.clock.now()), each.rule_id, each.kind) for each in found if each.rule_id != "r4"]
    assert shown == [
        (120, "r2", "later"),
        (300, "r2", "back"),
        (600, "r3", "lasting"),
        (3600, "r0", "time"),
        (4 * 3600, "r1", "time"),
        (10 * 3600, "r1", "time"),
        (16 * 3600, "r1", "time"),
        (22 * 3600, "r1", "time"),
    ]
