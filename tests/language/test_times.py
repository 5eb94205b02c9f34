"""Points in time as texts, for variables that hold one."""

import pytest

from hallway.language.times import Day, Moment, TimeOfDay, read_moment


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("8:00", Moment(time=TimeOfDay(8))),
        (" 08:05:09 ", Moment(time=TimeOfDay(8, 5, 9))),
        ("12pm", Moment(time=TimeOfDay(12))),
        ("12:30 am", Moment(time=TimeOfDay(0, 30))),
        ("midnight", Moment(time=TimeOfDay(0))),
        ("Sunday 7:00", Moment(Day(weekday=6), TimeOfDay(7))),
        ("29.2.", Moment(Day(month=2, day=29))),
        ("3rd of May", None),
        ("May 3rd, 2031", Moment(Day(month=5, day=3, year=2031))),
        ("24:00", None),
        ("0am", None),
        ("30.2.", None),
        ("1.13.", None),
        ("", None),
        ("8", None),
        ("soon", None),
    ],
)
def test_a_text_is_a_moment_or_none(text: str, moment: Moment | None) -> None:
    assert read_moment(text) == moment
