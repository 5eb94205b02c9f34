"""What values promise: all of JSON comes in and goes out unchanged, and what cannot is refused with the reason."""

from __future__ import annotations

import json
import math
import string
import tracemalloc
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hallway.errors import CannotStore, InvalidInput
from hallway.home.values import (
    Value,
    ascii_json,
    decode,
    encode,
    encode_sorted,
    encode_to_keep,
    kind_of,
    python_text,
    same,
)
from tests.home.strategies import TEXTS, VALUES

MOST_LEVELS = 250
MUCH_TOO_DEEP = (1_000, 5_000, 100_000)


def lists(levels: int) -> Value:
    value: Value = 0
    for _ in range(levels):
        value = [value]
    return value


def objects(levels: int) -> Value:
    value: Value = 0
    for _ in range(levels):
        value = {"a": value}
    return value


def strictly(value: Value) -> Any:
    """A value in which true, 1 and 1.0 differ, to compare it with another one."""
    if isinstance(value, dict):
        return {key: strictly(item) for key, item in value.items()}
    if isinstance(value, list):
        return [strictly(item) for item in value]
    return type(value).__name__, repr(value)


@given(VALUES)
def test_what_is_written_is_read_back(value: Value) -> None:
    assert strictly(decode(encode(value))) == strictly(value)
    assert strictly(decode(encode_sorted(value))) == strictly(value)


@given(VALUES)
def test_what_is_written_is_json_for_everybody(value: Value) -> None:
    assert json.loads(encode(value)) == value


@given(VALUES)
def test_what_others_write_is_read(value: Value) -> None:
    assert strictly(decode(json.dumps(value).encode())) == strictly(value)
    assert strictly(decode(json.dumps(value, indent=4, ensure_ascii=False).encode())) == strictly(value)


@given(VALUES)
def test_json_in_ascii_says_the_same(value: Value) -> None:
    written = ascii_json(encode(value))
    assert written.isascii()
    assert strictly(decode(written)) == strictly(value)


def test_json_in_ascii_has_escapes_for_everything_else() -> None:
    assert ascii_json(encode({"é": "20 °C 😀"})) == rb'{"\u00e9":"20 \u00b0C \ud83d\ude00"}'
    assert ascii_json(b'{"a":"\\u00e9"}') == b'{"a":"\\u00e9"}'


@given(st.dictionaries(TEXTS, st.integers(0, 9), max_size=6))
def test_sorted_means_that_keys_stand_in_order(value: dict[str, Value]) -> None:
    assert list(json.loads(encode_sorted(value))) == sorted(value, key=lambda key: key.encode())


def test_what_is_to_be_kept_takes_no_more_memory_than_its_bytes() -> None:
    value: Value = {"attributes": {"brightness": 80}}
    tracemalloc.start()
    try:
        kept = [encode_to_keep(value) for _ in range(100)]
        taken, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert set(kept) == {encode(value)}
    assert taken < 100 * 200


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("write", [encode, encode_sorted])
def test_what_is_no_number_is_written_as_null(write: Callable[[object], bytes], number: float) -> None:
    assert write(number) == b"null"
    assert write({"a": [number, 10**30]}) == b'{"a":[null,1000000000000000000000000000000]}'


@pytest.mark.parametrize("digits", [19, 20, 100, 4300])
def test_whole_numbers_of_any_size_come_in_and_go_out(digits: int) -> None:
    number = int("9" * digits)
    assert decode(b"9" * digits) == number
    assert encode([number]) == b"[" + b"9" * digits + b"]"


def test_a_number_without_end_is_refused() -> None:
    with pytest.raises(InvalidInput, match="number that is too long"):
        decode(b"[" + b"9" * 5000 + b"]")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (b'{"a":1,"a":2}', {"a": 2}),
        (b" [1 , 2]\n", [1, 2]),
        (b"[Infinity,-Infinity]", [math.inf, -math.inf]),
        (b"1e999", math.inf),
        (b'"\\u00e9\\ud83d\\ude00"', "é😀"),
        ('"é😀"'.encode(), "é😀"),
        (b'"\\ud800"', "\ud800"),
        (b"-0.0", -0.0),
    ],
)
def test_what_clients_of_2014_send_is_read(text: bytes, value: Value) -> None:
    assert strictly(decode(text)) == strictly(value)


def test_nan_is_read() -> None:
    read = decode(b"NaN")
    assert isinstance(read, float)
    assert math.isnan(read)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b"", "line 1, column 1"),
        (b" ", "not JSON"),
        (b"{state: on}", "line 1, column 2"),
        (b'{"state": "on"', "line 1, column 15"),
        (b'{\n"state": on}', "line 2, column 10"),
        (b'{"a":1} x', "line 1, column 9"),
        (b"nan", "not JSON"),
        (b"'a'", "not JSON"),
        (b"[1,]", "not JSON"),
        (b'"a\x00"', "line 1, column 3"),
        ("\ufeff1".encode(), "BOM"),
        (b'"\xff"', "not UTF-8: byte 1"),
        ("[1]".encode("utf-16"), "not UTF-8: byte 0"),
    ],
)
def test_what_is_no_json_is_refused_with_the_place(text: bytes, words: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        decode(text)
    assert words in caught.value.message


@given(st.binary(max_size=40) | st.text(string.printable, max_size=40).map(str.encode))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    try:
        value = decode(data)
    except InvalidInput:
        return
    encode(value)


@pytest.mark.parametrize("surrogate", ["\ud800", "a\udfff", "\ude00\ud83d"])
@pytest.mark.parametrize("write", [encode, encode_sorted])
def test_half_a_surrogate_pair_cannot_be_stored(write: Callable[[object], bytes], surrogate: str) -> None:
    for value in (surrogate, [surrogate], {surrogate: 1}, {"a": surrogate, "b": 10**30}):
        with pytest.raises(CannotStore, match="half a surrogate pair"):
            write(value)


@pytest.mark.parametrize("value", [object(), {1: 2}, [{"a"}, object()]])
def test_what_is_no_json_cannot_be_stored(value: object) -> None:
    with pytest.raises(CannotStore, match="cannot be written as JSON"):
        encode([value, 10**30])


@pytest.mark.parametrize("nested", [lists, objects])
def test_up_to_250_levels_are_read_and_can_be_written_inside_others(nested: Callable[[int], Value]) -> None:
    text = json.dumps(nested(MOST_LEVELS)).encode()
    value = decode(text)
    for write in (encode, encode_sorted):
        assert decode(write(value)) == value
        write([{"state": {"attributes": value}}])


@pytest.mark.parametrize("opening", [b"[", b'{"a":', b'[{"a":'])
@pytest.mark.parametrize("levels", [MOST_LEVELS + 1, 300, 900, *MUCH_TOO_DEEP])
def test_more_levels_are_not_read_wherever_it_is_tried(opening: bytes, levels: int) -> None:
    closing = opening.replace(b'"a":', b"")[::-1].translate(bytes.maketrans(b"[{", b"]}"))
    with pytest.raises(InvalidInput, match="nested too deeply: at most 250 levels"):
        decode(opening * levels + b"1" + closing * levels)


def test_many_things_side_by_side_are_not_deep() -> None:
    text = b"[" + b",".join([b'[{"a":[]}]'] * 1000) + b"]"
    assert len(decode(text)) == 1000  # type: ignore[arg-type]
    assert decode(encode("[" * 1000)) == "[" * 1000


@pytest.mark.parametrize("levels", MUCH_TOO_DEEP)
@pytest.mark.parametrize("nested", [lists, objects])
@pytest.mark.parametrize("write", [encode, encode_sorted, python_text])
def test_much_more_levels_cannot_be_written(
    write: Callable[[Any], object], nested: Callable[[int], Value], levels: int
) -> None:
    value = nested(levels)
    with pytest.raises(CannotStore):
        write(value)
    while isinstance(value, list | dict) and value:  # taken apart by hand: freeing it at once goes as deep
        value = value.pop() if isinstance(value, list) else value.pop("a")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("as it is", "as it is"),
        ("", ""),
        (5, "5"),
        (5.0, "5.0"),
        (1e22, "1e+22"),
        (-0.0, "-0.0"),
        (True, "True"),
        (None, "None"),
        (math.nan, "nan"),
        ([1, "a"], "[1, 'a']"),
        ({"a": 1}, "{'a': 1}"),
    ],
)
def test_a_value_becomes_the_text_that_python_gives_it(value: Value, text: str) -> None:
    assert python_text(value) == text


def test_a_number_too_long_for_a_text_cannot_be_stored() -> None:
    with pytest.raises(CannotStore, match="too large"):
        python_text(10**5000)


@pytest.mark.parametrize(
    ("value", "kind"),
    [(None, "null"), (True, "boolean"), (0, "number"), (0.5, "number"), ("", "string"), ([], "list"), ({}, "object")],
)
def test_kinds_have_their_json_names(value: Value, kind: str) -> None:
    assert kind_of(value) == kind


@given(VALUES, VALUES)
def test_values_are_the_same_when_they_are_written_the_same(one: Value, other: Value) -> None:
    assert same(one, other) == (strictly(one) == strictly(other))
    assert same(one, decode(encode(one)))


@pytest.mark.parametrize(
    ("one", "other"), [(True, 1), (1, 1.0), ({"a": [0]}, {"a": [False]}), ({"a": 1}, {"b": 1}), ([1], [1, 1]), ([], {})]
)
def test_true_is_not_one_and_one_is_not_one_point_zero(one: Value, other: Value) -> None:
    assert not same(one, other)
    assert not same(other, one)


def test_the_order_of_keys_makes_no_difference() -> None:
    assert same({"a": 1, "b": {"c": 2, "d": 3}}, {"b": {"d": 3, "c": 2}, "a": 1})
