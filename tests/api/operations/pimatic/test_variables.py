"""Operations on variables: list, define, set, order."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.operations.pimatic.desk import Desk
from tests.home.homes import a_device

VARIABLES = ({"name": "num", "value": 10}, {"name": "double", "expression": "$num * 2"})


async def test_a_variable_comes_changes_and_goes() -> None:
    desk = Desk()
    added = await desk.kept_after("addVariable", name="x", type="value", valueOrExpression="007", unit="W")
    assert added == {"name": "x", "readonly": False, "type": "value", "value": 7, "unit": "W"}
    assert await desk.ask("getVariableByName", name="x") == added
    changed = await desk.kept_after("updateVariable", name="x", type="value", valueOrExpression="text")
    assert changed == {"name": "x", "readonly": False, "type": "value", "value": "text", "unit": ""}
    assert await desk.kept_after("removeVariable", name="x") is True
    assert await desk.ask("removeVariable", name="x") is None
    assert await desk.ask("getVariableByName", name="x") is None


async def test_a_value_is_kept_before_it_is_answered_even_when_it_is_the_same() -> None:
    desk = Desk(variables=VARIABLES)
    for _ in range(2):
        answer = await desk.kept_after("updateVariable", name="num", type="value", valueOrExpression=11)
        assert answer["value"] == 11
    assert desk.home.value("double") == 22


async def test_a_value_becomes_an_expression_and_back() -> None:
    desk = Desk(variables=VARIABLES)
    computed = await desk.kept_after("updateVariable", name="num", type="expression", valueOrExpression="2 + 3")
    assert (computed["type"], computed["exprInputStr"], computed["exprTokens"]) == ("expression", "2 + 3", [2, "+", 3])
    assert desk.home.value("double") == 10
    plain = await desk.kept_after("updateVariable", name="num", type="value", valueOrExpression="1")
    assert (plain["type"], "exprTokens" in plain) == ("value", False)


@pytest.mark.parametrize(
    ("operation", "given"),
    [
        ("addVariable", {"name": "num", "type": "value", "valueOrExpression": "1"}),
        ("addVariable", {"name": "new", "type": "foo", "valueOrExpression": "1"}),
        ("addVariable", {"name": "new", "type": 1, "valueOrExpression": "1"}),
        ("addVariable", {"name": "new", "type": "value"}),
        ("addVariable", {"name": "new", "type": "value", "valueOrExpression": None}),
        ("addVariable", {"name": "a b", "type": "value", "valueOrExpression": "1"}),
        ("addVariable", {"name": "new", "type": "expression", "valueOrExpression": "$num +"}),
        ("addVariable", {"name": "new", "type": "expression", "valueOrExpression": ""}),
        ("addVariable", {"name": "new", "type": "expression", "valueOrExpression": 5}),
        ("addVariable", {"name": "new", "type": "expression", "valueOrExpression": "$new"}),
        ("updateVariable", {"name": "nope", "type": "value", "valueOrExpression": "1"}),
        ("updateVariable", {"name": "it.state", "type": "value", "valueOrExpression": "true"}),
        ("updateVariable", {"name": "it.state", "type": "expression", "valueOrExpression": "1"}),
        ("updateVariable", {"name": "num", "type": "expression", "valueOrExpression": "$double"}),
        ("removeVariable", {"name": "it.state"}),
        ("updateVariableOrder", {"variableOrder": "num"}),
        ("updateVariableOrder", {"variableOrder": {"a": 1}}),
        ("updateVariableOrder", {"variableOrder": [1]}),
    ],
)
async def test_what_cannot_be_is_a_bad_request(operation: str, given: dict[str, Any]) -> None:
    desk = Desk(a_device("DummySwitch"), variables=VARIABLES)
    with desk.refuses():
        await desk.ask(operation, **given)


async def test_variables_are_listed_in_their_order_after_those_of_devices() -> None:
    desk = Desk(a_device("DummySwitch"), variables=({"name": "a", "value": 1}, {"name": "b", "value": 2}))
    assert await desk.kept_after("updateVariableOrder", variableOrder=["b", "nobody"]) == ["b", "nobody"]
    assert [variable["name"] for variable in await desk.ask("getVariables")] == ["it.state", "b", "a"]
