"""What is secret in a configuration is shown as signs, and signs leave it as it is."""

from __future__ import annotations

from typing import Any

import pytest

from hallway.api.operations.pimatic.blanking import BLANK, blanked, unblanked
from hallway.home.values import Attributes

SECRET = (
    *(
        "password",
        "Password",
        "pass",
        "smtpPassword",
        "smtpPass",
        "pwd",
        "passphrase",
        "secret",
        "token",
        "accessToken",
    ),
    *("apiKey", "api_key", "apikey", "key", "keys", "hueKey", "pin", "PIN", "pinCode", "auth", "credentials", "psk"),
)
PLAIN = ("passive", "bypass", "compass", "keyboard", "pinned", "author", "authentication", "monkey", "host", "keyFile")


@pytest.mark.parametrize("name", SECRET)
@pytest.mark.parametrize("value", ["hush", 1234, 0.5])
def test_what_stands_under_such_names_is_secret(name: str, value: Any) -> None:
    assert blanked({"deep": [{name: value, "host": "here"}]}) == {"deep": [{name: BLANK, "host": "here"}]}


@pytest.mark.parametrize("name", PLAIN)
def test_names_that_only_look_like_it_hide_nothing(name: str) -> None:
    assert blanked({name: "said"}) == {name: "said"}


@pytest.mark.parametrize("value", ["", None, True])
def test_truths_and_what_is_empty_hide_nothing(value: Any) -> None:
    assert blanked({"password": value}) == {"password": value}


def test_everything_inside_a_secret_is_secret() -> None:
    old: Attributes = {"credentials": {"user": "me", "on": True, "more": ["a", 1]}, "tokens": ["t"]}
    shown = blanked(old)
    assert shown == {"credentials": {"user": BLANK, "on": True, "more": [BLANK, BLANK]}, "tokens": [BLANK]}
    assert unblanked(shown, old) == old


def test_who_logs_in_is_secret_in_an_address() -> None:
    old: Attributes = {"url": "mqtt://me:p@ss@here:1883/a, http://tok@there", "site": "http://here/a@b", "at": "a@b"}
    shown = blanked(old)
    assert shown == {**old, "url": f"mqtt://{BLANK}@here:1883/a, http://{BLANK}@there"}
    assert unblanked(shown, old) == old
    assert unblanked({"url": f"mqtt://{BLANK}@here/b"}, old) == {"url": "mqtt://me:p@ss@here/b"}
    assert unblanked({"url": f"mqtt://{BLANK}@here/b"}, {}) == {"url": f"mqtt://{BLANK}@here/b"}


def test_objects_of_a_list_are_found_by_their_names() -> None:
    old: Attributes = {"list": [{"id": "a", "token": "A"}, {"id": "b", "token": "B"}, {"id": "c", "token": "C"}]}
    sent: Attributes = {
        "list": [{"id": "c", "token": BLANK}, {"id": "new", "token": BLANK}, {"id": "a", "token": BLANK, "x": 1}]
    }
    assert unblanked(sent, old) == {
        "list": [{"id": "c", "token": "C"}, {"id": "new", "token": "B"}, {"id": "a", "token": "A", "x": 1}]
    }


def test_signs_that_come_back_leave_the_secret() -> None:
    old: Attributes = {"password": "hush", "list": [{"token": "t"}, {"token": "u"}], "inner": {"secret": "s"}}
    shown = blanked(old)
    assert unblanked(shown, old) == old
    assert unblanked({**shown, "password": "new"}, old) == {**old, "password": "new"}


def test_signs_where_there_was_no_secret_are_signs() -> None:
    assert unblanked({"password": BLANK, "name": BLANK}, {"name": "x"}) == {"password": BLANK, "name": BLANK}
