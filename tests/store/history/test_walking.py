"""A walk through a strand: what is at one time stays as it came, and the thread of the loop is let go on meanwhile."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from hallway.store.database import open_database
from hallway.store.history.archive import TailRow
from hallway.store.history.breath import Breath
from hallway.store.history.codec import Columns
from hallway.store.history.file import FILE, HISTORY
from hallway.store.history.folding import take
from hallway.store.history.strands import KINDS, LARGE
from hallway.store.history.walking import TABLES, UNPACKED, Walk

BEGIN = 1_760_000_000_000
MINUTE = 60_000
NOISE = 1009
"""Values that are no even steps."""


def no_damage(sentence: str) -> None:
    raise AssertionError(sentence)


@pytest.fixture
def past(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    connection = open_database(tmp_path / FILE, HISTORY)
    yield connection
    connection.close()


def fold(connection: sqlite3.Connection, ats: list[int], first: int = 0) -> None:
    """Samples of series 1 at these times; the values are counted."""
    take(connection, [TailRow(number + 1, 1, at, number) for number, at in enumerate(ats, first)], no_damage)


def walk_all(connection: sqlite3.Connection, walk: Walk) -> list[Columns]:
    tables = []
    while not walk.is_over:
        tables += walk.step(connection)
    return tables


@pytest.mark.parametrize("descending", [False, True])
def test_samples_of_one_time_in_several_folds_are_in_the_order_in_which_they_came(
    past: sqlite3.Connection, descending: bool
) -> None:
    for first in range(0, 60, 20):
        fold(past, [BEGIN] * 20, first)
    fold(past, [BEGIN + MINUTE] * 20, 60)
    walk = Walk(KINDS, None, None, no_damage, descending=descending)
    (table,) = walk_all(past, walk)
    assert table[1] == list(range(80))


def test_whoever_walks_far_lets_others_go_on_at_almost_every_chunk(past: sqlite3.Connection) -> None:
    stops: list[None] = []
    ats = [BEGIN + n * MINUTE + n * n % NOISE for n in range(40_000)]
    fold(past, ats)
    tables = walk_all(past, Walk(KINDS, None, None, no_damage, breath=Breath(lambda: stops.append(None))))
    assert [at for table in tables for at in table[0]] == ats
    assert len(tables) / 2 <= len(stops) <= len(tables)


def test_a_few_rows_in_many_folds_need_no_stop(past: sqlite3.Connection) -> None:
    stops: list[None] = []
    for first in range(0, 100, 10):
        fold(past, [BEGIN + n * MINUTE for n in range(first, first + 10)], first)
    (table,) = walk_all(past, Walk(KINDS, None, None, no_damage, breath=Breath(lambda: stops.append(None))))
    assert table[1] == list(range(100))
    assert stops == []


def test_whoever_looks_into_many_strands_lets_others_go_on_too(past: sqlite3.Connection) -> None:
    stops: list[None] = []
    breath = Breath(lambda: stops.append(None))
    fold(past, [BEGIN + n * MINUTE for n in range(10)])
    for _ in range(100):
        Walk(KINDS, None, None, no_damage, breath=breath).step(past)
    assert 2 <= len(stops) <= 50


def test_a_step_takes_no_more_along_than_memory_is_meant_for(past: sqlite3.Connection) -> None:
    fold(past, [BEGIN + n * MINUTE for n in range(40_000)])
    walk = Walk(KINDS, None, None, no_damage)
    assert len(walk.step(past)) == TABLES
    assert not walk.is_over


def test_long_texts_are_taken_along_few_at_a_time(past: sqlite3.Connection) -> None:
    """Also out of chunks that are not small themselves."""
    rows, note = 6000, 1000 * "x"
    for first in range(0, rows, 500):
        texts = [TailRow(n + 1, 1, BEGIN + n * MINUTE, f"{n} {note}") for n in range(first, first + 500)]
        take(past, texts, no_damage)
    walk, steps = Walk(KINDS, None, None, no_damage), list[int]()
    while not walk.is_over:
        steps.append(sum(len(table[0]) for table in walk.step(past)))
    assert sum(steps) == rows
    assert max(steps) * len(note) < 2 * UNPACKED
    sizes = [count * len(note) for (count,) in past.execute("SELECT count FROM place WHERE strand = ?", (KINDS,))]
    assert len(sizes) > 1
    assert max(sizes) <= 2 * LARGE
