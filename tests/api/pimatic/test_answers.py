"""Answers of the REST API: envelope, headers, entity tags."""

from __future__ import annotations

import orjson
import pytest

from hallway.api.operations.base import Operation
from hallway.api.pimatic.answers import Envelopes, Reply, failure, page, success, tagged
from hallway.errors import (
    Conflict,
    Forbidden,
    HallwayError,
    InvalidInput,
    NotAllowed,
    NotFound,
    TooLarge,
    TooManyTries,
    Unavailable,
    Unreachable,
)


@pytest.mark.parametrize(
    ("name", "result", "status", "body"),
    [
        ("variable", {"a": 1}, 200, b'{"variable":{"a":1},"success":true}'),
        ("removed", [], 200, b'{"removed":[],"success":true}'),
        ("flag", False, 200, b'{"flag":false,"success":true}'),
        ("", True, 200, b'{"result":true,"success":true}'),
        ("", None, 200, b'{"success":true}'),
        ("variable", None, 404, b'{"success":false,"message":"Not Found"}'),
    ],
)
def test_a_result_stands_under_its_name_and_success_is_last(
    name: str, result: object, status: int, body: bytes
) -> None:
    reply = success(name, result)
    assert (reply.status, reply.body) == (status, body)


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (InvalidInput("x"), 400),
        (NotFound("x"), 400),
        (Conflict("x"), 400),
        (Unreachable("x"), 400),
        (NotAllowed("x"), 401),
        (Forbidden("x"), 403),
        (TooLarge("x"), 413),
        (TooManyTries("x", 7), 429),
        (Unavailable("x"), 503),
    ],
)
def test_an_error_has_success_first(error: HallwayError, status: int) -> None:
    reply = failure(error)
    assert (reply.status, reply.body) == (status, b'{"success":false,"message":"x"}')
    assert dict(reply.headers) == ({b"retry-after": b"7"} if status == 429 else {})


def test_an_answer_is_not_to_be_kept_by_anybody() -> None:
    wire = success("a", 1).wire("GET", b"server: x\r\n")
    head, _, body = wire.partition(b"\r\n\r\n")
    assert head.split(b"\r\n") == [
        b"HTTP/1.1 200 OK",
        b"server: x",
        b"cache-control: no-cache, no-store, must-revalidate",
        b"pragma: no-cache",
        b"expires: 0",
        b"content-type: application/json; charset=utf-8",
        b"content-length: 22",
    ]
    assert body == b'{"a":1,"success":true}'
    assert success("a", 1).wire("HEAD", b"").endswith(b"content-length: 22\r\n\r\n")


def test_who_has_the_answer_already_is_told_so_without_a_body() -> None:
    etag = tagged(success("a", 1), b"").etag
    assert etag.startswith(b'W/"')
    for sent in (etag, etag.removeprefix(b"W/"), b'"x", ' + etag, b"*"):
        reply = tagged(success("a", 1), sent)
        assert (reply.status, reply.body) == (304, b"")
        wire = reply.wire("GET", b"")
        assert wire.startswith(b"HTTP/1.1 304")
        assert b"content-length" not in wire
    assert tagged(success("a", 2), etag).status == 200
    assert tagged(failure(InvalidInput("x")), b"*").status == 400


def test_bytes_that_are_the_same_are_wrapped_once() -> None:
    envelopes = Envelopes()
    operation = Operation("getDevices", ("GET",), "/d", "All", "", "devices", lambda _hub, _ask: None)
    fragment = orjson.Fragment(b'[{"id":"a"}]')
    one, other = envelopes.of(operation, fragment), envelopes.of(operation, fragment)
    assert one.body == b'{"devices":[{"id":"a"}],"success":true}'
    assert other.body is one.body
    assert tagged(other, b"").etag == tagged(success("devices", [{"id": "a"}]), b"").etag
    assert envelopes.of(operation, orjson.Fragment(b"[]")).body == b'{"devices":[],"success":true}'
    assert envelopes.of(operation, None).status == 404


def test_a_page_shows_what_was_asked_for_and_runs_none_of_it() -> None:
    reply = page(404, "nothing at <script>")
    assert reply.body == b"nothing at &lt;script&gt;"
    assert b"text/html" in reply.lines
    assert isinstance(reply, Reply)
