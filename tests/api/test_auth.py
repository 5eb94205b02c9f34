"""Who may come in at the door: credentials and their order, sessions, and where a password never shows up."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.api.wire import EventStream, Wire, request, said, settled_memory
from tests.conftest import StartHub
from tests.hubs import PASSWORD, Answer, RunningHub
from tests.peers.targets import Target
from tests.peers.waiting import wait_until

REFUSED = "API password missing or incorrect."
COOKIE = re.compile(r"sessionId=([A-Za-z0-9]{20})\b")


@pytest.fixture
def wire(door: RunningHub) -> Iterator[Wire]:
    with Wire(door) as wire:
        yield wire


def ask(wire: Wire, method: str = "GET", target: str = "/api/", body: bytes = b"", /, **headers: str) -> Answer:
    """A request with nothing but what is given."""
    wire.send(request(method, target, body, **headers))
    return wire.answer()


def session_of(answer: Answer) -> str | None:
    found = COOKIE.match(answer.headers.get("set-cookie", ""))
    return found.group(1) if found else None


@pytest.mark.parametrize("name", ["X-HA-Access", "X-HA-access", "x-ha-access", "X-HA-ACCESS"])
def test_the_header_in_any_case_lets_in(wire: Wire, name: str) -> None:
    assert ask(wire, **{name: wire.hub.password}).status == 200


def test_the_password_lets_in_from_the_query_and_from_the_body(wire: Wire) -> None:
    quoted = wire.hub.password.replace(" ", "%20")
    assert ask(wire, "GET", f"/api/?api_password={quoted}").status == 200
    assert ask(wire, "GET", f"/api/?api_password=wrong&api_password={quoted}").status == 200
    assert ask(wire, "GET", "/api/", b'{"api_password": "%b"}' % wire.hub.password.encode()).status == 200


@pytest.mark.parametrize("headers", [{}, {"X_HA_Access": "wrong"}, {"Authorization": "Bearer x"}, {"X_HA_Access": ""}])
def test_without_the_password_nobody_comes_in(wire: Wire, headers: dict[str, str]) -> None:
    for method, target in (
        ("GET", "/api/"),
        ("GET", "/api/states"),
        ("GET", "/api/stream"),
        ("GET", "/api/config"),
        ("GET", "/api/bootstrap"),
        ("POST", "/api/states/a.b"),
        ("POST", "/api/events/a"),
        ("POST", "/api/services/light/turn_on"),
        ("POST", "/api/event_forwarding"),
        ("DELETE", "/api/event_forwarding"),
    ):
        answer = ask(wire, method, target, **headers)
        assert said(answer, 401) == REFUSED
        assert "set-cookie" not in answer.headers


def test_the_first_credential_decides(wire: Wire) -> None:
    quoted = wire.hub.password.replace(" ", "%20")
    right = f"/api/?api_password={quoted}"
    session = session_of(ask(wire, X_HA_Access=wire.hub.password))
    cookie = f"sessionId={session}"
    assert said(ask(wire, "GET", right, X_HA_Access="wrong", Cookie=cookie), 401) == REFUSED
    assert said(ask(wire, "GET", right, b'{"api_password": "wrong"}'), 401) == REFUSED
    assert said(ask(wire, "GET", "/api/?api_password=wrong", Cookie=cookie), 401) == REFUSED
    assert ask(wire, "GET", right, X_HA_Access="").status == 200
    assert ask(wire, "GET", "/api/?api_password=", Cookie=cookie).status == 200


@pytest.mark.parametrize(
    "credential", [b"5", b"true", b"[]", b'[""]', b'{"a": {}}', rb'"\ud800"', b"0.5", b"[" * 90 + b"]" * 90]
)
def test_a_credential_that_is_no_text_lets_nobody_in(wire: Wire, credential: bytes) -> None:
    answer = ask(wire, "POST", "/api/events/credential", b'{"api_password": %b}' % credential)
    assert said(answer, 401) == REFUSED


def test_every_answer_of_an_operation_opens_a_session_that_lets_in(wire: Wire) -> None:
    known = wire.hub.password
    for answer in (
        ask(wire, X_HA_Access=known),
        ask(wire, "GET", "/api/states/no.body", X_HA_Access=known),
        ask(wire, "POST", "/api/states/no.body", X_HA_Access=known),
        ask(wire, "POST", "/api/services/no/body", X_HA_Access=known),
    ):
        session = session_of(answer)
        assert session is not None
        assert ask(wire, Cookie=f"theme=dark; sessionId={session}; other=1").status == 200


def test_a_session_cookie_is_for_this_site_and_not_for_scripts(wire: Wire) -> None:
    cookie = ask(wire, X_HA_Access=wire.hub.password).headers["set-cookie"]
    assert cookie.split("; ")[1:] == ["Path=/", "HttpOnly", "SameSite=Strict"]


def test_a_call_with_a_live_session_gets_no_new_one(wire: Wire) -> None:
    session = session_of(ask(wire, X_HA_Access=wire.hub.password))
    for headers in ({}, {"X_HA_Access": wire.hub.password}):
        assert "set-cookie" not in ask(wire, Cookie=f"sessionId={session}", **headers).headers


def test_what_is_answered_before_the_operation_opens_no_session(wire: Wire) -> None:
    known = wire.hub.password
    for answer, status in (
        (ask(wire, "GET", "/nowhere", X_HA_Access=known), 404),
        (ask(wire, "POST", "/api/states", X_HA_Access=known), 405),
        (ask(wire, "POST", "/api/events/a", b"{", X_HA_Access=known), 422),
    ):
        said(answer, status)
        assert "set-cookie" not in answer.headers


@pytest.mark.parametrize(
    "cookie", ["sessionId=", "sessionId=aaaaaaaaaaaaaaaaaaaa", "sessionId", "=;=;;", "\xff=\xfe", "sessionId=\xff"]
)
def test_an_unknown_session_lets_nobody_in(wire: Wire, cookie: str) -> None:
    assert said(ask(wire, Cookie=cookie), 401) == REFUSED


def test_the_order_is_json_path_method_password(wire: Wire) -> None:
    assert "Error parsing JSON" in said(ask(wire, "POST", "/nowhere", b"{"), 422)
    said(ask(wire, "DELETE", "/nowhere"), 404)
    said(ask(wire, "DELETE", "/api/states"), 405)
    said(ask(wire, "GET", "/api/states"), 401)
    said(ask(wire, "POST", "/api/states/no.state", b"{}"), 401)
    said(ask(wire, "POST", "/api/states/no.state", b"{}", X_HA_Access=wire.hub.password), 400)


def test_without_a_password_everybody_comes_in_with_any(start_hub: StartHub) -> None:
    hub = start_hub("http: {host: 127.0.0.1}\n")
    with Wire(hub) as wire:
        for headers in ({}, {"X_HA_Access": "any"}, {"Cookie": "sessionId=unknown"}):
            answer = ask(wire, **headers)
            assert (answer.status, session_of(answer) is None) == (200, False)
        assert ask(wire, "GET", "/api/?api_password=any").status == 200


@pytest.mark.parametrize("password", ["pässwörd ✓", "a\\\"b'c", "x" * 500])
def test_a_password_of_any_signs_lets_in(start_hub: StartHub, password: str) -> None:
    written = password.replace("\\", "\\\\").replace('"', '\\"')
    hub = start_hub(f'http: {{api_password: "{written}"}}\n')
    with Wire(hub) as wire:
        assert ask(wire, X_HA_Access=password.encode().decode("latin-1")).status == 200
        assert said(ask(wire, X_HA_Access=password.encode().decode("latin-1") + "x"), 401) == REFUSED


def test_the_password_is_in_nothing_that_the_hub_tells_or_writes(hub: RunningHub) -> None:
    secret = {"api_password": hub.password}
    quoted = hub.password.replace(" ", "%20")
    with Target() as target, EventStream(hub) as stream:
        there = {"host": target.host, "port": target.port, "api_password": "theirs"}
        assert hub.ask("POST", "/api/event_forwarding", there).status == 200
        for path in ("/api/events/told", "/api/services/light/turn_on", "/api/states/a.b"):
            hub.ask("POST", path, {"state": "on", **secret}, headers={})
            hub.ask("POST", f"{path}?api_password={quoted}", {"state": "off"}, headers={})
        hub.ask("POST", "/api/states/a.b", headers={"X-HA-Access": hub.password + " wrong"})
        heard: list[Any] = stream.heard()
        wait_until(lambda: target.events("the_last"), 45, "the last event at the target")
        assert [event["event_type"] for event in heard].count("told") == 2
        assert hub.password not in str(heard)
        assert hub.password not in str(target.received)
        assert hub.password not in str(hub.ask("GET", "/api/states").json())
    hub.stop()
    assert hub.password not in hub.log
    for file in (path for path in hub.home.rglob("*") if path.is_file()):
        assert file.name == "configuration.yaml" or hub.password.encode() not in file.read_bytes(), file.name


def test_a_wrong_password_costs_no_session_and_little_memory(door: RunningHub) -> None:
    with Wire(door) as wire:
        for number in range(10):
            assert said(ask(wire, X_HA_Access=f"wrong {number}"), 401) == REFUSED
        before = settled_memory(door)
        for number in range(20):
            assert said(ask(wire, X_HA_Access=f"wrong again {number}"), 401) == REFUSED
        assert door.process.memory_info().rss - before < 5_000_000
        assert wire.ask("GET", "/api/").status == 200


def opened(wire: Wire, **headers: str) -> str:
    session = session_of(ask(wire, X_HA_Access=wire.hub.password, **headers))
    assert session is not None
    return f"sessionId={session}"


@pytest.mark.parametrize("origin", ["http://evil.example", "http://hub:8123", "null"])
def test_a_page_of_another_site_cannot_use_the_session_of_the_browser(wire: Wire, origin: str) -> None:
    cookie = opened(wire)
    body = b'{"state": "by a page"}'
    said(ask(wire, "POST", "/api/states/test.page", body, Cookie=cookie, Origin=origin), 403)
    said(ask(wire, "GET", "/api/states/test.page", Cookie=cookie), 404)


def test_a_page_of_the_hub_itself_can(wire: Wire) -> None:
    assert ask(wire, Cookie=opened(wire), Origin="http://HUB").status == 200


def test_a_page_that_knows_the_password_can_come_from_anywhere(wire: Wire) -> None:
    assert ask(wire, X_HA_Access=wire.hub.password, Origin="http://elsewhere.example").status == 200


def test_a_page_of_another_site_gets_nothing_from_a_hub_without_a_password(start_hub: StartHub) -> None:
    with Wire(start_hub("http: {open: true}\n")) as wire:
        said(ask(wire, "POST", "/api/states/test.page", b'{"state": "1"}', Origin="http://evil.example"), 403)
        assert ask(wire, "POST", "/api/states/test.page", b'{"state": "1"}').status == 201


def test_a_session_does_not_inherit_the_way_of_the_event_that_opened_it(tmp_path: Path) -> None:
    hub = RunningHub(tmp_path / "home", "")
    # asking whether it is up would open the session that this test must be the first to open
    hub.password = "wrong while it starts"
    hub.start()
    hub.password = PASSWORD
    try:
        with Wire(hub) as wire, EventStream(hub) as stream:
            cookie = opened(wire, X_Hallway_Hops=",".join(f"hub{number}" for number in range(16)))
            assert ask(wire, "POST", "/api/events/by_session", b"{}", Cookie=cookie).status == 200
            assert stream.event()["event_type"] == "by_session"
    finally:
        hub.kill()
