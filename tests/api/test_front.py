"""One port, two doors: the path says which one is meant, else the credential, else whether people log in here."""

from __future__ import annotations

import http.client
from base64 import b64encode
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

import pytest

from hallway.api.answer import Answer
from hallway.api.front import Front, Page, Receive, Send
from tests.api.pimatic.rest import Seen, ask
from tests.hashes import wait_for_hashes
from tests.hubs import DEMO_DEVICES, PASSWORD, RunningHub

ANNA = {"Authorization": "Basic " + b64encode(b"anna:staple").decode()}
GUEST = {"Authorization": "Basic " + b64encode(b"visitor:0412").decode()}
WRONG = {"Authorization": "Basic " + b64encode(b"anna:wrong").decode()}
OWNER = {"X-HA-Access": PASSWORD}


NONE: Mapping[str, str] = MappingProxyType({})
HOPS = {"x-hallway-hops": "a"}


class FakeDoor:
    """Says its name; has what it is told to have."""

    def __init__(self, name: str, *paths: str) -> None:
        self.name = name
        self.paths = paths
        self.is_open = True
        self.waits = False

    def has(self, path: str) -> bool:
        return path in self.paths

    def at_once(self, scope: dict[str, Any], body: bytes) -> Answer | None:
        return None if self.waits else Answer(200, self.name.encode() + b" " + body)

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        body = b""
        if scope["method"] == "POST":
            more = True
            while more:
                message = await receive()
                body += message["body"]
                more = message["more_body"]
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": self.name.encode() + b" " + body})


class Doors:
    """A front with two doors."""

    def __init__(self) -> None:
        self.own = FakeDoor("own", "/api/", "/api", "/api/config", "/api/states")
        self.peoples = FakeDoor("people", "/api/", "/api", "/api/config", "/api/devices", "/login")
        pages = {"/": Page("text/html", b"welcome", for_all=False), "/help": Page("text/html", b"help")}
        self.front = Front(self.own, pages, self.peoples, {b"/socket.io/": FakeDoor("socket")})

    async def asked(
        self, target: str, headers: Mapping[str, str] = NONE, body: bytes = b"", method: str = "GET"
    ) -> str:
        """The name of the door that answers."""
        return (await self.ask(target, headers, body, method)).body.split(b" ")[0].decode()

    async def ask(self, target: str, headers: Mapping[str, str], body: bytes, method: str) -> Seen:
        length = {"content-length": str(len(body))} if body else {}
        return await ask(self.front, method, target, body, {**headers, **length})


@pytest.fixture(params=[False, True], ids=["at once", "waiting"])
def doors(request: pytest.FixtureRequest) -> Doors:
    doors = Doors()
    doors.own.waits = doors.peoples.waits = request.param
    return doors


HEADERS: list[dict[str, str]] = [
    {},
    {"x-ha-access": "x"},
    {"authorization": "Basic x"},
    {"cookie": "sessionId=x"},
    {"cookie": "a=b; pimatic.sess=x"},
    {"authorization": "Bearer x"},
]


@pytest.mark.parametrize("headers", HEADERS)
async def test_what_only_the_door_of_2014_has_is_asked_there(doors: Doors, headers: dict[str, str]) -> None:
    assert await doors.asked("/api/states", headers) == "own"


@pytest.mark.parametrize(
    ("headers", "door"), list(zip(HEADERS, ["people", "own", "people", "people", "people", "people"], strict=True))
)
async def test_what_only_the_door_of_people_has_is_asked_there_but_for_credentials_of_2014(
    doors: Doors, headers: dict[str, str], door: str
) -> None:
    assert await doors.asked("/api/devices", headers) == door


@pytest.mark.parametrize("path", ["/api", "/api/config", "/nope", "/"])
@pytest.mark.parametrize(
    ("headers", "door"), list(zip(HEADERS, ["people", "own", "people", "own", "people", "people"], strict=True))
)
async def test_where_doors_meet_the_credential_decides(
    doors: Doors, path: str, headers: dict[str, str], door: str
) -> None:
    assert await doors.asked(path, headers) == door


async def test_the_root_of_2014_is_where_one_may_knock_without_a_credential(doors: Doors) -> None:
    assert await doors.asked("/api/") == "own"
    assert await doors.asked("/api/", {"authorization": "Basic x"}) == "people"


async def test_a_password_of_2014_may_stand_in_the_query_or_the_body(doors: Doors) -> None:
    assert await doors.asked("/api/config?api_password=x") == "own"
    assert await doors.asked("/api/config", NONE, b'{"api_password": "x"}', "POST") == "own"
    assert await doors.asked("/api/config", NONE, b'{"config": {}}', "POST") == "people"
    assert await doors.asked("/api/config", HOPS, b"{}", "POST") == "own"


async def test_the_door_gets_the_body_that_was_looked_into_as_a_whole(doors: Doors) -> None:
    body = b'{"config": "' + b"x" * 120_000 + b'"}'
    seen = await doors.ask("/api/config", NONE, body, "POST")
    assert seen.body == b"people " + body


@pytest.mark.parametrize("path", ["/api", "/api/config", "/nope", "/api/"])
async def test_where_nobody_logs_in_everything_is_as_in_2014(doors: Doors, path: str) -> None:
    doors.peoples.is_open = False
    assert await doors.asked(path) == "own"
    assert await doors.asked(path, {"authorization": "Basic x"}) == "own"
    assert await doors.asked("/api/devices") == "people"


async def test_a_page_is_for_all_or_for_whom_the_door_of_people_lets_in(doors: Doors) -> None:
    assert await doors.asked("/help") == "help"
    assert await doors.asked("/") == "people"
    doors.peoples.is_open = False
    assert await doors.asked("/") == "welcome"


async def test_an_app_has_a_path_of_its_own(doors: Doors) -> None:
    assert await doors.asked("/socket.io/", {"authorization": "Basic x"}) == "socket"


async def test_many_paths_are_remembered_within_bounds(doors: Doors) -> None:
    for number in range(5000):
        await doors.asked(f"/api/x{number}")
    await doors.asked("/api/" + "x" * 1000)
    assert len(doors.front._doors._only) <= 4096
    assert await doors.asked("/api/states") == "own"


# ---------------------------------------------------------------------- a real hub with people

PEOPLE = """\
users:
  - {username: anna, password: staple, role: admin}
  - {username: visitor, password: 0412, role: guest}
"""


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHub]:
    hub = RunningHub(tmp_path_factory.mktemp("front") / "home", DEMO_DEVICES + PEOPLE)
    hub.start()
    yield hub
    hub.kill()


def test_each_credential_finds_its_door(hub: RunningHub) -> None:
    assert hub.ask("GET", "/api/config", headers=OWNER).json()["location_name"] == "Home"
    assert hub.ask("GET", "/api/config", headers=ANNA).json()["success"] is True
    assert hub.ask("GET", "/api/", headers=OWNER).json() == {"message": "API running."}
    assert hub.ask("GET", "/api/", headers={}).headers["content-type"] == "application/json"
    unknown = hub.ask("GET", "/api/config", headers={})
    assert (unknown.status, unknown.headers["www-authenticate"][:5]) == (401, "Basic")


def test_people_use_the_api_of_2014_as_their_role_lets_them(hub: RunningHub) -> None:
    seen = hub.ask("GET", "/api/states/light.bed_light", headers=ANNA)
    assert (seen.status, seen.json()["entity_id"]) == (200, "light.bed_light")
    assert "set-cookie" not in seen.headers
    again = hub.ask("GET", "/api/states/light.bed_light", headers=ANNA)
    assert again.json() == seen.json()
    assert hub.ask("POST", "/api/states/test.by_anna", {"state": "on"}, headers=ANNA).status == 201
    assert hub.ask("GET", "/api/states/light.bed_light", headers=GUEST).status == 200
    refused = hub.ask("POST", "/api/states/test.by_guest", {"state": "on"}, headers=GUEST)
    assert (refused.status, "guest" in refused.json()["message"]) == (403, True)
    assert hub.ask("GET", "/api/states", headers=WRONG).status == 401
    assert hub.ask("GET", "/api/states", headers={}).status == 401


def test_sessions_outlive_a_kill(tmp_path_factory: pytest.TempPathFactory) -> None:
    hub = RunningHub(tmp_path_factory.mktemp("killed") / "home", DEMO_DEVICES + PEOPLE)
    hub.start()
    try:
        cookie, ended = _log_in(hub), _log_in(hub)
        assert hub.ask("GET", "/logout", headers={"Cookie": ended}).status == 401
        wait_for_hashes(hub.home, users=2)
        hub.kill()
        hub.start()
        assert hub.ask("GET", "/api/devices", headers={"Cookie": cookie}).status == 200
        assert hub.ask("GET", "/api/states", headers={"Cookie": cookie}).status == 200
        assert hub.ask("GET", "/api/devices", headers={"Cookie": ended}).status == 401
    finally:
        hub.kill()


def test_without_a_password_of_its_own_the_api_of_2014_is_for_people(tmp_path_factory: pytest.TempPathFactory) -> None:
    hub = RunningHub(tmp_path_factory.mktemp("people") / "home", f"http: {{}}\n{PEOPLE}")
    hub.start()
    try:
        assert hub.ask("GET", "/api/states", headers={}).status == 401
        assert hub.ask("GET", "/api/states", headers={"X-HA-Access": "anything"}).status == 401
        assert hub.ask("GET", "/api/states", headers=ANNA).status == 200
    finally:
        hub.kill()


def _log_in(hub: RunningHub) -> str:
    """The Cookie header of a browser in which anna logged in."""
    connection = http.client.HTTPConnection(hub.host, hub.port, timeout=45)
    try:
        body = b"username=anna&password=staple"
        connection.request("POST", "/login", body, {"Content-Type": "application/x-www-form-urlencoded"})
        answer = connection.getresponse()
        answer.read()
        assert answer.status == 200
        return "; ".join(value.partition(";")[0] for value in answer.headers.get_all("set-cookie") or ())
    finally:
        connection.close()
