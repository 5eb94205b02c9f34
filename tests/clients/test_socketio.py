"""The npm client `socket.io-client` of three ages on pimatic's socket: every way to travel, refusals, calls, events.

1.7 is what pimatic's own front end uses, 2.5 the last one of Engine.IO 3, 4.8 one of today. Most tests have a server of
their own to look into; the last ones use a whole hub.
"""

from __future__ import annotations

import asyncio
import base64
import http.client
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Self, TypeVar

import pytest

from hallway.api.engineio.door import EngineDoor
from hallway.api.engineio.engine import Engine, EngineLimits
from hallway.api.server import Server, ServerLimits
from hallway.clock import SystemClock
from tests.api.pimatic.doors import SocketDoor
from tests.clients.lines import Lines
from tests.hashes import wait_for_hashes
from tests.home.homes import TEST
from tests.hubs import RunningHub
from tests.peers.environments import NodeClient, modules_of, program
from tests.peers.waiting import wait_until

# the first test of a fresh machine fetches the clients
pytestmark = pytest.mark.timeout(600)

PROGRAM = Path(__file__).with_name("programs") / "socketio.js"
CLIENTS = [NodeClient("socket.io-client", version) for version in ("1.7.4", "2.5.0", "4.8.4")]
WAYS = {"upgrade": ["polling", "websocket"], "polling": ["polling"], "websocket": ["websocket"]}
FIRST = ["hello", "devices", "rules", "variables", "pages", "groups"]
T = TypeVar("T")


class Hub:
    """A server in a thread of its own with the socket on it; what the tests do to the home is done there."""

    def __init__(self) -> None:
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()))

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._ready.wait(60)
        return self

    def __exit__(self, *_error: object) -> None:
        self.loop.call_soon_threadsafe(self._over.set)
        self._thread.join(60)

    async def _serve(self) -> None:
        self.loop = asyncio.get_running_loop()
        self._over = asyncio.Event()
        self.door = SocketDoor()
        clock = SystemClock(self.loop)
        self.engine = Engine(self.door.socket.accept, clock, EngineLimits())
        door = EngineDoor(self.engine)
        server = Server(door, door.at_once, clock, ServerLimits(), door.upgrade)
        self.port = await server.start("127.0.0.1", 0)
        self._ready.set()
        await self._over.wait()
        self.engine.end_all()
        await server.stop(1)

    def do(self, work: Callable[[SocketDoor], T]) -> T:
        """Do something in the hub's thread."""

        async def work_there() -> T:
            return work(self.door)

        return asyncio.run_coroutine_threadsafe(work_there(), self.loop).result(60)

    def sessions(self) -> int:
        return self.do(lambda _door: len(self.engine))


@pytest.fixture(scope="module")
def hub() -> Iterator[Hub]:
    with Hub() as hub:
        yield hub


@pytest.fixture(params=CLIENTS, ids=lambda client: client.version)
def client(request: pytest.FixtureRequest) -> NodeClient:
    return request.param  # type: ignore[no-any-return]


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@contextmanager
def running(client: NodeClient, port: int, log: Path, options: dict[str, Any]) -> Iterator[Lines]:
    """The client, with these options."""
    given = json.dumps([str(modules_of(client)), f"http://127.0.0.1:{port}", options])
    with Lines([program("node"), PROGRAM, given], log) as lines:
        yield lines


@contextmanager
def connecting(hub: Hub, client: NodeClient, way: str, log: Path, **options: Any) -> Iterator[Lines]:
    """The client on its way to the hub, as admin unless the options say otherwise."""
    query = {"query": {"username": "admin", "password": "admin pässword:"}}
    if client.version.startswith("1."):
        query = {"query": "username=admin&password=admin%20p%C3%A4ssword%3A"}  # type: ignore[dict-item]
    chosen = {"transports": WAYS[way], "forceNew": True, "timeout": 60_000, "reconnectionDelay": 20, **query, **options}
    with running(client, hub.port, log, chosen) as lines:
        yield lines
    if way == "websocket":
        wait_until(lambda: hub.sessions() == 0, 60, "the session of a client that was killed ends")
    # nobody says that a polling client is gone; that is found out after a minute
    hub.do(lambda _door: hub.engine.end_all())
    assert hub.sessions() == 0


def order_of(lines: Lines) -> list[str]:
    return [line["heard"] for line in list(lines._heard)]


def test_it_comes_in_by_every_way(hub: Hub, client: NodeClient, way: str, tmp_path: Path) -> None:
    with connecting(hub, client, way, tmp_path / "log") as lines:
        groups = lines.hears("groups")
        assert order_of(lines) == ["<connect>", *FIRST]
        assert lines.hears("hello")["username"] == "admin"
        assert [group["id"] for group in groups] == ["lights"]
        wanted = "polling" if way == "polling" else "websocket"
        wait_until(lambda: lines.ask("transport")["result"] == wanted, 60, f"it travels by {wanted}")
        assert lines.ask("disconnect")["result"]
        assert lines.hears("<disconnect>") == "io client disconnect"
        wait_until(lambda: hub.sessions() == 0, 60, "the session ends")


def test_it_calls_and_hears(hub: Hub, client: NodeClient, way: str, tmp_path: Path) -> None:
    hub.do(lambda door: door.house.act("switch1", "turnOff"))
    with connecting(hub, client, way, tmp_path / "log") as lines:
        lines.hears("groups")
        params = {"deviceId": "switch1", "actionName": "turnOn"}
        lines.ask("emit", "call", {"id": "ü ☃ 😀", "action": "callDeviceAction", "params": params})
        result = lines.hears("callResult")
        assert result == {"id": "ü ☃ 😀", "success": True, "result": {}}
        assert order_of(lines)[7:] == ["deviceAttributeChanged", "variableValueChanged", "callResult"]
        hub.do(lambda door: door.home.messages.say("info", "Grüße ☃ 😀", (), TEST))
        assert lines.hears("messageLogged")["msg"] == "Grüße ☃ 😀"
        for number in range(100):
            hub.do(lambda door, number=number: door.home.set_variable("num1", number, TEST))  # type: ignore[misc]
        lines.hears("variableValueChanged", lambda told: told == {"variableName": "num1", "variableValue": 99})
        assert "<disconnect>" not in order_of(lines)


def test_a_burst_of_fifty_events_arrives_whole_and_in_order(
    hub: Hub, client: NodeClient, way: str, tmp_path: Path
) -> None:
    with connecting(hub, client, way, tmp_path / "log") as lines:
        lines.hears("groups")

        def burst(door: SocketDoor) -> None:
            for number in range(50):
                door.home.set_variable("num1", 1000 + number, TEST)

        hub.do(burst)

        def values() -> list[Any]:
            heard = lines.heard("variableValueChanged")
            return [each["variableValue"] for each in heard if each["variableName"] == "num1"]

        wait_until(lambda: len(values()) >= 50, 60, "fifty events")
        assert values() == [1000 + number for number in range(50)]


def test_it_is_told_when_the_password_is_wrong(hub: Hub, client: NodeClient, way: str, tmp_path: Path) -> None:
    wrong = {"username": "admin", "password": "wrong"}
    query: Any = "username=admin&password=wrong" if client.version.startswith("1.") else wrong
    with connecting(hub, client, way, tmp_path / "log", query=query, reconnection=False) as lines:
        assert lines.hears("<refused>") == "unauthorizied"
        assert "hello" not in order_of(lines)


def test_it_is_told_when_there_is_no_session(hub: Hub, client: NodeClient, way: str, tmp_path: Path) -> None:
    with connecting(hub, client, way, tmp_path / "log", query="" if client.version < "2" else {}) as lines:
        assert lines.hears("<refused>") == "Authentication error"


def test_it_comes_back_when_it_was_let_go(hub: Hub, client: NodeClient, way: str, tmp_path: Path) -> None:
    with connecting(hub, client, way, tmp_path / "log") as lines:
        lines.hears("groups")
        if way == "upgrade":
            wait_until(lambda: lines.ask("transport")["result"] == "websocket", 60, "it travels by websocket")
        hub.do(lambda _door: hub.engine.end_all())
        wait_until(lambda: order_of(lines).count("groups") == 2, 60, "it comes back")
        assert order_of(lines).count("<connect>") == 2


def test_a_client_that_stalls_gets_the_truth_afterwards(hub: Hub, client: NodeClient, way: str, tmp_path: Path) -> None:
    text = "x" * 20_000

    def flood(door: SocketDoor) -> None:
        for number in range(300):
            door.home.messages.say("info", f"{number} {text}", (), TEST)
            door.home.set_variable("num1", f"{number} {text}", TEST)
        door.home.set_variable("num1", 4711, TEST)

    with connecting(hub, client, way, tmp_path / "log") as lines:
        lines.hears("groups")
        stalled = threading.Thread(target=lambda: lines.ask("stall", 1500))
        stalled.start()
        for _ in range(5):
            hub.do(flood)
        stalled.join()
        last = {"variableName": "num1", "variableValue": 4711}
        wait_until(
            lambda: (
                last in lines.heard("variableValueChanged")[-1:]
                or any(v["name"] == "num1" and v["value"] == 4711 for v in lines.heard("variables")[-1])
            ),
            60,
            "it knows the last value",
        )
        lines.ask("emit", "call", {"id": 1, "action": "getVariableByName", "params": {"name": "num1"}})
        assert lines.hears("callResult")["success"]


def test_a_client_of_today_may_say_who_it_is_when_it_connects(hub: Hub, way: str, tmp_path: Path) -> None:
    auth = {"username": "rita", "password": "rita pässword:"}
    with connecting(hub, CLIENTS[2], way, tmp_path / "log", query={}, auth=auth) as lines:
        assert lines.hears("hello")["username"] == "rita"
    with connecting(hub, CLIENTS[2], way, tmp_path / "log", query={}, auth={**auth, "password": "wrong"}) as lines:
        assert lines.hears("<refused>") == "unauthorizied"


HOUSE = """\
http: {port: PORT}
users: [{username: admin, password: admin, role: admin}, {username: guest, password: guest, role: guest}]
devices:
  - {id: switch1, class: DummySwitch, name: Switch One}
"""


ADMIN = {
    "Authorization": "Basic " + base64.b64encode(b"admin:admin").decode(),
    "Content-Type": "application/json",
}


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHub]:
    """A whole hub with people."""
    hub = RunningHub(tmp_path_factory.mktemp("socketio") / "home", HOUSE)
    hub.configure(HOUSE.replace("PORT", str(hub.port)))
    hub.start()
    wait_for_hashes(hub.home, users=2)
    yield hub
    hub.kill()


def log_in(house: RunningHub, name: str) -> str:
    """The session of somebody, as a Cookie header."""
    body = json.dumps({"username": name, "password": name, "rememberMe": True}).encode()
    connection = http.client.HTTPConnection(house.host, house.port, timeout=60)
    connection.request("POST", "/login", body, {"Content-Type": "application/json"})
    answer = connection.getresponse()
    assert answer.status == 200, answer.read()
    cookies = [value.partition(";")[0] for name, value in answer.getheaders() if name.lower() == "set-cookie"]
    connection.close()
    return "; ".join(cookies)


def switch(house: RunningHub, action: str) -> int:
    return house.ask("GET", f"/api/device/switch1/{action}", headers=ADMIN).status


@pytest.mark.parametrize("client", CLIENTS[1:], ids=lambda client: client.version)
def test_a_session_outlives_a_kill_of_the_hub(house: RunningHub, client: NodeClient, way: str, tmp_path: Path) -> None:
    headers = {"Cookie": log_in(house, "admin")}
    options = {
        "transports": WAYS[way],
        "extraHeaders": headers,
        "transportOptions": {name: {"extraHeaders": headers} for name in ("polling", "websocket")},
        "reconnectionDelay": 50,
        "reconnectionDelayMax": 200,
    }
    with running(client, house.port, tmp_path / "log", options) as lines:
        assert lines.hears("hello")["username"] == "admin"
        lines.hears("groups")
        house.kill()
        house.start()
        wait_until(lambda: order_of(lines).count("groups") == 2, 60, "it comes back")
        assert switch(house, "toggle") == 200
        assert lines.hears("deviceAttributeChanged")["attributeName"] == "state"
        lines.hears("variableValueChanged", lambda told: told["variableName"] == "switch1.state")


def test_a_hub_that_stops_says_good_bye_at_once(house: RunningHub, client: NodeClient, tmp_path: Path) -> None:
    query: Any = "username=admin&password=admin" if client.version < "2" else {"username": "admin", "password": "admin"}
    logs = [tmp_path / way for way in WAYS]
    with ExitStack() as stack:
        everybody = [
            stack.enter_context(running(client, house.port, log, {"transports": WAYS[log.name], "query": query}))
            for log in logs
        ]
        for lines in everybody:
            lines.hears("groups")
        assert house.stop() == 0
        for lines in everybody:
            lines.hears("<disconnect>")
    house.start()
    assert "Traceback" not in house.log


def test_a_guest_hears_of_devices_and_not_of_rules(house: RunningHub, tmp_path: Path) -> None:
    query = {"username": "guest", "password": "guest"}
    with running(CLIENTS[2], house.port, tmp_path / "log", {"query": query}) as lines:
        lines.hears("groups")
        assert lines.heard("rules") == [[]]
        rule = {"rule": {"name": "R", "ruleString": 'when switch1 is turned on then log "x"'}}
        assert house.ask("POST", "/api/rules/secret", rule, headers=ADMIN).status == 200
        assert switch(house, "toggle") == 200
        lines.hears("deviceAttributeChanged")
        assert lines.heard("ruleAdded") == []
        lines.ask("emit", "call", {"id": 1, "action": "getRules", "params": {}})
        assert lines.hears("callResult")["success"] is False
