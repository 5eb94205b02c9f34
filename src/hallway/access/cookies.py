"""Session cookies: signed, so that they outlive a restart; revocable, so that a logout or a new password ends them.

A cookie names its person and their stamp, and counts as long as the person has that stamp, it is young enough and
nobody logged out with it. It must not know where in a request it stood.
"""

from __future__ import annotations

import hmac
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from email.utils import formatdate
from typing import Final, Protocol

import msgspec

from hallway.access.callers import Caller
from hallway.access.people import People
from hallway.clock import Clock
from hallway.home.values import Attributes, Value, encode

NAME, SIGNATURE = b"pimatic.sess", b"pimatic.sess.sig"
ATTRIBUTES: Final = b"; path=/; httponly; samesite=strict"
LIFE, REMEMBERED_LIFE = 60 * 86400.0, 3650 * 86400.0
"""How long a session lives unused, and one that is to be remembered."""
RENEWED_AFTER = 86400.0
SHARED_FOR = 60.0
MOST_REVOKED, MOST_READ, MAX_READ = 1000, 1000, 1024
CLEARED: Final = tuple(
    name + b"=" + ATTRIBUTES.replace(b"path=/", b"path=/; expires=Thu, 01 Jan 1970 00:00:00 GMT")
    for name in (NAME, SIGNATURE)
)
"""Set-Cookie values that make a browser forget a session."""


class Keeper(Protocol):
    """Where the secret and the ended sessions are kept."""

    def kept(self, name: str) -> Mapping[str, Value]:
        """What was kept under that name, empty when nothing was."""
        ...

    async def keep(self, name: str, body: Attributes) -> None:
        """Keep it; done when it would survive a crash."""
        ...


class Session(msgspec.Struct, frozen=True):
    """What a cookie says; `at`: when it was signed, in milliseconds since 1970."""

    username: str
    id: str
    stamp: str
    at: int
    remember: bool = False


class Cookies:
    """Opens sessions, reads and ends them. Clients without a cookie jar share one session a minute and person."""

    def __init__(self, people: People, clock: Clock, keeper: Keeper) -> None:
        self._people = people
        self._clock = clock
        self._keeper = keeper
        secret = keeper.kept("session-secret").get("secret")
        self._is_new = not isinstance(secret, str) or not secret
        self._secret = secrets.token_bytes(32) if self._is_new else bytes.fromhex(str(secret))
        self._revoked, self._ended = _revocations(keeper.kept("sessions-ended"))
        self._read: dict[bytes, Session] = {}
        self._shared: dict[str, tuple[float, Session, tuple[bytes, bytes]]] = {}

    async def start(self) -> None:
        """Keep the secret, if it was made just now."""
        if self._is_new:
            await self._keeper.keep("session-secret", {"secret": self._secret.hex()})
            self._is_new = False

    # ------------------------------------------------------------------ opening

    def open(self, caller: Caller, *, remember: bool = False) -> tuple[bytes, bytes]:
        """Set-Cookie values of a new session of that caller."""
        return self._write(self._new(caller, remember=remember))

    def shared(self, caller: Caller) -> tuple[bytes, bytes]:
        """Set-Cookie values for a call with a password: the session of the last minute, if it still counts."""
        now = self._clock.monotonic()
        until, session, written = self._shared.get(caller.name, (0.0, None, None))
        if session is not None and written is not None and now < until and self._counts(session):
            return written
        session = self._new(caller)
        written = self._write(session)
        self._shared[caller.name] = (now + SHARED_FOR, session, written)
        return written

    def renewed(self, session: Session) -> tuple[bytes, bytes] | None:
        """Set-Cookie values for a session that is in use and grows old; none while it is young."""
        at = self._now()
        if session.remember or at - session.at < RENEWED_AFTER * 1000:
            return None
        return self._write(msgspec.structs.replace(session, at=at))

    def _new(self, caller: Caller, *, remember: bool = False) -> Session:
        stamp = self._people.stamp(caller.name)
        # a session of somebody without an account (authentication is off) says who it is, and never counts
        name = caller.name if stamp is not None else ""
        return Session(name, secrets.token_urlsafe(12), stamp or "", self._now(), remember)

    def _write(self, session: Session) -> tuple[bytes, bytes]:
        value = urlsafe_b64encode(encode(msgspec.to_builtins(session))).rstrip(b"=")
        expires = b""
        if session.remember:
            expires = b"; expires=" + formatdate(session.at / 1000 + REMEMBERED_LIFE, usegmt=True).encode()
        attributes = ATTRIBUTES.replace(b"; path=/", b"; path=/" + expires)
        return NAME + b"=" + value + attributes, SIGNATURE + b"=" + self._sign(value) + attributes

    def _sign(self, value: bytes) -> bytes:
        return urlsafe_b64encode(hmac.digest(self._secret, NAME + b"=" + value, "sha256")).rstrip(b"=")

    def _now(self) -> int:
        return int(self._clock.now() * 1000)

    # ------------------------------------------------------------------ reading

    def session(self, cookie: bytes) -> Session | None:
        """The session that a Cookie header carries, if it counts."""
        session = self._read.get(cookie)
        if session is None:
            session = self._signed_in(cookie)
            if session is None:
                return None
            if len(cookie) <= MAX_READ:
                if len(self._read) >= MOST_READ:
                    self._read.clear()
                self._read[cookie] = session
        return session if self._counts(session) else None

    def _signed_in(self, cookie: bytes) -> Session | None:
        """What the cookie says, if we signed it."""
        value, signature = values_in(cookie)
        if not value or not hmac.compare_digest(self._sign(value), signature):
            return None
        try:
            return msgspec.json.decode(urlsafe_b64decode(value + b"=" * (-len(value) % 4)), type=Session)
        except (msgspec.DecodeError, ValueError):
            return None

    def _counts(self, session: Session) -> bool:
        life = REMEMBERED_LIFE if session.remember else LIFE
        return (
            self._people.stamp(session.username) == session.stamp
            and session.id not in self._revoked
            and session.at > self._ended.get(session.username, 0)
            and self._now() - session.at < life * 1000
        )

    # ------------------------------------------------------------------ ending

    async def close(self, cookie: bytes) -> tuple[bytes, ...]:
        """End the session that a Cookie header carries, for good; Set-Cookie values that clear it."""
        session = self.session(cookie)
        if session is not None:
            self._revoke(session)
            await self._keep_revocations()
        return CLEARED

    def _revoke(self, session: Session) -> None:
        now = self._now()
        if len(self._revoked) >= MOST_REVOKED:
            self._revoked = {i: (name, until) for i, (name, until) in self._revoked.items() if until > now}
        if len(self._revoked) >= MOST_REVOKED:
            # rather too many ended than one too few: whoever logged out most often has to log in again
            names = [name for name, _until in self._revoked.values()]
            self._end_all(max(set(names), key=names.count))
        life = REMEMBERED_LIFE if session.remember else LIFE
        # a session that is in use is signed again each day, the present copy is the youngest
        self._revoked[session.id] = (session.username, now + int(life * 1000))

    def _end_all(self, username: str) -> None:
        self._ended[username] = self._now()
        self._ended = {name: at for name, at in self._ended.items() if self._people.user(name) is not None}
        self._revoked = {i: entry for i, entry in self._revoked.items() if entry[0] != username}

    async def _keep_revocations(self) -> None:
        revoked: Attributes = {i: [name, until] for i, (name, until) in self._revoked.items()}
        ended: Attributes = dict(self._ended)
        await self._keeper.keep("sessions-ended", {"ids": revoked, "before": ended})


def values_in(cookie: bytes) -> tuple[bytes, bytes]:
    """The session value and its signature in a Cookie header, each empty when it is not there."""
    value = signature = b""
    for part in cookie.split(b";"):
        name, _, given = part.strip().partition(b"=")
        if name == NAME:
            value = given
        elif name == SIGNATURE:
            signature = given
    return value, signature


def _revocations(kept: Mapping[str, Value]) -> tuple[dict[str, tuple[str, int]], dict[str, int]]:
    ids, before = kept.get("ids"), kept.get("before")
    revoked = msgspec.convert(ids or {}, dict[str, tuple[str, int]])
    return revoked, msgspec.convert(before or {}, dict[str, int])
