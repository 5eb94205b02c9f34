"""Parameters that come as text are read as pimatic read them: numbers by their beginning, truths by two words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hallway.api.operations.base import DataType, Parameter
from hallway.api.operations.coercion import coerce, fields_of, number_in
from hallway.errors import InvalidInput
from hallway.home.values import Value


def parameter(kind: DataType, name: str = "it", *fields: Parameter, required: bool = False) -> Parameter:
    return Parameter(name, "data", "what it is", kind, required=required, fields=fields)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("12", 12),
        ("12abc", 12),
        (" 1e2", 100),
        ("5.", 5),
        (".5", 0.5),
        ("-0.25x", -0.25),
        ("+7", 7),
        ("1e", 1),
        ("0x10", 0),
        ("9007199254740993", 9007199254740992.0),
        ("abc", None),
        ("", None),
        ("-", None),
        (".", None),
        ("Infinity", None),
        ("NaN", None),
        ("1e999", None),
    ],
)
def test_a_number_is_what_a_text_begins_with(text: str, number: float | None) -> None:
    found = number_in(text)
    assert found == number
    assert isinstance(found, int) == (isinstance(number, int))


@given(st.text())
def test_any_text_holds_a_number_or_none(text: str) -> None:
    found = number_in(text)
    assert found is None or found - found == 0


@pytest.mark.parametrize("kind", ["number", "boolean", "string", "array", ""])
@pytest.mark.parametrize("value", [1, 0, 2.5, True, False, [], ["a"], {"a": 1}])
def test_what_has_a_json_type_already_stays_what_it_is(kind: DataType, value: Value) -> None:
    assert coerce(parameter(kind), value) is value


@pytest.mark.parametrize(("text", "truth"), [("true", True), ("false", False)])
def test_two_words_are_booleans(text: str, truth: object) -> None:
    assert coerce(parameter("boolean"), text) is truth


@pytest.mark.parametrize("text", ["1", "0", "on", "TRUE", "", "yes", " true"])
def test_no_other_word_is(text: str) -> None:
    with pytest.raises(InvalidInput, match=r"it is .*: give true or false"):
        coerce(parameter("boolean"), text)


@pytest.mark.parametrize("kind", ["number", "integer"])
def test_a_text_without_a_number_is_told(kind: DataType) -> None:
    with pytest.raises(InvalidInput, match="it is 'abc': give a number"):
        coerce(parameter(kind), "abc")


def test_a_long_text_is_told_in_short() -> None:
    with pytest.raises(InvalidInput) as told:
        coerce(parameter("number"), "x" * 10_000_000)
    assert len(told.value.message) < 150


CRITERIA = parameter("object", "criteria", parameter("number", "limit"), parameter("boolean", "all"))
RULE = parameter("object", "rule", parameter("string", "name", required=True), required=True)


def test_the_fields_of_an_object_have_types_too_and_others_stay() -> None:
    assert coerce(CRITERIA, {"limit": "5", "all": "true", "level": "info", "offset": None}) == {
        "limit": 5,
        "all": True,
        "level": "info",
        "offset": None,
    }


@pytest.mark.parametrize("value", ["abc", '{"limit":1}', 5, [1]])
def test_what_is_no_object_has_no_fields(value: Value) -> None:
    assert coerce(CRITERIA, value) == {}
    with pytest.raises(InvalidInput, match=r"rule\.name is missing"):
        coerce(RULE, value)


def test_a_field_is_named_with_what_it_is_part_of() -> None:
    with pytest.raises(InvalidInput, match=r"criteria\.limit is 'abc'"):
        coerce(CRITERIA, {"limit": "abc"})


def test_an_object_without_declared_fields_is_the_operations_business() -> None:
    assert coerce(parameter("object"), "abc") == "abc"


def test_null_is_missing_and_what_is_missing_is_left_out() -> None:
    parameters = (parameter("number", "limit"), parameter("string", "name", required=True))
    assert fields_of(parameters, {"limit": None, "name": "x", "more": 1}) == {"name": "x"}
    with pytest.raises(InvalidInput, match="name is missing: what it is"):
        fields_of(parameters, {"name": None})
