"""Short ways to declare an operation of pimatic, and what all edits have in common.

It must not know a single operation.
"""

from __future__ import annotations

from typing import Final

from hallway.api.operations.base import NO_SCHEMA, DataType, Edited, Hub, Parameter, Schema
from hallway.errors import Conflict, InvalidInput, NotFound, Stale
from hallway.home.values import Attributes, Value, kind_of

ANY: Final[Schema] = {"type": "any"}
DATE: Final[Schema] = {"type": "date"}

MOST_IN_ORDER: Final = 10_000
"""Ids in a list that somebody sends."""


def path(name: str, description: str, example: Value = None) -> Parameter:
    """A parameter in the path: a text."""
    return Parameter(name, "path", description, required=True, example=example)


def data(
    name: str,
    kind: DataType,
    description: str,
    *,
    example: Value = None,
    fields: tuple[Parameter, ...] = (),
    schema: Schema = NO_SCHEMA,
) -> Parameter:
    """A parameter in the query or the body that has to be there."""
    return Parameter(name, "data", description, kind, required=True, example=example, fields=fields, schema=schema)


def maybe(
    name: str,
    kind: DataType,
    description: str,
    *,
    example: Value = None,
    fields: tuple[Parameter, ...] = (),
    schema: Schema = NO_SCHEMA,
) -> Parameter:
    """A parameter in the query or the body that may be left out."""
    return Parameter(name, "data", description, kind, example=example, fields=fields, schema=schema)


class refusing:  # noqa: N801 - it reads as what is done inside; a generator would cost each edit a µs
    """In pimatic, what is not there or there already is a bad request like any other."""

    def __enter__(self) -> None:
        """Nothing to begin with."""

    def __exit__(self, _kind: object, error: BaseException | None, _at: object) -> None:
        if isinstance(error, NotFound | Conflict) and not isinstance(error, Stale):
            raise InvalidInput(error.message) from error


def kept(hub: Hub, result: object) -> Edited:
    """The result of an edit that has been made, to be told once everything that it changed is on the disk."""
    return Edited(hub.store, hub.home.changes.seq, result)


def object_in(given: Attributes, name: str) -> Attributes:
    """A parameter that is an object; InvalidInput otherwise."""
    value = given.get(name)
    if not isinstance(value, dict):
        raise InvalidInput(f"{name} must be a JSON object, not {kind_of(value)}")
    return value


def text_in(given: Attributes, name: str) -> str:
    """A parameter that is a text; InvalidInput otherwise."""
    value = given.get(name)
    if not isinstance(value, str):
        raise InvalidInput(f"{name} must be a text, not a JSON {kind_of(value)}")
    return value


def order_in(given: Attributes, name: str) -> tuple[str, ...]:
    """A parameter that is a list of ids; InvalidInput otherwise."""
    value = given.get(name)
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise InvalidInput(f"{name} must be a list of ids")
    check_order(given, name)
    return tuple(str(item) for item in value)


def check_order(given: Attributes, name: str) -> None:
    """InvalidInput: a list of ids is too long."""
    value = given.get(name)
    if isinstance(value, list) and len(value) > MOST_IN_ORDER:
        raise InvalidInput(f"{name} has {len(value)} ids: put at most {MOST_IN_ORDER} in order, those left out follow")
