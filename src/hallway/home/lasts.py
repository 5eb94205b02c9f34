"""The last values of what was removed, for who brings it back: kept over a restart as notes of the home.

It must not know who brings something back, nor where notes are kept.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from typing import Final

from hallway.clock import Clock
from hallway.errors import CannotStore
from hallway.home.changes import Changes, Context, Noted
from hallway.home.classes import COMPUTED
from hallway.home.devices import NOTHING, Device
from hallway.home.values import Attributes, Value, encode

OWNER: Final = "removed"
REMEMBERED: Final = 100
MAX_BYTES: Final = 2**16
"""What is larger as JSON is not kept."""
_CONTEXT: Final = Context("removed")
_VALUE, _VALUES, _CLASS = "value", "values", "class"


class Lasts:
    """Of the things that were removed last."""

    def __init__(self, clock: Clock, changes: Changes) -> None:
        self._clock = clock
        self._changes = changes
        self._known: OrderedDict[str, Attributes] = OrderedDict()

    def take_variable(self, name: str, value: Value) -> None:
        """It has just been removed."""
        self._take(f"variable:{name}", {_VALUE: value})

    def take_device(self, device: Device) -> None:
        """It has just been removed. That a button was pressed is no value that lasts."""
        held: Attributes = {
            name: value
            for name, attribute in device.attributes.items()
            if not attribute.always and (value := device.value(name)) is not None
        }
        if held and device.class_name != COMPUTED:
            self._take(f"device:{device.id}", {_CLASS: device.class_name, _VALUES: held})

    def _take(self, key: str, body: Attributes) -> None:
        try:
            fits = len(encode(body)) <= MAX_BYTES
        except CannotStore:
            fits = False
        self._known.pop(key, None)
        if fits:
            self._known[key] = body
        self._tell(key, body if fits else None)
        while len(self._known) > REMEMBERED:
            self._tell(self._known.popitem(last=False)[0], None)

    def put_back(self, name: str, body: Attributes) -> None:
        """It was noted before the restart."""
        self._known[name] = body

    def value(self, variable: str) -> tuple[bool, Value]:
        """Whether the last value of a removed variable is known, and which it is."""
        body = self._known.get(f"variable:{variable}", {})
        return _VALUE in body, body.get(_VALUE)

    def values(self, device_id: str, class_name: Value) -> Mapping[str, Value]:
        """The last attribute values of a removed device, if it was of that class."""
        body = self._known.get(f"device:{device_id}", {})
        values = body.get(_VALUES)
        return values if isinstance(values, dict) and body.get(_CLASS) == class_name else NOTHING

    def _tell(self, name: str, body: Attributes | None) -> None:
        changes = self._changes
        changes.emit(Noted(changes.next(), self._clock.now(), _CONTEXT, OWNER, name, body))
