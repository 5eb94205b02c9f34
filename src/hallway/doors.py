"""The doors of a hub, built around its parts: who may come in, what can be asked, what is told live.

Part of the composition root. It must not hold logic of what it connects.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from hallway import __version__
from hallway.access.cookies import Cookies
from hallway.access.entrance import Entrance
from hallway.access.gate import Gate
from hallway.api.cors import Origins
from hallway.api.engineio.door import PATHS, EngineDoor
from hallway.api.engineio.engine import Engine, EngineLimits
from hallway.api.front import App, Front, Late, Page
from hallway.api.homeassistant.door import HomeAssistantDoor
from hallway.api.operations.base import Hub
from hallway.api.operations.forms import event_bytes
from hallway.api.operations.homeassistant_table import OPERATIONS as OF_HOME_ASSISTANT
from hallway.api.operations.pimatic.recent import Recent
from hallway.api.operations.table import OPERATIONS as FOR_PEOPLE
from hallway.api.pimatic.addresses import ACTIONS, CLIENT, HTML, JAVASCRIPT, POLICY, SCRIPT_PATH
from hallway.api.pimatic.calls import Calls
from hallway.api.pimatic.door import PimaticDoor
from hallway.api.pimatic.socket import PimaticSocket
from hallway.api.server import Server, ServerLimits
from hallway.api.stream import Streams
from hallway.home.changes import AnyChange, Defined
from hallway.home.values import Attributes, Value, encode
from hallway.settings import HttpSettings
from hallway.store.store import Store


class Credentials:
    """What sessions need to outlive a restart, kept in the store."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._kept = {key: found.body or {} for key, found in store.definitions("credential").items()}

    def kept(self, name: str) -> Mapping[str, Value]:
        """What was kept under that name, empty when nothing was."""
        return self._kept.get(name, {})

    async def keep(self, name: str, body: Attributes) -> None:
        """Keep it; done when it would survive a crash."""
        await self._store.define("credential", name, body, "hallway", "access")


class Doors:
    """All that listens at the port of a hub, and the parts of it that have a life of their own."""

    def __init__(
        self,
        hub: Hub,
        gate: Gate,
        store: Store,
        recent: Recent,
        http: HttpSettings,
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        clock = hub.home.clock
        self._home = hub.home
        origins = Origins(http.cors_origins)
        if not http.open:
            # where people log in, the API of 2014 is not for strangers either, though it may have no password
            gate.close_while(lambda: hub.people.log_in)
        self.cookies = Cookies(hub.people, clock, Credentials(store))
        self.streams = Streams(hub.home.bus, clock, loop, event_bytes)
        entrance = Entrance(hub.people, self.cookies)
        calls = Calls(hub, FOR_PEOPLE)
        socket = PimaticSocket(calls, entrance, hub.forms, recent, loop, origins)
        hub.announcements.subscribe(socket.announce)
        hub.home.changes.subscribe(self._follow, Defined)
        most = http.max_connections
        self._engine = Engine(socket.accept, clock, EngineLimits(most, max(1, most // 2)))
        sockets = EngineDoor(self._engine)
        apps: dict[bytes, App] = dict.fromkeys(PATHS, sockets)
        front = Front(
            HomeAssistantDoor(hub, gate, self.streams, http.max_body, entrance),
            pages(),
            PimaticDoor(calls, entrance, http.max_body, origins, documents()),
            apps,
        )
        limits = ServerLimits(http.max_connections, http.request_timeout, http.idle_timeout)
        self.server = Server(front, front.at_once, clock, limits, sockets.upgrade)

    def _follow(self, change: AnyChange) -> None:
        """Whoever changed or went must not hear on as who they were."""
        if isinstance(change, Defined) and change.kind in ("user", "role", "setting"):
            self._home.changes.after(self.streams.look_again)

    def end_live(self) -> None:
        """Say good-bye to everybody who is told things live."""
        self.streams.end_all()
        self._engine.end_all()


def pages() -> dict[str, Page]:
    """What stands at fixed addresses. Only the page about the hub itself is for those alone who may come in."""
    return {
        "/": Page(HTML, Late(_index), for_all=False),
        "/api/openapi.json": Page("application/json", Late(_openapi)),
        ACTIONS: Page(HTML, Late(_actions), POLICY),
        SCRIPT_PATH: Page(JAVASCRIPT, Late(_actions_script)),
        CLIENT: Page(JAVASCRIPT, Late(_client)),
    }


def documents() -> dict[str, Page]:
    """What the door of people has for those who have come in."""
    return {"/": Page(HTML, Late(_index)), "/api": Page(HTML, Late(_description))}


# What writes these pages is loaded with the first of them: it takes two megabytes, and few hubs are ever asked.


def _index() -> bytes:
    from importlib import resources  # noqa: PLC0415

    return resources.files("hallway").joinpath("web/index.html").read_bytes()


def _openapi() -> bytes:
    from hallway.api.openapi import document  # noqa: PLC0415

    return encode(document(OF_HOME_ASSISTANT, __version__, FOR_PEOPLE))


def _actions() -> bytes:
    from hallway.api.pimatic.actions_page import actions_page  # noqa: PLC0415

    return actions_page((*FOR_PEOPLE, *OF_HOME_ASSISTANT))


def _actions_script() -> bytes:
    from hallway.api.pimatic.actions_page import actions_script  # noqa: PLC0415

    return actions_script()


def _client() -> bytes:
    from hallway.api.pimatic.client_js import client_script  # noqa: PLC0415

    return client_script(FOR_PEOPLE)


def _description() -> bytes:
    from hallway.api.pimatic.describing import description_text  # noqa: PLC0415

    return description_text(FOR_PEOPLE)
