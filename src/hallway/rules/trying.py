"""Trying a rule on what has happened: when it would have run and what it would have done, without touching anything.

A second home is made of what the rule names, put back to how it was, and lives through the recorded changes on its own
clock. The rule runs there as everywhere; its actions only say what they would do. It must not know doors.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Final, NamedTuple

import msgspec

from hallway.clock import VirtualClock
from hallway.errors import HallwayError, InvalidInput
from hallway.home.changes import Context, Defined, Fired, Updated, VariableSet
from hallway.home.classes import REPORTED
from hallway.home.home import Home
from hallway.home.values import Attributes, Value
from hallway.language.conditions import Test
from hallway.language.deeds import Action, Deed, Outcome
from hallway.language.rules import ParsedRule
from hallway.rules.engine import Parser, RuleEngine
from hallway.rules.mentions import mentions_of
from hallway.rules.recent import Kept, Recent
from hallway.rules.sources import Maker
from hallway.rules.sun import Place
from hallway.rules.traces import DID, Trace

MOST_DAYS: Final = 28.0
MOST_RUNS: Final = 100
MOST_TRACES: Final = 5000
"""A trial ends early when a rule has left so many."""
_DAY: Final = 86_400.0
_HOUR: Final = 3600.0
_FORM: Final = "when it is tried then tell"
_RULE: Final = "tried"
_TRIAL: Final = Context("trial")


class Trial(msgspec.Struct, frozen=True):
    """What came of it.

    since, until: for which time; changes: how many of the recorded ones concern the rule; runs, misses: traces, as a
    rule leaves them.
    """

    since: float
    until: float
    changes: int
    runs: tuple[Trace, ...]
    misses: tuple[Trace, ...]

    def as_json(self) -> Attributes:
        """As it is told."""
        return {
            "since": self.since,
            "until": self.until,
            "changes": self.changes,
            "runs": [trace.as_json() for trace in self.runs],
            "misses": [trace.as_json() for trace in self.misses],
        }


class OnlySaid(Deed, frozen=True):
    """A deed that says what it would do."""

    deed: Deed

    @property
    def lasts(self) -> bool:
        return False

    def announce(self, home: Home) -> str:
        return self.deed.announce(home)

    def run(self, home: Home, context: Context) -> Outcome:
        return Outcome(self.deed.announce(home))


class Options(NamedTuple):
    """How it is tried: until when, with which `again`, and where the home is."""

    until: float
    again: str
    place: Place | None


class Rehearsal:
    """Everything that a trial needs, taken from the home at one moment; `run` touches the home no more."""

    def __init__(
        self, sentence: ParsedRule, shadow: Home, clock: VirtualClock, changes: list[Kept], options: Options
    ) -> None:
        self._sentence = sentence
        self._shadow = shadow
        self._clock = clock
        self._changes = changes
        self._until, self._again, self._place = options

    def run(self, more: Mapping[type[Test], Maker] | None = None) -> Trial:
        """Live through it. May be done in another thread."""
        since = self._clock.now()
        spoken = _only_said(self._sentence)

        def read(_text: str, _home: Home) -> ParsedRule:
            return spoken

        self._shadow.rules.add({"id": _RULE, "rule": _FORM, "logging": False, "again": self._again}, _TRIAL)
        engine = RuleEngine(self._shadow, read, self._clock, place=self._place, more=more)
        engine.start(says_so=False)
        for change in self._changes:
            self._wait(engine, change.at)
            _happen_again(self._shadow, change)
        self._wait(engine, self._until)
        traces = engine.traces.of(_RULE)
        engine.stop()
        runs = tuple(trace for trace in traces if trace.result in DID)
        misses = tuple(trace for trace in traces if trace.result not in DID)
        return Trial(since, self._clock.now(), len(self._changes), runs[-MOST_RUNS:], misses[-MOST_RUNS:])

    def _wait(self, engine: RuleEngine, until: float) -> None:
        """Let time pass; a rule that runs all the time is seen to do so soon."""
        while self._clock.now() < until and engine.traces.newest_id() < MOST_TRACES:
            self._clock.advance(min(_HOUR, until - self._clock.now()))


def rehearse(
    home: Home,
    parser: Parser,
    recent: Recent,
    text: str,
    days: float,
    again: str = "ignore",
    place: Place | None = None,
) -> Rehearsal:
    """Prepare a trial of a sentence on the changes of the last days. InvalidInput, RuleError: it cannot be tried."""
    if not 0 < days <= MOST_DAYS:
        raise InvalidInput(f"a rule can be tried on up to {MOST_DAYS:g} days")
    sentence = parser(text, home)
    until = home.clock.now()
    kept = [change for change in recent.all() if change.at >= until - days * _DAY]
    mentions = mentions_of(sentence)
    devices = {key for kind, key in (*mentions.reads, *mentions.writes) if kind == "device"}
    variables = {key for kind, key in (*mentions.reads, *mentions.writes) if kind == "variable"}
    entities = {key for kind, key in mentions.reads if kind == "entity"}
    devices |= {owner.device.id for _id, owner in home.entities.owned(entities) if owner.device is not None}
    events = {key for kind, key in mentions.reads if kind == "event"}
    concerns = [change for change in kept if _concerns(change, devices, variables, entities, events)]
    since = max(until - days * _DAY, recent.since)
    clock = VirtualClock(since)
    shadow = Home(clock, hub_id="trial", time_zone=home.time_zone(), chance=home.random)
    born = {change.key for change in concerns if isinstance(change, Defined)}
    _furnish(shadow, home, devices - born, variables)
    _put_back(shadow, concerns)
    return Rehearsal(sentence, shadow, clock, concerns, Options(until, again, place))


def _concerns(change: Kept, devices: set[str], variables: set[str], entities: set[str], events: set[str]) -> bool:
    match change:
        case Updated():
            return change.device_id in devices or any(moved.entity_id in entities for moved in change.states)
        case VariableSet():
            return change.name in variables
        case Fired():
            return change.event_type in events
        case Defined():
            return change.old is None and change.kind == "device" and change.key in devices


def _furnish(shadow: Home, home: Home, devices: set[str], variables: set[str]) -> None:
    """The same devices and variables as they are now."""
    for device_id in sorted(devices & home.devices.keys()):
        device = home.devices[device_id]
        if device.class_name == REPORTED:
            state = home.state(home.entities_of(device_id)[0])
            if state is not None:
                shadow.adopt(state)
            continue
        if device.error is None:
            shadow.add_device(dict(device.config), "built-in" if device.source == "built-in" else "store", _TRIAL)
            held = {name: device.value(name) for name in device.attributes if device.value(name) is not None}
            shadow.set_values(device_id, held, _TRIAL)
    values = [
        {"name": name, "value": home.variables.get(name).value} for name in sorted(variables) if name in home.variables
    ]
    shadow.add_variables(tuple(values), _TRIAL)


def _put_back(shadow: Home, changes: list[Kept]) -> None:
    """Each value as it was before the first change of it; what was reported first is not known, and stays."""
    seen: set[str] = set()
    for change in changes:
        if isinstance(change, VariableSet) and change.name not in seen:
            seen.add(change.name)
            shadow.put_variable(change.name, change.old, _TRIAL)
        elif isinstance(change, Updated) and change.device_id in shadow.devices:
            before: dict[str, Value] = {
                name: value for name, value in change.old.items() if f"{change.device_id}.{name}" not in seen
            }
            seen |= {f"{change.device_id}.{name}" for name in before}
            shadow.set_values(change.device_id, before, _TRIAL)


def _happen_again(shadow: Home, change: Kept) -> None:
    try:
        for command in _commands(shadow, change):
            command()
    except HallwayError:
        return  # the home has another shape by now: what cannot happen any more does not


def _commands(shadow: Home, change: Kept) -> Iterator[Callable[[], object]]:
    match change:
        case Updated() if change.new and change.device_id in shadow.devices:
            values = {
                name: value for name, value in change.new.items() if name in shadow.devices[change.device_id].attributes
            }
            yield lambda: shadow.set_values(change.device_id, values, _TRIAL)
        case Updated() | Defined():
            for moved in change.states:
                if moved.new is not None:
                    state = moved.new
                    yield lambda state=state: shadow.report(state.entity_id, state.state, state.attributes, _TRIAL)  # type: ignore[misc]
        case VariableSet():
            yield lambda: shadow.put_variable(change.name, change.new, _TRIAL)
        case Fired():
            yield lambda: shadow.fire(change.event_type, change.data, _TRIAL)


def _only_said(sentence: ParsedRule) -> ParsedRule:
    deeds, otherwise = (
        tuple(_spoken(action) for action in actions) for actions in (sentence.deeds, sentence.otherwise)
    )
    return msgspec.structs.replace(sentence, deeds=deeds, otherwise=otherwise)


def _spoken(action: Action) -> Action:
    return msgspec.structs.replace(action, deed=OnlySaid(action.deed))
