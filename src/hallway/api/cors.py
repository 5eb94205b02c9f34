"""Pages of other origins: which of them may ask the hub from somebody's browser, and what that browser has to be told.

It must not know doors.
"""

from __future__ import annotations

from collections.abc import Iterable

from hallway.api.answer import Headers
from hallway.errors import Forbidden

_METHODS = b"GET, HEAD, POST, PATCH, DELETE"
_HEADERS = b"Authorization, Content-Type, If-Match, X-HTTP-Method-Override"
_REMEMBERED_FOR = b"600"


class Origins:
    """The origins that may, beside the hub's own: `https://panel.example`, as browsers write them."""

    def __init__(self, allowed: Iterable[str] = ()) -> None:
        self._allowed = frozenset(origin.rstrip("/").lower().encode() for origin in allowed)

    def check(self, origin: bytes, host: bytes) -> None:
        """Forbidden: the page that asks came from elsewhere, and nobody allowed it."""
        if origin and not self.is_allowed(origin) and origin.partition(b"://")[2].lower() != host.lower():
            raise Forbidden(
                f"a page of {origin.decode('latin-1')[:60]} asks this of your browser: "
                "add that to http: cors_origins in the configuration if it may"
            )

    def is_allowed(self, origin: bytes) -> bool:
        """Whether that origin is one of those in the configuration."""
        return origin.lower() in self._allowed

    def headers(self, origin: bytes) -> Headers:
        """What goes along with an answer, so that the page of an allowed origin gets to see it."""
        if not self.is_allowed(origin):
            return []
        return [
            (b"access-control-allow-origin", origin),
            (b"access-control-allow-credentials", b"true"),
            (b"access-control-expose-headers", b"ETag, X-Hallway-Revision"),
            (b"vary", b"Origin"),
        ]

    def preflight(self, origin: bytes) -> Headers:
        """What a browser wants to know before it lets a page of that origin ask."""
        return [
            *self.headers(origin),
            (b"access-control-allow-methods", _METHODS),
            (b"access-control-allow-headers", _HEADERS),
            (b"access-control-max-age", _REMEMBERED_FOR),
        ]
