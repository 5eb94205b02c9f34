"""Moving in with a past: all of it comes, in pieces, once, also when it broke off and in whatever state the file is."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, TypeVar

import pytest

from hallway.clock import SystemClock, VirtualClock
from hallway.errors import InvalidInput, Unavailable
from hallway.home.messages import Message, Wanted
from hallway.home.past import Known, Sample, Series
from hallway.links.importers import pimatic_past
from hallway.moving_past import bring_past
from hallway.store.history import bringing as bringing_module
from hallway.store.history import message_rows
from hallway.store.history.bringing import bringing
from hallway.store.history.chunk_archive import ChunkArchive
from hallway.store.history.file import FILE, HistoryFile
from hallway.store.history.history import HistoryStore

T = TypeVar("T")
TABLES = """
    CREATE TABLE message (id INTEGER PRIMARY KEY, time DATETIME, level INTEGER, tags TEXT, text TEXT);
    CREATE TABLE deviceAttribute (id INTEGER PRIMARY KEY, deviceId VARCHAR(255), attributeName VARCHAR(255),
        type VARCHAR(255), discrete BOOLEAN, lastUpdate DATETIME, lastValue VARCHAR(255));
    CREATE TABLE attributeValueNumber (id INTEGER PRIMARY KEY, time DATETIME, deviceAttributeId INTEGER, value FLOAT);
    CREATE TABLE attributeValueString (id INTEGER PRIMARY KEY, time DATETIME, deviceAttributeId INTEGER, value TEXT);
    CREATE INDEX numbers ON attributeValueNumber (deviceAttributeId, time);
    INSERT INTO deviceAttribute (id, deviceId, attributeName, type, discrete) VALUES
        (1, 'outside', 'temperature', 'number', 0), (2, 'lamp', 'state', 'boolean', 1),
        (3, 'player', 'title', 'string', 1), (4, 'gone', 'state', 'boolean', 1), (5, 'lamp', 'never', 'number', 0);
"""
AT = 1_700_000_000_000
OUTSIDE, LAMP, PLAYER = (
    Series("attribute", *each) for each in (("outside", "temperature"), ("lamp", "state"), ("player", "title"))
)


class Old:
    """A database such as pimatic leaves behind, and the home that it goes to."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "pimatic-database.sqlite"
        self.home = folder / "home"
        self.home.mkdir()
        self.told: list[str] = []
        with self.changed() as connection:
            connection.executescript(TABLES)

    @contextmanager
    def changed(self) -> Iterator[sqlite3.Connection]:
        """A connection that is committed and closed."""
        with closing(sqlite3.connect(self.path)) as connection:
            yield connection
            connection.commit()

    def add(self, attribute: int, *values: tuple[Any, Any], text: bool = False) -> None:
        table = "attributeValueString" if text else "attributeValueNumber"
        with self.changed() as connection:
            connection.executemany(
                f"INSERT INTO {table} (time, deviceAttributeId, value) VALUES (?, {attribute}, ?)", values
            )

    def say(self, *rows: tuple[Any, ...]) -> None:
        with self.changed() as connection:
            connection.executemany("INSERT INTO message (time, level, tags, text) VALUES (?, ?, ?, ?)", rows)

    def bring(self) -> list[str]:
        return list(bring_past(self.path, self.home, _has, self.told.append))

    def look(self, question: Callable[[HistoryStore], Any]) -> Any:
        """Ask the past of the home, as a hub would."""

        async def looked() -> Any:
            clock = SystemClock(asyncio.get_running_loop())
            file = HistoryFile(self.home / FILE)
            store = HistoryStore(file, ChunkArchive(file), clock)
            store.start()
            await store.ready()
            try:
                return await question(store)
            finally:
                await store.close()
                await asyncio.to_thread(file.close)

        return asyncio.run(looked())

    def samples(self, series: Series) -> list[tuple[float, Any]]:
        async def read(store: HistoryStore) -> list[tuple[float, Any]]:
            found = []
            async for columns in store.columns([series]):
                found += list(zip(columns.ats, columns.values, strict=True))
            return found

        return list(self.look(read))

    def messages(self) -> list[Message]:
        with closing(sqlite3.connect(self.home / FILE)) as connection:
            return message_rows.find(connection, Wanted(), 2**60, [], 10_000)


def _has(device_id: str, _name: str, _type: str) -> bool:
    return device_id != "gone"


@pytest.fixture
def old(tmp_path: Path) -> Old:
    return Old(tmp_path)


def test_values_of_every_type_come_over_in_the_order_of_time(old: Old) -> None:
    old.add(1, (AT + 5000, 21.5), (AT, 20.0), (AT + 10_000, -3))
    old.add(2, (AT, 1), (AT + 1, 0))
    old.add(3, (AT, "=Ä"), (AT + 7, "007"), text=True)
    assert old.bring() == ["7 older values of 3 attributes came into the history"]
    assert old.samples(OUTSIDE) == [(AT / 1000, 20), (AT / 1000 + 5, 21.5), (AT / 1000 + 10, -3)]
    assert old.samples(LAMP) == [(AT / 1000, True), (AT / 1000 + 0.001, False)]
    assert old.samples(PLAYER) == [(AT / 1000, "=Ä"), (AT / 1000 + 0.007, "007")]
    known: list[Known] = old.look(lambda store: store.known())
    assert [(each.series, each.type, each.discrete, each.count) for each in known] == [
        (OUTSIDE, "number", False, 3),
        (LAMP, "boolean", True, 2),
        (PLAYER, "string", True, 2),
    ]


def test_doing_it_twice_changes_nothing(old: Old) -> None:
    old.add(1, *((AT + number * 1000, number % 7) for number in range(50)))
    old.say((AT, 1, '["pimatic"]', "careful"), (AT, 2, "[]", "fine"))
    old.bring()
    before = old.samples(OUTSIDE), old.messages()
    assert old.bring() == [
        "0 older values of 1 attributes came into the history",
        "0 messages came over",
        "52 values and messages were in the history already",
    ]
    assert (old.samples(OUTSIDE), old.messages()) == before
    assert (len(before[0]), len(before[1])) == (50, 2)


def test_an_attempt_that_broke_off_goes_on_from_there(old: Old, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pimatic_past, "PIECE", 10)
    monkeypatch.setattr(bringing_module, "FOLD_AT", 25)
    old.add(1, *((AT + number * 1000, number) for number in range(100)))
    reads = iter(range(100))

    def breaks(series: Any, value_type: str, value: Any) -> Any:
        if value == 57 and next(reads) == 0:
            raise sqlite3.OperationalError("disk I/O error")
        return value

    monkeypatch.setattr(pimatic_past, "value_of", lambda kind, value: breaks(None, kind, value))
    with pytest.raises(InvalidInput, match="doing it again goes on from there"):
        old.bring()
    assert 0 < len(old.samples(OUTSIDE)) < 57
    assert any("were in the history already" in sentence for sentence in old.bring())
    assert [value for _at, value in old.samples(OUTSIDE)] == list(range(100))


def test_it_comes_behind_what_the_home_has_recorded_since(old: Old) -> None:
    async def record(store: HistoryStore) -> None:
        track = store.flow.track(OUTSIDE, "number", discrete=False)
        for number in range(5):
            store.flow.record(track, AT + 1_000_000 + number, number + 0.5)
        assert await store.flow.fold()

    old.look(record)
    old.add(1, *((AT + number * 1000, number) for number in range(5)))
    old.bring()
    assert [value for _at, value in old.samples(OUTSIDE)] == [0, 1, 2, 3, 4, 0.5, 1.5, 2.5, 3.5, 4.5]
    found: dict[Series, Sample] = old.look(lambda store: store.at([OUTSIDE], AT / 1000 + 3.5))
    assert found[OUTSIDE].value == 3


def test_a_long_past_costs_little_memory_and_tells_how_far_it_is(old: Old, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hallway.moving_past.STEP", 1000)
    monkeypatch.setattr(bringing_module, "FOLD_AT", 2000)
    old.add(1, *((AT + number * 1000, number % 100) for number in range(12_000)))
    old.add(2, *((AT + number * 1000, number % 2) for number in range(3000)))
    old.bring()
    assert old.told == ["12000 of 15000 older values", "15000 of 15000 older values"]
    assert len(old.samples(OUTSIDE)) == 12_000


def test_messages_come_with_their_levels_and_tags(old: Old) -> None:
    old.say(
        (AT, 0, '["pimatic", "x"]', "bad"),
        (AT + 1, "warn", "plain", "hm"),
        (AT + 2, 99, None, "what"),
        ("never", 1, "[]", "lost"),
    )
    assert old.bring() == ["3 messages came over", "1 rows of the database could not be read"]
    assert [(each.level, each.tags, each.text) for each in reversed(old.messages())] == [
        ("error", ("pimatic", "x"), "bad"),
        ("warn", ("plain",), "hm"),
        ("info", (), "what"),
    ]


def test_what_cannot_be_used_is_told(old: Old) -> None:
    old.add(1, (AT, "warm"), (None, 5), (-3, 5), (AT + 1, float("inf")), (2**62, 5), (AT + 2, 5))
    old.add(4, (AT, 1), (AT + 1, 0))
    assert old.bring() == [
        "1 older values of 1 attributes came into the history",
        "2 older values did not come: there is no such attribute here",
        "5 rows of the database could not be read",
    ]
    assert list(bring_past(old.path, None, _has, old.told.append)) == [
        "6 older values and all messages would come into the history",
        "2 older values would not: there is no such attribute here",
    ]


def test_tables_of_another_make_hold_no_past(old: Old) -> None:
    with old.changed() as connection:
        connection.executescript(
            "DROP TABLE attributeValueNumber; CREATE TABLE attributeValueNumber (id, value); DROP TABLE message;"
        )
    assert old.bring() == []


def test_a_disk_that_refuses_is_told(old: Old, monkeypatch: pytest.MonkeyPatch) -> None:
    (old.home / FILE).mkdir()
    old.add(1, (AT, 1))
    with pytest.raises(Unavailable):
        old.bring()


async def test_bringing_nothing_leaves_a_past_that_is_empty(tmp_path: Path) -> None:
    async with bringing(tmp_path, VirtualClock()) as history:
        assert (await history.samples(LAMP, "boolean", True, [[]])).new == 0
