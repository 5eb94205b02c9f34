"""Whatever is sent to the door, it answers in HTTP with JSON, never with a 5xx, and goes on serving a sane home.

HALLWAY_FUZZ_EXAMPLES sets how many requests each of these tests makes.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.schemas import APIOperation
from schemathesis.specs.openapi.checks import response_schema_conformance, status_code_conformance

from hallway.api.operations.homeassistant_table import OPERATIONS
from hallway.api.operations.table import OPERATIONS as FOR_PEOPLE
from tests.api.wire import Wire, request
from tests.hubs import DEMO_DEVICES, Answer, RunningHub

EXAMPLES = int(os.environ.get("HALLWAY_FUZZ_EXAMPLES", "1000"))
CHECKS = [not_a_server_error, response_schema_conformance, status_code_conformance]
FUZZ = settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.explicit, Phase.generate, Phase.shrink),
)
OF_DOCUMENT = settings(FUZZ, max_examples=max(10, EXAMPLES // 50), phases=(Phase.explicit, Phase.generate))
PEOPLE = "users: [{username: ann, password: fuzzed, role: admin}]\n"
BASIC = "Basic YW5uOmZ1enplZA=="
NOT_FUZZED = frozenset({"restart", "updateConfig"})
"""Operations of pimatic after which the hub would be another one."""
STOPS_THE_HUB = (b"homeassistant", b"stop")
pytestmark = pytest.mark.timeout(max(600, EXAMPLES // 5))


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wire]:
    """One connection to one hub for all examples."""
    hub = RunningHub(tmp_path_factory.mktemp("fuzzed") / "home", DEMO_DEVICES + PEOPLE)
    hub.start()
    with Wire(hub) as wire:
        yield wire
    hub.kill()


methods = st.sampled_from(["GET", "POST", "PUT", "DELETE", "HEAD", "PATCH", "OPTIONS", "TRACE", "MKCOL", "LOCK"])
words = st.one_of(
    st.sampled_from(
        ["light.bed_light", "LIGHT.AC", "a.b", "light", "turn_on", "toggle", "variable", "set", "..", "%2e", "-"]
    ),
    st.text(st.characters(min_codepoint=33, max_codepoint=126, exclude_characters="#?\\"), max_size=30),
)
roots = st.sampled_from(
    ["/api/states", "/api/events", "/api/services", "/api/config", "/api/bootstrap", "/api", "", "/api/components"]
)
paths = st.builds(lambda root, rest: "/".join([root, *rest]) or "/", roots, st.lists(words, max_size=4))
queries = st.one_of(
    st.just(""),
    st.text(st.characters(min_codepoint=33, max_codepoint=126, exclude_characters="#"), max_size=60).map(
        lambda t: f"?{t}"
    ),
    st.sampled_from(
        ["?state=1", "?_METHOD=POST", "?_METHOD=DELETE", "?api_password=wrong", "?attributes=1", "?%ff=%00"]
    ),
)
odd_text = st.text(st.one_of(st.characters(), st.characters(categories=["Cs"])), max_size=20)
scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.sampled_from([10**400, -(2**63) - 1, 2**64, 1e308, -0.0]),
    odd_text,
)
values = st.recursive(scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(odd_text, inner, max_size=4))
names = (
    st.sampled_from(
        [
            "state",
            "attributes",
            "entity_id",
            "api_password",
            "_METHOD",
            "brightness",
            "new_state",
            "old_state",
            "value",
            "name",
            "service_data",
            "domain",
            "service",
            "service_call_id",
            "restrict",
        ]
    )
    | odd_text
)
objects = st.dictionaries(names, values | st.sampled_from(["on", "light.bed_light", "GET", "turn_on"]), max_size=5)


def nested(opening: str, closing: str, levels: int) -> bytes:
    return b'{"state": 1, "attributes": {"deep": ' + (opening * levels + "1" + closing * levels).encode() + b"}}"


bodies = st.one_of(
    st.just(b""),
    objects.map(lambda data: json.dumps(data).encode()),
    objects.map(lambda data: json.dumps(data, ensure_ascii=False).encode("utf-8", "surrogatepass")),
    values.map(lambda value: json.dumps(value).encode()),
    st.lists(st.tuples(names, values), max_size=4).map(
        lambda pairs: (
            b"{" + b",".join(json.dumps(k).encode() + b":" + json.dumps(v).encode() for k, v in pairs * 2) + b"}"
        )
    ),
    st.lists(st.tuples(names, values), max_size=4).map(lambda pairs: json.dumps(pairs).encode()),
    st.builds(nested, st.sampled_from(["[", '{"a":']), st.sampled_from(["]", "}"]), st.integers(1, 3000)),
    st.binary(max_size=100),
    st.sampled_from(
        [b"[" * 50_000, b"9" * 10_000, b'{"state": ' + b"9" * 5000 + b"}", b"\xef\xbb\xbf{}", b'{"state": NaN}']
    ),
)
header_values = st.text(st.characters(min_codepoint=32, max_codepoint=255, exclude_characters="\x7f"), max_size=40)
cookies = header_values | st.sampled_from(["sessionId=", "sessionId=abc; sessionId=def", "=", ";;;", "sessionId==;"])
headers = st.fixed_dictionaries(
    {},
    optional={
        "Cookie": cookies,
        "Content_Type": header_values,
        "X_Hallway_Hops": header_values,
        "Expect": st.just("100-continue"),
        "Upgrade": st.sampled_from(["websocket", "h2c"]),
        "Accept": header_values,
        "Range": st.just("bytes=0-1"),
        "Connection": st.sampled_from(["Upgrade", "keep-alive"]),
    },
)
credentials = st.sampled_from([*["right"] * 7, "none"])


@FUZZ
@given(methods, paths, queries, headers, bodies, credentials)
def test_every_request_gets_a_good_answer(
    kept: Wire, method: str, path: str, query: str, more: dict[str, str], body: bytes, credential: str
) -> None:
    if all(word in (path + query).encode() + body for word in STOPS_THE_HUB):
        return
    password = kept.hub.password if credential == "right" else ""
    before = states(kept)
    kept.send(request(method, path + query, body, **{"X_HA_Access": password, **more}))
    answer = kept.answer(bodiless=method == "HEAD")
    check_form(answer, method)
    after = states(kept)
    if answer.status >= 400:
        assert after == before


@FUZZ
@given(bodies, st.booleans())
def test_every_state_gets_a_good_answer_and_comes_back(kept: Wire, body: bytes, chunked: bool) -> None:
    target = "/api/states/fuzzed.one"
    if chunked and body:
        head = request("POST", target, X_HA_Access=kept.hub.password, Transfer_Encoding="chunked")
        kept.send(head + b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body))
    else:
        kept.send(request("POST", target, body, X_HA_Access=kept.hub.password))
    answer = kept.answer()
    check_form(answer, "POST")
    read = kept.ask("GET", target)
    if answer.status < 400:
        assert read.body == answer.body
    states(kept)


@FUZZ
@given(st.sampled_from(["light/turn_on", "switch/toggle", "variable/set", "homeassistant/turn_off"]), objects)
def test_every_service_call_gets_a_good_answer(kept: Wire, service: str, data: dict[str, Any]) -> None:
    answer = kept.ask("POST", f"/api/services/{service}", data)
    check_form(answer, "POST")
    states(kept)


@FUZZ
@given(st.binary(max_size=300), st.sampled_from([b"", b"GET /api/ HTTP/1.1\r\n", b"POST /api/events/a HTTP/1.1\r\n"]))
def test_any_bytes_are_answered_or_waited_for(kept: Wire, data: bytes, begin: bytes) -> None:
    with Wire(kept.hub) as wire:
        wire.send(begin + data + b"\r\n\r\n\r\n\r\n")
        wire.socket.shutdown(1)
        answers = b""
        while received := wire.socket.recv(65536):
            answers += received
    if answers:
        assert answers.startswith(
            (b"HTTP/1.1 400 ", b"HTTP/1.1 401 ", b"HTTP/1.1 404 ", b"HTTP/1.1 405 ", b"HTTP/1.1 422 ")
        )
    states(kept)


def check_form(answer: Answer, method: str) -> None:
    assert answer.status < 500, answer.body
    if method == "HEAD" or answer.headers["content-type"].startswith("text/html"):
        return
    assert answer.headers["content-type"] == "application/json"
    told = json.loads(answer.body, parse_constant=pytest.fail)
    if answer.status >= 400:
        assert list(told) == ["message"]
        assert isinstance(told["message"], str)
        assert "Traceback" not in told["message"]


def states(kept: Wire) -> list[dict[str, Any]]:
    """All states; they are good JSON whatever happened."""
    answer = kept.ask("GET", "/api/states")
    assert answer.status == 200
    listed = json.loads(answer.body, parse_constant=pytest.fail)
    assert isinstance(listed, list)
    return listed


# ---------------------------------------------------------------------- the document of the hub itself


Described = APIOperation[Any, Any, Any, Any]


def described(kept: Wire, *, tags: bool) -> list[Described]:
    """What the hub's own document describes: operations of pimatic have tags there, those of Home Assistant none."""
    schema = schemathesis.openapi.from_url(f"{kept.hub.base_url}/api/openapi.json").exclude(path="/api/stream")
    operations = [found.ok() for found in schema.get_all_operations() if isinstance(found, Ok)]
    return [operation for operation in operations if ("tags" in operation.definition.raw) is tags]


def test_answers_are_as_the_document_says(kept: Wire) -> None:
    operations = described(kept, tags=False)
    assert len(operations) == sum(len(operation.methods) for operation in OPERATIONS) - 1
    for operation in operations:
        conform(kept, operation)


def test_answers_to_people_are_as_the_document_says(kept: Wire) -> None:
    operations = described(kept, tags=True)
    both = 1  # GET /api/config is described with the others
    assert len(operations) == sum(len(operation.methods) for operation in FOR_PEOPLE) - both
    for operation in operations:
        if operation.definition.raw["operationId"] not in NOT_FUZZED:
            conform_for_people(kept, operation)
    assert kept.hub.ask("GET", "/api/rules", headers={"Authorization": BASIC}).status == 200


def conform_for_people(kept: Wire, operation: Described) -> None:
    @OF_DOCUMENT
    @given(operation.as_strategy())
    def each(case: schemathesis.Case[Any]) -> None:
        answer = case.call(headers={"Authorization": BASIC}, timeout=60)
        case.validate_response(answer, checks=CHECKS)

    each()


def conform(kept: Wire, operation: Described) -> None:
    @OF_DOCUMENT
    @given(operation.as_strategy())
    def each(case: schemathesis.Case[Any]) -> None:
        if list(case.path_parameters.values()) == ["homeassistant", "stop"]:
            return
        if operation.path == "/api/event_forwarding" and isinstance(case.body, dict):
            case.body["host"] = "127.0.0.1"
        answer = case.call(headers={"X-HA-Access": kept.hub.password}, timeout=60)
        case.validate_response(answer, checks=CHECKS)

    each()
