"""Trying a rule touches nothing and finds what the rule would have done."""

from __future__ import annotations

import pytest

from hallway.errors import HallwayError, InvalidInput
from hallway.rules import trying
from hallway.rules.trying import MOST_TRACES, Trial
from tests.rules.houses import NOW, SOMEBODY, RuledHouse


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
    assert [round(at / 60) for at, _did in runs(house.tried(rule))] == expected


def test_what_it_would_have_done_and_why_not(house: RuledHouse) -> None:
    trial = house.tried(
        'when ding is pressed and temperature of air > 25 then turn fan on else log "it is $air.temperature"'
    )
    assert [(trace.result, trace.did[0].text) for trace in trial.runs][-1] == ("otherwise", 'would log "it is 22"')
    later = house.tried("when lamp is on then turn fan on after 10 minutes")
    assert [(did.state, did.text) for did in later.runs[0].did] == [("done", "would let Fan be turned on")]
    missed = house.tried("when ding is pressed and temperature of air > 25 then turn fan on")
    assert [trace.result for trace in missed.misses][-1] == "condition false"
    assert missed.misses[-1].seen[1].values == {"air.temperature": 22}


def said(trial: Trial) -> list[list[str]]:
    return [[did.text for did in trace.did] for trace in trial.runs]


def test_later_actions_see_what_earlier_ones_would_have_set(house: RuledHouse) -> None:
    trial = house.tried('when ding is pressed then set $x to $air.temperature + 1 and log "x is $x"')
    assert said(trial) == [["would set $x to $air.temperature + 1", 'would log "x is 23"']]
    shown = house.tried('when ding is pressed then turn fan on and log "$fan.state, $lamp.state"')
    assert said(shown) == [["would let Fan be turned on", 'would log "true, true"']]


def test_what_a_service_would_have_done_is_seen_by_later_runs(house: RuledHouse) -> None:
    trial = house.tried("when every 30 minutes and fan is off then call switch.turn_on with entity_id = switch.fan")
    assert [(round(at / 60), texts) for at, texts in runs(trial)] == [(30, ["would call switch.turn_on"])]


def test_later_runs_see_it_until_a_recorded_change_says_otherwise(house: RuledHouse) -> None:
    before = house.home.variables.get("x").value
    counted = house.tried('when every 30 minutes then set $x to $x + 1 and log "$x"')
    assert [texts[1] for texts in said(counted)] == ['would log "1"', 'would log "2"', 'would log "3"', 'would log "8"']
    once = house.tried("when every 30 minutes and fan is off then turn fan on")
    assert [round(at / 60) for at, _did in runs(once)] == [30]
    assert house.home.variables.get("x").value == before


def test_what_would_have_been_done_for_a_while_is_put_back_there(house: RuledHouse) -> None:
    trial = house.tried("when every 30 minutes and fan is off then turn fan on for 40 minutes")
    assert [round(at / 60) for at, _did in runs(trial)] == [30, 90]
    assert said(trial)[0] == ["would let Fan be turned on; then Fan turned off again"]


def test_a_rule_that_sets_off_itself_is_cut_as_it_would_be(house: RuledHouse) -> None:
    trial = house.tried("when $x changes then set $x to $x + 1", again="together")
    assert 1 < len(trial.runs) < 60


def test_what_would_have_failed_says_so(house: RuledHouse) -> None:
    trial = house.tried('when ding is pressed then set $x to $word * 2 and log "$x"')
    assert [(did.state, did.text) for did in trial.runs[0].did] == [
        ("failed", 'at character 1: $word is "hello" where a number is needed'),
        ("done", 'would log "0"'),
    ]


def test_nothing_is_touched(house: RuledHouse) -> None:
    before = (house.home.changes.seq, house.home.states(), house.plans(), len(house.changes))
    house.tried(
        "when temperature of air > 25 then turn lamp off for 5 minutes and set $x to 99 and call switch.turn_on"
    )
    assert (house.home.changes.seq, house.home.states(), house.plans(), len(house.changes)) == before


def test_only_the_last_days_count(house: RuledHouse) -> None:
    trial = house.tried("when temperature of air > 25 then turn lamp off", days=1 / 24)
    assert [round(at / 60) for at, _did in runs(trial)] == [70]
    assert trial.since == house.clock.now() - 3600


def test_a_rule_that_runs_all_the_time_is_seen_to_do_so_soon(house: RuledHouse) -> None:
    house.wait(5 * 86_400)
    trial = house.tried('when every 1 second then log "x"', days=28)
    assert trial.until < house.clock.now()
    assert len(trial.runs) <= MOST_TRACES


def test_a_trial_ends_as_soon_as_there_are_enough_traces(house: RuledHouse, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trying, "MOST_TRACES", 50)
    assert len(house.tried('when every 1 second then log "x"').runs) == 50
    twice_over = "set $x to $x + 1 after 0.5 seconds and set $x to $x + 2 after 1 second"
    trial = house.tried(f"when every 1 second or when $x changes then {twice_over}", again="together")
    assert len(trial.runs) == 50


def test_what_cannot_be_tried_is_an_error(house: RuledHouse) -> None:
    with pytest.raises(HallwayError):
        house.tried("when nothing is known then turn lamp on")
    with pytest.raises(InvalidInput):
        house.tried("when lamp is on then turn fan on", days=400)
