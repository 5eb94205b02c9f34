"""Operations on rules: list, define, order, help to write them, and single actions."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from hallway.api.operations.base import Ask
from hallway.api.operations.pimatic.rules import condition_hints
from hallway.errors import InvalidInput
from tests.api.operations.pimatic.desk import ADMIN, Desk
from tests.home.homes import a_device

NIGHT = {"name": "Night", "ruleString": 'when it is turned on then log "hello"'}


def desk_with_lamp() -> Desk:
    return Desk(a_device("DummySwitch", name="Lamp"), variables=({"name": "num", "value": 10},))


async def test_a_rule_comes_changes_and_goes() -> None:
    desk = desk_with_lamp()
    assert await desk.kept_after("addRuleByString", ruleId="night", rule={**NIGHT, "logging": "false"}) is None
    assert await desk.ask("getRuleById", ruleId="night") == {
        "id": "night",
        "name": "Night",
        "string": NIGHT["ruleString"],
        "active": True,
        "valid": True,
        "logging": False,
        "conditionToken": "it is turned on",
        "actionsToken": 'log "hello"',
        "error": None,
    }
    assert await desk.kept_after("updateRuleByString", ruleId="night", rule={"active": False, "name": None}) is True
    rules = await desk.ask("getRules")
    assert [(rule["id"], rule["active"], rule["name"]) for rule in rules] == [("night", False, "Night")]
    assert await desk.kept_after("removeRule", ruleId="night") is None
    assert await desk.ask("getRuleById", ruleId="night") is None


async def test_what_pimatic_does_not_have_shows_only_where_somebody_chose_it() -> None:
    desk = desk_with_lamp()
    await desk.kept_after("addRuleByString", ruleId="night", rule={**NIGHT, "again": "queue", "late": "60"})
    shown = await desk.ask("getRuleById", ruleId="night")
    assert (shown["again"], shown["late"]) == ("queue", 60)
    assert desk.home.rules.get("night").late == 60
    await desk.kept_after("updateRuleByString", ruleId="night", rule={"again": "ignore"})
    shown = await desk.ask("getRuleById", ruleId="night")
    assert ("again" in shown, shown["late"]) == (False, 60)
    await desk.kept_after("updateRuleByString", ruleId="night", rule={"late": 15})
    assert "late" not in await desk.ask("getRuleById", ruleId="night")


@pytest.mark.parametrize(
    ("operation", "given"),
    [
        ("addRuleByString", {"ruleId": "new", "rule": {**NIGHT, "again": "often"}}),
        ("addRuleByString", {"ruleId": "new", "rule": {**NIGHT, "again": ["queue"]}}),
        ("addRuleByString", {"ruleId": "new", "rule": {**NIGHT, "late": -1}}),
        ("addRuleByString", {"ruleId": "new", "rule": {**NIGHT, "late": True}}),
        ("updateRuleByString", {"ruleId": "there", "rule": {"late": "soon"}}),
        ("addRuleByString", {"ruleId": "bad id", "rule": NIGHT}),
        ("addRuleByString", {"ruleId": "there", "rule": NIGHT}),
        ("addRuleByString", {"ruleId": "new", "rule": {"name": "x"}}),
        ("addRuleByString", {"ruleId": "new", "rule": {"ruleString": NIGHT["ruleString"]}}),
        ("addRuleByString", {"ruleId": "new", "rule": "when it is on then log 1"}),
        ("addRuleByString", {"ruleId": "new", "rule": {**NIGHT, "active": "maybe"}}),
        ("addRuleByString", {"ruleId": "new", "rule": {**NIGHT, "active": 1}}),
        ("addRuleByString", {"ruleId": "new", "rule": {**NIGHT, "name": 5}}),
        ("addRuleByString", {"ruleId": "new", "rule": {**NIGHT, "ruleString": "foo bar"}}),
        ("addRuleByString", {"ruleId": "new", "rule": {**NIGHT, "ruleString": "when foo is bar then log 1"}}),
        ("addRuleByString", {"ruleId": "new", "rule": {**NIGHT, "ruleString": "when foo"}, "force": True}),
        ("updateRuleByString", {"ruleId": "nope", "rule": {"name": "x"}}),
        ("updateRuleByString", {"ruleId": "there", "rule": {"ruleString": "when x then y"}}),
        ("updateRuleByString", {"ruleId": "there"}),
        ("removeRule", {"ruleId": "nope"}),
        ("updateRuleOrder", {"ruleOrder": "a"}),
        ("executeAction", {"actionString": "foo"}),
        ("executeAction", {"actionString": ""}),
        ("executeAction", {"actionString": 5}),
        ("getRuleConditionHints", {"conditionInput": 5}),
        ("getRuleActionsHints", {}),
    ],
)
async def test_what_cannot_be_is_a_bad_request(operation: str, given: dict[str, Any]) -> None:
    desk = desk_with_lamp()
    await desk.ask("addRuleByString", ruleId="there", rule=NIGHT)
    with desk.refuses():
        await desk.ask(operation, **given)


async def test_a_rule_that_cannot_be_read_is_kept_when_somebody_insists() -> None:
    desk = desk_with_lamp()
    rule = {"name": "Forced", "ruleString": "when foo is bar then log 1"}
    with pytest.raises(InvalidInput, match="kept and does not work"):
        await desk.ask("addRuleByString", ruleId="forced", rule=rule, force="true")
    assert desk.store.kept_up_to == desk.home.changes.seq
    found = await desk.ask("getRuleById", ruleId="forced")
    assert (found["valid"], found["active"], bool(found["error"])) == (False, False, True)


async def test_a_rule_that_lost_its_device_is_no_longer_valid() -> None:
    desk = desk_with_lamp()
    desk.home.add_device({"id": "heater", "name": "Heater", "class": "DummySwitch"}, "store")
    await desk.ask("addRuleByString", ruleId="r", rule={**NIGHT, "ruleString": 'when heater is on then log "x"'})
    await desk.ask("removeDevice", deviceId="heater")
    found = await desk.ask("getRuleById", ruleId="r")
    assert (found["valid"], found["active"], found["error"]) == (False, False, None)


async def test_the_order_is_that_of_the_list() -> None:
    desk = desk_with_lamp()
    for rule_id in ("one", "two"):
        await desk.ask("addRuleByString", ruleId=rule_id, rule=NIGHT)
    assert await desk.kept_after("updateRuleOrder", ruleOrder=["two"]) == ["two"]
    assert [rule["id"] for rule in await desk.ask("getRules")] == ["two", "one"]


async def test_help_while_a_rule_is_written() -> None:
    desk = desk_with_lamp()
    empty = await desk.ask("getRuleConditionHints", conditionInput="")
    assert empty == {
        "tokens": [],
        "predicates": [],
        "tree": None,
        "autocomplete": [],
        "errors": [],
        "format": [],
        "warnings": [],
    }
    assert "it" in (await desk.ask("getRuleConditionHints", conditionInput="i"))["autocomplete"]
    assert "toggle " in (await desk.ask("getRuleActionsHints", actionsInput="to"))["autocomplete"]
    presets = await desk.ask("getPredicatePresets")
    assert {"name", "input", "predicateProviderClass"} == set(presets[0])
    info = await desk.ask("getPredicateInfo", input="it is on")
    assert (info["token"], info["elements"][0]["match"]) == ("it is on", "it")
    other = await desk.ask("getPredicateInfo", input="it is on", predicateProviderClass="PresencePredicateProvider")
    assert other["errors"]


async def test_a_single_action_is_done_at_once() -> None:
    desk = desk_with_lamp()
    assert await desk.ask("executeAction", actionString='log "hi $num"') == "hi 10"
    assert [message.text for message in desk.home.messages.all() if "hi 10" in message.text] != []
    await desk.ask("executeAction", actionString="turn it on", logging="false")
    assert desk.house.value("state") is True
    before = desk.house.everything()
    assert await desk.ask("executeAction", actionString="turn it off", simulate="true")
    assert desk.house.everything() == before


async def test_a_hub_without_the_language_says_so() -> None:
    desk = desk_with_lamp()
    hub = msgspec.structs.replace(desk.hub, rule_language=None)
    with pytest.raises(InvalidInput, match="without the language"):
        condition_hints(hub, Ask((), {"conditionInput": "x"}, ADMIN))
