"""For how long messages are kept: the last entry of pimatic's `messageLogging` that fits."""

from __future__ import annotations

import math
from typing import Any

import pytest

from hallway.api.operations.pimatic.kept import PIMATIC, Kept
from hallway.api.operations.pimatic.message_times import lifetime, seconds_for
from tests.home.homes import TEST, House

ENTRIES: list[Any] = [
    {"level": "*", "tags": [], "expire": "7d"},
    {"level": "debug", "tags": [], "expire": "0"},
    {"level": "*", "tags": ["rule"], "expire": "1h"},
    {"level": "error", "tags": ["rule", "heating"], "expire": "1y"},
    {"level": "warn", "expire": "nonsense"},
]


@pytest.mark.parametrize(
    ("level", "tags", "seconds"),
    [
        ("info", (), 7 * 86_400),
        ("debug", ("x",), 0),
        ("debug", ("rule",), 3600),
        ("error", ("heating", "rule", "x"), 365 * 86_400),
        ("error", ("heating",), 7 * 86_400),
        ("warn", ("rule",), 3600),
    ],
)
def test_the_last_entry_that_fits_counts(level: str, tags: tuple[str, ...], seconds: float) -> None:
    assert seconds_for(ENTRIES, level, tags) == seconds


def test_what_no_entry_is_for_stays() -> None:
    assert seconds_for([{"level": "debug", "expire": "1d"}, "nonsense"], "info", ()) == math.inf


def test_settings_count_from_the_moment_they_are_set() -> None:
    house = House()
    kept = Kept(house.home)
    tell = lifetime(kept)
    assert (tell("info", ()), tell("debug", ())) == (7 * 86_400, 0)
    kept.put("setting", PIMATIC, {"database": {"messageLogging": [{"level": "*", "tags": [], "expire": "2h"}]}}, TEST)
    assert tell("debug", ()) == 7200
