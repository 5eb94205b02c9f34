"""OpenAPI of operations whose results come in pimatic's envelope: `{"<name>": result, "success": true}`.

Parameters stand in the path, for GET and DELETE in the query, otherwise in the body. It must not know anything about an
operation that its declaration does not say.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final, cast

from hallway.api.operations.base import Operation, Parameter

Schema = dict[str, object]
SECURITY: Final[list[Schema]] = [{"basic": []}, {"cookie": []}]
_IN_QUERY: Final = frozenset({"GET", "DELETE"})
_REALLY: Final = MappingProxyType(
    {
        "removePage": "array",
        "removeGroup": "array",
        "removeVariable": "boolean",
        "getPredicateInfo": "object",
        "executeAction": "",
        "restart": "",
    }
)
"""Types of results where pimatic declares another than it gives; empty: any."""
_REFERENCE: Final = "#/components/responses/refused"
_ERROR: Final[Schema] = {
    "type": "object",
    "required": ["success", "message"],
    "properties": {"success": {"const": False}, "message": {"type": "string"}},
}
_ERRORS: Final = MappingProxyType(
    {
        "400": "a value is missing or wrong",
        "404": "the thing named does not exist",
        "409": "the thing was changed meanwhile",
        "413": "the body is too large",
        "429": "too many wrong passwords; wait a little",
        "503": "the hub cannot keep the change just now",
    }
)
_STALE: Final = "409"
"""Of operations alone that can name the revision on which they are based."""
_WITHOUT_BODY: Final = MappingProxyType({"401": "not logged in", "403": "logged in, but without that permission"})


def enveloped_operation(operation: Operation, method: str) -> Schema:
    """One operation under one method."""
    in_query = method in _IN_QUERY
    data = [known for known in operation.parameters if known.where == "data"]
    written: Schema = {
        "operationId": operation.name if method == operation.methods[0] else f"{operation.name}_{method.lower()}",
        "summary": operation.description,
        "tags": [operation.area],
        "security": SECURITY,
        "parameters": [
            *(_in_path(known) for known in operation.parameters if known.where == "path"),
            *(_in_query(known) for known in data if in_query),
        ],
        "responses": _responses(operation),
    }
    if operation.permission:
        written["description"] = f"Needs the permission {operation.permission}."
    if data and not in_query:
        schema = _object(data) | ({"description": operation.free_data} if operation.free_data else {})
        needed = any(known.required for known in data)
        written["requestBody"] = {"required": needed, "content": {"application/json": {"schema": schema}}}
    return written


def _in_path(parameter: Parameter) -> Schema:
    schema = {"type": "string", "minLength": 1}
    return {
        "name": parameter.name,
        "in": "path",
        "required": True,
        "description": parameter.description,
        "schema": schema | _example(parameter),
    }


def _in_query(parameter: Parameter) -> Schema:
    written: Schema = {
        "name": parameter.name,
        "in": "query",
        "required": parameter.required,
        "description": parameter.description,
        "schema": _schema(parameter),
    }
    if parameter.type == "object":
        written |= {"style": "deepObject", "explode": True}
    return written


def _schema(parameter: Parameter) -> Schema:
    kind: Schema = {"type": parameter.type} if parameter.type else {}
    choices = parameter.schema.get("enum")
    if choices:
        kind["enum"] = choices
    if parameter.fields:
        kind |= _object(parameter.fields)
    return {"description": parameter.description} | kind | _example(parameter)


def _example(parameter: Parameter) -> Schema:
    return {} if parameter.example is None else {"examples": [parameter.example]}


def _object(parameters: Iterable[Parameter]) -> Schema:
    known = list(parameters)
    return {
        "type": "object",
        "properties": {each.name: _schema(each) for each in known},
        "required": [each.name for each in known if each.required],
    }


def _responses(operation: Operation) -> Schema:
    statuses = [status for status in _ERRORS if status != _STALE or _may_be_stale(operation)]
    refused = {status: {"$ref": f"{_REFERENCE}{status}"} for status in (*statuses, *_WITHOUT_BODY)}
    if operation.streams:
        files = {kind.partition(";")[0]: {"schema": {"type": "string"}} for kind in operation.streams}
        return {"200": {"description": "a file, as fast as it is read", "content": files}, **refused}
    kind = _REALLY.get(operation.name, operation.result_type)
    properties: Schema = {"success": {"const": True}}
    needed = ["success"]
    if operation.result:
        properties[operation.result] = {"type": kind} if kind else {}
        needed += [operation.result] if operation.name != "restart" else []
    envelope = {"type": "object", "required": needed, "properties": properties}
    answers: Schema = {"200": {"description": "done", "content": {"application/json": {"schema": envelope}}}}
    return answers | refused


def _may_be_stale(operation: Operation) -> bool:
    return operation.about is not None or any(known.name == "revision" for known in operation.parameters)


def refusals() -> Schema:
    """What stands under `components/responses`: how an operation is refused, by name."""
    written: Schema = {}
    for status, description in _ERRORS.items():
        content = {"application/json": {"schema": _ERROR}}
        written[f"refused{status}"] = {"description": description, "content": content}
    for status, description in _WITHOUT_BODY.items():
        written[f"refused{status}"] = {"description": description}
    return written


# ---------------------------------------------------------------------- two doors at one address


def either(one: object, security: list[Schema], other: Schema) -> Schema:
    """Two operations under one method and path; security: that of the first, which does not say it itself."""
    first = cast("Schema", one)
    answers = {**_part(other, "responses")}
    for status, answer in _part(first, "responses").items():
        answers[status] = _either_answer(answer, answers[status]) if status in answers else answer
    names = {_name(known) for known in _list(first, "parameters")}
    more = [known for known in _list(other, "parameters") if _name(known) not in names]
    return {
        "operationId": f"{first['operationId']}_or_{other['operationId']}",
        "summary": f"{first['summary']}; with a login of pimatic: {other['summary']}",
        "description": "The credential decides which of both answers.",
        "security": [*security, *SECURITY],
        "parameters": [*_list(first, "parameters"), *more],
        "responses": answers,
    }


def _either_answer(one: object, other: object) -> Schema:
    reference = _part(other, "").get("$ref")
    if isinstance(reference, str):
        other = refusals()[reference.rpartition("/")[2]]
    schemas = [schema for answer in (one, other) if (schema := _schema_of(answer)) is not None]
    written: Schema = {"description": _part(one, "").get("description", "done")}
    if schemas:
        written["content"] = {"application/json": {"schema": {"anyOf": schemas}}}
    return written


def _schema_of(answer: object) -> object:
    content = _part(_part(_part(answer, "content"), "application/json"), "schema")
    return content or None


def _part(value: object, name: str) -> Schema:
    """A part that is an object; the value itself for no name."""
    part = (value if not name else value.get(name)) if isinstance(value, Mapping) else None
    return dict(part) if isinstance(part, Mapping) else {}


def _list(value: Schema, name: str) -> list[object]:
    part = value.get(name)
    return list(part) if isinstance(part, list) else []


def _name(parameter: object) -> object:
    return _part(parameter, "").get("name")
