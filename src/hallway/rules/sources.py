"""Where signals hear of the home: one watcher per variable, device, entity or event type, however many ask for it.

A change that no rule asks for costs nothing here. It must not know rules, nor what follows when a signal turns.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from hallway.clock import Cancel, Clock
from hallway.errors import HallwayError
from hallway.home.changes import AnyChange, Changes, Fired, Updated
from hallway.home.home import Home
from hallway.home.values import Attributes, Value, same
from hallway.language.coercion import to_number
from hallway.language.conditions import (
    AttributeIs,
    ButtonPressed,
    Comparator,
    Compares,
    EntityIs,
    EventFired,
    NotUpdated,
    Starting,
    Test,
    VariableMoves,
)
from hallway.language.deeds import HomeScope
from hallway.language.evaluation import UNDEFINED, Result
from hallway.language.expressions import Expression
from hallway.language.plain import LIMIT, plain
from hallway.rules.causes import Cause
from hallway.rules.comparing import above, equal, holds, holds_quietly
from hallway.rules.comparisons import Comparisons
from hallway.rules.signals import Signal
from hallway.rules.tasks import SOON

Heard = Callable[[Cause], None]
Asked = tuple[tuple[str, ...], ...]
"""Names of values, for each of several predicates."""
Fact = tuple[Value, float | None]
"""A value and when it was told, in seconds since 1970."""
SLACK: Final = 0.001
"""Seconds by which a timer may come early."""


class Ground:
    """What all signals stand on: the home, its clock, and who hears of what."""

    def __init__(self, home: Home, clock: Clock) -> None:
        self.home = home
        self.clock = clock
        self.scope = HomeScope(home)
        self.numbers = Numbers(self)
        self._values: dict[str, ValueSource] = {}
        self._last = Cause(0.0)
        self._known: dict[str, Fact] = {}
        self._facts: dict[Asked, tuple[Fact, ...]] = {}
        self._known_at = -1

    def cause_of(self, change: AnyChange) -> Cause:
        """The one cause that a change is, for all who hear of it."""
        if self._last.change is not change:
            self._last = Cause(change.at, change=change)
            self.numbers.clear()
        return self._last

    def at_time(self, text: str) -> Cause:
        """It is time for something."""
        return Cause(self.clock.now(), text)

    def value(self, name: str) -> Result:
        """The value of a variable or `device.attribute`; UNDEFINED while it has none, or is gone."""
        variable = self.home.variables.find(name)
        if variable is not None:  # as the scope does, which a thousand rules may ask at once
            return variable.value
        try:
            return self.scope.value(name)
        except HallwayError:
            return UNDEFINED

    def facts(self, asked: Asked) -> tuple[Fact, ...]:
        """What is known of each name in turn; looked up once for all rules that look at a change."""
        if self._known_at != self.home.changes.seq:
            self._known_at = self.home.changes.seq
            self._known.clear()
            self._facts.clear()
        found = self._facts.get(asked)
        if found is None:
            found = self._facts[asked] = tuple([self._fact(name) for names in asked for name in names])
        return found

    def _fact(self, name: str) -> Fact:
        found = self._known.get(name)
        if found is None:
            found = self._known[name] = self._look_up(name)
        return found

    def _look_up(self, name: str) -> Fact:
        home = self.home
        value = self.value(name)
        plain = None if value is UNDEFINED else value
        device_id, dot, attribute = name.partition(".")
        device = home.devices.get(device_id) if dot else None
        if device is not None and attribute in device.attributes:
            return plain, device.held(attribute).updated
        entity_id = home.entities.kept.get(f"variable:{name}", name)
        if device is not None and home.entities_of(device.id):
            entity_id = home.entities_of(device.id)[0]
        shown = home.state(entity_id)
        if plain is None and shown is not None and entity_id == name:
            plain = shown.state
        return plain, shown.last_updated if shown is not None else None

    def source(self, name: str) -> ValueSource:
        """Who tells of a variable or `device.attribute`."""
        found = self._values.get(name)
        if found is None:
            found = self._values[name] = ValueSource(self, name)
        return found

    def forget(self, name: str) -> None:
        """Nobody asks for that value any more."""
        self._values.pop(name, None)

    def watch(self, key: str, heard: Callable[[AnyChange], None]) -> Cancel:
        """Hear of the changes of one thing."""
        return self._changes.watch(key, heard)

    @property
    def _changes(self) -> Changes:
        return self.home.changes


class Numbers(dict[str, float]):
    """Values while one change is handed out, as floats; missing is what has none, or one that floats may not hold."""

    __slots__ = ("_ground",)

    def __init__(self, ground: Ground) -> None:
        super().__init__()
        self._ground = ground

    def __missing__(self, name: str) -> float:
        value = self._ground.value(name)
        if (type(value) is int or type(value) is float) and -LIMIT < value < LIMIT:
            self[name] = float(value)
            return self[name]
        raise KeyError(name)


class ValueSource:
    """One variable or attribute, and the signals that look at it."""

    def __init__(self, ground: Ground, name: str) -> None:
        self._ground = ground
        self._name = name
        self._comparisons: Comparisons[Comparison] = Comparisons()
        self._others: list[Heard] = []
        self._fresh: list[Comparison] = []
        self._unwatch: Cancel | None = None

    def compare(self, signal: Comparison, comparator: Comparator, fixed: Value) -> None:
        """Update that signal when its comparison with a fixed value may turn."""
        self._comparisons.add(signal, comparator, fixed)
        self._listen()

    def compare_no_more(self, signal: Comparison) -> None:
        self._comparisons.remove(signal)
        self._rest()

    def hear(self, heard: Heard) -> None:
        """Tell of every report."""
        self._others.append(heard)
        self._listen()

    def hear_no_more(self, heard: Heard) -> None:
        self._others.remove(heard)
        self._rest()

    def note_fresh(self, signal: Comparison) -> None:
        """Update that signal at the next report, whatever it brings."""
        self._fresh.append(signal)

    def _listen(self) -> None:
        if self._unwatch is not None:
            return
        device_id, dot, attribute = self._name.partition(".")
        if not dot or self._name in self._ground.home.variables:
            self._unwatch = self._ground.watch(f"variable:{self._name}", self._heard)
            return

        def heard(change: AnyChange) -> None:
            # what was reported has no values of its own: its state is read
            if isinstance(change, Updated) and (attribute in change.new or not change.new):
                self._heard(change)

        self._unwatch = self._ground.watch(f"device:{device_id}", heard)

    def _rest(self) -> None:
        if self._unwatch is not None and not self._others and not len(self._comparisons):
            self._unwatch()
            self._unwatch = None
            self._ground.forget(self._name)

    def _heard(self, change: AnyChange) -> None:
        cause = self._ground.cause_of(change)
        fresh, self._fresh = self._fresh, []
        if len(self._comparisons):
            value = self._ground.value(self._name)
            turned = self._comparisons.turned_by(value)
            for signal in turned:
                signal.told(value, cause)
            for signal in fresh:
                if signal not in turned:
                    signal.told(value, cause)
        for heard in tuple(self._others):
            heard(cause)


# ---------------------------------------------------------------------- comparisons


class Comparison(Signal):
    """A value compares with a fixed one."""

    __slots__ = ("_comparator", "_fixed", "_ground", "_holds", "_names")

    def __init__(self, ground: Ground, name: str, comparator: Comparator, fixed: Value, *, quietly: bool) -> None:
        super().__init__()
        self._ground = ground
        self._names = (name,)
        self._comparator = comparator
        self._fixed = fixed
        self._holds = holds_quietly if quietly else holds

    def now(self) -> bool:
        return self._holds(self._ground.value(self._names[0]), self._comparator, self._fixed)

    def told(self, value: Result, cause: Cause) -> None:
        """As `update`, of the value that it has now."""
        try:
            truth = self._holds(value, self._comparator, self._fixed)
        except Exception:  # noqa: BLE001 - `update` finds the same and says what it is
            self.update(cause)
        else:
            self.put(truth, cause)

    def start(self) -> None:
        self._source.compare(self, self._comparator, self._fixed)

    def stop(self) -> None:
        self._source.compare_no_more(self)

    def note_fresh(self) -> None:
        self._source.note_fresh(self)

    def names(self) -> tuple[str, ...]:
        return self._names

    @property
    def _source(self) -> ValueSource:
        return self._ground.source(self._names[0])


class ExpressionsComparison(Signal):
    """Two expressions compare with each other."""

    __slots__ = ("_fixed", "_ground", "_names", "_plain", "_test")

    def __init__(self, ground: Ground, test: Compares) -> None:
        super().__init__()
        self._ground = ground
        self._test = test
        self._plain = plain(test.left, test.comparator, test.right)
        self._fixed = _constant(test.right)
        self._names = tuple(sorted(test.left.variables | test.right.variables))

    def now(self) -> bool:
        scope, test = self._ground.scope, self._test
        right = self._fixed if self._fixed is not None else test.right.result(scope)
        return holds(test.left.result(scope), test.comparator, right)

    def update(self, cause: Cause) -> None:
        if self._plain is None:
            super().update(cause)
            return
        try:
            truth = self._plain(self._ground.numbers)
        except Exception:  # noqa: BLE001 - there is a value that is no plain number, of which `now` knows more
            super().update(cause)
        else:
            if truth is not self.truth or self._fresh:
                self.put(truth, cause)

    def start(self) -> None:
        for name in self._names:
            self._ground.source(name).hear(self.update)

    def stop(self) -> None:
        for name in self._names:
            self._ground.source(name).hear_no_more(self.update)

    def names(self) -> tuple[str, ...]:
        return self._names


def compare(ground: Ground, test: Compares) -> Signal:
    """The quickest signal for a comparison."""
    name, fixed = _only_variable(test.left), _constant(test.right)
    if name and fixed is not None:
        return Comparison(ground, name, test.comparator, fixed, quietly=False)
    return ExpressionsComparison(ground, test)


def _only_variable(expression: Expression) -> str:
    token = expression.tokens[0]
    alone = len(expression.tokens) == 1 and isinstance(token, str) and token.startswith("$")
    return str(token)[1:] if alone else ""


def _constant(expression: Expression) -> Value:
    token = expression.tokens[0]
    if len(expression.tokens) != 1:
        return None
    if isinstance(token, str):
        return token[1:-1] if token.startswith('"') and "\\" not in token else None
    return token


# ---------------------------------------------------------------------- movements


class Movement(Signal):
    """A value is told, is another one, or went up or down."""

    def __init__(self, ground: Ground, test: VariableMoves) -> None:
        super().__init__()
        self._ground = ground
        self._name = test.name
        self._how = test.how
        self._last = ground.value(test.name)

    def now(self) -> bool:
        return bool(self.truth)

    def start(self) -> None:
        self._last = self._ground.value(self._name)
        self._ground.source(self._name).hear(self._heard)

    def stop(self) -> None:
        self._ground.source(self._name).hear_no_more(self._heard)

    def names(self) -> tuple[str, ...]:
        return (self._name,)

    def _heard(self, cause: Cause) -> None:
        value = self._ground.value(self._name)
        last, self._last = self._last, value
        fresh, self._fresh = self._fresh, ()
        for listener in self._listeners:
            turned = self._turned(UNDEFINED if listener in fresh else last, value)
            if not self._how.startswith("is "):
                if turned:
                    listener.happened(cause)
            elif turned is not self.truth or listener in fresh:
                listener.became(turned, cause)
        self.truth = self._turned(last, value) if self._how.startswith("is ") else None

    def _turned(self, last: Result, value: Result) -> bool:
        if self._how == "gets updated":
            return True
        if self._how == "changes":
            return last is UNDEFINED or not equal(last, value)
        before, after = (None if each is UNDEFINED else each for each in (last, value))
        if self._how in {"increased", "is increasing"}:
            return above(after, before)
        return above(before, after)


class Silence(Signal):
    """An attribute was not told for some time. It counts from when somebody begins to listen, also after a restart."""

    def __init__(self, ground: Ground, test: NotUpdated) -> None:
        super().__init__()
        self._ground = ground
        self._name = f"{test.device_id}.{test.attribute}"
        self._seconds = max(SOON, test.seconds)
        self._told = 0.0
        self._cancel: Cancel = _nothing

    def now(self) -> bool:
        return bool(self.truth)

    def names(self) -> tuple[str, ...]:
        return (self._name,)

    def start(self) -> None:
        self._told = self._ground.clock.monotonic()
        self._ground.source(self._name).hear(self._heard)
        self._wait(self._seconds)

    def stop(self) -> None:
        self._ground.source(self._name).hear_no_more(self._heard)
        self._cancel()
        self.truth = None

    def _heard(self, cause: Cause) -> None:
        self._told = self._ground.clock.monotonic()
        if self.truth:
            self._wait(self._seconds)
        self.put(False, cause)

    def _wait(self, seconds: float) -> None:
        self._cancel()
        self._cancel = self._ground.clock.call_later(seconds, self._look)

    def _look(self) -> None:
        """Reports only note their time; whether it was long ago is seen here."""
        left = self._told + self._seconds - self._ground.clock.monotonic()
        if left > SLACK:
            self._wait(left)
        else:
            self.put(True, self._ground.at_time(f"{self._name} was not told for {self._seconds:g} s"))


# ---------------------------------------------------------------------- what happens


class Press(Signal):
    """A button is pressed."""

    def __init__(self, ground: Ground, test: ButtonPressed) -> None:
        super().__init__()
        self._ground = ground
        self._name = f"{test.device_id}.button"
        self._button = test.button_id

    def start(self) -> None:
        self._ground.source(self._name).hear(self._heard)

    def stop(self) -> None:
        self._ground.source(self._name).hear_no_more(self._heard)

    def names(self) -> tuple[str, ...]:
        return (self._name,)

    def _heard(self, cause: Cause) -> None:
        if isinstance(cause.change, Updated) and cause.change.new.get("button") == self._button:
            self.happen(cause)


class Firing(Signal):
    """An event goes over the bus, with at least these data."""

    def __init__(self, ground: Ground, test: EventFired) -> None:
        super().__init__()
        self._ground = ground
        self._test = test
        self._unwatch: Cancel = _nothing

    def start(self) -> None:
        self._unwatch = self._ground.watch(f"event:{self._test.event_type}", self._heard)

    def stop(self) -> None:
        self._unwatch()

    def _heard(self, change: AnyChange) -> None:
        if isinstance(change, Fired) and _has(change.data, self._test.data):
            self.happen(self._ground.cause_of(change))


def _has(data: Attributes, wanted: Attributes) -> bool:
    return all(key in data and (same(data[key], value) or equal(data[key], value)) for key, value in wanted.items())


class Showing(Signal):
    """What an entity shows compares with a fixed value."""

    def __init__(self, ground: Ground, test: EntityIs) -> None:
        super().__init__()
        self._ground = ground
        self._test = test
        self._unwatch: Cancel = _nothing

    def now(self) -> bool:
        shown = self._ground.home.state(self._test.entity_id)
        if shown is None:
            return False
        fixed = self._test.value
        if isinstance(fixed, str):
            return holds_quietly(shown.state, self._test.comparator, fixed)
        return holds_quietly(to_number(shown.state or "nothing"), self._test.comparator, fixed)

    def start(self) -> None:
        self._unwatch = self._ground.watch(f"entity:{self._test.entity_id}", self._heard)

    def stop(self) -> None:
        self._unwatch()

    def names(self) -> tuple[str, ...]:
        return (self._test.entity_id,)

    def _heard(self, change: AnyChange) -> None:
        self.update(self._ground.cause_of(change))


class Start(Signal):
    """The hub starts: whoever runs the rules says so."""


Maker = Callable[[Ground, Test], Signal]


def makers() -> Mapping[type[Test], Maker]:
    """How the signals of all tests are made that need no calendar."""
    made: dict[type[Test], Callable[..., Signal]] = {
        AttributeIs: lambda ground, test: Comparison(
            ground, f"{test.device_id}.{test.attribute}", test.comparator, test.value, quietly=True
        ),
        Compares: compare,
        VariableMoves: Movement,
        NotUpdated: Silence,
        ButtonPressed: Press,
        EventFired: Firing,
        EntityIs: Showing,
        Starting: lambda _ground, _test: Start(),
    }
    return MappingProxyType(made)


def _nothing() -> None:
    """There is nothing to end."""
