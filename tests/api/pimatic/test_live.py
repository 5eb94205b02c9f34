"""What happens to the home is told as pimatic tells it: names, payloads, order, and who may hear it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import chain
from typing import Any

import pytest

from hallway.api.operations.pimatic.forms import Forms
from hallway.api.operations.pimatic.recent import Recent
from hallway.api.pimatic.live import Event, Live
from hallway.home.changes import Context
from hallway.home.values import Value
from tests.home.homes import NOW, TEST, House, a_device

KINDS = ("device", "variable", "rule", "page", "group", "message")
MS = round(NOW * 1000)
LINK = Context("link:cellar")


class Heard:
    """A house, and all that is told of it."""

    def __init__(self) -> None:
        self.house = House(
            a_device("DummySwitch", "switch1", name="Switch One"),
            a_device("DummyDimmer", "dimmer1", name="Dimmer One"),
            a_device("DummyTemperatureSensor", "temp1"),
            a_device("InputDevice", "input1"),
            a_device("ButtonsDevice", "buttons1", buttons=[{"id": "a", "text": "A"}]),
            variables=({"name": "num1", "value": 10}, {"name": "double", "expression": "$num1 * 2"}),
            groups=({"id": "filed", "name": "In the file", "devices": ["switch1"]},),
        )
        self.home = self.house.home
        self.told: list[Event] = []
        self.turns: list[int] = []
        recent = Recent(self.home)
        self.live = Live(self.home, Forms(self.home, recent), recent, self._tell)
        self.live.start()

    def _tell(self, events: list[Event]) -> None:
        self.told += events

    def events(self) -> list[Any]:
        """Name and payload of what was told since the last time."""
        told, self.told = self.told, []
        return [json.loads(event.packet.text[2:]) for event in told]

    def names(self) -> list[str]:
        return [name for name, _payload in self.events()]


@pytest.fixture
def heard() -> Iterator[Heard]:
    heard = Heard()
    yield heard
    heard.live.stop()


def attribute(device_id: str, name: str, value: object) -> list[list[Any]]:
    return [
        ["deviceAttributeChanged", {"deviceId": device_id, "attributeName": name, "time": MS, "value": value}],
        variable(f"{device_id}.{name}", value),
    ]


def variable(name: str, value: object) -> list[Any]:
    return ["variableValueChanged", {"variableName": name, "variableValue": value}]


# ---------------------------------------------------------------------- values


def test_an_attribute_is_told_before_the_variable_that_it_is(heard: Heard) -> None:
    heard.house.act("switch1", "turnOn")
    assert heard.events() == attribute("switch1", "state", True)


def test_nothing_is_told_of_what_is_as_it_was(heard: Heard) -> None:
    heard.house.act("switch1", "turnOff")
    assert heard.events() == []


def test_sensors_and_buttons_tell_each_time(heard: Heard) -> None:
    for _ in range(2):
        heard.house.act("temp1", "changeTemperatureTo", temperature=21.5)
        heard.house.act("buttons1", "buttonPressed", buttonId="a")
        assert heard.events() == [*attribute("temp1", "temperature", 21.5), *attribute("buttons1", "button", "a")]


def test_a_dimmer_tells_both_of_its_attributes(heard: Heard) -> None:
    heard.house.act("dimmer1", "changeDimlevelTo", dimlevel=55)
    assert heard.events() == [*attribute("dimmer1", "dimlevel", 55), *attribute("dimmer1", "state", True)]


def test_a_text_that_is_a_number_is_one_as_a_variable(heard: Heard) -> None:
    heard.house.act("input1", "changeInputTo", value="5")
    assert heard.events() == [attribute("input1", "input", "5")[0], variable("input1.input", 5)]


def test_a_variable_tells_the_same_value_too_and_what_depends_on_it(heard: Heard) -> None:
    for _ in range(2):
        heard.home.set_variable("num1", 11, TEST)
        assert heard.events() == [variable("num1", 11), variable("double", 22)]


def test_all_that_is_not_ascii_is_escaped(heard: Heard) -> None:
    heard.house.act("input1", "changeInputTo", value="ü ☃ 😀")
    assert all(event.packet.text.isascii() for event in heard.told)
    assert heard.events()[0][1]["value"] == "ü ☃ 😀"


@pytest.mark.parametrize("context", [TEST, LINK])
def test_a_reported_state_is_a_device_whose_attributes_are_told_when_they_are_different(
    heard: Heard, context: Context
) -> None:
    heard.home.report("weather.sun", "low", {"wind": 3, "nested": [1]}, context)
    first = heard.events()
    assert [name for name, _ in first] == ["variableAdded", "variableAdded", "deviceAdded"]
    assert first[0][1] == {
        "name": "weather-sun.state",
        "readonly": True,
        "type": "attribute",
        "value": "low",
        "unit": "",
    }
    assert [a["name"] for a in first[2][1]["attributes"]] == ["state", "wind"]
    heard.home.report("weather.sun", "high", {"wind": 3, "nested": [2]}, context)
    assert heard.events() == attribute("weather-sun", "state", "high")
    heard.home.report("weather.sun", "high", {"wind": 4, "nested": [2]}, context)
    assert heard.events() == attribute("weather-sun", "wind", 4)


def test_a_reported_state_with_other_attributes_is_told_as_another_device(heard: Heard) -> None:
    heard.home.report("weather.sun", "low", {"wind": 3}, TEST)
    heard.events()
    heard.home.report("weather.sun", "low", {"rain": True}, TEST)
    removed, added, changed, *values = heard.events()
    assert (removed[0], removed[1]["name"]) == ("variableRemoved", "weather-sun.wind")
    assert (added[0], added[1]["name"], added[1]["value"]) == ("variableAdded", "weather-sun.rain", True)
    assert (changed[0], [a["name"] for a in changed[1]["attributes"]]) == ("deviceChanged", ["state", "rain"])
    assert values == attribute("weather-sun", "rain", True)


def test_a_state_that_is_reported_of_a_device_is_told_of_the_device(heard: Heard) -> None:
    heard.home.report("switch.switch1", "on", {}, TEST)
    assert heard.events() == attribute("switch1", "state", True)


# ---------------------------------------------------------------------- devices


def test_a_device_that_is_added_is_told_as_pimatic_does(heard: Heard) -> None:
    heard.home.add_device(a_device("DummyDimmer", "new", name="New"), "store", TEST)
    events = heard.events()
    added = [
        {"name": f"new.{name}", "readonly": True, "type": "attribute", "value": None} for name in ("dimlevel", "state")
    ]
    assert events[:2] == [["variableAdded", {**added[0], "unit": "%"}], ["variableAdded", {**added[1], "unit": ""}]]
    name, form = events[2]
    assert (name, form["id"], form["name"], form["template"]) == ("deviceAdded", "new", "New", "dimmer")
    assert [(a["value"], a["history"]) for a in form["attributes"]] == [(None, []), (None, [])]
    values = [*attribute("new", "dimlevel", 0), *attribute("new", "state", False)]
    twice = [variable("new.dimlevel", 0), variable("new.state", False)]
    assert sorted(events[3:], key=str) == sorted([*values, *twice], key=str)


def test_a_device_that_is_changed_tells_its_values_again(heard: Heard) -> None:
    heard.home.change_device(a_device("DummyDimmer", "dimmer1", name="Other"), TEST)
    (name, form), *values = heard.events()
    assert (name, form["name"], form["attributes"][0]["value"]) == ("deviceChanged", "Other", None)
    assert values == [*attribute("dimmer1", "dimlevel", 0), *attribute("dimmer1", "state", False)]


def test_a_device_of_another_class_has_other_variables(heard: Heard) -> None:
    heard.home.change_device(a_device("DummySwitch", "dimmer1", name="Less"), TEST)
    events = heard.events()
    assert [events[0][0], events[0][1]["name"], events[1][0]] == [
        "variableRemoved",
        "dimmer1.dimlevel",
        "deviceChanged",
    ]


def test_a_device_that_is_removed_is_told_with_its_last_values(heard: Heard) -> None:
    heard.home.pages.add({"id": "page", "devices": [{"deviceId": "dimmer1"}]}, TEST)
    heard.home.groups.add({"id": "group", "name": "G", "devices": ["dimmer1"]}, TEST)
    heard.house.act("dimmer1", "changeDimlevelTo", dimlevel=40)
    heard.events()
    heard.home.remove_device("dimmer1", TEST)
    events = heard.events()
    names = [name for name, _ in events]
    assert sorted(names[:2]) == ["groupChanged", "pageChanged"]
    assert names[2:] == ["deviceRemoved", "variableRemoved", "variableRemoved"]
    assert [a["value"] for a in events[2][1]["attributes"]] == [40, True]
    assert events[3][1] == {
        "name": "dimmer1.dimlevel",
        "readonly": True,
        "type": "attribute",
        "value": 40,
        "unit": "%",
    }


# ---------------------------------------------------------------------- variables


def test_a_value_that_is_added_is_told_before_and_after(heard: Heard) -> None:
    heard.home.add_variable({"name": "live1", "value": "1"}, TEST)
    form = {"name": "live1", "readonly": False, "type": "value", "value": 1, "unit": ""}
    assert heard.events() == [variable("live1", 1), ["variableAdded", form], variable("live1", 1)]


def test_an_expression_that_is_added_is_told_before_its_value(heard: Heard) -> None:
    heard.home.add_variable({"name": "live2", "expression": "$num1 + 1"}, TEST)
    (name, form), *values = heard.events()
    assert (name, form["name"], form["type"], form["exprInputStr"]) == (
        "variableAdded",
        "live2",
        "expression",
        "$num1 + 1",
    )
    assert values == [variable("live2", 11)] * 2
    heard.home.set_variable("num1", 1, TEST)
    assert heard.events().count(variable("live2", 2)) == 1


def test_a_value_that_becomes_an_expression_and_back(heard: Heard) -> None:
    heard.home.add_variable({"name": "live1", "value": 1}, TEST)
    heard.events()
    heard.home.change_variable({"name": "live1", "expression": "$num1 + 1"}, TEST)
    changed, value = heard.events()
    assert (changed[0], changed[1]["type"]) == ("variableChanged", "expression")
    assert value == variable("live1", 11)
    heard.home.change_variable({"name": "live1", "value": "text", "unit": "x"}, TEST)
    form = {"name": "live1", "readonly": False, "type": "value", "value": "text", "unit": "x"}
    assert heard.events() == [variable("live1", "text"), ["variableChanged", form]]
    heard.home.remove_variable("live1", TEST)
    assert heard.events() == [["variableRemoved", form]]


# ---------------------------------------------------------------------- rules, pages, groups, orders, messages


def test_rules_are_told(heard: Heard) -> None:
    rules = heard.home.rules
    rules.add({"id": "r", "name": "R", "rule": 'when switch1 is on then log "x"'}, TEST)
    rules.change("r", {"active": False}, TEST)
    rules.remove("r", TEST)
    events = heard.events()
    assert [name for name, _ in events] == ["ruleAdded", "ruleChanged", "ruleRemoved"]
    assert events[0][1] == {
        "id": "r",
        "name": "R",
        "string": 'when switch1 is on then log "x"',
        "active": True,
        "valid": True,
        "logging": True,
        "conditionToken": "switch1 is on",
        "actionsToken": 'log "x"',
        "error": None,
    }
    assert [event[1]["active"] for event in events] == [True, False, False]


def test_pages_and_groups_are_told(heard: Heard) -> None:
    heard.home.pages.add({"id": "p", "name": "P"}, TEST)
    heard.home.pages.add_device("p", "switch1", TEST)
    heard.home.pages.remove("p", TEST)
    heard.home.groups.add({"id": "g", "name": "G"}, TEST)
    heard.home.groups.change("g", {"name": "G2"}, TEST)
    heard.home.groups.remove("g", TEST)
    page = {"id": "p", "name": "P", "devices": [{"deviceId": "switch1"}]}
    group = {"id": "g", "name": "G2", "devices": [], "rules": [], "variables": []}
    assert heard.events() == [
        ["pageAdded", {**page, "devices": []}],
        ["pageChanged", page],
        ["pageRemoved", page],
        ["groupAdded", {**group, "name": "G"}],
        ["groupChanged", group],
        ["groupRemoved", group],
    ]


def test_a_page_is_told_to_those_whom_it_is_for(heard: Heard) -> None:
    heard.home.pages.add({"id": "all", "name": "All"}, TEST)
    heard.home.pages.add({"id": "few", "name": "Few", "allowedRoles": ["admin", "boss"]}, TEST)
    assert [event.roles for event in heard.told] == [None, frozenset(("admin", "boss"))]


def test_where_a_page_stands_is_told_to_those_whom_it_is_for(heard: Heard) -> None:
    allowed: dict[str, Value] = {"all": None, "few": ["admin", "boss"], "one": ["boss"], "none": []}
    for page, roles in allowed.items():
        heard.home.pages.add({"id": page, "allowedRoles": roles}, TEST)
    heard.events()
    heard.home.set_order("page", ["one", "none", "gone", "few", "all"], TEST)
    told = list(heard.told)
    for role, order in (
        ("boss", ["one", "gone", "few", "all"]),
        ("admin", ["gone", "few", "all"]),
        ("guest", ["gone", "all"]),
    ):
        hears = [event for event in told if event.is_for(frozenset({"pages:read"}), role)]
        assert [json.loads(event.packet.text[2:]) for event in hears] == [["pageOrderChanged", order]]
    assert [event for event in told if event.is_for(frozenset({"devices:read"}), "boss")] == []


@pytest.mark.parametrize("kind", ["device", "variable", "rule", "page", "group"])
def test_orders_are_told_as_they_were_given(heard: Heard, kind: Any) -> None:
    heard.home.set_order(kind, ["switch1", "nowhere"], TEST)
    assert heard.events() == [[f"{kind}OrderChanged", ["switch1", "nowhere"]]]


def test_messages_are_told(heard: Heard) -> None:
    heard.home.messages.say("info", "rule r: hello ☃", ("rule", "r"), TEST)
    meta = {"timestamp": "2027-01-15T08:00:00.000Z", "tags": ["rule", "r"]}
    assert heard.events() == [["messageLogged", {"level": "info", "msg": "rule r: hello ☃", "meta": meta}]]


def test_what_is_no_change_of_the_home_can_be_told_as_well(heard: Heard) -> None:
    heard.live.announce("discover", {"time": 100}, "devices:read")
    heard.live.announce("pageRemoved", None, "pages:read")
    assert heard.events() == [["discover", {"time": 100}], ["pageRemoved", None]]


def test_events_of_the_bus_are_not_told(heard: Heard) -> None:
    heard.home.fire("anything", {"a": 1}, TEST)
    assert heard.events() == []


# ---------------------------------------------------------------------- who may hear it, and what may be left out


def test_each_event_needs_the_permission_to_read_what_it_is_about(heard: Heard) -> None:
    home = heard.home
    home.add_device(a_device("DummySwitch", "new"), "store", TEST)
    home.remove_device("new", TEST)
    home.set_variable("num1", 1, TEST)
    home.rules.add({"id": "r", "rule": 'when switch1 is on then log "x"'}, TEST)
    home.pages.add({"id": "p"}, TEST)
    home.groups.add({"id": "g"}, TEST)
    home.set_order("rule", ["r"], TEST)
    home.messages.say("info", "x", (), TEST)
    for event in heard.told:
        name = json.loads(event.packet.text[2:])[0]
        about = {"message": "messages"}.get(name[:7], f"{name.removesuffix('s')}s")
        kind = next(
            kind for kind in ("device", "variable", "rule", "page", "group", "message") if name.startswith(kind)
        )
        assert event.permission == f"{kind}s:read", about
    assert len(heard.told) > 10


def test_values_and_orders_replace_each_other_while_they_wait_and_nothing_else_does(heard: Heard) -> None:
    heard.home.add_device(a_device("DummySwitch", "new"), "store", TEST)
    heard.home.set_order("device", ["new"], TEST)
    keys = {json.loads(event.packet.text[2:])[0]: event.packet.key for event in heard.told}
    assert keys == {
        "variableAdded": "",
        "deviceAdded": "",
        "deviceAttributeChanged": "attribute:new.state",
        "variableValueChanged": "variable:new.state",
        "deviceOrderChanged": "order:device",
    }


def test_nothing_is_listened_to_while_nobody_listens(heard: Heard) -> None:
    before = len(set(chain(*heard.home.changes._listeners.values())))
    heard.live.stop()
    assert len(set(chain(*heard.home.changes._listeners.values()))) == before - 1
    heard.house.act("switch1", "turnOn")
    heard.live.announce("discover", None, "")
    assert heard.told == []
    heard.live.start()
    heard.live.start()
    heard.house.act("switch1", "turnOff")
    assert heard.events() == attribute("switch1", "state", False)
