"""Names that are proposed: those that go on after what was typed, one more or one less at any time."""

import pytest

from hallway.language.completions import Completions, fold


@pytest.mark.parametrize(
    ("name", "folded"), [("Hall Lamp", "hall lamp"), ("A  b\tC", "a b c"), ("İstanbul", "İstanbul"), ("ÄÖ", "äö")]
)
def test_names_are_looked_up_without_capitals_and_width(name: str, folded: str) -> None:
    assert fold(name) == folded


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("", ["Beta", "al", "alpha", "Alpine"]),
        ("a", ["al", "alpha", "Alpine"]),
        ("al", ["alpha", "Alpine"]),
        ("B", ["Beta"]),
        ("b", []),
        ("alpine", []),
        ("z", []),
    ],
)
def test_what_was_typed_is_completed(typed: str, found: list[str]) -> None:
    assert Completions(["Beta", "alpha", "al"], ["Alpine"]).beginning_with(typed) == found


def test_names_come_and_go_one_by_one() -> None:
    names = Completions(["b"], ["Beta"])
    names.add(["a", "c"], ["alpha"])
    assert names.beginning_with("") == ["a", "b", "c", "alpha", "Beta"]
    names.drop(["b"], ["Beta"])
    assert names.beginning_with("") == ["a", "c", "alpha"]


def test_of_a_name_that_was_added_twice_one_stays() -> None:
    names = Completions(loose=["Lamp", "Lamp"])
    names.drop(loose=["Lamp"])
    assert names.beginning_with("l") == ["Lamp"]


def test_a_name_that_is_not_there_is_dropped_in_vain() -> None:
    names = Completions(["a"])
    names.drop(["b"], ["A"])
    assert names.beginning_with("") == ["a"]
