"""The fixed words of sentences, found as they stand or leniently."""

import pytest

from hallway.language.words import words

STATES = words(" is", " is turned", also=(" is switched",))


@pytest.mark.parametrize(
    ("text", "found"), [(" is on", " is"), (" is turned on", " is turned"), (" IS on", None), ("  is on", None)]
)
def test_the_longest_spelling_counts(text: str, found: str | None) -> None:
    taken = STATES.find(text, 0)
    assert (taken and taken[0]) == found


@pytest.mark.parametrize(
    ("spelling", "text", "end"),
    [
        (" is turned", " IS \t Turned", 12),
        (" > ", ">5", 1),
        (" > ", "  >  5", 5),
        ("trigger: ", "Trigger:x", 8),
        ("%", " %", 2),
        ("log ", "LOG  x", 5),
        (" and ", "and ", None),
        ("log ", 'log"x"', None),
    ],
)
def test_leniently_capitals_and_white_space_do_not_count(spelling: str, text: str, end: int | None) -> None:
    taken = words(spelling).find_leniently(text, 0)
    assert taken == (None if end is None else (spelling, end))


def test_a_form_offers_what_is_proposed_and_what_was_taken() -> None:
    assert STATES.options(" is") == [" is", " is turned"]
    assert STATES.options(" is switched") == [" is", " is turned", " is switched"]
