"""What dates promise: the form of 2014, UTC, whole seconds."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hallway.home.dates import date_text


@pytest.mark.parametrize(
    ("at", "text"),
    [(0, "00:00:00 01-01-1970"), (1795288949, "19:22:29 21-11-2026"), (1795288949.999, "19:22:29 21-11-2026")],
)
def test_a_date_is_time_before_day_month_and_year(at: float, text: str) -> None:
    assert date_text(at) == text


@given(st.floats(0, 4e9))
def test_a_date_reads_back_as_its_second(at: float) -> None:
    assert datetime.strptime(date_text(at), "%H:%M:%S %d-%m-%Y").replace(tzinfo=UTC).timestamp() == int(at)
