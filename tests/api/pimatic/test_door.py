"""The REST door: who comes in, what is found at a path, what an answer looks like."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from types import SimpleNamespace
from typing import cast

import pytest

from hallway.access.throttle import FREE_TRIES_ACCOUNT
from hallway.api.operations.base import About, Ask, Edited, Hub, Operation, never
from hallway.api.pimatic.calls import Calls
from hallway.api.pimatic.door import PimaticDoor
from hallway.api.protocol import MAX_AT_ONCE
from tests.api.pimatic.rest import ANNA, MAX_BODY, NINA, House, Seen


@pytest.fixture
def house() -> House:
    return House()


def message(seen: Seen, status: int) -> str:
    """The sentence of an error."""
    assert seen.status == status, seen.body
    assert seen.header("content-type") == "application/json; charset=utf-8"
    told = seen.json()
    assert list(told) == ["success", "message"]
    assert told["success"] is False
    assert told["message"]
    return str(told["message"])


# ---------------------------------------------------------------------- who comes in


async def test_the_first_call_with_a_password_waits_for_its_hash_the_next_do_not(house: House) -> None:
    first = await house.ask("GET", "/api/things/num1")
    second = await house.ask("GET", "/api/things/num1")
    assert (first.at_once, second.at_once) == (False, True)
    assert first.body == second.body == b'{"thing":10,"success":true}'
    assert sorted(first.headers) == sorted(second.headers)


async def test_a_call_with_a_password_opens_a_session_that_needs_none(house: House) -> None:
    seen = await house.ask("GET", "/api/things/num1")
    assert [value.partition("=")[0] for value in seen.all("set-cookie")] == ["pimatic.sess", "pimatic.sess.sig"]
    again = await house.ask("GET", "/api/things/num1", by="", cookie=seen.session)
    assert (again.status, again.at_once, again.all("set-cookie")) == (200, True, [])


async def test_a_session_wins_over_a_wrong_password(house: House) -> None:
    seen = await house.ask("GET", "/api/things/num1")
    again = await house.ask("GET", "/api/things/num1", by="anna:wrong", cookie=seen.session)
    assert again.status == 200


@pytest.mark.parametrize("by", ["", "anna:wrong", "anna:", ":", "Anna:st:äple", "zzz:st:äple"])
@pytest.mark.parametrize("target", ["/api/things/num1", "/api/nope", "/", "/nope", "/login/", "/logout"])
async def test_nobody_else_comes_in_anywhere(house: House, by: str, target: str) -> None:
    for _ in range(2):
        seen = await house.ask("GET", target, by=by)
        assert (seen.status, seen.body) == (401, b"Unauthorized")
        assert seen.header("www-authenticate").startswith("Basic realm=")
        assert seen.header("content-type") == "text/html; charset=utf-8"
        assert seen.header("etag")
        assert seen.all("set-cookie") == []


@pytest.mark.parametrize("authorization", ["Bearer abc", "Basic !!!", "Basic YWRtaW4=", "Basic"])
async def test_what_is_no_password_does_not_either(house: House, authorization: str) -> None:
    seen = await house.ask("GET", "/api/things", by="", authorization=authorization)
    assert (seen.status, seen.at_once) == (401, True)


async def test_latin_1_is_another_password_and_the_scheme_may_be_written_in_any_case(house: House) -> None:
    latin = "Basic " + b64encode(ANNA.encode("latin-1")).decode()
    assert (await house.ask("GET", "/api/things", by="", authorization=latin)).status == 401
    lower = "basic " + b64encode(ANNA.encode()).decode()
    assert (await house.ask("GET", "/api/things", by="", authorization=lower)).status == 200


async def test_credentials_in_the_query_are_none(house: House) -> None:
    assert (await house.ask("GET", "/api/things?username=nina&password=nothing", by="")).status == 401


async def test_a_signature_that_does_not_count_is_taken_back(house: House) -> None:
    session = (await house.ask("GET", "/api/things/num1")).session
    seen = await house.ask("GET", "/api/things", by="", cookie=session[:-4] + "AAAA")
    assert seen.status == 401
    assert [value.partition(";")[0] for value in seen.all("set-cookie")] == ["pimatic.sess.sig="]
    unsigned = await house.ask("GET", "/api/things", by="", cookie=session.partition(";")[0])
    assert (unsigned.status, unsigned.all("set-cookie")) == (401, [])


async def test_who_has_no_permission_is_told_so_before_anything_else(house: House) -> None:
    seen = await house.ask("POST", "/api/things/x", {}, by=NINA)
    assert "variables:write" in message(seen, 403)
    assert seen.all("set-cookie")
    assert seen.header("vary") == "X-HTTP-Method-Override"
    assert (await house.ask("GET", "/api/nope", by=NINA)).status == 404
    assert (await house.ask("GET", "/api/quiet/all", by=NINA)).status == 200


async def test_too_many_wrong_passwords_are_told_and_who_is_known_does_not_notice(house: House) -> None:
    session = (await house.ask("GET", "/api/things/num1")).session
    for number in range(FREE_TRIES_ACCOUNT):
        assert (await house.ask("GET", "/api/things", by=f"nina:guess{number}")).status == 401
    for _ in range(10):
        house.people._throttle.failed("nina", "10.0.0.1")
    seen = await house.ask("GET", "/api/things", by="nina:again")
    assert "try again in" in message(seen, 429)
    assert int(seen.header("retry-after")) > 1
    assert (await house.ask("GET", "/api/things/num1", by="", cookie=session)).status == 200
    assert (await house.ask("GET", "/api/things/num1")).status == 200


async def test_a_session_ends_with_the_permission_that_its_owner_had(house: House) -> None:
    session = (await house.ask("GET", "/api/things/num1")).session
    house.people.put_role("admin", {"variables": "none"})
    assert (await house.ask("GET", "/api/things/num1", by="", cookie=session)).status == 403
    house.people.remove_user("anna")
    assert (await house.ask("GET", "/api/things/num1", by="", cookie=session)).status == 401
    assert (await house.ask("GET", "/api/things/num1")).status == 401


async def test_an_old_session_is_signed_again_with_an_answer(house: House) -> None:
    session = (await house.ask("GET", "/api/things/num1")).session
    house.clock.advance(86400)
    seen = await house.ask("GET", "/api/things/num1", by="", cookie=session)
    assert seen.status == 200
    assert seen.session
    assert seen.session != session
    assert (await house.ask("GET", "/api/things/num1", by="", cookie=seen.session)).all("set-cookie") == []


async def test_without_authentication_everybody_may_do_everything() -> None:
    house = House(enabled=False)
    await house.ask("GET", "/api/things/num1", by="anna:wrong")
    seen = await house.ask("GET", "/api/things/num1", by="")
    assert (seen.status, seen.at_once) == (200, True)
    assert seen.all("set-cookie")
    assert (await house.ask("GET", "/api/things/num1", by="", cookie=seen.session)).all("set-cookie") == []
    assert (await house.ask("DELETE", "/api/things/num1", by="")).status == 200
    assert house.door.is_open


def test_a_home_without_people_is_not_open_here(house: House) -> None:
    assert house.door.is_open
    for person in house.people.users():
        house.people.remove_user(person.username)
    assert not house.door.is_open


# ---------------------------------------------------------------------- what is found at a path


@pytest.mark.parametrize(
    ("target", "thing"),
    [
        ("/api/things/num1", 10),
        ("/api/things/num1/", 10),
        ("/API/Things/num1", 10),
        ("/api/things/a%20b", "spaces"),
        ("/api/things/dev.attr", 5),
        ("/api/things/dev%2Eattr", 5),
    ],
)
async def test_routes_do_not_care_for_case_and_ids_do(house: House, target: str, thing: object) -> None:
    assert (await house.ask("GET", target)).json() == {"thing": thing, "success": True}


@pytest.mark.parametrize("name", ["NUM1", "NUM", "$num1", "%24num1", "%C3%BC", "x%2Fy", "__proto__", "a+b"])
async def test_what_is_not_there_is_not_found(house: House, name: str) -> None:
    seen = await house.ask("GET", f"/api/things/{name}")
    assert (seen.status, seen.body) == (404, b'{"success":false,"message":"Not Found"}')


@pytest.mark.parametrize("name", ["%zz", "%", "%f", "%ff", "%ed%a0%80"])
async def test_a_path_that_cannot_be_read_is_told(house: House, name: str) -> None:
    assert message(await house.ask("GET", f"/api/things/{name}"), 400)


@pytest.mark.parametrize(
    ("method", "target"),
    [
        ("GET", "/api/nope"),
        ("GET", "/api/things/num1/more"),
        ("GET", "/api//things"),
        ("GET", "/"),
        ("POST", "/"),
        ("PUT", "/api/things/num1"),
        ("POST", "/api/things"),
        ("POST", "/api/fail"),
        ("POST", "/logout"),
        ("POST", "/api"),
        ("GET", "/api/things/<script>"),
    ],
)
async def test_other_paths_and_methods_are_a_page_that_says_so(house: House, method: str, target: str) -> None:
    seen = await house.ask(method, target)
    assert seen.status == 404
    if "script" not in target:
        assert seen.header("content-type") == "text/html; charset=utf-8"
        assert target in seen.body.decode()
    assert b"<script" not in seen.body
    assert seen.all("set-cookie")


async def test_a_document_is_for_who_is_known(house: House) -> None:
    assert (await house.ask("GET", "/api", by="")).status == 401
    for target in ("/api", "/api/", "/API"):
        seen = await house.ask("GET", target)
        assert (seen.status, seen.body) == (200, b'{"actions":{}}')
        assert seen.header("content-type") == "text/html; charset=utf-8"
        assert house.door.has(target)


async def test_head_is_get_without_the_body(house: House) -> None:
    get, head = await house.ask("GET", "/api/things"), await house.ask("HEAD", "/api/things")
    assert (head.status, head.body) == (200, b"")
    assert (head.header("etag"), head.header("content-length")) == (get.header("etag"), get.header("content-length"))
    assert (await house.ask("HEAD", "/api/things/nope")).status == 404


async def test_options_tells_the_methods(house: House) -> None:
    seen = await house.ask("OPTIONS", "/api/things/num1")
    assert seen.status == 200
    assert set(seen.header("allow").split(",")) == {"GET", "POST", "PATCH", "DELETE"}
    assert (await house.ask("OPTIONS", "/api/nope")).status == 404


@pytest.mark.parametrize("override", ["DELETE", "delete", "Delete"])
async def test_a_post_may_stand_for_another_method(house: House, override: str) -> None:
    seen = await house.ask("POST", "/api/things/num1", x_http_method_override=override)
    assert seen.json() == {"thing": True, "success": True}
    assert seen.header("vary") == "X-HTTP-Method-Override"
    assert "num1" not in house.things.held


async def test_nothing_but_a_post_may(house: House) -> None:
    assert (await house.ask("GET", "/api/things/num1", x_http_method_override="DELETE")).json()["thing"] == 10
    assert message(await house.ask("POST", "/api/things/num1?_method=DELETE", {"value": 1}), 400)
    assert "num1" in house.things.held


# ---------------------------------------------------------------------- parameters


async def test_a_value_may_stand_in_a_json_body_a_form_or_the_query(house: House) -> None:
    form = {"content_type": "application/x-www-form-urlencoded; charset=UTF-8"}
    answers = [
        await house.ask("POST", "/api/things/j", {"value": [1, {"a": None}], "other": "body"}),
        await house.ask("POST", "/api/things/f", b"value=form+%C3%BC+1", **form),
        await house.ask("POST", "/api/things/q?value=12%20a%C3%A4&other=zzz"),
        await house.ask("POST", "/api/things/b?value=query", {"value": "body"}),
        await house.ask("PATCH", "/api/things/r?value=1&value=2"),
        await house.ask("POST", "/api/things/n?value[a][b]=c"),
    ]
    assert [answer.json()["thing"] for answer in answers] == [
        [1, {"a": None}],
        "form ü 1",
        "12 aä",
        "query",
        ["1", "2"],
        {"a": {"b": "c"}},
    ]


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"value=1", "text/plain"),
        (b'{"value":1}', "text/plain"),
        (b"[1]", "application/json"),
        (b"", "application/json"),
    ],
)
async def test_other_bodies_are_not_looked_at(house: House, body: bytes, content_type: str) -> None:
    seen = await house.ask("POST", "/api/things/new", body, content_type=content_type)
    assert "the parameter value is missing" in message(seen, 400)


@pytest.mark.parametrize(
    "body",
    [b"{", b'"abc"', b"5", b"null", b"\xff{}", b'{"a":1}x', b"{'a':1}", b'{"value":' + b"[" * 5000, b"\x00"],
)
async def test_what_is_not_json_is_told(house: House, body: bytes) -> None:
    assert message(await house.ask("POST", "/api/things/new", body, content_type="application/json"), 400)
    assert message(await house.ask("GET", "/api/things/num1", body, content_type="application/json"), 400)
    assert "new" not in house.things.held


@pytest.mark.parametrize("text", [rb'"\ud800"', rb'["a",{"b":"\uDFFF"}]', rb'{"\udabc":1}'])
async def test_texts_that_nobody_can_write_down_are_refused(house: House, text: bytes) -> None:
    body = b'{"value":%b}' % text
    seen = await house.ask("POST", "/api/things/new", body, content_type="application/json")
    assert "half a surrogate pair" in message(seen, 400)
    assert "new" not in house.things.held


async def test_numbers_of_any_size_and_whole_pairs_are_none_of_these(house: House) -> None:
    body = rb'{"value":["\ud83d\ude00",1%b,NaN]}' % (b"0" * 400)
    assert (await house.ask("POST", "/api/things/new", body, content_type="application/json")).status == 200
    held = house.things.held["new"]
    assert isinstance(held, list)
    assert held[:2] == ["\U0001f600", 10**400]


async def test_a_compressed_body_is_refused(house: House) -> None:
    seen = await house.ask("POST", "/api/things/new", {"value": 1}, content_encoding="gzip")
    assert "Content-Encoding" in message(seen, 400)


async def test_a_get_may_carry_a_body_too(house: House) -> None:
    await house.ask("GET", "/api/things/num1?times=2x", {"times": 5})
    await house.ask("GET", "/api/things/num1", {"times": 5})
    assert [ask.data for ask in house.things.asked] == [{"name": "num1", "times": 2}, {"name": "num1", "times": 5}]
    assert "times is 'abc'" in message(await house.ask("GET", "/api/things/num1?times=abc"), 400)


async def test_large_bodies_are_read_of_known_callers_up_to_the_limit(house: House) -> None:
    large = {"value": "x" * (MAX_AT_ONCE + 1000)}
    assert (await house.ask("POST", "/api/things/large", large, by="")).status == 401
    assert (await house.ask("POST", "/api/things/large", large)).status == 200
    too_large = await house.ask("POST", "/api/things/larger", {"value": "x" * MAX_BODY})
    assert str(MAX_BODY) in message(too_large, 413)
    unsaid = await house.ask(
        "POST", "/api/things/larger", b" " * (MAX_BODY + 1), transfer_encoding="chunked", content_length="0"
    )
    assert message(unsaid, 413)
    assert "larger" not in house.things.held


async def test_what_was_not_possible_is_a_bad_request_in_the_envelope(house: House) -> None:
    seen = await house.ask("POST", "/api/things/num1", {"value": 1})
    assert message(seen, 400) == "there is num1 already"
    assert seen.header("cache-control") == "no-cache, no-store, must-revalidate"
    assert seen.header("vary") == "X-HTTP-Method-Override"


async def test_an_answer_that_is_known_already_is_not_sent_again(house: House) -> None:
    etag = (await house.ask("GET", "/api/things/num1")).header("etag")
    assert (await house.ask("GET", "/api/things/num1", if_none_match=etag)).status == 304
    house.things.held["num1"] = 11
    assert (await house.ask("GET", "/api/things/num1", if_none_match=etag)).status == 200


async def test_everything_sent_at_once_can_be_sent_by_way_of_asgi_too(house: House) -> None:
    """A request that arrives in pieces is answered by the other of the two ways."""
    await house.ask("GET", "/api/things/num1")
    scope = {
        "type": "http",
        "method": "HEAD",
        "raw_path": b"/api/things/num1",
        "query_string": b"",
        "headers": [(b"authorization", b"Basic " + b64encode(ANNA.encode()))],
    }
    sent = []

    async def send(part: dict[str, object]) -> None:
        sent.append(part)

    await house.door(scope, None, send)  # type: ignore[arg-type]
    assert [(part.get("status"), part.get("body")) for part in sent] == [(200, None), (None, b"")]


# ---------------------------------------------------------------------- pages of other origins

PANEL, EVIL = "https://panel.example", "https://evil.example"


async def test_a_page_from_elsewhere_may_not_use_the_browsers_session() -> None:
    house = House(origins=(PANEL,))
    assert "cors_origins" in message(await house.ask("DELETE", "/api/things/num1", origin=EVIL), 403)
    assert (await house.ask("GET", "/api/things/num1", origin="http://hub")).status == 200
    assert house.things.held["num1"] == 10


async def test_a_page_that_is_allowed_sees_the_answer() -> None:
    house = House(origins=(PANEL,))
    seen = await house.ask("GET", "/api/things/num1", origin=PANEL)
    assert seen.status == 200
    assert seen.header("access-control-allow-origin") == PANEL
    refused = await house.ask("GET", "/api/things/num1", by="", origin=PANEL)
    assert (refused.status, refused.header("access-control-allow-origin")) == (401, PANEL)
    assert (await house.ask("GET", "/api/things/num1")).header("access-control-allow-origin") == ""


async def test_a_browser_asks_beforehand_without_a_password() -> None:
    house = House(origins=(PANEL,))
    seen = await house.ask("OPTIONS", "/api/things/num1", by="", origin=PANEL, access_control_request_method="PATCH")
    assert (seen.status, seen.body) == (204, b"")
    assert "PATCH" in seen.header("access-control-allow-methods")
    assert (await house.ask("OPTIONS", "/api/things/num1", by="", origin=EVIL)).status == 401


class Shelf:
    """Keeps what is edited, and lets somebody else edit it while it is on its way to the disk."""

    def __init__(self) -> None:
        self.number = 11

    def present(self, _kind: str, _key: str) -> int:
        return self.number

    async def durable(self, _seq: int) -> None:
        self.number = 13

    def edit(self, hub: Hub, _ask: Ask) -> Edited:
        self.number = 12
        return Edited(hub.store, 12, "done")

    async def edit_later(self, hub: Hub, ask: Ask) -> Edited:
        await asyncio.sleep(0)
        return self.edit(hub, ask)


@pytest.mark.parametrize("later", [True, False])
async def test_an_edit_tells_its_own_revision_whoever_edits_before_it_is_kept(house: House, later: bool) -> None:
    shelf = Shelf()
    hub = cast("Hub", SimpleNamespace(revisions=shelf, store=shelf))
    handler = shelf.edit_later if later else shelf.edit
    edit = Operation(
        "edit", ("POST",), "/api/edit", "Edit", "", "edit", handler, at_once=never, about=About("device", fixed="lamp")
    )
    house.door = PimaticDoor(Calls(hub, [edit]), house.entrance, MAX_BODY)
    seen = await house.ask("POST", "/api/edit")
    assert seen.json() == {"edit": "done", "success": True}
    assert seen.header("x-hallway-revision") == "12"
