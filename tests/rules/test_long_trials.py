"""A rule is tried on a week of a whole house, in slices: a hub that does it goes on answering."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Collection
from itertools import pairwise
from pathlib import Path

import pytest

from hallway.clock import VirtualClock
from hallway.home.changes import Context, Updated
from hallway.home.chronicle import ChangeBook
from hallway.home.recorded import Recorded, keys_of
from hallway.language.kinds import built_in
from hallway.language.rules import RuleParser
from hallway.rules import trying
from hallway.rules.trying import MOST_TRACES, Wanted, attempt
from hallway.store.history.change_rows import FULL
from hallway.store.history.changelog import ChangeLog
from hallway.store.history.file import FILE, HistoryFile
from tests.rules.houses import NOW, RuledHouse
from tests.store.history.happenings import a_week

WEEK = 7 * 86_400.0
COUNT = 20_000
PIECE = 2_000


class AWeek(ChangeBook):
    """A week in which the temperature of the air was told every half minute: it goes up and down between 15 and 25."""

    def __init__(self, count: int = COUNT) -> None:
        self.count = count
        self.most = 0
        self.under_way = 0

    def take(self, change: Recorded) -> None:
        """It is not needed here."""

    async def since(self) -> float:
        return NOW - WEEK

    async def get(self, seq: int, before: float) -> Recorded | None:
        return None

    async def newest(self, key: str, concerns: Callable[[Recorded], bool]) -> Recorded | None:
        return None

    async def between(self, keys: Collection[str], after: float, before: float) -> AsyncGenerator[list[Recorded], None]:
        assert "device:air" in keys
        for start in range(0, self.count, PIECE):
            await asyncio.sleep(0)
            yield [self._change(number) for number in range(start, min(start + PIECE, self.count))]

    def _change(self, number: int) -> Recorded:
        at = NOW - WEEK + number * WEEK / self.count
        old, new = ({"temperature": self._degrees(each)} for each in (number - 1, number))
        return Updated(number + 1, at, Context("mqtt"), "air", old, new, ())

    def _degrees(self, number: int) -> float:
        hour = number % 6000  # of fifty hours
        return round(15 + min(hour, 6000 - hour) / 300, 2)


async def tried(house: RuledHouse, book: AWeek, text: str) -> trying.Trial:
    house.engine.recent.book = book
    parser = RuleParser(built_in())
    return await attempt(house.home, parser, house.engine.recent, Wanted(text, 7.0))


async def test_it_is_lived_through_in_slices_while_others_get_their_turn(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    house = RuledHouse()
    before = (house.home.changes.seq, house.home.states())
    slices: list[int] = []
    live = trying.Rehearsal.live

    def counted(self: trying.Rehearsal, changes: list[Recorded]) -> bool:
        slices.append(len(changes))
        return live(self, changes)

    monkeypatch.setattr(trying.Rehearsal, "live", counted)
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    beside = asyncio.create_task(others())
    trial = await tried(house, AWeek(), "when temperature of air > 24 then turn lamp on")
    beside.cancel()
    assert trial.changes == COUNT
    assert len(trial.runs) == 3
    assert (trial.since, trial.until) == (NOW - WEEK, NOW)
    assert max(slices) <= trying.AT_ONCE
    assert turns >= len(slices) >= COUNT / trying.AT_ONCE
    assert (house.home.changes.seq, house.home.states()) == before


async def test_a_trial_ends_when_it_has_lived_through_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trying, "MOST_CHANGES", 5000)
    trial = await tried(RuledHouse(), AWeek(20_000), "when temperature of air > 24 then turn lamp on")
    assert trial.changes == 5000
    assert trial.until == pytest.approx(NOW - WEEK * 3 / 4, abs=60)


async def test_a_trial_ends_when_the_rule_has_left_enough() -> None:
    trial = await tried(RuledHouse(), AWeek(20_000), "when $air.temperature changes then turn lamp on")
    assert trial.changes == pytest.approx(MOST_TRACES, rel=2.1)
    assert len(trial.runs) == trying.MOST_RUNS
    assert trial.until < NOW


async def test_what_a_rule_names_is_found_among_a_hundred_thousand_changes(tmp_path: Path) -> None:
    clock = VirtualClock(NOW)
    file = HistoryFile(tmp_path / FILE)
    log = ChangeLog(file, clock)
    everything = a_week(100_000, WEEK)
    of_it = []
    for change in everything:
        log.take(change)
        of_it += [change] if "device:sensor7" in keys_of(change) else []
        if change.seq % 5000 == 0:
            while len(log._waiting) >= FULL:  # noqa: ASYNC110 (what is not written waits in memory, and not without end)
                await asyncio.sleep(0.001)
    house = RuledHouse(
        devices=[{"id": "sensor7", "class": "DummyTemperatureSensor"}, {"id": "lamp", "class": "DummySwitch"}]
    )
    house.engine.recent.book = log
    wanted = Wanted("when temperature of sensor7 >= 20 then turn lamp on", 7.0)
    trial = await attempt(house.home, RuleParser(built_in()), house.engine.recent, wanted)
    assert log.dropped == 0
    assert trial.changes == len(of_it) > 400
    warm = [isinstance(each, Updated) and float(str(each.new["temperature"])) >= 20 for each in of_it]
    assert len(trial.runs) == sum(now and not before for before, now in pairwise([True, *warm]))
    await log.close()
    file.close()


async def test_things_are_as_they_were_before_the_first_change(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(AWeek, "_degrees", lambda _self, number: 30 if number < 10 else 20)
    house = RuledHouse()
    house.warm(5)
    trial = await tried(house, AWeek(20), "when every 1 hour and if temperature of air > 25 then turn lamp on")
    assert len(trial.runs) == 84
