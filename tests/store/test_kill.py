"""A hub that is killed at any moment loses nothing that it acknowledged."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from hallway.clock import VirtualClock
from hallway.store.store import Store
from tests.store.homes import build, build_kept
from tests.store.victim import EDITS, ENTITIES, LEVELS, edited

ROOT = Path(__file__).parents[2]
ROUNDS = 30


def live_and_die(
    directory: Path, said: Path, seconds: float, *, from_first_word: bool, doing: tuple[str, ...] = ()
) -> dict[str, int]:
    """Let a hub work for so long, then kill it; the highest number that it acknowledged of each kind."""
    with said.open("wb") as output:
        command = [sys.executable, "-m", "tests.store.victim", str(directory), *doing]
        child = subprocess.Popen(command, cwd=ROOT, stdout=output)
    while from_first_word and not said.stat().st_size:
        assert child.poll() is None
        time.sleep(0.005)
    time.sleep(seconds)
    assert child.poll() is None
    child.kill()
    child.wait()
    words = (line.split() for line in said.read_text("ascii").splitlines())
    return {kind: int(number) for kind, number in words}


@pytest.mark.timeout(120)
async def test_what_was_acknowledged_is_there_after_each_of_30_kills(tmp_path: Path) -> None:
    chance = random.Random(15)
    directory, clock = tmp_path / "home", VirtualClock()
    total: Counter[str] = Counter()
    known: dict[str, int] = {"report": 0, "variable": 0, "definition": 0}
    for turn in range(ROUNDS):
        at_work = turn % 3 > 0  # every third is killed at its start
        seconds = chance.uniform(0, 0.15 if at_work else 0.4)
        told = live_and_die(directory, tmp_path / "said", seconds, from_first_word=at_work)
        total.update(told.keys())
        known |= told
        store = Store.open(directory, clock, 5)
        home = build(clock, store)
        last = max((int(s.state) for s in home.states() if s.entity_id.startswith("sensor.s_")), default=0)
        assert last in {known["report"], known["report"] + 1}
        for number in range(max(1, last - ENTITIES + 1), last + 1):
            state = home.state(f"sensor.s_{number % ENTITIES}")
            assert state is not None
            assert (int(state.state), len(str(state.attributes["note"]))) == (number, number % 300)
        levels = {last % LEVELS} if told.get("report") == last else {last % LEVELS, (last - 1) % LEVELS}
        assert home.device("dimmer").value("dimlevel") in levels
        known["report"] = last
        text = home.variables.get("text").value
        assert text in {known["variable"], known["variable"] + 1} or (text, known["variable"]) == ("hello", 0)
        known["variable"] = text if isinstance(text, int) else 0
        versions = max((each.version for each in store.history("rule", "r")), default=0)
        assert known["definition"] <= versions <= known["definition"] + 1
        known["definition"] = versions
        assert store.problem is None
        await store.close()
    assert all(total[kind] >= ROUNDS // 2 for kind in known)


@pytest.mark.timeout(120)
async def test_edits_that_were_acknowledged_are_there_after_each_of_10_kills(tmp_path: Path) -> None:
    chance = random.Random(16)
    directory, clock, known, told_of = tmp_path / "home", VirtualClock(), 0, 0
    for _turn in range(10):
        seconds = chance.uniform(0, 0.1)
        told = live_and_die(directory, tmp_path / "said", seconds, from_first_word=True, doing=("edits",))
        known = told.get("edit", known)
        told_of += "edit" in told
        store = Store.open(directory, clock, 5)
        numbers = edited(build_kept(clock, store))
        last = max(numbers)
        assert last in {known, known + 1}
        expected = [last - (last - index) % len(EDITS) for index in range(len(EDITS))]
        assert numbers == [max(number, 0) for number in expected], "no edit is missing among them"
        assert store.history("page", "it")[-1].version == 1 + len(range(len(EDITS), last + 1, len(EDITS)))
        known = last
        await store.close()
    assert told_of == 10
