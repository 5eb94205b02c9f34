"""What rules promise: they are sentences of the right form, read by the language of the home, shown and switched."""

from __future__ import annotations

from typing import Any

import pytest

from hallway.errors import CannotStore, Conflict, HallwayError, InvalidConfiguration, InvalidInput, NotFound
from hallway.home.rules import parts_of
from tests.home.homes import TEST, House, a_device

SENTENCE = 'when lamp is on then log "on"'


def reads_names(text: str, home: Any) -> None:
    """A language that knows the devices of a home: `when <device id or name> … then …`."""
    name = text.split(" ")[1]
    if name not in home.devices and name not in [device.name for device in home.devices.values()]:
        raise InvalidInput(f"there is no {name} in this home")


@pytest.fixture
def house() -> House:
    house = House(a_device("DummySwitch", "lamp", name="Lamp"))
    house.home.rules.language = reads_names
    return house


def a_rule(**more: Any) -> dict[str, Any]:
    return {"id": "r", "name": "R", "rule": SENTENCE, **more}


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("when a is on then b", ("a is on", "b")),
        ("when\ta\tthen\tb and c", ("a", "b and c")),
        ('when a then log "ü ☃"', ("a", 'log "ü ☃"')),
        ("When a THEN b", ("a", "b")),
        ("when a Then b", ("a", "b")),
        ("When a then b", ("a", "b")),
        ('when a then log "b THEN c"', ("a", 'log "b THEN c"')),
        ("  when a then b", ("a", "b")),
    ],
)
def test_a_rule_is_split_into_condition_and_actions(text: str, parts: tuple[str, str]) -> None:
    assert parts_of(text) == parts


@pytest.mark.parametrize(
    "text",
    [
        "",
        "foo bar",
        "when a",
        "then b",
        "when a then b then c",
        'when a then log "x then y"',
        "x" * 10_001,
    ],
)
def test_what_has_not_the_form_of_a_rule_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        parts_of(text)


def test_a_rule_is_taken_in_and_shown(house: House) -> None:
    rule = house.home.rules.add(a_rule(logging=False), TEST)
    assert (rule.id, rule.name, rule.text, rule.active, rule.logging, rule.valid) == (
        "r",
        "R",
        SENTENCE,
        True,
        False,
        True,
    )
    assert (rule.condition, rule.actions, rule.error) == ("lamp is on", 'log "on"', None)
    assert house.home.rules.get("r") is rule
    assert house.home.rules.all() == [rule]
    assert house.shows("rule.r") == ("on", {"friendly_name": "R", "rule": SENTENCE})
    assert house.edits() == ["rule r added"]
    (change,) = house.definitions()
    assert change.new == {"id": "r", "name": "R", "rule": SENTENCE, "active": True, "logging": False}
    assert (change.context, change.source) == (TEST, "store")


def test_without_a_language_only_the_form_counts() -> None:
    house = House()
    assert house.home.rules.add(a_rule(rule="when this then that"), TEST).valid
    with house.refuses(InvalidInput, "when", "then"):
        house.home.rules.add(a_rule(id="s", rule="this"), TEST)


@pytest.mark.parametrize(
    ("config", "error", "words"),
    [
        ({"id": "bad id"}, InvalidInput, ("rule id", "'bad id'")),
        ({"id": None}, InvalidInput, ("rule id",)),
        ({"rule": None}, InvalidConfiguration, ("rule r", "sentence")),
        ({"rule": 5}, InvalidConfiguration, ("rule r",)),
        ({"rule": "when nobody is on then x"}, InvalidInput, ("there is no nobody",)),
        ({"name": 5}, InvalidConfiguration, ("rule r", "name")),
        ({"active": "maybe"}, InvalidConfiguration, ("active", "maybe")),
        ({"active": 1}, InvalidConfiguration, ("active", "'1'")),
        ({"logging": "no"}, InvalidConfiguration, ("logging",)),
        ({"name": "\ud800"}, CannotStore, ("surrogate",)),
    ],
)
def test_what_is_no_rule_is_refused(
    house: House, config: dict[str, Any], error: type[HallwayError], words: tuple[str, ...]
) -> None:
    with house.refuses(error, *words):
        house.home.rules.add(a_rule(**config), TEST)


def test_an_id_is_there_once(house: House) -> None:
    house.home.rules.add(a_rule(), TEST)
    with house.refuses(Conflict, "rule r"):
        house.home.rules.add(a_rule(name="other"), TEST)


def test_a_rule_that_cannot_be_read_is_kept_when_that_is_forced(house: House) -> None:
    bad = a_rule(rule='when foo is bar then log "x"')
    rule = house.home.rules.add(bad, TEST, force=True)
    assert (rule.active, rule.valid, rule.error) == (False, False, "there is no foo in this home")
    assert (rule.condition, rule.actions) == ("foo is bar", 'log "x"')
    assert house.shows("rule.r")[0] == "off"
    with house.refuses(InvalidInput, "then"):
        house.home.rules.add(a_rule(id="s", rule="when foo"), TEST, force=True)


@pytest.mark.parametrize("text", ["when foo is bar then x", "nonsense", ""])
def test_a_rule_of_an_earlier_start_is_kept_readable_or_not(house: House, text: str) -> None:
    rule = house.home.rules.keep(a_rule(rule=text), "store")
    assert (rule.text, rule.active, rule.valid) == (text, False, False)
    assert rule.error
    assert rule.config["active"] is True


def test_a_rule_of_old_may_begin_with_if(house: House) -> None:
    assert house.home.rules.keep(a_rule(rule="if lamp is on then x"), "store").text == "when lamp is on then x"
    with house.refuses(InvalidInput, "when"):
        house.home.rules.add(a_rule(id="s", rule="if lamp is on then x"), TEST)


def test_a_rule_is_changed_in_part(house: House) -> None:
    house.home.rules.add(a_rule(), TEST)
    assert house.home.rules.change("r", {"name": "other", "id": "zzz"}, TEST).name == "other"
    assert house.home.rules.change("r", {"active": False}, TEST).active is False
    assert house.shown("rule.r").state == "off"
    assert house.home.rules.change("r", {"logging": False, "name": None}, TEST).logging is False
    changed = house.home.rules.change("r", {"rule": "when lamp is off then b"}, TEST)
    assert (changed.id, changed.name, changed.condition, changed.actions) == ("r", "other", "lamp is off", "b")
    assert house.edits() == ["rule r added", *["rule r changed"] * 4]


def test_a_change_of_nothing_is_told_too(house: House) -> None:
    """Whoever runs the rule begins anew with it."""
    house.home.rules.add(a_rule(), TEST)
    house.home.rules.change("r", {}, TEST)
    assert house.edits() == ["rule r added", "rule r changed"]


def test_a_change_to_what_cannot_be_read_is_refused(house: House) -> None:
    house.home.rules.add(a_rule(), TEST)
    with house.refuses(InvalidInput, "there is no x"):
        house.home.rules.change("r", {"rule": "when x then y"}, TEST)
    with house.refuses(NotFound, "rule nope"):
        house.home.rules.change("nope", {"name": "x"}, TEST)


def test_a_rule_is_removed_and_leaves_its_groups_first(house: House) -> None:
    house.home.rules.add(a_rule(), TEST)
    house.home.groups.add({"id": "g", "rules": ["r", "other"]}, TEST)
    removed = house.home.rules.remove("r", TEST)
    assert removed.name == "R"
    assert house.home.groups.get("g").rules == ("other",)
    assert house.edits()[2:] == ["group g changed", "rule r removed"]
    assert house.home.state("rule.r") is None
    assert house.home.announcer.gone("rule", "r") == removed
    with house.refuses(NotFound, "rule r"):
        house.home.rules.remove("r", TEST)
    with pytest.raises(NotFound):
        house.home.rules.get("r")


def test_a_rule_of_the_file_is_edited_there(house: House) -> None:
    house.home.rules.keep(a_rule(), "file")
    commands: Any = (
        lambda: house.home.rules.change("r", {"active": False}, TEST),
        lambda: house.home.rules.remove("r", TEST),
        lambda: house.call("rule.turn_off", entity_id="rule.r"),
    )
    for edit in commands:
        with house.refuses(Conflict, "rule r", "configuration.yaml"):
            edit()


def test_a_rule_loses_its_sense_with_the_device_that_it_names_and_gets_it_back(house: House) -> None:
    house.home.rules.add(a_rule(rule="when Lamp is on then x"), TEST)
    house.home.change_device({"id": "lamp", "class": "DummySwitch", "name": "Other"}, TEST)
    rule = house.home.rules.get("r")
    assert (rule.valid, rule.active, rule.lost, rule.wanted) == (False, False, True, True)
    assert house.shown("rule.r").state == "off"
    assert house.shows("rule.r")[1]["error"] == "there is no Lamp in this home"
    assert house.edits() == ["rule r added", "device lamp changed", "rule r changed"]
    told = house.definitions()[-1]
    assert told.old == told.new, "the rule itself is as somebody wrote it"
    house.home.change_device({"id": "lamp", "class": "DummySwitch", "name": "Lamp"}, TEST)
    rule = house.home.rules.get("r")
    assert (rule.valid, rule.active, rule.lost, rule.error) == (True, True, False, None)
    house.home.remove_device("lamp", TEST)
    assert house.home.rules.get("r").lost
    assert house.edits()[-2:] == ["device lamp removed", "rule r changed"]
    house.home.add_device(a_device("DummySwitch", "Lamp"), "store", TEST)
    assert house.home.rules.get("r").active


def test_a_rule_that_is_off_stays_off_when_it_can_be_read_again(house: House) -> None:
    house.home.rules.add(a_rule(active=False), TEST)
    house.home.remove_device("lamp", TEST)
    house.home.add_device(a_device("DummySwitch", "lamp"), "store", TEST)
    rule = house.home.rules.get("r")
    assert (rule.valid, rule.active) == (True, False)


def test_rules_are_switched_as_entities(house: House) -> None:
    house.home.rules.add(a_rule(), TEST)
    house.home.rules.add(a_rule(id="s", active=False), TEST)
    assert list(house.home.services.listing()["rule"]) == ["turn_on", "turn_off", "toggle", "trigger"]
    assert house.call("rule.turn_off", entity_id="rule.r").done
    assert [rule.active for rule in house.home.rules.all()] == [False, False]
    house.call("rule.toggle")
    assert [rule.active for rule in house.home.rules.all()] == [True, True]
    house.call("homeassistant.turn_off", entity_id=["rule.s", "switch.lamp"])
    assert [rule.active for rule in house.home.rules.all()] == [True, False]
    before = house.edits()
    house.call("rule.turn_off", entity_id="rule.s")
    assert house.edits() == before, "a rule that is off already is not touched"
