"""The parameters of an operation out of a request: each from the path, then the query, then the body.

It must not know HTTP.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from hallway.api.operations.base import Operation
from hallway.api.operations.coercion import coerce, missing
from hallway.errors import InvalidInput
from hallway.home.values import Attributes, Value

_AS_IT_IS: Final = ("string", "")


def gather(
    operation: Operation, path: Mapping[str, str], query: Mapping[str, Value], body: Mapping[str, Value] | None
) -> Attributes:
    """All parameters by name, as the types that are declared. InvalidInput: one is missing or cannot be read.

    null counts as missing; what is missing and not needed is left out. An operation with free data gets everything
    else that was sent, too; an exact one refuses it.
    """
    if operation.exact:
        _check_known(operation, {**(body or {}), **query})
    found: Attributes = {}
    if operation.free_data:
        found = {**(body or {}), **query, **path}
    for parameter in operation.parameters:
        name = parameter.name
        value: Value = path.get(name)
        if value is None and query:
            value = query.get(name)
        if value is None and body:
            value = body.get(name)
        if value is not None:
            found[name] = value if parameter.type in _AS_IT_IS else coerce(parameter, value)
        elif parameter.required or parameter.where == "path":
            raise missing(parameter)
        else:
            found.pop(name, None)
    return found


def _check_known(operation: Operation, given: Mapping[str, Value]) -> None:
    known = [parameter.name for parameter in operation.parameters]
    unknown = [name for name in given if name not in known]
    if unknown:
        raise InvalidInput(
            f"{operation.name} has no parameter {unknown[0][:40]!r}: it takes {', '.join(known)}. Nothing was done"
        )
    for parameter in operation.parameters:
        value = given.get(parameter.name)
        if parameter.type == "object" and value is not None and not isinstance(value, dict):
            raise InvalidInput(f"{parameter.name} must be an object, not {str(value)[:40]!r}. Nothing was done")
