"""For how long values are kept: spans as they are written, and which entry counts."""

from __future__ import annotations

from typing import Any

import pytest

from hallway.errors import InvalidInput
from hallway.home.devices import Attribute
from hallway.home.logging_times import DEFAULT, checked, milliseconds_in, time_for
from hallway.home.values import Attributes

TEMPERATURE = Attribute(name="temperature", type="number", label="T", description="", discrete=False)
STATE = Attribute(name="state", type="boolean", label="S", description="")


@pytest.mark.parametrize(
    ("text", "milliseconds"),
    [
        ("0", 0),
        ("500ms", 500),
        ("5min", 300_000),
        ("5 minutes", 300_000),
        ("1.5h", 5_400_000),
        ("7d", 604_800_000),
        ("2w", 1_209_600_000),
        ("1Y", 31_536_000_000),
    ],
)
def test_spans(text: str, milliseconds: int) -> None:
    assert milliseconds_in(text, "expire") == milliseconds


@pytest.mark.parametrize("text", ["", "5", "soon", "-1d", "5 parsecs", 5, None, ["1d"]])
def test_what_is_no_span(text: Any) -> None:
    with pytest.raises(InvalidInput, match="expire"):
        milliseconds_in(text, "expire")


@pytest.mark.parametrize("text", ["1001y", "9" * 400 + "d", "366000d"])
def test_a_span_is_at_most_a_thousand_years(text: str) -> None:
    assert milliseconds_in("1000y", "expire") == 1000 * 365 * 86_400_000
    with pytest.raises(InvalidInput, match=r"expire is .* 1000 years"):
        milliseconds_in(text, "expire")


def test_the_last_entry_that_fits_counts_for_what_it_says() -> None:
    assert (time_for(DEFAULT, "it", STATE).expire, time_for(DEFAULT, "it", STATE).interval) == ("7d", "0")
    own: Attributes = {"deviceId": "it", "attributeName": "temperature", "expire": "2d"}
    found = time_for((*DEFAULT, own), "it", TEMPERATURE)
    assert (found.expire, found.interval, found.expire_ms) == ("2d", "5min", 172_800_000)
    assert time_for((*DEFAULT, own), "other", TEMPERATURE).expire == "1y"


@pytest.mark.parametrize(
    "entry",
    [
        "text",
        {"attributeName": "*", "expire": "1d"},
        {"deviceId": "*", "attributeName": "", "expire": "1d"},
        {"deviceId": "*", "attributeName": "*"},
        {"deviceId": "*", "attributeName": "*", "expire": "soon"},
        {"deviceId": "*", "attributeName": "*", "expire": "1d", "type": "huge"},
    ],
)
def test_an_entry_that_says_too_little_is_named(entry: Any) -> None:
    with pytest.raises(InvalidInput, match="entry 2"):
        checked([dict(DEFAULT[0]), entry])


def test_a_list_has_its_limits() -> None:
    with pytest.raises(InvalidInput, match="at most"):
        checked([dict(DEFAULT[0])] * 1001)
