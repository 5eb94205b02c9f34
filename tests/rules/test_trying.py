"""Trying a rule touches nothing and finds what the rule would have done."""

from __future__ import annotations

import pytest

from hallway.errors import HallwayError, InvalidInput
from hallway.language.kinds import built_in
from hallway.language.rules import RuleParser
from hallway.rules.trying import MOST_TRACES, Trial, rehearse
from tests.rules.houses import NOW, SOMEBODY, RuledHouse


def tried(house: RuledHouse, text: str, days: float = 1.0, again: str = "ignore") -> Trial:
    parser = RuleParser(built_in())
    return rehearse(house.home, parser, house.engine.recent, text, days, again).run()


def runs(trial: Trial) -> list[tuple[float, list[str]]]:
    return [(trace.at - NOW, [did.text for did in trace.did]) for trace in trial.runs]


@pytest.fixture
def house() -> RuledHouse:
    """Two hours in which it became warm and cold again, and somebody rang."""
    house = RuledHouse()
    house.warm(20)
    for minute, degrees in ((10, 24), (20, 26), (30, 27), (50, 24), (70, 28), (80, 22)):
        house.wait(NOW + minute * 60 - house.clock.now())
        house.warm(degrees)
    house.turn("lamp", True)
    house.wait(600)
    house.ring()
    house.set("x", 7)
    house.home.report("weather.sun", "up", {"height": 5}, SOMEBODY)
    house.home.fire("door", {"side": "left"}, SOMEBODY)
    house.wait(1800)
    return house


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("when temperature of air > 25 then turn lamp off", [20, 70]),
        ("when temperature of air > 25 for 15 minutes then turn lamp off", [35]),
        ("when temperature of air > 25 for 5 minutes then turn lamp off", [25, 75]),
        ("when $air.temperature + 1 > 25 then turn lamp off", [20, 70]),
        ("when lamp is on then turn fan on", [80]),
        ("when ding is pressed and if lamp is on then turn fan on", [90]),
        ("when ding is pressed and if temperature of air > 25 then turn fan on", []),
        ("when $x > 5 then turn fan on", [90]),
        ('when state of weather.sun is "up" then turn fan on', [90]),
        ('when event "door" is fired with side = "left" then turn fan on', [90]),
        ("when every 30 minutes then turn fan on", [30, 60, 90, 120]),
        ("when its 9:15 then turn fan on", [75]),
        ("when hallway is starting then turn fan on", []),
    ],
)
def test_when_it_would_have_run(house: RuledHouse, rule: str, expected: list[int]) -> None:
    assert [round(at / 60) for at, _did in runs(tried(house, rule))] == expected


def test_what_it_would_have_done_and_why_not(house: RuledHouse) -> None:
    trial = tried(
        house, 'when ding is pressed and temperature of air > 25 then turn fan on else log "it is $air.temperature"'
    )
    assert [(trace.result, trace.did[0].text) for trace in trial.runs][-1] == ("otherwise", 'would log "it is 22"')
    later = tried(house, "when lamp is on then turn fan on after 10 minutes")
    assert [(did.state, did.text) for did in later.runs[0].did] == [("done", "would let Fan be turned on")]
    missed = tried(house, "when ding is pressed and temperature of air > 25 then turn fan on")
    assert [trace.result for trace in missed.misses][-1] == "condition false"
    assert missed.misses[-1].seen[1].values == {"air.temperature": 22}


def test_nothing_is_touched(house: RuledHouse) -> None:
    before = (house.home.changes.seq, house.home.states(), house.plans(), len(house.changes))
    tried(
        house, "when temperature of air > 25 then turn lamp off for 5 minutes and set $x to 99 and call switch.turn_on"
    )
    assert (house.home.changes.seq, house.home.states(), house.plans(), len(house.changes)) == before


def test_only_the_last_days_count(house: RuledHouse) -> None:
    trial = tried(house, "when temperature of air > 25 then turn lamp off", days=1 / 24)
    assert [round(at / 60) for at, _did in runs(trial)] == [70]
    assert trial.since == house.clock.now() - 3600


def test_a_rule_that_runs_all_the_time_is_seen_to_do_so_soon(house: RuledHouse) -> None:
    house.wait(5 * 86_400)
    trial = tried(house, 'when every 1 second then log "x"', days=28)
    assert trial.until < house.clock.now()
    assert len(trial.runs) <= MOST_TRACES


def test_what_cannot_be_tried_is_an_error(house: RuledHouse) -> None:
    with pytest.raises(HallwayError):
        tried(house, "when nothing is known then turn lamp on")
    with pytest.raises(InvalidInput):
        tried(house, "when lamp is on then turn fan on", days=400)
