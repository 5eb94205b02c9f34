"""What rules promise: when they run, on what they decide, and that one's fault is nobody else's."""

from __future__ import annotations

from typing import Any

import pytest

from hallway.errors import NotFound
from hallway.home.changes import Context, Fired, Said, Updated, VariableSet
from hallway.home.values import Attributes
from hallway.language.conditions import Starting
from hallway.language.kinds import built_in
from hallway.language.rules import RuleParser
from hallway.rules.engine import RuleEngine
from hallway.rules.running import MOST_AT_ONCE
from hallway.rules.signals import Signal
from hallway.rules.sources import Ground
from tests.rules.houses import DEVICES, SOMEBODY, VARIABLES, RuledHouse

# ---------------------------------------------------------------------- when a rule runs


def test_a_rule_runs_when_its_condition_comes_true_and_not_again_while_it_is() -> None:
    house = RuledHouse('when lamp is on then log "on"')
    for on in (True, True, False, True):
        house.turn("lamp", on)
        house.wait(1)
    assert house.heard() == ["on", "on"]


def test_what_is_true_already_when_a_rule_is_made_counts_at_the_next_report() -> None:
    house = RuledHouse()
    house.warm(28)
    house.rule('when temperature of air > 25 then log "hot"')
    assert house.heard() == []
    house.warm(29)
    house.wait(1)
    house.warm(30)
    assert house.heard() == ["hot"]


def test_a_rule_made_later_sees_its_own_first_report_though_another_asks_the_same() -> None:
    house = RuledHouse('when temperature of air > 25 then log "old"')
    house.warm(28)
    house.rule('when temperature of air > 25 then log "new"')
    house.wait(1)
    house.warm(29)
    assert house.said == ["rule r0: old", "rule r: new"]


def test_a_rule_that_has_just_run_is_ignored_and_says_so_in_a_trace() -> None:
    house = RuledHouse('when ding is pressed then log "ding"')
    for _ in range(3):
        house.ring()
        house.wait(0.3)
    assert house.heard() == ["ding", "ding"]
    assert house.results() == ["ran", "ignored", "ran"]
    assert "0.5 s" in house.traces()[1].reason


@pytest.mark.parametrize(
    ("condition", "turns", "expected"),
    [
        ("lamp is on and fan is on", ["lamp", "fan"], 1),
        ("lamp is on or fan is on", ["lamp", "fan"], 2),
        ("trigger: lamp is on and fan is on", ["lamp", "fan"], 0),
        ("trigger: lamp is on and fan is on", ["fan", "lamp"], 1),
        ("lamp is on and if fan is on", ["lamp", "fan"], 0),
        ("lamp is on and if fan is on", ["fan", "lamp"], 1),
        ("lamp is on and fan is on or when door is closed", ["lamp", "fan"], 1),
        ("[lamp is on or fan is on] and door is closed", ["lamp", "fan"], 0),
    ],
)
def test_what_starts_a_rule_and_what_is_only_asked(condition: str, turns: list[str], expected: int) -> None:
    house = RuledHouse(f'when {condition} then log "yes"')
    for device_id in turns:
        house.turn(device_id, True)
        house.wait(1)
    assert house.heard() == ["yes"] * expected


@pytest.mark.parametrize(
    ("sentence", "reports", "expected"),
    [
        ("$x changes", [0, 0, 1, 1], [0, 2]),
        ("$x gets updated", [0, 0, 1, 1], [0, 1, 2, 3]),
        ("$x increased", [5, 5, 6, 4, 7], [0, 2, 4]),
        ("$x decreased", [5, 5, 6, 4, 7], [3]),
        ("$x is increasing", [5, 6, 6, 7, 8], [0, 3]),
        ("$x is decreasing", [5, 4, 3, 4, 3], [1, 4]),
        ("$x > 5", [6, 7, 5, 6], [0, 3]),
        ("$x >= 5", [4, 5, 4, 5.5], [1, 3]),
        ("$x < 5", [5, 4, 3, 5, 0], [1, 4]),
        ("$x <= 5", [6, 5, 5.5, 5], [1, 3]),
        ("$x = 5", [5, 5, 6, 5], [0, 3]),
        ("$x != 5", [5, 6, 7, 5, 4], [1, 4]),
        ('$x = "5"', [5, 6, 5], []),
        ('$x = "up"', ["up", "down", "up"], [0, 2]),
        ("$x * 2 > $y + 9", [4, 5, 4, 6], [1, 3]),
        ("$double > 9", [4, 5, 4, 6], [1, 3]),
    ],
)
def test_variables_start_rules(sentence: str, reports: list[Any], expected: list[int]) -> None:
    house = RuledHouse()
    house.rule(f'when {sentence} then log "now"')
    ran = []
    for number, value in enumerate(reports):
        house.set("x", value)
        ran += [number] if house.heard() else []
        house.wait(1)
    assert ran == expected


def test_a_text_that_should_be_a_number_is_an_error_of_that_rule_said_once() -> None:
    house = RuledHouse('when $x > 5 then log "more"', 'when $x changes then log "other"')
    house.set("x", "many")
    house.wait(1)
    house.set("x", "a lot")
    house.set("x", "a lot")
    assert [error.partition(":")[0] for error in house.errors] == ["rule r0", "rule r0"]
    assert house.said == ["rule r1: other"] * 2
    house.set("x", 6)
    assert "rule r0: more" in house.said


def test_buttons_events_and_entities_start_rules() -> None:
    house = RuledHouse(
        'when ding is pressed then log "button"',
        'when event "door" is fired with side = "left" then log "event"',
        'when state of weather.sun is "up" then log "sun"',
        'when state of weather.wind > 5 then log "wind"',
    )
    house.ring()
    house.home.fire("door", {"side": "right"}, SOMEBODY)
    house.home.fire("door", {"side": "left", "more": 1}, SOMEBODY)
    for state in ("down", "up", "up"):
        house.home.report("weather.sun", state, {}, SOMEBODY)
        house.home.report("weather.wind", {"down": "4", "up": "6.5"}[state], {}, SOMEBODY)
    assert house.said == ["rule r0: button", "rule r1: event", "rule r2: sun", "rule r3: wind"]


def test_an_attribute_that_is_not_told_for_a_while_starts_a_rule_once() -> None:
    house = RuledHouse('when temperature of air was not updated for 1 minute then log "silent"')
    for _ in range(3):
        house.warm(20)
        house.wait(50)
    assert house.heard() == []
    house.wait(11)
    assert house.heard() == ["silent"]
    house.wait(1000)
    house.warm(21)
    house.wait(59)
    assert house.heard() == []
    house.wait(2)
    assert house.heard() == ["silent"]


def test_a_rule_can_start_with_the_hub_and_only_then() -> None:
    house = RuledHouse('when hallway is starting then log "hello"')
    assert house.heard() == ["hello"]
    house.rule('when hallway is starting then log "too late"')
    assert house.heard() == []


def test_a_restart_is_no_news() -> None:
    house = RuledHouse('when temperature of air > 25 then log "hot"', 'when $x changes then log "other"')
    house.warm(28)
    house.set("x", 5)
    house.restart()
    house.warm(29)
    house.set("x", 5)
    assert house.heard() == []
    house.warm(20)
    house.warm(26)
    house.set("x", 6)
    assert house.said == ["rule r0: hot", "rule r1: other"]


# ---------------------------------------------------------------------- one snapshot, in order


def test_a_condition_is_decided_on_the_home_as_the_change_left_it() -> None:
    house = RuledHouse(
        "when ding is pressed then turn lamp on",
        'when ding is pressed and if lamp is off then log "it was off"',
    )
    house.ring()
    assert house.said == ["rule r0: Lamp turned on", "rule r1: it was off"]


def test_two_parts_that_one_change_turns_start_the_rule_once() -> None:
    house = RuledHouse(
        {"rule": 'when temperature of air > 25 and $air.temperature > 20 then log "hot"', "again": "together"}
    )
    house.warm(26)
    assert house.heard() == ["hot"]
    assert house.results() == ["ran"]


def test_what_a_rule_does_has_the_rule_as_origin_and_the_change_as_cause() -> None:
    house = RuledHouse("when lamp is on then set $x to 5")
    house.turn("lamp", True)
    trigger = next(change for change in house.changes if isinstance(change, Updated) and change.device_id == "lamp")
    done = next(change for change in house.changes if isinstance(change, VariableSet) and change.name == "x")
    assert done.context == Context("rule:r0", "somebody", trigger.seq, 1)


def test_a_loop_ends_at_the_limit_of_causes_with_an_error_on_the_rule() -> None:
    house = RuledHouse(
        {"rule": "when $x changes then set $y to $x + 1", "again": "together"},
        {"rule": "when $y changes then set $x to $y + 1", "again": "together"},
    )
    house.set("x", 1)
    assert len(house.errors) == 1
    assert "cause" in house.errors[0]
    assert 20 < int(str(house.home.value("x"))) < 40
    shown = [house.home.states()[i].attributes for i in range(len(house.home.states()))]
    assert any("cause" in str(attributes.get("last_error")) for attributes in shown)


@pytest.mark.parametrize("source", ["$x", "$double"])
def test_what_is_computed_from_what_a_loop_moves_is_right_in_the_end(
    source: str, caplog: pytest.LogCaptureFixture
) -> None:
    house = RuledHouse({"rule": f"when {source} changes then set $x to $x + 1", "again": "together"})
    house.set("x", 1)
    assert any("cause" in error for error in house.errors)
    assert house.home.value("double") == 2 * int(str(house.home.value("x")))
    assert "Traceback" not in caplog.text


@pytest.mark.parametrize(
    "rule",
    [
        'when ding is pressed or event "e" is fired then fire event "e" and fire event "e"',
        "when ding is pressed or $x changes or $y changes then set $x to $x + 1 and set $y to $y + 1",
    ],
)
@pytest.mark.parametrize("again", ["together", "restart", "queue", "ignore"])
def test_a_loop_that_splits_up_ends_too(rule: str, again: str) -> None:
    house = RuledHouse({"rule": rule, "again": again, "logging": False}, variables=VARIABLES[:2])
    house.home.changes.subscribe(
        lambda change: pytest.fail("it goes on and on") if len(house.changes) > 50_000 else None, Fired, VariableSet
    )
    house.ring()
    house.wait(10)
    assert again == "ignore" or any("circle" in error for error in house.errors)
    house.turn("lamp", True)
    house.errors.clear()
    house.rule('when $x changes then log "fine"', "other")
    house.set("x", -1)
    assert "rule other: fine" in house.said


def test_runs_that_rules_start_with_time_between_are_no_circle() -> None:
    house = RuledHouse(
        {"rule": 'when ding is pressed then fire event "e"', "again": "together", "logging": False},
        {"rule": 'when event "e" is fired then set $x to $x + 1', "again": "together", "logging": False},
    )
    for _ in range(MOST_AT_ONCE + 5):
        house.ring()
        house.wait(0.01)
    assert house.home.value("x") == MOST_AT_ONCE + 5
    assert house.errors == []


# ---------------------------------------------------------------------- faults


class BrokenSignal(Signal):
    """It works so many times."""

    def __init__(self, ground: Ground, works: int) -> None:
        super().__init__()
        self._ground = ground
        self._works = works

    def start(self) -> None:
        self._ground.source("x").hear(self.update)

    def stop(self) -> None:
        self._ground.source("x").hear_no_more(self.update)

    def now(self) -> bool:
        self._works -= 1
        if self._works < 0:
            raise RuntimeError("a fault")
        return False


@pytest.mark.parametrize(("works", "said"), [(0, "cannot be bound"), (1, "has a fault")])
def test_the_fault_of_one_rule_is_nobody_elses(works: int, said: str, caplog: pytest.LogCaptureFixture) -> None:
    house = RuledHouse('when $x changes then log "x"', 'when hallway is starting then log "start"', start=False)
    house.engine = RuleEngine(
        house.home,
        RuleParser(built_in()),
        house.clock,
        more={Starting: lambda ground, _test: BrokenSignal(ground, works)},
    )
    house.start()
    house.heard()
    house.set("x", 1)
    assert house.heard() == ["x"]
    assert [error.partition(":")[0] for error in house.errors] == ["rule r1"]
    assert said in house.errors[0]
    assert "a fault" in caplog.text


def test_an_action_that_fails_leaves_the_others_alone() -> None:
    house = RuledHouse('when ding is pressed then set $x to $word + 1 and log "still here"')
    house.ring()
    assert house.heard() == ["still here"]
    assert len(house.errors) == 1
    assert house.errors[0].startswith("rule r0: set $x to $word + 1: ")
    assert [did.state for did in house.traces()[0].did] == ["failed", "done"]


# ---------------------------------------------------------------------- edits


def test_a_rule_that_is_edited_begins_anew() -> None:
    house = RuledHouse('when lamp is on then log "a"')
    house.home.rules.change("r0", {"rule": 'when fan is on then log "b"'}, SOMEBODY)
    house.turn("lamp", True)
    house.turn("fan", True)
    assert house.heard() == ["b"]
    house.home.rules.change("r0", {"active": False}, SOMEBODY)
    house.turn("fan", False)
    house.wait(1)
    house.turn("fan", True)
    assert house.heard() == []
    house.home.rules.change("r0", {"active": True}, SOMEBODY)
    house.turn("fan", False)
    house.turn("fan", True)
    assert house.heard() == ["b"]
    house.home.rules.remove("r0", SOMEBODY)
    house.turn("fan", False)
    house.wait(1)
    house.turn("fan", True)
    assert house.heard() == []
    assert house.traces() == []


def test_nothing_is_watched_any_more_when_no_rule_asks() -> None:
    house = RuledHouse(
        'when lamp is on and $x > 5 and $x + $y > 7 then log "a"', 'when event "e" is fired then log "b"'
    )
    keys = ("device:lamp", "variable:x", "variable:y", "event:e")
    assert [house.home.changes.watching(key) for key in keys] == [1, 1, 1, 1]
    for rule in house.home.rules.all():
        house.home.rules.remove(rule.id, SOMEBODY)
    assert [house.home.changes.watching(key) for key in keys] == [0, 0, 0, 0]


def test_a_variable_that_goes_takes_exactly_its_rules_out_of_service_and_brings_them_back() -> None:
    house = RuledHouse('when $x > 5 then log "x"', 'when $y > 5 then log "y"')
    house.home.remove_variable("x", SOMEBODY)
    assert [(rule.id, rule.active, rule.valid) for rule in house.home.rules.all()] == [
        ("r0", False, False),
        ("r1", True, True),
    ]
    assert len(house.errors) == 1
    assert "$x" in house.errors[0]
    house.home.add_variable({"name": "x", "value": 1}, SOMEBODY)
    house.set("x", 6)
    house.set("y", 6)
    assert house.said == ["rule r0: x", "rule r1: y"]


def test_a_rule_follows_the_name_of_a_device_to_another() -> None:
    lamp: Attributes = {"id": "lamp", "class": "DummySwitch", "name": "Over the table"}
    house = RuledHouse('when over the table is on then log "yes"', devices=(lamp, *DEVICES[1:]))
    house.home.change_device({**lamp, "name": "Old"}, SOMEBODY)
    assert not house.home.rules.get("r0").valid
    house.home.change_device({"id": "fan", "class": "DummySwitch", "name": "Over the table"}, SOMEBODY)
    house.turn("lamp", True)
    assert house.heard() == []
    house.turn("fan", True)
    assert house.heard() == ["yes"]


def test_an_edit_of_a_device_leaves_rules_alone_that_mean_the_same() -> None:
    house = RuledHouse('when lamp is on for 10 seconds then log "long"')
    house.turn("lamp", True)
    house.wait(6)
    house.home.change_device({"id": "lamp", "class": "DummySwitch", "name": "Another name"}, SOMEBODY)
    house.wait(5)
    assert house.heard() == ["long"]


def test_a_rule_on_what_was_never_reported_runs_once_it_is() -> None:
    house = RuledHouse('when $weather-sun.state = "up" then log "morning"')
    assert not house.home.rules.get("r0").valid
    house.home.report("weather.sun", "down", {}, SOMEBODY)
    assert house.home.rules.get("r0").valid
    house.home.report("weather.sun", "up", {}, SOMEBODY)
    assert house.heard() == ["morning"]


def test_a_rule_on_a_value_that_was_not_reported_yet_runs_once_it_is() -> None:
    house = RuledHouse('when $weather-sun.mm > 3 then log "wet"', 'when $weather-sun.mm > 4 then log "wetter"')
    house.home.report("weather.sun", "up", {}, SOMEBODY)
    house.home.report("weather.sun", "down", {"name": "Sun"}, SOMEBODY)
    assert [rule.valid for rule in house.home.rules.all()] == [False, False]
    house.home.report("weather.sun", "up", {"mm": 1}, SOMEBODY)
    assert [rule.valid for rule in house.home.rules.all()] == [True, True]
    house.home.report("weather.sun", "up", {"mm": 5}, SOMEBODY)
    assert house.said == ["rule r0: wet", "rule r1: wetter"]
    assert house.home.changes.watching("device:weather-sun") == 1


def test_a_value_that_was_missing_when_the_hub_started_brings_its_rule_back() -> None:
    house = RuledHouse()
    house.home.report("weather.sun", "up", {"mm": 1}, SOMEBODY)
    house.rule('when $weather-sun.mm > 3 then log "wet"')
    house.home.report("weather.sun", "up", {}, SOMEBODY)
    house.restart()
    assert not house.home.rules.get("r").valid
    house.home.report("weather.sun", "up", {"mm": 2}, SOMEBODY)
    house.home.report("weather.sun", "up", {"mm": 4}, SOMEBODY)
    assert house.heard() == ["wet"]


def test_what_a_rule_waits_for_that_is_removed_or_stopped_is_watched_no_more() -> None:
    house = RuledHouse("when $weather-sun.mm > 3 then turn lamp on", "when $weather-rain.mm > 3 then turn lamp on")
    keys = ("device:weather-sun", "device:weather-rain")
    assert [house.home.changes.watching(key) for key in keys] == [1, 1]
    house.home.rules.remove("r0", SOMEBODY)
    assert [house.home.changes.watching(key) for key in keys] == [0, 1]
    house.engine.stop()
    assert [house.home.changes.watching(key) for key in keys] == [0, 0]


# ---------------------------------------------------------------------- asked for


def test_a_rule_can_be_asked_for_as_a_service_whatever_its_condition_says() -> None:
    house = RuledHouse('when lamp is on then log "yes"', {"rule": 'when lamp is on then log "no"', "active": False})
    call = house.home.call_service("rule", "trigger", {"entity_id": "rule.r0"}, SOMEBODY)
    assert call.done
    assert call.error is None
    assert house.heard() == ["yes"]
    assert house.traces()[0].cause == "asked for by somebody"
    with pytest.raises(NotFound, match="switched off"):
        house.engine.trigger("r1", SOMEBODY)
    with pytest.raises(NotFound, match="nope"):
        house.engine.trigger("nope", SOMEBODY)


def test_a_rule_that_asks_for_itself_is_a_loop_that_ends() -> None:
    house = RuledHouse(
        {"rule": 'when ding is pressed then call rule.trigger with {"entity_id": "rule.r0"}', "again": "together"}
    )
    house.ring()
    assert 5 < len(house.traces()) < 40
    assert any("cause" in error for error in house.errors)


def test_its_entity_says_when_a_rule_ran_last() -> None:
    house = RuledHouse('when lamp is on then log "yes"')
    house.turn("lamp", True)
    state = house.home.state("rule.r0")
    assert state is not None
    assert state.attributes["last_triggered"] == "08:00:00 15-01-2027"


def test_an_error_does_not_hide_when_a_rule_ran_last() -> None:
    house = RuledHouse('when $x > 5 then log "yes"')
    house.set("x", 6)
    house.set("x", "many")
    state = house.home.state("rule.r0")
    assert state is not None
    assert state.attributes["last_triggered"] == "08:00:00 15-01-2027"
    assert "many" in str(state.attributes["last_error"])


def test_an_engine_that_is_stopped_hears_nothing() -> None:
    house = RuledHouse('when lamp is on then log "yes" after 5 seconds')
    house.turn("lamp", True)
    house.engine.stop()
    house.wait(10)
    house.turn("lamp", False)
    house.turn("lamp", True)
    assert house.heard() == []
    assert house.home.changes.watching("device:lamp") == 0


def test_rules_that_log_nothing_say_nothing_but_errors() -> None:
    house = RuledHouse({"rule": 'when ding is pressed then log "a" and set $x to $word * 2', "logging": False})
    house.ring()
    assert house.heard() == []
    assert len(house.errors) == 1
    assert [c.message.tags for c in house.changes if isinstance(c, Said)] == [("pimatic", "rule")]


def test_a_notification_stands_in_the_list_once() -> None:
    house = RuledHouse('when lamp is on then notify "hi" and log "ho"')
    house.turn("lamp", True)
    assert house.said == ["hi", "rule r0: ho"]


def test_the_trace_of_a_scene_says_what_it_set() -> None:
    house = RuledHouse({"rule": "when ding is pressed then activate scene cool"})
    house.home.scenes.add({"id": "cool", "name": "Cool", "entities": {"switch.fan": "on", "variable.x": "5"}}, SOMEBODY)
    house.home.rules.change("r0", {"rule": "when ding is pressed then activate scene cool"}, SOMEBODY)
    house.ring()
    [trace] = house.traces()
    assert [(did.state, did.text) for did in trace.did] == [
        ("done", "activated scene Cool: switch.fan on; variable.x 5")
    ]
    assert house.heard() == ["activated scene Cool: switch.fan on; variable.x 5"]
