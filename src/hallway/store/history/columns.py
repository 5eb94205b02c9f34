"""A column of values as bytes and back, exactly: -0.0, true beside 1, numbers of any size, half surrogates.

Numbers become differences in as few bytes as they fit in, their bytes put in order of weight, so that deflate finds
what repeats. All that is done for each value is done in C. It must not know what the values mean.
"""

from __future__ import annotations

import json
import sys
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Sequence
from itertools import accumulate, repeat
from math import gcd
from operator import sub, truediv
from typing import Any, Final, cast

Form = list[Any]
"""How the bytes are to be read: the number of the form, how many bytes there are, and what the form needs besides."""

_INTS, _SCALED, _DOUBLES, _BOOLS, _TEXTS, _JSONS, _MIXED, _HOLES, _BYTES = range(9)
_DECIMALS: Final = 6
"""A float of at most so many decimals is kept as a whole number."""
_PROBED: Final = 16
_BITS: Final = ((8, "b"), (16, "h"), (32, "i"), (64, "q"))
_LEAST: Final = -(1 << 63)
_NUMBERS: Final = frozenset({int, float})
_NONE_AT_ALL: Final = ""
_NO_BYTES: Final = -1
_SWAPPED: Final = sys.byteorder == "big"


def encode(values: Sequence[Any]) -> tuple[Form, bytes]:
    """A form and its bytes; there must be one value at least."""
    kinds = frozenset(map(type, values))
    encoder = _ENCODERS.get(kinds)
    if encoder is None and bytes in kinds:
        encoder = _encode_bytes
    elif encoder is None and kinds & _NUMBERS:
        encoder = _encode_holes
    return (encoder and encoder(values)) or _encode_jsons(values)


def decode(form: Form, data: memoryview, count: int) -> list[Any]:
    """The values, as many as there were."""
    return _DECODERS[form[0]](form, data, count)


def decode_part(form: Form, data: memoryview, count: int, places: tuple[int, int]) -> list[Any]:
    """Those from one place to before another; there is one at least."""
    begin, end = places
    if form[0] == _INTS and form[4] != _NONE_AT_ALL:
        return list(_sums(form, data, begin, end))
    if form[0] == _SCALED and form[4] != _NONE_AT_ALL:
        return list(map(truediv, _sums(form, data, begin, end), repeat(10.0 ** form[5])))
    return decode(form, data, count)[begin:end]


def places_between(form: Form, data: memoryview, count: int, after: int, before: int) -> tuple[int, int]:
    """Where what lies between two whole numbers, both included, begins and ends in a column that never falls."""
    if form[0] != _INTS or form[4] == _NONE_AT_ALL:
        values = decode(form, data, count)
        return bisect_left(values, after), bisect_right(values, before)
    _, length, first, step, code, *_ = form
    deltas = _in_order(code, data[:length])
    return _place(deltas, first, step, after), _place(deltas, first, step, before + 1)


def _place(deltas: array[int], first: int, step: int, least: int) -> int:
    """How many numbers are less, found by sums of halves: that takes half as long as having all the numbers."""
    if first >= least:
        return 0
    place, number, end = 0, first, len(deltas) + 1
    while end - place > 1:
        middle = (place + end) // 2
        there = number + step * sum(deltas[place:middle])
        if there < least:
            place, number = middle, there
        else:
            end = middle
    return end


# ---------------------------------------------------------------------- numbers


def _encode_ints(values: Sequence[int]) -> tuple[Form, bytes] | None:
    """None: they are too far apart."""
    deltas = list(map(sub, values[1:], values))
    step = gcd(*deltas)
    if not (_LEAST <= values[0] < -_LEAST and step < -_LEAST):
        return None
    if step == 0:
        return [_INTS, 0, values[0], 0, _NONE_AT_ALL], b""
    if step > 1:
        deltas = [delta // step for delta in deltas]
    bits = max(max(deltas).bit_length(), (-1 - min(deltas)).bit_length()) + 1
    code = next((code for most, code in _BITS if bits <= most), None)
    if code is None:
        return None
    data = _by_weight(array(code, deltas))
    return [_INTS, len(data), values[0], step, code], data


def _sums(form: Form, data: memoryview, begin: int = 0, end: int | None = None) -> Iterable[int]:
    _, length, first, step, code, *_ = form
    deltas = _in_order(code, data[:length])
    if begin or end is not None:
        first += step * sum(deltas[:begin])
        deltas = deltas[begin : None if end is None else end - 1]
    return accumulate(deltas if step == 1 else map(cast("int", step).__mul__, deltas), initial=first)


def _decode_ints(form: Form, data: memoryview, count: int) -> list[Any]:
    return [form[2]] * count if form[4] == _NONE_AT_ALL else list(_sums(form, data))


def _encode_floats(values: Sequence[float]) -> tuple[Form, bytes]:
    exact = array("d", values)
    decimals = _decimals(values[:_PROBED], 0)
    while decimals <= _DECIMALS:
        scale = 10.0**decimals
        try:
            whole = [round(value * scale) for value in values]
        except (ValueError, OverflowError):
            break
        again = array("d", map(truediv, whole, repeat(scale)))
        if again.tobytes() == exact.tobytes():
            encoded = _encode_ints(whole)
            if encoded is None:
                break
            form, data = encoded
            return [_SCALED, *form[1:], decimals], data
        other = next((place for place, (one, two) in enumerate(zip(again, exact, strict=True)) if one != two), None)
        if other is None:
            break  # -0.0 is among them
        decimals = _decimals(values[other : other + _PROBED], decimals + 1)
    return [_DOUBLES, len(exact) * exact.itemsize], _by_weight(exact)


def _decimals(values: Sequence[float], decimals: int) -> int:
    """How many some values have, from so many on; more than may be if it is none of those."""
    scale = 10.0**decimals
    for value in values:
        try:
            while round(value * scale) / scale != value:
                decimals += 1
                if decimals > _DECIMALS:
                    return decimals
                scale = 10.0**decimals
        except (ValueError, OverflowError):
            return _DECIMALS + 1
    return decimals


def _decode_scaled(form: Form, data: memoryview, count: int) -> list[Any]:
    scale = 10.0 ** form[5]
    if form[4] == _NONE_AT_ALL:
        return [form[2] / scale] * count
    return list(map(truediv, _sums(form, data), repeat(scale)))


def _decode_doubles(form: Form, data: memoryview, _count: int) -> list[Any]:
    return _in_order("d", data[: form[1]]).tolist()


def _encode_bools(values: Sequence[bool]) -> tuple[Form, bytes]:
    return [_BOOLS, len(values)], bytes(values)


def _decode_bools(form: Form, data: memoryview, _count: int) -> list[Any]:
    return list(map(bool, data[: form[1]]))


def _encode_mixed(values: Sequence[int | float]) -> tuple[Form, bytes] | None:
    """Whole and other numbers together; None: a whole one is too large for a float."""
    whole = bytes([value.__class__ is int for value in values])
    try:
        floats = list(map(float, values))
    except OverflowError:
        return None
    if any(flag and number != value for flag, number, value in zip(whole, floats, values, strict=True)):
        return None
    inner, data = _encode_floats(floats)
    return [_MIXED, len(whole) + len(data), inner], whole + data


def _decode_mixed(form: Form, data: memoryview, count: int) -> list[Any]:
    floats = decode(form[2], data[count : form[1]], count)
    return [int(number) if flag else number for flag, number in zip(data[:count], floats, strict=True)]


def _encode_holes(values: Sequence[Any]) -> tuple[Form, bytes] | None:
    """Numbers with something else here and there; None: it is mostly something else."""
    is_number = [value.__class__ is float or value.__class__ is int for value in values]
    holes = [position for position, number in enumerate(is_number) if not number]
    if len(holes) * 2 > len(values):
        return None
    filled = list(values)
    held = next(value for value, number in zip(values, is_number, strict=True) if number)
    for position, number in enumerate(is_number):
        if number:
            held = values[position]
        else:
            filled[position] = held
    inner, data = encode(filled)
    others = _json([holes, [values[position] for position in holes]])
    return [_HOLES, len(data) + len(others), inner], data + others


def _decode_holes(form: Form, data: memoryview, count: int) -> list[Any]:
    inner = form[2]
    values = decode(inner, data, count)
    for position, value in zip(*_from_json(data[inner[1] : form[1]]), strict=True):
        values[position] = value
    return values


# ---------------------------------------------------------------------- what repeats


def _encode_table(number: int, values: Sequence[Any], keys: Sequence[Any]) -> tuple[Form, bytes]:
    """Each different value once, and which one it is each time."""
    distinct = dict(zip(keys, values, strict=True))
    code, index = _index(keys, distinct)
    data = index + _json(list(distinct.values()))
    return [number, len(data), code], data


def _encode_texts(values: Sequence[str]) -> tuple[Form, bytes]:
    return _encode_table(_TEXTS, values, values)


def _encode_jsons(values: Sequence[Any]) -> tuple[Form, bytes]:
    return _encode_table(_JSONS, values, list(map(_json, values)))


def _decode_table(form: Form, data: memoryview, count: int) -> list[Any]:
    _, length, code = form
    width = array(code).itemsize * count
    distinct = _from_json(data[width:length])
    return list(map(distinct.__getitem__, _in_order(code, data[:width])))


def _encode_bytes(values: Sequence[bytes | None]) -> tuple[Form, bytes]:
    distinct = dict.fromkeys(values)
    code, index = _index(values, distinct)
    sizes = [_NO_BYTES if value is None else len(value) for value in distinct]
    data = index + b"".join(value for value in distinct if value is not None)
    return [_BYTES, len(data), code, sizes], data


def _decode_bytes(form: Form, data: memoryview, count: int) -> list[Any]:
    _, _, code, sizes = form
    place = width = array(code).itemsize * count
    distinct: list[bytes | None] = []
    for size in sizes:
        distinct.append(None if size == _NO_BYTES else bytes(data[place : place + size]))
        place += max(size, 0)
    return list(map(distinct.__getitem__, _in_order(code, data[:width])))


def _index(keys: Sequence[Any], distinct: dict[Any, Any]) -> tuple[str, bytes]:
    number = {key: position for position, key in enumerate(distinct)}
    code = "B" if len(number) <= 1 << 8 else "I"
    return code, _by_weight(array(code, map(number.__getitem__, keys)))


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")


def _from_json(data: memoryview) -> Any:
    return json.loads(str(data, "utf-8", "surrogatepass"))


# ---------------------------------------------------------------------- bytes


def _by_weight(numbers: array[Any]) -> bytes:
    """First the lowest byte of each, then the next of each, and so on."""
    if _SWAPPED:
        numbers.byteswap()
    data, width = numbers.tobytes(), numbers.itemsize
    return data if width == 1 else b"".join(data[place::width] for place in range(width))


def _in_order(code: str, data: memoryview) -> array[Any]:
    numbers = array(code)
    width = numbers.itemsize
    if width == 1:
        numbers.frombytes(data)
        return numbers
    mixed, each = bytearray(len(data)), len(data) // width
    for place in range(width):
        mixed[place::width] = data[place * each : (place + 1) * each]
    numbers.frombytes(mixed)
    if _SWAPPED:
        numbers.byteswap()
    return numbers


_ENCODERS: Final[dict[frozenset[type], Callable[[Sequence[Any]], tuple[Form, bytes] | None]]] = {
    frozenset({float}): _encode_floats,
    frozenset({int}): _encode_ints,
    frozenset({bool}): _encode_bools,
    frozenset({str}): _encode_texts,
    _NUMBERS: _encode_mixed,
}
_DECODERS: Final[dict[int, Callable[[Form, memoryview, int], list[Any]]]] = {
    _INTS: _decode_ints,
    _SCALED: _decode_scaled,
    _DOUBLES: _decode_doubles,
    _BOOLS: _decode_bools,
    _TEXTS: _decode_table,
    _JSONS: _decode_table,
    _MIXED: _decode_mixed,
    _HOLES: _decode_holes,
    _BYTES: _decode_bytes,
}
