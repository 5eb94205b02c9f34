"""What the codec promises: a column comes back exactly as it was, and a damaged body is never taken for a whole one."""

from __future__ import annotations

import math
import random
import struct
from array import array
from itertools import accumulate
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hallway.store.history.codec import DamagedBody, head, pack, unpack, unpack_between

INT64 = st.integers(-(1 << 63), (1 << 63) - 1)
NUMBERS = st.integers(-1000, 1000)
DECIMALS = st.builds(lambda number, places: number / 10**places, st.integers(-(10**7), 10**7), st.integers(0, 6))
FLOATS = st.floats(allow_nan=False)
TEXTS = st.text(max_size=8)
SCALARS = st.none() | st.booleans() | st.integers() | FLOATS | TEXTS
ANYTHING = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3), max_leaves=6
)
KINDS = (
    NUMBERS, INT64, st.integers(), DECIMALS, FLOATS, st.booleans(), TEXTS, NUMBERS | DECIMALS, DECIMALS | st.none(),
    st.integers() | FLOATS, NUMBERS | st.sampled_from(["unavailable", None, True]), SCALARS, ANYTHING,
    st.binary(max_size=9) | st.none(), st.sampled_from(["on", "off"]), st.sampled_from([0.0, -0.0, 1.5]),
)  # fmt: skip
COLUMNS = st.one_of([st.lists(kind, min_size=1, max_size=40) for kind in KINDS])


def exactly(value: Any) -> Any:
    """Equal only for what is the same to the last bit: 1 is not true, nor 1.0, and 0.0 is not -0.0."""
    if isinstance(value, float):
        return "float", struct.pack("d", value)
    if isinstance(value, list):
        return [exactly(one) for one in value]
    if isinstance(value, dict):
        return [(key, exactly(one)) for key, one in value.items()]
    return type(value), value


def times_for(column: list[Any]) -> list[int]:
    return list(accumulate(range(len(column) - 1), initial=1_760_000_000_000))


@given(COLUMNS)
def test_a_column_comes_back_as_it_was(column: list[Any]) -> None:
    times = times_for(column)
    assert exactly(unpack(pack(5, 0, [times, column]))) == exactly([times, column])


@given(st.lists(INT64, min_size=1, max_size=30).map(sorted), st.data())
def test_times_may_lie_as_far_apart_as_they_like(times: list[int], data: st.DataObject) -> None:
    values = data.draw(st.lists(DECIMALS, min_size=len(times), max_size=len(times)))
    assert unpack(pack(5, 0, [times, values])) == [times, values]


STEPS = st.integers(0, 5) | st.sampled_from([100, 60_000, 1 << 40])
EDGES = st.none() | st.integers(-3, 3)


@given(COLUMNS, st.data())
def test_a_part_of_the_time_is_what_all_of_it_has_there(column: list[Any], data: st.DataObject) -> None:
    times = list(accumulate((data.draw(STEPS) for _ in column[1:]), initial=data.draw(INT64)))
    body = pack(5, 0, [times, column])
    places = st.integers(0, len(times) - 1)
    after, before = (
        None if edge is None else times[data.draw(places)] + edge for edge in (data.draw(EDGES), data.draw(EDGES))
    )
    wanted = [
        place for place, at in enumerate(times) if (after is None or at >= after) and (before is None or at <= before)
    ]
    expected = [[times[place] for place in wanted], [column[place] for place in wanted]]
    assert exactly(unpack_between(body, after, before)) == exactly(expected)


@pytest.mark.parametrize("step", [1, 1000, 1 << 33])
def test_each_place_is_found_in_a_long_column(step: int) -> None:
    times = [1_760_000_000_000 + step * (place // 3) for place in range(300)]
    body = pack(5, 0, [times, list(range(300))])
    for place in range(0, 300, 3):
        assert unpack_between(body, times[place], times[place])[1] == [place, place + 1, place + 2]
        assert unpack_between(body, times[place] + 1, None)[1] == list(range(place + 3, 300))
        assert unpack_between(body, None, times[place] - 1)[1] == list(range(place))


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_float_that_is_no_number_comes_back(value: float) -> None:
    for column in ([value], [1.5, value], [1, value], ["text", value]):
        _, values = unpack(pack(5, 0, [times_for(column), column]))
        assert repr(values) == repr(column)


def test_half_a_surrogate_and_other_scripts_come_back() -> None:
    texts = ["\ud800", "Küche", "温度", ""]
    assert unpack(pack(5, 0, [times_for(texts), texts]))[1] == texts


def test_the_head_says_whose_it_is_and_from_when_to_when() -> None:
    body = head(pack(77, 12, [[1000, 2000, 2000], [1, 2, 3]]))
    assert (body.strand, body.settled, body.count, body.first, body.last) == (77, 12, 3, 1000, 2000)


@given(st.data())
def test_a_body_that_was_changed_is_noticed(data: st.DataObject) -> None:
    body = bytearray(pack(5, 0, [[1000, 2000, 3000], [20.5, 21.0, 21.5]]))
    place = data.draw(st.integers(0, len(body) - 1))
    body[place] ^= data.draw(st.integers(1, 255))
    with pytest.raises(DamagedBody):
        unpack(bytes(body))


@given(st.binary(max_size=60))
def test_no_bytes_are_taken_for_a_body(data: bytes) -> None:
    with pytest.raises(DamagedBody):
        unpack(data)


def a_sensor(rows: int) -> list[list[Any]]:
    """A minute apart, more or less, and a tenth up or down."""
    dice = random.Random(1)
    times = list(accumulate((60_000 + dice.randint(-20, 40) for _ in range(rows - 1)), initial=1_760_000_000_000))
    tenths = accumulate((dice.choice((-1, 0, 0, 1)) for _ in range(rows - 1)), initial=215)
    return [times, [number / 10 for number in tenths]]


@pytest.mark.parametrize(("rows", "most"), [(20, 6), (50, 4), (1024, 2)])
def test_a_row_of_a_sensor_takes_a_few_bytes(rows: int, most: int) -> None:
    assert len(pack(5, 0, a_sensor(rows))) <= most * rows


def test_floats_that_fill_all_their_bits_take_no_more_than_they_must() -> None:
    dice = random.Random(1)
    values = [dice.random() for _ in range(1024)]
    assert unpack(body := pack(5, 0, [times_for(values), values]))[1] == values
    assert len(body) < 1024 * 10


def test_values_of_a_float_of_four_bytes_take_five() -> None:
    dice = random.Random(1)
    values = array("f", (dice.uniform(20, 25) for _ in range(1024))).tolist()
    assert len(pack(5, 0, [list(range(1024)), values])) < 1024 * 5
