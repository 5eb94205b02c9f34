"""Before a home moves in it is tried out: whatever will not work is told, and nothing stops the rest."""

from __future__ import annotations

import json
from typing import Any

import pytest

from hallway.errors import InvalidInput
from hallway.home.values import Attributes
from hallway.language.expressions import parse
from hallway.links.importers.pimatic_config import read
from hallway.links.importers.pimatic_database import LastValue
from hallway.links.importers.trial import Tried, tried
from tests.links.importers.configs import config


def trial(**changed: Any) -> Tried:
    usable = [{"id": "lamp", "class": "DummyDimmer"}]
    return tried(read(json.dumps(config(**{"devices": usable, "pages": [], "groups": [], **changed}))).items, parse)


def computing(kind: str) -> Attributes:
    item: Attributes = {"name": "flag", "expression": "$limit * 2", "type": kind}
    return {"id": "v", "class": "VariablesDevice", "variables": [item]}


def test_a_home_that_works_has_nothing_to_tell() -> None:
    usable = [{"id": "lamp", "class": "DummyDimmer"}]
    assert tried(read(json.dumps(config(devices=usable))).items, parse).parked == ()


@pytest.mark.parametrize(
    ("changed", "sentences"),
    [
        ({"devices": [{"id": "lamp", "class": "HueLight"}]}, ["device lamp: there is no device class 'HueLight'"]),
        ({"devices": [{"id": "lamp", "class": "Timer", "resolution": "x"}]}, ["device lamp: class Timer: resolution"]),
        (
            {"devices": [computing("date")], "variables": [{"name": "limit", "value": 1}]},
            ["device v: class VariablesDevice: variables 1: type must be one of"],
        ),
        ({"variables": [{"name": "limit", "expression": "$nothing +"}]}, ["variable limit: "]),
        ({"rules": [{"id": "night", "rule": "turn lamp off"}]}, ["rule night: a rule must begin with"]),
        ({"pages": [{"id": "p", "devices": 5}]}, ["page p: devices must be a list"]),
    ],
)
def test_what_will_not_work_is_told(changed: Any, sentences: list[str]) -> None:
    found = trial(**changed).parked
    assert len(found) == len(sentences)
    for told, sentence in zip(found, sentences, strict=True):
        assert told.startswith(sentence)


@pytest.mark.parametrize(
    ("changed", "sentences"),
    [
        ({"pages": [{"id": "p", "devices": [{"deviceId": "gone"}]}]}, ["page p: there is no device gone"]),
        (
            {"groups": [{"id": "g", "devices": ["gone"], "rules": ["gone"], "variables": ["gone"]}]},
            ["group g: there is no device gone, no rule gone, no variable gone"],
        ),
        ({"users": [{"username": "eve", "role": "nothing"}]}, ["user eve: there is no role nothing"]),
        (
            {"variables": [{"name": "limit", "value": 1}, {"name": "v", "expression": "$gone + $limit + $b.c"}]},
            ["variable v: there is no $b.c, there is no $gone, so it is not computed"],
        ),
        (
            {"variables": [{"name": "limit", "value": 1}, {"name": "v", "expression": "$lamp.colour"}]},
            ["variable v: there is no $lamp.colour, so it is not computed"],
        ),
        (
            {
                "devices": [
                    {"id": "lamp", "class": "DummyDimmer"},
                    {
                        "id": "sums",
                        "class": "VariablesDevice",
                        "variables": [{"name": "a", "expression": "$gone"}, {"name": "b", "expression": "1"}],
                    },
                ]
            },
            ["device sums: a is not computed"],
        ),
    ],
)
def test_what_works_and_misses_something_is_a_remark(changed: Any, sentences: list[str]) -> None:
    found = trial(**changed)
    assert found.parked == ()
    assert len(found.remarks) == len(sentences)
    for told, sentence in zip(found.remarks, sentences, strict=True):
        assert told.startswith(sentence)


def test_exactly_the_broken_variables_are_parked() -> None:
    found = trial(
        variables=[
            {"name": "c2", "expression": "$c1"},
            {"name": "c1", "expression": "$nope + ("},
            {"name": "x", "expression": "$y + 1"},
            {"name": "y", "expression": "$x + 1"},
            {"name": "self", "expression": "$self"},
            {"name": "b d", "value": 1},
            {"name": "limit", "value": 1},
            {"name": "good", "expression": "$limit + 1"},
        ]
    )
    assert [told.partition(":")[0] for told in found.parked] == [
        "variable c1",
        "variable y",
        "variable self",
        "variable b d",
    ]
    assert "$y would depend on itself: $y → $x → $y" in found.parked[1]
    assert found.remarks == (
        "variable c2: $c1 does not work, so it is not computed",
        "variable x: $y does not work, so it is not computed",
    )
    assert found.home.value("good") == 2


def test_variables_may_use_each_other_in_any_order() -> None:
    variables = [
        {"name": "b", "expression": "$a + 1"},
        {"name": "a", "expression": "$limit"},
        {"name": "limit", "value": 1},
    ]
    found = trial(variables=variables)
    assert found.parked == ()
    assert found.home.value("b") == 2


def test_a_broken_variable_does_not_spoil_the_others() -> None:
    variables = [
        {"name": "limit", "value": 1},
        {"name": "bad", "expression": "("},
        {"name": "good", "expression": "$limit"},
    ]
    found = trial(variables=variables)
    assert [told.partition(":")[0] for told in found.parked] == ["variable bad"]
    assert found.home.value("good") == 1


def test_rules_are_read_where_there_is_somebody_who_can() -> None:
    def nobody_understands(text: str, home: Any, /) -> object:
        raise InvalidInput("what is that?")

    found = tried(read(json.dumps(config())).items, parse, nobody_understands)
    assert "rule night: what is that?" in found.parked


@pytest.mark.parametrize(
    ("last", "fits"),
    [
        (LastValue("lamp", "dimlevel", 30, 1.0), True),
        (LastValue("lamp", "dimlevel", "30", 1.0), False),
        (LastValue("lamp", "state", True, 1.0), True),
        (LastValue("lamp", "colour", "red", 1.0), False),
        (LastValue("gone", "state", True, 1.0), False),
    ],
)
def test_a_last_value_fits_an_attribute_of_its_type(last: LastValue, fits: bool) -> None:
    assert trial().can_use(last) is fits


def test_what_is_only_tried_out_says_nothing_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    odd = {"id": "odd", "name": "Odd", "class": "DummySwitch", "strange": 1}
    with caplog.at_level("INFO"):
        assert tried(read(json.dumps(config(devices=[odd]))).items, parse).home.device("odd").config == odd
    assert [record.message for record in caplog.records if "strange" in record.message] == []
