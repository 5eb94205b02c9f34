"""Whatever is taken, expired, forgotten and asked, in whatever order: the archive says what a plain list would say.

Clocks are set back, rows come twice, folds are of one row or of thousands.
"""

from __future__ import annotations

import sqlite3
from typing import NamedTuple

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from hallway.home.values import Value
from hallway.store.history.archive import TailRow
from hallway.store.history.dropping import drop, drop_spans, forget
from hallway.store.history.file import HISTORY
from hallway.store.history.folding import take, taken
from hallway.store.history.mending import mend
from hallway.store.history.strands import KINDS
from hallway.store.history.walking import Walk
from hallway.store.migrations import migrate

SERIES = (1, 2, 3)
MIXED = 2
WITH_MORE = 3
SECOND = 1000
HOUR = 3600 * SECOND
BEGIN = 1_760_000_000_000


class Kept(NamedTuple):
    at: int
    came: int
    value: Value
    more: bytes | None


def no_damage(sentence: str) -> None:
    raise AssertionError(sentence)


def value_of(series: int, number: int) -> Value:
    """One that nothing else has in its series."""
    return (number, number + 0.125, f"text {number}")[number % 3] if series == MIXED else number / 10


def came(series: int, value: Value) -> int:
    if isinstance(value, str):
        return int(value.removeprefix("text "))
    assert isinstance(value, int | float)
    return int(value) if series == MIXED else round(value * 10)


class ArchiveMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.connection = sqlite3.connect(":memory:", isolation_level=None)
        migrate(self.connection, HISTORY.schema)
        self.kept: dict[int, list[Kept]] = {series: [] for series in SERIES}
        self.more: bytes | None = None
        self.now = BEGIN
        self.last: list[TailRow] = []
        self.last_id = 0

    def teardown(self) -> None:
        self.connection.close()

    def row(self, series: int, step: int, more: bytes | None) -> TailRow:
        self.now += step
        self.last_id += 1
        number = self.last_id
        told = None
        if series == WITH_MORE:
            told = more if more != self.more else None
            self.more = more
        value = value_of(series, number)
        self.kept[series].append(Kept(self.now, number, value, self.more if series == WITH_MORE else None))
        return TailRow(number, series, self.now, value, told)

    def fold(self, rows: list[TailRow]) -> None:
        take(self.connection, rows, no_damage)
        self.last = rows

    mores = st.sampled_from([b'{"attributes":{"a":1}}', b'{"attributes":{"b":2}}'])
    steps = st.integers(0, 90 * SECOND) | st.just(0) | st.just(HOUR)

    @rule(rows=st.lists(st.tuples(st.sampled_from(SERIES), steps, mores), min_size=1, max_size=20))
    def some_rows_are_taken(self, rows: list[tuple[int, int, bytes]]) -> None:
        self.fold([self.row(*row) for row in rows])

    @rule(series=st.sampled_from(SERIES), count=st.integers(30, 1500), step=st.integers(0, 400), more=mores)
    def a_burst_is_taken(self, series: int, count: int, step: int, more: bytes) -> None:
        self.fold([self.row(series, step, more) for _ in range(count)])

    @rule(series=st.sampled_from(SERIES), folds=st.integers(2, 40), step=st.integers(0, HOUR), more=mores)
    def one_row_at_a_time_is_taken(self, series: int, folds: int, step: int, more: bytes) -> None:
        for _ in range(folds):
            self.fold([self.row(series, step, more)])

    @rule(back=st.integers(1, HOUR) | st.just(10 * 24 * HOUR))
    def the_clock_is_set_back(self, back: int) -> None:
        self.now -= back

    @precondition(lambda self: self.last)
    @rule()
    def rows_that_were_taken_come_again(self) -> None:
        self.fold(self.last)

    @rule(series=st.sampled_from(SERIES), back=st.integers(0, 40 * 24 * HOUR), most=st.integers(1, 3000))
    def what_is_old_is_dropped(self, series: int, back: int, most: int) -> None:
        before = self.now - back
        gone = drop(self.connection, series * KINDS, before, most, no_damage)
        left = {kept.came for kept in self.read(series)}
        dropped = [kept for kept in self.kept[series] if kept.came not in left]
        assert len(dropped) == gone
        assert all(kept.at < before for kept in dropped)
        self.kept[series] = [kept for kept in self.kept[series] if kept.came in left]
        if gone == 0:
            assert not [kept for kept in self.read(series, None, before - 1) if self.may_not_stay(series, kept, before)]

    def may_not_stay(self, series: int, kept: Kept, before: int) -> bool:
        """Older by more than a day and a third of the time that there is."""
        span = max(one.at for one in self.kept[series]) - min(one.at for one in self.kept[series])
        return before - kept.at > 24 * HOUR + span / 3

    @rule(series=st.sampled_from(SERIES))
    def a_series_is_forgotten(self, series: int) -> None:
        forget(self.connection, series)
        self.kept[series] = []
        if series == WITH_MORE:
            self.more = None

    @rule(kind=st.integers(1, 3), back=st.integers(0, 40 * 24 * HOUR))
    def old_roll_ups_are_dropped(self, kind: int, back: int) -> None:
        while drop_spans(self.connection, kind, self.now - back, 100, no_damage):
            pass

    @rule()
    def indexes_are_made_anew(self) -> None:
        before = self.connection.execute("SELECT * FROM strand ORDER BY number").fetchall()
        self.connection.execute("DELETE FROM place")
        mend(self.connection, no_damage)
        assert self.connection.execute("SELECT * FROM strand ORDER BY number").fetchall() == before

    @rule(series=st.sampled_from(SERIES), after=st.integers(0, HOUR), length=st.integers(0, HOUR), turned=st.booleans())
    def a_part_is_asked(self, series: int, after: int, length: int, turned: bool) -> None:
        begin = self.now - after
        expected = [kept for kept in sorted(self.kept[series]) if begin <= kept.at <= begin + length]
        assert self.read(series, begin, begin + length, descending=turned) == expected

    def read(
        self, series: int, after: int | None = None, before: int | None = None, *, descending: bool = False
    ) -> list[Kept]:
        walk = Walk(series * KINDS, after, before, no_damage, descending=descending)
        tables = []
        while not walk.is_over:
            step = walk.step(self.connection, 3)
            assert len(step) <= 3
            tables += step
        assert walk.upto == self.last_id
        if descending:
            tables.reverse()
        found = []
        for ats, values, *mores in tables:
            said = mores[0] if mores else [None] * len(ats)
            for at, value, more in zip(ats, values, said, strict=True):
                found.append(Kept(at, came(series, value), value, more))
        return found

    @invariant()
    def everything_is_there_in_both_directions(self) -> None:
        for series in SERIES:
            expected = sorted(self.kept[series])
            assert self.read(series) == expected
            assert self.read(series, descending=True) == expected

    @invariant()
    def what_is_counted_is_what_is_there(self) -> None:
        assert taken(self.connection)[1] == self.last_id
        rows = self.connection.execute("SELECT number, count, first, last, bytes FROM strand").fetchall()
        for number, count, first, last, size in rows:
            if number % KINDS == 0 and count:
                kept = sorted(self.kept[number // KINDS])
                assert (count, first, last) == (len(kept), kept[0].at, kept[-1].at)
            assert (size > 0) == (count > 0)


ArchiveMachine.TestCase.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)
TestArchive = ArchiveMachine.TestCase
