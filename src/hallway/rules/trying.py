"""Trying a rule on what has happened: when it would have run and what it would have done, without touching anything.

A second home is made of what the rule names, put back to how it was, and lives through the recorded changes on its own
clock. The rule runs there as everywhere: its actions say what they would do, and do it to that home, where its later
actions and conditions see it until a recorded change says otherwise. It must not know doors.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import aclosing
from typing import Final, NamedTuple

import msgspec

from hallway.clock import VirtualClock
from hallway.errors import HallwayError, InvalidInput
from hallway.home.changes import AnyChange, Context, Defined, Fired, Updated, VariableSet
from hallway.home.classes import REPORTED
from hallway.home.home import Home
from hallway.home.recorded import Recorded
from hallway.home.values import Value
from hallway.language.actions.levels import SetLevel, SetMode
from hallway.language.actions.services import CallService
from hallway.language.actions.variables import SetTo
from hallway.language.conditions import Test
from hallway.language.deeds import Action, Deed, DeviceDeed, Outcome
from hallway.language.rules import ParsedRule
from hallway.rules.engine import Parser, RuleEngine
from hallway.rules.mentions import mentions_of
from hallway.rules.recent import Recent
from hallway.rules.sources import Maker
from hallway.rules.sun import Place
from hallway.rules.traces import DID, Trace

MOST_DAYS: Final = 28.0
MOST_RUNS: Final = 100
MOST_TRACES: Final = 5000
"""A trial ends early when a rule has left so many, or when so many changes concern it."""
MOST_CHANGES: Final = 200_000
AT_ONCE: Final = 25
SEEN_AT_ONCE: Final = 250
"""Changes that are lived through, or seen, before others get their turn."""
_DAY: Final = 86_400.0
_HOUR: Final = 3600.0
_FORM: Final = "when it is tried then tell"
_RULE: Final = "tried"
_TRIAL: Final = Context("trial")


class Trial(msgspec.Struct, frozen=True):
    """What came of it.

    since, until: for which time, which ends early when a rule runs all the time; changes: how many of the recorded ones
    concern the rule; runs, misses: the last traces, as a rule leaves them.
    """

    since: float
    until: float
    changes: int
    runs: tuple[Trace, ...]
    misses: tuple[Trace, ...]


class OnlySaid(Deed, frozen=True):
    """A deed that says what it would do."""

    deed: Deed

    @property
    def lasts(self) -> bool:
        return self.deed.lasts

    def announce(self, home: Home) -> str:
        return self.deed.announce(home)

    def run(self, home: Home, context: Context) -> Outcome:
        return Outcome(self.deed.announce(home))


class DoneThere(OnlySaid, frozen=True):
    """A deed that is done to the second home as well: it changes devices and variables and nothing else."""

    def run(self, home: Home, context: Context) -> Outcome:
        text = self.deed.announce(home)
        try:
            undo = self.deed.run(home, context).undo
        except HallwayError:
            if isinstance(self.deed, SetTo):  # all that it needs is there, so that it would fail everywhere
                raise
            return Outcome(text)
        return Outcome(text, undo and msgspec.structs.replace(undo, text=f"then {undo.text}"))


_DONE_THERE: Final = (SetTo, DeviceDeed, SetLevel, SetMode, CallService)
"""All others go beyond that home: an event is fired, a button pressed, people are told."""


class Wanted(NamedTuple):
    """What is to be tried: a sentence on the last days, with which `again`, and where the home is."""

    text: str
    days: float
    again: str = "ignore"
    place: Place | None = None


async def attempt(home: Home, parser: Parser, recent: Recent, wanted: Wanted) -> Trial:
    """Try it on the changes of the last days, piece by piece. InvalidInput, RuleError: it cannot be tried."""
    if not 0 < wanted.days <= MOST_DAYS:
        raise InvalidInput(f"a rule can be tried on up to {MOST_DAYS:g} days")
    until = home.clock.now()
    rehearsal = Rehearsal(home, parser(wanted.text, home), wanted, until)
    since = max(until - wanted.days * _DAY, await recent.since())
    async with aclosing(recent.between(rehearsal.keys, since, until)) as pieces:
        async for piece in pieces:
            for start in range(0, len(piece), SEEN_AT_ONCE):
                rehearsal.look(piece[start : start + SEEN_AT_ONCE])
                await asyncio.sleep(0)
            if rehearsal.has_seen_enough:
                break
    rehearsal.furnish(home, since)
    await asyncio.to_thread(rehearsal.begin)
    async with aclosing(recent.between(rehearsal.keys, since, until)) as pieces:
        async for piece in pieces:
            for start in range(0, len(piece), AT_ONCE):
                if not await asyncio.to_thread(rehearsal.live, piece[start : start + AT_ONCE]):
                    return await asyncio.to_thread(rehearsal.end)
    return await asyncio.to_thread(rehearsal.end)


class Rehearsal:
    """A second home in which a sentence lives through what happened: `look` at all of it, `furnish`, `begin`, `live`.

    Made and furnished in the thread of the home; the rest touches the home no more.
    """

    def __init__(self, home: Home, sentence: ParsedRule, wanted: Wanted, until: float) -> None:
        self._sentence = sentence
        self._again, self._place = wanted.again, wanted.place
        self._until = until
        self._names = _Names.of(sentence, home)
        self._before = _Before()
        self._lived = 0
        self._since = 0.0
        self._runs = True
        self._reported = {key for key in self._names.devices if _is_reported(home, key)}

    @property
    def keys(self) -> frozenset[str]:
        """Which changes it needs."""
        return self._names.keys

    def look(self, changes: Iterable[Recorded]) -> None:
        """See how things were before them."""
        for change in changes:
            if self._names.has(change):
                self._before.look(change)

    @property
    def has_seen_enough(self) -> bool:
        """Whether it lives through no more than it has seen."""
        return self._before.seen >= MOST_CHANGES

    def furnish(self, home: Home, since: float) -> None:
        """Make the second home as it was then."""
        self._since = since
        self._clock = VirtualClock(since)
        self._shadow = Home(self._clock, hub_id="trial", time_zone=home.time_zone(), chance=home.random)
        self._shadow.messages.hide_as(home.messages)
        _furnish(self._shadow, home, self._names.devices - (self._before.born & self._reported), self._names.variables)
        self._before.put_back(self._shadow)

    def begin(self, more: Mapping[type[Test], Maker] | None = None) -> None:
        """Let the rule run there."""
        spoken = _only_said(self._sentence)

        def read(_text: str, _home: Home) -> ParsedRule:
            return spoken

        self._shadow.rules.add({"id": _RULE, "rule": _FORM, "logging": False, "again": self._again}, _TRIAL)
        self._engine = RuleEngine(self._shadow, read, self._clock, place=self._place, more=more)
        self._engine.traces.keep(MOST_RUNS)
        self._shadow.changes.subscribe(self._end_what_is_enough)
        self._engine.start(says_so=False)
        self._engine.recent.stop()  # nobody will ask why

    def live(self, changes: Iterable[Recorded]) -> bool:
        """Live through some changes; whether there is any use in more. May be done in another thread."""
        for change in changes:
            if self._names.has(change):
                self._wait(change.at)
                if self._lived == MOST_CHANGES or self._is_enough():
                    self._until = self._clock.now()
                    return False
                self._lived += 1
                _happen_again(self._shadow, change)
        return True

    def end(self) -> Trial:
        """Live through the rest, and tell what came of it."""
        self._wait(self._until)
        self._engine.stop()
        traces = self._engine.traces.of(_RULE)
        runs = tuple(trace for trace in traces if trace.result in DID)
        misses = tuple(trace for trace in traces if trace.result not in DID)
        return Trial(self._since, self._clock.now(), self._lived, runs, misses)

    def _wait(self, until: float) -> None:
        """Let time pass; a rule that runs all the time is seen to do so soon."""
        while self._clock.now() < until and not self._is_enough():
            self._clock.advance(min(_HOUR, until - self._clock.now()))

    def _end_what_is_enough(self, _change: AnyChange) -> None:
        """Also within an hour, in which a rule that starts itself twice over would run beyond all counting."""
        if self._is_enough() and self._runs:
            self._runs = False
            self._engine.stop()

    def _is_enough(self) -> bool:
        return self._engine.traces.newest_id() >= MOST_TRACES


class _Names(NamedTuple):
    """What a sentence names."""

    devices: frozenset[str]
    variables: frozenset[str]
    entities: frozenset[str]
    events: frozenset[str]

    @classmethod
    def of(cls, sentence: ParsedRule, home: Home) -> _Names:
        mentions = mentions_of(sentence)
        named = {*mentions.reads, *mentions.writes}
        entities = frozenset(key for kind, key in mentions.reads if kind == "entity")
        shown = {key for kind, key in named if kind == "entity"}
        owners = {owner.device.id for _id, owner in home.entities.owned(shown) if owner.device is not None}
        return cls(
            frozenset(key for kind, key in named if kind == "device") | owners,
            frozenset(key for kind, key in named if kind == "variable"),
            entities,
            frozenset(key for kind, key in mentions.reads if kind == "event"),
        )

    @property
    def keys(self) -> frozenset[str]:
        return frozenset(
            f"{kind}:{name}"
            for kind, names in zip(("device", "variable", "entity", "event"), self, strict=True)
            for name in names
        )

    def has(self, change: Recorded) -> bool:
        """Whether a change is one that the rule may notice."""
        match change:
            case Updated():
                return change.device_id in self.devices or any(m.entity_id in self.entities for m in change.states)
            case VariableSet():
                return change.name in self.variables
            case Fired():
                return change.event_type in self.events
            case Defined():
                return change.old is None and change.kind == "device" and change.key in self.devices


class _Before:
    """How things were before the changes that were seen. born: devices that came with them."""

    def __init__(self) -> None:
        self.seen = 0
        self.born: set[str] = set()
        self._variables: dict[str, Value] = {}
        self._values: dict[str, dict[str, Value]] = {}

    def look(self, change: Recorded) -> None:
        self.seen += 1
        match change:
            case VariableSet():
                self._variables.setdefault(change.name, change.old)
            case Updated():
                known = self._values.setdefault(change.device_id, {})
                for name, value in change.old.items():
                    known.setdefault(name, value)
            case Defined():
                self.born.add(change.key)
            case _:
                return

    def put_back(self, shadow: Home) -> None:
        """Each value as it was before its first change; what was reported first is not known, and stays."""
        for name, value in self._variables.items():
            if name in shadow.variables:
                shadow.put_variable(name, value, _TRIAL)
        for device_id, values in self._values.items():
            device = shadow.devices.get(device_id)
            if device is not None:
                fitting = {name: value for name, value in values.items() if name in device.attributes}
                shadow.set_values(device_id, fitting, _TRIAL)


def _is_reported(home: Home, device_id: str) -> bool:
    return device_id in home.devices and home.devices[device_id].class_name == REPORTED


def _furnish(shadow: Home, home: Home, devices: frozenset[str], variables: frozenset[str]) -> None:
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


def _happen_again(shadow: Home, change: Recorded) -> None:
    try:
        for command in _commands(shadow, change):
            command()
    except HallwayError:
        return  # the home has another shape by now: what cannot happen any more does not


def _commands(shadow: Home, change: Recorded) -> Iterator[Callable[[], object]]:
    match change:
        case Updated() if change.new and change.device_id in shadow.devices:
            values = {
                name: value for name, value in change.new.items() if name in shadow.devices[change.device_id].attributes
            }
            yield lambda: shadow.set_values(change.device_id, values, _TRIAL)
        case Updated() | Defined():
            there = isinstance(change, Defined) and change.key in shadow.devices
            for moved in () if there else change.states:
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
    kind = DoneThere if isinstance(action.deed, _DONE_THERE) else OnlySaid
    return msgspec.structs.replace(action, deed=kind(action.deed))
