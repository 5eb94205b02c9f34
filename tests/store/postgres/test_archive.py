"""What the tail gives comes to rest in PostgreSQL once and for all, and comes back exactly."""

from __future__ import annotations

import math

from hallway.home.past import Sample, Series
from hallway.home.values import Value
from hallway.store.history.archive import SeriesRow, TailRow
from hallway.store.postgres.archive import PostgresArchive
from tests.store.databases import Connect

LAMP = SeriesRow(1, Series("attribute", "lamp", "power"), "number", False)
NOON = 1_800_000_000_000


async def read(archive: PostgresArchive, series: int = 1, *, descending: bool = False) -> list[tuple[int, Value]]:
    found: list[tuple[int, Value]] = []
    async for _taken, page in archive.pages(series, None, None, descending=descending):
        piece = list(zip(page.ats, page.values, strict=True))
        found += piece[::-1] if descending else piece
    return found


async def test_rows_come_back_in_the_order_of_time(connect: Connect, database: str) -> None:
    archive = PostgresArchive(await connect(database))
    assert await archive.open() == (0, [])
    await archive.take([TailRow(n, 1, NOON + n * 1000, n / 2) for n in range(1, 10_001)], [LAMP])
    assert await archive.open() == (10_000, [LAMP])
    expected = [(NOON + n * 1000, n / 2) for n in range(1, 10_001)]
    assert await read(archive) == expected
    assert await read(archive, descending=True) == expected[::-1]


VALUES: list[Value] = [
    0, 1, -1, True, False, None, 0.0, -0.0, 1.5, 1e308, -5e-324, math.inf, -math.inf, 2**53, 2**53 + 1, -(2**53) - 1,
    2**63, -(2**64), 10**400, "", "21.5", "on", "a\0b", "\u2400", "\u241b\0\u2400", "\ud800", "\ud83d\ude00",
    "é ü 漢 😀", [], {}, [1, 1.0, True, None, "\0", {"a": [math.inf, 10**30]}], {"\0": "\udfff"}, "x" * 100_000,
]  # fmt: skip


async def test_every_value_comes_back_as_it_was(connect: Connect, database: str) -> None:
    archive = PostgresArchive(await connect(database))
    await archive.take([TailRow(n, 1, NOON + n, value) for n, value in enumerate(VALUES, 1)], [LAMP])
    assert [repr(value) for _at, value in await read(archive)] == [repr(value) for value in VALUES]
    await archive.take([TailRow(1000, 1, NOON + 1000, math.nan)], [])
    at = await archive.at([1, 2], NOON + 2000)
    assert list(at) == [1]
    assert math.isnan(at[1].value)  # type: ignore[arg-type]
    assert await archive.at([1], NOON + 1) == {1: Sample((NOON + 1) / 1000, 0)}
