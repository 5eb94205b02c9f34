"""Paths and methods of the door: what is where, what it takes, and how `_METHOD` stands for a method."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.api.wire import EventStream, Wire, said
from tests.hubs import RunningHub

METHODS = ("GET", "POST", "PUT", "DELETE", "HEAD", "PATCH", "OPTIONS", "TRACE")
TAKEN = {
    "/api": ("GET",),
    "/api/": ("GET",),
    "/api/events": ("GET",),
    "/api/events/plain": ("POST",),
    "/api/services": ("GET",),
    "/api/services/light/turn_on": ("POST",),
    "/api/states": ("GET",),
    "/api/states/some.body": ("GET", "POST", "PUT"),
    "/api/event_forwarding": ("POST", "DELETE"),
    "/api/stream": ("GET",),
    "/api/config": ("GET",),
    "/api/components": ("GET",),
    "/api/bootstrap": ("GET",),
}
NOWHERE = (
    "/nowhere",
    "/api/nothing",
    "/API/",
    "//api/",
    "/api//states",
    "/api/states/",
    "/api/events/",
    "/api/services/",
    "/api/services/light",
    "/api/services/light/",
    "/api/event_forwarding/",
    "/api/stream/",
    "/api/config/more",
    "/api/error_log",
    "/api/template",
    "/api%2Fstates",
    "*",
)


@pytest.fixture
def wire(door: RunningHub) -> Iterator[Wire]:
    with Wire(door) as wire:
        yield wire


@pytest.mark.parametrize("path", TAKEN)
def test_a_path_takes_its_methods_and_names_them_to_others(wire: Wire, path: str) -> None:
    for method in METHODS:
        if method in TAKEN[path]:
            continue
        answer = wire.ask(method, path)
        assert answer.status == 405
        assert answer.headers["allow"] == ", ".join(TAKEN[path])
        if method != "HEAD":
            assert said(answer, 405) == f"{path} takes {answer.headers['allow']}"


@pytest.mark.parametrize("path", NOWHERE)
def test_what_is_not_there_is_404_for_every_method(wire: Wire, path: str) -> None:
    for method in METHODS:
        if path == "*" and method == "CONNECT":
            continue
        answer = wire.ask(method, path)
        assert answer.status == 404
        if method != "HEAD":
            assert said(answer, 404).startswith("there is nothing at ")


@pytest.mark.parametrize("path", ["/api", "/api/", "/api/?x=1", "/api?x=1"])
def test_the_api_says_that_it_runs(wire: Wire, path: str) -> None:
    answer = wire.ask("GET", path)
    assert (answer.status, answer.json()) == (200, {"message": "API running."})


@pytest.mark.parametrize("path", ["/", "/api/openapi.json"])
def test_a_page_needs_no_password_and_takes_get_and_head(wire: Wire, path: str) -> None:
    for method in METHODS:
        answer = wire.ask(method, path, X_HA_Access="")
        assert answer.status == (200 if method in {"GET", "HEAD"} else 405)
        if answer.status == 405:
            assert answer.headers["allow"] == "GET, HEAD"
            said(answer, 405)


@pytest.mark.parametrize("real", ["GET", "POST", "PUT", "DELETE", "PATCH"])
def test_the_method_in_query_or_body_takes_the_place_of_the_real_one(door: RunningHub, wire: Wire, real: str) -> None:
    with EventStream(door) as stream:
        assert wire.ask(real, "/api/events/replaced?_METHOD=POST&k=1").status == 200
        assert wire.ask(real, "/api/events/replaced?_METHOD=GET", {"_METHOD": "POST", "k": 2}).status == 200
        assert [event["data"] for event in stream.heard()] == [{"k": "1"}, {"k": 2}]


@pytest.mark.parametrize("method", ["get", "Get", "", "HEAD", "NOTHING", None, 5, ["GET"], {"GET": 1}])
def test_a_method_that_is_none_is_405(wire: Wire, method: object) -> None:
    said(wire.ask("GET", "/api/", {"_METHOD": method}), 405)


def test_a_forwarding_is_cancelled_with_a_method_in_the_data(wire: Wire) -> None:
    answer = wire.ask("POST", "/api/event_forwarding", {"_METHOD": "DELETE", "host": "nobody.there"})
    assert (answer.status, answer.json()) == (200, {"message": "Event forwarding cancelled."})


def test_put_writes_a_state_like_post(wire: Wire) -> None:
    assert wire.ask("PUT", "/api/states/put.one", {"state": "1"}).status == 201
    assert wire.ask("PUT", "/api/states/put.one", {"state": "2"}).json()["state"] == "2"


@pytest.mark.parametrize("content_type", [None, "application/json", "text/plain", "application/x-www-form-urlencoded"])
def test_no_content_type_is_looked_at(wire: Wire, content_type: str | None) -> None:
    answer = wire.ask("POST", "/api/states/typed.one", {"state": str(content_type)}, Content_Type=content_type)
    assert answer.json()["state"] == str(content_type)


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"null",
        b"5",
        b'"abc"',
        b"[1]",
        b"[[1, 2]]",
        b'{"a": 1} x',
        b"\xef\xbb\xbf{}",
        b"\xff",
        b"a=b&c=d",
        b"[" * 100_000,
    ],
)
def test_a_body_that_is_no_object_is_422_and_says_why(door: RunningHub, body: bytes) -> None:
    for path in ("/api/", "/api/events/a", "/nowhere"):
        assert said(door.ask("POST", path, body=body), 422).startswith("Error parsing JSON: ")


def test_a_query_of_too_many_fields_is_told_so(wire: Wire) -> None:
    query = "&".join(f"f{number}=1" for number in range(1001))
    assert said(wire.ask("GET", f"/api/?{query}"), 400).startswith("the query string cannot be read")


def test_bytes_in_a_query_that_are_not_utf_8_are_replaced(wire: Wire) -> None:
    assert wire.ask("POST", "/api/states/query.odd?state=a%ffb").json()["state"] == "a\ufffdb"


@pytest.mark.parametrize(
    ("data", "status"),
    [
        ({}, 400),
        ({"host": "127.0.0.1"}, 400),
        ({"api_password": "x"}, 400),
        ({"host": "127.0.0.1", "api_password": "x", "port": "abcd"}, 422),
        ({"host": "127.0.0.1", "api_password": "x", "port": None}, 422),
        ({"host": "127.0.0.1", "api_password": "x", "port": 0}, 422),
        ({"host": "127.0.0.1", "api_password": "x", "port": 70000}, 422),
        ({"host": "127.0.0.1", "api_password": "x", "port": 1}, 422),
        ({"host": "127.0.0.1", "api_password": "x", "port": "1"}, 422),
        ({"host": ["a"], "api_password": "x", "port": 1}, 422),
        ({"host": "no host", "api_password": "x", "port": 1}, 422),
        ({"host": "127.0.0.1", "api_password": "\ud800", "port": 1}, 422),
        ({"host": "127.0.0.1", "api_password": "a\r\nb", "port": 1}, 422),
    ],
)
def test_a_target_that_cannot_be_forwarded_to_is_refused(wire: Wire, data: dict[str, object], status: int) -> None:
    said(wire.ask("POST", "/api/event_forwarding", data), status)


@pytest.mark.parametrize(("data", "status"), [({}, 400), ({"port": 8123}, 400), ({"host": "a", "port": "b"}, 422)])
def test_a_cancelling_without_a_target_is_refused(wire: Wire, data: dict[str, object], status: int) -> None:
    said(wire.ask("DELETE", "/api/event_forwarding", data), status)
