"""The API's description of itself at `GET /api`: every operation in the form in which pimatic writes its own.

Made of the declarations and nothing else, so it cannot tell what is not there. It must not know requests.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from types import MappingProxyType
from typing import Final

from hallway.api.operations.base import Operation, Parameter
from hallway.home.values import encode

CONTENT_TYPE: Final = "text/html; charset=utf-8"
"""Under which pimatic hands it out, although it is JSON."""
Described = dict[str, object]
_IN_ROUTE: Final = re.compile(r"\{(\w+)\}")
_EXPLAINED: Final = frozenset({"getDeviceById", "getPageById", "removePage", "addPage", "updatePage", "executeAction"})
"""Operations whose parameters pimatic describes; elsewhere their names have to do."""
_HANDLERS: Final = MappingProxyType(
    {"callDeviceAction": ({"handler": "callDeviceActionReq"}, {"handler": "callDeviceActionSocket"})}
)
"""What stands beside route and socket where pimatic's own server does something special."""
_FOR_EVERYBODY: Final = MappingProxyType({"getUpdateProcessStatus": {"scope": "updates", "access": "none"}})
"""Scopes of operations that need no permission in them."""


def description(operations: Iterable[Operation]) -> Described:
    """All operations by name."""
    return {"actions": {operation.name: _action(operation) for operation in operations}}


def description_text(operations: Iterable[Operation]) -> bytes:
    """The same as the text that is handed out."""
    return encode(description(operations))


def url_of(operation: Operation) -> str:
    """The route as pimatic writes it: `/api/devices/:deviceId`; empty for what only the socket can do."""
    return _IN_ROUTE.sub(r":\1", operation.route)


def _action(operation: Operation) -> Described:
    beside_rest, beside_socket = _HANDLERS.get(operation.name, ({}, {}))
    action: Described = {"description": operation.description}
    if operation.route and operation.methods:
        action["rest"] = {"type": operation.methods[0], "url": url_of(operation), **beside_rest}
    if beside_socket:
        action["socket"] = beside_socket
    explained = operation.name in _EXPLAINED
    action["params"] = {
        known.name: _parameter(known, explained=explained) for known in operation.parameters if not known.beyond
    }
    if operation.result:
        kind = {"type": operation.result_type} if operation.result_type else {}
        action["result"] = {operation.result: {**kind, **operation.result_schema}}
    permission = _permission(operation)
    if permission:
        action["permission"] = permission
    return action


def _parameter(parameter: Parameter, *, explained: bool) -> Described:
    written: Described = {"description": parameter.description} if explained else {}
    if parameter.type:
        written["type"] = parameter.type
    written.update(parameter.schema)
    if parameter.fields:
        written["properties"] = {
            known.name: _parameter(known, explained=explained) for known in parameter.fields if not known.beyond
        }
    if not parameter.required:
        written["optional"] = True
    return written


def _permission(operation: Operation) -> Described:
    if not operation.permission:
        return dict(_FOR_EVERYBODY.get(operation.name, {}))
    scope, colon, access = operation.permission.partition(":")
    return {"scope": scope, "access": access} if colon else {"action": scope}
