"""A block gives back exactly what was put into it, all of it or some, and is small."""

from __future__ import annotations

import contextlib
import zlib
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hallway.home.changes import AnyChange, Context, State, StateChange, Updated, VariableSet
from hallway.home.recorded import Recorded, keys_of
from hallway.home.values import Attributes, Value
from hallway.store.history.change_block import Broken, may_have, pack
from hallway.store.history.change_reading import unpack, unpack_one
from tests.store.history.happenings import NAMES, NOW, a_week, as_kept, changes

KEYS = [f"{kind}:{name}" for kind in ("device", "entity", "variable", "event", "moved") for name in NAMES]


SLOW = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@st.composite
def series(draw: st.DrawFn) -> list[Recorded]:
    found: list[AnyChange] = []
    seq, at = 0, NOW
    for _ in range(draw(st.integers(1, 15))):
        seq += draw(st.integers(1, 3))
        at += draw(st.sampled_from([0.0, 0.001, 12.345, -7.0]))
        found.append(draw(changes(seq, at)))
    return [as_kept(change) for change in found]


@SLOW
@given(kept=series())
def test_what_goes_in_comes_out(kept: list[Recorded]) -> None:
    prints, body = pack(kept)
    assert unpack(body) == kept
    for change in kept:
        assert unpack_one(body, change.seq) == [change]
        assert all(may_have(prints, [key]) for key in keys_of(change))
    assert unpack_one(body, kept[-1].seq + 1) == []


@SLOW
@given(kept=series(), keys=st.sets(st.sampled_from(KEYS)))
def test_some_of_it_can_be_had_alone(kept: list[Recorded], keys: set[str]) -> None:
    prints, body = pack(kept)
    wanted = [change for change in kept if not keys.isdisjoint(keys_of(change))]
    assert unpack(body, keys) == wanted
    assert may_have(prints, keys) or not wanted


CONTEXTS = (
    Context("door"),
    Context("door"),
    Context("door", "ann"),
    Context("rule:a", None, 1, 1),
    Context("door", None, 1),
)
BESIDE: tuple[Attributes, ...] = ({"unit": "W"}, {"unit": "W"}, {"unit": True}, {"unit": 1}, {"name": "x"}, {})
SOME: tuple[Value, ...] = (1, 2, 1.0, True, "1", None, [1], [True])


@st.composite
def again_and_again(draw: st.DrawFn) -> list[Recorded]:
    """The same few things, told nearly as before: what is the same object stays so, as it does in a home."""

    def one_of(*things: Any) -> Any:
        return draw(st.sampled_from(things))

    found: list[AnyChange] = []
    entity, device, context, beside, values = "s.a", "d", CONTEXTS[0], BESIDE[0], {"d": SOME[0], "e": SOME[0]}
    for seq in range(1, draw(st.integers(3, 25))):
        match draw(st.integers(0, 12)):
            case 0:
                context = one_of(*CONTEXTS)
            case 1:
                beside = one_of(*BESIDE)
            case 2:
                entity, device = one_of("s.a", "s.b"), one_of("d", "e")
        about, told_by = (seq, NOW + seq, context), one_of("reported", "reported", "reported", "link:x")
        old, values[device] = one_of(values[device], values[device], SOME[1]), one_of(*SOME)
        named = (StateChange(entity, None, None, told_by),) * one_of(1, 1, 1, 0, 2)
        match draw(st.integers(0, 7)):
            case 0:
                found.append(VariableSet(*about, device, old, values[device], named))
            case 1:
                found.append(Updated(*about, device, {"v": old}, {"v": values[device]}, named))
            case 2:
                found.append(Updated(*about, device, {"w": old}, {"w": values[device]}, named))
            case 3:
                found.append(Updated(*about, device, {"v": old, "w": 1}, {"v": values[device], "w": 1}, named))
            case 4:
                found.append(Updated(*about, device, {}, {}, named))
            case _:
                shown = State(entity, one_of("on", "off", "1"), beside, NOW + seq, NOW + seq)
                moved = (StateChange(entity, None, shown, told_by),) * one_of(1, 1, 1, 1, 2)
                found.append(Updated(*about, device, {}, {}, moved))
    return [as_kept(change) for change in found]


@SLOW
@given(kept=again_and_again())
def test_what_is_told_again_and_again_comes_out_as_it_was(kept: list[Recorded]) -> None:
    found = unpack(pack(kept)[1])
    assert found == kept
    assert repr(found) == repr(kept)  # also where 1 is True and 1.0


def test_it_is_small() -> None:
    kept = list(a_week(2000, 86_400))
    prints, body = pack(kept)
    assert (len(prints) + len(body)) / len(kept) < 20
    few = list(a_week(50, 60))
    prints, body = pack(few)
    assert (len(prints) + len(body)) / len(few) < 40


@SLOW
@given(series(), st.binary(max_size=30), st.integers(0, 200), st.integers(0, 255))
def test_what_is_no_block_is_told(kept: list[Recorded], noise: bytes, place: int, byte: int) -> None:
    _prints, body = pack(kept)
    torn = (b"", noise, b"\x01" + bytes(100), bytes(8) + b"[[],[],[]]x")
    for broken in (noise, body[:-5], *map(zlib.compress, torn)):
        with pytest.raises(Broken):
            unpack(broken)
    data = bytearray(zlib.decompress(body))
    data[place % len(data)] = byte
    with contextlib.suppress(Broken):  # what can be read is read: a sum beside the block says that it is another
        unpack(zlib.compress(bytes(data)))
