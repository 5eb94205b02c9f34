"""The socket of pimatic on a house, with the real transport: people, a few operations, and clients on lines.

Time is virtual; tasks run in the loop of the test.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from types import SimpleNamespace
from typing import Any, cast

from hallway.access.cookies import Cookies
from hallway.access.entrance import Entrance
from hallway.access.people import People, Person
from hallway.api.cors import Origins
from hallway.api.engineio.engine import Engine, EngineLimits
from hallway.api.operations.base import Ask, Edited, Hub, Operation, Parameter, never
from hallway.api.operations.large_results import Flow
from hallway.api.operations.pimatic.forms import Forms
from hallway.api.operations.pimatic.recent import Recent
from hallway.api.pimatic.calls import Calls
from hallway.api.pimatic.socket import PimaticSocket
from hallway.api.sockets import Handshake
from hallway.errors import InvalidInput, Told
from hallway.home.values import Attributes, Value
from tests.api.engineio.lines import FakeLine, masked
from tests.home.homes import House, a_device

ROLES: Mapping[str, Attributes] = {
    "reader": dict.fromkeys(("pages", "rules", "variables", "devices", "groups", "messages"), "read"),
    "powerless": {},
}


class Keeper:
    def kept(self, name: str) -> Mapping[str, Value]:
        return {}

    async def keep(self, name: str, body: Attributes) -> None: ...


def do_act(hub: Hub, ask: Ask) -> Value:
    device, action = str(ask.data["deviceId"]), str(ask.data["actionName"])
    return hub.home.act(device, action, ask.data, ask.caller.context)


def find_variable(hub: Hub, ask: Ask) -> object:
    name = str(ask.data["name"])
    return {"name": name, "value": hub.home.variables.get(name).value} if name in hub.home.variables else None


def find_device(hub: Hub, ask: Ask) -> object:
    return {"id": ask.data["deviceId"]} if ask.data["deviceId"] in hub.home.devices else None


async def set_later(hub: Hub, ask: Ask) -> object:
    await asyncio.sleep(0)
    hub.home.set_variable("num1", ask.data["value"], ask.caller.context)
    await asyncio.sleep(0)
    return True


class Slow:
    """Keeps what was edited a moment later."""

    async def durable(self, _seq: int) -> None:
        await asyncio.sleep(0)

    def when_durable(self, _seq: int, told: Told) -> None:
        raise NotImplementedError


async def edit_later(_hub: Hub, _ask: Ask) -> object:
    await asyncio.sleep(0)
    return Edited(Slow(), 1, "kept")


async def give_a_file(_hub: Hub, _ask: Ask) -> object:
    async def pieces() -> AsyncIterator[bytes]:
        yield b"much"

    return Flow(pieces(), "text/plain")


async def wait_for_ever(hub: Hub, ask: Ask) -> object:
    await asyncio.Event().wait()
    return None


async def refuse_later(hub: Hub, ask: Ask) -> object:
    raise InvalidInput("that cannot be")


def break_down(hub: Hub, ask: Ask) -> object:
    raise ZeroDivisionError


async def break_down_later(hub: Hub, ask: Ask) -> object:
    raise ZeroDivisionError


def _operation(name: str, permission: str, result: str, handler: Any, *names: str, kind: Any = "string") -> Operation:
    parameters = tuple(Parameter(each, "data", each, kind, required=True) for each in names)
    at_once = never if asyncio.iscoroutinefunction(handler) else (lambda _hub: True)
    return Operation(name, ("GET",), "", name, permission, result, handler, parameters, at_once=at_once, free_data="x")


OPERATIONS = (
    _operation("callDeviceAction", "controlDevices", "", do_act, "deviceId", "actionName"),
    _operation("getVariableByName", "variables:read", "variable", find_variable, "name"),
    _operation("getDeviceById", "devices:read", "device", find_device, "deviceId"),
    _operation("setLater", "variables:write", "", set_later, "value", kind="number"),
    _operation("editLater", "", "edited", edit_later),
    _operation("giveAFile", "", "", give_a_file),
    _operation("waitForEver", "", "", wait_for_ever),
    _operation("refuseLater", "", "", refuse_later),
    _operation("echo", "", "text", lambda _hub, ask: ask.data["text"], "text"),
    _operation("sayWhatCannotBe", "", "text", lambda _hub, _ask: "\ud800"),
    _operation("breakDown", "", "", break_down),
    _operation("breakDownLater", "", "", break_down_later),
)


class Client:
    """A client of the socket, on a websocket."""

    def __init__(self, door: SocketDoor, handshake: Handshake) -> None:
        self.line = FakeLine()
        opened: list[Any] = []
        self.door = door
        self.session = door.engine.open(handshake, lambda session: opened.append(session.on_websocket(self.line)))
        self._socket = opened[0]
        self.opening = self.packets()

    def packets(self) -> list[str]:
        """The packets since the last time."""
        return self.line.texts()

    def events(self) -> list[Any]:
        """The events since the last time; other packets as they are."""
        return [json.loads(packet[2:]) if packet.startswith("42") else packet for packet in self.packets()]

    async def heard(self) -> list[Any]:
        """Likewise, after everything has settled."""
        await settle()
        return self.events()

    def say(self, *packets: str) -> None:
        for packet in packets:
            self._socket.received(masked(packet))

    async def call(self, action: str, *, id: Any = "1", **params: Any) -> list[Any]:  # noqa: A002 - as it is called
        """What is heard of a call, its result at the end."""
        self.say("42" + json.dumps(["call", {"id": id, "action": action, "params": params}]))
        return await self.heard()


class SocketDoor:
    """House, people and socket."""

    def __init__(self, *, people: bool = True, origins: tuple[str, ...] = ()) -> None:
        self.house = House(
            a_device("DummySwitch", "switch1", name="Switch One"),
            variables=({"name": "num1", "value": 10},),
            groups=({"id": "lights", "name": "Lights", "devices": ["switch1"]},),
        )
        self.home = self.house.home
        self.home.pages.add({"id": "all", "name": "All"})
        self.home.pages.add({"id": "few", "name": "Few", "allowedRoles": ["admin"]})
        self.home.rules.add({"id": "rule1", "name": "R", "rule": 'when switch1 is on then log "x"'})
        self.people = People(self.house.clock, enabled=people)
        for role, permissions in ROLES.items():
            self.people.put_role(role, permissions)
        for name, role in (("admin", "admin"), ("rita", "reader"), ("nobody", "powerless")):
            self.people.put_user(Person(name, role, stamp="first"), f"{name} pässword:")
        self.cookies = Cookies(self.people, self.house.clock, Keeper())
        recent = Recent(self.home)
        forms = Forms(self.home, recent)
        hub = cast("Hub", SimpleNamespace(home=self.home))
        entrance = Entrance(self.people, self.cookies)
        loop = asyncio.get_running_loop()
        calls = Calls(hub, OPERATIONS)
        self.socket = PimaticSocket(calls, entrance, forms, recent, loop, Origins(origins))
        self.engine = Engine(self.socket.accept, self.house.clock, EngineLimits())

    def client(
        self, query: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None, revision: int = 3
    ) -> Client:
        """Somebody who comes, and is not known yet."""
        sent = [(name.lower().encode(), value.encode()) for name, value in (headers or {}).items()]
        return Client(self, Handshake(revision, query or {}, sent, "127.0.0.1"))

    async def inside(self, name: str = "admin") -> Client:
        """Somebody who is in, past the first packets."""
        client = self.client({"username": name, "password": f"{name} pässword:"})
        assert "40" in await client.heard()
        return client


async def settle() -> None:
    """Until all that needs no thread has happened."""
    for _ in range(30):
        await asyncio.sleep(0)
