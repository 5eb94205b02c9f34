"""The words that compare, as forms and proposals show them."""

from tests.language.rule_house import RuleHouse


def test_the_plain_words_are_proposed_and_the_others_only_accepted(house: RuleHouse) -> None:
    assert house.proposes("temperature of outside") == {
        " equals ", " is ", " is not ", " = ", " < ", " <= ", " > ", " >= ",
        " is less than ", " is less or equal than ", " is greater than ", " is greater or equal than ",
        " was not updated for ",
    }  # fmt: skip
    assert house.accepts("temperature of outside is higher or equal than 5")


def test_a_form_also_shows_the_word_that_was_used(house: RuleHouse) -> None:
    (_, _, _, comparison, _) = house.info("mode of heating is equal to auto")["elements"]
    assert set(comparison["options"]) == {" equals ", " is equal to ", " is ", " = ", " is not "}
