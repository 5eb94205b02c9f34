"""Logging in and out: POST /login opens a session, GET /logout ends it.

Neither ever asks a browser for a password by itself: the page that logs in has its own form. It must not know how a
request arrived.
"""

from __future__ import annotations

from typing import Final

from hallway.access.cookies import CLEARED
from hallway.access.entrance import Entrance
from hallway.api.answer import Headers
from hallway.api.pimatic.answers import JSON_LINE, Reply, page
from hallway.errors import InvalidInput
from hallway.home.values import Attributes, Value, encode

LOGIN, LOGOUT = "/login", "/logout"
_WRONG: Final = "The user name or the password is wrong."
_FALSE: Final = (None, False, 0, "", "false")


async def log_in(entrance: Entrance, data: Attributes, address: str) -> Reply:
    """A session for who knows the password. TooManyTries: too many wrong ones lately."""
    username, password = _text(data, "username"), _text(data, "password")
    caller = await entrance.people.check(username, password, address)
    if caller is None:
        return Reply(401, encode({"success": False, "message": _WRONG}), [], JSON_LINE)
    remember = _is_wanted(data.get("rememberMe"))
    body = encode({"success": True, "username": username, "role": caller.role, "rememberMe": remember})
    return Reply(200, body, _cookies(entrance.cookies.open(caller, remember=remember)), JSON_LINE)


async def log_out(entrance: Entrance, cookie: bytes) -> Reply:
    """End the session that the request came with, for good."""
    await entrance.cookies.close(cookie)
    return page(401, "You are logged out now.", _cookies(CLEARED))


def _text(data: Attributes, name: str) -> str:
    value = data.get(name)
    if not isinstance(value, str):
        raise InvalidInput(
            f'{name} is missing or is no text: send {{"username": "…", "password": "…"}} as JSON or form'
        )
    return value


def _is_wanted(value: Value) -> bool:
    return not any(value is one or value == one for one in _FALSE)


def _cookies(values: tuple[bytes, ...]) -> Headers:
    return [(b"set-cookie", value) for value in values]
