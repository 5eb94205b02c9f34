"""Bodies of polls: what clients of both revisions send and read, byte by byte."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hallway.api.engineio import payloads
from hallway.errors import InvalidInput

TEXTS = st.lists(st.text(min_size=1).filter(lambda text: "\x1e" not in text and text.isprintable()), max_size=5)


def twice(text: str) -> bytes:
    """As old clients write a packet: UTF-8 twice, the length counts the bytes of the first."""
    once = text.encode()
    return b"%d:%b" % (len(once), once.decode("latin-1").encode())


def once(text: str) -> bytes:
    """As newer ones do: the length counts units of UTF-16."""
    return b"%d:%b" % (len(text.encode("utf-16-le")) // 2, text.encode())


def in_binary(text: str) -> bytes:
    data = text.encode()
    return b"\x00" + bytes(map(int, str(len(data)))) + b"\xff" + data


def test_packets_are_counted_as_text() -> None:
    assert payloads.counted([b"2", b'42["a"]']) == b'1:27:42["a"]'


def test_packets_are_counted_in_binary() -> None:
    assert payloads.counted_in_binary([b"40", b"x" * 120]) == b"\x00\x02\xff40\x00\x01\x02\x00\xff" + b"x" * 120


def test_packets_of_revision_4_are_separated() -> None:
    assert payloads.separated([b"2", b"40{}"]) == b"2\x1e40{}"


@pytest.mark.parametrize(
    ("body", "packets"),
    [
        (b"1:2", ["2"]),
        (b"1:21:2", ["2", "2"]),
        (b"5:42[1]6:2probe", ["42[1]", "2probe"]),
        (b"", []),
        (b"0:", [""]),
        (twice('42["ü ☃"]'), ['42["ü ☃"]']),
        (once('42["ü ☃"]'), ['42["ü ☃"]']),
        (once('42["😀"]') + once("2"), ['42["😀"]', "2"]),
        (twice('42["😀"]') + b"1:2", ['42["😀"]', "2"]),
    ],
)
def test_text_of_revision_3_is_read_in_either_encoding(body: bytes, packets: list[str]) -> None:
    assert payloads.read_counted(body) == packets


@pytest.mark.parametrize(
    "body",
    [
        b"hello",
        b":2",
        b"2",
        b"5:2",
        b"-1:2",
        b"1.5:2",
        b"\xb2:22",
        "²:22".encode(),
        b"9999999999:2",
        b"1:\xff",
        b"1:" + "😀".encode(),
        b"1:2" * 1001,
    ],
)
def test_what_is_no_text_of_revision_3_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidInput):
        payloads.read_counted(body)


@pytest.mark.parametrize(
    ("body", "packets"),
    [
        (b"\x00\x01\xff2", ["2"]),
        (b"\x00\x01\xff2\x00\x02\xff40", ["2", "40"]),
        (in_binary('42["ü☃"]') + in_binary("2"), ['42["ü☃"]', "2"]),
        (b"\x00\x07\xff" + '42["ü"]'.encode() + in_binary("2"), ['42["ü"]', "2"]),
    ],
)
def test_binary_of_revision_3_is_read_however_it_is_counted(body: bytes, packets: list[str]) -> None:
    assert payloads.read_counted_in_binary(body) == packets


@pytest.mark.parametrize(
    "body",
    [
        b"\x01\x02\xff4x",
        b"\x00\xff2",
        b"\x00\x01",
        b"\x00\x0b\xff2",
        b"\x00\x09\xff2",
        b"\x02\x01\xff2",
        b"\x00\x01\xff\xff",
        b"\x00\x01\xff2" * 1001,
    ],
)
def test_what_is_no_binary_of_revision_3_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidInput):
        payloads.read_counted_in_binary(body)


def test_revision_4_is_read() -> None:
    assert payloads.read_separated('2\x1e42["ü"]'.encode()) == ["2", '42["ü"]']


@pytest.mark.parametrize("body", [b"\xff", b"\x1e".join([b"2"] * 1001)])
def test_what_is_no_body_of_revision_4_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidInput):
        payloads.read_separated(body)


@given(TEXTS)
def test_whatever_is_said_is_read_again(texts: list[str]) -> None:
    assert payloads.read_counted(b"".join(map(once, texts))) == [same_or_undoubled(text) for text in texts]
    assert payloads.read_counted_in_binary(b"".join(map(in_binary, texts))) == [same_or_undoubled(t) for t in texts]


def same_or_undoubled(text: str) -> str:
    """A text that happens to look like a double encoding is taken for one."""
    try:
        return text.encode("latin-1").decode()
    except UnicodeError:
        return text


@given(st.binary(max_size=40))
def test_no_body_does_any_harm(body: bytes) -> None:
    for read in (payloads.read_counted, payloads.read_counted_in_binary, payloads.read_separated):
        with contextlib.suppress(InvalidInput):
            assert all(isinstance(packet, str) for packet in read(body))
