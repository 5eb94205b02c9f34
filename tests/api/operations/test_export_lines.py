"""Lines of an exported file: what any reader of CSV or JSON gets back, and that no spreadsheet runs any of it."""

from __future__ import annotations

import csv
import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hallway.api.operations.export_lines import Csv, JsonLines, field
from hallway.home.messages import Message
from hallway.home.past import Columns, Series

LAMP, COUNTER = Series("attribute", "lamp", "state"), Series("variable", "counter")
LIGHT = Series("entity", "light.lamp")


def test_csv_names_its_columns_and_tells_times_in_iso() -> None:
    told = Csv().head(("time", "kind")) + Csv().samples(Columns(LAMP, [0.0, 1.5], [True, None]))
    assert told == (
        b"time,kind\r\n1970-01-01T00:00:00.000Z,attribute,lamp.state,true,\r\n"
        b"1970-01-01T00:00:01.500Z,attribute,lamp.state,,\r\n"
    )


def test_attributes_of_an_entity_are_one_field() -> None:
    told = Csv().samples(Columns(LIGHT, [1.0], ["on"], [{"attributes": {"brightness": 5, "name": "ü"}}]))
    assert told.decode() == '1970-01-01T00:00:01.000Z,entity,light.lamp,on,"{""brightness"":5,""name"":""ü""}"\r\n'


def test_json_lines_hold_values_as_they_were() -> None:
    columns = Columns(LIGHT, [1.0], ["=1+1"], [{"attributes": {"a": [1]}, "last_changed": 0.5}])
    told = JsonLines().samples(columns) + JsonLines().samples(Columns(COUNTER, [2.25], [5.5]))
    assert [json.loads(line) for line in told.splitlines()] == [
        {"time": 1000, "kind": "entity", "series": "light.lamp", "value": "=1+1", "attributes": {"a": [1]}},
        {"time": 2250, "kind": "variable", "series": "$counter", "value": 5.5},
    ]


def test_messages_have_a_line_each() -> None:
    message = Message(1, 1.0, "warn", 'he said "no",\nthen left', ("rule", "door"))
    assert Csv().messages([message]).decode() == (
        '1970-01-01T00:00:01.000Z,warn,"rule,door","he said ""no"",\nthen left"\r\n'
    )
    told = {"time": 1000, "level": "warn", "tags": ["rule", "door"], "text": message.text}
    assert json.loads(JsonLines().messages([message])) == told


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("=1+1", "'=1+1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("+cmd|' /C calc'!A0", "'+cmd|' /C calc'!A0"),
        ("\t=1", "'\t=1"),
        ("-12.5", "-12.5"),
        ("+4e3", "+4e3"),
        (-12.5, "-12.5"),
        ("-", "'-"),
        (" x", '" x"'),
        ([1, "a"], '"[1,""a""]"'),
        (1e300, "1e+300"),
    ],
)
def test_a_text_is_never_a_formula_and_a_number_stays_one(value: object, written: str) -> None:
    assert field(value) == written  # type: ignore[arg-type]


@given(st.lists(st.text(st.characters(codec="utf-8"), max_size=8), min_size=1, max_size=4))
def test_any_reader_of_csv_gets_the_texts_back_and_none_is_a_formula(texts: list[str]) -> None:
    line = ",".join(map(field, texts)) + "\r\n"
    (row,) = csv.reader(io.StringIO(line, newline=""), strict=True) if line != "\r\n" else ([""],)
    for text, read in zip(texts, row, strict=True):
        assert read in (text, f"'{text}")
        assert read[:1] not in ("=", "@", "\t", "\r")
