"""The OpenAPI document of pimatic's operations: routes, envelopes and refusals; and addresses that serve two doors."""

from __future__ import annotations

import json
from typing import Any

import pytest
import schemathesis
from schemathesis.core.result import Ok

from hallway.api.openapi import document
from hallway.api.operations.homeassistant_table import OPERATIONS as HOME_ASSISTANT
from hallway.api.operations.pimatic.table import OPERATIONS
from hallway.home.values import encode
from tests.api.pimatic.declared import ADD, ALL, LIST, ON_SOCKET, operation

DOCUMENT: Any = json.loads(encode(document(HOME_ASSISTANT, "1.2.3", OPERATIONS)))


def written(declared: Any, method: str = "get") -> Any:
    return json.loads(encode(document((), "1", (declared,))))["paths"][declared.route][method]


def test_every_operation_stands_in_it_under_its_route() -> None:
    routes = {(declared.route, method) for declared in (*HOME_ASSISTANT, *OPERATIONS) for method in declared.methods}
    assert routes == {(path, method.upper()) for path, methods in DOCUMENT["paths"].items() for method in methods}


def test_operation_ids_are_different() -> None:
    ids = [each["operationId"] for methods in DOCUMENT["paths"].values() for each in methods.values()]
    assert len(ids) == len(set(ids))


def test_a_program_can_read_it() -> None:
    found = list(schemathesis.openapi.from_dict(DOCUMENT).get_all_operations())
    assert [each for each in found if not isinstance(each, Ok)] == []
    assert len(found) == sum(map(len, DOCUMENT["paths"].values()))


def test_every_reference_leads_somewhere() -> None:
    for reference in references(DOCUMENT):
        place = DOCUMENT
        for part in reference.removeprefix("#/").split("/"):
            place = place[part]


def references(value: Any) -> list[str]:
    if isinstance(value, list):
        return [found for item in value for found in references(item)]
    if not isinstance(value, dict):
        return []
    own = [value["$ref"]] if isinstance(value.get("$ref"), str) else []
    return own + [found for item in value.values() for found in references(item)]


def test_a_result_comes_in_its_envelope() -> None:
    answers = written(operation())["responses"]
    assert answers["200"]["content"]["application/json"]["schema"] == {
        "type": "object",
        "required": ["success", "thing"],
        "properties": {"success": {"const": True}, "thing": {"type": "object"}},
    }


def test_without_a_result_there_is_an_envelope_all_the_same() -> None:
    schema = written(ADD, "post")["responses"]["200"]["content"]["application/json"]["schema"]
    assert schema["required"] == ["success"]


@pytest.mark.parametrize("status", ["400", "404", "413", "429", "503"])
def test_refusals_come_in_an_envelope_with_a_message(status: str) -> None:
    reference = written(operation())["responses"][status]["$ref"]
    refused = DOCUMENT["components"]["responses"][reference.rpartition("/")[2]]
    assert refused["content"]["application/json"]["schema"]["required"] == ["success", "message"]


@pytest.mark.parametrize("status", ["401", "403"])
def test_who_may_not_ask_gets_no_json(status: str) -> None:
    assert set(DOCUMENT["components"]["responses"][f"refused{status}"]) == {"description"}


def test_who_asks_says_so_with_basic_or_a_cookie() -> None:
    assert written(operation())["security"] == [{"basic": []}, {"cookie": []}]
    schemes = DOCUMENT["components"]["securitySchemes"]
    assert schemes["basic"] == {"type": "http", "scheme": "basic"}
    assert schemes["cookie"] == {"type": "apiKey", "in": "cookie", "name": "pimatic.sess"}
    assert schemes["password"] == {"type": "apiKey", "in": "header", "name": "X-HA-Access"}


def test_parameters_stand_in_the_path_in_the_query_or_in_the_body() -> None:
    (in_query,) = written(LIST)["parameters"]
    assert (in_query["name"], in_query["in"], in_query["style"], in_query["required"]) == (
        "criteria",
        "query",
        "deepObject",
        False,
    )
    added = written(ADD, "post")
    assert [(each["name"], each["in"]) for each in added["parameters"]] == [("thingId", "path")]
    body = added["requestBody"]["content"]["application/json"]["schema"]
    assert body["required"] == ["kind"]
    assert body["properties"]["kind"]["enum"] == ["value", "expression"]
    assert body["properties"]["criteria"]["properties"]["limit"]["type"] == "number"
    assert added["requestBody"]["required"] is True


def test_deleting_takes_its_parameters_from_the_query() -> None:
    removed = written(operation(methods=("DELETE",), parameters=LIST.parameters, route="/api/things"), "delete")
    assert [each["in"] for each in removed["parameters"]] == ["query"]
    assert "requestBody" not in removed


def test_what_only_the_socket_can_do_is_not_in_it() -> None:
    assert document((), "1", (ON_SOCKET,))["paths"] == {}


def test_where_two_doors_meet_either_may_answer() -> None:
    both = DOCUMENT["paths"]["/api/config"]["get"]
    assert both["operationId"] == "get_config_or_getConfig"
    assert both["security"] == [{"password": []}, {"query": []}, {"session": []}, {"basic": []}, {"cookie": []}]
    assert [each["name"] for each in both["parameters"]] == ["password"]
    schemas = both["responses"]["200"]["content"]["application/json"]["schema"]["anyOf"]
    assert [schema.get("required") for schema in schemas] == [None, ["success", "config"]]
    assert {"401", "403", "422"} <= set(both["responses"])


def test_the_operations_of_one_door_are_written_the_same_with_and_without_the_other() -> None:
    alone: Any = json.loads(encode(document(HOME_ASSISTANT, "1.2.3")))
    shared = {("/api/config", "get")}
    for path, methods in alone["paths"].items():
        for method, each in methods.items():
            assert (path, method) in shared or DOCUMENT["paths"][path][method] == each


def test_made_up_operations_can_be_read_too() -> None:
    found = schemathesis.openapi.from_dict(json.loads(encode(document((), "1", ALL[:-2])))).get_all_operations()
    assert all(isinstance(each, Ok) for each in found)
