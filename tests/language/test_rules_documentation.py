"""The page about the language of rules: its examples are rules, and none is left out."""

import re
from pathlib import Path

import pytest

from hallway.language.durations import SECONDS_OF
from hallway.language.times import SUN_EVENTS
from tests.home.homes import a_device
from tests.language.rule_house import RuleHouse

PAGE = (Path(__file__).parents[2] / "docs" / "rules-language.md").read_text(encoding="utf-8")


def examples(kind: str) -> list[str]:
    blocks = re.findall(rf"^```{kind}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    return [line for block in blocks for line in block.splitlines()]


@pytest.fixture(scope="module")
def documented() -> RuleHouse:
    house = RuleHouse(a_device("DummyAVPlayer", "radio"))
    house.report("scene.dinner", "scening")
    return house


@pytest.mark.parametrize("condition", examples("conditions"))
def test_a_condition_can_be_used(documented: RuleHouse, condition: str) -> None:
    assert documented.hints(condition)["errors"] == []
    assert documented.accepts(condition)


@pytest.mark.parametrize("action", examples("actions"))
def test_an_action_can_be_used(documented: RuleHouse, action: str) -> None:
    assert documented.action_hints(action)["errors"] == []
    assert documented.does(action)


def test_every_kind_has_an_example(documented: RuleHouse) -> None:
    registry = documented.parser.registry
    rules = [documented.rule(f'when {condition} then log "x"') for condition in examples("conditions")]
    shown = {predicate.provider for rule in rules for predicate in rule.predicates}
    assert shown == {kind.provider for kind in registry.predicates.all}
    deeds = [documented.rule(f"when lamp is on then {action}") for action in examples("actions")]
    done = {action.provider for rule in deeds for action in (*rule.deeds, *rule.otherwise)}
    assert done == {kind.provider for kind in registry.actions.all}


def test_the_moments_of_the_sun_and_the_units_are_listed() -> None:
    assert [event for event in SUN_EVENTS if not re.search(rf"\b{event}\b", PAGE)] == []
    assert {"ms", "s", "m", "h", "d", "y", "second", "year"} <= set(SECONDS_OF)
