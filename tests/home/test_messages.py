"""What messages promise: the last of them stand in the home, newest last, and each is a change."""

from __future__ import annotations

from typing import cast

import pytest

from hallway.home.changes import AnyChange, Said
from hallway.home.messages import HIDDEN, KEPT_MESSAGES, MAX_TEXT, LastMessages, Level, Wanted
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


def test_what_is_known_to_be_secret_never_stands_in_a_message() -> None:
    messages = House().home.messages
    messages.hide(["swordfish", "on", "a.b*c(d)"])
    assert messages.say("info", "it is swordfish, on, a.b*c(d)", (), TEST).text == f"it is {HIDDEN}, on, {HIDDEN}"
    messages.hide([])
    assert messages.say("info", "a swordfish", (), TEST).text == "a swordfish"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("no answer from http://anna:pass@host:80/x", f"no answer from http://{HIDDEN}@host:80/x"),
        ("GET /api?api_password=geheim&x=1", f"GET /api?api_password={HIDDEN}&x=1"),
        ("Authorization: Bearer abcdefgh.123", f"Authorization: Bearer {HIDDEN}"),
        ("Authorization: Bearer  abcdefgh.123", f"Authorization: Bearer  {HIDDEN}"),
        ("authorization: basic\tYW5uYTpwYXNz, and so on", f"authorization: basic\t{HIDDEN}, and so on"),
        ("the basic tariff", "the basic tariff"),
        ("the password is not told", "the password is not told"),
        ("see http://host/a@b", "see http://host/a@b"),
    ],
)
def test_credentials_in_addresses_and_headers_are_hidden(text: str, shown: str) -> None:
    assert House().home.messages.say("info", text, (), TEST).text == shown


def test_the_beginning_of_a_secret_where_a_text_was_cut_is_hidden() -> None:
    messages = House().home.messages
    messages.hide(["swordfish-and-chips", "sword-swallower"])
    said = [messages.say("info", text, (), TEST).text for text in ("$x is sword-swall…, so", "a sword…", "swordfish…")]
    assert said == [f"$x is {HIDDEN}…, so", "a sword…", f"{HIDDEN}…"]


async def test_the_last_messages_can_be_asked_for_like_a_book() -> None:
    house = House()
    for number, level in enumerate(("info", "error", "info")):
        house.home.messages.say(cast("Level", level), str(number), ["all", f"tag{number}"], TEST)
        house.clock.advance(1)
    book = LastMessages(house.home.messages)
    informed = Wanted(levels=frozenset({"info"}))
    assert [message.text for message in await book.find(informed)] == ["2", "0"]
    assert [[message.text for message in page] async for page in book.pages(informed)] == [["0", "2"]]
    assert await book.tags(informed) == ["all", "tag2", "tag0"]
    assert await book.count(Wanted(tags=frozenset({"all"}), after=NOW + 1)) == 2
    assert await book.forget(Wanted(limit=1)) == 1
    assert [message.text for message in house.home.messages.all()] == ["0", "1"]
