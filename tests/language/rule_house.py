"""A small house for the tests of rules: a device of each class, some variables, and short ways to ask the language."""

from __future__ import annotations

from typing import Any

import pytest

from hallway.errors import HallwayError
from hallway.home.values import Attributes, Value
from hallway.language.conditions import Predicate, Test
from hallway.language.deeds import Deed
from hallway.language.kinds import built_in
from hallway.language.matching import RuleError
from hallway.language.rules import ParsedRule, RuleParser
from tests.home.homes import TEST, House, a_device

DEVICES = (
    a_device("DummySwitch", "lamp", name="Hall Lamp"),
    a_device("DummySwitch", "fan", name="Fan", xOnLabel="An", xOffLabel="Aus"),
    a_device("DummyDimmer", "dimmer", name="Floor Lamp"),
    a_device("DummyShutter", "blind", name="Bedroom Blind"),
    a_device("DummyHeatingThermostat", "heating", name="Office Heating"),
    a_device("DummyContactSensor", "window", name="Window"),
    a_device("DummyPresenceSensor", "motion", name="Motion Hall", autoReset=False),
    a_device("DummyTemperatureSensor", "outside", name="Outside"),
    a_device("ButtonsDevice", "remote", name="Remote", buttons=[{"id": "up", "text": "Go Up"}]),
    a_device("InputDevice", "field", name="Field"),
    a_device("Timer", "clock", name="Egg Timer"),
)
VARIABLES = (
    {"name": "n", "value": 10},
    {"name": "half", "value": 2.5},
    {"name": "word", "value": "hello"},
    {"name": "double", "expression": "$n * 2"},
)


class RuleHouse(House):
    """A house that is asked about rules."""

    def __init__(self, *more: Attributes) -> None:
        super().__init__(*DEVICES, *more, variables=VARIABLES)
        self.parser = RuleParser(built_in())

    def rule(self, text: str) -> ParsedRule:
        return self.parser(text, self.home)

    def wrong(self, text: str) -> RuleError:
        """The error of a sentence that is no rule."""
        with pytest.raises(RuleError) as caught:
            self.rule(text)
        return caught.value

    def predicates(self, condition: str) -> tuple[Predicate, ...]:
        return self.rule(f'when {condition} then log "x"').predicates

    def test(self, condition: str) -> Test:
        """What the only predicate of a condition tests."""
        (predicate,) = self.predicates(condition)
        assert predicate.duration is None
        return predicate.test

    def accepts(self, condition: str) -> bool:
        return self._is_rule(f'when {condition} then log "x"')

    def deed(self, action: str) -> Deed:
        (found,) = self.rule(f"when lamp is on then {action}").deeds
        return found.deed

    def does(self, action: str) -> bool:
        """Whether it is an action."""
        return self._is_rule(f"when lamp is on then {action}")

    def _is_rule(self, text: str) -> bool:
        try:
            self.rule(text)
        except HallwayError:
            return False
        return True

    def execute(self, text: str) -> Value:
        return self.parser.execute(text, self.home, TEST, simulate=False, logging=False)

    def simulate(self, text: str) -> Value:
        return self.parser.execute(text, self.home, TEST, simulate=True, logging=False)

    def hints(self, condition: str) -> dict[str, Any]:
        return self.parser.condition_hints(condition, self.home)

    def action_hints(self, actions: str) -> dict[str, Any]:
        return self.parser.action_hints(actions, self.home)

    def proposes(self, condition: str) -> set[str]:
        return set(self.hints(condition)["autocomplete"])

    def proposes_actions(self, actions: str) -> set[str]:
        return set(self.action_hints(actions)["autocomplete"])

    def info(self, predicate: str, class_name: str | None = None) -> dict[str, Any]:
        return self.parser.predicate_info(predicate, class_name, self.home)


def parts(elements: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """Type and text of the elements of a form."""
    return [(element["type"], element["match"]) for element in elements]
