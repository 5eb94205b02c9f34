"""What is proposed while a sentence is typed: exactly what could go on at the end of it."""

import pytest

from hallway.language.functions import FUNCTIONS
from tests.home.homes import a_device
from tests.language.rule_house import RuleHouse

OPERATORS = {" + ", " - ", " * ", " / "}
UNITS = {
    " ms", " s", " second", " seconds", " m", " minute", " minutes", " h", " hour", " hours",
    " d", " day", " days", " y", " year", " years",
}  # fmt: skip
JOINTS = {" and ", " or ", " and if ", " or when "}
COMPARISONS = {
    " equals ", " is ", " is not ", " = ", " < ", " <= ", " > ", " >= ",
    " is less than ", " is less or equal than ", " is greater than ", " is greater or equal than ",
}  # fmt: skip
MOVES = {" changes", " gets updated", " increased", " decreased", " is increasing", " is decreasing"}
VALUES = {
    "$lamp.state", "$fan.state", "$dimmer.dimlevel", "$dimmer.state", "$blind.position", "$window.contact",
    "$heating.temperatureSetpoint", "$heating.valve", "$heating.mode", "$heating.battery", "$heating.synced",
    "$motion.presence", "$outside.temperature", "$outside.humidity", "$remote.button", "$field.input",
    "$clock.time", "$clock.running", "$n", "$half", "$word", "$double",
}  # fmt: skip
NUMBERS = VALUES | {"(", *FUNCTIONS}
VARIABLES = {"$n", "$half", "$word", "$double"}
STARTS = VARIABLES | {
    "turn ", "switch ", "toggle ", "dim ", "log ", "set ", "set presence of ", "set mode of ", "set temp of ",
    "open ", "close ", "raise ", "lower ", "move ", "start ", "stop ", "reset ", "press ",
}  # fmt: skip


@pytest.mark.parametrize(
    ("typed", "proposed"),
    [
        ("", set()),
        ("lamp", {" is", " is turned"}),
        ("lamp ", {" is", " is turned"}),
        ("lamp is ", {" is turned", " on", " off"}),
        ("lamp is turned", {" on", " off"}),
        ("lamp is on ", JOINTS | {" for "}),
        ("lamp is on", JOINTS | {" for "}),
        ("lamp is on a", {" and ", " and if "}),
        ("lamp is on and ", {" and if "}),
        ("lamp is on and if ", set()),
        ("[lamp is on", JOINTS | {" for ", " ", "]"}),
        ("lamp is on for", {" for "}),
        ("lamp is on for ", NUMBERS),
        ("lamp is on for 5 ", OPERATORS | UNITS),
        ("lamp is on for 5 m", JOINTS | {" minute", " minutes", " ms"}),
        ("temperature of ", {"outside", "Outside", "the "}),
        ("temperature of outside is ", {item for item in COMPARISONS if item.startswith(" is ")} - {" is "}),
        ("temperature of outside > ", set()),
        ("temperature of outside > 20 ", JOINTS | {" for ", " °C"}),
        ("mode of heating is ", {" is not ", '"', "auto", "manu", "boost"}),
        ("$n", OPERATORS | COMPARISONS | MOVES),
        ("$ha", {"$half"}),
        ("$n > min(", NUMBERS | {'"', ")"}),
        ("$n > min(1,", NUMBERS | {'"', ")", ", "}),
        ('"a$n', VALUES | {'"', "{"}),
        ("its ", VALUES | {'"', "after ", "before "}),
        ("every 5", OPERATORS | UNITS),
        ("nothing", set()),
        ("sta", {"state"}),
        ("state of l", {"lamp"}),
        ("$n > (", NUMBERS | {" "}),
        ("motion ", {" is", " reports", " signals", "Motion Hall"}),
        ("pimatic", {"pimatic is starting"}),
        ("HALL l", {"Hall Lamp"}),
        ("the g", set()),
        ("the G", {"Go Up"}),
    ],
)
def test_conditions(house: RuleHouse, typed: str, proposed: set[str]) -> None:
    assert house.proposes(typed) == proposed


@pytest.mark.parametrize(
    ("typed", "proposed"),
    [
        ("", set()),
        ("l", {"log ", "lower "}),
        ("log", {"log "}),
        ('log "', VALUES | {'"', "{"}),
        ('log "a', VALUES | {'"', "{"}),
        ('log "a" ', {" after ", " and "}),
        ('log "a" and ', set()),
        ('log "{$n', OPERATORS | {"}"}),
        ('log "{', NUMBERS | {'"'}),
        ("turn ", {"lamp", "Hall Lamp", "fan", "Fan", "dimmer", "Floor Lamp", "on ", "off ", "the "}),
        ("turn lamp", {" on", " off"}),
        ("turn lamp on", {" after ", " and ", " for "}),
        ("turn on ", {"lamp", "Hall Lamp", "fan", "Fan", "dimmer", "Floor Lamp", "the "}),
        ("set $", VARIABLES),
        ("set $n", {" to ", " := ", " = "}),
        ("set $n to $half +", NUMBERS | {" + "}),
        ("dim dimmer to 30", OPERATORS | {" after ", " and ", " for ", "%"}),
        ("after 5", OPERATORS | UNITS),
        ('after 5 seconds log "x"', {" and "}),
        ("toggle ", {"lamp", "Hall Lamp", "fan", "Fan", "dimmer", "Floor Lamp", "the ", "the state of "}),
        ("stop ", {"blind", "Bedroom Blind", "clock", "Egg Timer", "the "}),
        ("set mode of heating to ", {'"'}),
        ('log "a" e', set()),
        ('log "a" els', {" else "}),
        ('log "a" for ', NUMBERS),
        ("toggle lamp for 5", OPERATORS | UNITS),
        ("toggle the state of lamp", {" after ", " and "}),
        ('set mode of heating to "eco"', {" mode", " after ", " and ", " for "}),
        ("dim dimmer to 130", OPERATORS | {"%"}),
        ("set temp of heating to -5", OPERATORS | {"°C"}),
        ("set $n to (1", OPERATORS | {" ", ")", " after ", " and "}),
        ("set $n to (1 ", OPERATORS | {")", " after ", " and "}),
        ("after 5 minutes", STARTS),
        ("after 5 minutes ", STARTS),
        ("pause ", set()),
    ],
)
def test_actions(house: RuleHouse, typed: str, proposed: set[str]) -> None:
    assert house.proposes_actions(typed) == proposed


@pytest.mark.parametrize(
    ("typed", "formats"),
    [
        ("temperature of outside > ", ["Number"]),
        ("every 5", ["Number"]),
        ("every 5 ", []),
        ("lamp", []),
        ("$n > min(1", ["Number"]),
        ("$n > min(1,", ["Number", "numbers"]),
        ("$n > min(1, 2", ["Number", "numbers"]),
        ("$n > round(", ["Number", "number"]),
        ("$n > round(1, $half", ["[decimals]"]),
        ("$n > round(1, 2 +", ["Number"]),
        ("$n > round(1, 2, ", ["Number"]),
        ("temperature of outside > -", []),
        ("$n > .", []),
    ],
)
def test_the_kind_of_value_is_said_too(house: RuleHouse, typed: str, formats: list[str]) -> None:
    assert house.hints(typed)["format"] == formats


def test_a_name_that_goes_on_is_read_as_far_as_it_is_known(house: RuleHouse) -> None:
    found = house.action_hints("toggle lampe")
    assert [action["token"] for action in found["actions"]] == ["toggle lamp"]
    assert len(found["errors"]) == 1


def test_a_unit_that_goes_on_is_read_as_far_as_it_is_known(house: RuleHouse) -> None:
    found = house.hints("time of clock > 10 seconds")
    assert [predicate["token"] for predicate in found["predicates"]] == ["time of clock > 10 s"]
    assert len(found["errors"]) == 1


def test_proposals_are_in_alphabetical_order(house: RuleHouse) -> None:
    proposed = house.hints("[")["autocomplete"]
    assert proposed == sorted(proposed, key=str.lower)
    assert len(proposed) == len(set(proposed))


def test_what_was_read_is_shown_with_the_error(house: RuleHouse) -> None:
    predicate = {"id": "prd-id-0", "token": "lamp is on", "for": None, "justTrigger": False, "justCondition": False}
    found = house.hints("lamp is on and ")
    assert found["tokens"] == ["predicate", "(", 0, ")", "and"]
    assert found["predicates"] == [predicate]
    assert found["tree"] is None
    assert len(found["errors"]) == 1
    assert found["warnings"] == []


def test_a_right_condition_has_its_tree(house: RuleHouse) -> None:
    found = house.hints("[lamp is on for 5 seconds or fan is off]")
    first, second = found["predicates"]
    assert found["errors"] == []
    assert found["tokens"] == ["[", "predicate", "(", 0, ")", "or", "predicate", "(", 1, ")", "]"]
    assert first["for"] == {"token": "5 seconds", "exprTokens": [5], "unit": "seconds"}
    assert found["tree"] == {
        "type": "or",
        "left": {"type": "predicate", "predicate": first},
        "right": {"type": "predicate", "predicate": second},
    }


def test_actions_are_shown_with_their_times(house: RuleHouse) -> None:
    found = house.action_hints('after $n minutes turn lamp on for 5 s and log "x"')
    assert found["tokens"] == ["action", "(", 0, ")", "and", "action", "(", 1, ")"]
    assert found["errors"] == []
    first, second = found["actions"]
    assert first["after"] == {"token": "$n minutes", "exprTokens": ["$n"], "unit": "minutes"}
    assert first["for"] == {"token": "5 s", "exprTokens": [5], "unit": "s"}
    assert (second["token"], second["after"], second["for"]) == ('log "x"', None, None)


@pytest.mark.parametrize("typed", [" lamp is on", "lamp is on ", "lamp is on and", "foo", "lamp is not on"])
def test_spaces_at_the_ends_count_while_it_is_typed(house: RuleHouse, typed: str) -> None:
    assert house.hints(typed)["errors"]
    assert house.hints(typed)["tree"] is None


def test_what_a_rule_may_hold_is_no_error_while_it_is_typed(house: RuleHouse) -> None:
    assert house.hints("lamp  is ON AND fan is on")["errors"] == []
    assert house.action_hints('LOG "a"')["errors"] == []


def test_a_new_device_is_proposed_at_once_and_a_removed_one_no_longer(house: RuleHouse) -> None:
    assert "heater" not in house.proposes("he")
    house.home.add_device(a_device("DummySwitch", "heater"), "file")
    assert "heater" in house.proposes("he")
    house.home.add_variable({"name": "heat", "value": 1})
    assert "$heat" in house.proposes("$h")
