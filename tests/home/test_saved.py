"""What is saved is put back; and replaying the changes since then on it gives the home that was lived."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hallway.errors import HallwayError
from hallway.home.changes import AnyChange, Defined, Fired, Planned, StateChange, Updated, VariableSet
from hallway.home.classes import REPORTED
from hallway.home.pending import Due
from hallway.home.saved import Saved, SavedState, SavedValue, restore
from hallway.home.values import Value
from tests.home.homes import NOW, TEST, House, a_device
from tests.home.strategies import ATTRIBUTES, STATE_TEXTS


class Kept:
    """What a store would keep of a house: the snapshot of when it was new, and each change applied to it."""

    def __init__(self, house: House) -> None:
        home = house.home
        self.house = house
        self.seq = home.changes.seq
        self.states = {state.entity_id: SavedState(state) for state in home.states()}
        self.values: dict[tuple[str, str], tuple[Value, float, float]] = {}
        self.variables: dict[str, Value] = {variable.name: variable.value for variable in home.variables}
        self.pending = {(due.device_id, due.name): due for due in home.pending.all()}
        self.devices = {device.id: device.config for device in home.devices.values()}
        for device in home.devices.values():
            for name in device.attributes:
                held = device.held(name)
                if held.updated is not None and held.changed is not None:
                    self.values[device.id, name] = device.value(name), held.updated, held.changed
        home.changes.subscribe(self.apply)

    def apply(self, change: AnyChange) -> None:
        assert change.seq == self.seq + 1
        self.seq = change.seq
        match change:
            case Updated():
                self._show(change.states)
                for name, value in change.new.items():
                    before = self.values.get((change.device_id, name))
                    confirmed = change.old[name] == value and type(change.old[name]) is type(value)
                    changed = before[2] if confirmed and before else change.at
                    self.values[change.device_id, name] = value, change.at, changed
            case VariableSet():
                self._show(change.states)
                self.variables[change.name] = change.new
            case Defined():
                self._define(change)
            case Planned():
                self.pending.pop((change.device_id, change.name), None)
                if change.due is not None:
                    self.pending[change.device_id, change.name] = Due(change.device_id, change.name, change.due)
            case Fired():
                pass

    def _show(self, states: tuple[StateChange, ...]) -> None:
        for moved in states:
            if moved.new is None:
                del self.states[moved.entity_id]
            else:
                self.states[moved.entity_id] = SavedState(moved.new, moved.told_by)

    def _define(self, change: Defined) -> None:
        self._show(change.states)
        if change.kind == "device" and (change.new or change.old or {})["class"] != REPORTED:
            self.values = {key: value for key, value in self.values.items() if key[0] != change.key}
            if change.new is None:
                del self.devices[change.key]
            else:
                self.devices[change.key] = change.new

    def saved(self) -> Saved:
        return Saved(
            self.seq,
            dict(self.house.home.entities.kept),
            tuple(
                SavedValue(device_id, name, value, updated, changed)
                for (device_id, name), (value, updated, changed) in self.values.items()
            ),
            tuple(self.states.values()),
            dict(self.variables),
            tuple(self.pending.values()),
        )

    def restart(self, variables: Any = (), groups: Any = (), later: float = 0.0) -> House:
        """A new home of the same definitions with all this put back, that many seconds later."""
        saved = self.saved()
        new = House(*self.devices.values(), variables=variables, groups=groups, kept_ids=saved.kept_ids, seq=saved.seq)
        new.clock.set_wall(self.house.clock.now() + later)
        restore(new.home, saved)
        return new


def remembered(house: House) -> Any:
    """What must be the same after a restart. A value's short history is not kept."""
    home = house.home
    return {
        "states": {state.entity_id: state for state in home.states()},
        "values": {
            (device.id, name): (device.value(name), held.updated, held.changed)
            for device in home.devices.values()
            for name in device.attributes
            for held in [device.held(name)]
        },
        "variables": {variable.name: variable.value for variable in home.variables},
        "plans": {(due.device_id, due.name): due.at for due in home.pending.all()},
        "told by": {entity_id: owner.told_by for entity_id, owner in home.entities.owners.items()},
        "reported": {device.id: device.config for device in home.devices.values() if device.class_name == REPORTED},
    }


COMPUTED: Any = [{"name": "sum", "expression": "$n + $dimmer.dimlevel"}, {"name": "text", "expression": '"{$n}!"'}]
DEVICES = (
    a_device("DummyDimmer", "dimmer"),
    a_device("DummySwitch", "switch"),
    a_device("DummyShutter", "shutter"),
    a_device("DummyPresenceSensor", "hall"),
    a_device("DummyTemperatureSensor", "t"),
    a_device("ButtonsDevice", "buttons", buttons=[{"id": "a", "text": "A"}, {"id": "b", "text": "B"}]),
    a_device("Timer", "timer"),
    a_device("DummyAVPlayer", "player"),
    a_device("DummyHeatingThermostat", "heating"),
    a_device("InputDevice", "note"),
    a_device("VariableInputDevice", "field", variable="n", type="number"),
    a_device("VariablesDevice", "computed", variables=COMPUTED),
)
VARIABLES: Any = (
    {"name": "n", "value": 1},
    {"name": "double", "expression": "$n * 2", "unit": "W"},
    {"name": "warm", "expression": "$t.temperature + $double"},
)
GROUPS: Any = (
    {"id": "lights", "devices": ["dimmer", "switch", "weather-sun"]},
    {"id": "rest", "devices": ["t", "hall", "extra"]},
)


def whole_house() -> House:
    return House(*DEVICES, variables=VARIABLES, groups=GROUPS)


NUMBERS = st.integers(0, 100) | st.floats(0, 100).map(lambda number: round(number, 1))
ENTITIES = (
    "light.dimmer",
    "switch.switch",
    "cover.shutter",
    "binary_sensor.hall",
    "sensor.t_humidity",
    "buttons.buttons",
    "media_player.player",
    "thermostat.heating",
    "input.note",
    "variable.n",
    "variable.double",
    "group.lights",
    "weather.sun",
    "sensor.far",
)
ACTIONS: Any = st.one_of(
    st.tuples(st.just("dimmer"), st.just("changeDimlevelTo"), st.fixed_dictionaries({"dimlevel": NUMBERS})),
    st.tuples(st.sampled_from(["dimmer", "switch"]), st.sampled_from(["turnOn", "turnOff", "toggle"]), st.just({})),
    st.tuples(st.just("shutter"), st.just("moveByPercentage"), st.fixed_dictionaries({"percentage": NUMBERS})),
    st.tuples(st.just("hall"), st.just("changePresenceTo"), st.fixed_dictionaries({"presence": st.booleans()})),
    st.tuples(st.just("t"), st.just("changeTemperatureTo"), st.fixed_dictionaries({"temperature": NUMBERS})),
    st.tuples(
        st.just("buttons"), st.just("buttonPressed"), st.fixed_dictionaries({"buttonId": st.sampled_from("abc")})
    ),
    st.tuples(st.just("timer"), st.sampled_from(["startTimer", "stopTimer", "resetTimer"]), st.just({})),
    st.tuples(st.just("player"), st.sampled_from(["play", "pause", "next"]), st.just({})),
    st.tuples(st.just("player"), st.just("setVolume"), st.fixed_dictionaries({"volume": NUMBERS})),
    st.tuples(st.just("field"), st.just("changeInputTo"), st.fixed_dictionaries({"value": NUMBERS})),
    st.tuples(st.just("extra"), st.just("turnOn"), st.just({})),
)
STEPS: Any = st.one_of(
    st.tuples(st.just("act"), ACTIONS),
    st.tuples(st.just("report"), st.tuples(st.sampled_from(ENTITIES), STATE_TEXTS, ATTRIBUTES)),
    st.tuples(st.just("set"), NUMBERS),
    st.tuples(st.just("wait"), st.sampled_from([0.5, 3, 11, 100])),
    st.tuples(st.just("call"), st.sampled_from(["homeassistant.turn_on", "light.toggle", "cover.open_cover"])),
    st.tuples(st.sampled_from(["add", "remove", "remove reported"]), st.none()),
)


def live(house: House, steps: list[Any]) -> None:
    """Let the house do all this; what it refuses is part of life."""
    home = house.home
    for what, data in steps:
        try:
            match what:
                case "act":
                    home.act(data[0], data[1], data[2], TEST)
                case "report":
                    home.report(data[0], data[1], data[2], TEST)
                case "set":
                    home.set_variable("n", data, TEST)
                case "wait":
                    house.clock.advance(data)
                case "call":
                    house.call(data, entity_id=["group.lights", "light.dimmer", "cover.shutter"])
                case "add":
                    home.add_device(a_device("DummySwitch", "extra"), "store")
                case "remove":
                    home.remove_device("extra", TEST)
                case "remove reported":
                    home.remove_device("weather-sun", TEST)
        except HallwayError:
            continue


@settings(max_examples=150, deadline=None)
@given(st.lists(STEPS, max_size=12), st.lists(STEPS, max_size=12))
def test_the_changes_applied_to_a_snapshot_give_the_home_that_was_lived(before: list[Any], since: list[Any]) -> None:
    house = whole_house()
    kept = Kept(house)
    live(house, before)
    assert remembered(kept.restart(VARIABLES, GROUPS, later=1000)) == remembered(house)
    live(house, since)
    assert remembered(kept.restart(VARIABLES, GROUPS, later=1000)) == remembered(house)


@settings(max_examples=100, deadline=None)
@given(st.lists(STEPS, max_size=8), st.lists(STEPS, max_size=8))
def test_life_goes_on_after_a_restart_as_it_would_have_without(before: list[Any], since: list[Any]) -> None:
    house = whole_house()
    kept = Kept(house)
    live(house, before)
    restarted = kept.restart(VARIABLES, GROUPS)
    live(house, since)
    live(restarted, since)
    assert remembered(restarted) == remembered(house)


def test_a_home_without_a_past_is_as_defined() -> None:
    house = whole_house()
    before = remembered(house)
    restore(house.home, Saved())
    assert remembered(house) == before


def test_states_keep_since_when_they_are_as_they_are() -> None:
    house = whole_house()
    kept = Kept(house)
    house.clock.advance(50)
    house.act("dimmer", "turnOn")
    house.act("t", "changeTemperatureTo", temperature=20)
    house.clock.advance(50)
    restored = kept.restart(VARIABLES, GROUPS, later=1000)
    for entity_id in ("light.dimmer", "switch.switch", "variable.warm", "sensor.computed_sum", "group.lights"):
        assert restored.shown(entity_id) == house.shown(entity_id), entity_id
    assert restored.shown("light.dimmer").last_changed == NOW + 50


def test_a_group_shows_its_members_after_a_restart() -> None:
    house = whole_house()
    kept = Kept(house)
    house.act("dimmer", "turnOn")
    restored = kept.restart(VARIABLES, GROUPS, later=1000)
    assert restored.shown("group.lights").state == "on"
    restored.act("dimmer", "turnOff")
    assert restored.shown("group.lights").state == "off"


def test_what_was_reported_last_is_shown_and_read_after_a_restart() -> None:
    house = whole_house()
    kept = Kept(house)
    house.report("weather.sun", "bright", lux=5)
    house.report("switch.switch", "on", watt=5)
    restored = kept.restart(VARIABLES, GROUPS, later=1000)
    assert restored.home.value("weather-sun.lux") == 5
    assert restored.shows("switch.switch") == ("on", {"watt": 5})
    assert restored.value("state", "switch") is True
    restored.act("switch", "turnOff")
    assert restored.shows("switch.switch") == ("off", {"friendly_name": "switch"})


def test_plans_go_on_after_a_restart() -> None:
    house = whole_house()
    kept = Kept(house)
    house.act("hall", "changePresenceTo", presence=True)
    house.act("timer", "startTimer")
    house.clock.advance(4.5)
    restored = kept.restart(VARIABLES, GROUPS, later=1000)
    assert restored.value("presence", "hall") is True
    restored.clock.advance(0)
    assert restored.value("presence", "hall") is False
    assert restored.value("time", "timer") == 5
    restored.clock.advance(2)
    assert restored.value("time", "timer") == 7


def test_variables_and_what_depends_on_them_are_put_back() -> None:
    house = whole_house()
    kept = Kept(house)
    house.home.set_variable("n", 21, TEST)
    restored = kept.restart(VARIABLES, GROUPS, later=1000)
    assert restored.home.value("double") == 42
    assert restored.value("input", "field") == 21
    assert restored.value("text", "computed") == "21!"


def test_an_expression_over_a_reported_state_is_computed_again() -> None:
    wanted: Any = [{"name": "more", "expression": "$weather-sun.state + 1"}]
    house = House(a_device("VariablesDevice", "v", variables=wanted))
    kept = Kept(house)
    house.report("weather.sun", "20")
    house.home.bind_formulas()
    assert house.value("more", "v") == 21
    restored = kept.restart()
    assert restored.value("more", "v") == 21
    restored.report("weather.sun", "30")
    assert restored.value("more", "v") == 31


def test_what_has_no_place_any_more_is_left_out() -> None:
    saved = Saved(
        100,
        values=(SavedValue("gone", "state", 1, NOW, NOW), SavedValue("it", "gone", 1, NOW, NOW)),
        variables={"gone": 1, "double": 5},
        pending=(Due("gone", "stop", NOW + 5), Due("it", "gone", NOW + 5)),
    )
    house = House(
        a_device("DummySwitch"), variables=({"name": "n", "value": 1}, {"name": "double", "expression": "$n * 2"})
    )
    restore(house.home, saved)
    assert house.values() == {"state": False}
    assert house.home.value("double") == 2
    house.clock.advance(10)
    assert house.values() == {"state": False}


def test_a_state_that_nobody_told_and_nobody_owns_is_left_out() -> None:
    house = House(a_device("DummySwitch"))
    other = House(a_device("DummySwitch", "other"))
    saved = Saved(5, states=tuple(SavedState(state) for state in other.home.states()))
    restore(house.home, saved)
    assert [state.entity_id for state in house.home.states()] == ["switch.it"]


@pytest.mark.parametrize("told_by", ["reported", "link:cellar"])
def test_who_told_a_state_is_remembered(told_by: str) -> None:
    house = House()
    kept = Kept(house)
    house.home.report_new("a.b", "1", {}, TEST, told_by)
    restored = kept.restart()
    assert restored.home.entities.owners["a.b"].told_by == told_by
    assert restored.device("a-b").source == told_by


@pytest.mark.parametrize("told_by", ["reported", "link:cellar"])
def test_a_device_that_takes_over_an_id_does_not_show_what_others_told_before(told_by: str) -> None:
    before = House()
    told = before.home.report_new("switch.it", "on", {}, TEST, told_by)
    house = House(a_device("DummySwitch"))
    restore(house.home, Saved(5, states=(SavedState(told, told_by),)))
    state = house.home.state("switch.it")
    assert state is not None
    assert state.state == "off"
