"""From changes to samples: attributes as often as is wanted of them, variables, and every state that moved.

It notes and goes on: writing is for others. It must not know how samples are kept, nor who asks for them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Final, NamedTuple, Protocol

import msgspec

from hallway.home.changes import Defined, State, StateChange, Updated, VariableSet
from hallway.home.classes import COMPUTED, REPORTED
from hallway.home.devices import Attribute, Device, ValueType
from hallway.home.home import Home
from hallway.home.logging_times import time_for
from hallway.home.past import Known, Sample, Series
from hallway.home.reported import STATE, reported_attribute, reported_values
from hallway.home.values import Attributes, Value, decode
from hallway.store.history.tail import Track, more_text, storable

AT_ONCE: Final = 200
"""Things that are looked at before others get their turn."""
NEVER: Final = -(2**62)
GONE: Final[Attributes] = {"attributes": {}}
"""What is noted beside the end of an entity, whose value is None then."""
_NONE: Final = object()
_TYPES: Final[Mapping[str, ValueType]] = MappingProxyType({"number": "number", "boolean": "boolean"})


Last = Callable[[Sequence[Series]], Awaitable[Mapping[Series, Sample]]]
"""Tells the newest samples of some series. Unavailable: not now."""


class Present(NamedTuple):
    """What holds now. at: since when, in milliseconds, as far as that is known; state: of an entity."""

    series: Series
    value: Value
    at: int
    state: State | None = None


class Log(Protocol):
    """Where samples go."""

    def track(self, series: Series, value_type: str, discrete: bool) -> Track:
        """The track under which a series is recorded."""
        ...

    def known(self, series: Series) -> bool:
        """Whether it was recorded before."""
        ...

    def record(self, track: Track, at: int, value: Value, more: Attributes | None = None) -> None:
        """A sample, in milliseconds since 1970."""
        ...


class Keeper:
    """How an attribute is recorded. track: None if it is not; every: milliseconds; kind: of its value.

    last: when it was recorded last.
    """

    __slots__ = ("every", "kind", "last", "track")

    def __init__(self, track: Track | None, every: int, kind: type) -> None:
        self.track = track
        self.every = every
        self.kind = kind
        self.last = NEVER


class Shown:
    """How an entity is recorded. beside: what was last said beside its state, if that was only attributes."""

    __slots__ = ("beside", "track")

    def __init__(self, track: Track) -> None:
        self.track = track
        self.beside: Attributes | None = None


class HistoryRecorder:
    """Records a home until `stop`. logging: the list `deviceAttributeLogging` as it is now.

    states: for how many seconds the states of entities and the values of variables are kept; 0: they are not recorded.
    """

    def __init__(self, home: Home, log: Log, logging: Callable[[], Iterable[Value]], states: float) -> None:
        self._home = home
        self._log = log
        self._logging = logging
        self._states = states
        self._keepers: dict[str, dict[str, Keeper]] = {}
        self._entities: dict[str, Shown] = {}
        self._variables: dict[str, Track] = {}
        self._since = _ms(home.clock.now())
        changes = home.changes
        self._unsubscribe = (
            changes.subscribe(self._updated, Updated),
            changes.subscribe(self._variable_set, VariableSet),
            changes.subscribe(self._defined, Defined),
        )

    def stop(self) -> None:
        """Record nothing more."""
        for unsubscribe in self._unsubscribe:
            unsubscribe()

    async def begin(self) -> None:
        """Record what there is and was never recorded before, once it is known what was."""
        for number, device in enumerate(list(self._home.devices.values()), 1):
            self._begin_device(device)
            if number % AT_ONCE == 0:
                await asyncio.sleep(0)
        if not self._states:
            return
        for number, state in enumerate(self._home.states(), 1):
            if not self._log.known(Series("entity", state.entity_id)):
                self._entity(state, _ms(state.last_updated))
            if number % AT_ONCE == 0:
                await asyncio.sleep(0)
        for variable in list(self._home.variables):
            if not self._log.known(Series("variable", variable.name)):
                self._variable(variable.name, variable.value, self._since)

    def _begin_device(self, device: Device) -> None:
        at = self._since
        values: Mapping[str, Value]
        if device.class_name == REPORTED:
            state = self._state_of(device)
            values = {} if state is None else reported_values(state)
            at = at if state is None else _ms(state.last_updated)
        elif device.class_name == COMPUTED:
            return
        else:
            values = {name: device.value(name) for name in device.attributes}
        for name, value in values.items():
            if not self._log.known(Series("attribute", device.id, name)):
                self._keep(device.id, name, value, at)

    # ------------------------------------------------------------------ after a sudden end

    async def agree(self, last: Last) -> None:
        """What happened right before a sudden end may be missing: record what holds where the newest sample differs."""
        series = list(self._series())
        for begin in range(0, len(series), AT_ONCE):
            there = list(filter(None, map(self._present, series[begin : begin + AT_ONCE])))
            newest = await last([each.series for each in there])
            for each in there:
                sample, now = newest.get(each.series), self._present(each.series)
                if sample is None or now is None or now.value is not each.value or now.state is not each.state:
                    continue  # it moved meanwhile, which was recorded
                if _differs(each, sample):
                    self._put_right(each, round(sample.at * 1000))
            await asyncio.sleep(0)

    def _series(self) -> Iterator[Series]:
        """All that was recorded before and is there."""
        for device in self._home.devices.values():
            state = self._state_of(device) if device.class_name == REPORTED else None
            for name in device.attributes if state is None else reported_values(state):
                if self._log.known(Series("attribute", device.id, name)):
                    yield Series("attribute", device.id, name)
        if self._states:
            owners = [("entity", state.entity_id) for state in self._home.states()]
            for kind, owner in [*owners, *(("variable", variable.name) for variable in self._home.variables)]:
                if self._log.known(Series(kind, owner)):  # type: ignore[arg-type]
                    yield Series(kind, owner)  # type: ignore[arg-type]

    def _present(self, series: Series) -> Present | None:
        """None: it has no value now."""
        kind, owner, name = series
        if kind == "entity":
            state = self._home.state(owner)
            return None if state is None else Present(series, state.state, _ms(state.last_updated), state)
        if kind == "variable":
            variable = self._home.variables.find(owner)
            return None if variable is None else Present(series, variable.value, self._since)
        device = self._home.devices.get(owner)
        if device is None:
            return None
        if device.class_name == REPORTED:
            state = self._state_of(device)
            values = {} if state is None else reported_values(state)
            return (
                Present(series, values[name], _ms(state.last_updated)) if state is not None and name in values else None
            )
        held = device.held(name) if name in device.attributes else None
        if held is None or held.changed is None:
            return None
        return Present(series, device.value(name), _ms(held.changed))

    def _put_right(self, present: Present, newest: int) -> None:
        (kind, owner, name), value, at, state = present
        at = at if at > newest else max(self._since, newest)
        if state is not None:
            self._entity(state, at)
        elif kind == "variable":
            self._variable(owner, value, at)
        else:
            keeper = self._keeper(owner, name, value, self._keepers.get(owner, {}).get(name))
            if at - newest >= keeper.every:
                self._keep(owner, name, value, at)

    # ------------------------------------------------------------------ changes

    def _updated(self, change: Updated) -> None:
        at, new = _ms(change.at), change.new
        for name, value in new.items():
            self._keep(change.device_id, name, value, at)
        for moved in change.states:
            self._moved(moved, at)
            if not new and moved.new is not None:
                self._reported(change.device_id, moved.old, moved.new, at)

    def _variable_set(self, change: VariableSet) -> None:
        at = _ms(change.at)
        if change.new != change.old or type(change.new) is not type(change.old):
            self._variable(change.name, change.new, at)
        for moved in change.states:
            self._moved(moved, at)

    def _defined(self, change: Defined) -> None:
        at = _ms(change.at)
        if change.kind == "setting":
            self._keepers.clear()
        elif change.kind == "device":
            self._keepers.pop(change.key, None)
            if change.old is None and change.new is not None:
                self._begun(change, at)
        elif change.kind == "variable" and change.new is not None:
            variable = self._home.variables.find(change.key)
            if variable is not None:
                self._variable(change.key, variable.value, at)
        for moved in change.states:
            self._moved(moved, at)

    def _begun(self, change: Defined, at: int) -> None:
        """A device came: with the values that a new one has."""
        device = self._home.devices.get(change.key)
        if device is None or device.class_name == COMPUTED:
            return
        if device.class_name == REPORTED:
            for moved in change.states:
                if moved.new is not None:
                    self._reported(device.id, None, moved.new, at)
            return
        for name, attribute in device.attributes.items():
            initial = None if isinstance(attribute.initial, msgspec.UnsetType) else attribute.initial
            self._keep(device.id, name, initial, at)

    # ------------------------------------------------------------------ samples

    def _keep(self, device_id: str, name: str, value: Value, at: int) -> None:
        """An attribute has a value."""
        keepers = self._keepers.get(device_id)
        keeper = keepers.get(name) if keepers is not None else None
        if keeper is None or (keeper.kind is not type(value) and value is not None):
            keeper = self._keeper(device_id, name, value, keeper)
        if keeper.track is None or 0 <= at - keeper.last < keeper.every:
            return
        keeper.last = at
        self._log.record(keeper.track, at, storable(value))

    def _reported(self, device_id: str, old: State | None, new: State, at: int) -> None:
        """What differs in a reported state are attributes that changed."""
        device = self._home.devices.get(device_id)
        if device is None or device.class_name != REPORTED:
            return
        if old is None or old.state != new.state:
            self._keep(device_id, STATE, new.state, at)
        before = {} if old is None else old.attributes
        if before is new.attributes:
            return
        for name, value in new.attributes.items():
            was = before.get(name, _NONE)
            if (was is not value and (was != value or type(was) is not type(value))) and _is_attribute(name, value):
                self._keep(device_id, name, value, at)

    def _moved(self, moved: StateChange, at: int) -> None:
        if not self._states:
            return
        if moved.new is not None:
            self._entity(moved.new, at)
        elif moved.entity_id in self._entities or self._log.known(Series("entity", moved.entity_id)):
            self._log.record(self._shown(moved.entity_id).track, at, None, GONE)

    def _entity(self, state: State, at: int) -> None:
        shown = self._entities.get(state.entity_id) or self._shown(state.entity_id)
        if state.last_changed != state.last_updated:
            more: Attributes = {"attributes": state.attributes, "last_changed": state.last_changed}
        elif shown.beside is not None and shown.beside["attributes"] is state.attributes:
            more = shown.beside
        else:
            more = shown.beside = {"attributes": state.attributes}
        self._log.record(shown.track, at, storable(state.state), more)

    def _shown(self, entity_id: str) -> Shown:
        track = self._log.track(Series("entity", entity_id), "string", discrete=True)
        shown = self._entities[entity_id] = Shown(track)
        return shown

    def _variable(self, name: str, value: Value, at: int) -> None:
        if not self._states:
            return
        track = self._variables.get(name)
        kind = _type_of(value)
        if track is None or track.type != kind:
            track = self._variables[name] = self._log.track(Series("variable", name), kind, discrete=kind != "number")
        self._log.record(track, at, storable(value))

    # ------------------------------------------------------------------ how, and for how long

    def _keeper(self, device_id: str, name: str, value: Value, before: Keeper | None) -> Keeper:
        attribute = self._attribute(device_id, name, value)
        time = time_for(self._logging(), device_id, attribute)
        series = Series("attribute", device_id, name)
        track = self._log.track(series, attribute.type, attribute.discrete) if time.expire_ms else None
        keeper = Keeper(track, time.interval_ms, type(value))
        if before is not None:
            keeper.last = before.last
        self._keepers.setdefault(device_id, {})[name] = keeper
        return keeper

    def _attribute(self, device_id: str, name: str, value: Value) -> Attribute:
        device = self._home.devices.get(device_id)
        known = None if device is None else device.attributes.get(name)
        return known or reported_attribute(name, value)

    def seconds_for(self, known: Known) -> float:
        """For how long a series is kept, as the settings are now."""
        if known.series.kind != "attribute":
            return self._states
        _, device_id, name = known.series
        value_type: ValueType = (
            "number" if known.type == "number" else "boolean" if known.type == "boolean" else "string"
        )
        attribute = Attribute(name=name, type=value_type, label="", description="", discrete=known.discrete)
        return time_for(self._logging(), device_id, attribute).expire_ms / 1000

    def _state_of(self, device: Device) -> State | None:
        entity_ids = self._home.entities_of(device.id)
        return self._home.entities.states.get(entity_ids[0]) if entity_ids else None


def _is_attribute(name: str, value: Value) -> bool:
    return name != STATE and not isinstance(value, list | dict)


def _differs(present: Present, sample: Sample) -> bool:
    value = storable(present.value)
    if value != sample.value or isinstance(value, bool) != isinstance(sample.value, bool):
        return True
    if present.state is None:
        return False
    was = (sample.more or {}).get("attributes")
    attributes = present.state.attributes
    return was != attributes and was != decode(more_text(attributes))  # as JSON may have made it another


def _type_of(value: Value) -> str:
    if isinstance(value, bool):
        return "boolean"
    return "number" if isinstance(value, int | float) else "string"


def _ms(seconds: float) -> int:
    return int(seconds * 1000 + 0.5)
