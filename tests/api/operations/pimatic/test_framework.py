"""Operations on the hub as a whole: its configuration, read and written at once, and a new start."""

from __future__ import annotations

import copy
import gc
import weakref
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from hallway.access.callers import Caller
from hallway.access.people import Person
from hallway.api.operations.base import Ask
from hallway.api.operations.pimatic import applying, plans
from hallway.api.operations.pimatic.framework import restart
from hallway.errors import InvalidInput
from hallway.home.announcing import MAX_DEFINITION
from hallway.home.changes import Context
from hallway.home.home import Home
from hallway.residents import FirstPeople
from hallway.settings import UserSettings
from tests.api.operations.pimatic.desk import ADMIN, Desk
from tests.home.homes import TEST, a_device

BLANK = "xxxxxxxxxx"


def furnished() -> Desk:
    """A home with one of everything, all of it edited by people."""
    desk = Desk()
    home = desk.home
    for device_id in ("one", "two"):
        home.add_device({"id": device_id, "name": device_id, "class": "DummySwitch"}, "store", TEST)
    home.add_variables(({"name": "num", "value": 10, "unit": "W"}, {"name": "more", "expression": "$num + 1"}), TEST)
    home.rules.add({"id": "r", "name": "R", "rule": 'when one is turned on then log "x"'}, TEST)
    home.pages.add({"id": "p", "name": "P", "devices": [{"deviceId": "one"}]}, TEST)
    home.groups.add({"id": "g", "name": "G", "devices": ["one"], "rules": ["r"], "variables": ["num"]}, TEST)
    desk.kept.load("plugin", {"cron": {"plugin": "cron"}, "mail": {"plugin": "mail", "password": "hush"}})
    desk.kept.load("setting", {"pimatic": {"locale": "de", "gui": {"demo": True}}})
    desk.let_in("admin", "right")
    desk.let_in("child", "toy", role="resident")
    return desk


async def config_of(desk: Desk) -> dict[str, Any]:
    config = await desk.ask("getConfig")
    assert isinstance(config, dict)
    return copy.deepcopy(config)


async def test_the_whole_configuration() -> None:
    config = await config_of(furnished())
    assert list(config) == [
        "settings",
        "plugins",
        "devices",
        "rules",
        "variables",
        "pages",
        "groups",
        "users",
        "roles",
    ]
    assert config["settings"]["locale"] == "de"
    assert config["settings"]["authentication"]["enabled"] is True
    assert [device["id"] for device in config["devices"]] == ["one", "two"]
    assert config["rules"][0]["rule"] == 'when one is turned on then log "x"'
    assert config["variables"] == [
        {"name": "num", "value": 10, "unit": "W"},
        {"name": "more", "expression": "$num + 1"},
    ]
    assert config["pages"] == [{"id": "p", "name": "P", "devices": [{"deviceId": "one"}]}]
    assert config["groups"] == [{"id": "g", "name": "G", "devices": ["one"], "rules": ["r"], "variables": ["num"]}]
    assert [(role["name"], role["permissions"]["config"]) for role in config["roles"]] == [
        ("admin", "write"),
        ("resident", "none"),
    ]


async def test_reported_states_are_no_configuration() -> None:
    desk = furnished()
    desk.house.report("weather.sun", "bright")
    assert [device["id"] for device in (await config_of(desk))["devices"]] == ["one", "two"]


@pytest.mark.parametrize("given", [{}, {"password": "right"}])
async def test_secrets_are_blank_for_everybody(given: dict[str, Any]) -> None:
    config = await furnished().ask("getConfig", **given)
    assert config["settings"]["authentication"]["secret"] == BLANK
    assert {user["password"] for user in config["users"]} == {BLANK}
    assert config["plugins"][1]["password"] == BLANK


@pytest.mark.parametrize("password", ["wrong", ["a", "b"]])
async def test_a_wrong_password_is_a_bad_request(password: Any) -> None:
    desk = furnished()
    with desk.refuses("password"):
        await desk.ask("getConfig", password=password)


async def test_a_configuration_that_is_sent_back_changes_nothing() -> None:
    desk = furnished()
    config = await config_of(desk)
    before = desk.house.everything()
    assert await desk.ask("updateConfig", config=config) is None
    assert desk.house.everything() == before


async def test_everything_in_a_configuration_counts_at_once() -> None:
    desk = furnished()
    config = await config_of(desk)
    config["devices"] = [
        {"id": "three", "name": "Three", "class": "DummyDimmer"},
        {**config["devices"][0], "name": "Uno"},
    ]
    config["variables"] = [
        {"name": "more", "value": 5},
        {"name": "num", "expression": "$more + $last"},
        {"name": "last", "value": 1},
    ]
    config["rules"] = [
        {**config["rules"][0], "active": False},
        {"id": "s", "name": "S", "rule": 'when $last > 1 then log "y"'},
    ]
    config["pages"] = [
        {"id": "q", "name": "Q", "devices": [{"deviceId": "three"}]},
        {**config["pages"][0], "name": "PP"},
    ]
    config["groups"] = [{**config["groups"][0], "devices": ["three", "one"]}]
    config["plugins"] = config["plugins"][:1]
    config["settings"]["locale"] = "fr"
    await desk.kept_after("updateConfig", config=config)
    now = await config_of(desk)
    assert now["devices"] == [config["devices"][1], config["devices"][0]]
    assert desk.home.order("device") == ("three", "one")
    assert now["variables"] == config["variables"]
    assert desk.home.value("num") == 6
    assert [(rule["id"], rule["active"]) for rule in now["rules"]] == [("r", False), ("s", True)]
    assert [(page["id"], page["name"]) for page in now["pages"]] == [("q", "Q"), ("p", "PP")]
    assert now["groups"] == config["groups"]
    assert [plugin["plugin"] for plugin in now["plugins"]] == ["cron"]
    assert now["settings"]["locale"] == "fr"
    assert {change.source for change in desk.house.definitions()[-5:]} == {"store"}


async def test_what_is_left_out_of_a_rule_in_a_configuration_is_as_if_never_chosen() -> None:
    desk = furnished()
    desk.home.rules.change("r", {"again": "queue", "late": 60}, ADMIN.context)
    config = await config_of(desk)
    assert (config["rules"][0].pop("again"), config["rules"][0].pop("late")) == ("queue", 60)
    await desk.kept_after("updateConfig", config=config)
    assert desk.home.rules.get("r").chosen == {}


async def test_two_variables_may_change_their_places() -> None:
    desk = furnished()
    config = await config_of(desk)
    config["variables"] = [{"name": "num", "expression": "$more * 2"}, {"name": "more", "value": 4}]
    await desk.kept_after("updateConfig", config=config)
    assert (desk.home.value("num"), desk.home.value("more")) == (8, 4)


async def test_people_and_roles_come_change_and_go() -> None:
    desk = furnished()
    config = await config_of(desk)
    config["users"] = [config["users"][0], {"username": "guest", "password": "new", "role": "visitor"}]
    config["roles"] = [config["roles"][0], {"name": "visitor", "permissions": {"devices": "read"}}]
    await desk.kept_after("updateConfig", config=config)
    assert [person.username for person in desk.people.users()] == ["admin", "guest"]
    guest = desk.people.caller("guest")
    assert guest is not None
    assert guest.permissions == {"devices:read"}
    assert await desk.people.check("guest", "new", "test") is not None
    assert desk.people.known("admin", "right") is not None
    told = [(change.kind, change.key) for change in desk.house.definitions() if change.kind in ("user", "role")]
    assert ("user", "guest") in told
    assert "new" not in str([change.new for change in desk.house.definitions() if change.key == "guest"])


@pytest.mark.parametrize(
    ("edit", "left"),
    [
        (lambda desk: desk.home.remove_device("two", TEST), ["one", "three"]),
        (lambda desk: desk.home.add_device(a_device("DummySwitch", "four"), "store", TEST), ["one", "two", "three"]),
    ],
)
async def test_what_others_edit_while_passwords_are_hashed_is_not_in_the_way(
    edit: Callable[[Desk], object], left: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = furnished()
    config = await config_of(desk)
    config["users"].append({"username": "guest", "password": "new", "role": "admin"})
    config["devices"] = [device for device in config["devices"] if device["id"] in left]
    config["devices"].append({"id": "three", "name": "Three", "class": "DummySwitch"})

    async def meanwhile(person: Person, _password: str) -> Person:
        edit(desk)
        return person

    monkeypatch.setattr(applying, "hashed", meanwhile)
    await desk.kept_after("updateConfig", config=config)
    assert list(desk.home.devices) == left
    assert desk.people.user("guest") is not None


async def test_what_cannot_be_any_more_once_passwords_are_hashed_changes_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    desk = furnished()
    config = await config_of(desk)
    config["users"].append({"username": "guest", "password": "new", "role": "admin"})
    config["devices"].append({"id": "three", "name": "Three", "class": "DummySwitch"})

    async def meanwhile(person: Person, _password: str) -> Person:
        desk.home.add_device(a_device("DummySwitch", "three"), "link:far", TEST)
        return person

    monkeypatch.setattr(applying, "hashed", meanwhile)
    with pytest.raises(InvalidInput, match="three"):
        await desk.ask("updateConfig", config=config)
    assert desk.people.user("guest") is None
    assert [change.key for change in desk.house.definitions()][-1] == "three"


async def test_whom_the_file_declares_is_removed_there() -> None:
    desk = furnished()
    FirstPeople(desk.people, desk.home, [UserSettings("child", "toy", "resident")], {})
    config = await config_of(desk)
    config["users"][1] = {"username": "child", "password": "other", "role": "admin"}
    await desk.kept_after("updateConfig", config=config)
    with desk.refuses("child", "configuration.yaml"):
        await desk.ask("updateConfig", config={**config, "users": config["users"][:1]})
    assert desk.people.user("child") is not None


async def test_the_login_can_be_switched_off_and_on() -> None:
    desk = furnished()
    config = await config_of(desk)
    for enabled in (False, True):
        config["settings"]["authentication"]["enabled"] = enabled
        await desk.kept_after("updateConfig", config=config)
        assert desk.people.enabled is enabled
    assert "secret" not in desk.kept.setting("authentication")


async def test_a_password_that_comes_back_blank_stays() -> None:
    desk = furnished()
    config = await config_of(desk)
    config["plugins"][1]["host"] = "mail.example"
    await desk.kept_after("updateConfig", config=config)
    assert desk.kept.get("plugin", "mail") == {"plugin": "mail", "password": "hush", "host": "mail.example"}
    assert desk.people.known("child", "toy") is not None


def _with(**changed: Any) -> dict[str, Any]:
    return changed


@pytest.mark.parametrize(
    ("changed", "word"),
    [
        (_with(plugins="x"), "plugins"),
        (_with(devices=[{"name": "x"}]), "id"),
        (_with(devices=[{"id": "one", "name": "1", "class": "DummySwitch"}] * 2), "twice"),
        (_with(devices=[{"id": "x", "name": "x", "class": "Nonsense"}]), "Nonsense"),
        (_with(devices=[{"id": "x", "name": "x", "class": "Sun"}]), "x"),
        (_with(variables=[{"name": "a", "expression": "$b"}, {"name": "b", "expression": "$a"}]), "depend"),
        (_with(variables=[{"name": "a", "expression": "$nope"}]), "nope"),
        (_with(variables=[{"name": "a"}]), "either"),
        (_with(rules=[{"id": "r", "name": "R", "rule": "when nonsense then more"}]), "r"),
        (_with(pages=[{"id": "p", "name": "P", "devices": "x"}]), "devices"),
        (_with(groups=[{"id": "g", "name": "G", "rules": [1]}]), "rules"),
        (_with(users=[{"username": "new", "role": "admin"}]), "password"),
        (_with(users=[{"username": "admin", "password": BLANK, "role": "nobody"}]), "role"),
        (_with(users=[{"username": "admin", "password": BLANK, "role": "resident"}]), "nobody would be left"),
        (_with(users=[{"username": "admin", "password": 5, "role": "admin"}]), "password"),
        (_with(roles=[{"name": "admin"}]), "permissions"),
        (_with(roles=[{"name": "admin", "permissions": {"config": "read"}}]), "nobody would be left"),
        (_with(settings="x"), "settings"),
    ],
)
async def test_a_configuration_that_cannot_be_changes_nothing(changed: dict[str, Any], word: str) -> None:
    desk = furnished()
    config = await config_of(desk)
    people, plugins = desk.people.users(), dict(desk.kept.all("plugin"))
    with desk.refuses(word):
        await desk.ask("updateConfig", config={**config, **changed})
    assert (desk.people.users(), desk.kept.all("plugin")) == (people, plugins)


@pytest.mark.parametrize(
    ("settings", "word"),
    [
        ({"gui": []}, "gui"),
        ({"cors": "*"}, "cors"),
        ({"locale": 5}, "locale"),
        ({"database": 1}, "database"),
        ({"database": {"deviceAttributeLogging": "x"}}, "deviceAttributeLogging"),
        ({"database": {"deviceAttributeLogging": [{"deviceId": "*", "attributeName": "*"}]}}, "expire"),
        ({"database": {"messageLogging": [5]}}, "messageLogging: entry 1"),
        ({"database": {"messageLogging": [{"level": "loud", "expire": "1d"}]}}, "level"),
        ({"database": {"messageLogging": [{"tags": "x", "expire": "1d"}]}}, "tags"),
        ({"database": {"messageLogging": [{"level": "*"}]}}, "expire"),
        ({"authentication": "off"}, "authentication"),
        ({"authentication": {"enabled": "maybe"}}, "enabled"),
        ({"authentication": {"loginTime": "long"}}, "loginTime"),
    ],
)
async def test_settings_that_make_no_sense_change_nothing(settings: dict[str, Any], word: str) -> None:
    desk = furnished()
    config = await config_of(desk)
    with desk.refuses("settings", word):
        await desk.ask("updateConfig", config={**config, "settings": {**config["settings"], **settings}})


@pytest.mark.parametrize(
    ("section", "entry", "word"),
    [
        ("users", {"username": "a:b", "password": "x", "role": "admin"}, "colon"),
        ("users", {"username": "a\nb", "password": "x", "role": "admin"}, "control"),
        ("users", {"username": "a" * 256, "password": "x", "role": "admin"}, "long"),
        ("roles", {"name": "a\x00b", "permissions": {}}, "control"),
        ("variables", {"name": "new", "value": 1, "unit": {"x": 1}}, "unit"),
    ],
)
async def test_what_has_no_proper_name_changes_nothing(section: str, entry: dict[str, Any], word: str) -> None:
    desk = furnished()
    config = await config_of(desk)
    config[section].append(entry)
    with desk.refuses(word):
        await desk.ask("updateConfig", config=config)


@pytest.mark.parametrize(
    "secret", [{"plugins": [{"plugin": "\ud800"}]}, {"roles": [{"name": "\ud800", "permissions": {}}]}]
)
async def test_what_cannot_be_kept_changes_nothing(secret: dict[str, Any]) -> None:
    desk = furnished()
    config = await config_of(desk)
    config["devices"] = []
    with desk.refuses("surrogate", status=422):
        await desk.ask("updateConfig", config={**config, **secret})


@pytest.mark.parametrize(
    "large",
    [
        {"plugins": [{"plugin": "cron", "text": "x" * MAX_DEFINITION}]},
        {"settings": {"text": "x" * MAX_DEFINITION}},
    ],
)
async def test_a_definition_that_is_too_large_changes_nothing(large: dict[str, Any]) -> None:
    desk = furnished()
    config = await config_of(desk)
    config["devices"] = []
    with desk.refuses("1 MB at most", status=413):
        await desk.ask("updateConfig", config={**config, **large})


async def test_settings_that_make_sense_count() -> None:
    desk = furnished()
    config = await config_of(desk)
    config["settings"]["database"]["messageLogging"] = [{"level": "warn", "tags": ["rule"], "expire": "30d"}]
    config["settings"]["gui"] = {"demo": False}
    await desk.kept_after("updateConfig", config=config)
    assert (await config_of(desk))["settings"] == config["settings"]


async def test_a_trial_says_nothing_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    desk = furnished()
    config = await config_of(desk)
    config["devices"].append({"id": "odd", "name": "Odd", "class": "DummySwitch", "strange": 1})
    with caplog.at_level("INFO"):
        await desk.kept_after("updateConfig", config=config)
    assert [record.message for record in caplog.records if "strange" in record.message] == [
        "device odd: class DummySwitch has no option strange; it has: id, name, class; it is kept and not used"
    ]


@pytest.mark.parametrize("config", [None, "x", {}])
async def test_what_is_no_configuration_is_refused(config: Any) -> None:
    desk = furnished()
    with desk.refuses():
        await desk.ask("updateConfig", **({} if config is None else {"config": config}))


async def test_homes_that_are_made_for_a_trial_do_not_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    trials: list[weakref.ref[Home]] = []

    def trial_home(*given: Any, **named: Any) -> Home:
        home = Home(*given, **named)
        trials.append(weakref.ref(home))
        return home

    monkeypatch.setattr(plans, "Home", trial_home)
    desk = furnished()
    config = await config_of(desk)
    for name in ("a", "b", "c"):
        config["rules"][0]["name"] = name
        await desk.kept_after("updateConfig", config=config)
    gc.collect()
    assert len(trials) == 3
    assert sum(trial() is not None for trial in trials) <= 1


async def test_what_stands_in_the_file_is_edited_there() -> None:
    desk = furnished()
    desk.home.add_device({"id": "fixed", "name": "Fixed", "class": "DummySwitch"}, "file")
    config = await config_of(desk)
    await desk.ask("updateConfig", config=config)
    config["devices"] = [device for device in config["devices"] if device["id"] != "fixed"]
    with desk.refuses("fixed", "file"):
        await desk.ask("updateConfig", config=config)


async def test_how_screens_are_to_look() -> None:
    assert await furnished().ask("getGuiSettings") == {
        "config": {"demo": True},
        "defaults": {"hideRuleName": False, "hideRuleText": False, "demo": False},
    }


async def test_a_new_start() -> None:
    desk = furnished()
    assert await desk.ask("restart") is True
    assert desk.restarts == 1
    with pytest.raises(InvalidInput, match="by hand"):
        restart(msgspec.structs.replace(desk.hub, restart=None), Ask((), {}, ADMIN))
    child = Caller("child", frozenset(), Context("pimatic"))
    with desk.refuses("restart", status=403):
        await desk.ask("restart", caller=child)
