"""Remarks in a config.json are not there for the reader; what looks like one within quotes is text."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hallway.errors import InvalidInput
from hallway.links.importers.json_comments import without_comments


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ('{"a": 1} // to the end', {"a": 1}),
        ('// before\n{"a": /* within */ 1}', {"a": 1}),
        ('{/* over\nlines */"a": 1}', {"a": 1}),
        ('{"a": "http://example.org"}', {"a": "http://example.org"}),
        ('{"a": "/* text */ // text"}', {"a": "/* text */ // text"}),
        (r'{"a": "\" // text"}', {"a": '" // text'}),
        (r'{"a": "\\"} // remark', {"a": "\\"}),
        ('{"a": 1 /**/ } /***/', {"a": 1}),
        ('{"a": 1} // "quoted', {"a": 1}),
        ('{"a": 1} /* " */', {"a": 1}),
    ],
)
def test_remarks_are_left_out(written: str, meant: object) -> None:
    assert json.loads(without_comments(written)) == meant


def test_lines_and_columns_stay_where_they_are() -> None:
    assert without_comments('{ // one\n /* two\n */ "a": 1}') == '{       \n       \n    "a": 1}'


@pytest.mark.parametrize(("text", "line"), [("{}\n/* never\nended", 2), ("/*/", 1), ("/*", 1)])
def test_a_remark_without_an_end_is_told_with_its_line(text: str, line: int) -> None:
    with pytest.raises(InvalidInput, match=f"line {line}"):
        without_comments(text)


values = st.recursive(
    st.none() | st.integers() | st.text(st.sampled_from('/*"\\\n a'), max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
)


@given(values)
def test_json_without_remarks_is_not_touched(value: object) -> None:
    text = json.dumps(value)
    assert without_comments(text) == text
