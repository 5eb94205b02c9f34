"""What ids promise: rules with a clear refusal, and the ways from one kind to another."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hallway.errors import InvalidInput
from hallway.home.ids import (
    MAX_ID,
    check_device_id,
    check_entity_id,
    device_object_id,
    object_id,
    reported_device_id,
    split_entity_id,
)

DEVICE_IDS = st.from_regex(r"[A-Za-z0-9_-]{1,40}", fullmatch=True)
ENTITY_IDS = st.from_regex(r"\w{1,20}\.\w{1,20}", fullmatch=True)


@pytest.mark.parametrize("device_id", ["a", "bed_light", "Temp-1", "0", "-", "_", "x" * MAX_ID])
def test_letters_digits_hyphen_and_underscore_make_a_device_id(device_id: str) -> None:
    assert check_device_id(device_id) == device_id


@pytest.mark.parametrize(
    "device_id", ["", " ", "a b", "a.b", "Küche", "bad id!", "a\n", "a/b", "٣", None, 5, ["a"], True]
)
def test_anything_else_is_refused_with_what_is_allowed(device_id: object) -> None:
    with pytest.raises(InvalidInput) as caught:
        check_device_id(device_id)
    assert repr(device_id) in caught.value.message
    assert "letters a-z, digits, - and _" in caught.value.message


def test_device_ids_end_somewhere() -> None:
    with pytest.raises(InvalidInput, match="at most 255"):
        check_device_id("x" * (MAX_ID + 1))


@pytest.mark.parametrize(
    ("given_id", "entity_id"),
    [
        ("light.bed", "light.bed"),
        ("Light.Ceiling", "light.ceiling"),
        ("process.Dropbox", "process.dropbox"),
        ("sensor.Küche", "sensor.küche"),
        ("датчик.Дверь", "датчик.дверь"),
        ("_._", "_._"),
        ("1.2", "1.2"),
        pytest.param("a." + "x" * 500, "a." + "x" * 500, id="long"),
    ],
)
def test_entity_ids_are_lower_case(given_id: str, entity_id: str) -> None:
    assert check_entity_id(given_id) == entity_id


@pytest.mark.parametrize(
    "entity_id",
    ["", ".", "light", "light.", ".bed", "a.b.c", "a-b.c", "a b.c", "light.bed\n", "😀.x", "sensor.İ", "a%2Eb"],
)
def test_what_has_not_the_form_of_an_entity_id_is_refused(entity_id: str) -> None:
    with pytest.raises(InvalidInput, match=r"domain\.object_id"):
        check_entity_id(entity_id)


@given(ENTITY_IDS)
def test_an_entity_id_that_was_accepted_is_accepted_unchanged(entity_id: str) -> None:
    try:
        accepted = check_entity_id(entity_id)
    except InvalidInput:
        return
    assert check_entity_id(accepted) == accepted


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("Küche-Licht", "kueche_licht"),
        ("Größe", "groesse"),
        ("smørbrød å æ", "smoerbroed_aa_ae"),
        ("Ku\u0308che", "kueche"),
        ("Café del Mar", "cafe_del_mar"),
        ("ŁÓDŹ", "odz"),
        ("Mr. Smith's  TV!", "mr_smith_s_tv"),
        ("a--b", "a_b"),
        ("a__b", "a__b"),
        ("№ 5", "no_5"),
        ("  x  ", "x"),
        ("", "unnamed"),
        ("-", "unnamed"),
        ("日本", "unnamed"),
        ("😀", "unnamed"),
    ],
)
def test_any_text_becomes_an_object_id(text: str, wanted: str) -> None:
    assert object_id(text) == wanted


@given(st.text())
def test_an_object_id_is_always_legal_and_stays_what_it_is(text: str) -> None:
    found = object_id(text)
    assert re.fullmatch("[a-z0-9_]+", found)
    assert object_id(found) == found
    assert check_entity_id(f"sensor.{found}") == f"sensor.{found}"


@given(DEVICE_IDS)
def test_a_device_id_becomes_an_object_id_of_the_same_length(device_id: str) -> None:
    found = device_object_id(device_id)
    assert re.fullmatch("[a-z0-9_]+", found)
    assert len(found) == len(device_id)


@pytest.mark.parametrize(("device_id", "wanted"), [("Bed-Light", "bed_light"), ("a--b", "a__b"), ("-", "_")])
def test_in_a_device_id_only_hyphens_and_capitals_are_replaced(device_id: str, wanted: str) -> None:
    assert device_object_id(device_id) == wanted


@given(ENTITY_IDS, ENTITY_IDS)
def test_two_reported_entities_are_two_devices(one: str, other: str) -> None:
    assert (reported_device_id(one) == reported_device_id(other)) == (one == other)


def test_a_reported_entity_becomes_a_device_with_a_hyphen() -> None:
    assert reported_device_id("weather.sun") == "weather-sun"


@given(ENTITY_IDS)
def test_an_entity_id_is_a_domain_and_a_name(entity_id: str) -> None:
    assert ".".join(split_entity_id(entity_id)) == entity_id
