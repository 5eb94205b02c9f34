"""The OpenAPI document says what the operations say, and nothing that is not there."""

from __future__ import annotations

import json
from typing import Any

from hallway.api.openapi import document
from hallway.api.operations.homeassistant_table import OPERATIONS
from hallway.api.operations.table import OPERATIONS as FOR_PEOPLE
from hallway.home.values import encode
from tests.hubs import RunningHub

DOCUMENT: Any = document(OPERATIONS, "1.2.3")


def test_the_hub_hands_it_out_without_a_password(door: RunningHub) -> None:
    answer = door.ask("GET", "/api/openapi.json", headers={})
    assert answer.status == 200
    assert answer.headers["content-type"] == "application/json"
    served = answer.json()
    served["info"]["version"] = "1.2.3"
    assert served == json.loads(encode(document(OPERATIONS, "1.2.3", FOR_PEOPLE)))


def test_every_operation_stands_in_it_with_all_its_methods() -> None:
    written = {(path, method.upper()) for path, methods in DOCUMENT["paths"].items() for method in methods}
    assert written == {(operation.route, method) for operation in OPERATIONS for method in operation.methods}


def test_operation_ids_are_different() -> None:
    ids = [operation["operationId"] for methods in DOCUMENT["paths"].values() for operation in methods.values()]
    assert len(ids) == len(set(ids))


def test_every_parameter_in_a_path_is_described() -> None:
    for path, methods in DOCUMENT["paths"].items():
        for operation in methods.values():
            named = {parameter["name"] for parameter in operation["parameters"] if parameter["in"] == "path"}
            assert named == {segment[1:-1] for segment in path.split("/") if segment.startswith("{")}


def test_every_error_is_described_as_a_sentence() -> None:
    for methods in DOCUMENT["paths"].values():
        for operation in methods.values():
            for status, answer in operation["responses"].items():
                if status >= "400":
                    schema = answer["content"]["application/json"]["schema"]
                    assert schema["properties"] == {"message": {"type": "string"}}
