"""The names that sentences can hold: devices, attributes, buttons and variables of a home, quick to find in a text.

It follows the home, so that a new device costs as much as its own names. It must not know sentences.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import NamedTuple

from hallway.home.changes import AnyChange, Defined, Ordered
from hallway.home.classes import REPORTED
from hallway.home.devices import Attribute, Device
from hallway.home.home import Home
from hallway.home.reported import reported_attributes

_NAME = re.compile(r"[A-Za-z0-9_-]+(?:\.[^\s\"$(){}+*/,]+)?")
_AFTER_ALL = "\U0010ffff"


@dataclass(frozen=True, slots=True)
class Able:
    """What a device must have to be meant: attributes and actions. `name`: what people call one, different for each."""

    name: str
    attributes: tuple[str, ...] = ()
    actions: tuple[str, ...] = ()

    def fits(self, device: Device) -> bool:
        """Whether a device has all of them."""
        has, can = device.attributes, device.actions
        return all(name in has for name in self.attributes) and all(name in can for name in self.actions)


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


def lowered(text: str) -> str:
    """The text without capitals, character for character as long as before."""
    lower = text.lower()
    if len(lower) != len(text):
        lower = "".join(small if len(small := character.lower()) == 1 else character for character in text)
    return lower


def folded(lower: str) -> str:
    """A lowered text in which runs of white space are one space."""
    return " ".join(lower.split()) if "  " in lower or not lower.isprintable() else lower


def fold(text: str) -> str:
    """How a name is looked up: capitals and the width of white space do not count."""
    return folded(lowered(text))


class Completions:
    """Names to propose: `exact` ones begin with what was typed as it stands, `loose` ones in any capitals."""

    __slots__ = ("_exact", "_loose")

    def __init__(self, exact: Iterable[str] = (), loose: Iterable[str] = ()) -> None:
        self._exact = sorted(exact)
        self._loose = sorted((fold(name), name) for name in loose)

    def beginning_with(self, typed: str) -> list[str]:
        """Those that go on after what was typed."""
        if not typed:
            return [*self._exact, *(name for _, name in self._loose)]
        exact = self._exact[bisect_left(self._exact, typed) : bisect_left(self._exact, typed + _AFTER_ALL)]
        small = typed.lower()
        low, high = (small, ""), (small + _AFTER_ALL, "")
        loose = self._loose[bisect_left(self._loose, low) : bisect_left(self._loose, high)]
        return [name for name in (*exact, *(name for _, name in loose)) if len(name) > len(typed)]


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
        self._known: dict[str, tuple[str, tuple[str, ...], tuple[Button, ...]]] = {}
        self._able: dict[str, tuple[Device, ...]] = {}
        self._completions: dict[str, Completions] = {}
        for device in home.devices.values():
            self._take_in(device)
        home.changes.subscribe(self._follow)

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
            return Completions((device.id for device in devices), (device.name for device in devices))

        return self._cached(f"device {able.name}", complete)

    def completions_of_attributes(self) -> Completions:
        return self._cached("attribute", lambda: Completions(self.attributes))

    def completions_of_buttons(self) -> Completions:
        return self._cached("button", lambda: Completions(self._buttons))

    def completions_of_values(self) -> Completions:
        """All that an expression can read, with `$`."""
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
        known = (self._known[device_id] for device_id in self.home.devices if device_id in self._known)
        return [name for _, _, buttons in known for button in buttons for name in (button.id, button.text)]

    def _cached(self, key: str, complete: Callable[[], Completions]) -> Completions:
        found = self._completions.get(key)
        if found is None:
            found = self._completions[key] = complete()
        return found

    # ------------------------------------------------------------------ following the home

    def _follow(self, change: AnyChange) -> None:
        if not isinstance(change, Defined | Ordered) or change.kind not in {"device", "variable"}:
            return
        self._completions.clear()
        self._able.clear()
        if isinstance(change, Defined) and change.kind == "device":
            self._leave_out(change.key)
            device = self.home.devices.get(change.key)
            if device is not None:
                self._take_in(device)

    def _take_in(self, device: Device) -> None:
        name, buttons = fold(device.name), _buttons_of(device)
        self.longest = max(self.longest, *map(len, (device.id, device.name, *device.attributes)))
        _add(self._named, name, device.id)
        _add(self._ids, fold(device.id), device.id)
        for button in buttons:
            self.longest = max(self.longest, len(button.id), len(button.text))
            for written in {button.id, button.text}:
                self._buttons[written] = (*self._buttons.get(written, ()), button)
        self.attributes.update(device.attributes.keys())
        self._known[device.id] = (name, tuple(device.attributes), buttons)

    def _leave_out(self, device_id: str) -> None:
        name, attributes, buttons = self._known.pop(device_id, ("", (), ()))
        _drop(self._named, name, device_id)
        _drop(self._ids, fold(device_id), device_id)
        for button in buttons:
            for written in (button.id, button.text):
                left = tuple(other for other in self._buttons.get(written, ()) if other.device_id != device_id)
                if left:
                    self._buttons[written] = left
                else:
                    self._buttons.pop(written, None)
        for attribute in attributes:
            self.attributes[attribute] -= 1
            if not self.attributes[attribute]:
                del self.attributes[attribute]


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
