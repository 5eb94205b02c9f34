"""What a home was when it was last seen: the values that are put back before anybody listens.

Definitions come first (from the file, from the store), then this. It must not know where it was kept.
"""

from __future__ import annotations

import logging

import msgspec

from hallway.home.changes import State
from hallway.home.entities import Owner
from hallway.home.home import START, Home
from hallway.home.lasts import OWNER as REMOVED
from hallway.home.pending import Due
from hallway.home.values import Attributes, Value

log = logging.getLogger(__name__)


class SavedValue(msgspec.Struct, frozen=True):
    """The last value of a device's attribute; times in seconds since 1970."""

    device_id: str
    attribute: str
    value: Value
    updated: float
    changed: float


class SavedState(msgspec.Struct, frozen=True):
    """The last state of an entity. told_by: as in StateChange."""

    state: State
    told_by: str = ""


class SavedNote(msgspec.Struct, frozen=True):
    """What a part of the hub kept in mind; it takes it up itself, when it starts."""

    owner: str
    name: str
    note: Attributes


class Saved(msgspec.Struct, frozen=True):
    """Everything that is put back: number of the last change, ids that owners had, values, states, plans, notes."""

    seq: int = 0
    kept_ids: dict[str, str] = {}
    values: tuple[SavedValue, ...] = ()
    states: tuple[SavedState, ...] = ()
    variables: dict[str, Value] = {}
    pending: tuple[Due, ...] = ()
    notes: tuple[SavedNote, ...] = ()


def restore(home: Home, saved: Saved) -> None:
    """Put everything back into a home that has its definitions; what no longer has a place is left out."""
    home.formulas.complete = False
    for value in saved.values:
        _put_back_value(home, value)
    now = home.clock.now()
    for device in home.devices.values():
        for _moved in home.entities.show_device(home.entities_of(device.id), now):
            pass
    for kept in saved.states:
        if kept.told_by and kept.state.entity_id not in home.entities.owners:
            home.adopt(kept.state, kept.told_by)
    known = [(home.variables.get(name), last) for name, last in saved.variables.items() if name in home.variables]
    for variable, last in sorted(known, key=lambda each: each[0].formula is not None):
        home.put_variable(variable.name, last, START)
    for device_id, why in home.bind_formulas():
        log.warning("device %s: %s", device_id, why)
    _read_rules(home)
    _put_back_states(home, saved)
    for due in saved.pending:
        if due.device_id in home.devices:
            home.pending.restore(due)
    _put_back_lasts(home, saved)


def _put_back_lasts(home: Home, saved: Saved) -> None:
    for note in saved.notes:
        if note.owner == REMOVED:
            home.announcer.lasts.put_back(note.name, note.note)


def _read_rules(home: Home) -> None:
    """Now that everything is there which they may name."""
    home.rules.read_again(START)
    for rule in home.rules.all():
        if rule.error is not None:
            log.warning("rule %s does not run: %s", rule.id, rule.error)


def _put_back_value(home: Home, saved: SavedValue) -> None:
    device = home.devices.get(saved.device_id)
    if device is not None and saved.attribute in device.attributes:
        held = device.held(saved.attribute)
        held.take(saved.value, saved.updated)
        held.changed = saved.changed


def _put_back_states(home: Home, saved: Saved) -> None:
    """Groups come last: what they show follows from their members."""
    owners = home.entities.owners
    known = [kept for kept in saved.states if _is_of(owners.get(kept.state.entity_id), kept, saved)]
    for kept in known:
        _put_back_state(home, kept)
    for owner in list(owners.values()):
        if owner.kind == "group":
            home.groups.show(owner.key.removeprefix("group:"), START)
    for kept in known:
        if owners[kept.state.entity_id].kind == "group":
            _put_back_state(home, kept)


def _is_of(owner: Owner | None, kept: SavedState, saved: Saved) -> bool:
    """Whether the state was that of this owner, and not of somebody who had the id before it came."""
    if owner is None:
        return False
    if owner.told_by:
        return owner.told_by == kept.told_by
    return saved.kept_ids.get(owner.key) == kept.state.entity_id


def _put_back_state(home: Home, saved: SavedState) -> None:
    entities, state = home.entities, saved.state
    shown = entities.states.get(state.entity_id)
    same = shown is not None and (shown.state, shown.attributes) == (state.state, state.attributes)
    if same or saved.told_by:
        entities.states[state.entity_id] = state
