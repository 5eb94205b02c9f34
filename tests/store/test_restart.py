"""A restart gives the same home, whatever happened before and however the hub ended."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from hypothesis import event, example, given, settings
from hypothesis import strategies as st

from hallway.home.home import Home
from hallway.home.values import Attributes
from tests.store.homes import DEVICES, HTTP, build, look
from tests.store.lives import Life, live

ACTIONS: tuple[tuple[str, str, Attributes], ...] = (
    ("switch", "turnOn", {}),
    ("switch", "toggle", {}),
    ("dimmer", "changeDimlevelTo", {"dimlevel": 30.5}),
    ("dimmer", "turnOff", {}),
    ("shutter", "moveByPercentage", {"percentage": 40}),
    ("shutter", "stop", {}),
    ("heating", "changeTemperatureTo", {"temperatureSetpoint": 21.0}),
    ("heating", "changeModeTo", {"mode": "boost"}),
    ("heating", "changeValveTo", {"valve": 0}),
    ("door", "changeContactTo", {"contact": True}),
    ("somebody", "changePresenceTo", {"presence": True}),
    ("somebody", "changePresenceTo", {"presence": False}),
    ("temperature", "changeTemperatureTo", {"temperature": 20}),
    ("temperature", "changeTemperatureTo", {"temperature": 20.5}),
    ("temperature", "changeHumidityTo", {"humidity": 50}),
    ("buttons", "buttonPressed", {"buttonId": "one"}),
    ("buttons", "buttonPressed", {"buttonId": "two"}),
    ("watch", "startTimer", {}),
    ("watch", "stopTimer", {}),
    ("watch", "resetTimer", {}),
    ("player", "play", {}),
    ("player", "setVolume", {"volume": 33}),
    ("field", "changeInputTo", {"value": "ünïcode \x00 \N{GRINNING FACE}"}),
    ("answer_field", "changeInputTo", {"value": "17"}),
    ("time_field", "changeInputTo", {"value": "06:30"}),
)
ENTITIES = ("sensor.a", "sensor.b", "light.later", "light.dimmer", "switch.switch", "thermostat.heating", "group.all")
VALUES = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8"), max_size=8)
)
ATTRIBUTES = st.dictionaries(
    st.text(st.characters(codec="utf-8"), max_size=6),
    VALUES | st.lists(VALUES, max_size=2) | st.dictionaries(st.sampled_from("ab"), VALUES, max_size=2),
    max_size=3,
)
STEPS = st.one_of(
    st.tuples(st.just("act"), st.sampled_from(ACTIONS)),
    st.tuples(st.just("act"), st.sampled_from(ACTIONS)),
    st.tuples(
        st.just("report"), st.tuples(st.sampled_from(ENTITIES), st.sampled_from(("on", "off", "", "1")), ATTRIBUTES)
    ),
    st.tuples(st.just("set"), st.tuples(st.just("answer"), st.sampled_from((1, 2.5, "3")))),
    st.tuples(st.just("set"), st.tuples(st.sampled_from(("text", "wake")), VALUES)),
    st.tuples(st.just("fire"), st.just(())),
    st.tuples(st.just("add"), st.sampled_from(("later", "switch"))),
    st.tuples(st.just("remove"), st.sampled_from(("switch", "dimmer", "later", "watch"))),
    st.tuples(st.just("wait"), st.sampled_from((0.1, 3.0, 6.0, 40.0))),
    st.tuples(st.just("durable"), st.just(())),
    st.tuples(st.just("end"), st.sampled_from(("close", "kill"))),
)


class FullLife(Life):
    """A home with a device of every class, to which everything happens, over several hubs."""

    def __init__(self, folder: Path) -> None:
        self.devices: dict[str, Attributes] = {str(config["id"]): config for config in DEVICES}
        super().__init__(folder)

    def build(self) -> Home:
        return build(self.clock, self.store, self.devices)

    def look(self) -> dict[str, dict[Any, Any]]:
        return look(self.home)

    async def step(self, what: str, how: Any) -> None:
        match what, how:
            case "act", (device, action, arguments):
                if device in self.devices:
                    self.home.act(device, action, arguments, HTTP)
            case "report", (entity_id, state, attributes):
                self.home.report(entity_id, state, attributes, HTTP)
            case "set", (name, value):
                self.home.set_variable(name, value, HTTP)
            case "fire", _:
                self.home.fire("something", {"of": "interest"}, HTTP)
            case "add", device:
                if device not in self.home.devices:
                    self.devices[device] = {"id": device, "class": "DummyDimmer"}
                    self.home.add_device(self.devices[device], "store", HTTP)
            case "remove", device:
                if self.devices.pop(device, None):
                    self.home.remove_device(device, HTTP)
            case "wait", seconds:
                self.clock.advance(seconds)
                await asyncio.sleep(0)
            case "durable", _:
                await self.store.durable(self.home.changes.seq)
            case "end", how:
                event(how)
                await self.end(how)


CONFIRMED = ("act", ("temperature", "changeTemperatureTo", {"temperature": 20}))


@example([CONFIRMED, ("wait", 6.0), CONFIRMED, ("durable", ()), ("wait", 1.0), CONFIRMED])
@example([("act", ACTIONS[0]), ("end", "kill"), ("remove", "switch"), ("wait", 0.1), ("add", "switch")])
@example([("act", ACTIONS[0]), ("end", "close"), ("remove", "switch"), ("add", "switch"), ("durable", ())])
@example([("act", ("somebody", "changePresenceTo", {"presence": True})), ("end", "kill"), ("wait", 6.0), ("wait", 1.1)])
@example([("report", ("light.later", "on", {})), ("add", "later"), ("end", "kill"), ("remove", "later"), ("wait", 6.0)])
@settings(max_examples=60, deadline=None)
@given(st.lists(STEPS, max_size=30))
def test_a_restart_gives_the_same_home(steps: list[tuple[str, Any]]) -> None:
    live(FullLife, steps)
