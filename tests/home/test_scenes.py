"""Scenes: what entities are to be at the same time, kept from what they show or written down, and brought about."""

from __future__ import annotations

import pytest

from hallway.clock import VirtualClock
from hallway.errors import Conflict, HallwayError, InvalidConfiguration, InvalidInput, NotFound
from hallway.home.changes import AnyChange, Context, Defined, Fired, Updated
from hallway.home.home import FILE, Home
from hallway.home.services import MAX_OPEN_CALLS
from hallway.home.values import Attributes, Value
from hallway.language.expressions import parse

ANN = Context("test", "ann")
DEVICES = (
    {"id": "lamp", "class": "DummyDimmer", "name": "Lamp"},
    {"id": "plug", "class": "DummySwitch", "name": "Plug"},
    {"id": "blind", "class": "DummyShutter", "name": "Blind"},
    {"id": "heat", "class": "DummyHeatingThermostat", "name": "Heat"},
    {"id": "radio", "class": "DummyAVPlayer", "name": "Radio"},
    {"id": "clock", "class": "Timer", "name": "Clock"},
    {"id": "outside", "class": "DummyTemperatureSensor", "name": "Outside"},
)


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


@pytest.fixture
def home(clock: VirtualClock) -> Home:
    home = Home(clock, language=parse)
    for config in DEVICES:
        home.add_device(dict(config), "store")
    home.add_variable({"name": "mood", "value": "dull"})
    home.add_group({"id": "all", "devices": ["plug"]})
    return home


def call(home: Home, entity_id: str = "scene.movie", *, by: str = "scene") -> None:
    call = home.call_service(by, "turn_on", {"entity_id": entity_id}, ANN)
    assert call.done
    if call.error is not None:
        raise call.error


def shown(home: Home, entity_id: str) -> tuple[str, Attributes]:
    state = home.state(entity_id)
    assert state is not None
    return state.state, state.attributes


def test_a_scene_is_an_entity_that_can_be_turned_on_by_its_own_service_and_by_the_general_one(home: Home) -> None:
    home.scenes.add(
        {"id": "movie", "name": "Movie", "entities": {"light.lamp": {"state": "on", "brightness": 51}}}, ANN
    )
    assert shown(home, "scene.movie") == ("scening", {"entity_id": ["light.lamp"], "friendly_name": "Movie"})
    call(home)
    assert home.device("lamp").value("dimlevel") == 20
    home.act("lamp", "turnOff", {}, ANN)
    call(home, by="homeassistant")
    assert home.device("lamp").value("dimlevel") == 20


@pytest.mark.parametrize(
    ("entity_id", "wanted", "device_id", "attribute", "value"),
    [
        ("light.lamp", "on", "lamp", "dimlevel", 100),
        ("light.lamp", {"state": "on", "brightness": 255}, "lamp", "dimlevel", 100),
        ("switch.plug", True, "plug", "state", True),
        ("switch.plug", {"state": "on"}, "plug", "state", True),
        ("group.all", "on", "plug", "state", True),
        ("cover.blind", "open", "blind", "position", "up"),
        ("cover.blind", "closed", "blind", "position", "down"),
        ("thermostat.heat", {"state": "17.5"}, "heat", "temperatureSetpoint", 17.5),
        ("thermostat.heat", {"state": "20", "temperature": 21, "mode": "manu"}, "heat", "mode", "manu"),
        ("media_player.radio", "playing", "radio", "state", "play"),
        ("media_player.radio", {"state": "paused", "volume_level": 0.3}, "radio", "volume", 30),
        ("timer.clock", "running", "clock", "running", True),
    ],
)
def test_each_kind_of_entity_is_brought_to_its_state(
    home: Home, entity_id: str, wanted: object, device_id: str, attribute: str, value: object
) -> None:
    home.scenes.add({"id": "movie", "entities": {entity_id: wanted}}, ANN)  # type: ignore[dict-item]
    call(home)
    assert home.device(device_id).value(attribute) == value


@pytest.mark.parametrize(("text", "value"), [("bright", "bright"), ("5", 5), ("2.5", 2.5), ("inf", "inf")])
def test_a_variable_is_set(home: Home, text: str, value: object) -> None:
    home.scenes.add({"id": "movie", "entities": {"variable.mood": text}}, ANN)
    call(home)
    assert home.variables.get("mood").value == value


def test_a_list_of_entities_keeps_what_they_show_now(home: Home) -> None:
    home.act("lamp", "changeDimlevelTo", {"dimlevel": 40}, ANN)
    home.act("radio", "setVolume", {"volume": 70}, ANN)
    home.set_variable("mood", "festive", ANN)
    entities: list[Value] = ["light.lamp", "Switch.Plug", "media_player.radio", "variable.mood", "thermostat.heat"]
    scene = home.scenes.add({"id": "movie", "entities": entities}, ANN)
    assert scene.members["light.lamp"] == {"state": "on", "brightness": 102}
    assert scene.members["switch.plug"] == {"state": "off"}
    home.act("lamp", "turnOff", {}, ANN)
    home.act("radio", "setVolume", {"volume": 10}, ANN)
    home.set_variable("mood", "sober", ANN)
    call(home)
    assert home.device("lamp").value("dimlevel") == 40
    assert home.device("radio").value("volume") == 70
    assert home.variables.get("mood").value == "festive"


@pytest.mark.parametrize(
    ("entities", "part"),
    [
        (None, "entities must name 1 to 1000"),
        ({}, "entities must name 1 to 1000"),
        ([], "entities must name 1 to 1000"),
        ("light.lamp", "entities must name 1 to 1000"),
        ({f"light.l{n}": "on" for n in range(1001)}, "entities must name 1 to 1000"),
        (["light.nope"], "there is no entity light.nope"),
        ({"nonsense": "on"}, "nonsense"),
        ({"sensor.outside": "20"}, "nothing can bring sensor.outside"),
        ({"light.lamp": "dim"}, "nothing can bring light.lamp to the state 'dim'"),
        ({"light.lamp": None}, "nothing can bring light.lamp"),
        ({"weather.sun": "on"}, "nothing can bring weather.sun"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_changes(home: Home, entities: object, part: str) -> None:
    home.report("weather.sun", "off", {}, ANN)
    before = home.changes.seq
    with pytest.raises(InvalidConfiguration, match=part):
        home.scenes.add({"id": "movie", "entities": entities}, ANN)  # type: ignore[dict-item]
    assert (home.changes.seq, home.scenes.all()) == (before, [])


def test_names_and_ids_are_checked_as_those_of_groups(home: Home) -> None:
    wrong: tuple[Attributes, ...] = ({"id": "a\nb", "entities": {"light.lamp": "on"}}, {"id": "a", "name": 5})
    for config in wrong:
        with pytest.raises(HallwayError):
            home.scenes.add(config, ANN)
    home.scenes.add({"id": "Über uns", "entities": {"light.lamp": "on"}}, ANN)
    with pytest.raises(Conflict):
        home.scenes.add({"id": "Über uns", "entities": {"light.lamp": "on"}}, ANN)


def test_an_edit_is_a_change_with_both_bodies(home: Home) -> None:
    seen: list[AnyChange] = []
    home.changes.watch("scene:movie", seen.append)
    home.scenes.add({"id": "movie", "entities": {"light.lamp": "on"}}, ANN)
    home.scenes.change("movie", {"name": "Film"}, ANN)
    home.scenes.remove("movie", ANN)
    bodies = [(change.old, change.new) for change in seen if isinstance(change, Defined)]
    first: Attributes = {"id": "movie", "name": "movie", "entities": {"light.lamp": {"state": "on"}}}
    second: Attributes = {**first, "name": "Film"}
    assert bodies == [(None, first), (first, second), (second, None)]
    assert home.state("scene.movie") is None
    with pytest.raises(NotFound):
        home.scenes.get("movie")


def test_a_scene_of_the_file_is_not_edited_here(home: Home) -> None:
    home.scenes.add({"id": "movie", "entities": {"light.lamp": "on"}}, source=FILE)
    with pytest.raises(Conflict, match=r"configuration\.yaml"):
        home.scenes.change("movie", {"name": "x"}, ANN)
    with pytest.raises(Conflict, match=r"configuration\.yaml"):
        home.scenes.remove("movie", ANN)


def test_what_is_gone_is_told_and_the_rest_of_the_scene_comes_about(home: Home) -> None:
    home.scenes.add({"id": "movie", "name": "Movie", "entities": {"light.lamp": "on", "switch.plug": "on"}}, ANN)
    home.remove_device("lamp", ANN)
    call(home)
    assert home.device("plug").value("state") is True
    assert [(m.level, m.text) for m in home.messages.all()] == [("warn", "scene Movie: there is no entity light.lamp")]


def test_what_a_scene_changes_leads_back_to_who_wanted_it(home: Home) -> None:
    home.scenes.add({"id": "movie", "entities": {"switch.plug": "on"}}, ANN)
    seen: list[AnyChange] = []
    home.changes.subscribe(seen.append)
    call(home)
    known = {change.seq: change for change in seen}
    switched = next(change for change in seen if isinstance(change, Updated) and change.device_id == "plug")
    chain, context = [], switched.context
    while context.cause is not None:
        cause = known[context.cause]
        chain.append(f"{cause.data['domain']}.{cause.data['service']}" if isinstance(cause, Fired) else "?")
        context = cause.context
    assert chain == ["switch.turn_on", "scene.turn_on"]
    assert switched.context.user == "ann"


def test_a_scene_wants_to_be_named_when_it_is_called(home: Home) -> None:
    home.scenes.add({"id": "movie", "entities": {"switch.plug": "on"}}, ANN)
    for data in ({}, {"entity_id": "scene.other"}, {"entity_id": "light.lamp"}):
        with pytest.raises(InvalidInput, match=r"scene\.turn_on needs entity_id"):
            home.call_service("scene", "turn_on", dict(data), ANN)


def test_a_scene_whose_entities_nobody_answers_for_does_not_use_up_the_calls_that_may_be_open(
    clock: VirtualClock, home: Home
) -> None:
    home.scenes.add({"id": "movie", "entities": {"light.lamp": "on"}}, ANN)
    home.services.withdraw("light", "turn_on")
    home.services.elsewhere = lambda domain, _service: domain == "light"
    for _ in range(MAX_OPEN_CALLS + 1):
        asked = home.call_service("scene", "turn_on", {"entity_id": "scene.movie"}, ANN)
        assert asked.error is None
        clock.advance(10)
        home.services.give_up(asked)
