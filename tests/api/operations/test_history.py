"""What was, as it is asked of the hub: samples, points, buckets, how the store does, and what a rule would cost."""

from __future__ import annotations

from itertools import chain
from typing import Any

import msgspec
import pytest

from hallway.access.callers import Caller, Permission
from hallway.api.operations import history
from hallway.api.operations.logging_cost import cost_of
from hallway.home.past import Known, Sample, Series
from tests.api.operations.pimatic.desk import ADMIN, Desk
from tests.home.homes import NOW, a_device

MS = int(NOW * 1000)
OUTSIDE = Series("attribute", "outside", "temperature")


def reader(*permissions: Permission) -> Caller:
    return Caller("reader", frozenset(permissions), ADMIN.context)


@pytest.fixture
def desk() -> Desk:
    """Some temperatures, a variable and a lamp, ten seconds apart."""
    desk = Desk(a_device("DummyTemperatureSensor", "outside"), a_device("DummySwitch", "lamp"))
    desk.past.put(OUTSIDE, (NOW, 20.0), (NOW + 10, 22.0), (NOW + 20, 21.0))
    desk.past.put(Series("variable", "comfort"), (NOW, 5))
    desk.past.put(Series("entity", "switch.lamp"), (NOW, "on"), value_type="string")
    desk.house.clock.advance(60)
    return desk


async def test_samples_are_told_oldest_first_or_newest_first(desk: Desk) -> None:
    told = await desk.ask("getHistorySamples", series="outside.temperature")
    assert told == {"type": "number", "times": [MS, MS + 10_000, MS + 20_000], "values": [20.0, 22.0, 21.0]}
    newest = await desk.ask("getHistorySamples", series="outside.temperature", newest="true", limit=1)
    assert (newest["values"], newest["next"]) == ([21.0], f"{MS + 20_000}.1")
    some = await desk.ask("getHistorySamples", series="outside.temperature", after=MS + 5000, before=MS + 15_000)
    assert some["values"] == [22.0]
    assert (await desk.ask("getHistorySamples", series="$comfort"))["values"] == [5]
    assert (await desk.ask("getHistorySamples", series="switch.lamp"))["attributes"] == [None]


async def pages(desk: Desk, **given: Any) -> list[list[Any]]:
    """The values of answer after answer, until there is nothing more."""
    found = [await desk.ask("getHistorySamples", **given)]
    while "next" in found[-1]:
        found.append(await desk.ask("getHistorySamples", **given, cursor=found[-1]["next"]))
    return [answer["values"] for answer in found]


@pytest.mark.parametrize("newest", [False, True])
@pytest.mark.parametrize("limit", [1, 2, 3, 100])
async def test_all_samples_come_one_answer_after_the_other(desk: Desk, newest: bool, limit: int) -> None:
    """Also many of one millisecond."""
    lamp = Series("attribute", "lamp", "state")
    desk.past.put(lamp, *((NOW + at, number) for number, at in enumerate([0, 1, 1, 1, 1, 1, 2, 3])))
    found = await pages(desk, series="lamp.state", limit=limit, newest=newest)
    at_once = await desk.ask("getHistorySamples", series="lamp.state", limit=8, newest=newest)
    assert list(chain.from_iterable(found)) == at_once["values"]
    assert sorted(at_once["values"]) == list(range(8))
    assert [len(page) for page in found[:-1]] == [limit] * (len(found) - 1)
    some = await pages(desk, series="lamp.state", limit=limit, newest=newest, after=MS + 1000, before=MS + 2000)
    assert sorted(chain.from_iterable(some)) == [1, 2, 3, 4, 5, 6]


async def test_no_more_text_is_told_at_once_than_is_good_for_anybody(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history, "MOST_BYTES", 1000)
    comfort, lamp = Series("variable", "comfort"), Series("entity", "switch.lamp")
    desk.past.put(
        comfort, *((NOW + 1 + number, f"{number} " + 400 * "x") for number in range(5)), (NOW + 9, 5000 * "x")
    )
    found = await pages(desk, series="$comfort")
    assert [len(page) for page in found] == [3, 2, 1, 1]
    desk.past.add(lamp, *(Sample(NOW + 1 + n, "on", {"attributes": {"note": f"{n} " + 400 * "x"}}) for n in range(4)))
    assert [len(page) for page in await pages(desk, series="switch.lamp")] == [3, 2]


async def test_points_and_buckets_are_of_the_last_hours_where_nothing_is_said(desk: Desk) -> None:
    points = await desk.ask("getHistoryPoints", series="outside.temperature", count=2)
    assert points["values"] == [20.0, 22.0]
    buckets = await desk.ask("getHistoryBuckets", series="outside.temperature")
    assert buckets["times"] == [MS // 3_600_000 * 3_600_000]
    assert {name: buckets[name] for name in ("least", "most", "last", "count")} == {
        "least": [20.0],
        "most": [22.0],
        "last": [21.0],
        "count": [3],
    }


@pytest.mark.parametrize(
    ("operation", "given", "said"),
    [
        ("getHistorySamples", {"series": "outside.nothing"}, "nothing is kept of outside.nothing"),
        ("getHistorySamples", {"series": "outside.temperature", "limit": 0}, "limit is 0"),
        ("getHistorySamples", {"series": "outside.temperature", "after": "soon"}, "after must be a time"),
        ("getHistorySamples", {"series": "outside.temperature", "cursor": "there"}, "cursor is 'there'"),
        ("getHistoryPoints", {"series": "outside.temperature", "count": 10**6}, "count is"),
        ("getHistoryPoints", {"series": "outside.temperature", "after": MS, "before": 0}, "not be later"),
        ("getHistoryBuckets", {"series": "outside.temperature", "span": "week"}, "span is 'week'"),
        ("getHistoryBuckets", {"series": "outside.temperature", "span": "5min", "after": 0}, "nearer together"),
        ("previewDeviceAttributeLogging", {"attributeLogging": [{"deviceId": "*"}]}, "attributeName"),
    ],
)
async def test_what_cannot_be_told_is_refused_with_a_reason(
    desk: Desk, operation: str, given: dict[str, Any], said: str
) -> None:
    with desk.refuses(said, status=404 if "nothing is kept" in said else 400):
        await desk.ask(operation, **given)


async def test_everybody_is_told_what_they_may_read(desk: Desk) -> None:
    variables = reader("events:read", "variables:read")
    assert (await desk.ask("getHistorySamples", caller=variables, series="$comfort"))["values"] == [5]
    for series in ("outside.temperature", "switch.lamp"):
        with desk.refuses("may not read", status=403):
            await desk.ask("getHistorySamples", caller=variables, series=series)
    with desk.refuses("may not read", status=403):
        await desk.ask("getHistoryPoints", caller=reader("events:read", "devices:read"), series="$comfort")
    with desk.refuses("devices:read", status=403):
        await desk.ask("previewDeviceAttributeLogging", caller=variables, attributeLogging=[])


async def test_a_hub_without_a_past_says_so(desk: Desk) -> None:
    with desk.refuses("keeps nothing", status=503):
        await desk.ask("getHistoryStatus")


async def test_a_list_of_rules_is_tried_before_it_holds(desk: Desk) -> None:
    for minute in range(0, 24 * 60, 5):
        desk.past.put(OUTSIDE, (NOW + 60 + minute * 60, 20.0))
    rules = [{"deviceId": "*", "attributeName": "*", "type": "*", "interval": "1h", "expire": "10d"}]
    told = await desk.ask("previewDeviceAttributeLogging", attributeLogging=rules)
    (temperature,) = told["attributes"]
    assert (temperature["deviceId"], temperature["attributeName"]) == ("outside", "temperature")
    assert 20 <= temperature["rowsPerDay"] <= 24
    assert temperature["bytesKept"] == pytest.approx(10 * temperature["bytesPerDay"], rel=0.2)
    assert told["wanted"]["rowsPerDay"] == temperature["rowsPerDay"]
    assert told["now"]["rowsPerDay"] == pytest.approx(289, abs=20)
    nothing = await desk.ask("previewDeviceAttributeLogging", attributeLogging=[])
    assert nothing["wanted"] == {"rowsPerDay": 0.0, "bytesPerDay": 0, "bytesKept": 0}


def test_a_shorter_interval_costs_more_a_longer_one_less() -> None:
    known = Known(1, OUTSIDE, "number", False, 289, 0.0, 86_400.0, 1445)

    def rule(interval: str) -> list[Any]:
        return [{"deviceId": "*", "attributeName": "*", "type": "*", "interval": interval, "expire": "1d"}]

    rows = [cost_of(known, rule("4min"), rule(interval), 5.0).rows for interval in ("0", "4min", "1h")]
    assert rows[0] == pytest.approx(1440)  # one a minute
    assert rows[1] == pytest.approx(288)
    assert rows[2] == pytest.approx(86_400 / 3660)
    assert cost_of(known, rule("4min"), rule("4min"), 5.0).bytes == pytest.approx(1440)
    assert cost_of(msgspec.structs.replace(known, count=0), rule("0"), rule("0"), 5.0).rows == 0
