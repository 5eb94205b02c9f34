"""Traces are bounded in memory, count what repeats itself, and survive a restart while something is to come."""

from __future__ import annotations

from hallway.home.messages import HIDDEN
from hallway.rules.causes import MAX_TEXT
from hallway.rules.keeping import OWNER
from hallway.rules.traces import KEPT_MISSES, KEPT_RUNS, NUMBERS, sentences
from tests.rules.houses import SOMEBODY, RuledHouse


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


def test_only_the_last_traces_of_a_rule_are_in_memory() -> None:
    house = RuledHouse('when $x changes and if $x > 500 then log "x"')
    for value in range(1000):
        house.set("x", value)
        house.wait(1)
    assert len(house.traces()) == KEPT_RUNS + 1
    assert KEPT_MISSES > 1


def noted(house: RuledHouse) -> list[str]:
    return [note.owner for note in house.engine._tasks.all() if note.owner.startswith(OWNER)]


def test_a_run_of_which_something_is_to_come_survives_a_restart() -> None:
    house = RuledHouse(
        'when lamp is on then log "on" and log "later" after 5 minutes and turn fan on for 10 minutes',
        'when every 1 second then log "t"',
    )
    house.turn("lamp", True)
    assert noted(house) == ["trace:r0"]
    (before,) = house.traces()
    house.restart(after=60)
    assert house.traces() == [before]
    house.wait(300)
    assert [did.state for did in house.traces()[0].did] == ["done", "done", "done"]
    assert noted(house) == ["trace:r0"]
    house.restart()
    house.wait(300)
    (after,) = house.traces()
    assert (after.id, after.did[2].back, after.did[2].text) == (before.id, None, "Fan turned on; Fan turned off again")
    assert noted(house) == []


def test_more_runs_than_are_in_memory_may_go_on() -> None:
    house = RuledHouse({"rule": 'when ding is pressed then log "x" after 1 hour', "again": "together"})
    for _ in range(3 * KEPT_RUNS):
        house.ring()
        house.wait(1)
    assert len(house.traces()) == 3 * KEPT_RUNS
    house.wait(3600)
    assert {trace.did[0].state for trace in house.traces()} == {"done"}
    assert len(house.traces()) == KEPT_RUNS
    assert noted(house) == []


def test_no_trace_says_for_ever_that_something_is_to_come() -> None:
    house = RuledHouse("when ding is pressed then turn lamp on for 10 minutes and turn lamp on for 20 minutes")
    house.ring()
    house.wait(60)
    house.ring()
    first, second = house.traces()
    assert [did.back is None for did in first.did] == [True, True]
    assert [did.back is None for did in second.did] == [True, False]
    assert noted(house) == ["trace:r0"]
    house.home.remove_device("lamp", SOMEBODY)
    house.wait(3600)
    assert noted(house) == []


def test_what_was_under_way_when_the_hub_ended_has_failed() -> None:
    house = RuledHouse('when ding is pressed then call lights.dim with {"level": 5}')
    house.home.services.elsewhere = lambda _domain, _service: True
    house.ring()
    assert [did.state for did in house.traces()[0].did] == ["under way"]
    house.restart()
    (trace,) = house.traces()
    assert [(did.state, did.text) for did in trace.did] == [("failed", "the hub ended before that was done")]
    assert noted(house) == []


def test_numbers_are_never_given_twice() -> None:
    house = RuledHouse('when ding is pressed then log "x"')
    given = []
    for _ in range(3):
        for _ in range(NUMBERS // 2 + 100):
            house.ring()
            house.wait(1)
            given.append(house.traces()[-1].id)
        house.restart()
    assert given == sorted(set(given))


def test_traces_of_a_rule_that_is_gone_are_gone() -> None:
    house = RuledHouse('when lamp is on then log "on" after 1 hour')
    house.turn("lamp", True)
    house.kill()
    house.rules.clear()
    house._build()
    house.start()
    assert [did.state for did in house.traces()[0].did] == ["called off"]
    house.restart()
    assert house.traces() == []
    assert noted(house) == []


def test_the_texts_of_a_trace_hide_what_messages_hide_and_its_values_are_those_that_it_saw() -> None:
    house = RuledHouse('when $word changes then log "it is $word" and log "later $word" after 1 hour')
    house.home.messages.hide(["swordfish"])
    house.set("word", "swordfish")
    (trace,) = house.traces()
    assert (trace.cause, trace.did[0].text) == (f"$word is {HIDDEN}", f"it is {HIDDEN}")
    assert [seen.values for seen in trace.seen] == [{"word": "swordfish"}]
    (note,) = [note for note in house.engine._tasks.all() if note.owner.startswith(OWNER)]
    assert f"it is {HIDDEN}" in str(note.body["did"])
    assert "swordfish" not in str(note.body["did"])


def test_what_a_near_miss_and_an_error_tell_is_hidden_too() -> None:
    house = RuledHouse(
        'when ding is pressed and $word is "swordfish" then log "x"',
        "when ding is pressed then set $x to $word + 1",
    )
    house.set("word", "a swordfish")
    house.home.messages.hide(["swordfish"])
    house.ring()
    missed, ran = house.traces("r0")[0], house.traces("r1")[0]
    assert f'$word is "{HIDDEN}"' in missed.reason
    assert f'$word is "{HIDDEN}"' in [seen.token for seen in missed.seen]
    assert "swordfish" not in str(ran.did)
    assert ran.did[0].state == "failed"


def test_what_is_cut_is_hidden_before() -> None:
    house = RuledHouse('when $word changes then log "$word"')
    house.home.messages.hide(["swordfish" * 20])
    house.set("word", "x" * (MAX_TEXT - 10) + "swordfish" * 20)
    (trace,) = house.traces()
    assert "sword" not in trace.did[0].text
    assert len(trace.did[0].text) <= MAX_TEXT
