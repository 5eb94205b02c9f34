"""A config.json becomes definitions: all of it, in its order, without secrets; what cannot be kept is told."""

from __future__ import annotations

import json
from typing import Any

import pytest

from hallway.errors import HallwayError, InvalidConfiguration, InvalidInput
from hallway.home.announcing import MAX_DEFINITION
from hallway.links.importers.pimatic_config import Item, Moving, Place, read
from tests.links.importers.configs import CONFIG, config


def moving(given: Any = None) -> Moving:
    return read(json.dumps(CONFIG if given is None else given))


def bodies(found: Moving, kind: str) -> dict[str, Any]:
    return {item.key: item.body for item in found.items if item.kind == kind}


def test_every_entry_becomes_a_definition_in_its_order() -> None:
    found = moving()
    assert found.orders == {
        "device": ("lamp", "heater", "hue"),
        "variable": ("limit", "double", "text"),
        "rule": ("night",),
        "page": ("start",),
        "group": ("all",),
        "user": ("zoe", "anna"),
        "role": ("reader", "admin"),
        "plugin": ("cron", "sunrise"),
    }
    assert bodies(found, "device")["hue"] == {"id": "hue", "name": "Hue", "class": "HueLight", "hueId": 3}
    assert bodies(found, "rule")["night"] == CONFIG["rules"][0]
    assert bodies(found, "page")["start"] == CONFIG["pages"][0]
    assert bodies(found, "group")["all"] == CONFIG["groups"][0]
    assert bodies(found, "plugin")["sunrise"] == CONFIG["plugins"][1]
    assert bodies(found, "role")["admin"] == {"name": "admin", "permissions": {}}
    assert found.left_out == ()


def test_a_plain_number_in_a_variable_is_one() -> None:
    variables = bodies(moving(), "variable")
    assert variables["limit"] == {"name": "limit", "value": 21.5, "unit": "°C"}
    assert variables["double"] == {"name": "double", "expression": "$limit * 2"}
    assert variables["text"] == {"name": "text", "value": "007 x"}


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ('if lamp is on then log "a"', 'when lamp is on then log "a"'),
        ('when lamp is on and if door is open then log "a"', 'when lamp is on and if door is open then log "a"'),
        ("iffy", "iffy"),
    ],
)
def test_rules_of_early_versions_begin_with_if(written: str, meant: str) -> None:
    found = moving(config(rules=[{"id": "night", "rule": written}]))
    assert bodies(found, "rule")["night"] == {"id": "night", "rule": meant}


def test_passwords_and_keys_stand_in_no_definition() -> None:
    found = moving()
    assert found.passwords == {"zoe": "päss:wörd", "anna": "staple"}
    written = json.dumps([item.body for item in found.items], ensure_ascii=False)
    for secret in ("päss:wörd", "staple", "s" * 32, "of the database"):
        assert secret not in written
        assert secret not in repr(found)


def test_settings_come_over_with_the_login_apart() -> None:
    settings = bodies(moving(), "setting")
    assert settings["authentication"] == {"enabled": True, "loginTime": 0}
    assert settings["pimatic"]["locale"] == "de"
    assert settings["pimatic"]["gui"] == {"hideRuleName": True}
    assert settings["pimatic"]["database"]["connection"] == {"host": "localhost"}
    assert "authentication" not in settings["pimatic"]


def test_an_address_of_a_database_may_hold_a_password_and_stays_behind() -> None:
    found = moving(config(settings={"database": {"client": "pg", "connection": "postgres://me:secret@host/db"}}))
    assert bodies(found, "setting")["pimatic"] == {"database": {"client": "pg"}}


@pytest.mark.parametrize(("given", "enabled"), [({"enabled": False}, False), ({"enabled": True}, True), ({}, True)])
def test_authentication_is_on_unless_it_was_switched_off(given: Any, enabled: bool) -> None:
    found = moving(config(settings={"authentication": given}))
    assert found.authentication is enabled
    assert bodies(found, "setting")["authentication"] == {"enabled": enabled}


@pytest.mark.parametrize("password", ["", None, 5, ["a"]])
def test_a_password_that_is_no_text_is_none(password: Any) -> None:
    found = moving(config(users=[{"username": "eve", "password": password, "role": "admin"}]))
    assert found.passwords == {}
    assert bodies(found, "user") == {"eve": {"username": "eve", "role": "admin"}}


def test_a_hash_that_somebody_wrote_into_the_file_is_not_taken_for_one() -> None:
    found = moving(config(users=[{"username": "eve", "password": "x", "password_hash": "$argon2", "role": "admin"}]))
    assert bodies(found, "user")["eve"] == {"username": "eve", "role": "admin"}


def test_without_roles_there_are_those_of_pimatic() -> None:
    given = config()
    del given["roles"]
    roles = bodies(moving(given), "role")
    assert roles["admin"]["permissions"]["devices"] == "write"
    assert roles["resident"]["permissions"]["devices"] == "none"
    assert roles["resident"]["permissions"]["controlDevices"] is True


def test_the_one_user_of_early_versions_is_an_admin() -> None:
    given = {"settings": {"authentication": {"enabled": True, "username": "me", "password": "secret"}}}
    found = moving(given)
    assert bodies(found, "user") == {"me": {"username": "me", "role": "admin"}}
    assert found.passwords == {"me": "secret"}
    assert bodies(found, "setting")["authentication"] == {"enabled": True}


def test_the_sun_knows_where_the_home_is() -> None:
    assert moving().place == Place(52.5, 13.4, "sunrise")


@pytest.mark.parametrize(("latitude", "longitude"), [(None, 5), ("north", 5), (91, 5), (5, -181), (True, True)])
def test_a_place_that_is_none_is_not_taken(latitude: Any, longitude: Any) -> None:
    plugins = [{"plugin": "sunrise", "latitude": latitude, "longitude": longitude}]
    assert moving(config(plugins=plugins)).place is None


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"devices": ["lamp"]}, "devices, entry 1: it is string, not an object"),
        ({"devices": [{"class": "DummySwitch"}]}, "devices, entry 1: id must be a text of 1 to 255 signs"),
        ({"rules": [{"id": 5, "rule": "when"}]}, "rules, entry 1: id must be a text of 1 to 255 signs"),
        ({"groups": [{"id": "a"}, {"id": "a"}]}, "groups, entry 2: id a stands there twice, the first one counts"),
        ({"scenes": []}, "scenes: pimatic has no such section"),
        ({"\ud800": []}, r"\ud800: pimatic has no such section"),
        (
            {"devices": [{"id": "b d", "class": "DummySwitch"}]},
            "devices, entry 1: device id 'b d' is not allowed: use letters a-z, digits, - and _ only",
        ),
        (
            {"rules": [{"id": "b d", "rule": "when x then y"}]},
            "rules, entry 1: rule id 'b d' is not allowed: use at most 255 letters a-z, digits, - and _",
        ),
        ({"pages": [{"id": "b\nd"}]}, r"pages, entry 1: page id 'b\nd' is not allowed: use a text without line breaks"),
        (
            {"devices": [{"id": "lamp", "class": "DummySwitch", "name": "\ud800"}]},
            "devices, entry 1: a text holds half a surrogate pair (\\ud800 to \\udfff), which UTF-8 cannot carry",
        ),
    ],
)
def test_what_cannot_be_kept_is_told_and_the_rest_comes_over(changed: Any, sentence: str) -> None:
    found = moving(config(**changed))
    assert found.left_out == (sentence,)
    assert "zoe" in found.orders["user"]


def test_a_definition_that_is_too_large_is_left_out_and_a_large_value_is_not() -> None:
    huge = "x" * MAX_DEFINITION
    found = moving(config(plugins=[{"plugin": "big", "text": huge}], variables=[{"name": "text", "value": huge}]))
    assert (len(found.left_out), found.orders["plugin"], found.orders["variable"]) == (1, (), ("text",))
    assert found.left_out[0].startswith("plugins, entry 1: this definition is 1.0 MB large and may have 1 MB at most")


def test_settings_that_cannot_be_kept_are_an_error() -> None:
    with pytest.raises(InvalidConfiguration, match="the settings cannot be kept"):
        moving(config(settings={"locale": "\ud800"}))


@pytest.mark.parametrize(
    ("text", "error", "sentence"),
    [
        ("", InvalidInput, "not JSON"),
        ('{"devices": [}', InvalidInput, "line 1, column"),
        ('{\n  "devices": [\n  ],\n}', InvalidInput, "line 4"),
        ("[]", InvalidConfiguration, "not list"),
        ("{}", InvalidConfiguration, "no config.json of pimatic"),
        ('{"compilerOptions": {}}', InvalidConfiguration, "no config.json of pimatic"),
        ('{"devices": {}}', InvalidConfiguration, "devices must be a list, not object"),
        ('{"settings": 5}', InvalidConfiguration, "settings must be an object, not number"),
    ],
)
def test_a_file_that_is_no_configuration_is_refused(text: str, error: type[HallwayError], sentence: str) -> None:
    with pytest.raises(error, match=sentence):
        read(text)


def test_remarks_and_a_byte_order_mark_do_no_harm() -> None:
    found = read('\ufeff{ // my home\n "devices": [/* none yet */], "users": []}')
    assert found.items[-2:] == (Item("setting", "pimatic", {}), Item("setting", "authentication", {"enabled": True}))
