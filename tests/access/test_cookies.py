"""Sessions: they outlive a restart, and end when their person changes, logs out or stays away."""

from __future__ import annotations

import base64
import json

import msgspec
import pytest

from hallway.access import cookies as cookies_module
from hallway.access.cookies import CLEARED, LIFE, REMEMBERED_LIFE, RENEWED_AFTER, SHARED_FOR, Cookies
from hallway.access.people import People, Person
from hallway.clock import VirtualClock
from tests.access.drawer import Drawer, opened, sent_back

ANNA = Person("anna", "admin", "hash", "stamp-1")
BERT = Person("bert", "guest", "hash", "stamp-2")


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


@pytest.fixture
def people(clock: VirtualClock) -> People:
    people = People(clock)
    people.put_user(ANNA)
    people.put_user(BERT)
    return people


@pytest.fixture
def drawer() -> Drawer:
    return Drawer()


@pytest.fixture
async def cookies(people: People, clock: VirtualClock, drawer: Drawer) -> Cookies:
    cookies = Cookies(people, clock, drawer)
    await cookies.start()
    return cookies


def owner(cookies: Cookies, cookie: bytes) -> str | None:
    session = cookies.session(cookie)
    return None if session is None else session.username


def test_a_cookie_tells_whose_session_it_is(cookies: Cookies, people: People) -> None:
    assert owner(cookies, opened(cookies, people)) == "anna"
    assert owner(cookies, b"theme=dark; " + opened(cookies, people, "bert") + b"; x=y") == "bert"


def test_no_script_and_no_other_site_gets_to_use_it(cookies: Cookies, people: People) -> None:
    caller = people.caller("anna")
    assert caller is not None
    for value in cookies.open(caller):
        assert value.endswith(b"; path=/; httponly; samesite=strict")
    for value in cookies.open(caller, remember=True):
        assert b"; expires=" in value
        assert b" GMT; httponly" in value


@pytest.mark.parametrize(
    "cookie",
    [
        b"",
        b"pimatic.sess=",
        b"pimatic.sess=e30; pimatic.sess.sig=AAAA",
        b"pimatic.sess.sig=AAAA",
        b"\xff\xfe",
        b"=;=;;",
    ],
)
def test_what_we_did_not_sign_lets_nobody_in(cookies: Cookies, cookie: bytes) -> None:
    assert cookies.session(cookie) is None


def test_nobody_can_write_another_name_into_it(cookies: Cookies, people: People) -> None:
    cookie = opened(cookies, people, "bert")
    value = cookie.partition(b";")[0].partition(b"=")[2]
    session = json.loads(base64.urlsafe_b64decode(value + b"=="))
    forged = base64.urlsafe_b64encode(json.dumps(session | {"username": "anna", "stamp": "stamp-1"}).encode())
    assert cookies.session(cookie.replace(value, forged.rstrip(b"="))) is None
    assert cookies.session(cookie.replace(b".sig=", b".sig=A")) is None
    assert cookies.session(cookie.partition(b";")[0]) is None


async def test_sessions_outlive_a_restart(
    cookies: Cookies, people: People, clock: VirtualClock, drawer: Drawer
) -> None:
    cookie = opened(cookies, people)
    again = Cookies(people, clock, drawer)
    await again.start()
    assert owner(again, cookie) == "anna"
    assert owner(Cookies(people, clock, Drawer()), cookie) is None


async def test_a_logout_ends_that_session_also_for_the_next_start(
    cookies: Cookies, people: People, clock: VirtualClock, drawer: Drawer
) -> None:
    one, other = opened(cookies, people), opened(cookies, people)
    assert await cookies.close(one) == CLEARED
    assert cookies.session(one) is None
    assert cookies.session(other) is not None
    again = Cookies(people, clock, drawer)
    assert again.session(one) is None
    assert again.session(other) is not None


async def test_logging_out_without_a_session_keeps_nothing(cookies: Cookies, drawer: Drawer) -> None:
    before = dict(drawer.held)
    assert await cookies.close(b"pimatic.sess=x; pimatic.sess.sig=y") == CLEARED
    assert drawer.held == before


def test_a_changed_person_has_to_log_in_again(cookies: Cookies, people: People) -> None:
    cookie, other = opened(cookies, people), opened(cookies, people, "bert")
    assert cookies.session(cookie) is not None
    people.put_user(msgspec.structs.replace(ANNA, hash="new", stamp="stamp-3"))
    assert cookies.session(cookie) is None
    assert cookies.session(other) is not None
    people.remove_user("bert")
    assert cookies.session(other) is None


@pytest.mark.parametrize(("remember", "life"), [(False, LIFE), (True, REMEMBERED_LIFE)])
def test_a_session_that_is_not_used_ends_at_last(
    cookies: Cookies, people: People, clock: VirtualClock, remember: bool, life: float
) -> None:
    cookie = opened(cookies, people, remember=remember)
    clock.advance(life - 1)
    assert cookies.session(cookie) is not None
    clock.advance(2)
    assert cookies.session(cookie) is None


async def test_a_session_in_use_is_signed_again_each_day(cookies: Cookies, people: People, clock: VirtualClock) -> None:
    cookie = opened(cookies, people)
    session = cookies.session(cookie)
    assert session is not None
    assert cookies.renewed(session) is None
    clock.advance(RENEWED_AFTER)
    values = cookies.renewed(session)
    assert values is not None
    renewed = sent_back(values)
    clock.advance(LIFE - 1)
    assert cookies.session(renewed) is not None
    await cookies.close(renewed)
    assert cookies.session(cookie) is None


def test_calls_with_a_password_share_a_session_for_a_minute(
    cookies: Cookies, people: People, clock: VirtualClock
) -> None:
    anna, bert = people.caller("anna"), people.caller("bert")
    assert anna is not None
    assert bert is not None
    first = cookies.shared(anna)
    assert cookies.shared(anna) is first
    assert cookies.shared(bert) != first
    clock.advance(SHARED_FOR)
    assert cookies.shared(anna) != first


async def test_a_shared_session_that_was_ended_is_not_handed_out_again(cookies: Cookies, people: People) -> None:
    anna = people.caller("anna")
    assert anna is not None
    first = cookies.shared(anna)
    await cookies.close(sent_back(first))
    assert cookies.session(sent_back(cookies.shared(anna))) is not None
    people.put_user(msgspec.structs.replace(ANNA, stamp="stamp-4"))
    anna = people.caller("anna")
    assert anna is not None
    assert cookies.session(sent_back(cookies.shared(anna))) is not None


def test_a_session_of_nobody_is_worth_nothing(cookies: Cookies, people: People) -> None:
    assert cookies.session(sent_back(cookies.open(people.nobody))) is None


async def test_ended_sessions_are_bounded_and_none_comes_back(
    cookies: Cookies, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cookies_module, "MOST_REVOKED", 3)
    ended = [opened(cookies, people) for _ in range(5)]
    others = opened(cookies, people, "bert")
    for cookie in ended:
        await cookies.close(cookie)
        assert len(cookies._revoked) <= 3
    assert [cookies.session(cookie) for cookie in ended] == [None] * 5
    assert cookies.session(others) is not None


def test_what_was_read_is_remembered_within_bounds(
    cookies: Cookies, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cookies_module, "MOST_READ", 3)
    cookie = opened(cookies, people)
    for number in range(10):
        assert cookies.session(b"n=%d; " % number + cookie) is not None
    assert len(cookies._read) <= 3
    assert cookies.session(b"n=" + b"x" * 2000 + b"; " + cookie) is not None
    assert max(map(len, cookies._read)) < 2000
