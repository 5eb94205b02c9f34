"""The past as a file: which series are in it, who gets what, and what is refused."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from hallway.access.callers import Caller
from hallway.api.operations.base import Ask
from hallway.api.operations.exporting import export_history, export_messages
from hallway.api.operations.table import OPERATIONS
from hallway.api.pimatic.calls import Calls
from hallway.errors import Forbidden, HallwayError, InvalidInput, NotFound, Unavailable
from hallway.home.past import Sample, Series
from tests.api.operations.pimatic.desk import ADMIN, Desk
from tests.home.homes import NOW, TEST
from tests.home.listed_past import ListedPast

LAMP, COUNTER = Series("attribute", "lamp", "state"), Series("variable", "counter")
ENTITY, SAME = Series("entity", "light.lamp"), Series("entity", "lamp.state")


class Exporting:
    def __init__(self) -> None:
        self.desk = Desk()
        self.past = ListedPast(2)
        for number, series in enumerate((LAMP, COUNTER, ENTITY)):
            self.past.add(series, *(Sample(NOW + at, number) for at in range(3)))
        self.hub = msgspec.structs.replace(self.desk.hub, past=self.past)
        self.caller: Caller = ADMIN

    async def lines(self, **data: Any) -> list[dict[str, Any]]:
        flow = await export_history(self.hub, Ask((), {"format": "jsonl", **data}, self.caller))
        whole = b"".join([piece async for piece in flow.pieces])
        return [json.loads(line) for line in whole.splitlines()]

    async def series(self, **data: Any) -> list[str]:
        return list(dict.fromkeys(str(line["series"]) for line in await self.lines(**data)))


@pytest.fixture
def exporting() -> Exporting:
    return Exporting()


async def test_all_is_told_series_by_series_or_what_is_asked_for(exporting: Exporting) -> None:
    assert await exporting.series() == ["lamp.state", "light.lamp", "$counter"]
    assert await exporting.series(kind="variable") == ["$counter"]
    assert await exporting.series(series="$counter, Light.Lamp") == ["$counter", "light.lamp"]
    assert await exporting.series(series=["lamp.state"]) == ["lamp.state"]
    assert len(await exporting.lines(series="light.lamp,Light.Lamp,LIGHT.LAMP,light.lamp")) == 3
    lines = await exporting.lines(series="lamp.state", after=(NOW + 1) * 1000, before=(NOW + 1) * 1000)
    assert lines == [{"time": (NOW + 1) * 1000, "kind": "attribute", "series": "lamp.state", "value": 0}]


async def test_of_two_that_are_called_the_same_the_attribute_is_meant(exporting: Exporting) -> None:
    exporting.past.add(SAME, Sample(NOW, "x"))
    assert {line["kind"] for line in await exporting.lines(series="lamp.state")} == {"attribute"}
    assert {line["kind"] for line in await exporting.lines(series="lamp.state", kind="entity")} == {"entity"}


async def test_csv_is_what_comes_if_nothing_is_said(exporting: Exporting) -> None:
    flow = await export_history(exporting.hub, Ask((), {}, ADMIN))
    first = await anext(flow.pieces)
    assert (flow.name, flow.content_type.split(";")[0], first) == (
        "history.csv",
        "text/csv",
        b"time,kind,series,value,attributes\r\n",
    )


async def test_everybody_gets_what_they_may_read(exporting: Exporting) -> None:
    exporting.caller = Caller("kid", frozenset({"events:read", "variables:read"}), TEST, role="kid")
    assert await exporting.series() == ["$counter"]
    with pytest.raises(Forbidden, match=r"may not read what light\.lamp was"):
        await exporting.lines(series="light.lamp")


@pytest.mark.parametrize(
    ("data", "error", "why"),
    [
        ({"series": "nothing"}, NotFound, "nothing is kept of nothing"),
        ({"kind": "message"}, InvalidInput, "give one of attribute, variable, entity"),
        ({"format": "xml"}, InvalidInput, "give csv or jsonl"),
        ({"after": "yesterday"}, InvalidInput, "after must be a time"),
        ({"before": []}, InvalidInput, "before must be a time"),
        ({"series": 5}, InvalidInput, "series must be a text"),
    ],
)
async def test_what_cannot_be_asked_is_refused_before_anything_is_sent(
    exporting: Exporting, data: dict[str, Any], error: type[HallwayError], why: str
) -> None:
    with pytest.raises(error, match=why):
        await export_history(exporting.hub, Ask((), data, ADMIN))


async def test_a_hub_that_keeps_nothing_says_so(exporting: Exporting) -> None:
    with pytest.raises(Unavailable):
        await export_history(msgspec.structs.replace(exporting.hub, past=None), Ask((), {}, ADMIN))


async def test_messages_come_oldest_first(exporting: Exporting) -> None:
    for text, level in (("one", "info"), ("two", "error"), ("three", "info")):
        exporting.desk.home.messages.say(level, text, ("rule",), TEST)  # type: ignore[arg-type]
    ask = Ask((), {"level": "info", "format": "csv"}, ADMIN)
    flow = await export_messages(exporting.hub, ask)
    lines = b"".join([piece async for piece in flow.pieces]).decode().splitlines()
    assert lines[0] == "time,level,tags,text"
    assert [line.rpartition(",")[2] for line in lines[1:]] == ["one", "three"]
    with pytest.raises(InvalidInput, match="after must be a time"):
        await export_messages(exporting.hub, Ask((), {"after": "x"}, ADMIN))


async def test_a_file_does_not_go_over_the_socket(exporting: Exporting) -> None:
    calls = Calls(exporting.hub, OPERATIONS)
    with pytest.raises(InvalidInput, match="over HTTP, at GET /api/history/export"):
        await calls.run(calls.operation("exportHistory"), {}, ADMIN)
