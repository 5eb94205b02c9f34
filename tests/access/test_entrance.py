"""The entrance: a session decides, then a password; who is known needs no waiting."""

from __future__ import annotations

from base64 import b64encode

import pytest

from hallway.access.cookies import Cookies
from hallway.access.entrance import STRANGER, Entrance, basic_in
from hallway.access.passwords import hash_password
from hallway.access.people import People, Person
from hallway.clock import VirtualClock
from tests.access.drawer import Drawer, opened

HERE = "10.0.0.1"
ANNA = Person("anna", "admin", hash_password(b"st:ple"), "stamp-1")


def basic(credentials: str, scheme: str = "Basic", encoding: str = "utf-8") -> bytes:
    return f"{scheme} {b64encode(credentials.encode(encoding)).decode()}".encode()


@pytest.fixture
def entrance() -> Entrance:
    clock = VirtualClock()
    people = People(clock)
    people.put_user(ANNA)
    return Entrance(people, Cookies(people, clock, Drawer()))


async def test_a_password_is_checked_once_and_then_known(entrance: Entrance) -> None:
    header = basic("anna:st:ple")
    assert entrance.known(header, b"") is None
    visit = await entrance.check(header, b"", HERE)
    assert visit.caller is entrance.people.caller("anna")
    assert visit.session is None
    known = entrance.known(header, b"")
    assert known is not None
    assert known.caller is visit.caller
    assert entrance.known(header, b"") is known


async def test_a_wrong_one_is_known_too(entrance: Entrance) -> None:
    header = basic("anna:wrong")
    assert await entrance.check(header, b"", HERE) == STRANGER
    assert entrance.known(header, b"") is STRANGER


@pytest.mark.parametrize("header", [b"", b"Bearer abc", b"Basic", b"Basic !!!", b"Basic YWRtaW4=", b"\xff"])
async def test_what_is_no_password_lets_nobody_in_at_once(entrance: Entrance, header: bytes) -> None:
    assert entrance.known(header, b"") is STRANGER
    assert await entrance.check(header, b"", HERE) is STRANGER


async def test_a_session_beats_a_wrong_password(entrance: Entrance) -> None:
    cookie = opened(entrance.cookies, entrance.people)
    visit = entrance.known(basic("anna:wrong"), cookie)
    assert visit is not None
    assert visit.caller is entrance.people.caller("anna")
    assert visit.session is not None


async def test_a_session_that_ended_leaves_the_password(entrance: Entrance) -> None:
    cookie, header = opened(entrance.cookies, entrance.people), basic("anna:st:ple")
    await entrance.cookies.close(cookie)
    visit = await entrance.check(header, cookie, HERE)
    assert visit.caller is entrance.people.caller("anna")
    assert visit.session is None


async def test_who_changes_is_not_known_any_more(entrance: Entrance) -> None:
    header = basic("anna:st:ple")
    await entrance.check(header, b"", HERE)
    entrance.people.put_user(Person("anna", "guest", hash_password(b"other"), "stamp-2"))
    assert entrance.known(header, b"") is None
    assert await entrance.check(header, b"", HERE) == STRANGER
    entrance.people.remove_user("anna")
    assert (await entrance.check(basic("anna:other"), b"", HERE)).caller is None


def test_without_authentication_everybody_is_nobody() -> None:
    clock = VirtualClock()
    people = People(clock, enabled=False)
    entrance = Entrance(people, Cookies(people, clock, Drawer()))
    for header in (b"", b"Basic nonsense", basic("anna:x")):
        visit = entrance.known(header, b"pimatic.sess=x")
        assert visit is not None
        assert visit.caller is people.nobody


@pytest.mark.parametrize(
    ("header", "given"),
    [
        (basic("anna:geheim"), ("anna", "geheim")),
        (basic("anna:a:b:"), ("anna", "a:b:")),
        (basic(":"), ("", "")),
        (basic("änna:wörd"), ("änna", "wörd")),
        (basic("anna:x", scheme="bAsIc"), ("anna", "x")),
        (basic("anna:wörd", encoding="latin-1"), None),
        (basic("anna"), None),
        (b"Basic  YTpi ", ("a", "b")),
    ],
)
def test_a_basic_header_is_utf8_with_a_colon(header: bytes, given: tuple[str, str] | None) -> None:
    assert basic_in(header) == given
