"""The power is cut at a thousand moments: every file opens, no edit is lost, and of values no more than was promised.

A home lives on a disk that writes everything down. Of that, images are made of what may be there after a cut, with
writes that are torn, lost or reordered; each is opened and looked over, and the next life begins with one of them.
HALLWAY_SEED repeats a run, HALLWAY_CUTS sets how often.
"""

from __future__ import annotations

import hashlib
import logging
import os
import random
import re
import secrets
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from hallway.clock import VirtualClock
from hallway.store import generations
from hallway.store.store import Store
from tests.faults.beside import KINDS
from tests.faults.chronicle import recorded
from tests.faults.disk import Entry, What, compiled, entries, environment
from tests.faults.life import Witness, summary
from tests.faults.outage import LONGEST_STEP, VALUES_EVERY, WRITE_EVERY
from tests.faults.power import Power, moment
from tests.store.homes import build_kept

ROOT = Path(__file__).parents[2]
CUTS = int(os.environ.get("HALLWAY_CUTS", "1000"))
LIVES, MENDED = 8, 3
EXPECTED = re.compile(
    r"^[^\n]*bytes are cut off$|^home\.db was damaged [^\n]*the disk, which may be failing$", re.MULTILINE
)
"""What a home that begins after a power cut may complain about."""

pytestmark = pytest.mark.timeout(60 + CUTS)


class Course:
    """When things of a kind were recorded: which must be there after a cut. window: seconds that may be lost."""

    def __init__(self, kind: str, window: float) -> None:
        self.begun = 0
        self._kind = kind
        self._window = window + LONGEST_STEP
        self._now = 0.0
        self._told: list[tuple[float, int]] = []

    def hear(self, kind: str, number: int) -> None:
        if kind == "time":
            self._now = number / 1000
        elif kind == self._kind:
            self._told.append((self._now, number))
        elif kind == f"try {self._kind}":
            self.begun = number

    @property
    def must_be_there(self) -> int:
        return next((number for at, number in reversed(self._told) if at <= self._now - self._window), 0)


class Onlooker:
    """Hears all that one life says. before: what was there when it began; damaged: home.db was, and is mended.

    whole: digests of generations that were found whole, so that each is looked through once.
    """

    def __init__(self, life: int, before: dict[str, int], whole: set[bytes], *, damaged: bool = False) -> None:
        self._damaged = damaged
        self._whole = whole
        self._witness = Witness(life, before)
        self._reports = Course("report", VALUES_EVERY)
        self._past = {kind: Course(kind, WRITE_EVERY) for kind in ("sample", *KINDS)}
        self._before = before

    def hear(self, entry: Entry) -> None:
        if entry.what != What.MARK:
            return
        kind, _, number = entry.name.rpartition(" ")
        listeners: list[Witness | Course] = [self._witness, self._reports, *self._past.values()]
        for each in listeners:
            each.hear(kind, int(number))

    async def look_over(self, directory: Path) -> tuple[list[str], dict[str, int]]:
        """What is wrong with what a start finds in a directory, and what is there."""
        clock = VirtualClock()
        store = Store.open(directory, clock, 5)
        said = None if self._damaged else store.problem
        problems = [] if said is None or EXPECTED.fullmatch(said) else [said]
        named = {hashlib.blake2b(path.read_bytes()).digest() for path in generations.listed(directory)}
        if not named <= self._whole and len(list(generations.good(directory))) != len(generations.listed(directory)):
            problems.append("a generation has its name and is not whole")
        else:
            self._whole |= named
        home = build_kept(clock, store)
        # a later write may be on the disk without an earlier one: see tests/store/test_reordered.py
        problems += self._witness.lost(store, home, reports_from=self._reports.must_be_there, in_order=False)
        wrong, lasts = await recorded(directory)
        for kind, course in self._past.items():
            least, last = max(course.must_be_there, self._before.get(kind, 0)), lasts[kind]
            if not least <= last <= max(least, course.begun):
                wrong.append(f"{kind} {least} must be there, {course.begun} was begun, {last} is there")
        there = summary(store, home) | lasts
        await store.close()
        return problems + wrong, there


class Outages:
    """Lives of a home on a disk, and what is left after power cuts."""

    def __init__(self, folder: Path) -> None:
        self.seed = os.environ.get("HALLWAY_SEED") or secrets.token_hex(4)
        sys.stdout.write(f"\nHALLWAY_SEED={self.seed}\n")
        self.chance = random.Random(self.seed)
        self.disk = folder / "disk"
        self.cuts = 0
        self.kinds = Counter[str]()
        self.whole: set[bytes] = set()
        self._folder = folder
        self._library = compiled(folder)
        self.lives = 0
        self.begin_anew()

    def begin_anew(self) -> None:
        """With an empty disk."""
        shutil.rmtree(self.disk, ignore_errors=True)
        self.disk.mkdir()
        self.before: dict[str, int] = {}

    def live(self, *how: str) -> list[Entry]:
        """Let a home live on the disk: what was done to its files."""
        self.lives += 1
        log = self._folder / f"log{self.lives}"
        command = [sys.executable, "-m", "tests.faults.outage", str(self.disk / "home"), str(log), str(self.lives)]
        told = os.environ | environment(self._library, self.disk, log)
        ended = subprocess.run(
            [*command, f"{self.seed}.{self.lives}", *how],
            cwd=ROOT,
            env=told,
            check=False,
            timeout=300,
            capture_output=True,
            text=True,
        )
        complaints = re.sub(EXPECTED, "", ended.stderr).strip()
        assert (ended.returncode, complaints) == (0, ""), f"HALLWAY_SEED={self.seed}"
        done = list(entries(log))
        self.kinds.update(entry.what.name for entry in done)
        return done

    async def cut(self, count: int, *, damaged: bool = False) -> None:
        """Let a home live, cut its power at so many moments, and go on with what one of the cuts left."""
        power, onlooker = Power(self.disk), Onlooker(self.lives + 1, self.before, self.whole, damaged=damaged)
        done = self.live()
        end = furnished(done) + 50 if damaged else len(done)
        moments = Counter(moment(done[:end], self.chance) for _ in range(count))
        chosen = self.chance.choice(list(moments))
        for index, entry in enumerate(done):
            power.take(entry)
            onlooker.hear(entry)
            for _ in range(moments[index]):
                there = await self._cut(
                    power, onlooker, f"life {self.lives}, after {index} of {len(done)}", index == chosen
                )
                if index == chosen:
                    self.before = there
        shutil.rmtree(self.disk)
        (self._folder / "chosen").rename(self.disk)

    async def _cut(self, power: Power, onlooker: Onlooker, where: str, chosen: bool) -> dict[str, int]:
        image, last = self._folder / "image", self._folder / "chosen"
        power.cut(self.chance, image)
        if chosen:
            shutil.rmtree(last, ignore_errors=True)
            shutil.copytree(image, last)
        problems, there = await onlooker.look_over(image / "home")
        assert problems == [], f"HALLWAY_SEED={self.seed}, {where}"
        shutil.rmtree(image)
        self.cuts += 1
        return there


def furnished(done: list[Entry]) -> int:
    """When a home had begun."""
    return next(index for index, entry in enumerate(done) if entry.name.startswith("furnished"))


async def test_after_a_thousand_power_cuts_what_was_promised_is_there(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    outages = Outages(tmp_path)
    for _ in range(LIVES):
        if outages.chance.random() < 0.2:
            outages.begin_anew()
        await outages.cut(CUTS // LIVES)
    errors = [each.getMessage() for each in caplog.records if each.levelno >= logging.ERROR]
    assert [said for said in errors if EXPECTED.fullmatch(said) is None] == []
    sys.stdout.write(f"{outages.cuts} cuts in {LIVES} lives with {dict(outages.kinds)}\n")


async def test_a_home_that_is_being_mended_loses_nothing_when_the_power_is_cut(tmp_path: Path) -> None:
    outages = Outages(tmp_path)
    for _ in range(MENDED):
        outages.begin_anew()
        done, left = outages.live("whole"), Onlooker(outages.lives, {}, outages.whole)
        for entry in done:
            left.hear(entry)
        problems, outages.before = await left.look_over(outages.disk / "home")
        assert (problems, outages.before["report"] > 0) == ([], True)
        database = outages.disk / "home" / "home.db"
        damage(database, outages.chance)
        await outages.cut(CUTS // 10 // MENDED, damaged=True)
    sys.stdout.write(f"{outages.cuts} cuts while a home is mended\n")


def damage(path: Path, chance: random.Random) -> None:
    """Something else stands in some of its pages, the first one perhaps."""
    data = bytearray(path.read_bytes())
    for _ in range(3):
        begin = chance.choice((0, chance.randrange(len(data))))
        data[begin : begin + 300] = chance.randbytes(len(data[begin : begin + 300]))
    path.write_bytes(data)
