"""The people of the home: who they are, what their role lets them do, and whether a password is theirs.

A password is checked against its hash once, then known by a keyed digest; whoever changes is a stranger again. It must
not know how a password was sent, nor where people are kept.
"""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from collections.abc import Mapping
from typing import Final

import msgspec

from hallway.access.callers import EVERYTHING, Caller
from hallway.access.passwords import hash_password, is_password
from hallway.access.remembered import Digests, Wrong
from hallway.access.roles import BUILT_IN, NO_ROLE, Role
from hallway.access.throttle import Throttle, too_many
from hallway.clock import Clock
from hallway.home.changes import Context
from hallway.home.values import Attributes, Value

ORIGIN: Final = "pimatic"
NOBODY: Final = "nobody"
MOST_WAITING = 32
_STRANGER: Final = "$argon2id$v=19$m=19456,t=2,p=1$c3RyYW5nZXJzc3RyYW5nZQ$nNFCKtpYbfpkBmCXX8ZFQzm7JpYF2vTrqoYpkw1bS0g"
"""What passwords of people who do not exist are compared with, so that these take as long as others to refuse."""


class Person(msgspec.Struct, frozen=True):
    """Somebody who may log in. stamp: made anew with every change, so that what was opened before it counts no more."""

    username: str
    role: str
    hash: str = ""
    stamp: str = ""

    @classmethod
    def of(cls, username: str, kept: Mapping[str, Value]) -> Person:
        """A person as the store keeps them; who has no stamp there has one that changes with the password."""
        password_hash, stamp = str(kept.get("password_hash") or ""), str(kept.get("stamp") or "")
        return cls(username, str(kept.get("role") or ""), password_hash, stamp or _stamp_of(password_hash))

    def kept(self) -> Attributes:
        """What the store keeps."""
        return {"username": self.username, "role": self.role, "password_hash": self.hash, "stamp": self.stamp}


def new_stamp() -> str:
    """A stamp that nobody had before."""
    return secrets.token_urlsafe(12)


def _stamp_of(password_hash: str) -> str:
    return hashlib.blake2b(password_hash.encode(), digest_size=12).hexdigest()


async def hashed(person: Person, password: str) -> Person:
    """That person with the hash of a password; it is computed in a thread."""
    return msgspec.structs.replace(person, hash=await asyncio.to_thread(hash_password, _as_bytes(password)))


class _Account:
    __slots__ = ("caller", "person", "right")

    def __init__(self, person: Person, role: Role, right: bytes | None) -> None:
        self.person = person
        self.right = right
        self.caller = Caller(person.username, role.granted, Context(ORIGIN, user=person.username), role=person.role)


class People:
    """Accounts and roles. With authentication off everybody is `nobody` and may do everything."""

    def __init__(self, clock: Clock, *, enabled: bool = True) -> None:
        self.enabled = enabled
        self.declared: frozenset[str] = frozenset()
        """The names that configuration.yaml declares: whoever goes here comes back with the next start."""
        self.nobody = Caller(NOBODY, EVERYTHING, Context(ORIGIN, user=NOBODY), role="admin")
        self.digest = Digests()
        self._accounts: dict[str, _Account] = {}
        self._roles: dict[str, Role] = dict(BUILT_IN)
        self._wrong = Wrong()
        self._throttle = Throttle(clock)
        self._checking = asyncio.Semaphore(1)
        self._waiting = 0

    def __len__(self) -> int:
        return len(self._accounts)

    @property
    def log_in(self) -> bool:
        """Whether people log in here, so that whoever does not is a stranger."""
        return self.enabled and bool(self._accounts)

    # ------------------------------------------------------------------ who there is

    def users(self) -> list[Person]:
        """Everybody, in the order in which they came."""
        return [account.person for account in self._accounts.values()]

    def user(self, username: str) -> Person | None:
        """The person of that name."""
        account = self._accounts.get(username)
        return None if account is None else account.person

    def caller(self, username: str) -> Caller | None:
        """That person as a caller, with what their role gives now."""
        account = self._accounts.get(username)
        return None if account is None else account.caller

    def stamp(self, username: str) -> str | None:
        """The stamp of that person; none when there is no such person."""
        account = self._accounts.get(username)
        return None if account is None else account.person.stamp

    def put_user(self, person: Person, password: str | None = None) -> None:
        """Add somebody, or change them. password: theirs, if it is at hand (at start), saves the first check."""
        known = self._accounts.get(person.username)
        if known is not None and known.person == person and password is None:
            return
        if password is not None:
            right: bytes | None = self._credential(person.username, password)
        elif known is not None and known.person == msgspec.structs.replace(person, hash=""):
            right = known.right  # the hash of the password that was at hand is there now
        else:
            right = None
        self._accounts[person.username] = _Account(person, self._role_of(person.role), right)
        self._wrong.clear()

    def remove_user(self, username: str) -> None:
        """That person is a stranger from now on."""
        self._accounts.pop(username, None)

    def roles(self) -> list[Role]:
        """All roles, those that every home has first."""
        return list(self._roles.values())

    def role(self, name: str) -> Role | None:
        """The role of that name."""
        return self._roles.get(name)

    def put_role(self, name: str, permissions: Mapping[str, Value]) -> None:
        """Add a role or change it; it counts at once for everybody who has it."""
        self._roles[name] = Role.of(name, permissions)
        self._role_changed(name)

    def remove_role(self, name: str) -> None:
        """Who has it may do nothing any more; one that every home has is as it was."""
        self._roles.pop(name, None)
        if name in BUILT_IN:
            self._roles[name] = BUILT_IN[name]
        self._role_changed(name)

    def _role_of(self, name: str) -> Role:
        return self._roles.get(name, NO_ROLE)

    def _role_changed(self, name: str) -> None:
        for username, account in self._accounts.items():
            if account.person.role == name:
                self._accounts[username] = _Account(account.person, self._role_of(name), account.right)

    def take(self, kind: str, key: str, body: Attributes | None) -> None:
        """A definition of kind `user` or `role` was made, changed, or (without a body) removed."""
        if kind == "user":
            if body is None:
                self.remove_user(key)
            else:
                self.put_user(Person.of(key, body))
        elif kind == "role":
            if body is None:
                self.remove_role(key)
            else:
                permissions = body.get("permissions", body)
                self.put_role(key, permissions if isinstance(permissions, dict) else {})

    # ------------------------------------------------------------------ is it they?

    def known(self, username: str, password: str) -> Caller | None:
        """Who that is, if the password was right before."""
        return self.known_by(username, self._credential(username, password))

    def known_by(self, username: str, credential: bytes) -> Caller | None:
        """Likewise, by what stands for the name and the password together."""
        account = self._accounts.get(username)
        if account is None or account.right != credential:
            return None
        return account.caller

    def is_known_wrong(self, username: str, password: str) -> bool:
        """Whether it is certain already that this lets nobody in."""
        return self._credential(username, password) in self._wrong

    async def check(self, username: str, password: str, address: str) -> Caller | None:
        """Who that is, after a look at the hash. TooManyTries: there were too many of these, from there or for them."""
        credential = self._credential(username, password)
        caller = self.known_by(username, credential)
        if caller is not None or credential in self._wrong:
            return caller
        if self._waiting >= MOST_WAITING:
            raise too_many(1)
        self._waiting += 1
        try:
            return await self._check(username, password, credential, address)
        finally:
            self._waiting -= 1

    async def _check(self, username: str, password: str, credential: bytes, address: str) -> Caller | None:
        key = username if username in self._accounts else ""
        await self._throttle.admit(key, address)
        async with self._checking:
            caller = self.known_by(username, credential)
            if caller is not None or credential in self._wrong:
                return caller
            pause = self._throttle.pause(key, address)
            if pause > 0:
                raise too_many(pause)
            return await self._compare(username, password, credential, address)

    async def _compare(self, username: str, password: str, credential: bytes, address: str) -> Caller | None:
        """A look at the hash. It says nothing, and is not remembered, when the person is changed meanwhile."""
        account = self._accounts.get(username)
        kept = _STRANGER if account is None else account.person.hash
        right = await asyncio.to_thread(is_password, _as_bytes(password), kept)
        now = self._accounts.get(username)
        if (now.person if now else None) != (account.person if account else None):
            return None
        if right and now is not None:
            now.right = credential
            self._throttle.succeeded(username, address)
            return now.caller
        self._wrong.add(credential)
        self._throttle.failed("" if account is None else username, address)
        return None

    def _credential(self, username: str, password: str) -> bytes:
        name = _as_bytes(username)
        return self.digest(b"%d:%b%b" % (len(name), name, _as_bytes(password)))


def _as_bytes(text: str) -> bytes:
    """UTF-8; JSON can carry halves of surrogate pairs, which are a wrong password and no failure."""
    return text.encode("utf-8", "surrogatepass")
