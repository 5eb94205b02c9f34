"""What `else` promises: it is done once, when the condition is not true or true no more, and not beside `then`."""

from __future__ import annotations

import pytest

from tests.rules.houses import RuledHouse


def test_else_is_done_when_the_condition_comes_false() -> None:
    house = RuledHouse('when lamp is on then log "on" else log "off"')
    for on in (True, False, True, False):
        house.turn("lamp", on)
    assert house.heard() == ["on", "off", "on", "off"]
    assert house.results() == ["ran", "otherwise"] * 2


def test_else_is_done_when_something_happens_while_the_condition_is_false() -> None:
    house = RuledHouse('when ding is pressed and if lamp is on then log "yes" else log "no"')
    house.ring()
    house.turn("lamp", True)
    assert house.heard() == ["no"]
    house.wait(1)
    house.ring()
    assert house.heard() == ["yes"]


def test_what_is_still_true_by_another_part_is_neither_done_again_nor_undone() -> None:
    house = RuledHouse('when lamp is on or fan is on then log "some" else log "none"')
    for device_id, on in (("lamp", True), ("fan", True), ("lamp", False), ("fan", False)):
        house.turn(device_id, on)
        house.wait(1)
    assert house.heard() == ["some", "some", "none"]


@pytest.mark.parametrize(
    ("condition", "turns", "expected"),
    [
        ("lamp is on and fan is on", ["+lamp", "-lamp", "+fan", "-fan"], []),
        ("lamp is on and fan is on", ["+lamp", "+fan", "-lamp", "-fan"], ["yes", "no"]),
        ("lamp is on and fan is on", ["+lamp", "+fan", "-lamp", "+lamp", "-fan", "-lamp"], ["yes", "no"] * 2),
        ("lamp is on or fan is on", ["+lamp", "+fan", "-lamp", "-fan"], ["yes", "yes", "no"]),
        ("lamp is on and if fan is off", ["+lamp", "+fan", "-lamp"], ["yes", "no"]),
        ("lamp is on and if fan is off", ["+fan", "+lamp", "-fan", "-lamp"], []),
        ("trigger: lamp is on and fan is on", ["+lamp", "+fan", "-fan", "-lamp"], ["no"]),
        ("trigger: lamp is on and fan is on", ["+fan", "+lamp", "-fan"], ["yes"]),
        ("$x changes and fan is on", ["+fan", "-fan"], []),
    ],
)
def test_else_is_done_once_when_a_condition_that_was_true_comes_false(
    condition: str, turns: list[str], expected: list[str]
) -> None:
    house = RuledHouse(f'when {condition} then log "yes" else log "no"')
    for turn in turns:
        house.turn(turn[1:], turn[0] == "+")
        house.wait(1)
    assert house.heard() == expected


def test_else_of_a_new_rule_waits_until_its_condition_was_true() -> None:
    house = RuledHouse()
    house.warm(20)
    house.turn("lamp", True)
    house.rule('when temperature of air > 25 then log "warm" else log "cold"', "cold")
    house.rule('when lamp is on then log "on" else log "off"', "off")
    house.warm(21)
    house.turn("lamp", False)
    assert house.heard() == ["off"]


@pytest.mark.parametrize(
    "condition",
    [
        "trigger: $x > 3 and trigger: $x > 2",
        "trigger: $x > 2 and trigger: $x > 3",
        "trigger: $x > 3 and trigger: $x > 3",
        "$x < 2 or trigger: $x > 3",
        "trigger: $x > 3 or $x < 2",
        "[trigger: $x > 3 and trigger: $x > 2] or $x < 2",
    ],
)
def test_else_is_not_done_when_all_comes_true_with_one_change(condition: str) -> None:
    house = RuledHouse(f'when {condition} then log "yes" else log "no"')
    house.set("x", 1)
    house.heard()
    house.set("x", 5)
    assert house.heard() == ["yes"]
    assert [trace.result for trace in house.traces()] == ["ran"]


def test_else_is_done_once_when_one_of_two_comes_true_with_a_change() -> None:
    house = RuledHouse('when trigger: $x > 3 and trigger: $y > 2 then log "yes" else log "no"')
    house.set("x", 5)
    assert house.heard() == ["no"]
    house.wait(1)
    house.set("y", 5)
    assert (house.heard(), house.results()) == (["no"], ["otherwise", "otherwise"])


@pytest.mark.parametrize("restarts", [0, 1])
def test_else_is_done_too_when_what_had_begun_before_the_rule_lasts_and_comes_false(restarts: int) -> None:
    house = RuledHouse()
    house.turn("lamp", True)
    house.rule('when lamp is on for 5 seconds then log "yes" else log "no"')
    house.wait(6)
    for _ in range(restarts):
        house.restart()
    assert house.heard() == []
    house.turn("lamp", False)
    assert house.heard() == ["no"]


def test_else_remembers_over_a_restart_what_was_true() -> None:
    house = RuledHouse('when lamp is on and fan is on then log "yes" else log "no"')
    house.turn("lamp", True)
    house.restart()
    house.turn("lamp", False)
    house.turn("lamp", True)
    house.turn("fan", True)
    assert house.heard() == ["yes"]
    house.restart()
    house.turn("fan", False)
    house.turn("lamp", False)
    assert house.heard() == ["no"]
