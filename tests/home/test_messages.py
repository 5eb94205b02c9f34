"""What messages promise: the last of them stand in the home, newest last, and each is a change."""

from __future__ import annotations

from hallway.home.changes import AnyChange, Said
from hallway.home.messages import KEPT_MESSAGES, MAX_TEXT
from tests.home.homes import NOW, TEST, House


def test_a_message_is_a_change_and_stands_in_the_list() -> None:
    house = House()
    house.clock.advance(5)
    message = house.home.messages.say("warn", "it is ☃", ["rule", "r"], TEST)
    assert (message.at, message.level, message.text, message.tags) == (NOW + 5, "warn", "it is ☃", ("rule", "r"))
    assert house.changes == [Said(message.id, NOW + 5, TEST, message)]
    assert house.home.messages.all() == [message]


def test_the_newest_come_last_and_the_oldest_go() -> None:
    house = House()
    for number in range(KEPT_MESSAGES + 2):
        house.home.messages.say("info", str(number), (), TEST)
    texts = [message.text for message in house.home.messages.all()]
    assert (len(texts), texts[0], texts[-1]) == (KEPT_MESSAGES, "2", str(KEPT_MESSAGES + 1))


def test_a_text_that_is_too_long_is_cut() -> None:
    text = House().home.messages.say("info", "x" * (MAX_TEXT + 1), (), TEST).text
    assert (len(text), text[-2:]) == (MAX_TEXT, "x…")


def test_one_level_can_be_watched() -> None:
    house, seen = House(), list[AnyChange]()
    house.home.changes.watch("message:error", seen.append)
    house.home.messages.say("info", "fine", (), TEST)
    house.home.messages.say("error", "bad", (), TEST)
    assert [change.message.text for change in seen if isinstance(change, Said)] == ["bad"]
