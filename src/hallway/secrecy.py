"""What must not stand in a message or in the text of a trace: passwords and tokens.

Those of the configuration, of definitions, and of other hubs. Part of the composition root. It must not know what
becomes of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from urllib.parse import quote, unquote, urlsplit

from hallway.api.operations.pimatic.blanking import secrets_in
from hallway.home.changes import AnyChange, Defined
from hallway.home.home import Home
from hallway.home.values import Attributes
from hallway.settings import Settings

KINDS = ("plugin", "setting", "forwarding")
"""Kinds of kept definitions that may hold secrets, beside devices."""
REMEMBERED = 20
"""As many secrets of one thing are known."""


class Secrecy:
    """Tells the messages of a home what is secret, from the beginning on and whenever something is edited."""

    def __init__(self, home: Home, settings: Settings, kept: Mapping[tuple[str, str], Attributes]) -> None:
        self._home = home
        self._known: dict[tuple[str, str], tuple[str, ...]] = {("file", ""): tuple(_of_settings(settings))}
        for (kind, key), body in kept.items():
            self._note(kind, key, body)
        for device in home.devices.values():
            self._note("device", device.id, device.config)
        home.messages.hide(self._all())
        home.changes.subscribe(self._follow, Defined)

    def learn(self, secret: str) -> None:
        """This is one too, from now on."""
        if secret and ("", secret) not in self._known:
            self._known["", secret] = (secret,)
            self._home.messages.hide(self._all())

    def _follow(self, change: AnyChange) -> None:
        if (
            isinstance(change, Defined)
            and change.kind in ("device", *KINDS)
            and self._note(change.kind, change.key, change.new)
        ):
            self._home.messages.hide(self._all())

    def _note(self, kind: str, key: str, body: Attributes | None) -> bool:
        """Whether there is another secret than before. What was one just now stays one: it may still be in use."""
        before = self._known.get((kind, key), ())
        found = tuple(dict.fromkeys((*before, *(secrets_in(body) if body else ()))))[-REMEMBERED:]
        if found != before:
            self._known[kind, key] = found
        return found != before

    def _all(self) -> list[str]:
        return [form for secrets in self._known.values() for secret in secrets for form in _forms(secret)]


def _forms(secret: str) -> tuple[str, ...]:
    """As it was written, as it is meant when that stands in an address, and as it would stand there."""
    meant = unquote(secret)
    return secret, meant, quote(secret, safe=""), quote(meant, safe="")


def _of_settings(settings: Settings) -> Iterator[str]:
    yield settings.http.api_password or ""
    for link in settings.links:
        yield link.api_password or ""
    for user in settings.users:
        yield user.password or ""
    yield (urlsplit(settings.store.url).password or "") if settings.store.url else ""
    for way in settings.notify:
        yield way.url
