"""The power is cut while a damaged history.db is mended: what could be read of it is there after the next start.

Nothing of what was recorded meanwhile is lost either, once it was written. HALLWAY_SEED repeats a run.
"""

from __future__ import annotations

import os
import random
import secrets
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from hallway.store.history.file import FILE
from tests.faults.chronicle import SERIES
from tests.faults.disk import Entry, What, compiled, entries, environment
from tests.faults.mended_past import LATER, MendedPast
from tests.faults.power import Power, moment

ROOT = Path(__file__).parents[2]
CUTS = 20
RECORDED = 1200


async def recorded(directory: Path, killed: Path) -> None:
    """A past of numbers, most of it folded; and what a hub that is killed would have left of it."""
    past = MendedPast(directory)
    await past.open()
    for number in range(1, RECORDED + 1):
        past.record(number)
        if number in (RECORDED // 3, RECORDED // 2):
            assert await past.store.flow.fold()
    assert await past.store.flow.flush()
    shutil.copytree(directory, killed, ignore=shutil.ignore_patterns("*-shm"))
    await past.close()


async def found(directory: Path) -> tuple[list[int], list[str]]:
    """What a start finds, and what is wrong with that."""
    past = MendedPast(directory)
    await past.open()
    await past.check()
    numbers = await past.numbers()
    wrong = await past.archive.check()
    await past.close()
    return numbers, [*unfinished(directory), *([wrong] if wrong else [])]


def unfinished(directory: Path) -> list[str]:
    return [path.name for path in directory.iterdir() if path.name.endswith((".new", ".next"))]


def live(disk: Path, log: Path, library: Path) -> list[Entry]:
    """Let it be mended on the disk: what was done to its files."""
    ended = subprocess.run(
        [sys.executable, "-m", "tests.faults.mended_past", str(disk / "home"), str(log)],
        cwd=ROOT,
        env=os.environ | environment(library, disk, log),
        check=False,
        timeout=200,
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 0, ended.stderr
    return list(entries(log))


def no_schema(data: bytearray, _chance: random.Random) -> None:
    data[100:4096] = b"\xa5" * 3996


def no_names(data: bytearray, _chance: random.Random) -> None:
    """The page on which the table of the names of series begins, and here also ends."""
    page = slice(2 * 4096, 3 * 4096)
    assert all(series.owner.encode() in data[page] for series in SERIES)
    data[page] = bytes(4096)


def some_pages(data: bytearray, chance: random.Random) -> None:
    data[100:200] = chance.randbytes(100)
    for _ in range(2):
        begin = chance.randrange(4096, len(data) - 300)
        data[begin : begin + 300] = chance.randbytes(300)


@pytest.mark.parametrize(
    ("harm", "killed"), [(no_schema, False), (some_pages, False), (no_names, False), (no_schema, True)]
)
async def test_a_past_that_is_being_mended_loses_nothing_when_the_power_is_cut(
    tmp_path: Path, harm: Callable[[bytearray, random.Random], None], killed: bool
) -> None:
    seed = os.environ.get("HALLWAY_SEED") or secrets.token_hex(4)
    where, chance = f"HALLWAY_SEED={seed}", random.Random(seed)
    disk, log, library = tmp_path / "disk", tmp_path / "log", compiled(tmp_path)
    disk.mkdir()
    homes = (tmp_path / "closed", tmp_path / "killed")
    homes[0].mkdir()
    await recorded(*homes)
    homes[killed].rename(disk / "home")
    whole, readable = (disk / "home" / FILE).read_bytes(), list[int]()
    while len(readable) <= RECORDED // 4:  # where it hits both places of the names, there is nothing left to lose
        data = bytearray(whole)
        harm(data, chance)
        (disk / "home" / FILE).write_bytes(data)
        shutil.copytree(disk / "home", tmp_path / "uncut")
        readable, wrong = await found(tmp_path / "uncut")
        assert wrong == [], where
        shutil.rmtree(tmp_path / "uncut")
    if harm is no_names:
        assert readable == list(range(1, RECORDED + 1))
    power = Power(disk)
    what = live(disk, log, library)
    assert any(entry.what == What.RENAME for entry in what)
    moments, kept = Counter(moment(what, chance) for _ in range(CUTS)), LATER
    for index, entry in enumerate(what):
        power.take(entry)
        if entry.what == What.MARK:
            kept = int(entry.name.removeprefix("kept "))
        for number in range(moments[index]):
            image = tmp_path / f"image{index}.{number}"
            power.cut(chance, image)
            there, wrong = await found(image / "home")
            later = [each for each in there if each >= LATER]
            assert wrong == [], f"{where}, after {index} of {len(what)}"
            assert there[: len(there) - len(later)] == readable, f"{where}, after {index} of {len(what)}"
            assert later == list(range(LATER, LATER + len(later))), f"{where}, after {index} of {len(what)}"
            assert len(later) >= kept - LATER, f"{where}, after {index} of {len(what)}"
            shutil.rmtree(image)
