"""Pages of other origins may ask if the configuration names them; ours always may."""

from __future__ import annotations

import pytest

from hallway.api.cors import Origins
from hallway.errors import Forbidden

ORIGINS = Origins(["https://panel.example", "http://10.0.0.2:8080"])


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        (b"", b"hub"),
        (b"http://hub:8123", b"hub:8123"),
        (b"http://HUB:8123", b"hub:8123"),
        (b"https://panel.example", b"hub"),
        (b"https://Panel.Example", b"hub"),
        (b"http://10.0.0.2:8080", b"hub"),
    ],
)
def test_these_may_ask(origin: bytes, host: bytes) -> None:
    ORIGINS.check(origin, host)


@pytest.mark.parametrize(
    "origin", [b"https://evil.example", b"null", b"http://panel.example", b"http://10.0.0.2", b"hub", b"\xff"]
)
def test_these_may_not(origin: bytes) -> None:
    with pytest.raises(Forbidden, match="cors_origins"):
        ORIGINS.check(origin, b"hub")
    assert ORIGINS.headers(origin) == []


def test_the_browser_is_told_of_that_one_origin() -> None:
    headers = dict(ORIGINS.headers(b"https://panel.example"))
    assert headers[b"access-control-allow-origin"] == b"https://panel.example"
    assert headers[b"access-control-allow-credentials"] == b"true"
    assert headers[b"vary"] == b"Origin"


def test_a_browser_learns_beforehand_what_may_be_sent() -> None:
    headers = dict(ORIGINS.preflight(b"https://panel.example"))
    assert b"PATCH" in headers[b"access-control-allow-methods"]
    assert b"Authorization" in headers[b"access-control-allow-headers"]
    assert headers[b"access-control-allow-origin"] == b"https://panel.example"
