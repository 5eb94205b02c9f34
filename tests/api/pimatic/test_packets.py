"""Packets of Socket.IO: what clients send is read or refused, what we send is ASCII."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hallway.api.pimatic.packets import Incoming, connected, event, read, refused
from hallway.errors import InvalidInput


@pytest.mark.parametrize(
    ("text", "packet"),
    [
        ("0", Incoming("0")),
        ('0{"username":"a"}', Incoming("0", "/", {"username": "a"})),
        ("0/foo", Incoming("0", "/foo")),
        ("0/foo,", Incoming("0", "/foo")),
        ("0/foo?a=b,", Incoming("0", "/foo")),
        ("1", Incoming("1")),
        ('2["call",{"id":"ü"}]', Incoming("2", "/", ["call", {"id": "ü"}])),
        ('217["call"]', Incoming("2", "/", ["call"])),
        ('2/foo,17["a","/x,y"]', Incoming("2", "/foo", ["a", "/x,y"])),
        ("31[1]", Incoming("3", "/", [1])),
        ('2["\\n"]', Incoming("2", "/", ["\n"])),
    ],
)
def test_packets_are_read(text: str, packet: Incoming) -> None:
    assert read(text) == packet


@pytest.mark.parametrize("text", ["", "5", '51-["x"]', "6", "x", "2[", "2[1]]", "2nonsense", '2["\ud800"]', "-1"])
def test_what_is_no_packet_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        read(text)


@given(st.text(max_size=30))
def test_no_text_does_any_harm(text: str) -> None:
    for sent in (text, f"2{text}", f'2["call",{text}]'):
        try:
            packet = read(sent)
        except InvalidInput:
            continue
        assert packet.kind in "01234"


def test_what_is_sent_is_ascii() -> None:
    packet = event("messageLogged", '{"msg":"ü 😀"}'.encode(), "key")
    assert packet.text == b'42["messageLogged",{"msg":"\\u00fc \\ud83d\\ude00"}]'
    assert packet.frame == bytes((0x81, len(packet.text))) + packet.text
    assert packet.key == "key"


def test_both_ages_of_clients_are_told_in_their_way() -> None:
    assert connected(3, "abc").text == b"40"
    assert connected(4, "abc").text == b'40{"sid":"abc"}'
    assert refused(3, "/", "no").text == b'44"no"'
    assert refused(4, "/", "no").text == b'44{"message":"no"}'
