"""What a sentence names: what it looks at, and what it acts on.

Found by going through the parsed rule, so that tests and deeds of plugins are found as well when they name their things
as the built-in ones do. It must not know how rules run.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, Literal

import msgspec

from hallway.language.deeds import Deed
from hallway.language.expressions import Expression
from hallway.language.rules import ParsedRule

Thing = Literal["device", "variable", "entity", "event"]
Name = tuple[Thing, str]
_ENTITY: Final = "entity_id"


class Mentions(msgspec.Struct, frozen=True):
    """Names of a rule: `reads` what it looks at, `writes` what it acts on; attributes: values that it reads."""

    reads: frozenset[Name]
    writes: frozenset[Name]
    attributes: frozenset[str] = frozenset()

    def has(self, thing: str, key: str) -> bool:
        """Whether it names that device or variable at all."""
        return any(kind == thing and name == key for kind, name in (*self.reads, *self.writes))


def mentions_of(sentence: ParsedRule) -> Mentions:
    """All names of a sentence."""
    reads: set[Name] = set()
    writes: set[Name] = set()
    attributes: set[str] = set()
    for predicate in sentence.predicates:
        for name, attribute in _walk(predicate):
            reads.add(name)
            attributes |= {attribute} if attribute else set()
    for action in (*sentence.deeds, *sentence.otherwise):
        for name, attribute in _walk(action):
            (reads if attribute else writes).add(name)
            attributes |= {attribute} if attribute else set()
        writes |= set(_acted_on(action.deed))
    return Mentions(frozenset(reads), frozenset(writes), frozenset(attributes))


def _walk(value: object) -> Iterator[tuple[Name, str]]:
    """Names in a part of a sentence, with the `device.attribute` or variable that is read, if one is."""
    if isinstance(value, Expression):
        for variable in sorted(value.variables):
            yield name_of(variable), variable
    elif isinstance(value, msgspec.Struct):
        yield from _own(value)
        for part in msgspec.structs.astuple(value):
            yield from _walk(part)
    elif isinstance(value, tuple | list):
        for part in value:
            yield from _walk(part)


def _own(part: msgspec.Struct) -> Iterator[tuple[Name, str]]:
    device_id, attribute = getattr(part, "device_id", None), getattr(part, "attribute", "")
    reading = not isinstance(part, Deed)
    if isinstance(device_id, str):
        yield (
            ("device", device_id),
            f"{device_id}.{attribute}" if reading and isinstance(attribute, str) and attribute else "",
        )
    entity_id, event = getattr(part, _ENTITY, None), getattr(part, "event_type", None)
    if isinstance(entity_id, str):
        yield ("entity", entity_id), ""
    if isinstance(event, str):
        yield ("event", event), ""
    name = getattr(part, "name", None)
    if isinstance(name, str) and hasattr(part, "how"):
        yield name_of(name), name


def _acted_on(deed: Deed) -> Iterator[Name]:
    """What a deed acts on beside a device: a variable, or the entities in the data of a service."""
    name, data = getattr(deed, "name", None), getattr(deed, "data", None)
    if isinstance(name, str):
        yield ("variable", name)
    given = data.get(_ENTITY) if isinstance(data, dict) else None
    for entity_id in given if isinstance(given, list) else [given]:
        if isinstance(entity_id, str):
            yield ("entity", entity_id)


def name_of(name: str) -> Name:
    """What a value belongs to: the device of an attribute, or the variable itself."""
    device_id, dot, _attribute = name.partition(".")
    return ("device", device_id) if dot else ("variable", name)
