"""What follows from something else: computed variables and attributes, fields that show a variable, groups.

Each change asks for what depends on it, and that is computed once, sources first, after everybody has seen the change.
It must not know why the first change happened.
"""

from __future__ import annotations

import logging
from typing import Protocol

from hallway.clock import Clock
from hallway.home.abilities.input import Input
from hallway.home.changes import MAX_CAUSES, AnyChange, Changes, Context, Defined, Updated, VariableSet
from hallway.home.devices import Device
from hallway.home.groups import Groups
from hallway.home.values import Value
from hallway.home.variables import Formula, Variables

log = logging.getLogger(__name__)

FORMULA = "formula"
"""Origin of values that were computed: what depends on them is computed in the same go."""


class Derives(Protocol):
    """What the home does for what is derived."""

    clock: Clock
    changes: Changes
    variables: Variables
    groups: Groups

    def put_computed(self, node: str, formula: Formula, context: Context) -> None: ...
    def set_values(self, device_id: str, values: dict[str, Value], context: Context) -> None: ...


class Derived:
    """Listens to the home's changes and lets it catch up."""

    def __init__(self, home: Derives) -> None:
        self._home = home
        self._fields: dict[str, tuple[str, ...]] = {}
        self._cut: set[str] = set()
        home.changes.subscribe(self._follow, Updated, VariableSet, Defined)

    def watch_fields(self, device: Device) -> None:
        """A field that shows a variable follows it from now on."""
        for variable in variables_shown(device):
            self._fields[variable] = (*self._fields.get(variable, ()), device.id)

    def forget_fields(self, device: Device) -> None:
        """The device is gone."""
        for variable in variables_shown(device):
            self._fields[variable] = tuple(i for i in self._fields.get(variable, ()) if i != device.id)

    def _follow(self, change: AnyChange) -> None:
        match change:
            case Updated():
                self._follow_device(change)
            case VariableSet():
                self._recompute([change.name], change)
                self._fill_in(change.name, change)
            case Defined() if change.kind == "variable" and change.old is None:
                self._fill_in(change.key, change)
            case Defined() if change.kind == "device":
                self._recompute(list(self._home.variables.sources_in(change.key)), change)
                self._show_groups(change.key, change)
            case _:
                return

    def _follow_device(self, change: Updated) -> None:
        sources = self._home.variables.sources_in(change.device_id)
        if sources:
            told = [f"{change.device_id}.{name}" for name in change.new] if change.new else list(sources)
            self._recompute(told, change)
        if change.states and self._home.groups.of_device(change.device_id):
            self._show_groups(change.device_id, change)

    def _recompute(self, sources: list[str], change: AnyChange) -> None:
        if change.context.origin == FORMULA or not self._home.variables.are_sources(sources):
            return
        if change.context.depth >= MAX_CAUSES:
            self._cut_off(sources)
            return
        context = change.context.following(FORMULA, change.seq)

        def catch_up() -> None:
            for node, formula in self._home.variables.affected(sources):
                self._home.put_computed(node, formula, context)

        self._home.changes.after(catch_up)

    def _cut_off(self, sources: list[str]) -> None:
        """Nothing follows from the end of a long chain; said once for each loop, however often that comes round."""
        new = [node for node, _ in self._home.variables.affected(sources) if node not in self._cut]
        if not new:
            return
        if not self._cut:
            self._home.clock.call_later(0, self._cut.clear)
        self._cut.update(new)
        log.warning(
            "%s kept the value it had: a chain of %d changes that cause each other was cut; look for a field that "
            "shows what is computed from it, or for rules in a circle",
            ", ".join(f"${node}" for node in new),
            MAX_CAUSES,
        )

    def _fill_in(self, variable: str, change: AnyChange) -> None:
        for device_id in self._fields.get(variable, ()):
            self._fill_in_one(device_id, variable, change)

    def _fill_in_one(self, device_id: str, variable: str, change: AnyChange) -> None:
        value = change.new if isinstance(change, VariableSet) else self._home.variables.get(variable).value
        context = change.context.following("field", change.seq)
        self._home.changes.after(lambda: self._home.set_values(device_id, {"input": value}, context))

    def _show_groups(self, device_id: str, change: AnyChange) -> None:
        for group_id in self._home.groups.of_device(device_id):
            self._show_group(group_id, change.context.following("group", change.seq))

    def _show_group(self, group_id: str, context: Context) -> None:
        self._home.changes.after(lambda: self._home.groups.show(group_id, context))


def variables_shown(device: Device) -> list[str]:
    """The variables that the fields of a device show."""
    return [a.variable for a in device.abilities if isinstance(a, Input) and a.variable]
