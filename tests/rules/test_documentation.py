"""The examples of docs/rules.md: each is a rule of the home that the page describes, and does what the page says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from hallway.home.values import Attributes
from hallway.rules.sun import Place
from tests.rules.houses import NOW, SOMEBODY, RuledHouse

PAGE = (Path(__file__).parent.parent.parent / "docs" / "rules.md").read_text("utf-8")
RULES = re.findall(r"^```rule\n(.*?)\n```$", PAGE, re.MULTILINE | re.DOTALL)
DEVICES: tuple[Attributes, ...] = (
    {"id": "lamp", "class": "DummySwitch"},
    {"id": "fan", "class": "DummySwitch"},
    {"id": "light", "class": "DummyDimmer"},
    {"id": "air", "class": "DummyTemperatureSensor"},
    {"id": "door", "class": "DummyContactSensor"},
    {"id": "motion", "class": "DummyPresenceSensor", "autoReset": False},
    {"id": "blind", "class": "DummyShutter"},
    {"id": "heating", "class": "DummyHeatingThermostat"},
    {"id": "clock", "class": "Timer"},
    {"id": "bell", "class": "ButtonsDevice", "buttons": [{"id": "ding", "text": "Ding"}]},
)
VARIABLES: tuple[Attributes, ...] = tuple(
    {"name": name, "value": value}
    for name, value in (("wanted", 5), ("price", 1), ("wakeup", "7:00"), ("greeting", ""))
)


def phrases(heading: str) -> list[str]:
    """What stands in the first column of the table below a heading."""
    section = PAGE.partition(f"\n## {heading}\n")[2].partition("\n#")[0]
    rows = [line.split(" | ")[0] for line in section.splitlines() if line.startswith("| `")]
    return [phrase for row in rows for phrase in re.findall(r"`([^`]+)`", row)]


def a_house(*rules: str) -> RuledHouse:
    house = RuledHouse(*rules, devices=DEVICES, variables=VARIABLES, place=Place(52, 5), start=False)
    house.home.report("scene.dinner", "on", {"friendly_name": "dinner"}, SOMEBODY)
    house.start()
    return house


def run(*rules: str) -> RuledHouse:
    house = a_house(*rules)
    assert [rule.error for rule in house.home.rules.all()] == [None] * len(rules)
    return house


def test_there_are_examples() -> None:
    assert len(RULES) >= 10
    assert len(phrases("When")) >= 24
    assert len(phrases("Then")) >= 20


@pytest.mark.parametrize("sentence", RULES)
def test_every_example_is_a_rule_that_runs(sentence: str) -> None:
    run(sentence)


@pytest.mark.parametrize("phrase", phrases("When"))
def test_every_phrase_of_the_first_table_is_a_condition(phrase: str) -> None:
    house = a_house()
    house.rule(f"when {phrase} then toggle fan")
    assert house.errors == []


@pytest.mark.parametrize("phrase", phrases("Then"))
def test_every_phrase_of_the_second_table_is_an_action_that_can_be_done(phrase: str) -> None:
    house = a_house()
    if phrase.startswith("{"):
        phrase = f'log "{phrase}"'
    house.rule(f"when ding is pressed then {phrase}")
    house.home.services.elsewhere = lambda _domain, _service: True
    house.ring()
    assert house.errors == []


def test_what_was_on_for_a_while_is_turned_off() -> None:
    house = run(RULES[0])
    house.turn("lamp", True)
    house.wait(601)
    assert house.on("lamp") is False


def test_and_if_starts_nothing() -> None:
    house = run(RULES[2])
    house.home.act("motion", "changePresenceTo", {"presence": True}, SOMEBODY)
    house.home.act("door", "changeContactTo", {"contact": True}, SOMEBODY)
    house.home.act("door", "changeContactTo", {"contact": False}, SOMEBODY)
    house.home.act("motion", "changePresenceTo", {"presence": False}, SOMEBODY)
    assert house.on("lamp") is False
    house.home.act("door", "changeContactTo", {"contact": True}, SOMEBODY)
    house.home.act("door", "changeContactTo", {"contact": False}, SOMEBODY)
    assert house.on("lamp") is True


def test_else_goes_both_ways() -> None:
    house = run(next(rule for rule in RULES if rule.endswith("else turn fan off")))
    house.warm(30)
    assert house.on("fan") is True
    house.wait(1)
    house.warm(20)
    assert house.on("fan") is False


def test_for_puts_back_and_after_comes_later() -> None:
    house = run(*(rule for rule in RULES if "for 5 minutes" in rule or "later" in rule))
    house.home.act("motion", "changePresenceTo", {"presence": True}, SOMEBODY)
    assert house.on("lamp") is True
    house.wait(11)
    assert house.on("fan") is True
    house.wait(50)
    assert "rule r1: later" in house.said
    house.wait(NOW + 301 - house.clock.now())
    assert house.on("lamp") is False
