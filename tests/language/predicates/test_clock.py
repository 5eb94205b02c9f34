"""What the clock, the calendar and the sun say."""

import pytest

from hallway.language.conditions import AttributeIs, TimeIs
from hallway.language.times import Day, Moment, Period, SunTime, TimeOfDay, Written
from tests.home.homes import a_device
from tests.language.rule_house import RuleHouse, parts

EIGHT = Moment(time=TimeOfDay(8))


def period(house: RuleHouse, condition: str) -> Period:
    test = house.test(condition)
    assert isinstance(test, TimeIs)
    return test.period


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("its 8:00", Period("exact", EIGHT)),
        ("it is 8:00", Period("exact", EIGHT)),
        ("8:00", Period("exact", EIGHT)),
        ("its 8am", Period("exact", EIGHT)),
        ("its 8:00pm", Period("exact", Moment(time=TimeOfDay(20)))),
        ("its 12am", Period("exact", Moment(time=TimeOfDay(0)))),
        ("its noon", Period("exact", Moment(time=TimeOfDay(12)))),
        ("its 23:59:58", Period("exact", Moment(time=TimeOfDay(23, 59, 58)))),
        ("its friday 10pm", Period("exact", Moment(Day(weekday=4), TimeOfDay(22)))),
        ("its Friday at 22:00", Period("exact", Moment(Day(weekday=4), TimeOfDay(22)))),
        ("its 8:00 on sunday", Period("exact", Moment(Day(weekday=6), TimeOfDay(8)))),
        ("monday", Period("exact", Moment(Day(weekday=0)))),
        ("its 24.12.", Period("exact", Moment(Day(month=12, day=24)))),
        ("its 24.12.2030 8:00", Period("exact", Moment(Day(month=12, day=24, year=2030), TimeOfDay(8)))),
        ("its december 24", Period("exact", Moment(Day(month=12, day=24)))),
        ("its 1st Sep 2030", Period("exact", Moment(Day(month=9, day=1, year=2030)))),
        ("its 2030-12-24", Period("exact", Moment(Day(month=12, day=24, year=2030)))),
        ("its before 17:00", Period("before", Moment(time=TimeOfDay(17)))),
        ("after 8:00", Period("after", EIGHT)),
        ("its 8:00 - 10:00", Period("between", EIGHT, Moment(time=TimeOfDay(10)))),
        ("its 8:00 to 10:00", Period("between", EIGHT, Moment(time=TimeOfDay(10)))),
        ("its between 8:00 and 10:00", Period("between", EIGHT, Moment(time=TimeOfDay(10)))),
        ("its 8:00 to 10", Period("between", EIGHT, Moment(time=TimeOfDay(10)))),
        ("its 8am-10am", Period("between", EIGHT, Moment(time=TimeOfDay(10)))),
        ("its monday to friday", Period("between", Moment(Day(weekday=0)), Moment(Day(weekday=4)))),
    ],
)
def test_times_days_and_ranges(house: RuleHouse, condition: str, expected: Period) -> None:
    assert period(house, condition) == expected
    assert house.accepts(f"{condition} and lamp is on")


@pytest.mark.parametrize(("condition", "text"), [("its after $n", "$n"), ('its "8:00"', '"8:00"'), ("its $n", "$n")])
def test_a_time_may_stand_in_a_variable_or_text(house: RuleHouse, condition: str, text: str) -> None:
    when = period(house, condition).first
    assert isinstance(when, Written)
    assert when.text.text == text


@pytest.mark.parametrize(
    "condition",
    ["its 25:00", "its 8:60", "its 13pm", "its 31.2.", "its 8", "its weekend", "its", "its 8:00x", "$n", '"8:00"',
     "its between 8:00", "its 32 december"],
)  # fmt: skip
def test_what_is_no_time_is_refused(house: RuleHouse, condition: str) -> None:
    assert not house.accepts(condition)


@pytest.mark.parametrize(
    ("condition", "modifier", "event", "offset", "direction"),
    [
        ("its sunrise", "exact", "sunrise", None, 1),
        ("sunset", "exact", "sunset", None, 1),
        ("time is before sunset", "before", "sunset", None, 1),
        ("its after nauticalDawn", "after", "nauticalDawn", None, 1),
        ("its 30 minutes after sunrise", "exact", "sunrise", "30 minutes", 1),
        ("2h before sunrise", "exact", "sunrise", "2h", -1),
        ("its $n * 2 seconds before sunsetStart", "exact", "sunsetStart", "$n * 2 seconds", -1),
        ("its after 1 hour before sunset", "after", "sunset", "1 hour", -1),
    ],
)
def test_the_sun_is_a_clock_too(
    house: RuleHouse, condition: str, modifier: str, event: str, offset: str | None, direction: int
) -> None:
    found = period(house, condition)
    assert found.modifier == modifier
    assert isinstance(found.first, SunTime)
    assert (found.first.event, found.first.direction) == (event, direction)
    assert (found.first.offset and found.first.offset.text) == offset


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("its 8:00 o'clock", Period("exact", EIGHT)),
        ("its 8:00.", Period("exact", EIGHT)),
        ("its  8:00 ", Period("exact", EIGHT)),
        ("after 8:00 in the morning", Period("after", EIGHT)),
        ("8:00  - 10:00 every day", Period("between", EIGHT, Moment(time=TimeOfDay(10)))),
        ("its friday night", Period("exact", Moment(Day(weekday=4)))),
    ],
)
def test_other_words_behind_a_time_mean_nothing(house: RuleHouse, condition: str, expected: Period) -> None:
    (predicate, other) = house.predicates(f"{condition} and lamp is on")
    assert isinstance(predicate.test, TimeIs)
    assert (predicate.token, predicate.test.period) == (condition, expected)
    assert other.token == "lamp is on"


@pytest.mark.parametrize(
    "condition", ["its 8:00 exactly 9:00", "its friday evening 8:00", "its after 8:00 - 10:00", "its o'clock 8:00"]
)
def test_a_second_time_is_too_much(house: RuleHouse, condition: str) -> None:
    assert not house.accepts(condition)


def test_a_device_goes_before_words_that_mean_nothing() -> None:
    house = RuleHouse(a_device("DummySwitch", "sun", name="Monday Lamp"))
    assert isinstance(house.test("sun is on"), AttributeIs)
    assert isinstance(house.test("monday lamp is on"), AttributeIs)


def test_a_form_shows_a_range_as_one_time(house: RuleHouse) -> None:
    assert parts(house.info("its 8:00 - 10:00")["elements"]) == [("static", "its "), ("time", "8:00 - 10:00")]
    assert parts(house.info("its 8:00 sharp")["elements"]) == [("static", "its "), ("time", "8:00 sharp")]


def test_only_a_point_in_time_is_an_event(house: RuleHouse) -> None:
    events = ("its 8:00", "its friday 8:00", "its sunset", "its $n")
    states = ("its friday", "its after 8:00", "its 8:00 - 9:00", "its before sunset", "its 24.12.")
    assert [house.test(condition).is_event for condition in events] == [True] * 4
    assert [house.test(condition).is_event for condition in states] == [False] * 5


def test_the_sun_is_proposed_from_the_fourth_letter_on(house: RuleHouse) -> None:
    assert house.proposes("its suns") == {"sunset", "sunsetStart"}
    assert "sunset" not in house.proposes("its sun")
    assert house.proposes("its 8") == set()
    assert {"after ", "before ", '"', "$n"} <= house.proposes("its ")
