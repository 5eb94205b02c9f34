"""The entrance: what a request carries (Authorization, Cookie) → who that is.

A session that counts decides, then the password; with authentication off everybody is `nobody`. It must not know doors,
and not where the Home Assistant password is looked at.
"""

from __future__ import annotations

from base64 import b64decode
from binascii import Error as Base64Error

import msgspec

from hallway.access.callers import Caller
from hallway.access.cookies import Cookies, Session
from hallway.access.people import People

MOST_REMEMBERED = 1000
_BASIC = b"basic "


class Visit(msgspec.Struct, frozen=True, gc=False):
    """Who came, if it is known, and by which session."""

    caller: Caller | None = None
    session: Session | None = None


STRANGER = Visit()


class Entrance:
    """Tells who came. It remembers which passwords were right by digests of the headers that carried them."""

    def __init__(self, people: People, cookies: Cookies) -> None:
        self.people = people
        self.cookies = cookies
        self._nobody = Visit(people.nobody)
        self._right: dict[bytes, tuple[Caller, Visit]] = {}

    def known(self, authorization: bytes, cookie: bytes) -> Visit | None:
        """Who came, if it is clear at once. None: their password has to be checked."""
        if not self.people.enabled:
            return self._nobody
        if cookie:
            session = self.cookies.session(cookie)
            if session is not None:
                return Visit(self.people.caller(session.username), session)
        if not authorization:
            return STRANGER
        digest = self.people.digest(authorization)
        right = self._right.get(digest)
        if right is not None and self.people.caller(right[0].name) is right[0]:
            return right[1]
        return self._known_by_password(digest, authorization)

    def _known_by_password(self, digest: bytes, authorization: bytes) -> Visit | None:
        given = basic_in(authorization)
        if given is None or self.people.is_known_wrong(*given):
            return STRANGER
        caller = self.people.known(*given)
        if caller is None:
            return None
        return self._remember(digest, caller)

    def _remember(self, digest: bytes, caller: Caller) -> Visit:
        # a caller is made anew whenever the person or their role changes, and no longer found under the old one
        if len(self._right) >= MOST_REMEMBERED:
            self._right.clear()
        visit = Visit(caller)
        self._right[digest] = (caller, visit)
        return visit

    async def check(self, authorization: bytes, cookie: bytes, address: str) -> Visit:
        """Who came, after a look at the hash where one is needed. TooManyTries: too many wrong ones lately."""
        visit = self.known(authorization, cookie)
        if visit is not None:
            return visit
        given = basic_in(authorization)
        if given is None:
            return STRANGER
        return Visit(await self.people.check(*given, address))


def basic_in(authorization: bytes) -> tuple[str, str] | None:
    """User name and password of a Basic Authorization header; None when it is none, or not UTF-8."""
    if authorization[:6].lower() != _BASIC:
        return None
    try:
        username, colon, password = b64decode(authorization[6:].strip(), validate=True).decode().partition(":")
    except (Base64Error, ValueError):
        return None
    return (username, password) if colon else None
