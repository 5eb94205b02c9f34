"""The names that sentences can hold: devices, attributes, buttons and variables of a home, quick to find in a text.

It follows the home, so that a new device costs as much as its own names. It must not know sentences.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import NamedTuple

from hallway.home.changes import AnyChange, Defined, Ordered, Updated
from hallway.home.classes import REPORTED
from hallway.home.devices import Attribute, Device
from hallway.home.home import Home
from hallway.home.reported import reported_attributes
from hallway.language.completions import Completions, fold

_NAME = re.compile(r"[A-Za-z0-9_-]+(?:\.[^\s\"$(){}+*/,]+)?")


@dataclass(frozen=True, slots=True)
class Able:
    """What a device must have to be meant: attributes and actions. `name`: what people call one, different for each."""

    name: str
    attributes: tuple[str, ...] = ()
    actions: tuple[str, ...] = ()

    def fits(self, device: Device) -> bool:
        """Whether a device has all of them."""
        has, can = device.attributes, device.actions
        for name in self.attributes:
            if name not in has:
                return False
        for name in self.actions:  # noqa: SIM110 - all() takes three times as long, and this is asked of every device
            if name not in can:
                return False
        return True


def having(attribute: str) -> Able:
    """Devices with that attribute."""
    return Able(f"a device with {attribute}", (attribute,))


def attributes_of(home: Home, device: Device) -> Mapping[str, Attribute]:
    """The attributes of a device; those of a reported one are what was reported last."""
    if device.class_name != REPORTED:
        return device.attributes
    entities = home.entities_of(device.id)
    state = home.state(entities[0]) if entities else None
    return reported_attributes(state) if state else device.attributes


class Button(NamedTuple):
    """A button of a device: its id and what stands on it."""

    device_id: str
    id: str
    text: str


class ValueNames(AbstractSet[str]):
    """The names of all values, as expressions write them without `$`: variables and `device.attribute`."""

    __slots__ = ("_home",)

    def __init__(self, home: Home) -> None:
        self._home = home

    def __contains__(self, name: object) -> bool:
        if not isinstance(name, str):
            return False
        device_id, dot, attribute = name.partition(".")
        if not dot:
            return name in self._home.variables
        device = self._home.devices.get(device_id)
        return device is not None and attribute in attributes_of(self._home, device)

    def __iter__(self) -> Iterator[str]:
        return iter(self._home.value_names())

    def __len__(self) -> int:
        return len(self._home.value_names())

    def longest_at(self, text: str, start: int) -> str:
        """The longest name that stands at a place of a text; empty when there is none."""
        found = _NAME.match(text, start)
        for end in range(found.end() if found else start, start, -1):
            if text[start:end] in self:
                return text[start:end]
        return ""


class Vocabulary:
    """The names of one home."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self.values = ValueNames(home)
        self.attributes: Counter[str] = Counter()
        self.longest = 0
        self._named: dict[str, tuple[str, ...]] = {}
        self._ids: dict[str, tuple[str, ...]] = {}
        self._buttons: dict[str, tuple[Button, ...]] = {}
        self._known: dict[str, _Known] = {}
        self._able: dict[str, tuple[Device, ...]] = {}
        self._completions: dict[str, Completions] = {}
        self._of_able: list[tuple[Able, Completions]] = []
        self._told_again: set[str] = set()
        for device in home.devices.values():
            self._take_in(device)
        home.changes.subscribe(self._follow, Updated, Defined, Ordered)

    # ------------------------------------------------------------------ finding

    def device(self, device_id: str) -> Device | None:
        """The device of that id."""
        return self.home.devices.get(device_id)

    def named(self, name: str) -> tuple[Device, ...]:
        """The devices of that name, given folded."""
        return self._present(self._named.get(name, ()))

    def with_id(self, folded: str) -> tuple[Device, ...]:
        """The devices of that id in any capitals, given folded."""
        return self._present(self._ids.get(folded, ()))

    def _present(self, device_ids: Iterable[str]) -> tuple[Device, ...]:
        return tuple(device for device_id in device_ids if (device := self.home.devices.get(device_id)) is not None)

    def button(self, name: str) -> Button | None:
        """The button of that id or with that text."""
        found = self._buttons.get(name)
        return found[0] if found else None

    # ------------------------------------------------------------------ proposing

    def able(self, able: Able) -> tuple[Device, ...]:
        """The devices that fit, in the order of the home."""
        found = self._able.get(able.name)
        if found is None:
            found = self._able[able.name] = tuple(filter(able.fits, self.home.devices.values()))
        return found

    def completions_of_devices(self, able: Able) -> Completions:
        """Ids and names of the devices that fit."""

        def complete() -> Completions:
            devices = self.able(able)
            names = Completions((device.id for device in devices), (device.name for device in devices))
            self._of_able.append((able, names))
            return names

        return self._cached(f"device {able.name}", complete)

    def completions_of_attributes(self) -> Completions:
        return self._cached("attribute", lambda: Completions(self.attributes))

    def completions_of_buttons(self) -> Completions:
        return self._cached("button", lambda: Completions(self._buttons))

    def completions_of_values(self) -> Completions:
        """All that an expression can read, with `$`."""
        while self._told_again:
            self._take_in_values(self._told_again.pop())
        return self._cached("value", lambda: Completions(f"${name}" for name in self.value_names()))

    def completions_of_variables(self) -> Completions:
        """All variables, with `$`."""
        return self._cached("variable", lambda: Completions(f"${name}" for name in self.home.variables.names()))

    def value_names(self) -> list[str]:
        """All that an expression can read: attributes in the order of the devices, then variables."""
        home = self.home
        attributes = [f"{device.id}.{name}" for device in home.devices.values() for name in attributes_of(home, device)]
        return [*attributes, *home.variables.names()]

    def variables_listed(self, *, settable: bool) -> list[str]:
        """All variables, and unless they are to be settable attributes too, with `$`."""
        return [f"${name}" for name in (self.home.variables.names() if settable else self.value_names())]

    def button_names(self) -> list[str]:
        """Ids and texts of all buttons, in the order of the home."""
        known = (self._known[device_id].buttons for device_id in self.home.devices if device_id in self._known)
        return [name for buttons in known for button in buttons for name in (button.id, button.text)]

    def _cached(self, key: str, complete: Callable[[], Completions]) -> Completions:
        found = self._completions.get(key)
        if found is None:
            found = self._completions[key] = complete()
        return found

    # ------------------------------------------------------------------ following the home

    def catch_up(self) -> None:
        """Take in the devices that came without a word, as those do that were reported before the restart."""
        if len(self._known) != len(self.home.devices):
            for device_id in self.home.devices.keys() - self._known.keys():
                self._take_in(self.home.devices[device_id])

    def _follow(self, change: AnyChange) -> None:
        if isinstance(change, Updated):
            # what was reported has no values of its own; with its state other attributes may come
            if not change.new and change.device_id in self._known:
                self._told_again.add(change.device_id)
        elif isinstance(change, Defined):
            if change.kind == "device":
                self._device_edited(change.key)
            elif change.kind == "variable":
                self._variable_edited(change)
        elif isinstance(change, Ordered) and change.kind == "device":
            self._able.clear()

    def _device_edited(self, device_id: str) -> None:
        self._able.clear()
        known = self._known.pop(device_id, None)
        if known is not None:
            self._leave_out(known)
        device = self.home.devices.get(device_id)
        if device is not None:
            self._take_in(device)

    def _variable_edited(self, change: Defined) -> None:
        names = (f"${change.key}",)
        for proposed in (self._completions.get("variable"), self._completions.get("value")):
            if proposed is not None:
                if change.old is not None:
                    proposed.drop(names)
                if change.new is not None:
                    proposed.add(names)

    def _take_in(self, device: Device) -> None:
        known = _Known(device, fold(device.name), _buttons_of(device), tuple(attributes_of(self.home, device)))
        self._known[device.id] = known
        self.longest = max(self.longest, *map(len, (device.id, device.name, *device.attributes)))
        _add(self._named, known.name, device.id)
        _add(self._ids, fold(device.id), device.id)
        for button in known.buttons:
            self.longest = max(self.longest, len(button.id), len(button.text))
            for written in {button.id, button.text}:
                if written not in self._buttons:
                    self._propose("button", written)
                self._buttons[written] = (*self._buttons.get(written, ()), button)
        for attribute in device.attributes:
            if attribute not in self.attributes:
                self._propose("attribute", attribute)
            self.attributes[attribute] += 1
        for able, names in self._of_able:
            if able.fits(device):
                names.add((device.id,), (device.name,))
        self._propose("value", *known.written())

    def _leave_out(self, known: _Known) -> None:
        device = known.device
        self._told_again.discard(device.id)
        _drop(self._named, known.name, device.id)
        _drop(self._ids, fold(device.id), device.id)
        for button in known.buttons:
            for written in {button.id, button.text}:
                left = tuple(other for other in self._buttons[written] if other is not button)
                if left:
                    self._buttons[written] = left
                else:
                    del self._buttons[written]
                    self._propose_no_more("button", written)
        for attribute in device.attributes:
            self.attributes[attribute] -= 1
            if not self.attributes[attribute]:
                del self.attributes[attribute]
                self._propose_no_more("attribute", attribute)
        for able, names in self._of_able:
            if able.fits(device):
                names.drop((device.id,), (device.name,))
        self._propose_no_more("value", *known.written())

    def _take_in_values(self, device_id: str) -> None:
        """It was reported again, perhaps with other attributes."""
        known = self._known.get(device_id)
        if known is None:
            return
        values = tuple(attributes_of(self.home, known.device))
        if values != known.values:
            self._propose_no_more("value", *known.written())
            known = self._known[device_id] = known._replace(values=values)
            self._propose("value", *known.written())

    def _propose(self, what: str, *names: str) -> None:
        if what in self._completions:
            self._completions[what].add(names)

    def _propose_no_more(self, what: str, *names: str) -> None:
        if what in self._completions:
            self._completions[what].drop(names)


class _Known(NamedTuple):
    """What was taken in of a device. values: the names of what can be read of it."""

    device: Device
    name: str
    buttons: tuple[Button, ...]
    values: tuple[str, ...]

    def written(self) -> list[str]:
        """Its values as expressions name them."""
        return [f"${self.device.id}.{name}" for name in self.values]


def _buttons_of(device: Device) -> tuple[Button, ...]:
    configured = device.config.get("buttons") if "buttonPressed" in device.actions else None
    given = configured if isinstance(configured, list) else []
    return tuple(
        Button(device.id, str(button["id"]), str(button.get("text") or button["id"]))
        for button in given
        if isinstance(button, dict) and "id" in button
    )


def _add(index: dict[str, tuple[str, ...]], key: str, device_id: str) -> None:
    index[key] = (*index.get(key, ()), device_id)


def _drop(index: dict[str, tuple[str, ...]], key: str, device_id: str) -> None:
    left = tuple(other for other in index.get(key, ()) if other != device_id)
    if left:
        index[key] = left
    else:
        index.pop(key, None)
