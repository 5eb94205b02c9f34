"""What is different between two definitions, field by field and in a sentence."""

from __future__ import annotations

from typing import Any

import pytest

from hallway.api.operations.differences import MOST_FIELDS, difference_form, essence, fields, sentence, shown_body
from hallway.home.values import Attributes


@pytest.mark.parametrize(
    ("was", "now", "told"),
    [
        ({"a": 1}, {"a": 2}, [{"field": "a", "was": 1, "is": 2}]),
        ({"a": 1}, {"a": True}, [{"field": "a", "was": 1, "is": True}]),
        ({}, {"a": None}, [{"field": "a", "is": None}]),
        ({"a": 1}, {}, [{"field": "a", "was": 1}]),
        ({"a": {"b": 1, "c": 2}}, {"a": {"b": 1, "c": 3}}, [{"field": "a.c", "was": 2, "is": 3}]),
        (
            {"buttons": [{"id": "x", "text": "X"}, {"id": "y"}]},
            {"buttons": [{"id": "y"}, {"id": "x", "text": "Z"}]},
            [
                {"field": "buttons.x.text", "was": "X", "is": "Z"},
                {"field": "buttons", "was": ["x", "y"], "is": ["y", "x"]},
            ],
        ),
        (
            {"devices": ["a", "b"]},
            {"devices": ["b", "c"]},
            [{"field": "devices", "was": ["a", "b"], "is": ["b", "c"], "came": ["c"], "went": ["a"]}],
        ),
        ({"n": [1, 2]}, {"n": [2]}, [{"field": "n", "was": [1, 2], "is": [2]}]),
        ({"password": "a"}, {"password": "b"}, [{"field": "password", "was": "xxxxxxxxxx", "is": "xxxxxxxxxx"}]),
        (
            {"tokens": ["one", "two"]},
            {"tokens": ["one", "three"]},
            [{"field": "tokens", "was": ["xxxxxxxxxx", "xxxxxxxxxx"], "is": ["xxxxxxxxxx", "xxxxxxxxxx"]}],
        ),
        (
            {"urls": ["http://ann:one@host/"]},
            {"urls": ["http://ann:two@host/", "http://other/"]},
            [
                {
                    "field": "urls",
                    "was": ["http://xxxxxxxxxx@host/"],
                    "is": ["http://xxxxxxxxxx@host/", "http://other/"],
                }
            ],
        ),
        (
            {"credentials": [{"name": "ann", "value": "one"}]},
            {"credentials": [{"name": "bob", "value": "two"}]},
            [
                {"field": "credentials.xxxxxxxxxx.name", "was": "xxxxxxxxxx", "is": "xxxxxxxxxx"},
                {"field": "credentials.xxxxxxxxxx.value", "was": "xxxxxxxxxx", "is": "xxxxxxxxxx"},
            ],
        ),
        ({"a": 1}, {"a": 1}, []),
    ],
)
def test_fields(was: Any, now: Any, told: Any) -> None:
    assert [field.form() for field in fields("device", was, now)] == told


@pytest.mark.parametrize(
    ("which", "was", "now", "text"),
    [
        (("variable", "x"), None, {"name": "x"}, "variable $x was added"),
        (("rule", "r"), {"id": "r"}, None, "rule r was removed"),
        (("rule", "r"), None, None, "rule r is as it was"),
        (("rule", "r"), {"a": 1}, {"a": 1}, "rule r is as it was"),
        (("page", "p"), {"x": 1}, {}, "page p: x was 1 and is not there any more"),
        (("device", "d"), {}, {"x": "long " * 30}, 'device d: x is "long long'),
        (("group", "g"), {"devices": ["a", "b"]}, {"devices": ["b", "a"]}, "group g: devices are in another order"),
        (("device", "d"), {"n": [1, 2]}, {"n": [2, 1]}, "device d: n are in another order"),
        (("device", "d"), {"n": [1, 2]}, {"n": [1, 3]}, "device d: n was [1,2], is [1,3]"),
        (("device", "d"), {"n": ["a", "a"]}, {"n": ["a"]}, 'device d: n was ["a","a"], is ["a"]'),
        (("device", "d"), {"n": 1}, {"n": True}, "device d: n was 1, is true"),
        (("device", "d"), {"tokens": ["one"]}, {"tokens": ["two"]}, "device d: tokens is another one"),
        (("order", "device"), None, {"order": ["a", "b"]}, "devices were put in order: a, b"),
        (("order", "device"), {"order": ["a"]}, None, "the order of devices was changed"),
        (
            ("device", "d"),
            dict.fromkeys("abcdef", 1),
            dict.fromkeys("abcdef", 2),
            "device d: a was 1, is 2; b was 1, is 2; c was 1, is 2; d was 1, is 2; and 2 more",
        ),
    ],
)
def test_sentences(which: tuple[str, str], was: Any, now: Any, text: str) -> None:
    assert sentence(which, was, now).startswith(text)


def test_of_a_person_neither_hash_nor_stamp_is_shown() -> None:
    was: Attributes = {"username": "bob", "role": "guest", "password_hash": "$argon2id$one", "stamp": "s1"}
    now: Attributes = {**was, "password_hash": "$argon2id$two", "stamp": "s2"}
    assert shown_body("user", was) == {"username": "bob", "role": "guest", "password": "xxxxxxxxxx"}
    told = difference_form(("user", "bob"), was, now)
    assert told["text"] == "user bob: password is another one"
    assert "argon2" not in str(told)
    assert fields("user", was, {**was, "stamp": "s3"}) == []
    assert essence("user", was) == essence("user", {**was, "stamp": "s3"})


def test_a_variable_is_the_same_whatever_its_value() -> None:
    assert essence("variable", {"name": "x", "value": 1}) == essence("variable", {"name": "x", "value": 2})
    assert essence("variable", {"name": "x", "expression": "1"}) != essence("variable", {"name": "x", "value": 1})


def test_not_more_fields_are_told_than_somebody_can_read() -> None:
    was: Attributes = {f"f{number}": 0 for number in range(1000)}
    now: Attributes = {f"f{number}": 1 for number in range(1000)}
    assert len(fields("device", was, now)) == MOST_FIELDS
