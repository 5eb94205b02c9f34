"""What is secret in a configuration is shown as signs, and signs leave it as it is."""

from __future__ import annotations

from typing import Any

import pytest

from hallway.api.operations.pimatic.blanking import BLANK, blanked, unblanked
from hallway.home.values import Attributes


@pytest.mark.parametrize(
    "name", ["password", "Password", "pass", "smtpPassword", "secret", "token", "accessToken", "apiKey", "api_key"]
)
def test_texts_under_such_names_are_secret(name: str) -> None:
    assert blanked({"deep": [{name: "hush", "host": "here"}]}) == {"deep": [{name: BLANK, "host": "here"}]}


@pytest.mark.parametrize("value", ["", None, 5, True])
def test_what_is_no_text_or_empty_hides_nothing(value: Any) -> None:
    assert blanked({"password": value}) == {"password": value}


def test_signs_that_come_back_leave_the_secret() -> None:
    old: Attributes = {"password": "hush", "list": [{"token": "t"}, {"token": "u"}], "inner": {"secret": "s"}}
    shown = blanked(old)
    assert isinstance(shown, dict)
    assert unblanked(shown, old) == old
    assert unblanked({**shown, "password": "new"}, old) == {**old, "password": "new"}


def test_signs_where_there_was_no_secret_are_signs() -> None:
    assert unblanked({"password": BLANK, "name": BLANK}, {"name": "x"}) == {"password": BLANK, "name": BLANK}
