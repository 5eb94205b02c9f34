"""The operations by name, and how one is used: permission, handler, result. REST and socket share it.

It must not know how a call came in.
"""

from __future__ import annotations

from collections.abc import Iterable
from inspect import isawaitable
from typing import cast

from hallway.access.callers import Caller
from hallway.api.operations.base import Ask, Hub, Operation
from hallway.errors import Forbidden, NotFound
from hallway.home.values import Attributes, Value


class Calls:
    """What may be called on a hub."""

    def __init__(self, hub: Hub, operations: Iterable[Operation]) -> None:
        self.hub = hub
        self.operations = tuple(operations)
        self._by_name = {operation.name: operation for operation in self.operations}

    def operation(self, name: str) -> Operation:
        """The operation of that name. NotFound: there is none."""
        operation = self._by_name.get(name)
        if operation is None:
            raise NotFound(f"there is no action {name[:60]!r}; GET /api lists what there is")
        return operation

    def allow(self, operation: Operation, caller: Caller) -> None:
        """Forbidden: the caller may not use that operation."""
        if operation.permission and operation.permission not in caller.permissions:
            raise Forbidden(f"{operation.name} needs the permission {operation.permission}, which {caller.name} lacks")

    def start(self, operation: Operation, arguments: Attributes, caller: Caller) -> object:
        """Use an operation with its parameters; the result, or something to await for it."""
        self.allow(operation, caller)
        return operation.handler(self.hub, Ask((), arguments, caller))

    async def run(self, operation: Operation, arguments: Attributes, caller: Caller) -> Value:
        """Use an operation with its parameters, gathered and coerced; its result once it is there."""
        result = self.start(operation, arguments, caller)
        if isawaitable(result):
            result = await result
        return cast("Value", result)
