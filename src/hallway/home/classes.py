"""Device classes: fixed sets of abilities with the options that their config may hold.

The names, options and defaults are pimatic's, so that its configurations can move in. Classes of the hub itself
(reported states, the sun, watched processes, backups) stand here too. It must not know devices that exist.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Final, Literal

import msgspec

from hallway.errors import InvalidConfiguration
from hallway.home.abilities.base import Ability
from hallway.home.abilities.detecting import Contact, Presence
from hallway.home.abilities.dimmable import Dimmable
from hallway.home.abilities.input import Input
from hallway.home.abilities.measuring import Measuring, measured
from hallway.home.abilities.playing import Playing
from hallway.home.abilities.positionable import Positionable
from hallway.home.abilities.pressable import Pressable
from hallway.home.abilities.switchable import Switchable
from hallway.home.abilities.thermostat import CELSIUS, Thermostat
from hallway.home.abilities.timing import Timing
from hallway.home.abilities.watching import Watching
from hallway.home.devices import Attribute
from hallway.home.values import Attributes, Value, kind_of

OptionType = Literal["string", "number", "integer", "boolean", "array", "object"]
REPORTED = "reported"
COMPUTED: Final = "VariablesDevice"
"""Its attributes are expressions: they have no value until they are computed, and come back by themselves."""
STORE_CLASS: Final = "StoreDevice"
"""Shows how the store of the hub does; who feeds it looks for devices of this class."""


class Option(msgspec.Struct, frozen=True):
    """An option of a class's config; `items` are the options of each object in an array."""

    name: str
    type: OptionType
    description: str
    default: Value | msgspec.UnsetType = msgspec.UNSET
    required: bool = False
    enum: tuple[str, ...] = ()
    items: tuple[Option, ...] = ()


class Config:
    """A device's config with the class's defaults behind it."""

    __slots__ = ("_defaults", "_given")

    def __init__(self, given: Attributes, options: tuple[Option, ...]) -> None:
        self._given = given
        self._defaults = {o.name: o.default for o in options if o.default is not msgspec.UNSET}

    def text(self, name: str, otherwise: str = "") -> str:
        value = self._given.get(name, self._defaults.get(name))
        return otherwise if value is None else str(value)

    def number(self, name: str) -> float:
        value = self._given.get(name, self._defaults.get(name))
        return value if isinstance(value, int | float) else 0

    def flag(self, name: str) -> bool:
        return bool(self._given.get(name, self._defaults.get(name)))

    def objects(self, name: str) -> list[Attributes]:
        value = self._given.get(name, self._defaults.get(name))
        return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


class DeviceClass(msgspec.Struct, frozen=True):
    """A named set of abilities. `template` is the widget that shows it, `capabilities` are what it counts as.

    extensions: the options for screens that its editor offers; title: of its schema, when it is not the usual one.
    """

    name: str
    template: str
    build: Callable[[Config], tuple[Ability, ...]]
    options: tuple[Option, ...] = ()
    capabilities: tuple[str, ...] = ()
    built_in: bool = False
    extensions: tuple[str, ...] = ("xLink",)
    title: str = ""

    def abilities(self, config: Attributes, *, strict: bool = True) -> tuple[Ability, ...]:
        """The abilities of a device with that config; InvalidConfiguration names what is wrong with it.

        strict: an option that the class does not have is wrong, too; otherwise it is left alone.
        """
        problems = [*self.problems(config), *(self.unknown(config) if strict else ())]
        if problems:
            raise InvalidConfiguration("; ".join(problems))
        return self.build(Config(config, self.options))

    def problems(self, config: Attributes) -> list[str]:
        """Everything that is wrong with the options of a config, one sentence each."""
        return _problems(config, self._known, f"class {self.name}")

    def unknown(self, config: Attributes) -> list[str]:
        """The options that the class does not have, one sentence each."""
        return _unknown(config, self._known, f"class {self.name}")

    @property
    def _known(self) -> tuple[Option, ...]:
        return (*COMMON, *self.options, *EXTENSIONS)


def _problems(config: Attributes, options: tuple[Option, ...], where: str) -> list[str]:
    known = {option.name: option for option in options}
    found = [f"{where} needs the option {o.name}" for o in options if o.required and config.get(o.name) is None]
    for name, value in config.items():
        option = known.get(name)
        if option is not None and value is not None:
            found += _wrong_value(option, value, where)
    return found


def _unknown(config: Attributes, options: tuple[Option, ...], where: str) -> list[str]:
    known = {option.name: option for option in options}
    found = []
    for name, value in config.items():
        option = known.get(name)
        if option is None:
            near = _nearest(name, known)
            own = ", ".join(option for option in known if not option.startswith("x"))
            hint = f", did you mean {near[0]}?" if near else f"; it has: {own}"
            found.append(f"{where} has no option {name}{hint}")
        elif option.items and isinstance(value, list):
            for number, item in enumerate(value, 1):
                found += _unknown(item, option.items, f"{where}: {name} {number}") if isinstance(item, dict) else []
    return found


def _nearest(word: str, known: Iterable[str]) -> list[str]:
    """The one that is most like a word, if any is."""
    from difflib import get_close_matches  # noqa: PLC0415 - most homes have nothing misspelled

    return get_close_matches(word, list(known), 1)


def _wrong_value(option: Option, value: Value, where: str) -> list[str]:
    kind = kind_of(value).replace("list", "array")
    fits = kind == option.type or (option.type == "integer" and kind == "number" and float(str(value)).is_integer())
    if not fits:
        return [f"{where}: {option.name} must be a JSON {option.type}, not {kind} {str(value)[:40]!r}"]
    if option.enum and value not in option.enum:
        return [f"{where}: {option.name} must be one of {', '.join(option.enum)}, not {str(value)[:40]!r}"]
    if option.items and isinstance(value, list):
        found = []
        for number, item in enumerate(value, 1):
            place = f"{where}: {option.name} {number}"
            found += _problems(item, option.items, place) if isinstance(item, dict) else [f"{place} must be an object"]
        return found
    return []


COMMON = (
    Option("id", "string", "Unique name: letters, digits, - and _", required=True),
    Option("name", "string", "What people call it"),
    Option("class", "string", "The device class"),
)
EXTENSIONS = (
    Option("xLink", "string", "Address that opens when the name is clicked"),
    Option("xConfirm", "boolean", "Ask before it is switched"),
    Option("xOnLabel", "string", "Word for on"),
    Option("xOffLabel", "string", "Word for off"),
    Option("xUpLabel", "string", "Word for up"),
    Option("xDownLabel", "string", "Word for down"),
    Option("xStoppedLabel", "string", "Word for stopped"),
    Option("xClosedLabel", "string", "Word for closed"),
    Option("xOpenedLabel", "string", "Word for opened"),
    Option("xPresentLabel", "string", "Word for present"),
    Option("xAbsentLabel", "string", "Word for absent"),
    Option(
        "xAttributeOptions",
        "array",
        "How single attributes are shown",
        items=(
            Option("name", "string", "The attribute", required=True),
            Option("displaySparkline", "boolean", "Draw a small curve"),
            Option("hidden", "boolean", "Do not show it"),
            Option("displayFormat", "string", "raw, fixed, localeString or uptime"),
        ),
    ),
)


_SWITCH: Final = (Switchable(),)
_DIMMER: Final = (Dimmable(),)
_CONTACT: Final = (Contact(),)
_THERMOSTAT: Final = (Thermostat(),)
_PLAYER: Final = (Playing(),)
_TEMPERATURE: Final = (
    Measuring(
        measured("temperature", "Temperature", "How warm it is", CELSIUS, "T"),
        alone=False,
        settable_by="changeTemperatureTo",
    ),
    Measuring(
        measured("humidity", "Humidity", "How damp the air is", "%"), alone=False, settable_by="changeHumidityTo"
    ),
)
"""Abilities hold nothing of a device, so all whose config says nothing else share these: a home may have a thousand."""


def _switch(config: Config) -> tuple[Ability, ...]:
    labels = (config.text("xOnLabel", "on"), config.text("xOffLabel", "off"))
    return _SWITCH if labels == ("on", "off") else (Switchable(labels),)


def _shutter(config: Config) -> tuple[Ability, ...]:
    labels = (
        config.text("xUpLabel", "up"),
        config.text("xDownLabel", "down"),
        config.text("xStoppedLabel", "stopped"),
    )
    return (Positionable(config.number("rollingTime"), labels),)


def _contact(config: Config) -> tuple[Ability, ...]:
    labels = (config.text("xClosedLabel", "closed"), config.text("xOpenedLabel", "opened"))
    return _CONTACT if labels == ("closed", "opened") else (Contact(labels),)


def _presence(config: Config) -> tuple[Ability, ...]:
    reset = config.number("resetTime") / 1000 if config.flag("autoReset") else None
    return (Presence(reset, (config.text("xPresentLabel", "present"), config.text("xAbsentLabel", "absent"))),)


def _temperature(_config: Config) -> tuple[Ability, ...]:
    return _TEMPERATURE


def _buttons(config: Config) -> tuple[Ability, ...]:
    return (Pressable(tuple(str(button["id"]) for button in config.objects("buttons"))),)


def _input(config: Config) -> tuple[Ability, ...]:
    return (Input("number" if config.text("type") == "number" else "string"),)


def _variable_input(config: Config) -> tuple[Ability, ...]:
    kind: Literal["number", "string"] = "number" if config.text("type") == "number" else "string"
    return (Input(kind, config.text("variable").removeprefix("$")),)


def _time_input(config: Config) -> tuple[Ability, ...]:
    return (Input("time", config.text("variable").removeprefix("$")),)


def _variables(config: Config) -> tuple[Ability, ...]:
    wanted = config.objects("variables")
    names = [str(item["name"]) for item in wanted]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise InvalidConfiguration(f"class {COMPUTED}: the variable {twice} stands there twice")
    return tuple(Measuring(_computed(item), alone=len(wanted) == 1) for item in wanted)


def _computed(item: Attributes) -> Attribute:
    number = item.get("type") == "number"
    name = str(item["name"])
    unit, acronym = item.get("unit"), item.get("acronym")
    return Attribute(
        name=name,
        type="number" if number else "string",
        label=str(item.get("label") or f"${name}"),
        description=name,
        unit=None if unit is None else str(unit),
        acronym=None if acronym is None else str(acronym),
        discrete=bool(item.get("discrete", not number)),
        always=True,
        initial=None,
    )


def _timer(config: Config) -> tuple[Ability, ...]:
    resolution = config.number("resolution")
    if not 0 < resolution < math.inf:
        raise InvalidConfiguration(f"class Timer: resolution must be more than 0 seconds, not {resolution}")
    return (Timing(resolution),)


def _sun(_config: Config) -> tuple[Ability, ...]:
    rising, setting = (
        Attribute(name=name, type="string", label=label, description=f"When the sun {what} next, in UTC", initial=None)
        for name, label, what in (
            ("next_rising", "Next rising", "rises"),
            ("next_setting", "Next setting", "sets"),
        )
    )
    return (Watching("sun", ("above_horizon", "below_horizon"), (rising, setting)),)


def _backup(_config: Config) -> tuple[Ability, ...]:
    last, error = (
        Attribute(name=name, type="string", label=label, description=text, initial=None)
        for name, label, text in (
            ("last", "Last", "When the last good one was made, in UTC"),
            ("error", "Error", "Why the last try failed"),
        )
    )
    age = Attribute(
        name="age", type="number", unit="h", label="Age", description="Hours since the last good one", initial=None
    )
    return (Watching("backup", ("ok", "failed"), (last, age, error)),)


def _store(_config: Config) -> tuple[Ability, ...]:
    what, since, backup = (
        Attribute(name=name, type="string", label=label, description=text, initial=None)
        for name, label, text in (
            ("what", "What", "What is wrong, or what became of it"),
            ("since", "Since", "Since when it is in this state, in UTC"),
            ("lastBackup", "Last backup", "When the last good backup was made, in UTC"),
        )
    )
    waiting = Attribute(
        name="atRisk",
        type="number",
        label="At risk",
        description="Rows and samples that stand in no database yet, while something is wrong",
        initial=0,
    )
    size = Attribute(
        name="historySize",
        type="number",
        unit="B",
        label="History",
        description="Bytes that history.db takes",
        initial=None,
    )
    return (Watching("hallway", ("ok", "problem"), (what, since, waiting, backup, size)),)


def _process(config: Config) -> tuple[Ability, ...]:
    return (Watching("process", ("on", "off"), object_id=config.text("object")),)


_INPUT_OPTIONS = (
    Option("type", "string", "Text or number", "string", enum=("string", "number")),
    Option("min", "number", "Smallest value that is offered"),
    Option("max", "number", "Largest value that is offered"),
    Option("step", "number", "Step between values that are offered", 1),
)
_VARIABLE = Option("variable", "string", "The variable that it shows and sets", required=True)

_OBJECT = Option("object", "string", "What it is called as an entity")

_ALL = (
    DeviceClass(
        "ButtonsDevice",
        "buttons",
        _buttons,
        (
            Option("enableActiveButton", "boolean", "Show which button was pressed last", True),
            Option(
                "buttons",
                "array",
                "The buttons",
                [],
                items=(
                    Option("id", "string", "Unique name of the button", required=True),
                    Option("text", "string", "What stands on it", required=True),
                    Option("confirm", "boolean", "Ask before it is pressed", False),
                ),
            ),
        ),
    ),
    DeviceClass("InputDevice", "input", _input, _INPUT_OPTIONS),
    DeviceClass(
        COMPUTED,
        "device",
        _variables,
        (
            Option(
                "variables",
                "array",
                "The values to show",
                [],
                items=(
                    Option("name", "string", "Name of the attribute", required=True),
                    Option("expression", "string", "How it is computed", required=True),
                    Option("type", "string", "Text or number", "string", enum=("string", "number")),
                    Option("unit", "string", "Its unit"),
                    Option("label", "string", "What stands before it"),
                    Option("discrete", "boolean", "Whether it changes in steps"),
                    Option("acronym", "string", "Short form of the label"),
                ),
            ),
        ),
        extensions=("xLink", "xAttributeOptions"),
    ),
    DeviceClass("VariableInputDevice", "input", _variable_input, (_VARIABLE, *_INPUT_OPTIONS), ("InputDevice",)),
    DeviceClass(
        "VariableTimeInputDevice",
        "inputTime",
        _time_input,
        (
            _VARIABLE,
            Option("min", "string", "Earliest time that is offered"),
            Option("max", "string", "Latest time that is offered"),
            Option("step", "number", "Minutes between times that are offered", 15),
        ),
        ("InputDevice", "VariableInputDevice"),
    ),
    DeviceClass(
        "DummySwitch",
        "switch",
        _switch,
        (),
        ("Actuator", "SwitchActuator"),
        extensions=("xLink", "xConfirm", "xOnLabel", "xOffLabel"),
    ),
    DeviceClass("DummyDimmer", "dimmer", lambda _config: _DIMMER, (), ("Actuator", "SwitchActuator", "DimmerActuator")),
    DeviceClass(
        "DummyShutter",
        "shutter",
        _shutter,
        (Option("rollingTime", "number", "Seconds from one end to the other", 10),),
        ("Actuator", "ShutterController"),
        extensions=("xLink", "xConfirm", "xUpLabel", "xDownLabel", "xStoppedLabel"),
    ),
    DeviceClass(
        "DummyHeatingThermostat",
        "thermostat",
        lambda _config: _THERMOSTAT,
        (
            Option("comfyTemp", "number", "The temperature of the button for comfort", 21),
            Option("ecoTemp", "number", "The temperature of the button for saving", 17),
            Option("guiShowValvePosition", "boolean", "Show the valve", True),
            Option("guiShowModeControl", "boolean", "Show the modes", True),
            Option("guiShowPresetControl", "boolean", "Show the buttons for comfort and saving", True),
            Option("guiShowTemperatureInput", "boolean", "Show the field for the temperature", True),
        ),
        ("HeatingThermostat",),
        title="DummyHeatingThermostat config options",
    ),
    DeviceClass(
        "DummyContactSensor",
        "contact",
        _contact,
        (),
        ("Sensor", "ContactSensor"),
        extensions=("xLink", "xClosedLabel", "xOpenedLabel"),
    ),
    DeviceClass(
        "DummyPresenceSensor",
        "presence",
        _presence,
        (
            Option("autoReset", "boolean", "Become absent again by itself", True),
            Option("resetTime", "integer", "After how many milliseconds", 10000),
        ),
        ("Sensor", "PresenceSensor"),
        extensions=("xLink", "xPresentLabel", "xAbsentLabel"),
    ),
    DeviceClass(
        "DummyTemperatureSensor",
        "temperature",
        _temperature,
        (),
        ("Sensor", "TemperatureSensor"),
        extensions=("xLink", "xAttributeOptions"),
        title="DummyTemperatureSensor config options",
    ),
    DeviceClass(
        "Timer",
        "timer",
        _timer,
        (Option("resolution", "number", "Seconds between two steps of the time shown", 1),),
        extensions=("xLink", "xAttributeOptions"),
        title="timer config",
    ),
    DeviceClass("DummyAVPlayer", "musicplayer", lambda _config: _PLAYER, (), ("AVPlayer",)),
    DeviceClass(STORE_CLASS, "device", _store, (), ()),
    DeviceClass("Sun", "device", _sun, (), (), built_in=True),
    DeviceClass("Backup", "device", _backup, (), (), built_in=True),
    DeviceClass("Process", "device", _process, (_OBJECT,), (), built_in=True),
    DeviceClass(REPORTED, "device", lambda _config: (), (), (), built_in=True),
)
CLASSES: Mapping[str, DeviceClass] = MappingProxyType({known.name: known for known in _ALL})


def class_named(name: object) -> DeviceClass:
    """The class of that name; InvalidConfiguration suggests the nearest."""
    found = CLASSES.get(name) if isinstance(name, str) else None
    if found is not None:
        return found
    offered = [known.name for known in _ALL if not known.built_in]
    near = _nearest(str(name), offered)
    hint = f"did you mean {near[0]}?" if near else f"there are: {', '.join(offered)}"
    raise InvalidConfiguration(f"there is no device class {str(name)[:40]!r}, {hint}")
