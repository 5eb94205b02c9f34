"""Live events: what happens to the home, as pimatic tells it, each written once and with who may hear it.

It listens only while somebody does. It must not know clients.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

import msgspec

from hallway.access.callers import Permission
from hallway.api.operations.pimatic.forms import (
    Forms,
    group_form,
    milliseconds,
    page_form,
    rule_form,
    variable_form,
)
from hallway.api.operations.pimatic.recent import Recent
from hallway.api.pimatic.packets import event
from hallway.api.sockets import Packet
from hallway.home.announcing import STORE
from hallway.home.changes import AnyChange, Defined, Ordered, Said, State, Unsubscribe, Updated, VariableSet
from hallway.home.classes import REPORTED
from hallway.home.devices import Device
from hallway.home.home import Home
from hallway.home.reported import STATE
from hallway.home.values import Attributes, Value, encode, same
from hallway.home.variables import as_value

DEVICES: Final = "devices:read"
VARIABLES: Final = "variables:read"
RULES: Final = "rules:read"
PAGES: Final = "pages:read"
GROUPS: Final = "groups:read"
MESSAGES: Final = "messages:read"
_ORDERS: Final = frozenset(("device", "variable", "rule", "page", "group"))


class Event(msgspec.Struct, frozen=True):
    """Something to tell. permission: what is needed to hear it; roles: whose it is for, None: everybody's.

    but: roles for which it is not.
    """

    packet: Packet
    permission: Permission
    roles: frozenset[str] | None = None
    but: frozenset[str] = frozenset()

    def is_for(self, permissions: frozenset[Permission], role: str) -> bool:
        """Whether somebody with these may hear it."""
        return (
            self.permission in permissions
            and (self.roles is None or role in self.roles)
            and (not self.but or role not in self.but)
        )


Events = Iterator[Event]


class Live:
    """Turns changes into events and hands those of each change to `tell`."""

    def __init__(self, home: Home, forms: Forms, recent: Recent, tell: Callable[[list[Event]], None]) -> None:
        self._home = home
        self._forms = forms
        self._recent = recent
        self._tell = tell
        self._names: dict[str, tuple[str, ...]] = {}
        """The attributes of each device, as clients know them."""
        self._new_formulas: set[str] = set()
        self._unsubscribe: Unsubscribe | None = None

    def start(self) -> None:
        """Somebody listens."""
        if self._unsubscribe is None:
            self._names = {device.id: self._names_of(device) for device in self._home.devices.values()}
            self._unsubscribe = self._home.changes.subscribe(self._follow)

    def stop(self) -> None:
        """Nobody listens any more."""
        if self._unsubscribe is not None:
            self._unsubscribe()
            self._unsubscribe = None
            self._names.clear()
            self._new_formulas.clear()

    def announce(self, name: str, payload: Value, permission: Permission) -> None:
        """Tell something that is no change of the home."""
        if self._unsubscribe is not None:
            self._tell([Event(event(name, encode(payload)), permission)])

    def _follow(self, change: AnyChange) -> None:
        events = list(self._events(change))
        if events:
            self._tell(events)

    def _events(self, change: AnyChange) -> Events:
        match change:
            case Updated():
                yield from self._updated(change)
            case VariableSet():
                yield from self._variable_set(change)
            case Defined():
                yield from self._defined(change)
            case Ordered(kind="page"):
                yield from self._page_order(change)
            case Ordered() if change.kind in _ORDERS:
                yield Event(_order(change, change.order), f"{change.kind}s:read")
            case Said():
                yield Event(event("messageLogged", encode(_message(change))), MESSAGES)
            case _:
                return

    # ------------------------------------------------------------------ values

    def _updated(self, change: Updated) -> Events:
        if change.new:
            for name, value in change.new.items():
                yield from _attribute(change, name, value)
            return
        device = self._home.devices.get(change.device_id)
        if device is not None and device.class_name == REPORTED:
            yield from self._reported(device, change)

    def _reported(self, device: Device, change: Updated) -> Events:
        """A reported state is one value; what is different in it are the attributes that changed."""
        moved = change.states[0]
        old, new = _scalars(moved.old), _scalars(moved.new)
        if old.keys() != new.keys():
            yield from self._device_changed(device)
        for name, value in new.items():
            if name not in old or not same(value, old[name]):
                yield from _attribute(change, name, value)

    def _variable_set(self, change: VariableSet) -> Events:
        told = _variable_value(change.name, change.new)
        yield told
        if change.name in self._new_formulas:
            self._new_formulas.discard(change.name)
            yield told

    # ------------------------------------------------------------------ definitions

    def _defined(self, change: Defined) -> Events:
        match change.kind:
            case "device":
                yield from self._device(change)
            case "variable":
                yield from self._variable(change)
            case "rule":
                removed = change.new is None
                rule = self._home.announcer.gone("rule", change.key) if removed else self._home.rules.get(change.key)
                yield Event(event(f"rule{_verb(change)}", encode(rule_form(rule))), RULES)
            case "page":
                removed = change.new is None
                page = self._home.announcer.gone("page", change.key) if removed else self._home.pages.get(change.key)
                roles = None if page.allowed_roles is None else frozenset(page.allowed_roles)
                yield Event(event(f"page{_verb(change)}", encode(page_form(page))), PAGES, roles)
            case "group":
                removed = change.new is None
                group = self._home.announcer.gone("group", change.key) if removed else self._home.groups.get(change.key)
                yield Event(event(f"group{_verb(change)}", encode(group_form(group))), GROUPS)
            case _:
                return

    def _page_order(self, change: Ordered) -> Events:
        """Whoever may not see a page is not told where it stands."""
        roles_of = {page.id: page.allowed_roles for page in self._home.pages.all() if page.allowed_roles is not None}
        named = frozenset(role for key in change.order for role in roles_of.get(key, ()))
        for role in sorted(named):
            seen = [key for key in change.order if key not in roles_of or role in roles_of[key]]
            yield Event(_order(change, seen), PAGES, frozenset((role,)))
        yield Event(_order(change, [key for key in change.order if key not in roles_of]), PAGES, but=named)

    def _device(self, change: Defined) -> Events:
        if change.new is None:
            yield from self._device_removed(change)
            return
        device = self._home.devices[change.key]
        # what somebody edited says its values right after this, in changes of their own
        values_follow = change.source == STORE and device.class_name != REPORTED
        if change.old is not None:
            yield from self._device_changed(device, values_follow=values_follow)
            return
        self._names[device.id] = self._names_of(device)
        for name in self._names[device.id]:
            yield self._attribute_variable("variableAdded", device, name, is_new=values_follow)
        form = self._forms.new_device(device) if values_follow else self._forms.device_form(device)
        yield Event(event("deviceAdded", encode(form)), DEVICES)
        if values_follow:
            for name in self._names[device.id]:
                if device.value(name) is not None:
                    yield _variable_value(f"{device.id}.{name}", device.value(name))

    def _device_changed(self, device: Device, *, values_follow: bool = False) -> Events:
        before, now = self._names.get(device.id, ()), self._names_of(device)
        self._names[device.id] = now
        for name in before:
            if name not in now:
                yield _variable_removed(device.id, name)
        for name in now:
            if name not in before:
                yield self._attribute_variable("variableAdded", device, name, is_new=values_follow)
        form = self._forms.new_device(device) if values_follow else self._forms.device_form(device)
        yield Event(event("deviceChanged", encode(form)), DEVICES)

    def _device_removed(self, change: Defined) -> Events:
        names = self._names.pop(change.key, ())
        device: Device = self._home.announcer.gone("device", change.key)
        yield Event(event("deviceRemoved", encode(self._forms.device_form(device))), DEVICES)
        for name in names:
            value = device.value(name) if name in device.attributes else None
            unit = device.attributes[name].unit if name in device.attributes else None
            yield _variable_removed(device.id, name, value, unit or "")

    def _variable(self, change: Defined) -> Events:
        if change.new is None:
            variable = self._home.announcer.gone("variable", change.key)
            yield Event(event("variableRemoved", encode(variable_form(variable))), VARIABLES)
            return
        variable = self._home.variables.get(change.key)
        written = encode(variable_form(variable))
        if change.old is not None:
            yield Event(event("variableChanged", written), VARIABLES)
        elif variable.formula is not None:
            self._new_formulas.add(change.key)
            yield Event(event("variableAdded", written), VARIABLES)
        else:
            value = _variable_value(variable.name, variable.value)
            yield from (value, Event(event("variableAdded", written), VARIABLES), value)

    # ------------------------------------------------------------------ attributes as variables

    def _names_of(self, device: Device) -> tuple[str, ...]:
        return tuple(self._recent.attributes(device))

    def _attribute_variable(self, verb: str, device: Device, name: str, *, is_new: bool) -> Event:
        form = self._forms.variable(f"{device.id}.{name}") or {}
        if is_new:
            form = {**form, "value": None}
        return Event(event(verb, encode(form)), VARIABLES)


def _order(change: Ordered, order: Sequence[str]) -> Packet:
    return event(f"{change.kind}OrderChanged", encode(list(order)), f"order:{change.kind}")


def _verb(change: Defined) -> str:
    return "Removed" if change.new is None else "Added" if change.old is None else "Changed"


def _attribute(change: Updated, name: str, value: Value) -> Events:
    """An attribute has a value, and so has the variable that it is as well."""
    device_id = change.device_id
    told = {"deviceId": device_id, "attributeName": name, "time": milliseconds(change.at), "value": value}
    yield Event(event("deviceAttributeChanged", encode(told), f"attribute:{device_id}.{name}"), DEVICES)
    yield _variable_value(f"{device_id}.{name}", value)


def _variable_value(name: str, value: Value) -> Event:
    told = {"variableName": name, "variableValue": as_value(value)}
    return Event(event("variableValueChanged", encode(told), f"variable:{name}"), VARIABLES)


def _variable_removed(device_id: str, name: str, value: Value = None, unit: str = "") -> Event:
    form: Attributes = {"name": f"{device_id}.{name}", "readonly": True, "type": "attribute", "value": as_value(value)}
    return Event(event("variableRemoved", encode({**form, "unit": unit})), VARIABLES)


def _scalars(state: State | None) -> Mapping[str, Value]:
    """The attributes that a reported state has as a device."""
    if state is None:
        return {}
    plain = {
        name: value for name, value in state.attributes.items() if not isinstance(value, list | dict) and name != STATE
    }
    return {STATE: state.state, **plain}


def _message(change: Said) -> Attributes:
    message = change.message
    written = datetime.fromtimestamp(message.at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return {
        "level": message.level,
        "msg": message.text,
        "meta": {"timestamp": written, "tags": list[Value](message.tags)},
    }
