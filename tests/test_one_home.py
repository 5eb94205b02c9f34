"""One home behind both doors: what is done at one shows at the other, live, as one change with its cause.

Every class of devices, in both directions.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any, NamedTuple
from urllib.parse import urlencode

import pytest
from websockets.sync.client import ClientConnection, connect

from hallway.home.changes import Context, Updated, VariableSet
from hallway.home.classes import CLASSES, STORE_CLASS
from tests.api.operations.pimatic.desk import Desk
from tests.api.wire import EventStream
from tests.hubs import RunningHub

SECONDS = 120
PEOPLE = "users: [{username: ann, password: ann, role: admin}]\n"
VARIABLES = ({"name": "n", "value": 1}, {"name": "wake", "value": "07:00"})
BASIC = {"Authorization": "Basic " + base64.b64encode(b"ann:ann").decode(), "Content-Type": "application/json"}


class Case(NamedTuple):
    """A device, what is done with it at each of the doors, and how that shows at the other.

    action: at the door of pimatic, with what its attributes are then; shown: the entity, its state and some attributes;
    service: at the door of Home Assistant (or a report, if nothing can be asked of such a device); told: the attributes
    that it changed.
    """

    device: dict[str, Any]
    action: tuple[str, dict[str, Any]]
    shown: tuple[str, str, dict[str, Any]]
    service: tuple[str, dict[str, Any]]
    told: dict[str, Any]


def device(class_name: str, **options: Any) -> dict[str, Any]:
    return {"id": "it", "name": "It", "class": class_name, **options}


BUTTONS = [{"id": "a", "text": "A"}, {"id": "b", "text": "B"}]
COMPUTED = [{"name": "double", "expression": "$n * 2", "type": "number"}]
CASES = [
    Case(device("DummySwitch"), ("turnOn", {}), ("switch.it", "on", {}), ("switch.turn_off", {}), {"state": False}),
    Case(
        device("DummyDimmer"),
        ("changeDimlevelTo", {"dimlevel": 40}),
        ("light.it", "on", {"brightness": 102}),
        ("light.turn_on", {"brightness": 255}),
        {"dimlevel": 100},
    ),
    Case(
        device("DummyShutter"),
        ("moveUp", {}),
        ("cover.it", "open", {}),
        ("cover.close_cover", {}),
        {"position": "down"},
    ),
    Case(
        device("DummyHeatingThermostat"),
        ("changeTemperatureTo", {"temperatureSetpoint": 23}),
        ("thermostat.it", "23", {}),
        ("thermostat.set_temperature", {"temperature": 19}),
        {"temperatureSetpoint": 19},
    ),
    Case(
        device("DummyContactSensor"),
        ("changeContactTo", {"contact": True}),
        ("binary_sensor.it", "off", {}),
        ("", {"state": "on"}),
        {"contact": False},
    ),
    Case(
        device("DummyPresenceSensor", autoReset=False),
        ("changePresenceTo", {"presence": True}),
        ("binary_sensor.it", "on", {}),
        ("", {"state": "off"}),
        {"presence": False},
    ),
    Case(
        device("DummyTemperatureSensor"),
        ("changeTemperatureTo", {"temperature": 21.5}),
        ("sensor.it_temperature", "21.5", {"unit_of_measurement": "°C"}),
        ("", {"state": "22.5"}),
        {"temperature": 22.5},
    ),
    Case(
        device("ButtonsDevice", buttons=BUTTONS),
        ("buttonPressed", {"buttonId": "a"}),
        ("buttons.it", "a", {}),
        ("buttons.press", {"button": "b"}),
        {"button": "b"},
    ),
    Case(
        device("InputDevice"),
        ("changeInputTo", {"value": "milk"}),
        ("input.it", "milk", {}),
        ("input.set_value", {"value": "bread"}),
        {"input": "bread"},
    ),
    Case(
        device("VariableInputDevice", variable="n", type="number"),
        ("changeInputTo", {"value": 5}),
        ("input.it", "5", {}),
        ("input.set_value", {"value": 6}),
        {"input": 6},
    ),
    Case(
        device("VariableTimeInputDevice", variable="wake"),
        ("changeInputTo", {"value": "08:00"}),
        ("input.it", "08:00", {}),
        ("input.set_value", {"value": "09:00"}),
        {"input": "09:00"},
    ),
    Case(
        device("VariablesDevice", variables=COMPUTED),
        ("$n", {"valueOrExpression": 4}),
        ("sensor.it", "8", {}),
        ("variable.set", {"entity_id": "variable.n", "value": 5}),
        {"double": 10},
    ),
    Case(device("Timer"), ("startTimer", {}), ("timer.it", "running", {}), ("timer.stop", {}), {"running": False}),
    Case(
        device("DummyAVPlayer"),
        ("play", {}),
        ("media_player.it", "playing", {}),
        ("media_player.media_pause", {}),
        {"state": "pause"},
    ),
]
IDS = [case.device["class"] for case in CASES]


def test_every_class_is_tried() -> None:
    assert {*IDS, STORE_CLASS} == {known.name for known in CLASSES.values() if not known.built_in}


# ---------------------------------------------------------------------- over the network


@pytest.fixture
def hub(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHub]:
    """A hub with the device of the case."""
    case: Case = request.getfixturevalue("case")
    text = PEOPLE + "devices: " + json.dumps([case.device]) + "\nvariables: " + json.dumps(VARIABLES) + "\n"
    hub = RunningHub(tmp_path_factory.mktemp("one") / "home", text)
    hub.start()
    yield hub
    hub.kill()


class Ear:
    """A live socket of somebody who has logged in, past its first packets."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        socket.send("40")
        self.hears("groups")

    def hears(self, name: str, **like: Any) -> dict[str, Any]:
        """The next event of that name and with these values; events before it are passed over."""
        while True:
            message = self._socket.recv(SECONDS)
            if not str(message).startswith("42"):
                continue
            heard, payload = json.loads(message[2:])
            if heard == name and (not like or like.items() <= payload.items()):
                return dict(payload) if isinstance(payload, dict) else {}


def listening(hub: RunningHub) -> ClientConnection:
    url = f"ws://{hub.host}:{hub.port}/socket.io/?EIO=4&transport=websocket&username=ann&password=ann"
    return connect(url, compression=None)


def hears_state(stream: EventStream, entity_id: str, state: str) -> dict[str, Any]:
    """The next event on the stream that shows that entity in that state."""
    while True:
        event = json.loads(stream.message().removeprefix(b"data: "))
        data = event["data"]
        if event["event_type"] == "state_changed" and data["entity_id"] == entity_id:
            assert data["new_state"]["state"] == state
            return dict(data["new_state"])


def act(hub: RunningHub, action: str, data: dict[str, Any]) -> None:
    """Do something at the door of pimatic."""
    if action.startswith("$"):
        answer = hub.ask("PATCH", f"/api/variables/{action[1:]}", {"type": "value", **data}, headers=BASIC)
    else:
        written = {name: value if isinstance(value, str) else json.dumps(value) for name, value in data.items()}
        answer = hub.ask("GET", f"/api/device/it/{action}?{urlencode(written)}", headers=BASIC)
    assert answer.status == 200, answer.body
    assert answer.json()["success"] is True


def serve(hub: RunningHub, case: Case) -> None:
    """Do something at the door of Home Assistant."""
    name, data = case.service
    path = f"/api/services/{name.replace('.', '/')}" if name else f"/api/states/{case.shown[0]}"
    answer = hub.ask("POST", path, {"entity_id": case.shown[0]} | data if name else data)
    assert answer.status == 200, answer.body


@pytest.mark.parametrize("case", CASES, ids=IDS)
def test_what_is_done_at_one_door_shows_at_the_other(hub: RunningHub, case: Case) -> None:
    entity_id, state, attributes = case.shown
    with listening(hub) as socket, EventStream(hub) as stream:
        ear = Ear(socket)
        act(hub, *case.action)
        shown = hears_state(stream, entity_id, state)
        assert attributes.items() <= shown["attributes"].items()
        assert ear.hears("deviceAttributeChanged")["deviceId"] == "it"
        answer = hub.ask("GET", f"/api/states/{entity_id}")
        assert answer.json()["state"] == state

        serve(hub, case)
        for name, value in case.told.items():
            ear.hears("deviceAttributeChanged", deviceId="it", attributeName=name, value=value)
            ear.hears("variableValueChanged", variableName=f"it.{name}", variableValue=value)
            there = hub.ask("GET", f"/api/variables/it.{name}", headers=BASIC).json()["variable"]
            assert there["value"] == value


# ---------------------------------------------------------------------- one change, and why


async def act_in_memory(desk: Desk, case: Case) -> None:
    action, data = case.action
    if action.startswith("$"):
        await desk.ask("updateVariable", name=action[1:], type="value", **data)
    else:
        await desk.ask("callDeviceAction", deviceId="it", actionName=action, **data)


def desk_of(case: Case) -> Desk:
    return Desk(case.device, variables=VARIABLES)


@pytest.mark.parametrize("case", CASES, ids=IDS)
async def test_what_is_done_by_pimatic_is_one_change_with_its_cause(case: Case) -> None:
    desk = desk_of(case)
    desk.house.changes.clear()
    await act_in_memory(desk, case)
    check_cause(desk, "pimatic")


@pytest.mark.parametrize("case", [case for case in CASES if case.service[0]], ids=lambda case: case.device["class"])
async def test_what_is_asked_of_a_service_is_one_change_with_its_cause(case: Case) -> None:
    desk = desk_of(case)
    await act_in_memory(desk, case)
    desk.house.changes.clear()
    name, data = case.service
    domain, _, service = name.partition(".")
    context = Context("homeassistant", user="homeassistant")
    call = desk.home.call_service(domain, service, {"entity_id": case.shown[0]} | data, context)
    assert call.done
    assert call.error is None
    check_cause(desk, "homeassistant")


def check_cause(desk: Desk, origin: str) -> None:
    """The device was changed once; the chain of causes begins at that door and misses nothing."""
    changes = desk.house.changes
    (updated,) = [change for change in changes if isinstance(change, Updated) and change.device_id == "it"]
    begun = {change.seq for change in changes}
    change: Any = updated
    while change.context.cause is not None:
        assert change.context.cause in begun
        change = next(each for each in changes if each.seq == change.context.cause)
    assert change.context.origin == origin or change.context.origin.startswith("service")
    assert change.context.user is not None
    assert sum(isinstance(each, VariableSet) for each in changes) <= 1
