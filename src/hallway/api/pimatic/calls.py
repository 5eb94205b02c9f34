"""The operations by name, and how one is used: permission, handler, result. REST and socket share it.

It must not know how a call came in.
"""

from __future__ import annotations

from collections.abc import Awaitable, Iterable
from inspect import isawaitable
from typing import cast

from hallway.access.callers import Caller
from hallway.api.operations.base import Ask, Edited, Hub, Operation
from hallway.api.operations.large_results import Flow, close
from hallway.api.operations.locking import GIVEN, check_revision
from hallway.errors import Forbidden, InvalidInput, NotFound
from hallway.home.revisions import BeingMended
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
        """Use an operation with its parameters; the result, or something to await for it.

        BeingMended: nothing was done, and it may be used again when that is over; a handler reads before it edits.
        """
        self.allow(operation, caller)
        if GIVEN in arguments and operation.about is not None:
            check_revision(self.hub, operation.about, arguments, caller)
        return operation.handler(self.hub, Ask((), arguments, caller))

    async def begun(self, operation: Operation, arguments: Attributes, caller: Caller) -> object:
        """Use an operation with its parameters; its result once it is there, also if something is mended first.

        That of an edit is Edited: it has been made, and may not be told yet.
        """
        try:
            result = self.start(operation, arguments, caller)
        except BeingMended as error:
            await error.over()
            result = self.start(operation, arguments, caller)
        return await result if isawaitable(result) and not isinstance(result, Edited) else result

    async def result(self, operation: Operation, arguments: Attributes, caller: Caller) -> object:
        """As `begun`; the result of an edit once it may be told."""
        result = await self.begun(operation, arguments, caller)
        return await result if isinstance(result, Edited) else result

    async def run(self, operation: Operation, arguments: Attributes, caller: Caller) -> Value:
        """Use an operation with its parameters, gathered and coerced; its result once it is there."""
        return await self.told(operation, self.result(operation, arguments, caller))

    async def told(self, operation: Operation, started: Awaitable[object]) -> Value:
        """The result of what was started, where everything is told in one piece. InvalidInput: it is a file."""
        result = await started
        if isinstance(result, Edited):
            result = await result
        if isinstance(result, Flow):
            await close(result.pieces)
            raise InvalidInput(f"{operation.name} hands out a file: ask for it over HTTP, at GET {operation.route}")
        return cast("Value", result)
