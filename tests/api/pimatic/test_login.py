"""Logging in and out."""

from __future__ import annotations

import pytest

from hallway.access.throttle import FREE_TRIES_ACCOUNT
from tests.api.pimatic.rest import House

ANNA = {"username": "anna", "password": "st:äple"}
FORM = "application/x-www-form-urlencoded"


@pytest.fixture
def house() -> House:
    return House()


async def test_who_knows_the_password_gets_a_session(house: House) -> None:
    seen = await house.ask("POST", "/login", ANNA, by="")
    assert seen.status == 200
    assert seen.json() == {"success": True, "username": "anna", "role": "admin", "rememberMe": False}
    assert seen.header("content-type") == "application/json; charset=utf-8"
    assert all("expires" not in value for value in seen.all("set-cookie"))
    assert (await house.ask("GET", "/api/things/num1", by="", cookie=seen.session)).status == 200


async def test_a_form_will_do(house: House) -> None:
    body = b"username=anna&password=st%3A%C3%A4ple&rememberMe=on"
    seen = await house.ask("POST", "/login", body, by="", content_type=FORM)
    assert seen.json()["rememberMe"] is True
    assert all("; expires=" in value for value in seen.all("set-cookie"))


@pytest.mark.parametrize(
    ("given", "remembered"),
    [
        (True, True),
        ("true", True),
        ("yes", True),
        (1, True),
        ({}, True),
        (False, False),
        ("false", False),
        ("", False),
        (0, False),
        (None, False),
    ],
)
async def test_a_session_is_remembered_if_that_is_wanted(house: House, given: object, remembered: object) -> None:
    seen = await house.ask("POST", "/login", {**ANNA, "rememberMe": given}, by="")
    assert seen.json()["rememberMe"] is remembered
    assert ("expires" in seen.header("set-cookie")) is remembered


@pytest.mark.parametrize(
    "data", [{**ANNA, "password": "wrong"}, {**ANNA, "username": "zzz"}, {"username": "", "password": ""}]
)
async def test_a_wrong_password_is_told_to_the_page_and_the_browser_does_not_ask_itself(
    house: House, data: dict[str, str]
) -> None:
    for _ in range(2):
        seen = await house.ask("POST", "/login", data, by="")
        assert seen.status == 401
        assert seen.json()["success"] is False
        assert seen.json()["message"]
        assert seen.header("www-authenticate") == ""
        assert seen.all("set-cookie") == []


@pytest.mark.parametrize(
    ("data", "content_type"),
    [
        ({"username": "anna"}, "application/json"),
        ({"username": "anna", "password": 5}, "application/json"),
        ({"username": ["anna"], "password": "x"}, "application/json"),
        (b"", "application/json"),
        (b"{", "application/json"),
        (b"username[]=a&password=b", FORM),
        (b"username=%zz&password=b", FORM),
        (b"username=anna&password=x", "text/plain"),
    ],
)
async def test_what_is_no_login_is_told(house: House, data: object, content_type: str) -> None:
    seen = await house.ask("POST", "/login", data, by="", content_type=content_type)
    assert seen.status == 400
    assert list(seen.json()) == ["success", "message"]


async def test_a_login_in_the_address_is_none(house: House) -> None:
    seen = await house.ask("POST", "/login?username=anna&password=st:%C3%A4ple", by="")
    assert seen.status == 400


async def test_the_login_is_reached_by_post_without_a_slash_only(house: House) -> None:
    assert (await house.ask("GET", "/login", by="")).status == 404
    assert (await house.ask("POST", "/login/", ANNA, by="")).status == 401


async def test_somebody_else_may_log_in_in_their_place(house: House) -> None:
    seen = await house.ask("POST", "/login", {"username": "nina", "password": "nothing"})
    assert (seen.status, seen.json()["username"], seen.json()["role"]) == (200, "nina", "missing")
    assert (await house.ask("GET", "/api/things", by="", cookie=seen.session)).status == 403


async def test_guessing_is_told_to_wait(house: House) -> None:
    for number in range(FREE_TRIES_ACCOUNT):
        assert (await house.ask("POST", "/login", {**ANNA, "password": f"x{number}"}, by="")).status == 401
    for _ in range(6):
        house.people._throttle.failed("anna", "10.0.0.1")
    seen = await house.ask("POST", "/login", {**ANNA, "password": "y"}, by="")
    assert seen.status == 429
    assert int(seen.header("retry-after")) > 1
    assert "try again in" in seen.json()["message"]


async def test_a_login_from_a_page_of_elsewhere_is_refused(house: House) -> None:
    assert (await house.ask("POST", "/login", ANNA, by="", origin="https://evil.example")).status == 403


async def test_a_large_login_is_not_read(house: House) -> None:
    assert (await house.ask("POST", "/login", {**ANNA, "more": "x" * 100_000}, by="")).status == 413


async def test_a_logout_ends_the_session_for_good(house: House) -> None:
    session = (await house.ask("POST", "/login", ANNA, by="")).session
    other = (await house.ask("POST", "/login", ANNA, by="")).session
    seen = await house.ask("GET", "/logout", by="", cookie=session)
    assert seen.status == 401
    assert seen.header("www-authenticate") == ""
    assert [value.partition(";")[0] for value in seen.all("set-cookie")] == ["pimatic.sess=", "pimatic.sess.sig="]
    assert all("expires=Thu, 01 Jan 1970" in value for value in seen.all("set-cookie"))
    assert (await house.ask("GET", "/api/things", by="", cookie=session)).status == 401
    assert (await house.ask("GET", "/api/things", by="", cookie=other)).status == 200


async def test_a_logout_with_a_password_clears_the_cookies_too(house: House) -> None:
    seen = await house.ask("GET", "/logout")
    assert (seen.status, seen.header("www-authenticate")) == (401, "")
    assert len(seen.all("set-cookie")) == 2


async def test_who_is_not_logged_in_cannot_log_out(house: House) -> None:
    seen = await house.ask("GET", "/logout", by="")
    assert seen.header("www-authenticate").startswith("Basic")
    assert seen.all("set-cookie") == []


@pytest.mark.parametrize("path", ["/logout/", "/LOGOUT", "/Logout/"])
async def test_a_logout_is_written_in_any_case_and_with_a_slash(house: House, path: str) -> None:
    session = (await house.ask("POST", "/login", ANNA, by="")).session
    assert house.door.has(path)
    seen = await house.ask("GET", path, by="", cookie=session)
    assert (seen.status, seen.header("www-authenticate")) == (401, "")
    assert (await house.ask("GET", "/api/things", by="", cookie=session)).status == 401
    assert (await house.ask("GET", path, by="")).header("www-authenticate").startswith("Basic")


@pytest.mark.parametrize("path", ["/login/", "/LOGIN"])
async def test_who_is_known_logs_in_by_that_path_too_as_whom_they_say(house: House, path: str) -> None:
    assert house.door.has(path)
    assert (await house.ask("POST", path, ANNA, by="")).status == 401
    seen = await house.ask("POST", path, {"username": "nina", "password": "nothing"})
    assert (seen.status, seen.json()["username"], len(seen.all("set-cookie"))) == (200, "nina", 2)
    assert (await house.ask("GET", path)).status == 404


async def test_more_slashes_are_no_logout(house: House) -> None:
    assert not house.door.has("/logout//")
    assert (await house.ask("GET", "/logout//")).status == 404
