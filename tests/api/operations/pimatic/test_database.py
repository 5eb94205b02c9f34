"""Operations on what is kept: messages, what attributes were, and for how long it is kept."""

from __future__ import annotations

from typing import Any

import pytest

from hallway.access.callers import Caller
from hallway.errors import InvalidInput
from tests.api.operations.pimatic.desk import ADMIN, Desk
from tests.home.homes import NOW, TEST, a_device

MS = int(NOW * 1000)
NO_TIMES: tuple[Any, ...] = ("²", "--5", "-", ".", "1e5", "", True, [5], {})


def desk_with_messages() -> Desk:
    """An error, a warning, two notes and a debug line, a second apart."""
    desk = Desk()
    for level, text, tags in (
        ("error", "broken", ("pimatic", "db")),
        ("warn", "careful", ("pimatic",)),
        ("info", "one", ("rule",)),
        ("info", "two", ("rule", "pimatic")),
        ("debug", "deep", ("pimatic",)),
    ):
        desk.home.messages.say(level, text, tags, TEST)  # type: ignore[arg-type]
        desk.house.clock.advance(1)
    return desk


@pytest.mark.parametrize(
    ("criteria", "texts"),
    [
        ({}, ["deep", "two", "one", "careful", "broken"]),
        ("text", ["deep", "two", "one", "careful", "broken"]),
        ({"level": "info"}, ["two", "one"]),
        ({"level": ["info", "error"]}, ["two", "one", "broken"]),
        ({"level": "warn", "levelOp": "<="}, ["careful", "broken"]),
        ({"level": "warn", "levelOp": ">"}, ["deep", "two", "one"]),
        ({"tags": "rule"}, ["two", "one"]),
        ({"tags": ["rule", "pimatic"]}, ["two"]),
        ({"limit": 2}, ["deep", "two"]),
        ({"limit": "1", "offset": "1"}, ["two"]),
        ({"limit": 0}, []),
        ({"after": MS + 3000}, ["deep", "two"]),
        ({"before": str(MS)}, ["broken"]),
        ({"after": "2027-01-15T08:00:04Z"}, ["deep"]),
        ({"after": "nonsense"}, []),
        ({"after": f" {MS + 3000}. "}, ["deep", "two"]),
        ({"after": -5, "before": "-.5"}, []),
        *(({"after": none}, []) for none in NO_TIMES),
        ({"after": 10**400}, []),
        ({"after": -(10**400), "before": 10**400}, ["deep", "two", "one", "careful", "broken"]),
        ({"after": "-" + "9" * 400, "before": "9" * 400}, ["deep", "two", "one", "careful", "broken"]),
    ],
)
async def test_messages_are_listed_newest_first(criteria: Any, texts: list[str]) -> None:
    desk = desk_with_messages()
    found = await desk.ask("queryMessages", criteria=criteria)
    assert [message["text"] for message in found] == texts


async def test_a_message_as_it_reads() -> None:
    found = await desk_with_messages().ask("queryMessages", criteria={"level": "error"})
    assert found == [{"time": MS, "level": "error", "tags": ["pimatic", "db"], "text": "broken"}]


async def test_messages_are_counted_tagged_and_deleted() -> None:
    desk = desk_with_messages()
    assert await desk.ask("queryMessagesCount") == 5
    assert await desk.ask("queryMessagesCount", criteria={"level": "info"}) == 2
    assert await desk.ask("queryMessagesTags") == ["pimatic", "rule", "db"]
    assert await desk.ask("queryMessagesTags", criteria={"level": "info"}) == ["rule", "pimatic"]
    assert await desk.ask("deleteMessages", criteria={"level": "info"}) == 2
    assert await desk.ask("deleteMessages") == 3
    assert await desk.ask("queryMessages") == []


@pytest.mark.parametrize(
    "given",
    [
        {"before": "2020-01-01"},
        {"criteria": {"befor": "2020-01-01"}},
        {"criteria": {"before": "yesterday"}},
        {"criteria": "before"},
        {"criteria": {"level": "error"}, "after": 5},
    ],
)
async def test_what_a_deletion_does_not_know_keeps_everything(given: Any) -> None:
    desk = desk_with_messages()
    with pytest.raises(InvalidInput):
        await desk.ask("deleteMessages", **given)
    assert await desk.ask("queryMessagesCount") == 5


@pytest.mark.parametrize("name", ["queryMessages", "queryMessagesCount", "queryDeviceAttributeEvents"])
async def test_a_criterion_that_nobody_knows_is_refused(name: str) -> None:
    with pytest.raises(InvalidInput, match="there is no criterion 'afte': give "):
        await desk_with_messages().ask(name, criteria={"afte": 5})


async def busy_desk() -> Desk:
    """A temperature that is recorded each time, and a lamp."""
    desk = Desk(a_device("DummySwitch", "lamp"), a_device("DummyTemperatureSensor", "outside"))
    every_time = {"expire": "1y", "interval": "0"}
    await desk.ask("addDeviceAttributeLogging", deviceId="outside", attributeName="temperature", time=every_time)
    await desk.recorder.begin()
    for degrees in (20, 22, 26):
        desk.house.clock.advance(10)
        desk.house.act("outside", "changeTemperatureTo", temperature=degrees)
    desk.house.act("lamp", "turnOn")
    return desk


async def test_what_flows_is_recorded_every_five_minutes_unless_it_is_said_otherwise() -> None:
    desk = Desk(a_device("DummyTemperatureSensor", "outside"))
    await desk.recorder.begin()
    for degrees in range(12):
        desk.house.clock.advance(60)
        desk.house.act("outside", "changeTemperatureTo", temperature=degrees)
    found = await desk.ask("querySingleDeviceAttributeEvents", deviceId="outside", attributeName="temperature")
    assert [(event["time"] - MS, event["value"]) for event in found] == [(0, None), (300_000, 4), (600_000, 9)]
    await desk.ask("addDeviceAttributeLogging", deviceId="outside", attributeName="temperature", time={"expire": "0"})
    desk.house.clock.advance(600)
    desk.house.act("outside", "changeTemperatureTo", temperature=99)
    assert await desk.ask("queryDeviceAttributeEventsCount") == 4  # and one of the humidity


async def test_what_an_attribute_was() -> None:
    desk = await busy_desk()
    assert await desk.ask("querySingleDeviceAttributeEvents", deviceId="outside", attributeName="temperature") == [
        {"time": MS, "value": None},
        {"time": MS + 10_000, "value": 20},
        {"time": MS + 20_000, "value": 22},
        {"time": MS + 30_000, "value": 26},
    ]
    assert await desk.ask("querySingleDeviceAttributeEvents", deviceId="lamp", attributeName="state") == [
        {"time": MS, "value": False},
        {"time": MS + 30_000, "value": True},
    ]


@pytest.mark.parametrize(
    ("criteria", "values"),
    [
        ({"after": MS + 15_000}, [22, 26]),
        ({"before": MS + 15_000}, [None, 20]),
        ({"after": "nonsense"}, []),
        ({"limit": "1", "orderDirection": "DESC"}, [26]),
        ({"order": "value", "orderDirection": "desc", "offset": 1, "limit": 2}, [22, 20]),
        ({"groupByTime": 25_000}, [None, 21, 26]),
    ],
)
async def test_some_of_what_an_attribute_was(criteria: Any, values: list[Any]) -> None:
    desk = await busy_desk()
    found = await desk.ask(
        "querySingleDeviceAttributeEvents", deviceId="outside", attributeName="temperature", criteria=criteria
    )
    assert [event["value"] for event in found] == values


@pytest.mark.parametrize(
    ("criteria", "found"),
    [
        ({"deviceId": "lamp"}, [("lamp", True), ("lamp", False)]),
        ({"deviceId": ["lamp", "nope"], "order": "time"}, [("lamp", False), ("lamp", True)]),
        ({"attributeName": "temperature", "limit": 1}, [("outside", 26)]),
        ({"deviceId": "nope"}, []),
    ],
)
async def test_what_several_attributes_were(criteria: Any, found: list[Any]) -> None:
    desk = await busy_desk()
    events = await desk.ask("queryDeviceAttributeEvents", criteria=criteria)
    assert [(event["deviceId"], event["value"]) for event in events] == found


async def test_events_are_counted_by_attribute() -> None:
    desk = await busy_desk()
    devices = await desk.ask("queryDeviceAttributeEventsDevices")
    assert [(known["id"], known["deviceId"], known["attributeName"], known["type"]) for known in devices] == [
        (1, "lamp", "state", "boolean"),
        (2, "outside", "temperature", "number"),
        (3, "outside", "humidity", "number"),
    ]
    assert await desk.ask("queryDeviceAttributeEventsCounts") == [
        {"deviceAttributeId": 1, "count": 2},
        {"deviceAttributeId": 2, "count": 4},
        {"deviceAttributeId": 3, "count": 1},
    ]
    assert await desk.ask("queryDeviceAttributeEventsCount") == 7


async def test_for_how_long_each_attribute_is_kept() -> None:
    desk = await busy_desk()
    info = {known["attributeName"]: known for known in await desk.ask("queryDeviceAttributeEventsInfo")}
    assert (info["state"]["interval"], info["state"]["expire"], info["state"]["discrete"]) == ("0", "7d", True)
    assert (info["temperature"]["interval"], info["temperature"]["expire"]) == ("0", "1y")
    assert (info["humidity"]["interval"], info["humidity"]["expire"]) == ("5min", "1y")


async def test_how_long_is_said_for_all_and_for_one() -> None:
    desk = await busy_desk()
    wanted = [{"deviceId": "*", "attributeName": "*", "type": "*", "interval": "0", "expire": "3d"}]
    assert len(await desk.ask("getDeviceAttributeLogging")) == 5
    await desk.kept_after("setDeviceAttributeLogging", attributeLogging=wanted)
    assert await desk.ask("getDeviceAttributeLogging") == wanted
    for time in ("1d", {"expire": "1d", "interval": "1min"}):
        await desk.kept_after("addDeviceAttributeLogging", deviceId="lamp", attributeName="state", time=time)
    assert len(await desk.ask("getDeviceAttributeLogging")) == 2
    assert await desk.ask("getDeviceAttributeLoggingTime", deviceId="lamp", attributeName="state") == {
        "expire": "1d",
        "expireMs": 86_400_000,
        "interval": "1min",
        "intervalMs": 60_000,
    }


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("queryDeviceAttributeEvents", {}),
        ("queryDeviceAttributeEventsCount", {}),
        ("queryDeviceAttributeEventsCounts", {}),
        ("queryDeviceAttributeEventsDevices", {}),
        ("queryDeviceAttributeEventsInfo", {}),
        ("querySingleDeviceAttributeEvents", {"deviceId": "lamp", "attributeName": "state"}),
    ],
)
async def test_what_devices_were_is_for_who_may_see_what_they_are(name: str, given: Any) -> None:
    desk = await busy_desk()
    lacking = Caller("reader", frozenset({"events:read"}), ADMIN.context)
    with desk.refuses("devices:read", status=403):
        await desk.ask(name, caller=lacking, **given)
    allowed = Caller("reader", frozenset({"events:read", "devices:read"}), ADMIN.context)
    assert await desk.ask(name, caller=allowed, **given)


async def test_reading_is_not_enough_to_say_how_long() -> None:
    desk = await busy_desk()
    reader = Caller("reader", frozenset({"events:read"}), ADMIN.context)
    with desk.refuses("events:write", status=403):
        await desk.ask("addDeviceAttributeLogging", caller=reader, deviceId="lamp", attributeName="state", time="1d")


async def test_what_is_left_of_a_device_that_is_gone_is_found_and_forgotten() -> None:
    desk = await busy_desk()
    assert await desk.ask("checkDatabase") == []
    desk.home.remove_device("lamp", TEST)
    problems = await desk.ask("checkDatabase")
    assert [(problem["id"], problem["deviceId"], problem["action"]) for problem in problems] == [(1, "lamp", "delete")]
    with desk.refuses("lamp"):
        await desk.ask("updateDeviceAttribute", id=1)
    assert await desk.ask("deleteDeviceAttribute", id="1") == [1, 2]
    assert await desk.ask("deleteDeviceAttribute", id=1) == [0, 0]
    assert await desk.ask("checkDatabase") == []
    assert await desk.ask("updateDeviceAttribute", id=2) is None
    assert await desk.ask("updateDeviceAttribute", id=99) is None
    assert await desk.ask("runVacuum") == []


async def test_what_was_forgotten_of_a_device_that_is_there_does_not_come_back() -> None:
    desk = await busy_desk()
    assert await desk.ask("deleteDeviceAttribute", id=2) == [1, 4]
    desk.house.clock.advance(1)
    desk.house.act("outside", "changeTemperatureTo", temperature=30)
    found = await desk.ask("querySingleDeviceAttributeEvents", deviceId="outside", attributeName="temperature")
    assert [event["value"] for event in found] == [30]


@pytest.mark.parametrize(
    ("operation", "given"),
    [
        ("queryMessages", {"criteria": {"level": "bogus"}}),
        ("queryMessages", {"criteria": {"level": 5}}),
        ("queryMessages", {"criteria": {"level": "info", "levelOp": "foo"}}),
        ("queryMessages", {"criteria": {"limit": "abc"}}),
        ("queryMessages", {"criteria": {"limit": -1}}),
        ("queryDeviceAttributeEvents", {"criteria": {"order": "bogus"}}),
        ("queryDeviceAttributeEvents", {"criteria": {"orderDirection": "up"}}),
        ("querySingleDeviceAttributeEvents", {"deviceId": "nope", "attributeName": "x"}),
        ("querySingleDeviceAttributeEvents", {"deviceId": "lamp", "attributeName": "x"}),
        (
            "querySingleDeviceAttributeEvents",
            {"deviceId": "lamp", "attributeName": "state", "criteria": {"groupByTime": 0}},
        ),
        ("deleteDeviceAttribute", {}),
        ("deleteDeviceAttribute", {"id": "abc"}),
        ("setDeviceAttributeLogging", {"attributeLogging": "x"}),
        ("setDeviceAttributeLogging", {"attributeLogging": [{"deviceId": "*"}]}),
        ("addDeviceAttributeLogging", {"deviceId": "lamp", "attributeName": "state", "time": "soon"}),
        ("getDeviceAttributeLoggingTime", {"deviceId": "nope", "attributeName": "state"}),
    ],
)
async def test_what_cannot_be_is_a_bad_request(operation: str, given: dict[str, Any]) -> None:
    desk = await busy_desk()
    with desk.refuses():
        await desk.ask(operation, **given)
