"""A running hub, as the commands that ask it something see it: its address, who asks, and what it answers.

It must not know what is asked.
"""

from __future__ import annotations

import argparse
import getpass
import os
import sys
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, tzinfo
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import SplitResult, urlencode, urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from hallway.errors import HallwayError, InvalidInput, Unreachable

if TYPE_CHECKING:
    from http.client import HTTPResponse

URL: Final = "http://127.0.0.1:8123"
PASSWORD: Final = "HALLWAY_PASSWORD"  # noqa: S105 - where it is found, not what it is
PATIENCE: Final = 60.0
"""Seconds: a trial may take a while, and others may be tried before."""
MOST: Final = 64 * 1024 * 1024
PIECE: Final = 64 * 1024
_FINE: Final = 200
_UNAUTHORIZED: Final = 401
_FORBIDDEN: Final = 403
_WRONG: Final = (400, 404, 409)


def whom() -> argparse.ArgumentParser:
    """The options that say which hub is asked, and by whom."""
    options = argparse.ArgumentParser(add_help=False)
    options.add_argument("--url", default=URL, help=f"address of the hub; {URL} if it is not given")
    options.add_argument(
        "--user",
        metavar="NAME[:PASSWORD]",
        help=f"who asks; the password may also stand in {PASSWORD}, or is asked for",
    )
    return options


def login(user: str | None) -> str:
    """Name and password, or nothing."""
    if user is None or ":" in user:
        return user or ""
    password = os.environ.get(PASSWORD)
    if password is None:
        if not sys.stdin.isatty():
            raise InvalidInput(f"no password for {user}: put it into {PASSWORD}, or give --user {user}:PASSWORD")
        password = getpass.getpass(f"password of {user}: ")
    return f"{user}:{password}"


class Hub:
    """A running hub, by the address of its API."""

    def __init__(self, url: str, login: str) -> None:
        self._address = _address(url)
        self._url = url
        self._login = login
        self._zone: tzinfo | None = None

    def ask(self, method: str, path: str, named: str, **data: object) -> Any:
        """The result of an operation. InvalidInput: it cannot be asked so; Unreachable: the hub does not answer."""
        given = {name: value for name, value in data.items() if value is not None}
        query = f"?{urlencode(given)}" if given and method == "GET" else ""
        body = msgspec.json.encode(given) if given and method == "POST" else None
        status, answer = self._send(method, self._address.path.rstrip("/") + path + query, body)
        told = _envelope(answer)
        if told.get("success") is True and named in told:
            return told[named]
        raise self._refused(status, told)

    def moment(self, milliseconds: float) -> str:
        """A time as the clock of the home shows it, and how far that is from UTC."""
        if self._zone is None:
            try:
                self._zone = ZoneInfo(self.ask("GET", "/api/clock", "clock")["timeZone"])
            except (ZoneInfoNotFoundError, ValueError):  # this machine does not know it
                self._zone = UTC
        return datetime.fromtimestamp(milliseconds // 1000, UTC).astimezone(self._zone).isoformat(" ")

    def take(self, path: str, **data: object) -> Iterator[bytes]:
        """A file that the hub hands out, piece by piece. Unreachable: also when it ends before its time."""
        given = {name: value for name, value in data.items() if value is not None}
        target = self._address.path.rstrip("/") + path + (f"?{urlencode(given)}" if given else "")
        with self._answer("GET", target, None) as answer:
            if answer.status != _FINE:
                raise self._refused(answer.status, _envelope(answer.read(MOST)))
            while piece := answer.read(PIECE):
                yield piece

    def _send(self, method: str, target: str, body: bytes | None) -> tuple[int, bytes]:
        with self._answer(method, target, body) as answer:
            return answer.status, answer.read(MOST)

    @contextmanager
    def _answer(self, method: str, target: str, body: bytes | None) -> Iterator[HTTPResponse]:
        from http.client import HTTPConnection, HTTPException, HTTPSConnection  # noqa: PLC0415 - a hub does not ask

        headers = {"accept": "application/json"}
        if body is not None:
            headers["content-type"] = "application/json"
        if self._login:
            headers["authorization"] = "Basic " + b64encode(self._login.encode()).decode()
        kind = HTTPSConnection if self._address.scheme == "https" else HTTPConnection
        connection = kind(self._address.hostname or "", self._address.port, timeout=PATIENCE)
        try:
            connection.request(method, target, body, headers)
            yield connection.getresponse()
        except (OSError, HTTPException) as error:
            reason = str(error) or type(error).__name__
            raise Unreachable(f"no hub answers at {self._url} ({reason}); --url says where it runs") from None
        finally:
            connection.close()

    def _refused(self, status: int, told: dict[str, Any]) -> HallwayError:
        message = str(told.get("message") or "")
        if status == _UNAUTHORIZED:
            how = "its name or password is wrong" if self._login else "give --user NAME"
            return Unreachable(f"{self._url} wants to know who asks: {how}")
        if status == _FORBIDDEN:
            return Unreachable(
                f"{self._url} does not allow that: {message or 'the role of the user lacks a permission'}"
            )
        if status in _WRONG and message:
            return InvalidInput(message)
        return Unreachable(f"{self._url} answered {status}: {message or 'that is no hub of this version'}")


def _address(url: str) -> SplitResult:
    try:
        address = urlsplit(url)
        if address.scheme in ("http", "https") and address.hostname and address.port != 0:
            return address
    except ValueError:
        pass
    raise InvalidInput(f"{url!r} is no address of a hub: give one like {URL}")


def _envelope(answer: bytes) -> dict[str, Any]:
    try:
        told = msgspec.json.decode(answer)
    except msgspec.DecodeError:
        return {}
    return told if isinstance(told, dict) else {}
