"""Reading rules in a large home: whole sentences, and what is proposed while somebody types.

Each is measured in a home at rest and directly after a device was added, when names that were prepared are out of date.
It must not know how rules run.
"""

import itertools
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from benchmarks.errors import BenchmarkError
from benchmarks.stopwatch import memory_like_a_hub, middle_us, time_calls
from benchmarks.table import LANGUAGE, Report, Target, number
from hallway.clock import VirtualClock
from hallway.home.changes import Context
from hallway.home.home import Home
from hallway.home.values import Attributes
from hallway.language.expressions import parse
from hallway.language.kinds import built_in
from hallway.language.rules import RuleParser

DEVICES: Final = 1000
ROUNDS: Final = 200
ROUNDS_AFTER: Final = 20
WANTED_SENTENCE_US: Final = 100
WANTED_HINTS_MS: Final = 2
CLASSES: Final = (
    "DummySwitch",
    "DummyDimmer",
    "DummyShutter",
    "DummyHeatingThermostat",
    "DummyContactSensor",
    "DummyPresenceSensor",
    "DummyTemperatureSensor",
    "ButtonsDevice",
)
VARIABLES: Final = 100
SENTENCES: Final = (
    "when device-8 is on then turn device-0 off",
    "when device-8 is on for 5 minutes then turn device-8 off",
    "when Device 4 is opened and its after 22:00 then turn on Device 1",
    "when temperature of device-6 > 25 °C or humidity of device-6 is greater than 60 then raise device-2",
    "when $v1 > 10 then set $v2 to $v1 * 2 + 1",
    "when its 08:00 then dim Device 9 to 30%",
    "when its 30 minutes before sunset and Device 5 is present then turn Device 8 on for 10 minutes",
    "when button-7 is pressed then toggle Device 8",
    'when [device-0 is on or device-8 is on] and $v3 == 1 then log "it is $device-6.temperature outside"',
    'when every 5 minutes then set temp of Device 3 to $v4 and after 10 minutes set mode of device-3 to "eco"',
)
CONDITIONS: Final = (
    ("de", "device-8"),
    ("device-8 is ", " on"),
    ("Device 4 is opened a", " and "),
    ("temperature of ", "device-6"),
    ("temperature of device-6 > 2", " °C"),
    ("$", "$v1"),
    ("$device-6.t", "$device-6.temperature"),
    ("$v1 > ", "$v1"),
    ("its ", "$v1"),
    ("device-8 is on for 5 m", " minutes"),
)
"""What was typed, and one of the things that must be proposed."""
ACTIONS: Final = (
    ("t", "turn "),
    ("turn ", "device-8"),
    ("turn Device 8", " on"),
    ("turn device-8 on f", " for "),
    ("dim Device 9 to ", "$v1"),
    ('log "it is $dev', "$device-6.temperature"),
    ("set $", "$v1"),
    ("set $v2 to $v1 * ", "$v1"),
    ("press ", "button-7"),
    ('log "a" and turn dev', "device-0"),
)
HERE: Final = Context("benchmark")


@dataclass(frozen=True, slots=True)
class Reading:
    """What is read, and how long it takes: microseconds at rest, and directly after a device was added."""

    text: str
    at_rest: float
    after: float


class LargeHome:
    """A home with so many devices of eight classes, and who reads the sentences of its rules."""

    def __init__(self, devices: int) -> None:
        self.home = Home(VirtualClock(), language=parse)
        self.parser = RuleParser(built_in())
        self._numbers = itertools.count(devices)
        self._added = ""
        for index in range(devices):
            self.home.add_device(device_config(index), "store")
        self.home.add_variables(tuple({"name": f"v{index}", "value": index} for index in range(VARIABLES)))

    def sentence(self, text: str) -> Callable[[], object]:
        """Read a whole rule."""
        return lambda: self.parser(text, self.home)

    def hints(self, ask: Callable[[str, Home], Attributes], text: str, expected: str) -> Callable[[], object]:
        """Propose what could come next. BenchmarkError: one thing is not proposed."""

        def call() -> object:
            return ask(text, self.home)

        proposed = ask(text, self.home)["autocomplete"]
        if not isinstance(proposed, list) or expected not in proposed:
            raise BenchmarkError(f"after {text!r}, {expected!r} is not proposed, but {str(proposed)[:200]}")
        return call

    def add_a_device(self) -> None:
        """Add a device, in place of the one that was added before."""
        if self._added:
            self.home.remove_device(self._added, HERE)
        self._added = self.home.add_device(device_config(next(self._numbers)), "store", HERE).id

    def read(self, text: str, call: Callable[[], object], rounds: tuple[int, int]) -> Reading:
        """Call it so many times at rest, and so many after a device was added."""
        at_rest, after = rounds
        call()
        rest = middle_us(time_calls(call, at_rest))
        return Reading(text, rest, middle_us(time_calls(call, after, self.add_a_device)))


def device_config(index: int) -> Attributes:
    """A device as it is defined."""
    name = CLASSES[index % len(CLASSES)]
    config: Attributes = {"id": f"device-{index}", "class": name, "name": f"Device {index}"}
    buttons: Attributes = {"buttons": [{"id": f"button-{index}", "text": f"Press {index}"}]}
    return config | buttons if name == "ButtonsDevice" else config


def run(devices: int = DEVICES, rounds: tuple[int, int] = (ROUNDS, ROUNDS_AFTER)) -> Report:
    """Measure all sentences and all hints."""
    house = LargeHome(devices)
    ask_condition, ask_actions = house.parser.condition_hints, house.parser.action_hints
    with memory_like_a_hub():
        sentences = [house.read(text, house.sentence(text), rounds) for text in SENTENCES]
        hints = [house.read(text, house.hints(ask_condition, text, wanted), rounds) for text, wanted in CONDITIONS]
        hints += [house.read(text, house.hints(ask_actions, text, wanted), rounds) for text, wanted in ACTIONS]
    rows = (_row("rules", sentences), _row("hints", hints))
    slowest_hint = max(max(reading.at_rest, reading.after) for reading in hints)
    typical = statistics.median(reading.at_rest for reading in sentences)
    targets = (
        Target(f"rules, a typical sentence with {devices} devices", WANTED_SENTENCE_US, typical, "µs"),
        Target(f"rules, the slowest hints with {devices} devices", WANTED_HINTS_MS, slowest_hint / 1e3, "ms"),
    )
    return Report(LANGUAGE, rows, targets)


def _row(what: str, readings: Sequence[Reading]) -> tuple[str, ...]:
    at_rest, after = [reading.at_rest for reading in readings], [reading.after for reading in readings]
    cells = (statistics.median(at_rest), max(at_rest), statistics.median(after), max(after))
    return (f"{len(readings)} {what}", *map(number, cells))
