"""The page of all operations: everything stands in it, nothing of it can become markup, its examples are right."""

from __future__ import annotations

import json
import re
import shlex
from html.parser import HTMLParser
from urllib.parse import parse_qs, urlsplit

import pytest

from hallway.api.operations.homeassistant_table import OPERATIONS as HOME_ASSISTANT
from hallway.api.operations.pimatic.table import OPERATIONS
from hallway.api.pimatic.actions_page import actions_page, actions_script, call, curl
from hallway.api.pimatic.addresses import POLICY, SCRIPT_PATH
from tests.api.pimatic.declared import ADD, ALL, EVIL, LIST, NASTY, ON_SOCKET, PLAIN, operation

PAGE = actions_page((*OPERATIONS, *HOME_ASSISTANT))


class Read(HTMLParser):
    """Tags with their attributes, and the text in each code element."""

    def __init__(self, page: bytes) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.code: list[str] = []
        self.text = ""
        self._in_code = False
        self.feed(page.decode())
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._in_code = tag == "code"
        if self._in_code:
            self.code.append("")

    def handle_endtag(self, tag: str) -> None:
        self._in_code = self._in_code and tag != "code"

    def handle_data(self, data: str) -> None:
        self.text += data
        if self._in_code:
            self.code[-1] += data


def test_every_operation_stands_in_it_once() -> None:
    ids = [attributes["id"] for tag, attributes in Read(PAGE).tags if tag == "details"]
    assert ids == [declared.name for declared in (*OPERATIONS, *HOME_ASSISTANT)]


def test_what_stands_in_a_declaration_never_becomes_markup() -> None:
    plain, evil = Read(actions_page([operation(parameters=EVIL.parameters)])), Read(actions_page([EVIL]))
    assert [tag for tag, _ in evil.tags] == [tag for tag, _ in plain.tags]
    assert evil.text.count(NASTY) >= 6
    scripts = [attributes for tag, attributes in evil.tags if tag == "script"]
    assert scripts == [{"src": SCRIPT_PATH}]
    assert {key for _, attributes in evil.tags for key in attributes} == {
        key for _, attributes in plain.tags for key in attributes
    }


def test_nothing_comes_from_elsewhere_and_nothing_in_it_runs() -> None:
    read = Read(PAGE)
    for tag, attributes in read.tags:
        assert not any(name.startswith("on") for name in attributes)
        for name in ("src", "href"):
            assert (attributes.get(name) or "/").startswith("/")
        assert tag not in ("img", "iframe", "object", "form", "base")
    assert [attributes for tag, attributes in read.tags if tag == "script"] == [{"src": SCRIPT_PATH}]
    assert b"@import" not in PAGE
    assert b"url(" not in PAGE
    for allowed in ("default-src 'none'", "script-src 'self'", "frame-ancestors 'none'"):
        assert allowed in POLICY
    assert "unsafe-inline" not in POLICY.partition("script-src")[2].partition(";")[0]
    assert b"innerHTML" not in actions_script()
    assert b"eval(" not in actions_script()


def test_it_fits_a_phone_the_dark_and_a_slow_line() -> None:
    assert b'name="viewport" content="width=device-width, initial-scale=1"' in PAGE
    assert b"color-scheme: light dark" in PAGE
    assert len(PAGE) < 120_000


def test_areas_are_chapters() -> None:
    titles = re.findall(r"<section><h2>(.*?)</h2>", actions_page([operation(), PLAIN, ADD]).decode())
    assert titles == ["Things", "Home Assistant API"]


def test_parameters_stand_in_a_table_with_their_types() -> None:
    text = Read(actions_page([ADD])).text
    for row in ("thingIdstringits id", "kindstring: value or expressionof which kind", "criteriaobject, optional"):
        assert row in text
    assert "criteria.levelany, optionalhow bad" in text
    assert "criteria.limitnumberhow many" in text


# ---------------------------------------------------------------------- examples


def test_a_curl_command_for_reading() -> None:
    words = shlex.split(curl(operation()))
    assert words == ["curl", "-u", "USER:PASSWORD", "http://127.0.0.1:8123/api/things/a%20b%2Fc"]


def test_a_curl_command_with_a_query() -> None:
    words = shlex.split(curl(operation(parameters=(LIST.parameters[0].fields[1],), route="/api/things")))
    assert words[3:] == ["-G", "--data-urlencode", "limit=10", "http://127.0.0.1:8123/api/things"]


def test_a_curl_command_with_a_body() -> None:
    words = shlex.split(curl(ADD))
    assert words[3:7] == ["-X", "POST", "-H", "Content-Type: application/json"]
    assert json.loads(words[8]) == {"kind": "value"}


def test_a_curl_command_for_the_other_door() -> None:
    assert shlex.split(curl(PLAIN)) == ["curl", "-H", "X-HA-Access: PASSWORD", "http://127.0.0.1:8123/api/plain"]


def test_no_example_leaves_its_quotes() -> None:
    words = shlex.split(curl(EVIL))
    assert words[:3] == ["curl", "-u", "USER:PASSWORD"]
    assert len(words) == 7
    assert words[5] == f"{NASTY}[{NASTY}][]={NASTY}"


def test_a_call_over_the_socket() -> None:
    written = re.fullmatch(r"socket\.emit\('call', (.*)\)", call(ADD))
    assert written is not None
    assert json.loads(written[1]) == {"id": "1", "action": "addThing", "params": {"thingId": "a b/c", "kind": "value"}}


def test_what_only_the_socket_can_do_has_no_curl_and_the_other_door_no_socket() -> None:
    assert [code for code in Read(actions_page([ON_SOCKET])).code if "curl" in code] == []
    assert [code for code in Read(actions_page([PLAIN])).code if "socket.emit" in code] == []


@pytest.mark.parametrize("declared", [*OPERATIONS, *HOME_ASSISTANT, *ALL[:-1]], ids=lambda declared: declared.name)
def test_every_example_is_one_command_with_all_that_is_needed(declared: object) -> None:
    declared = next(each for each in (*OPERATIONS, *HOME_ASSISTANT, *ALL) if each is declared)
    if not declared.route:
        return
    words = shlex.split(curl(declared))
    address = urlsplit(words[-1])
    assert (words[0], address.netloc, address.query) == ("curl", "127.0.0.1:8123", "")
    assert "{" not in address.path
    body = json.loads(words[words.index("-d") + 1]) if "-d" in words else {}
    query = parse_qs("&".join(words[i + 1] for i, word in enumerate(words) if word == "--data-urlencode"))
    sent = {*body, *(name.partition("[")[0] for name in query)}
    assert {known.name for known in declared.parameters if known.required and known.where == "data"} <= sent | (
        {known.name for known in declared.parameters if known.type == "object" and not known.fields}
    )
