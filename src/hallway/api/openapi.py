"""OpenAPI 3.1 from the declarations of the operations.

It must not know anything about an operation that its declaration does not say.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final

from hallway.api.openapi_pimatic import Schema, either, enveloped_operation, refusals
from hallway.api.operations.base import Operation, Parameter

SECURITY: Final[list[Schema]] = [{"password": []}, {"query": []}, {"session": []}]
_STATE: Final[Schema] = {
    "type": "object",
    "required": ["entity_id", "state", "attributes", "last_changed", "last_updated"],
    "properties": {
        "entity_id": {"type": "string"},
        "state": {"type": "string"},
        "attributes": {"type": "object"},
        "last_changed": {"type": "string", "description": "HH:MM:SS DD-MM-YYYY, UTC"},
        "last_updated": {"type": "string", "description": "HH:MM:SS DD-MM-YYYY, UTC"},
    },
}
_MESSAGE: Final[Schema] = {"type": "object", "required": ["message"], "properties": {"message": {"type": "string"}}}
_EVENT_COUNT: Final[Schema] = {
    "type": "object",
    "required": ["event", "listener_count"],
    "properties": {"event": {"type": "string"}, "listener_count": {"type": "integer"}},
}
_SERVICES: Final[Schema] = {
    "type": "object",
    "required": ["domain", "services"],
    "properties": {"domain": {"type": "string"}, "services": {"type": "array", "items": {"type": "string"}}},
}
_NULLABLE: Final[Schema] = {"type": ["string", "null"]}
_ENTRY: Final[Schema] = {
    "type": "object",
    "required": ["when", "name", "message", "domain", "entity_id"],
    "properties": {
        "when": {"type": "string", "description": "HH:MM:SS DD-MM-YYYY, UTC"},
        "name": {"type": "string"},
        "message": {"type": "string"},
        "domain": _NULLABLE,
        "entity_id": _NULLABLE,
    },
}


def _list_of(schema: Schema) -> Schema:
    return {"type": "array", "items": schema}


RESULTS: Final[Mapping[str, Schema]] = MappingProxyType(
    {
        "message": _MESSAGE,
        "state": _STATE,
        "state_set": _STATE,
        "states": _list_of(_STATE),
        "events": _list_of(_EVENT_COUNT),
        "services": _list_of(_SERVICES),
        "components": _list_of({"type": "string"}),
        "state_lists": _list_of(_list_of(_STATE)),
        "past_states": _list_of(_STATE),
        "entries": _list_of(_ENTRY),
        "config": {"type": "object"},
        "bootstrap": {
            "type": "object",
            "properties": {
                "config": {"type": "object"},
                "events": _list_of(_EVENT_COUNT),
                "services": _list_of(_SERVICES),
                "states": _list_of(_STATE),
            },
        },
    }
)
_ERRORS: Final = MappingProxyType(
    {
        "400": "a value is missing or wrong",
        "401": "the password is missing or wrong",
        "404": "the thing named does not exist",
        "413": "the body is too large",
        "422": "the body is not a JSON object, or another hub did not answer",
        "503": "the hub cannot do that just now",
    }
)


def document(operations: Iterable[Operation], version: str, enveloped: Iterable[Operation] = ()) -> Schema:
    """The whole document. enveloped: operations of pimatic, whose door wraps each result; see `openapi_pimatic`.

    Where one address serves both, the credential decides who answers, and the document says that either may.
    """
    paths: dict[str, Schema] = {}
    for operation in operations:
        for method in operation.methods:
            paths.setdefault(operation.route, {})[method.lower()] = _operation(operation, method)
    for operation in enveloped:
        for method in operation.methods if operation.route else ():
            here = paths.setdefault(operation.route, {})
            written = enveloped_operation(operation, method)
            there = here.get(method.lower())
            here[method.lower()] = written if there is None else either(there, SECURITY, written)
    return {
        "openapi": "3.1.0",
        "info": {"title": "hallway", "version": version, "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"}},
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": {
            "securitySchemes": {
                "password": {"type": "apiKey", "in": "header", "name": "X-HA-Access"},
                "query": {"type": "apiKey", "in": "query", "name": "api_password"},
                "session": {"type": "apiKey", "in": "cookie", "name": "sessionId"},
                "basic": {"type": "http", "scheme": "basic"},
                "cookie": {"type": "apiKey", "in": "cookie", "name": "pimatic.sess"},
            },
            "responses": refusals(),
        },
        "security": SECURITY,
    }


def _operation(operation: Operation, method: str) -> Schema:
    in_query = method == "GET"
    written: Schema = {
        "operationId": operation.name if method == operation.methods[0] else f"{operation.name}_{method.lower()}",
        "summary": operation.description,
        "parameters": [_parameter(p) for p in operation.parameters if p.where == "path" or in_query],
        "responses": _responses(operation),
    }
    data = [p for p in operation.parameters if p.where == "data"]
    if not in_query and (data or operation.free_data):
        written["requestBody"] = {"content": {"application/json": {"schema": _body(operation, data)}}}
    return written


def _parameter(parameter: Parameter) -> Schema:
    schema: Schema = {"type": parameter.type} if parameter.type else {}
    if parameter.where == "path":
        schema = {"type": "string", "pattern": parameter.schema.get("pattern", "^[a-zA-Z._0-9]+$")}
    return {
        "name": parameter.name,
        "in": "path" if parameter.where == "path" else "query",
        "required": parameter.where == "path",
        "description": parameter.description,
        "schema": schema,
    }


def _body(operation: Operation, data: list[Parameter]) -> Schema:
    properties = {
        p.name: {"description": p.description}
        | ({"type": p.type} if p.type else {})
        | ({} if p.example is None else {"examples": [p.example]})
        for p in data
    }
    schema: Schema = {"type": "object", "properties": properties}
    if operation.free_data:
        schema["description"] = operation.free_data
    return schema | {"required": [p.name for p in data if p.required]}


def _responses(operation: Operation) -> Schema:
    if operation.result == "stream":
        good: Schema = {"text/event-stream": {"schema": {"type": "string"}}}
    else:
        good = {"application/json": {"schema": RESULTS[operation.result]}}
    answers: Schema = {"200": {"description": "done", "content": good}}
    if operation.result == "state_set":
        answers["201"] = {"description": "a new entity", "content": good}
    for status, description in _ERRORS.items():
        answers[status] = {"description": description, "content": {"application/json": {"schema": _MESSAGE}}}
    return answers
