"""The self-description has the form that pimatic's clients read, and says what the declarations say."""

from __future__ import annotations

import json
from typing import Any

import pytest

from hallway.api.operations.base import Parameter
from hallway.api.operations.pimatic.table import OPERATIONS
from hallway.api.pimatic.describing import CONTENT_TYPE, description, description_text, url_of
from tests.api.pimatic.declared import ADD, LIST, ON_SOCKET, operation

DESCRIPTION: Any = json.loads(description_text(OPERATIONS))
ACTIONS = DESCRIPTION["actions"]


def described(*operations: Any) -> Any:
    return json.loads(json.dumps(description(operations)))["actions"]


def test_an_operation_is_written_as_pimatic_writes_it() -> None:
    assert described(operation())["getThing"] == {
        "description": "Tell about a thing",
        "rest": {"type": "GET", "url": "/api/things/:thingId"},
        "params": {"thingId": {"type": "string"}},
        "result": {"thing": {"type": "object"}},
        "permission": {"scope": "devices", "access": "read"},
    }


def test_parameters_have_their_types_and_fields_and_say_when_they_may_be_left_out() -> None:
    assert described(ADD)["addThing"]["params"] == {
        "thingId": {"type": "string"},
        "kind": {"type": "string", "enum": ["value", "expression"]},
        "criteria": {
            "type": "object",
            "properties": {"level": {"type": "any", "optional": True}, "limit": {"type": "number"}},
            "optional": True,
        },
    }


def test_fields_that_pimatic_does_not_have_are_left_out() -> None:
    fields = (Parameter("name", "data", "its name"), Parameter("own", "data", "of our own", beyond=True))
    declared = operation(parameters=(Parameter("thing", "data", "the thing", "object", fields=fields),))
    assert set(described(declared)["getThing"]["params"]["thing"]["properties"]) == {"name"}


def test_what_is_not_there_is_not_written() -> None:
    assert "result" not in described(ADD)["addThing"]
    assert "permission" not in described(LIST)["getThings"]
    assert "rest" not in described(ON_SOCKET)["onlySocket"]
    assert described(ON_SOCKET)["onlySocket"]["permission"] == {"action": "controlDevices"}


def test_more_that_pimatic_says_of_a_result_stands_beside_its_type() -> None:
    declared = operation(result_type="array", result_schema={"toJson": True, "items": {"thing": {"type": "object"}}})
    assert described(declared)["getThing"]["result"] == {
        "thing": {"type": "array", "toJson": True, "items": {"thing": {"type": "object"}}}
    }


def test_only_some_operations_describe_their_parameters() -> None:
    parameters = (Parameter("pageId", "path", "id of the page", required=True),)
    named = described(operation("getPageById", parameters=parameters), operation("other", parameters=parameters))
    assert named["getPageById"]["params"]["pageId"] == {"description": "id of the page", "type": "string"}
    assert named["other"]["params"]["pageId"] == {"type": "string"}


def test_it_is_json_under_the_type_that_pimatic_gives_it() -> None:
    assert CONTENT_TYPE == "text/html; charset=utf-8"
    assert set(DESCRIPTION) == {"actions"}


def test_the_whole_table_is_there() -> None:
    assert set(ACTIONS) == {declared.name for declared in OPERATIONS}
    assert len(ACTIONS) == 84
    assert sum("rest" in action for action in ACTIONS.values()) == 80
    assert all(action["description"] for action in ACTIONS.values())


@pytest.mark.parametrize(
    ("name", "part", "fact"),
    [
        ("getGuiSettings", "rest", {"type": "GET", "url": "/api/config/settings/gui"}),
        ("restart", "permission", {"action": "restart"}),
        ("restart", "result", {"void": {}}),
        ("getRules", "permission", {"scope": "rules", "access": "write"}),
        ("getRules", "result", {"rules": {"type": "array", "toJson": True}}),
        ("getUpdateProcessStatus", "permission", {"scope": "updates", "access": "none"}),
        ("removeDevice", "rest", {"type": "DELETE", "url": "/api/device-config/:deviceId"}),
        ("isPimaticOutdated", "result", {"outdated": {"tye": "any"}}),
        ("callDeviceAction", "socket", {"handler": "callDeviceActionSocket"}),
        ("callDeviceAction", "permission", {"action": "controlDevices"}),
        (
            "updateVariable",
            "params",
            {
                "name": {"type": "string"},
                "type": {"type": "string", "enum": ["expression", "value"]},
                "valueOrExpression": {"type": "string"},
                "unit": {"type": "string", "optional": True},
            },
        ),
        (
            "querySingleDeviceAttributeEvents",
            "rest",
            {"type": "GET", "url": "/api/database/device-attributes/:deviceId/:attributeName"},
        ),
    ],
)
def test_facts_of_the_original(name: str, part: str, fact: object) -> None:
    assert ACTIONS[name][part] == fact


def test_every_parameter_of_an_address_is_described() -> None:
    for declared in OPERATIONS:
        in_address = {part[1:] for part in url_of(declared).split("/") if part.startswith(":")}
        assert in_address <= set(ACTIONS[declared.name]["params"])
