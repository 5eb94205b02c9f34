"""What an entity shows: `state of weather.sun is above_horizon`.

It must not know other kinds of predicates.
"""

from __future__ import annotations

import re
from typing import Final

from hallway.language.coercion import to_text
from hallway.language.conditions import EntityIs, Test
from hallway.language.literals import read_value
from hallway.language.matching import Reader
from hallway.language.predicates.comparing import read_comparison
from hallway.language.registry import PredicateKind
from hallway.language.words import words

_STATE_OF: Final = words(also=("state of ",))
_ENTITY: Final = re.compile(r"[A-Za-z0-9_]+\.[A-Za-z0-9_]+")


class StateOfEntity(PredicateKind):
    """The state of an entity, which need not exist yet: it may be reported any time."""

    provider = "EntityPredicateProvider"
    begins = ("state",)

    def read(self, reader: Reader) -> Test | None:
        if not reader.take(_STATE_OF):
            return None
        if reader.hints is not None and "." in reader.rest:
            reader.hints.offer((state.entity_id for state in reader.vocabulary.home.states()), reader.rest)
        entity = reader.match(_ENTITY, "the id of an entity, as in weather.sun")
        comparator = read_comparison(reader) if entity else None
        if entity is None or comparator is None:
            return None
        found, value = read_value(reader)
        if not found or isinstance(value, list | dict):
            return None
        as_shown = value if isinstance(value, int | float) and not isinstance(value, bool) else to_text(value)
        return EntityIs(entity[0].lower(), comparator, as_shown)
