"""The states of a hub that we follow, as they stand among the entities of the home.

What the home has itself is not touched by them; what that hub no longer has goes away after a while. It must not know
how states come here.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable

from hallway.errors import HallwayError
from hallway.home.changes import Context
from hallway.home.entities import Owner
from hallway.home.entity_services import LINK
from hallway.home.home import Home
from hallway.home.ids import check_entity_id
from hallway.home.values import Attributes, decode, encode, python_text
from hallway.links.status import DOMAIN

log = logging.getLogger(__name__)

MISSING_FOR = 60.0
"""Seconds after which an entity that hub no longer tells of is removed: one that has just started knows few."""
MOST_NAMED = 10


class MirroredStates:
    """The entities of the hub that is followed under this name."""

    def __init__(self, home: Home, name: str) -> None:
        self._home = home
        self._told_by = f"{LINK}{name}"
        self._context = Context(self._told_by)
        self._newer: set[str] = set()
        self._missing: dict[str, float] = {}
        self._clashes: set[str] = set()

    def begin(self) -> None:
        """All states are about to be asked for: what events tell from now on is newer than the answer."""
        self._newer.clear()

    def all(self, states: Iterable[Attributes]) -> None:
        """Everything that hub shows, as it was when it was asked for."""
        seen: set[str] = set()
        clashes: list[str] = []
        for state in states:
            entity_id = _entity_id(state)
            if entity_id is None:
                continue
            seen.add(entity_id)
            if entity_id not in self._newer and not self._show(entity_id, state):
                clashes.append(entity_id)
        self._note_clashes(clashes)
        self._remove_missing(seen | self._newer)

    def told(self, entity_id: str, state: Attributes | None) -> None:
        """An event says that one of its entities shows this now; None: it is gone."""
        entity_id = entity_id.lower()
        self._newer.add(entity_id)
        if state is None:
            self._remove(entity_id)
        elif _entity_id(state) == entity_id and not self._show(entity_id, state):
            self._note_clashes([entity_id])

    # ------------------------------------------------------------------ one entity

    def _show(self, entity_id: str, state: Attributes) -> bool:
        """Whether the home takes it from that hub."""
        owner = self._home.entities.owners.get(entity_id)
        if owner is not None and self._is_left_over(owner):
            self._home.remove_device(owner.key, self._context)
            owner = None
        if owner is not None and owner.told_by != self._told_by:
            return False
        try:
            text, attributes = _shown(state)
        except HallwayError as error:
            log.warning("%s of %s is not mirrored: %s", entity_id, self._told_by, error)
            return True
        if owner is None:
            self._home.report_new(entity_id, text, attributes, self._context, self._told_by)
        else:
            self._home.report(entity_id, text, attributes, self._context)
        return True

    def _is_left_over(self, owner: Owner) -> bool:
        """Whether it was mirrored from a hub that is followed no longer, or was under another name."""
        return owner.told_by.startswith(LINK) and owner.told_by.removeprefix(LINK) not in self._home.mirrors

    def _remove(self, entity_id: str) -> None:
        self._missing.pop(entity_id, None)
        owner = self._home.entities.owners.get(entity_id)
        if owner is not None and owner.told_by == self._told_by:
            self._home.remove_device(owner.key, self._context)

    # ------------------------------------------------------------------ all of them

    def _remove_missing(self, seen: set[str]) -> None:
        now = self._home.clock.monotonic()
        ours = [entity_id for entity_id, owner in self._home.entities.owners.items() if owner.told_by == self._told_by]
        missing = [entity_id for entity_id in ours if entity_id not in seen]
        self._missing = {entity_id: self._missing.get(entity_id, now) for entity_id in missing}
        for entity_id in missing:
            if now - self._missing[entity_id] >= MISSING_FOR:
                log.info("%s is no longer known to %s and is removed", entity_id, self._told_by)
                self._remove(entity_id)

    def _note_clashes(self, entity_ids: list[str]) -> None:
        new = [entity_id for entity_id in entity_ids if entity_id not in self._clashes]
        if not new:
            return
        self._clashes.update(new)
        named = ", ".join(new[:MOST_NAMED]) + (f" and {len(new) - MOST_NAMED} more" if len(new) > MOST_NAMED else "")
        log.warning("not mirrored from %s, since this home has entities of the same id: %s", self._told_by, named)


def _entity_id(state: Attributes) -> str | None:
    """The id in lower case; None for what is no state, and for what that hub tells of its own links."""
    given = state.get("entity_id")
    if not isinstance(given, str) or "state" not in state:
        return None
    try:
        entity_id = check_entity_id(given)
    except HallwayError:
        return None
    return None if entity_id.startswith(f"{DOMAIN}.") else entity_id


def _shown(state: Attributes) -> tuple[str, Attributes]:
    """Text and attributes, as they can be kept: without NaN, which differs from itself. CannotStore: they cannot."""
    text = python_text(state["state"])
    encode(text)
    attributes = decode(encode(state.get("attributes")))
    return text, attributes if isinstance(attributes, dict) else {}
