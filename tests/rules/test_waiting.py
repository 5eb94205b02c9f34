"""What lasts, what comes later and what is put back: in time, once, and over a restart."""

from __future__ import annotations

import pytest

from hallway.home.changes import Context, Fired, Noted, Updated, VariableSet
from hallway.home.services import MAX_OPEN_CALLS
from hallway.home.values import Value
from tests.rules.houses import NOW, SOMEBODY, RuledHouse

# ---------------------------------------------------------------------- for, on a predicate


def test_what_must_last_starts_the_rule_when_it_has_lasted() -> None:
    house = RuledHouse('when lamp is on for 10 seconds then log "long"')
    house.turn("lamp", True)
    house.wait(9)
    house.turn("lamp", False)
    house.turn("lamp", True)
    house.wait(9.9)
    assert house.heard() == []
    house.wait(0.2)
    assert house.heard() == ["long"]
    house.wait(100)
    assert house.heard() == []


def test_what_lasts_already_when_a_rule_is_made_counts_from_then_and_starts_nothing() -> None:
    house = RuledHouse()
    house.turn("lamp", True)
    house.rule('when ding is pressed and lamp is on for 10 seconds then log "yes"')
    house.ring()
    house.wait(10)
    assert house.heard() == []
    house.ring()
    assert house.heard() == ["yes"]


def test_a_length_may_be_reckoned_when_it_begins() -> None:
    house = RuledHouse('when lamp is on for $x * 2 seconds then log "long"')
    house.set("x", 3)
    house.turn("lamp", True)
    house.set("x", 100)
    house.wait(5.9)
    assert house.heard() == []
    house.wait(0.2)
    assert house.heard() == ["long"]


def test_a_length_that_is_none_is_an_error_of_the_rule() -> None:
    house = RuledHouse('when lamp is on for $x seconds then log "long"')
    house.set("x", -1)
    house.turn("lamp", True)
    house.wait(100)
    assert house.heard() == []
    assert len(house.errors) == 1


def test_what_lasts_goes_on_over_a_restart() -> None:
    house = RuledHouse('when lamp is on for 10 minutes then log "long"')
    house.turn("lamp", True)
    house.wait(120)
    house.restart(after=60)
    assert house.plans() == {"rule:r0/for:0": 420}
    house.wait(419)
    assert house.heard() == []
    house.wait(2)
    assert house.heard() == ["long"]
    house.restart()
    house.wait(1000)
    assert house.heard() == []


def test_what_has_lasted_before_a_restart_is_still_true_as_a_condition() -> None:
    house = RuledHouse('when ding is pressed and lamp is on for 1 hour then log "yes"')
    house.turn("lamp", True)
    house.wait(3601)
    house.restart(after=5)
    house.ring()
    assert house.heard() == ["yes"]


@pytest.mark.parametrize(
    ("away", "late", "said"), [(300, 15, ["long"]), (300, 2, []), (3600, 15, []), (3600, 90, ["long"])]
)
def test_what_would_have_lasted_while_the_hub_was_away_is_made_up_for_if_it_is_not_too_late(
    away: float, late: float, said: list[str]
) -> None:
    house = RuledHouse({"rule": 'when lamp is on for 1 minute then log "long"', "late": late})
    house.turn("lamp", True)
    house.wait(30)
    house.restart(after=away)
    house.wait(1)
    assert house.heard() == said
    assert house.results() == ["ran" if said else "skipped"]
    assert house.traces()[0].late == away - 30


def test_an_edit_of_the_rule_begins_to_count_anew() -> None:
    house = RuledHouse('when lamp is on for 10 seconds then log "long"')
    house.turn("lamp", True)
    house.wait(5)
    house.home.rules.change("r0", {"name": "other"}, SOMEBODY)
    house.wait(20)
    assert house.heard() == []


# ---------------------------------------------------------------------- after


def test_what_is_to_be_done_later_is_done_once_in_time() -> None:
    house = RuledHouse('when lamp is on then log "later" after 10 seconds and log "now"')
    house.turn("lamp", True)
    assert house.heard() == ["now"]
    assert [(did.state, did.due) for did in house.traces()[0].did] == [("planned", NOW + 10), ("done", None)]
    house.wait(9.9)
    assert house.heard() == []
    house.wait(0.2)
    assert house.heard() == ["later"]
    assert [(did.state, did.text) for did in house.traces()[0].did] == [("done", "later"), ("done", "now")]
    house.wait(100)
    assert house.heard() == []


def test_what_is_planned_again_is_put_off_and_says_so() -> None:
    house = RuledHouse('when lamp is on then log "later" after 10 seconds')
    for _ in range(3):
        house.turn("lamp", True)
        house.turn("lamp", False)
        house.wait(6)
    assert len(house.heard()) == 2
    house.wait(5)
    assert house.heard() == ["later"]
    assert [trace.did[0].state for trace in house.traces()] == ["called off", "called off", "done"]


def test_an_edit_or_the_end_of_a_rule_calls_off_what_was_planned() -> None:
    house = RuledHouse('when lamp is on then log "later" after 10 seconds')
    house.turn("lamp", True)
    house.home.rules.change("r0", {"logging": True}, SOMEBODY)
    assert len(house.heard()) == 1
    house.wait(20)
    assert house.heard() == []
    house.turn("lamp", False)
    house.turn("lamp", True)
    house.home.rules.remove("r0", SOMEBODY)
    assert len(house.heard()) == 1
    house.wait(20)
    assert house.heard() == []
    assert house.plans() == {}


def test_what_is_planned_goes_on_over_a_restart_with_who_began_it() -> None:
    house = RuledHouse("when lamp is on then set $x to 7 after 10 minutes")
    house.turn("lamp", True)
    house.wait(100)
    house.restart(after=100)
    house.restart(after=100)
    house.wait(299)
    assert house.home.value("x") == 0
    house.wait(2)
    assert house.home.value("x") == 7
    done = next(change for change in reversed(house.changes) if getattr(change, "name", "") == "x")
    assert (done.context.origin, done.context.user) == ("rule:r0", "somebody")
    assert house.traces()[0].did[0].state == "done"


@pytest.mark.parametrize(("late", "value"), [(15, 7), (1, 0), (0, 0)])
def test_what_was_due_while_the_hub_was_away_is_done_late_or_skipped(late: float, value: int) -> None:
    house = RuledHouse({"rule": "when lamp is on then set $x to 7 after 1 minute", "late": late})
    house.turn("lamp", True)
    house.restart(after=300)
    house.wait(0)
    assert house.home.value("x") == value
    assert house.traces()[0].did[0].state == ("done" if value else "called off")
    house.restart(after=1)
    house.set("x", 0)
    house.wait(100)
    assert house.home.value("x") == 0


def test_what_was_planned_by_another_sentence_is_not_done() -> None:
    house = RuledHouse("when lamp is on then set $x to 7 after 10 minutes")
    house.turn("lamp", True)
    house.kill()
    house.rules[0]["rule"] = "when lamp is on then set $x to 8 after 10 minutes"
    house._build()
    house.start()
    house.wait(1000)
    assert house.home.value("x") == 0
    assert house.plans() == {}


# ---------------------------------------------------------------------- and back again


def test_what_is_done_for_a_while_is_put_back_to_what_it_was() -> None:
    house = RuledHouse("when ding is pressed then dim light to 80% for 10 seconds and turn fan on for 5 seconds")
    house.home.act("light", "changeDimlevelTo", {"dimlevel": 25}, SOMEBODY)
    house.ring()
    assert (house.home.value("light.dimlevel"), house.on("fan")) == (80, True)
    house.wait(6)
    assert (house.home.value("light.dimlevel"), house.on("fan")) == (80, False)
    house.wait(6)
    assert house.home.value("light.dimlevel") == 25
    assert len(house.heard()) == 4
    assert [did.back for did in house.traces()[0].did] == [None, None]


def test_several_runs_put_back_once_to_what_was_before_the_first() -> None:
    house = RuledHouse("when ding is pressed then dim light to 80% for 10 seconds")
    house.home.act("light", "changeDimlevelTo", {"dimlevel": 25}, SOMEBODY)
    house.ring()
    house.wait(6)
    house.ring()
    house.wait(6)
    assert house.home.value("light.dimlevel") == 80
    house.wait(6)
    assert house.home.value("light.dimlevel") == 25


@pytest.mark.parametrize("away", [10, 300, 86_400 * 30])
def test_what_is_to_be_put_back_is_however_long_the_hub_was_away(away: float) -> None:
    house = RuledHouse({"rule": "when ding is pressed then turn lamp on for 5 minutes", "late": 0})
    house.ring()
    house.restart(after=away)
    house.wait(300)
    assert house.on("lamp") is False
    assert house.plans() == {}


def test_what_a_rule_did_is_put_back_though_the_rule_is_gone() -> None:
    house = RuledHouse("when ding is pressed then turn lamp on for 5 minutes")
    house.ring()
    house.home.rules.remove("r0", SOMEBODY)
    house.restart(after=10)
    house.wait(300)
    assert house.on("lamp") is False


# ---------------------------------------------------------------------- again


def test_restart_begins_anew_and_forgets_what_was_planned() -> None:
    house = RuledHouse({"rule": 'when ding is pressed then log "a" and log "b" after 10 seconds', "again": "restart"})
    house.ring()
    house.wait(0.1)
    house.ring()
    assert house.heard() == ["a", "a"]
    house.wait(10.2)
    assert house.heard() == ["b"]


def test_together_runs_beside_each_other() -> None:
    house = RuledHouse({"rule": 'when ding is pressed then log "a" and log "b" after 10 seconds', "again": "together"})
    house.ring()
    house.wait(0.1)
    house.ring()
    house.restart(after=1)
    house.wait(8.95)
    assert house.heard() == ["b"]
    house.wait(0.1)
    assert house.heard() == ["b"]


def test_queue_runs_one_after_the_other_also_over_a_restart() -> None:
    house = RuledHouse({"rule": 'when ding is pressed then log "a" and log "b" after 10 seconds', "again": "queue"})
    for _ in range(3):
        house.ring()
    assert house.heard() == ["a"]
    house.wait(11)
    assert house.heard() == ["b", "a"]
    house.restart(after=1)
    house.wait(9)
    assert house.heard() == ["b", "a"]
    house.wait(100)
    assert house.heard() == ["b"]
    assert house.plans() == {}


def test_a_queue_is_bounded_and_what_does_not_fit_leaves_a_trace() -> None:
    house = RuledHouse({"rule": 'when ding is pressed then log "b" after 10 seconds', "again": "queue"})
    for _ in range(20):
        house.ring()
    house.wait(1000)
    assert house.heard() == ["b"] * 11
    assert house.results().count("ignored") == 9


def test_what_a_run_starts_itself_waits_in_the_queue_until_all_that_it_planned_is_done() -> None:
    house = RuledHouse(
        {"rule": 'when $x changes then set $x to min($x + 1, 3) and log "later" after 10 seconds', "again": "queue"}
    )
    house.set("x", 1)
    assert house.heard() == ["$x set to 2"]
    house.wait(9)
    assert house.heard() == []
    house.wait(1.5)
    assert house.heard() == ["later", "$x set to 3"]
    house.wait(100)
    assert [[did.state for did in trace.did] for trace in house.traces()] == [["done", "done"]] * 3


def test_what_waited_in_the_queue_tells_what_it_saw_when_it_was_started() -> None:
    house = RuledHouse({"rule": 'when $x increased then log "a" after 10 seconds', "again": "queue"})
    for value in (1, 2, 3):
        house.set("x", value)
    house.wait(100)
    assert [trace.seen[0].values for trace in house.traces()] == [{"x": 1}, {"x": 2}, {"x": 3}]


def test_what_waited_in_the_queue_tells_that_over_a_restart_too() -> None:
    condition = "$x > 0 and [lamp is on for 1 second or $word + $y < 5] or ding is pressed"
    house, same = [
        RuledHouse({"rule": f'when {condition} then log "a" after 10 seconds', "again": "queue"}) for _ in range(2)
    ]
    for each in (house, same):
        each.turn("lamp", True)
        each.ring()
        each.set("y", 5)
        each.set("x", 1)
        each.ring()
        each.wait(3)
    house.restart()
    for each in (house, same):
        each.wait(100)
    assert [trace.seen for trace in house.traces()][-1] == [trace.seen for trace in same.traces()][-1]
    assert len(house.traces()[-1].seen) == 4
    assert {trace.reason for trace in house.traces()} == {""}


@pytest.mark.parametrize("found", [None, 5, {}, {"at": 1.0, "truths": [True, False]}])
def test_a_run_that_waits_without_saying_what_was_found_runs_all_the_same(found: Value) -> None:
    house = RuledHouse({"rule": 'when ding is pressed then log "a" after 10 seconds', "again": "queue"})
    house.ring()
    house.ring()
    [note] = [note for note in house.engine.tasks() if note.name.startswith("queue:")]
    context = Context("rules")
    changes = house.home.changes
    changes.emit(Noted(changes.next(), NOW, context, note.owner, note.name, {**note.body, "found": found}))
    house.restart()
    house.wait(100)
    assert house.heard() == ["a", "a"]
    assert house.traces()[-1].seen == ()


def test_a_loop_through_the_queue_ends_at_the_limit_of_causes() -> None:
    house = RuledHouse(
        {"rule": "when $x changes or $y changes then set $x to $x + 1 and set $y to $y + 1", "again": "queue"}
    )
    end_after(house, 5000)
    house.set("x", 1)
    assert any("cause" in error for error in house.errors)


def test_a_loop_through_a_queue_that_waited_over_a_restart_ends_too() -> None:
    house = RuledHouse(
        {"rule": "when $x changes then set $x to $x + 1 and set $y to 0 after 1 second", "again": "queue"}
    )
    house.set("x", 1)
    house.restart(after=0)
    end_after(house, 5000)
    house.wait(1000)
    assert any("cause" in error for error in house.errors)
    assert house.plans() == {}


@pytest.mark.parametrize(
    "rule",
    [
        "when $x changes then set $x to $x + 1 after 0 seconds",
        "when lamp is on then turn lamp off for 0 seconds",
        "when lamp is on for 0 seconds or lamp is off for 0 seconds then toggle lamp",
    ],
)
@pytest.mark.parametrize("again", ["together", "restart", "queue"])
def test_a_loop_without_time_between_ends_at_the_limit_of_causes(rule: str, again: str) -> None:
    house = RuledHouse({"rule": rule, "again": again})
    end_after(house, 5000)
    house.set("x", 1)
    house.turn("lamp", True)
    house.wait(60)
    assert any("cause" in error for error in house.errors)
    assert house.tried(rule, again=again).until == house.clock.now()


def test_what_goes_round_with_time_between_goes_on() -> None:
    house = RuledHouse({"rule": "when $x changes then set $x to $x + 1 after 0.1 seconds", "again": "together"})
    house.set("x", 1)
    house.wait(10.05)
    assert house.home.value("x") == 101
    assert house.errors == []


def test_no_value_is_silent_for_less_than_a_tenth_of_a_second() -> None:
    house = RuledHouse(
        {"rule": "when state of lamp was not updated for 0 seconds then toggle lamp", "again": "together"}
    )
    end_after(house, 5000)
    house.wait(10.05)
    assert 90 <= len(house.heard()) <= 100


def end_after(house: RuledHouse, changes: int) -> None:
    """A loop that nothing ends would hold up the test for ever."""
    house.home.changes.subscribe(
        lambda change: pytest.fail("it goes on and on") if len(house.changes) > changes else None, VariableSet, Updated
    )


# ---------------------------------------------------------------------- done elsewhere


def test_what_another_program_does_is_said_when_it_has_done_it_or_not() -> None:
    house = RuledHouse('when ding is pressed then call lights.dim with {"level": 5}')
    house.home.services.elsewhere = lambda _domain, _service: True
    house.ring()
    assert house.heard() == []
    assert house.traces()[0].did[0].state == "under way"
    called = next(c for c in house.changes if isinstance(c, Fired) and c.event_type == "call_service")
    house.home.fire("service_executed", {"service_call_id": called.data["service_call_id"]}, SOMEBODY)
    assert house.heard() == ["lights.dim called"]
    assert house.traces()[0].did[0].state == "done"
    house.ring()
    house.wait(1)
    house.ring()
    house.wait(20)
    assert len(house.errors) == 1
    assert house.traces()[-1].did[0].state == "failed"


def test_calls_that_nobody_answers_do_not_use_up_those_that_may_be_open() -> None:
    house = RuledHouse({"rule": "when ding is pressed then call lights.dim", "again": "together", "logging": False})
    house.home.services.elsewhere = lambda domain, _service: domain == "lights"
    for _ in range(MAX_OPEN_CALLS + 1):
        house.ring()
        house.wait(11)
    assert house.home.call_service("switch", "turn_on", {"entity_id": "switch.lamp"}, SOMEBODY).done
