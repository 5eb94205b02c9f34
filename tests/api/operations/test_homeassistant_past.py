"""What the Home Assistant API tells of the past: whole days of states, the last five of one, and the logbook."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from hallway.access.callers import Caller
from hallway.api.homeassistant.answers import Writer
from hallway.api.operations import homeassistant_past as asked
from hallway.api.operations.base import Ask, Hub
from hallway.errors import InvalidInput, Unavailable
from hallway.home.bus import HUB_START, HUB_STOP
from hallway.home.dates import date_text
from hallway.home.logbook import ENTRY, write_logbook
from hallway.home.past import Sample, Series
from hallway.home.values import Attributes
from tests.api.operations.pimatic.desk import ADMIN, INFO, Desk
from tests.home.homes import NOW, TEST
from tests.home.listed_past import ListedPast

LAMP, SUN = Series("entity", "light.bed_light"), Series("entity", "sun.sun")
HEAT = Series("entity", "sensor.heat")
MIDNIGHT = datetime.fromtimestamp(NOW, UTC).replace(hour=0, minute=0, second=0).timestamp()


def shown(at: float, value: str | None, *, changed: float | None = None, **attributes: Any) -> Sample:
    more: Attributes = {"attributes": attributes}
    if changed is not None:
        more["last_changed"] = changed
    return Sample(at, value, more)


class Asking:
    """A hub with a past, and what the door would answer."""

    def __init__(self, zone: str = "UTC") -> None:
        self.desk = Desk()
        self.past = ListedPast(2)
        info = msgspec.structs.replace(INFO, time_zone=zone)
        self.hub: Hub = msgspec.structs.replace(self.desk.hub, past=self.past, info=info)
        self.caller: Caller = ADMIN

    async def _told(self, result: object) -> Any:
        flow = Writer().flow(result)
        assert flow is not None
        return json.loads(b"".join([piece async for piece in flow.pieces]))

    async def history(self, day: str | None = None, **data: Any) -> Any:
        ask = Ask(() if day is None else (day,), data, self.caller)
        return await self._told(await asked.states_of_a_day(self.hub, ask))

    async def texts(self, day: str | None = None, **data: Any) -> list[list[str]]:
        return [[state["state"] for state in states] for states in await self.history(day, **data)]

    async def logbook(self, day: str | None = None) -> list[dict[str, Any]]:
        ask = Ask(() if day is None else (day,), {}, self.caller)
        told: list[dict[str, Any]] = await self._told(await asked.logbook(self.hub, ask))
        return told


@pytest.fixture
def asking() -> Asking:
    return Asking()


# ---------------------------------------------------------------------- states


async def test_each_entity_has_a_list_that_begins_with_what_it_showed_at_the_beginning(asking: Asking) -> None:
    asking.past.add(LAMP, shown(NOW - 90_000, "on", brightness=9), shown(NOW - 10, "off"), shown(NOW - 5, "on"))
    asking.past.add(SUN, shown(NOW - 20, "above_horizon"))
    lamp, sun = await asking.history()
    first = {"entity_id": "light.bed_light", "state": "on", "attributes": {"brightness": 9}}
    assert lamp[0] == first | dict.fromkeys(("last_changed", "last_updated"), date_text(NOW - 86_400))
    assert [state["state"] for state in lamp] == ["on", "off", "on"]
    assert [state["last_changed"] for state in lamp[1:]] == [date_text(NOW - 10), date_text(NOW - 5)]
    assert [state["state"] for state in sun] == ["above_horizon"]


async def test_an_entity_that_did_not_change_is_told_and_one_that_is_gone_is_not(asking: Asking) -> None:
    asking.past.add(LAMP, shown(NOW - 90_000, "on"))
    asking.past.add(SUN, shown(NOW - 90_000, "on"), shown(NOW - 89_000, None))
    assert await asking.texts() == [["on"]]


async def test_attributes_that_change_alone_are_not_told(asking: Asking) -> None:
    asking.past.add(LAMP, shown(NOW - 9, "on"), shown(NOW - 8, "on", changed=NOW - 9, brightness=3), shown(NOW, "off"))
    asking.past.add(SUN, shown(NOW - 8, "on", changed=NOW - 90_000))
    assert await asking.texts() == [["on", "off"]]


async def test_only_some_entities_can_be_asked_for(asking: Asking) -> None:
    asking.past.add(LAMP, shown(NOW - 9, "on"))
    asking.past.add(SUN, shown(NOW - 9, "up"))
    assert await asking.texts(filter_entity_id="Sun.Sun") == [["up"]]
    assert await asking.texts(filter_entity_id="sun.sun, light.bed_light") == [["on"], ["up"]]
    assert await asking.history(filter_entity_id="no.such") == []


async def test_a_day_is_one_of_the_clock_on_the_wall_also_when_it_has_23_hours() -> None:
    asking = Asking("Europe/Amsterdam")
    begins, ends = (
        datetime(2026, 3, 28, 23, tzinfo=UTC).timestamp(),
        datetime(2026, 3, 29, 22, tzinfo=UTC).timestamp(),
    )
    asking.past.add(LAMP, *(shown(at, str(at)) for at in (begins - 1, begins + 1, ends - 1, ends)))
    assert await asking.texts("2026-3-29") == [[str(begins - 1), str(begins + 1), str(ends - 1)]]
    assert await asking.texts("2015-01-01") == []


async def test_what_is_no_date_counts_as_none_and_an_impossible_one_is_refused(asking: Asking) -> None:
    asking.past.add(LAMP, shown(NOW - 9, "on"))
    assert await asking.texts("yesterday") == await asking.texts("") == [["on"]]
    for day in ("2015-13-45", "0000-01-01", "2015-02-30"):
        with pytest.raises(InvalidInput, match="there is no day"):
            await asking.history(day)


async def test_nothing_is_told_of_what_somebody_may_not_see(asking: Asking) -> None:
    asking.past.add(LAMP, shown(NOW - 9, "on"))
    asking.past.add(Series("entity", "variable.x"), shown(NOW - 9, "1"), shown(NOW - 8, "2"))
    asking.caller = Caller("kid", frozenset({"events:read", "variables:read"}), TEST, role="kid")
    assert await asking.texts() == [["1", "2"]]
    assert [line["entity_id"] for line in await asking.logbook()] == ["variable.x"]
    assert await asked.last_states(asking.hub, Ask(("light.bed_light",), {}, asking.caller)) == []


async def test_the_last_states_are_five_and_the_newest_comes_first(asking: Asking) -> None:
    asking.past.add(LAMP, *(shown(NOW + number, str(number)) for number in range(9)), shown(NOW + 9, "x", changed=NOW))
    states = await asked.last_states(asking.hub, Ask(("Light.Bed_Light",), {}, ADMIN))
    assert [state.state for state in states] == ["8", "7", "6", "5", "4"]
    assert await asked.last_states(asking.hub, Ask(("no.such",), {}, ADMIN)) == []


async def test_a_hub_that_keeps_nothing_says_so(asking: Asking) -> None:
    hub = msgspec.structs.replace(asking.hub, past=None)
    with pytest.raises(Unavailable, match="keeps nothing"):
        await asked.states_of_a_day(hub, Ask((), {}, ADMIN))


# ---------------------------------------------------------------------- logbook


async def test_the_logbook_tells_what_changed_in_the_order_of_time(asking: Asking) -> None:
    asking.past.add(LAMP, shown(MIDNIGHT, "off"), *(shown(MIDNIGHT + at, text) for at, text in ((5, "on"), (9, "off"))))
    asking.past.add(SUN, shown(MIDNIGHT, "x"), shown(MIDNIGHT + 7, "above_horizon", friendly_name="Sun"))
    told = await asking.logbook()
    assert told[0] == {
        "when": date_text(MIDNIGHT + 5),
        "name": "bed light",
        "message": "turned on",
        "domain": "light",
        "entity_id": "light.bed_light",
    }
    assert [(line["name"], line["message"]) for line in told[1:]] == [("Sun", "rose"), ("bed light", "turned off")]
    assert await asking.logbook("2015-01-01") == []


async def test_of_a_sensor_one_line_a_quarter_is_left(asking: Asking) -> None:
    times = (1, 2, 3, 899, 901, 1000, 1801)
    asking.past.add(HEAT, shown(MIDNIGHT, "0"), *(shown(MIDNIGHT + at, str(at)) for at in times))
    assert [line["message"] for line in await asking.logbook()] == [f"changed to {at}" for at in (899, 1000, 1801)]


async def test_events_stand_between_states(asking: Asking) -> None:
    home, clock = asking.desk.home, asking.desk.house.clock
    write_logbook(home)
    asking.past.add(LAMP, shown(NOW - 9, "off"), shown(NOW + 5, "on"))
    home.fire(HUB_START, {}, TEST)
    home.fire(HUB_START, {}, TEST, remote=True)
    clock.advance(1)
    home.fire(ENTRY, {"name": "Door: bell", "message": "rang: twice", "entity_id": "binary_sensor.bell"}, TEST)
    home.fire(ENTRY, {"name": "nothing to say"}, TEST)
    clock.advance(10)
    told = await asking.logbook()
    assert [(line["domain"], line["entity_id"], line["name"], line["message"]) for line in told] == [
        ("homeassistant", None, "hallway", "started"),
        ("binary_sensor", "binary_sensor.bell", "Door:bell", "rang: twice"),
        ("light", "light.bed_light", "bed light", "turned on"),
    ]


async def test_a_hub_that_stops_and_starts_was_restarted(asking: Asking) -> None:
    home, clock = asking.desk.home, asking.desk.house.clock
    write_logbook(home)
    for event_type in (HUB_START, HUB_STOP, HUB_START, HUB_STOP):
        home.fire(event_type, {}, TEST)
        clock.advance(1)
    assert [line["message"] for line in await asking.logbook()] == ["started", "restarted", "stopped"]
