"""Changes for tests of the change log, drawn by hypothesis or made by the thousand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from random import Random
from typing import Any

from hypothesis import strategies as st

from hallway.home.changes import AnyChange, Context, Defined, Fired, State, StateChange, Updated, VariableSet
from hallway.home.recorded import Recorded, light
from hallway.home.values import Attributes, Value

NOW = 1_800_000_000.0
NAMES = ("a", "b", "c")
SENSORS = 100
ENTITIES = 50

values: st.SearchStrategy[Value] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 3),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from(["", "on", "off", "ü", "x" * 600]),
    st.text(max_size=5),
    st.just([1]),
)
names = st.sampled_from(NAMES)
attributes = st.dictionaries(names, values, max_size=3)
contexts = st.builds(
    Context,
    st.sampled_from(["pimatic", "rule:a", "rule:b"]),
    st.sampled_from([None, "ann"]),
    st.one_of(st.none(), st.integers(0, 50)),
    st.integers(0, 3),
    st.sampled_from([(), ("one", "two")]),
)


@st.composite
def states(draw: st.DrawFn) -> tuple[StateChange, ...]:
    found = []
    for entity_id in draw(st.lists(names, max_size=2, unique=True)):
        text = draw(st.sampled_from(["on", "off", "x" * 700]))
        shown = draw(st.one_of(st.none(), st.builds(State, *map(st.just, (entity_id, text)), attributes, *_TIMES)))
        found.append(StateChange(entity_id, None, shown, draw(st.sampled_from(["", "reported"]))))
    return tuple(found)


_BODIES: Sequence[tuple[Attributes | None, Attributes | None]] = (
    ({"name": "A"}, None),
    (None, {"name": "B", "class": "C"}),
    ({}, {}),
)
_TIMES = (st.just(NOW), st.just(NOW))


@st.composite
def changes(draw: st.DrawFn, seq: int, at: float) -> AnyChange:
    context = draw(contexts)
    match draw(st.sampled_from("urvfd")):
        case "u":
            new = draw(st.dictionaries(names, values, min_size=1, max_size=3))
            old = {name: draw(values) for name in new}
            return Updated(seq, at, context, draw(names), old, new, draw(states()))
        case "r":
            return Updated(seq, at, context, draw(names), {}, {}, draw(states()))
        case "v":
            return VariableSet(seq, at, context, draw(names), draw(values), draw(values), draw(states()))
        case "f":
            return Fired(seq, at, context, draw(names), draw(attributes), draw(st.booleans()))
        case _:
            before, after = draw(st.sampled_from(_BODIES))
            return Defined(seq, at, context, "device", draw(names), before, after, draw(states()))


def as_kept(change: AnyChange) -> Recorded:
    """As the change log gives it back: the states in it are of the time of the change."""
    kept = light(change)
    assert kept is not None
    if isinstance(kept, Fired):
        return kept
    moved = [
        StateChange(each.entity_id, None, _at(each.new, kept.at) if each.new else None, each.told_by)
        for each in kept.states
    ]
    fields: dict[str, Any] = {name: getattr(kept, name) for name in kept.__struct_fields__}
    return type(kept)(**{**fields, "states": tuple(moved)})


def _at(state: State, at: float) -> State:
    return State(state.entity_id, state.state, state.attributes, at, at)


def a_week(count: int, seconds: float, seed: int = 1) -> Iterator[Recorded]:
    """A house in which sensors tell their values and things move, spread over a time that ends now."""
    random = Random(seed)
    temperatures = [20.0] * SENSORS
    for seq in range(1, count + 1):
        at = NOW - seconds + seq * seconds / count
        kind = random.random()
        if kind < 0.5:
            number = random.randrange(SENSORS)
            old, temperatures[number] = (
                temperatures[number],
                round(temperatures[number] + random.choice((-0.2, -0.1, 0.1, 0.2)), 1),
            )
            yield told(seq, at, f"sensor{number}", {"temperature": old}, {"temperature": temperatures[number]})
        elif kind < 0.9:
            entity_id = f"binary_sensor.m{random.randrange(ENTITIES)}"
            battery = random.randrange(90, 100)
            shown: Attributes = {"friendly_name": entity_id, "device_class": "motion", "battery": battery}
            state = State(entity_id, random.choice(("on", "off")), shown, at, at)
            moved = (StateChange(entity_id, None, state, "reported"),)
            yield _light(Updated(seq, at, Context("homeassistant", "ann"), entity_id.replace(".", "_"), {}, {}, moved))
        else:
            context = Context("formula", None, seq - 1, 1)
            yield _light(
                VariableSet(seq, at, context, f"v{random.randrange(20)}", random.randrange(50), random.randrange(50))
            )


def told(seq: int, at: float, device_id: str, old: Mapping[str, Value], new: Mapping[str, Value]) -> Recorded:
    entities: Sequence[StateChange] = [StateChange(f"sensor.{device_id}", None, None)]
    return _light(Updated(seq, at, Context("mqtt"), device_id, old, new, tuple(entities)))


def _light(change: AnyChange) -> Recorded:
    kept = light(change)
    assert kept is not None
    return kept
