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
        ("3rd in May", None),
        ("May 3rd, 2031", Moment(Day(month=5, day=3, year=2031))),
        ("24:00", None),
        ("0am", Moment(time=TimeOfDay(0))),
        ("13am", None),
        ("8.30", Moment(time=TimeOfDay(8, 30))),
        ("12:30:5", Moment(time=TimeOfDay(12, 30, 5))),
        ("8:00  pm", Moment(time=TimeOfDay(20))),
        ("at 8", Moment(time=TimeOfDay(8))),
        ("friday 8", Moment(Day(weekday=4), TimeOfDay(8))),
        ("friday 24", Moment(Day(weekday=4))),
        ("8:00 o'clock", Moment(time=TimeOfDay(8))),
        ("at o'clock 8:00", None),
        ("next friday at 8", Moment(Day(weekday=4), TimeOfDay(8))),
        ("8pm friday", Moment(Day(weekday=4), TimeOfDay(20))),
        ("8pm, friday", Moment(Day(weekday=4), TimeOfDay(20))),
        ("tues", Moment(Day(weekday=1))),
        ("thurs", Moment(Day(weekday=3))),
        ("Donnerstag", Moment(Day(weekday=3))),
        ("mi", Moment(Day(weekday=2))),
        ("sonnabend", Moment(Day(weekday=5))),
        ("mondays", None),
        ("24th of december", Moment(Day(month=12, day=24))),
        ("24. märz", Moment(Day(month=3, day=24))),
        ("24 Dezember 18:00", Moment(Day(month=12, day=24), TimeOfDay(18))),
        ("12/24", Moment(Day(month=12, day=24))),
        ("12/24/2031 18:00", Moment(Day(month=12, day=24, year=2031), TimeOfDay(18))),
        ("24/12", None),
        ("24.12.31", Moment(Day(month=12, day=24, year=2031))),
        ("30.2.", None),
        ("1.13.", None),
        ("", None),
        ("8", None),
        ("soon", None),
    ],
)
def test_a_text_is_a_moment_or_none(text: str, moment: Moment | None) -> None:
    assert read_moment(text) == moment
