"""What an attribute of any device is: `temperature of cellar < 10°C`, `humidity of attic was not updated for 1 hour`.

It must not know other kinds of predicates.
"""

from __future__ import annotations

from typing import Final

from hallway.home.devices import Attribute, Device
from hallway.home.values import Value
from hallway.language.conditions import AttributeIs, Comparator, NotUpdated, Test
from hallway.language.durations import SECONDS_OF, UNITS
from hallway.language.matching import Reader
from hallway.language.predicates.comparing import read_comparison, read_equality
from hallway.language.registry import PredicateKind, Preset
from hallway.language.vocabulary import having
from hallway.language.words import words

_OF: Final = words(" of ")
_NOT_UPDATED: Final = words(" was not updated for ")


def _read_attribute(reader: Reader, param: str = "") -> tuple[Device, Attribute] | None:
    name = reader.attribute(param)
    if name is None or not reader.take(_OF):
        return None
    device = reader.device(having(name))
    return (device, device.attributes[name]) if device is not None else None


class AttributeCompares(PredicateKind):
    """`attribute of device <comparator> literal`; what may be written as literal depends on the attribute."""

    provider = "DeviceAttributePredicateProvider"
    presets = (Preset("an attribute of a device has a value", "{attribute} of {device} is equal to {value}"),)

    def read(self, reader: Reader) -> Test | None:
        found = _read_attribute(reader, "attribute")
        if found is None:
            return None
        device, attribute = found
        comparator = read_comparison(reader) if attribute.type == "number" else read_equality(reader)
        if comparator is None:
            return None
        if attribute.type == "boolean":
            return _read_boolean(reader, device, attribute, comparator)
        value = _read_number(reader, attribute) if attribute.type == "number" else _read_text(reader, attribute)
        return None if value is None else AttributeIs(device.id, attribute.name, comparator, value)


def _read_boolean(reader: Reader, device: Device, attribute: Attribute, comparator: Comparator) -> Test | None:
    labels = attribute.labels or ("true", "false")
    chosen = reader.choose(labels, "{value}")
    return None if chosen is None else AttributeIs(device.id, attribute.name, comparator, chosen == labels[0])


def _read_number(reader: Reader, attribute: Attribute) -> Value:
    number = reader.number()
    if number is not None:
        reader.unit(attribute.unit)
    return number


def _read_text(reader: Reader, attribute: Attribute) -> Value:
    start = reader.mark()
    bare = reader.choose(attribute.enum, "{value}")
    if bare is not None:
        return bare
    reader.back(start)
    return reader.quoted()


class AttributeNotUpdated(PredicateKind):
    """`attribute of device was not updated for 5 minutes`."""

    provider = "DeviceAttributeWatchdogProvider"
    presets = (
        Preset(
            "an attribute of a device was not updated", "{attribute} of {device} was not updated for {duration} minutes"
        ),
    )

    def read(self, reader: Reader) -> Test | None:
        found = _read_attribute(reader)
        if found is None or not reader.take(_NOT_UPDATED):
            return None
        start = reader.at
        amount = reader.number("{duration}")
        if amount is not None and amount < 0:
            reader.note(start, "a length of time cannot be negative")
            return None
        unit = reader.take(UNITS) if amount is not None else None
        if amount is None or unit is None:
            return None
        device, attribute = found
        return NotUpdated(device.id, attribute.name, amount * SECONDS_OF[unit.strip()])
