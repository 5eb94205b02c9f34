"""What kept messages promise: found from the moment they were said, kept as long as wanted, over restarts."""

from __future__ import annotations

import asyncio
import math
import sqlite3
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hallway.errors import Unavailable
from hallway.home.changes import Context
from hallway.home.messages import LEVELS, MAX_TEXT, Level, Message, Wanted
from hallway.store.history import message_rows, messages
from hallway.store.history.file import FILE, HistoryFile
from hallway.store.history.messages import KeptMessages
from tests.home.homes import NOW, TEST, House
from tests.store.homes import until

DAY = 86_400.0
EVERYTHING = Wanted()


class Desk:
    """A house whose messages are kept in a file; `again` is the next start on the same file."""

    def __init__(self, path: Path) -> None:
        self.path = path / FILE
        self.lifetimes: dict[str, float] = {"debug": 0.0}
        self.opened: list[tuple[KeptMessages, HistoryFile]] = []
        self.again()

    def again(self) -> None:
        self.house = House(seq=1)
        self.clock = self.house.clock
        self.file = HistoryFile(self.path)
        self.kept = KeptMessages(
            self.house.home, self.file, self.clock, self._lifetime, changed="setting:pimatic", write_every=10
        )
        self.opened.append((self.kept, self.file))

    def _lifetime(self, level: Level, tags: Sequence[str]) -> float:
        return self.lifetimes.get(tags[0] if tags and tags[0] in self.lifetimes else level, 7 * DAY)

    def say(self, text: str, level: Level = "info", *tags: str) -> Message:
        return self.house.home.messages.say(level, text, tags, TEST)

    async def texts(self, wanted: Wanted = EVERYTHING) -> list[str]:
        return [message.text for message in await self.kept.find(wanted)]

    def in_file(self) -> list[str]:
        connection = sqlite3.connect(self.path)
        try:
            return [text for (text,) in connection.execute("SELECT text FROM message ORDER BY id")]
        finally:
            connection.close()

    async def written(self) -> None:
        """Until nothing waits any more."""
        while self.kept._waiting:  # noqa: ASYNC110 - nothing tells
            await asyncio.sleep(0.005)

    async def settle(self) -> None:
        """Until what is being written is, or was refused."""
        while self.kept._writing is not None:  # noqa: ASYNC110 - nothing tells
            await asyncio.sleep(0.005)


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    made = Desk(tmp_path)
    yield made
    for kept, file in made.opened:
        await kept.close()
        await asyncio.to_thread(file.close)


async def test_a_message_is_found_at_once_and_written_after_a_while(desk: Desk) -> None:
    desk.say("one")
    desk.say("two")
    assert await desk.texts() == ["two", "one"]
    assert len(desk.kept._waiting) == 2
    desk.clock.advance(10)
    await desk.written()
    assert desk.in_file() == ["one", "two"]
    desk.say("three")
    assert await desk.texts() == ["three", "two", "one"]


async def test_an_error_is_written_at_once_and_a_flood_of_them_once_a_second(desk: Desk) -> None:
    desk.say("bad", "error")
    desk.clock.advance(0)
    await desk.written()
    assert desk.in_file() == ["bad"]
    commits = desk.file.commits
    for number in range(50):
        desk.say(str(number), "error")
        desk.clock.advance(0.01)
    desk.clock.advance(1)
    await desk.written()
    assert desk.file.commits == commits + 1


async def test_what_is_kept_is_there_after_a_restart_with_why_it_was_said(desk: Desk) -> None:
    desk.say("before", "warn", "rule", "it")
    await desk.kept.close()
    desk.again()
    desk.say("after")
    found = await desk.kept.find(EVERYTHING)
    assert [(message.level, message.text, message.tags) for message in found] == [
        ("info", "after", ()),
        ("warn", "before", ("rule", "it")),
    ]
    assert found[1].at == NOW
    row = await desk.file.read(lambda connection: connection.execute("SELECT origin, who FROM message").fetchone())
    assert row == (TEST.origin, TEST.user)


@pytest.mark.parametrize("count", [90, 1500, 40_000])
async def test_however_many_tags_are_asked_for_a_message_must_have_them_all(desk: Desk, count: int) -> None:
    tags = frozenset(f"tag{number}" for number in range(count))
    desk.say("all but one", "info", *sorted(tags)[1:])
    desk.say("all", "info", *tags)
    desk.clock.advance(10)
    await desk.written()
    assert await desk.texts(Wanted(tags=tags)) == ["all"]
    assert await desk.kept.count(Wanted(tags=tags)) == 1
    assert await desk.kept.forget(Wanted(tags=tags)) == 1
    assert desk.in_file() == ["all but one"]


async def test_criteria_find_the_same_before_and_after_writing(desk: Desk) -> None:
    desk.say("Grüße aus der KÜCHE", "info", "rule")
    desk.clock.advance(1)
    desk.say("it failed", "error", "rule", "heating")
    wanted = [
        (Wanted(levels=frozenset({"error"})), ["it failed"]),
        (Wanted(tags=frozenset({"rule"})), ["it failed", "Grüße aus der KÜCHE"]),
        (Wanted(tags=frozenset({"rule", "heating"})), ["it failed"]),
        (Wanted(tags=frozenset({"heat"})), []),
        (Wanted(text="küche"), ["Grüße aus der KÜCHE"]),
        (Wanted(text="100%_"), []),
        (Wanted(after=NOW + 1), ["it failed"]),
        (Wanted(before=NOW), ["Grüße aus der KÜCHE"]),
        (Wanted(after=math.nan), []),
        (Wanted(offset=1, limit=5), ["Grüße aus der KÜCHE"]),
        (Wanted(limit=0), []),
        (Wanted(tags=frozenset({"' OR 1=1 --"})), []),
    ]
    for _ in range(2):
        for criteria, texts in wanted:
            assert await desk.texts(criteria) == texts
            paged = [message.text async for page in desk.kept.pages(criteria) for message in page]
            fitting = {message.text for message in await desk.kept.find(msgspec_without_place(criteria))}
            assert set(paged) == fitting
        assert await desk.kept.tags(EVERYTHING) == ["rule", "heating"]
        assert await desk.kept.count(Wanted(tags=frozenset({"rule"}), limit=1)) == 2
        desk.clock.advance(10)
        await desk.written()


def msgspec_without_place(wanted: Wanted) -> Wanted:
    return Wanted(wanted.levels, wanted.tags, wanted.after, wanted.before, wanted.text)


async def test_what_is_not_to_be_kept_is_not(desk: Desk) -> None:
    desk.say("noise", "debug")
    assert await desk.texts() == []


async def test_old_messages_go_by_level_and_tags_and_a_new_rule_counts_at_once(desk: Desk) -> None:
    desk.lifetimes |= {"chatty": DAY}
    desk.say("a chat", "info", "chatty")
    desk.say("news", "info")
    desk.clock.advance(10)
    await desk.written()
    desk.clock.advance(DAY + 1)
    await desk.kept.expire()  # or the look that comes by itself, which is due as well, was there first
    assert await desk.texts() == ["news"]
    desk.lifetimes["info"] = 0.0
    desk.house.home.announcer.tell(("setting", "pimatic"), (None, {}), TEST, "store")
    await until(lambda: desk.in_file() == [])


async def test_messages_go_some_at_a_time_and_there_is_a_most(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(messages, "AT_ONCE", 7)
    monkeypatch.setattr(messages, "MOST_KEPT", 5)
    for number in range(30):
        desk.say(str(number))
    desk.clock.advance(10)
    await desk.written()
    commits = desk.file.commits
    assert await desk.kept.expire() == 25
    assert desk.file.commits - commits >= 4
    assert await desk.texts() == ["29", "28", "27", "26", "25"]


async def test_messages_take_no_more_room_than_they_may(desk: Desk) -> None:
    for number in range(30):
        desk.say(f"{number} {'é' * 500}")
    desk.clock.advance(10)
    await desk.written()
    desk.kept._most_bytes = 10_000
    assert await desk.kept.expire() == 22
    assert [text.split()[0] for text in await desk.texts()] == ["29", "28", "27", "26", "25", "24", "23", "22"]


async def test_deleting_reaches_what_waits_and_what_is_being_written(desk: Desk) -> None:
    desk.say("one")
    desk.clock.advance(10)
    await desk.written()
    desk.say("two")
    desk.clock.advance(10)  # on its way to the file
    desk.say("three")
    assert await desk.kept.forget(Wanted(limit=2)) == 2
    assert await desk.texts() == ["one"]
    await desk.written()
    assert desk.in_file() == ["one"]
    assert await desk.kept.forget(EVERYTHING) == 1
    assert await desk.kept.count(EVERYTHING) == 0


class Refusing:
    """A file on a disk that takes nothing while `broken`."""

    def __init__(self, file: HistoryFile) -> None:
        self.broken = True
        self._file = file

    def submit(self, work: Callable[[sqlite3.Connection], Any]) -> Future[Any]:
        if not self.broken:
            return self._file.submit(work)
        refused: Future[Any] = Future()
        refused.set_exception(Unavailable("the disk is full"))
        return refused

    async def read(self, work: Callable[[sqlite3.Connection], Any]) -> Any:
        if self.broken:
            raise Unavailable("the disk is broken")
        return await self._file.read(work)


async def test_while_the_disk_refuses_memory_is_bounded_and_answers(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(messages, "MOST_WAITING", 20)
    disk = Refusing(desk.file)
    monkeypatch.setattr(desk.kept, "_file", disk)
    for number in range(30):
        desk.say(str(number))
        desk.clock.advance(10)
        await desk.settle()
    assert (len(desk.kept._waiting), desk.kept._dropped) == (20, 10)
    assert (await desk.texts())[0] == "29"
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    disk.broken = False
    desk.clock.advance(10)
    await desk.written()
    assert desk.in_file() == [str(number) for number in range(10, 30)]
    assert "written again; 10 had to be dropped" in caplog.text


async def test_numbers_that_somebody_else_took_meanwhile_do_no_harm(desk: Desk) -> None:
    desk.say("one")
    assert await desk.texts() == ["one"]
    other = message_rows.row_of(1, Message(0, NOW, "info", "of another", ()), TEST)
    await asyncio.wrap_future(desk.file.submit(lambda connection: message_rows.insert(connection, 0, [other])))
    desk.clock.advance(10)
    await desk.settle()
    desk.clock.advance(10)
    await desk.written()
    assert desk.in_file() == ["of another", "one"]
    desk.say("two")
    assert await desk.texts() == ["two", "one", "of another"]


async def test_long_texts_do_not_wait_without_bound(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(desk.kept, "_file", Refusing(desk.file))
    for _ in range(1000):
        desk.say("x" * MAX_TEXT)
    assert len(desk.kept._waiting) * MAX_TEXT * 4 < messages.MOST_WAITING_BYTES


async def test_closing_writes_all_that_waits(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(messages, "AT_ONCE", 3)
    for number in range(10):
        desk.say(str(number))
    await desk.kept.close()
    assert len(desk.in_file()) == 10


TAGS = st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\n"), min_size=1, max_size=3), max_size=3)
MESSAGES = st.lists(st.tuples(st.sampled_from(LEVELS), st.text("aÄb%_'\"", max_size=4), TAGS, st.integers(0, 3)))
WANTED = st.builds(
    Wanted,
    levels=st.none() | st.frozensets(st.sampled_from(LEVELS)),
    tags=TAGS.map(frozenset),
    after=st.none() | st.integers(0, 9).map(float),
    before=st.none() | st.integers(0, 9).map(float),
    text=st.text("aÄ%_'", max_size=2),
    offset=st.integers(0, 3),
    limit=st.none() | st.integers(0, 5),
)


@given(MESSAGES, WANTED, st.integers(0, 8))
@settings(deadline=None)
def test_the_file_finds_what_memory_would_find(said: list[Any], wanted: Wanted, in_file: int) -> None:
    connection = sqlite3.connect(":memory:")
    schema = Path(message_rows.__file__).parent / "schema" / "0003.sql"
    connection.executescript(schema.read_text("utf-8"))
    at, all_of_them = 0, list[Message]()
    for number, (level, text, tags, later) in enumerate(said, 1):
        at += later
        all_of_them.append(Message(number, float(at), level, text, tuple(tags)))
    rows = [message_rows.row_of(message.id, message, Context("test")) for message in all_of_them]
    message_rows.insert(connection, 0, rows[:in_file])
    waiting = [message for message in all_of_them[in_file:] if wanted.fits(message)]
    most = 10_000 if wanted.limit is None else wanted.limit
    found = message_rows.find(connection, wanted, in_file + 1, waiting, most)
    assert found == wanted.of(all_of_them)
    fitting = [message for message in all_of_them[:in_file] if wanted.fits(message)]
    assert message_rows.count(connection, wanted, in_file + 1) == len(fitting)
    assert set(message_rows.tags(connection, wanted, in_file + 1)) == {tag for each in fitting for tag in each.tags}
    assert sum(kind.first >= 0 for kind in message_rows.kinds(connection)) <= len(rows)
    connection.close()
