"""The REST door with a few made-up operations, people, and a client that asks it the way the server does.

It must not know the operations of a real hub.
"""

from __future__ import annotations

import asyncio
import json
from base64 import b64encode
from typing import Any, cast

from hallway.access.cookies import Cookies
from hallway.access.entrance import Entrance
from hallway.access.passwords import hash_password
from hallway.access.people import People, Person
from hallway.api.answer import Answer
from hallway.api.cors import Origins
from hallway.api.front import Door, Page
from hallway.api.operations.base import Ask, Hub, Operation, Parameter, never
from hallway.api.pimatic.calls import Calls
from hallway.api.pimatic.door import PimaticDoor
from hallway.clock import VirtualClock
from hallway.errors import Conflict
from tests.access.drawer import Drawer

MAX_BODY = 200_000
HASHES = {name: hash_password(password.encode()) for name, password in (("anna", "st:äple"), ("nina", "nothing"))}
ANNA, NINA = "anna:st:äple", "nina:nothing"


class Things:
    """What the made-up operations work on."""

    def __init__(self) -> None:
        self.held: dict[str, object] = {"num1": 10, "a b": "spaces", "dev.attr": 5, "NUM": None}
        self.asked: list[Ask] = []

    def read(self, _hub: Hub, ask: Ask) -> object:
        self.asked.append(ask)
        return self.held.get(str(ask.data["name"]))

    def everything(self, _hub: Hub, _ask: Ask) -> object:
        return list(self.held)

    async def add(self, _hub: Hub, ask: Ask) -> object:
        name = str(ask.data["other"])
        await asyncio.sleep(0)
        if name in self.held:
            raise Conflict(f"there is {name} already")
        self.held[name] = ask.data["value"]
        return self.held[name]

    def remove(self, _hub: Hub, ask: Ask) -> object:
        return self.held.pop(str(ask.data["name"]), None) is not None or None

    def fail(self, _hub: Hub, _ask: Ask) -> object:
        raise ZeroDivisionError("inside")


NAME = Parameter("name", "path", "which one", required=True)
VALUE = Parameter("value", "data", "what it is", "", required=True)
TIMES = Parameter("times", "data", "how often", "number")


def operations(things: Things) -> tuple[Operation, ...]:
    name = (NAME, TIMES)
    return (
        Operation("list", ("GET",), "/api/things", "List", "variables:read", "things", things.everything),
        Operation("get", ("GET",), "/api/things/{name}", "Get", "variables:read", "thing", things.read, name),
        Operation(
            "add",
            ("POST", "PATCH"),
            "/api/things/{other}",
            "Add",
            "variables:write",
            "thing",
            things.add,
            (Parameter("other", "path", "which", required=True), VALUE),
            at_once=never,
        ),
        Operation(
            "remove", ("DELETE",), "/api/things/{name}", "Remove", "variables:write", "thing", things.remove, name
        ),
        Operation("fail", ("GET",), "/api/fail", "Fail", "", "", things.fail),
        Operation("quiet", ("GET",), "/api/Quiet/All", "Say nothing", "", "", lambda _hub, _ask: None),
        Operation("only by socket", (), "", "Not here", "", "", lambda _hub, _ask: None),
    )


class Seen:
    """An answer: status, headers in order (names in lower case), body."""

    def __init__(self, status: int, headers: list[tuple[bytes, bytes]], body: bytes, *, at_once: bool) -> None:
        self.status = status
        self.headers = headers
        self.body = body
        self.at_once = at_once

    def all(self, name: str) -> list[str]:
        return [value.decode() for given, value in self.headers if given.decode() == name]

    def header(self, name: str) -> str:
        return ", ".join(self.all(name))

    @property
    def session(self) -> str:
        """The Cookie header of a browser that got this answer."""
        return "; ".join(value.partition(";")[0] for value in self.all("set-cookie"))

    def json(self) -> Any:
        return json.loads(self.body)


class House:
    """A door, and everything behind it that tests look at."""

    def __init__(self, *, enabled: bool = True, origins: tuple[str, ...] = ()) -> None:
        self.clock = VirtualClock()
        self.people = People(self.clock, enabled=enabled)
        self.people.put_user(Person("anna", "admin", HASHES["anna"], "stamp-anna"))
        self.people.put_user(Person("nina", "missing", HASHES["nina"], "stamp-nina"))
        self.cookies = Cookies(self.people, self.clock, Drawer())
        self.things = Things()
        self.entrance = Entrance(self.people, self.cookies)
        documents = {"/api": Page("text/html; charset=utf-8", b'{"actions":{}}')}
        calls = Calls(cast("Hub", None), operations(self.things))
        self.door = PimaticDoor(calls, self.entrance, MAX_BODY, Origins(origins), documents)

    async def ask(self, method: str, target: str, data: Any = None, *, by: str = ANNA, **headers: str) -> Seen:
        """A request with a password (none: by=""); data goes as JSON, or as it is when it is bytes."""
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        if by:
            given["authorization"] = "Basic " + b64encode(by.encode()).decode()
        body = data if isinstance(data, bytes) else b"" if data is None else json.dumps(data).encode()
        if data is not None and not isinstance(data, bytes):
            given.setdefault("content-type", "application/json")
        if data is not None:
            given.setdefault("content-length", str(len(body)))
        return await ask(self.door, method, target, body, given)


async def ask(door: Door, method: str, target: str, body: bytes, headers: dict[str, str]) -> Seen:
    """Like the server: at once if that is possible, else by way of ASGI."""
    path, _, query = target.partition("?")
    scope: dict[str, Any] = {
        "type": "http",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "headers": [(name.encode(), value.encode("utf-8")) for name, value in {"host": "hub", **headers}.items()],
        "client": ("10.0.0.1", 12345),
        "http_version": "1.1",
    }
    answer = door.at_once(scope, body)
    if answer is None:
        return await _by_asgi(door, scope, body)
    assert isinstance(answer, Answer), "nothing here has to be kept before it is answered"
    return _read(answer, method)


def _read(answer: Answer, method: str) -> Seen:
    head, _, body = answer.wire(method, b"").partition(b"\r\n\r\n")
    first, *lines = head.split(b"\r\n")
    pairs = [line.split(b": ", 1) for line in lines]
    return Seen(int(first.split(b" ")[1]), [(name, value) for name, value in pairs], body, at_once=True)


async def _by_asgi(door: Door, scope: dict[str, Any], body: bytes) -> Seen:
    sent: list[Any] = []
    parts = [body[start : start + 50_000] for start in range(0, len(body), 50_000)] or [b""]
    waiting = [{"type": "http.request", "body": part, "more_body": True} for part in parts]
    waiting[-1]["more_body"] = False

    async def receive() -> Any:
        return waiting.pop(0)

    async def send(message: Any) -> None:
        sent.append(message)

    await door(scope, receive, send)
    start, *rest = sent
    return Seen(start["status"], list(start["headers"]), b"".join(part["body"] for part in rest), at_once=False)
