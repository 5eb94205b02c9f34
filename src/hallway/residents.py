"""The people of a home at start and as they are edited: those that the store kept, and those of the configuration.

A person of the configuration is kept with the hash of that first password; whoever was edited since then is as the edit
left them. It must not know how anybody logs in.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Protocol

import msgspec

from hallway.access.passwords import is_password
from hallway.access.people import People, Person, hashed, new_stamp
from hallway.access.roles import BUILT_IN
from hallway.clock import Clock
from hallway.home.changes import AnyChange, Defined
from hallway.home.home import START, STORE, Home
from hallway.home.values import Attributes
from hallway.settings import UserSettings

log = logging.getLogger(__name__)

KINDS = ("role", "user")
FIRST = "from_file"
"""In the definition of a person: that they are as the configuration declares them."""


class Kept(Protocol):
    """A definition as the store has it."""

    @property
    def body(self) -> Attributes | None: ...


def people_of(clock: Clock, home: Home, kept: Callable[[str], Mapping[str, Kept]]) -> People:
    """The people that the store kept, and from now on as they are edited."""
    people = People(clock)
    for kind in KINDS:
        for key, definition in kept(kind).items():
            people.take(kind, key, definition.body)
    login = kept("setting").get("authentication")
    _set_login(people, login.body if login is not None else None)

    def follow(change: AnyChange) -> None:
        if not isinstance(change, Defined):
            return
        if change.kind in KINDS:
            people.take(change.kind, change.key, change.new)
        elif change.kind == "setting" and change.key == "authentication":
            _set_login(people, change.new)

    home.changes.subscribe(follow, Defined)
    return people


def _set_login(people: People, body: Attributes | None) -> None:
    people.enabled = body is None or body.get("enabled") is not False


def without_role(declared: Iterable[UserSettings], roles: Collection[str] = tuple(BUILT_IN)) -> Iterator[str]:
    """A sentence about each of the declared people whose role is none of these; left out: those of every home."""
    for user in declared:
        if user.role not in roles:
            yield (
                f"{user.where}: user {user.username[:60]}: role {user.role[:60]!r} is none that every home has "
                f"({', '.join(BUILT_IN)}): as long as nobody adds it to this one, they may log in and do nothing"
            )


class FirstPeople:
    """The people whom the configuration declares. `admit` at start lets them in, `keep` hashes their passwords."""

    def __init__(self, people: People, home: Home, declared: Iterable[UserSettings], kept: Mapping[str, Kept]) -> None:
        self._people = people
        self._home = home
        declared = tuple(declared)
        people.declared = frozenset(user.username for user in declared)
        bodies = {key: definition.body for key, definition in kept.items() if definition.body is not None}
        self._declared = [
            (user, bodies.get(user.username))
            for user in declared
            if user.username not in bodies or bodies[user.username].get(FIRST) is True
        ]

    def admit(self) -> None:
        """Those who were never here before may come in at once, by the password that the configuration gives."""
        roles = {role.name for role in self._people.roles()}
        for sentence in without_role((user for user, _body in self._declared), roles):
            log.warning("%s", sentence)
        for user, body in self._declared:
            if body is None:
                self._people.put_user(Person(user.username, user.role, stamp=new_stamp()), user.password)

    async def keep(self) -> None:
        """Keep whoever is new, or has another password or role in the configuration than at the last start."""
        for user, body in self._declared:
            known = self._people.user(user.username)
            if known is None:
                continue
            if body is not None and known.role == user.role and await _is_theirs(user, known):
                continue
            changed = body is not None
            stamp = new_stamp() if changed else known.stamp
            person = await hashed(msgspec.structs.replace(known, role=user.role, stamp=stamp), user.password)
            new: Attributes = {**person.kept(), FIRST: True}
            self._home.announcer.tell(("user", user.username), (body, new), START, STORE)
            if changed:
                log.info("%s has another password or role in the configuration: their sessions are over", user.username)


async def _is_theirs(user: UserSettings, person: Person) -> bool:
    return await asyncio.to_thread(is_password, user.password.encode("utf-8", "surrogatepass"), person.hash)
