"""Bracketed queries become objects and lists, within bounds."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hallway.api.pimatic.query import MAX_DEPTH, MAX_FIELDS, parse
from hallway.errors import InvalidInput
from hallway.home.values import Value


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        (b"a=1", {"a": "1"}),
        (b"a=1&b=2", {"a": "1", "b": "2"}),
        (b"a=1&a=2", {"a": ["1", "2"]}),
        (b"a=1&a=2&a=3", {"a": ["1", "2", "3"]}),
        (b"a[]=1", {"a": ["1"]}),
        (b"a[]=1&a[]=2", {"a": ["1", "2"]}),
        (b"a[1]=x&a[0]=y", {"a": ["y", "x"]}),
        (b"a[7]=x", {"a": ["x"]}),
        (b"a[100]=x", {"a": {"100": "x"}}),
        (b"a[\xc2\xb2]=x", {"a": {"²": "x"}}),
        (b"a[b]=1&a[c]=2", {"a": {"b": "1", "c": "2"}}),
        (b"a[b][c]=1", {"a": {"b": {"c": "1"}}}),
        (b"criteria[level][]=info&criteria[level][]=error&criteria[limit]=2",
         {"criteria": {"level": ["info", "error"], "limit": "2"}}),
        (b"a=1&a[]=2", {"a": ["1", "2"]}),
        (b"a=1&a=2&a[]=3", {"a": ["1", "2", "3"]}),
        (b"a[]=1&a=2", {"a": ["1", "2"]}),
        (b"a[]=1&a[b]=2", {"a": {"0": "1", "b": "2"}}),
        (b"a%5Bb%5D=1", {"a": {"b": "1"}}),
        (b"a=%C3%BC+%2B", {"a": "ü +"}),
        (b"a", {"a": ""}),
        (b"a=", {"a": ""}),
        (b"=1", {}),
        (b"&&a=1&", {"a": "1"}),
        (b"", {}),
        (b"a=b=c", {"a": "b=c"}),
        (b"[a]=1", {"[a]": "1"}),
        (b"a[b=1", {"a[b": "1"}),
        (b"a]b[=1", {"a]b[": "1"}),
        (b"a[b]c=1", {"a[b]c": "1"}),
        (b"__proto__[x]=1", {"__proto__": {"x": "1"}}),
        ("a=ü".encode(), {"a": "ü"}),
    ],
)  # fmt: skip
def test_a_query_is_read(text: bytes, fields: dict[str, Value]) -> None:
    assert parse(text) == fields


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (b"a=%zz", "after % stand two digits"),
        (b"a=100%", "% itself is %25"),
        (b"%=1", "after % stand two digits"),
        (b"a=%ff", "UTF-8"),
        (b"a=%ed%a0%80", "UTF-8"),
        (b"a=\xff", "UTF-8"),
        (b"&".join([b"a=1"] * (MAX_FIELDS + 1)), "1000 are allowed"),
        (b"a" + b"[b]" * MAX_DEPTH + b"=1", "nested too deeply"),
    ],
)
def test_what_cannot_be_read_is_told(text: bytes, says: str) -> None:
    with pytest.raises(InvalidInput, match=says):
        parse(text)


def test_as_many_fields_and_levels_as_are_allowed() -> None:
    assert len(parse(b"&".join(b"a%d=1" % number for number in range(MAX_FIELDS)))) == MAX_FIELDS
    assert parse(b"a" + b"[b]" * (MAX_DEPTH - 1) + b"=1")["a"] is not None


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(text: bytes) -> None:
    try:
        fields = parse(text)
    except InvalidInput:
        return
    assert all(isinstance(name, str) for name in fields)


@given(st.lists(st.text("ab[]0129=&", max_size=12), max_size=8))
def test_brackets_in_any_order_are_read_or_refused(fields: list[str]) -> None:
    with suppress(InvalidInput):
        parse("&".join(fields).encode())
