"""What comes is compared with what a home has; nothing that it has is removed."""

from __future__ import annotations

import json

import pytest

from hallway.access.passwords import hash_password, is_password
from hallway.home.values import Attributes
from hallway.links.importers.merging import There, compared, orders, with_hash
from hallway.links.importers.pimatic_config import Item, Moving, read
from tests.links.importers.configs import config

DEVICES = [{"id": "lamp", "class": "DummySwitch"}, {"id": "door", "class": "DummyContactSensor"}]
STAPLE = hash_password(b"staple")


def moving(*devices: Attributes, password: str = "staple", role: str = "admin") -> Moving:
    user = {"username": "anna", "password": password, "role": role}
    return read(json.dumps({"devices": list(devices), "users": [user], "roles": [], "settings": {}}))


def there(*devices: Attributes, role: str = "admin") -> There:
    anna: Attributes = {"username": "anna", "role": role, "password_hash": STAPLE, "stamp": "once"}
    settings: dict[tuple[str, str], Attributes] = {
        ("setting", "pimatic"): {},
        ("setting", "authentication"): {"enabled": True},
    }
    return {("device", str(device["id"])): device for device in devices} | settings | {("user", "anna"): anna}


LAMP: Attributes = {"id": "lamp", "class": "DummySwitch"}
DOOR: Attributes = {"id": "door", "class": "DummyContactSensor"}


def test_a_home_without_definitions_has_nothing_of_it() -> None:
    found = compared(moving(LAMP), {})
    assert {(item.kind, item.key) for item in found.new} == {
        ("device", "lamp"),
        ("user", "anna"),
        ("setting", "pimatic"),
        ("setting", "authentication"),
    }
    assert found.different == ()


def test_what_is_the_same_is_left_alone() -> None:
    found = compared(moving(LAMP), there(LAMP, DOOR))
    assert found.new == found.different == ()


@pytest.mark.parametrize("other", [{**LAMP, "name": "x"}, {**LAMP, "class": "DummyDimmer"}, {**LAMP, "xConfirm": True}])
def test_what_the_home_has_otherwise_is_told(other: Attributes) -> None:
    assert compared(moving(LAMP), there(other)).different == (Item("device", "lamp", LAMP),)


def test_true_is_not_one() -> None:
    assert compared(moving({**LAMP, "a": True}), there({**LAMP, "a": 1})).different != ()


@pytest.mark.parametrize(
    ("password", "role", "differs"),
    [("staple", "admin", False), ("", "admin", False), ("other", "admin", True), ("staple", "guest", True)],
)
def test_a_user_is_the_same_by_role_and_password(password: str, role: str, differs: bool) -> None:
    found = compared(moving(password=password, role=role), there())
    assert bool(found.different) is differs


def test_a_user_is_kept_with_the_hash_of_the_password_that_came() -> None:
    given = moving(password="päss")
    kept = with_hash(Item("user", "anna", {"username": "anna", "role": "admin"}), given, there()).body
    assert is_password("päss".encode(), str(kept["password_hash"]))
    assert "päss" not in json.dumps(kept, ensure_ascii=False)
    assert kept["stamp"] not in ("", "once")  # what was open with the old password is closed


def test_without_a_password_the_one_there_stays_and_nobody_gets_in_where_there_is_none() -> None:
    user = Item("user", "anna", {"username": "anna", "role": "guest"})
    assert with_hash(user, moving(password=""), there()).body["password_hash"] == STAPLE
    locked = str(with_hash(user, moving(password=""), {}).body["password_hash"])
    assert not is_password(b"", locked)


def order_of(*ids: str) -> There:
    return {("order", "device"): {"order": list(ids)}}


@pytest.mark.parametrize(
    ("before", "replace", "after"),
    [
        ((), False, ["lamp", "door"]),
        (("door",), False, ["door", "lamp"]),
        (("own", "door", "lamp"), False, None),
        (("own", "door", "lamp"), True, ["lamp", "door", "own"]),
        (("lamp", "door"), True, None),
    ],
)
def test_what_comes_stands_behind_what_is_there_unless_it_takes_its_place(
    before: tuple[str, ...], replace: bool, after: list[str] | None
) -> None:
    given = read(json.dumps(config(devices=DEVICES)))
    found = {item.key: item.body["order"] for item in orders(given, order_of(*before), replace=replace)}
    assert found.get("device") == after
