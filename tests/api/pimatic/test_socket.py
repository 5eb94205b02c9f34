"""The namespace of pimatic: who comes in and how they are refused, what they are told first, calls, and live events."""

from __future__ import annotations

import asyncio
import gc
import json
import weakref
from base64 import b64encode
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from itertools import chain
from typing import Any

import msgspec
import pytest

from hallway.access.people import Person
from hallway.api.engineio.waiting import MOST
from hallway.api.pimatic.socket import MOST_CALLS
from hallway.home.changes import Defined
from tests.api.pimatic.doors import SocketDoor, settle
from tests.home.homes import NOW, TEST, a_device

FIRST = ["40", "hello", "devices", "rules", "variables", "pages", "groups"]
MS = round(NOW * 1000)


@pytest.fixture
async def door() -> AsyncIterator[SocketDoor]:
    door = SocketDoor()
    yield door
    door.engine.end_all()
    await settle()
    assert asyncio.all_tasks() == {asyncio.current_task()}
    assert len(door.socket.audience) == 0


def names(events: list[Any]) -> list[str]:
    return [event if isinstance(event, str) else event[0] for event in events]


def payload(events: list[Any], name: str) -> Any:
    return next(event[1] for event in events if not isinstance(event, str) and event[0] == name)


def basic(name: str, password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + b64encode(f"{name}:{password}".encode()).decode()}


def switched(on: bool) -> list[Any]:
    told = {"deviceId": "switch1", "attributeName": "state", "time": MS, "value": on}
    return [
        ["deviceAttributeChanged", told],
        ["variableValueChanged", {"variableName": "switch1.state", "variableValue": on}],
    ]


# ---------------------------------------------------------------------- coming in


async def test_who_comes_in_is_told_who_they_are_and_all_that_they_may_see(door: SocketDoor) -> None:
    events = await door.client({"username": "admin", "password": "admin pässword:"}).heard()
    assert names(events) == FIRST
    hello = payload(events, "hello")
    assert (hello["username"], hello["role"]) == ("admin", "admin")
    assert hello["permissions"]["pages"] == "write"
    assert list(hello["permissions"])[-2:] == ["controlDevices", "restart"]
    assert [device["id"] for device in payload(events, "devices")] == ["switch1"]
    assert [rule["id"] for rule in payload(events, "rules")] == ["rule1"]
    assert [variable["name"] for variable in payload(events, "variables")] == ["switch1.state", "num1"]
    assert [page["id"] for page in payload(events, "pages")] == ["all", "few"]
    assert [group["id"] for group in payload(events, "groups")] == ["lights"]


async def test_pages_are_shown_to_the_roles_that_they_are_for(door: SocketDoor) -> None:
    events = await door.client({"username": "rita", "password": "rita pässword:"}).heard()
    assert [page["id"] for page in payload(events, "pages")] == ["all"]
    assert payload(events, "hello")["permissions"]["devices"] == "read"


async def test_who_may_see_nothing_is_told_that_there_is_nothing(door: SocketDoor) -> None:
    events = await door.client({"username": "nobody", "password": "nobody pässword:"}).heard()
    assert names(events) == FIRST
    assert [event[1] for event in events[2:]] == [[]] * 5
    assert set(payload(events, "hello")["permissions"].values()) == {"none", False}


@pytest.mark.parametrize(
    ("query", "headers", "who"),
    [
        ({"username": "rita", "password": "rita pässword:"}, basic("admin", "admin pässword:"), "rita"),
        ({"username": "rita"}, basic("admin", "admin pässword:"), "admin"),
        ({}, basic("rita", "rita pässword:"), "rita"),
        ({}, {"Cookie": "other=1; SESSION"}, "rita"),
        ({}, {"Cookie": "SESSION", **basic("admin", "wrong")}, "rita"),
    ],
)
async def test_the_query_comes_first_then_session_and_password(
    door: SocketDoor, query: dict[str, str], headers: dict[str, str], who: str
) -> None:
    caller = door.people.caller("rita")
    assert caller is not None
    session = "; ".join(value.decode().split(";")[0] for value in door.cookies.open(caller))
    sent = {name: value.replace("SESSION", session) for name, value in headers.items()}
    assert payload(await door.client(query, sent).heard(), "hello")["username"] == who


@pytest.mark.parametrize(
    ("query", "headers", "refusal"),
    [
        ({"username": "admin", "password": "wrong"}, basic("admin", "admin pässword:"), "unauthorizied"),
        ({"username": "zzz", "password": "x"}, {}, "unauthorizied"),
        ({}, {}, "Authentication error"),
        ({}, basic("admin", "wrong"), "Authentication error"),
        ({}, {"Cookie": "pimatic.sess=x; pimatic.sess.sig=y"}, "Authentication error"),
        ({"username": "admin", "password": ""}, {}, "Authentication error"),
    ],
)
async def test_strangers_are_told_so_and_then_nothing(
    door: SocketDoor, query: dict[str, str], headers: dict[str, str], refusal: str
) -> None:
    client = door.client(query, headers)
    await waited_for(lambda: bool(client.line.written))
    assert client.packets() == [f'44"{refusal}"']
    door.house.act("switch1", "turnOn")
    assert await client.call("getDeviceById", deviceId="switch1") == []
    assert not client.line.gone


async def waited_for(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110 - what it waits for tells nobody
            await asyncio.sleep(0.005)


async def test_without_authentication_everybody_may_do_everything() -> None:
    door = SocketDoor(people=False)
    client = door.client()
    events = await client.heard()
    assert names(events) == FIRST
    assert payload(events, "hello")["username"] == "nobody"
    client.session.end()


@pytest.mark.parametrize(
    ("origin", "is_let_in"),
    [("http://hub:8123", True), ("http://evil.example", False), ("https://panel.example", True), ("null", False)],
)
async def test_pages_of_other_sites_do_not_borrow_a_session(origin: str, is_let_in: bool) -> None:
    door = SocketDoor(origins=("https://panel.example",))
    client = door.client({}, {**basic("admin", "admin pässword:"), "Origin": origin, "Host": "hub:8123"})
    assert ("40" in await client.heard()) == is_let_in
    client.session.end()


async def test_a_page_of_another_site_that_knows_the_password_comes_in(door: SocketDoor) -> None:
    query = {"username": "admin", "password": "admin pässword:"}
    assert "40" in await door.client(query, {"Origin": "http://elsewhere", "Host": "hub"}).heard()


# ---------------------------------------------------------------------- clients of today


async def test_a_client_of_today_says_first_that_it_comes_and_who_it_is(door: SocketDoor) -> None:
    client = door.client(revision=4)
    assert await client.heard() == []
    client.say('40{"username": "admin", "password": "admin pässword:"}')
    first, *rest = await client.heard()
    assert json.loads(first[2:]) == {"sid": client.session.sid}
    assert names(rest) == FIRST[1:]


async def test_a_client_of_today_may_use_query_or_session_too(door: SocketDoor) -> None:
    client = door.client({"username": "rita", "password": "rita pässword:"}, revision=4)
    client.say("40")
    assert payload(await client.heard(), "hello")["username"] == "rita"


async def test_a_client_of_today_is_refused_with_an_object_and_may_try_again(door: SocketDoor) -> None:
    client = door.client(revision=4)
    client.say('40{"username": "admin", "password": "wrong"}')
    await waited_for(lambda: bool(client.line.written))
    assert client.packets() == ['44{"message":"unauthorizied"}']
    client.say("40")
    assert await client.heard() == ['44{"message":"Authentication error"}']
    client.say('40{"username": "admin", "password": "admin pässword:"}')
    assert names(await client.heard())[1:] == FIRST[1:]


async def test_a_client_of_today_may_leave_and_come_back(door: SocketDoor) -> None:
    client = door.client(revision=4)
    client.say('40{"username": "admin", "password": "admin pässword:"}')
    await settle()
    client.say("41")
    client.packets()
    door.house.act("switch1", "turnOn")
    assert await client.heard() == []
    client.say('40{"username": "rita", "password": "rita pässword:"}')
    events = await client.heard()
    assert payload(events, "hello")["username"] == "rita"
    door.house.act("switch1", "turnOff")
    assert await client.heard() == switched(False)


@pytest.mark.parametrize(("revision", "refusal"), [(3, '"Invalid namespace"'), (4, '{"message":"Invalid namespace"}')])
async def test_there_is_one_namespace(door: SocketDoor, revision: int, refusal: str) -> None:
    client = door.client({"username": "admin", "password": "admin pässword:"}, revision=revision)
    await settle()
    client.packets()
    client.say("40/foo?a=b,", '42/foo,["call",{"action":"waitForEver"}]')
    assert await client.heard() == [f"44/foo,{refusal}"]


@pytest.mark.parametrize("packet", ["47", "4", '451-["x",{"_placeholder":true,"num":0}]', "42[", "42[1]]", "40{"])
async def test_what_is_not_understood_ends_that_client_alone(door: SocketDoor, packet: str) -> None:
    other, client = await door.inside(), await door.inside()
    client.say(packet)
    assert client.line.gone
    door.house.act("switch1", "turnOn")
    assert await other.heard() == switched(True)


@pytest.mark.parametrize(
    "packet", ["42[]", "42{}", "42", '42["call"]', '42["call",5]', '42["other",{}]', "43[1]", "40"]
)
async def test_what_is_of_no_interest_is_passed_over(door: SocketDoor, packet: str) -> None:
    client = await door.inside()
    client.say(packet)
    assert await client.heard() == []
    assert not client.line.gone


# ---------------------------------------------------------------------- calls


async def test_what_a_call_leads_to_is_told_before_its_result(door: SocketDoor) -> None:
    client = await door.inside()
    events = await client.call("callDeviceAction", deviceId="switch1", actionName="turnOn")
    assert events == [*switched(True), ["callResult", {"id": "1", "success": True, "result": {}}]]
    events = await client.call("setLater", value="12")
    value = ["variableValueChanged", {"variableName": "num1", "variableValue": 12}]
    assert events == [value, ["callResult", {"id": "1", "success": True, "result": {"result": True}}]]


@pytest.mark.parametrize(
    ("action", "params", "result"),
    [
        ("getVariableByName", {"name": "num1"}, {"variable": {"name": "num1", "value": 10}}),
        ("getVariableByName", {"name": "nope"}, {"variable": None}),
        ("getDeviceById", {"deviceId": "switch1"}, {"device": {"id": "switch1"}}),
        ("getDeviceById", {"deviceId": "nope"}, {}),
        ("callDeviceAction", {"deviceId": "switch1", "actionName": "getState"}, {"result": False}),
    ],
)
async def test_results_stand_under_their_name(
    door: SocketDoor, action: str, params: dict[str, Any], result: object
) -> None:
    client = await door.inside()
    assert await client.call(action, **params) == [["callResult", {"id": "1", "success": True, "result": result}]]


async def test_the_id_comes_back_as_it_is(door: SocketDoor) -> None:
    client = await door.inside()
    for call_id in ("a", 2, None, {"x": ["ü"]}):
        ((_, result),) = await client.call("getDeviceById", id=call_id, deviceId="nope")
        assert result["id"] == call_id
    client.say('421["call",{"action":"getDeviceById","params":{"deviceId":"nope"}}]')
    assert await client.heard() == [["callResult", {"success": True, "result": {}}]]


@pytest.mark.parametrize(
    ("action", "params"),
    [
        ("nopeAction", {}),
        ("getDeviceById", {}),
        ("setLater", {"value": "abc"}),
        ("callDeviceAction", {"deviceId": "nope", "actionName": "turnOn"}),
        ("callDeviceAction", {"deviceId": "switch1", "actionName": "changeStateTo"}),
        ("refuseLater", {}),
    ],
)
async def test_what_cannot_be_is_answered_with_a_reason(door: SocketDoor, action: str, params: dict[str, Any]) -> None:
    client = await door.inside()
    ((name, result),) = await client.call(action, **params)
    assert (name, result["id"], result["success"], set(result)) == (
        "callResult",
        "1",
        False,
        {"id", "success", "error"},
    )
    assert result["error"]


async def test_a_call_without_action_is_answered(door: SocketDoor) -> None:
    client = await door.inside()
    client.say('42["call",{"id":1}]')
    ((_, result),) = await client.heard()
    assert (result["id"], result["success"]) == (1, False)


async def test_an_edit_that_takes_time_is_answered_once_it_is_kept(door: SocketDoor) -> None:
    client = await door.inside()
    ((_, result),) = await client.call("editLater")
    assert (result["success"], result["result"]) == (True, {"edited": "kept"})


async def test_a_file_is_to_be_asked_for_over_http(door: SocketDoor) -> None:
    client = await door.inside()
    ((_, result),) = await client.call("giveAFile")
    assert result["success"] is False
    assert "hands out a file: ask for it over HTTP" in result["error"]


@pytest.mark.parametrize("action", ["breakDown", "breakDownLater"])
async def test_a_failure_of_ours_is_answered_and_logged(
    door: SocketDoor, caplog: pytest.LogCaptureFixture, action: str
) -> None:
    client = await door.inside()
    ((_, result),) = await client.call(action)
    assert result["success"] is False
    assert "ZeroDivisionError" not in result["error"]
    assert "ZeroDivisionError" in caplog.text


@pytest.mark.parametrize("unspeakable", [r'"\ud800"', r'{"a":["\udfff"]}', r'{"\ud800":1}'])
async def test_a_call_that_no_answer_can_name_is_refused_and_changes_nothing(
    door: SocketDoor, unspeakable: str
) -> None:
    client = await door.inside()
    params = '"params":{"deviceId":"switch1","actionName":"turnOn"}'
    client.say(f'42["call",{{"id":{unspeakable},"action":"callDeviceAction",{params}}}]')
    ((name, told),) = await client.heard()
    assert (name, told["success"], "id" in told) == ("callResult", False, False)
    assert door.home.devices["switch1"].value("state") is not True
    assert not client.line.gone


async def test_a_result_that_cannot_be_told_is_a_call_that_failed(door: SocketDoor) -> None:
    client = await door.inside()
    client.say('42["call",{"id":7,"action":"sayWhatCannotBe"}]')
    ((name, told),) = await client.heard()
    assert (name, told["success"], told["id"]) == ("callResult", False, 7)
    assert "the answer cannot be told: " in told["error"]
    assert "surrogate" in told["error"]


@pytest.mark.parametrize("text", [r'"\ud800"', r'["\udfff"]', r'{"\ud800":1}'])
async def test_texts_that_nobody_can_write_down_are_refused(door: SocketDoor, text: str) -> None:
    client = await door.inside()
    client.say(f'42["call",{{"id":7,"action":"echo","params":{{"text":{text}}}}}]')
    ((name, told),) = await client.heard()
    assert (name, told["success"], told["id"]) == ("callResult", False, 7)
    assert told["error"].startswith("a text holds half a surrogate pair")


async def test_nobody_calls_what_they_may_not(door: SocketDoor) -> None:
    client = await door.inside("rita")
    ((_, result),) = await client.call("callDeviceAction", deviceId="switch1", actionName="turnOn")
    assert (result["success"], door.house.value("state", "switch1")) == (False, False)


async def test_there_is_an_end_to_calls_under_way(door: SocketDoor) -> None:
    client = await door.inside()
    client.say(*['42["call",{"action":"waitForEver"}]'] * (MOST_CALLS + 5))
    events = await client.heard()
    assert [result["success"] for _name, result in events] == [False] * 5
    client.session.end()
    await settle()
    assert door.socket._tasks == set()


# ---------------------------------------------------------------------- live events


async def test_everybody_hears_what_they_may_and_nobody_hears_more(door: SocketDoor) -> None:
    admin, rita, nobody = [await door.inside(name) for name in ("admin", "rita", "nobody")]
    door.house.act("switch1", "turnOn")
    door.home.pages.add({"id": "new", "name": "New", "allowedRoles": ["admin"]}, TEST)
    heard = await admin.heard()
    assert names(heard) == ["deviceAttributeChanged", "variableValueChanged", "pageAdded"]
    assert await rita.heard() == heard[:2]
    assert await nobody.heard() == []


async def test_what_happens_in_one_turn_is_one_write(door: SocketDoor) -> None:
    clients = [await door.inside() for _ in range(3)]
    for _ in range(5):
        door.house.act("switch1", "toggle")
    await settle()
    assert [len(client.line.written) for client in clients] == [1, 1, 1]
    assert len({client.line.written[0] for client in clients}) == 1
    assert len(clients[0].events()) == 10


async def test_who_comes_in_hears_nothing_twice(door: SocketDoor) -> None:
    await door.inside()
    client = door.client({"username": "admin", "password": "admin pässword:"})
    door.house.act("switch1", "turnOn")
    events = await client.heard()
    assert names(events) == FIRST
    assert payload(events, "devices")[0]["attributes"][0]["value"] is True


async def test_the_first_packets_are_written_once_until_something_changes(door: SocketDoor) -> None:
    admin = door.people.caller("admin")
    assert admin is not None
    before = door.socket.greeting.of(admin)
    assert [a is b for a, b in zip(before[1:], door.socket.greeting.of(admin)[1:], strict=True)] == [True] * 5
    door.house.act("switch1", "turnOn")
    assert b"true" in door.socket.greeting.of(admin)[1].text
    assert door.socket.greeting.of(admin)[1] is not before[1]


async def test_who_stays_behind_is_told_everything_anew(door: SocketDoor) -> None:
    client = await door.inside()
    client.line.paused = True
    for _ in range(MOST):
        door.home.messages.say("info", "x", (), TEST)
        door.house.act("switch1", "toggle")
    await settle()
    assert client.line.written == []
    client.line.resume()
    assert names(client.events()) == FIRST[1:]
    door.house.act("switch1", "turnOff")
    door.house.act("switch1", "turnOn")
    assert (await client.heard())[-2:] == switched(True)


async def test_who_leaves_hears_and_calls_nothing(door: SocketDoor) -> None:
    client = await door.inside()
    client.say("41")
    door.house.act("switch1", "turnOn")
    assert await client.call("getDeviceById", deviceId="switch1") == []
    assert len(door.socket.audience) == 0


async def test_the_home_is_listened_to_only_while_somebody_hears(door: SocketDoor) -> None:
    before = len(set(chain(*door.home.changes._listeners.values())))
    clients = [await door.inside() for _ in range(3)]
    assert len(set(chain(*door.home.changes._listeners.values()))) == before + 1
    for client in clients:
        client.line.lose()
    assert len(set(chain(*door.home.changes._listeners.values()))) == before


async def test_what_is_no_change_of_the_home_is_told_too(door: SocketDoor) -> None:
    client = await door.inside()
    door.socket.announce("updateProcessStatus", {"status": "done", "modules": []}, "updates:read")
    assert await client.heard() == [["updateProcessStatus", {"status": "done", "modules": []}]]


# ---------------------------------------------------------------------- people change


@contextmanager
def people_change(door: SocketDoor, kind: Any, key: str) -> Iterator[None]:
    """What is done to people in this block is told to the home, as the app does."""
    yield
    changes = door.home.changes
    changes.emit(Defined(changes.next(), NOW, TEST, kind, key, {}, {}))


async def test_whoever_changes_comes_in_again_and_nobody_else(door: SocketDoor) -> None:
    admin, rita = await door.inside(), await door.inside("rita")
    with people_change(door, "role", "reader"):
        door.people.put_role("reader", {"devices": "read"})
    assert (admin.line.gone, rita.line.gone) == (False, True)
    again = await door.inside("rita")
    with people_change(door, "user", "rita"):
        door.people.put_user(Person("rita", "reader", stamp="second"))
    assert again.line.gone
    with people_change(door, "user", "admin"):
        door.people.remove_user("admin")
    assert admin.line.gone


async def test_a_hash_that_is_made_later_changes_nobody(door: SocketDoor) -> None:
    rita, before = await door.inside("rita"), door.people.user("rita")
    assert before is not None
    with people_change(door, "user", "other"):
        door.people.put_user(msgspec.structs.replace(before, hash="$argon2id$…"))
        door.people.put_user(Person("other", "reader"))
    assert not rita.line.gone


async def test_who_came_while_nobody_had_to_log_in_is_let_go_when_they_have_to(door: SocketDoor) -> None:
    admin = await door.inside()
    with people_change(door, "setting", "authentication"):
        door.people.enabled = False
    assert admin.line.gone  # everybody is somebody else now
    client = door.client()
    await client.heard()
    with people_change(door, "setting", "pimatic"):
        pass
    with people_change(door, "setting", "authentication"):
        pass
    assert bool(client.line.gone) is False
    with people_change(door, "setting", "authentication"):
        door.people.enabled = True
    assert client.line.gone
    assert await client.call("callDeviceAction", deviceId="switch1", actionName="turnOn") == []
    assert door.home.devices["switch1"].value("state") is not True


# ---------------------------------------------------------------------- what is left


async def test_nothing_is_left_of_who_went_away(door: SocketDoor) -> None:
    door.home.add_device(a_device("DummySwitch", "switch2"), "store", TEST)
    clients = [await door.inside(name) for name in ("admin", "rita", "nobody")]
    clients[0].say(*['42["call",{"action":"waitForEver"}]'] * 5)
    leaving = [weakref.ref(client.session.client) for client in clients]
    waiting = door.client({"username": "zzz", "password": "still being checked"})
    await asyncio.sleep(0)
    clients[0].line.lose()
    clients[1].say("1")
    clients[2].session.end()
    waiting.line.lose()
    await settle()
    assert (len(door.engine), len(door.socket.audience), door.socket._members, door.socket._tasks) == (
        0,
        0,
        set(),
        set(),
    )
    del clients, waiting
    gc.collect()
    assert [reference() for reference in leaving] == [None] * 3
