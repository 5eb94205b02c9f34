"""The JSON forms of pimatic 0.9: devices, variables, rules, pages, groups, messages.

A device is written once and kept as bytes until something of it changes. It must not know who sends them where.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

import msgspec
import orjson

from hallway.api.operations.pimatic.blanking import blanked
from hallway.api.operations.pimatic.recent import Moment, Recent
from hallway.home.changes import AnyChange, Defined, Updated
from hallway.home.classes import CLASSES, DeviceClass
from hallway.home.devices import Action, Attribute, Device
from hallway.home.groups import Group
from hallway.home.home import Home
from hallway.home.messages import Message
from hallway.home.pages import Page
from hallway.home.rules import Rule
from hallway.home.values import Attributes, Value, encode, encode_to_keep, python_text
from hallway.home.variables import Variable, as_value

WITHOUT_DESCRIPTION: Final = frozenset(
    {
        "changeContactTo",
        "changeHumidityTo",
        "changeModeTo",
        "changePresenceTo",
        "changeTemperatureTo",
        "changeValveTo",
    }
)
"""Actions that pimatic lists without a description: what a dummy device is told in place of its hardware."""
_SHOWN_AS: Final = ("displaySparkline", "hidden", "displayFormat")


def milliseconds(at: float) -> int:
    """Seconds since 1970 in pimatic's whole milliseconds."""
    return round(at * 1000)


class _ShownConfig(NamedTuple):
    """What is shown of a config."""

    given: Attributes
    shown: Attributes


class Forms:
    """Writes the things of one home. Made before the doors listen, so that they find the forms up to date."""

    def __init__(self, home: Home, recent: Recent) -> None:
        self._home = home
        self._recent = recent
        self._written: dict[str, orjson.Fragment] = {}
        self._all: orjson.Fragment | None = None
        self._configs: dict[str, _ShownConfig] = {}
        home.changes.subscribe(self._follow, Updated, Defined)

    def _follow(self, change: AnyChange) -> None:
        if isinstance(change, Updated):
            self._written.pop(change.device_id, None)
            self._all = None
        elif isinstance(change, Defined) and change.kind == "device":
            self._written.pop(change.key, None)
            self._configs.pop(change.key, None)
            self._all = None

    # ------------------------------------------------------------------ devices

    def attributes(self, device: Device) -> Mapping[str, Attribute]:
        """The attributes of a device by name; those of a reported state follow from what it says now."""
        return self._recent.attributes(device)

    def device(self, device: Device) -> orjson.Fragment:
        """A device of the home with all that it is now."""
        written = self._written.get(device.id)
        if written is None:
            written = self._written[device.id] = orjson.Fragment(encode_to_keep(self.device_form(device)))
        return written

    def devices(self) -> orjson.Fragment:
        """All devices, in the order in which they came."""
        if self._all is None:
            self._all = orjson.Fragment(encode([self.device(device) for device in self._home.devices.values()]))
        return self._all

    def device_form(self, device: Device) -> Attributes:
        """The same as a value; also of a device that is gone."""
        return self._device(device, [self._attribute(device, a) for a in self._recent.attributes(device).values()])

    def new_device(self, device: Device) -> Attributes:
        """A device that was added or changed just now, as pimatic shows it: without values, which follow as events."""
        attributes = self._recent.attributes(device).values()
        return self._device(device, [{**attribute_shape(device, a), "value": None, "history": []} for a in attributes])

    def _device(self, device: Device, attributes: list[Value]) -> Attributes:
        known = CLASSES.get(device.class_name)
        return {
            "id": device.id,
            "name": device.config.get("name", device.name),
            "template": known.template if known is not None else "device",
            "attributes": attributes,
            "actions": [action_form(action) for action in device.actions.values()],
            "config": self._config(device, known),
            "configDefaults": config_defaults(known),
            "capabilities": list[Value](known.capabilities) if known is not None else [],
        }

    def _config(self, device: Device, known: DeviceClass | None) -> Attributes:
        """The config as it is shown: it is looked through for secrets once, not with every value."""
        kept = self._configs.get(device.id)
        if kept is not None and kept.given is device.config:
            return kept.shown
        shown = blanked(device_config(device.config, known))
        if self._home.devices.get(device.id) is device:
            self._configs[device.id] = _ShownConfig(device.config, shown)
        return shown

    def _attribute(self, device: Device, attribute: Attribute) -> Attributes:
        form = attribute_shape(device, attribute)
        value = self._recent.value(device, attribute.name)
        if not isinstance(value, msgspec.UnsetType):
            form["value"] = value
        moments = self._recent.moments(device, attribute.name)
        form["history"] = [moment_form(moment) for moment in moments]
        if moments:
            form["lastUpdate"] = milliseconds(moments[-1].at)
        return form

    # ------------------------------------------------------------------ variables

    def variables(self) -> list[Value]:
        """All variables: attributes of devices first, then the others in their order."""
        attributes = [
            self._attribute_variable(device, attribute)
            for device in self._home.devices.values()
            for attribute in self._recent.attributes(device).values()
        ]
        return [*attributes, *(variable_form(variable) for variable in self._home.variables)]

    def variable(self, name: str) -> Attributes | None:
        """A variable, or an attribute as `device.attribute`; None when there is none of that name."""
        if name in self._home.variables:
            return variable_form(self._home.variables.get(name))
        device_id, _dot, attribute_name = name.partition(".")
        device = self._home.devices.get(device_id)
        attribute = self._recent.attributes(device).get(attribute_name) if device is not None else None
        return self._attribute_variable(device, attribute) if device is not None and attribute is not None else None

    def _attribute_variable(self, device: Device, attribute: Attribute) -> Attributes:
        form: Attributes = {"name": f"{device.id}.{attribute.name}", "readonly": True, "type": "attribute"}
        value = self._recent.value(device, attribute.name)
        if not isinstance(value, msgspec.UnsetType):
            form["value"] = as_value(value)
        form["unit"] = attribute.unit or ""
        return form


def moment_form(moment: Moment) -> Attributes:
    """An entry of an attribute's history; without `v` where there was no value."""
    form: Attributes = {"t": milliseconds(moment.at)}
    if not isinstance(moment.value, msgspec.UnsetType):
        form["v"] = moment.value
    return form


def attribute_shape(device: Device, attribute: Attribute) -> Attributes:
    """What an attribute is, without its value; the device's own options for it count."""
    form: Attributes = {"description": attribute.description, "type": attribute.type}
    if attribute.unit is not None:
        form["unit"] = attribute.unit
    if attribute.enum:
        form["enum"] = list[Value](attribute.enum)
    if attribute.labels:
        by_value = attribute.enum and dict[str, Value](zip(attribute.enum, attribute.labels, strict=False))
        form["labels"] = by_value or list[Value](attribute.labels)
    if attribute.acronym is not None:
        form["acronym"] = attribute.acronym
    if attribute.hidden:
        form["hidden"] = True
    if not attribute.sparkline:
        form["displaySparkline"] = False
    if attribute.display_format is not None:
        form["displayFormat"] = attribute.display_format
    form |= _own_options(device.config, attribute.name)
    return form | {"label": attribute.label, "discrete": attribute.discrete, "name": attribute.name}


def _own_options(config: Attributes, name: str) -> Attributes:
    given = config.get("xAttributeOptions")
    for item in given if isinstance(given, list) else ():
        if isinstance(item, dict) and item.get("name") == name:
            return {key: item[key] for key in _SHOWN_AS if key in item}
    return {}


def action_form(action: Action) -> Attributes:
    """An action with its parameters; `getState` tells its result under the name `state`."""
    form: Attributes = {}
    if action.description and action.name not in WITHOUT_DESCRIPTION:
        form["description"] = action.description
    if action.parameters:
        form["params"] = {parameter.name: {"type": parameter.type} for parameter in action.parameters}
    if action.returns is not None:
        told = action.name.removeprefix("get")
        form["returns"] = {told[:1].lower() + told[1:]: {"type": action.returns}}
    form["name"] = action.name
    return form


def device_config(config: Attributes, known: DeviceClass | None) -> Attributes:
    """A device's config as it was given; lists and objects that it leaves out are there, with what stands for them."""
    missing: Attributes = {
        option.name: option.default
        for option in (known.options if known is not None else ())
        if option.type in ("array", "object")
        and option.name not in config
        and not isinstance(option.default, msgspec.UnsetType)
    }
    return config | missing


def config_defaults(known: DeviceClass | None) -> Attributes:
    """What counts where a config says nothing."""
    options = known.options if known is not None else ()
    return {option.name: option.default for option in options if not isinstance(option.default, msgspec.UnsetType)}


def variable_form(variable: Variable) -> Attributes:
    """A variable with a value of its own or an expression."""
    kind = "value" if variable.formula is None else "expression"
    form: Attributes = {"name": variable.name, "readonly": False, "type": kind, "value": variable.value}
    form["unit"] = _unit(variable)
    if variable.formula is not None:
        form["exprInputStr"] = variable.formula.text
        form["exprTokens"] = list[Value](getattr(variable.formula, "tokens", ()))
    return form


def _unit(variable: Variable) -> Value:
    """The unit as it was written: somebody may have written a number."""
    written = variable.definition.get("unit")
    return written if isinstance(written, int | float) and python_text(written) == variable.unit else variable.unit


def rule_form(rule: Rule) -> Attributes:
    """A rule; `error` says why it never could be read. One that lost what it names is only no longer valid."""
    return {
        "id": rule.id,
        "name": rule.name,
        "string": rule.text,
        "active": rule.active,
        "valid": rule.valid,
        "logging": rule.logging,
        "conditionToken": rule.condition,
        "actionsToken": rule.actions,
        "error": None if rule.lost else rule.error,
        **rule.chosen,
    }


def page_form(page: Page) -> Attributes:
    """A page with its devices; allowedRoles only where it has some."""
    return page.config


def group_form(group: Group) -> Attributes:
    """A group with its members."""
    return group.config


def message_form(message: Message) -> Attributes:
    """A line of the message list."""
    return {
        "time": milliseconds(message.at),
        "level": message.level,
        "tags": list[Value](message.tags),
        "text": message.text,
    }
