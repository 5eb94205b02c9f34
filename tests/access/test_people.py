"""People: the right password lets its owner in, with what their role gives, as long as they are who they were."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from hallway.access import people as people_module
from hallway.access.callers import EVERYTHING
from hallway.access.passwords import hash_password
from hallway.access.people import MOST_WAITING, People, Person, hashed, new_stamp
from hallway.access.throttle import FREE_TRIES_ACCOUNT
from hallway.clock import VirtualClock
from hallway.errors import TooManyTries
from tests.access.hashing import Hashing

HERE = "10.0.0.1"
ANNA = Person("anna", "resident", hash_password(b"staple"), new_stamp())


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


@pytest.fixture
def people(clock: VirtualClock) -> People:
    people = People(clock)
    people.put_user(ANNA)
    return people


@pytest.fixture
def hashing(monkeypatch: pytest.MonkeyPatch) -> Hashing:
    hashing = Hashing()
    monkeypatch.setattr(people_module, "is_password", hashing)
    return hashing


async def test_the_right_password_is_looked_at_once(people: People, hashing: Hashing) -> None:
    assert people.known("anna", "staple") is None
    caller = await people.check("anna", "staple", HERE)
    assert caller is not None
    assert (caller.name, caller.role, caller.context.origin, caller.context.user) == (
        "anna",
        "resident",
        "pimatic",
        "anna",
    )
    assert people.known("anna", "staple") is caller
    assert await people.check("anna", "staple", HERE) is caller
    assert hashing.seen == [b"staple"]


@pytest.mark.parametrize(
    ("username", "password"),
    [
        ("anna", "wrong"),
        ("anna", ""),
        ("anna", "staple "),
        ("Anna", "staple"),
        ("", ""),
        ("zzz", "staple"),
        ("ann", "astaple"),
        ("anna", "\ud800"),
    ],
)
async def test_anything_else_lets_nobody_in_and_is_looked_at_once_too(
    people: People, hashing: Hashing, username: str, password: str
) -> None:
    await people.check("anna", "staple", HERE)
    for _ in range(3):
        assert await people.check(username, password, HERE) is None
    assert people.is_known_wrong(username, password)
    assert len(hashing.seen) == 2


async def test_a_stranger_takes_as_long_to_refuse_as_a_wrong_password(people: People, hashing: Hashing) -> None:
    await people.check("nobody-here", "x", HERE)
    assert hashing.seen == [b"x"]


async def test_only_one_hash_is_computed_at_a_time(people: People, hashing: Hashing) -> None:
    guesses = [people.check(f"user{number}", "x", f"10.0.0.{number}") for number in range(4)]
    await asyncio.gather(*guesses)
    assert hashing.most_at_once == 1


async def test_a_crowd_before_the_hash_is_sent_away(people: People, hashing: Hashing) -> None:
    hashing.may_go_on.clear()
    waiting = [
        asyncio.ensure_future(people.check(f"user{number}", "x", f"10.0.0.{number}")) for number in range(MOST_WAITING)
    ]
    await asyncio.sleep(0)
    with pytest.raises(TooManyTries):
        await people.check("anna", "staple", HERE)
    hashing.may_go_on.set()
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)


async def test_many_wrong_passwords_slow_down_who_does_not_know_the_right_one(
    people: People, hashing: Hashing, clock: VirtualClock
) -> None:
    await people.check("anna", "staple", HERE)
    guessing = [asyncio.ensure_future(people.check("anna", f"guess{number}", "10.6.6.6")) for number in range(20)]
    outcomes = await asyncio.gather(*guessing, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [type(None)] * FREE_TRIES_ACCOUNT + [TooManyTries] * 15
    assert len(hashing.seen) == 1 + FREE_TRIES_ACCOUNT
    assert people.known("anna", "staple") is not None
    assert await people.check("anna", "staple", "10.6.6.6") is not None


async def test_the_same_wrong_password_again_and_again_slows_nobody_down(people: People, hashing: Hashing) -> None:
    for _ in range(50):
        assert await people.check("anna", "old password of a script", HERE) is None
    assert await people.check("anna", "staple", HERE) is not None


async def test_a_new_password_ends_the_old_one(people: People) -> None:
    await people.check("anna", "staple", HERE)
    await people.check("anna", "battery", HERE)
    people.put_user(await hashed(msgspec.structs.replace(ANNA, stamp=new_stamp()), "battery"))
    assert people.known("anna", "staple") is None
    assert await people.check("anna", "battery", HERE) is not None
    assert await people.check("anna", "staple", HERE) is None


async def test_a_password_that_changes_during_the_look_counts_for_nothing(people: People, hashing: Hashing) -> None:
    hashing.may_go_on.clear()
    looking = asyncio.ensure_future(people.check("anna", "staple", HERE))
    await asyncio.sleep(0.01)
    people.put_user(msgspec.structs.replace(ANNA, hash="", stamp=new_stamp()))
    hashing.may_go_on.set()
    assert await looking is None
    assert people.known("anna", "staple") is None
    assert not people.is_known_wrong("anna", "staple")


async def test_who_is_removed_is_a_stranger(people: People) -> None:
    await people.check("anna", "staple", HERE)
    people.remove_user("anna")
    assert people.known("anna", "staple") is None
    assert people.caller("anna") is None
    assert people.user("anna") is None
    assert await people.check("anna", "staple", HERE) is None


async def test_a_first_password_counts_before_its_hash_is_there(people: People, hashing: Hashing) -> None:
    bert = Person("bert", "admin", stamp=new_stamp())
    people.put_user(bert, "geheim")
    assert people.known("bert", "geheim") is not None
    assert await people.check("bert", "wrong", HERE) is None
    people.put_user(await hashed(bert, "geheim"))
    assert people.known("bert", "geheim") is not None
    assert people.stamp("bert") == bert.stamp
    assert people.user("bert") != bert


def test_a_role_that_does_not_exist_gives_no_permission(people: People) -> None:
    people.put_user(Person("ghost", "missing", "x", "s"))
    caller = people.caller("ghost")
    assert caller is not None
    assert (caller.permissions, caller.role) == (frozenset(), "missing")
    assert people.role("missing") is None


def test_what_a_role_gives_changes_at_once_for_who_has_it(people: People) -> None:
    people.put_role("resident", {"rules": "write"})
    caller = people.caller("anna")
    assert caller is not None
    assert caller.permissions == {"rules:read", "rules:write"}
    people.remove_role("resident")
    caller = people.caller("anna")
    assert caller is not None
    assert "controlDevices" in caller.permissions


async def test_a_changed_role_asks_nobody_for_the_password_again(people: People) -> None:
    await people.check("anna", "staple", HERE)
    people.put_role("resident", {"rules": "write"})
    caller = people.known("anna", "staple")
    assert caller is not None
    assert caller.may("rules:write")


def test_definitions_make_change_and_remove_people_and_roles(people: People) -> None:
    people.take("role", "cook", {"devices": "read"})
    people.take("user", "carl", {"role": "cook", "password_hash": "h", "stamp": "s"})
    people.take("plugin", "carl", None)
    assert people.user("carl") == Person("carl", "cook", "h", "s")
    assert Person.of("carl", Person("carl", "cook", "h", "s").kept()) == people.user("carl")
    caller = people.caller("carl")
    assert caller is not None
    assert caller.permissions == {"devices:read"}
    people.take("role", "cook", {"name": "cook", "permissions": {"pages": "read"}})
    caller = people.caller("carl")
    assert caller is not None
    assert caller.permissions == {"pages:read"}
    people.take("role", "cook", None)
    caller = people.caller("carl")
    assert caller is not None
    assert caller.permissions == frozenset()
    people.take("user", "carl", None)
    assert [person.username for person in people.users()] == ["anna"]
    assert [role.name for role in people.roles()] == ["admin", "resident", "guest"]
    assert len(people) == 1


def test_a_person_without_a_stamp_has_one_that_changes_with_the_password() -> None:
    one, same, other = (Person.of("dora", {"role": "admin", "password_hash": kept}) for kept in ("h", "h", "i"))
    assert one == same
    assert one.stamp
    assert one.stamp != other.stamp


async def test_the_same_person_once_more_changes_nothing(people: People) -> None:
    caller = await people.check("anna", "staple", HERE)
    people.put_user(Person.of("anna", ANNA.kept()))
    assert people.known("anna", "staple") is caller


def test_nobody_may_do_everything() -> None:
    people = People(VirtualClock(), enabled=False)
    assert (people.nobody.name, people.nobody.permissions) == ("nobody", EVERYTHING)


async def test_no_password_is_kept(people: People) -> None:
    await people.check("anna", "staple", HERE)
    await people.check("anna", "guessed", HERE)
    account = people._accounts["anna"]
    kept = repr([vars(people), account.person, account.right])
    assert "staple" not in kept
    assert "guessed" not in kept
