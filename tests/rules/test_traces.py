"""Traces are bounded, count what repeats itself, and the last runs survive a restart."""

from __future__ import annotations

from hallway.rules.keeping import KEPT
from hallway.rules.traces import KEPT_MISSES, KEPT_RUNS, RETENTION, sentences
from tests.rules.houses import RuledHouse


def test_a_near_miss_says_what_was_not_true_and_with_which_value() -> None:
    house = RuledHouse('when ding is pressed and temperature of air > 25 then log "x"')
    house.warm(21)
    house.wait(30)
    house.ring()
    (trace,) = house.traces()
    assert (trace.result, trace.trigger, trace.cause) == ("condition false", "ding is pressed", "bell.button is ding")
    assert "temperature of air > 25" in trace.reason
    first, second = trace.seen
    assert (first.truth, first.triggered) == (True, True)
    assert (second.truth, second.values, second.age) == (False, {"air.temperature": 21}, 30)
    assert any("air.temperature = 21 for 30.0 s" in line for line in sentences(trace))


def test_what_repeats_itself_is_counted() -> None:
    house = RuledHouse('when ding is pressed and lamp is on then log "x"')
    for _ in range(500):
        house.ring()
        house.wait(10)
    (trace,) = house.traces()
    assert (trace.times, trace.last_at - trace.at) == (500, 4990)


def test_a_near_miss_that_the_same_change_turns_into_a_run_is_none() -> None:
    house = RuledHouse('when trigger: $x changes and trigger: $x > 5 then log "x"')
    house.set("x", 6)
    assert house.results() == ["ran"]


def test_traces_are_bounded_in_number_and_age() -> None:
    house = RuledHouse('when $x changes and if $x > 500 then log "x"')
    for value in range(1000):
        house.set("x", value)
        house.wait(1)
    assert len(house.traces()) == KEPT_RUNS + 1
    assert KEPT_MISSES > 1
    house.wait(RETENTION)
    house.set("x", 501)
    assert len(house.traces()) == 2


def test_the_last_runs_survive_a_restart_with_all_that_was_done() -> None:
    house = RuledHouse(
        'when lamp is on then log "on" and log "later" after 5 minutes', 'when every 1 second then log "t"'
    )
    for _ in range(2 * KEPT):
        house.turn("lamp", True)
        house.wait(100)
        house.turn("lamp", False)
        house.wait(500)
    before = [trace for trace in house.traces() if trace.result == "ran"][-KEPT:]
    house.restart()
    assert house.traces() == before
    assert [did.state for did in house.traces()[-1].did] == ["done", "done"]
    assert len(house.traces("r1")) == KEPT
    house.turn("lamp", True)
    assert house.traces()[-1].id > before[-1].id


def test_traces_of_a_rule_that_is_gone_are_gone() -> None:
    house = RuledHouse('when lamp is on then log "on"')
    house.turn("lamp", True)
    house.kill()
    house.rules.clear()
    house._build()
    house.start()
    assert house.traces() == []
    house.restart()
    assert not list(house.engine._tasks.all())
