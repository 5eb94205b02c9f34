"""A home becomes a config.json, and what came from one comes back as it was."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given

from hallway.home.values import Attributes
from hallway.links.importers.pimatic_config import Item, Moving, read
from hallway.links.importers.pimatic_export import config_of
from tests.links.importers.configs import CONFIG, config, configs


def kept(moving: Moving) -> list[Item]:
    """The definitions as a store hands them out: by kind and id, users with their hash."""
    items = [
        Item(item.kind, item.key, {**item.body, "password_hash": "$"}) if item.kind == "user" else item
        for item in moving.items
    ]
    items += [Item("order", kind, {"order": list(order)}) for kind, order in moving.orders.items() if order]
    return sorted(items, key=lambda item: (item.kind, item.key))


def test_a_home_that_moved_in_moves_out_as_it_was() -> None:
    exported = config_of(kept(read(json.dumps(CONFIG))), {})
    expected: dict[str, Any] = config()
    expected["settings"]["authentication"].pop("secret")
    expected["settings"]["database"]["connection"].pop("password")
    expected["variables"][0]["value"] = 21.5
    for user in expected["users"]:
        user["password"] = ""
    assert exported.config == expected
    assert exported.left_out == ()


def test_sections_and_properties_stand_in_the_order_of_pimatic() -> None:
    exported = config_of(kept(read(json.dumps(CONFIG))), {}).config
    assert next(iter(exported)) == "settings"
    assert [list(user) for user in as_list(exported["users"])] == [["username", "password", "role"]] * 2


def as_list(value: Any) -> list[dict[str, Any]]:
    assert isinstance(value, list)
    return value


def test_no_hash_leaves_the_home() -> None:
    assert "$" not in json.dumps(config_of(kept(read(json.dumps(CONFIG))), {}).config["users"])


def test_variables_are_written_with_what_they_hold_by_now() -> None:
    variables = as_list(config_of(kept(read(json.dumps(CONFIG))), {"limit": 19, "double": 38}).config["variables"])
    assert variables[0] == {"name": "limit", "value": 19, "unit": "°C"}
    assert variables[1] == {"name": "double", "expression": "$limit * 2"}


def test_what_no_order_names_comes_last() -> None:
    items = [Item("device", key, {"id": key}) for key in ("a", "b", "c")]
    order: Attributes = {"order": ["c", "gone", "a", "c"]}
    exported = config_of([*items, Item("order", "device", order)], {})
    assert [device["id"] for device in as_list(exported.config["devices"])] == ["c", "a", "b"]


def test_the_first_definition_of_a_name_counts() -> None:
    exported = config_of([Item("device", "a", {"id": "a", "name": "file"}), Item("device", "a", {"id": "a"})], {})
    assert exported.config["devices"] == [{"id": "a", "name": "file"}]


def test_what_pimatic_has_no_words_for_stays_behind_and_is_named() -> None:
    page: Attributes = {"id": "start", "devices": [], "columns": 3}
    exported = config_of([Item("page", "start", page), Item("scene", "evening", {"id": "evening"})], {})
    assert exported.config["pages"] == [{"id": "start", "devices": []}]
    assert exported.left_out == ("scene evening: pimatic has no scenes", "page start: pimatic does not know columns")


@given(configs)
def test_in_and_out_and_in_again_is_the_same_home(made_up: Any) -> None:
    first = read(json.dumps(made_up))
    out = config_of(kept(first), {}).config
    again = read(json.dumps(out))
    assert again.items == first.items
    assert again.orders == first.orders
    assert again.left_out == ()
