"""The composition root: builds the hub from its parts, starts it in order, and ends it in order.

The only place that knows all parts. It must not hold logic of any of them.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import secrets
from collections.abc import Callable, Coroutine
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol, cast
from zoneinfo import ZoneInfo

from hallway import __version__
from hallway.access.gate import DOOR, Gate
from hallway.access.passwords import hash_password, is_password
from hallway.api.operations.base import Hub, Info
from hallway.api.operations.pimatic.attribute_times import logging_of
from hallway.api.operations.pimatic.forms import Forms
from hallway.api.operations.pimatic.history import PastHistory
from hallway.api.operations.pimatic.kept import Kept, KeptKind
from hallway.api.operations.pimatic.message_times import lifetime
from hallway.api.operations.pimatic.recent import Recent
from hallway.clock import Clock, SystemClock
from hallway.definitions import populate
from hallway.doors import Doors
from hallway.errors import HallwayError, InvalidInput
from hallway.home.bus import HUB_START, HUB_STOP
from hallway.home.calls import Call, done
from hallway.home.changes import Context
from hallway.home.home import START, Home
from hallway.home.logbook import write_logbook
from hallway.home.saved import restore
from hallway.home.services import Asked, Offered
from hallway.home.values import Attributes
from hallway.language.expressions import parse
from hallway.language.kinds import built_in
from hallway.language.rules import RuleParser
from hallway.links.forwarding import EventForwarding
from hallway.links.line import ThreadLine
from hallway.links.status import forget_links
from hallway.plugins.builtin.processes import ProcessSource, Watch
from hallway.plugins.builtin.webhook import Hook, Webhooks
from hallway.remembering import Remembering
from hallway.residents import FirstPeople, people_of
from hallway.rules.engine import RuleEngine
from hallway.rules.insight import Insight
from hallway.rules.sun import Place
from hallway.safekeeping import Safekeeping
from hallway.secrecy import KINDS as SECRET_KINDS
from hallway.secrecy import Secrecy
from hallway.settings import ConfigurationError, LinkSettings, Settings, load
from hallway.store.postgres.address import need_driver
from hallway.store.store import Store

if TYPE_CHECKING:
    from hallway.elsewhere import Elsewhere
    from hallway.links.following import Follower

log = logging.getLogger(__name__)

PATIENCE = 5.0
YOUNG_OBJECTS = 5000
"""So many new ones before Python looks for circles among them. What a change leaves only waits for its batch: with
Python's 700 it was looked at again and again, which took two of the thirty microseconds of a write in the loop."""


class Source(Protocol):
    """Something that feeds devices while the hub runs."""

    def start(self) -> None: ...
    def stop(self) -> None: ...


class App:
    """One hub: its parts, and the order in which they start and end."""

    def __init__(self, directory: Path, settings: Settings, loop: asyncio.AbstractEventLoop) -> None:
        self.clock: Clock = SystemClock(loop)
        self._directory = directory
        self._settings = settings
        self.again = False
        self._loop = loop
        self._stopping = asyncio.Event()
        elsewhere = _elsewhere(settings)
        if elsewhere is not None:
            keeper, url = elsewhere
            keeper.fetch(directory, url, self.clock)
        self.store = Store.open(directory, self.clock, settings.store.values_every)
        saved = self.store.saved
        self.home = Home(
            self.clock,
            hub_id=self._hub_id(),
            language=parse,
            seq=saved.seq,
            kept_ids=dict(saved.kept_ids),
            time_zone=ZoneInfo(settings.home.time_zone),
        )
        self._language = RuleParser(built_in())
        self.home.rules.language = self._language
        self.parked, problems = populate(self.home, settings, self.store.definitions)
        if problems:
            raise ConfigurationError(problems)
        self._secrecy = Secrecy(self.home, settings, self._bodies(SECRET_KINDS))
        self._sources: list[Source] = self._built_in_sources()
        self.safekeeping = Safekeeping(self.home, self.store, directory, settings.backup, loop)
        self.safekeeping.backups.define()
        restore(self.home, saved)
        self.gate = Gate(self.clock)
        self._followers = {follower_name(link): link for link in settings.links}
        self._following: dict[str, Follower] = {}
        self.forwarding = EventForwarding(
            self.home,
            self.store,
            self._line_to,
            {(link.host, link.port): f"link:{name}" for name, link in self._followers.items()},
        )
        self.rules = RuleEngine(self.home, self._language, self.clock, saved.notes, self._place())
        write_logbook(self.home)
        self._recent = Recent(self.home)
        kept = self._kept_for_pimatic()
        self._elsewhere = None
        if elsewhere is not None:
            keeper, url = elsewhere
            self._elsewhere = keeper(url, directory, self.home, self.store, self.clock, loop)
        archive = None if self._elsewhere is None else self._elsewhere.archive
        self.remembering = Remembering(
            directory, settings.history, self.home, self.clock, partial(logging_of, kept), lifetime(kept), archive
        )
        self.safekeeping.watch_past(lambda: self.remembering.problem, lambda: self.remembering.past.flow.waiting)
        self.safekeeping.watch_elsewhere(self._problem_elsewhere)
        self.rules.keep_in(self.remembering.changes, self.remembering.traces)
        hub = self._hub(kept)
        self._first = FirstPeople(hub.people, self.home, settings.users, self.store.definitions("user"))
        self.doors = Doors(hub, self.gate, self.store, self._recent, settings.http, loop)
        self._background: set[asyncio.Task[None]] = set()

    # ------------------------------------------------------------------ parts

    def _place(self) -> Place | None:
        """Where the home is, if that is known."""
        home = self._settings.home
        if home.latitude is None or home.longitude is None:
            return None
        return Place(home.latitude, home.longitude, home.elevation)

    def _hub_id(self) -> str:
        """The name by which hubs of our kind know this one; made once and kept."""
        return self._kept("hub", "id").get("id") or secrets.token_hex(8)

    def _kept(self, kind: str, key: str) -> dict[str, str]:
        """A definition of our own, its values as text; empty when there is none."""
        kept = self.store.definitions(kind).get(key)
        return {} if kept is None or kept.body is None else {name: str(value) for name, value in kept.body.items()}

    def _built_in_sources(self) -> list[Source]:
        home, sources = self._settings.home, list[Source]()
        if home.latitude is not None and home.longitude is not None:
            if "sun" in self.home.devices:
                log.warning("there is a device sun in the configuration: the sun itself is not shown")
            else:
                from hallway.plugins.builtin.sun import SunSource  # noqa: PLC0415 - a home without a place has no sun

                sun = SunSource(self.home, home.latitude, home.longitude, home.elevation)
                sun.define()
                sources.append(sun)
        processes = ProcessSource(self.home, tuple(Watch(p.name, p.match, p.every) for p in self._settings.processes))
        processes.define()
        hooks = tuple(Hook(each.name, each.url, each.body) for each in self._settings.notify)
        return [*sources, processes, Webhooks(self.home, hooks)]

    def _hub(self, kept: Kept) -> Hub:
        home = self._settings.home
        info = Info(
            home.name,
            __version__,
            home.latitude,
            home.longitude,
            home.time_zone,
            cast("Literal['metric', 'imperial']", home.unit_system),
        )
        return Hub(
            self.home,
            info,
            self.forwarding,
            self._told,
            self._components,
            self.store,
            people_of(self.clock, self.home, self.store.definitions),
            Forms(self.home, self._recent),
            kept,
            PastHistory(self.remembering.past, self.remembering.past.tidy),
            self.remembering.messages,
            rule_language=self._language,
            rule_insight=Insight(self.home, self._language, self.rules, self._place()),
            revisions=self.store.revisions,
            past=self.remembering.past,
            past_status=self._past_status,
            backups=self.safekeeping.backups,
            restart=self.restart,
        )

    def _problem_elsewhere(self) -> str | None:
        return None if self._elsewhere is None else self._elsewhere.problem

    async def _past_status(self) -> Attributes:
        """How the past is kept, and the database where there is one."""
        told = await self.remembering.status()
        return told if self._elsewhere is None else told | {"database": self._elsewhere.status()}

    def _kept_for_pimatic(self) -> Kept:
        kept = Kept(self.home)
        kinds: tuple[KeptKind, ...] = ("plugin", "setting")
        for kind in kinds:
            known = self.store.definitions(kind).items()
            kept.load(kind, {key: definition.body for key, definition in known if definition.body is not None})
        return kept

    def _bodies(self, kinds: tuple[str, ...]) -> dict[tuple[str, str], Attributes]:
        """What the store has of some kinds, by kind and id."""
        known = ((kind, key, each.body) for kind in kinds for key, each in self.store.definitions(kind).items())
        return {(kind, key): body for kind, key, body in known if body is not None}

    def _told(self, link: str, event_type: str, data: Attributes, context: Context) -> None:
        """An event came in: from a hub that we follow, or from anybody else."""
        follower = self._following.get(link)
        if follower is not None:
            follower.told(event_type, data, context.hops)
        else:
            self.home.fire(event_type, data, context, remote=True)

    def _components(self) -> list[str]:
        owned = self.home.entities.owners.items()
        domains = {entity_id.partition(".")[0] for entity_id, owner in owned if not owner.told_by}
        return ["api", "http", *sorted(domains)]

    # ------------------------------------------------------------------ life

    async def start(self, host: str, port: int) -> int:
        """Everything is restored; now listen and let things happen. The port that the hub listens on."""
        self.home.services.register("homeassistant", "stop", Offered("End the hub", (), _anything, self._stop), START)
        self.home.services.elsewhere = self._may_be_elsewhere
        self.store.attach(self.home, self._loop)
        if not self._kept("hub", "id"):
            self._in_background(self._keep("hub", "id", {"id": self.home.hub_id}))
        self._open_gate()
        self._first.admit()
        self._in_background(self._first.keep())
        await self.doors.cookies.start()
        forget_links(self.home)
        for key in self.store.definitions("forwarding"):
            registered = self._kept("forwarding", key)
            self.forwarding.restore(registered["host"], int(registered["port"]), registered["api_password"])
        port = await self.doors.server.start(host, port)
        if self._elsewhere is not None:
            past = self.remembering
            self._elsewhere.start(past.file, past.traces, past.past.flow.hurry)
        self.remembering.start()
        for name, link in self._followers.items():
            self._follow(name, link, port)
        self.rules.start()
        for source in self._sources:
            source.start()
        self.safekeeping.start()
        self.home.fire(HUB_START, {}, START)
        gc.collect()
        gc.freeze()
        gc.set_threshold(YOUNG_OBJECTS)
        return port

    def add_source(self, source: Source) -> None:
        """Feed devices by this too, from the start on."""
        self._sources.append(source)

    def _may_be_elsewhere(self, domain: str, service: str) -> bool:
        """Whether another hub could have a service that this one has not."""
        return len(self.forwarding) > 0 or any(f.offers(domain, service) for f in self._following.values())

    def _open_gate(self) -> None:
        kept_hash = self._kept("credential", DOOR).get("hash", "")
        password = self._settings.http.api_password
        if self._settings.http.open:
            self._warn_of_open_door()
        elif password:
            self.gate.set_password(password=password)
            self._in_background(self._keep_password(password, kept_hash))
        elif kept_hash:
            log.info(
                "the password of an earlier start is still in force; `http: {open: true}` would open the API to all"
            )
            self.gate.set_password(kept_hash=kept_hash)
        elif not self._settings.users and not self.store.definitions("user"):
            self._warn_of_open_door()

    def _warn_of_open_door(self) -> None:
        log.warning(
            "the API is open to everybody who reaches this hub, and to every page in a browser on it: "
            "set http: api_password in the configuration"
        )

    async def _keep_password(self, password: str, kept_hash: str) -> None:
        """Keep the hash, so that the password may be taken out of the file."""
        secret = password.encode()
        unchanged = bool(kept_hash) and await asyncio.to_thread(is_password, secret, kept_hash)
        if not unchanged:
            new_hash = await asyncio.to_thread(hash_password, secret)
            await self._keep("credential", DOOR, {"hash": new_hash})

    async def _keep(self, kind: str, key: str, body: Attributes) -> None:
        try:
            await self.store.define(kind, key, body, "hallway", "start")
        except HallwayError as error:
            log.warning("%s %s could not be kept: %s", kind, key, error)

    def _line_to(self, host: str, port: int, password: str) -> ThreadLine:
        from hallway.links.peer import Peer  # noqa: PLC0415 - it brings http.client, and most hubs know no other

        self._secrecy.learn(password)
        return ThreadLine(Peer(host, port, password), self.clock)

    def _follow(self, name: str, link: LinkSettings, port: int) -> None:
        from hallway.links.following import Announced, Follower  # noqa: PLC0415 - most hubs follow no other

        token = secrets.token_urlsafe(32)
        self.gate.admit_link(name, token)
        announced = Announced(link.announce or self._settings.http.announce or "", port, token)

        def line_there() -> ThreadLine:
            return self._line_to(link.host, link.port, link.api_password or "")

        self._following[name] = Follower(self.home, name, line_there, announced, self.forwarding)
        self._following[name].start()

    def _in_background(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    def _stop(self, _asked: Asked) -> Call:
        self.request_stop()
        return done()

    def request_stop(self) -> None:
        """End in good order, soon."""
        self._loop.call_soon(self._stopping.set)

    def restart(self) -> None:
        """End in good order, to be started again. InvalidInput: the configuration as it stands now would not do."""
        try:
            load(self._directory)
        except ConfigurationError as error:
            raise InvalidInput(f"the hub would not start again, mend its configuration first: {error}") from None
        self.again = True
        self.request_stop()

    async def stopped(self) -> None:
        """Until somebody wants it to end."""
        await self._stopping.wait()

    async def stop(self) -> None:
        """End in good order: tell everybody, answer what was asked, keep everything."""
        self.home.fire(HUB_STOP, {}, Context("stop"))
        self.doors.end_live()
        self.safekeeping.stop()
        for source in self._sources:
            source.stop()
        self.rules.stop()
        await self.doors.server.stop(PATIENCE)
        await asyncio.gather(*(follower.stop() for follower in self._following.values()), return_exceptions=True)
        await self.forwarding.stop()
        for task in list(self._background):
            task.cancel()
        if self._elsewhere is not None:
            await self._elsewhere.pause()
        await self.remembering.close()
        await self.store.close()
        await self.safekeeping.finish()
        if self._elsewhere is not None:
            await self._elsewhere.finish()


def _anything(_data: Attributes) -> None:
    """Every data is right."""


def _elsewhere(settings: Settings) -> tuple[type[Elsewhere], str] | None:
    """What keeps a home in a database too, and its URL, where one is set: only then its driver has to be there."""
    if settings.store.url is None:
        return None
    need_driver()
    from hallway.elsewhere import Elsewhere  # noqa: PLC0415

    return Elsewhere, settings.store.url


def follower_name(link: LinkSettings) -> str:
    """The name of a hub that we follow."""
    return link.name or f"{link.host}:{link.port}"


Started = Callable[[App, int], None]


async def serve(
    directory: Path, settings: Settings, host: str, port: int, started: Started, prepare: Callable[[App], None]
) -> bool:
    """Run a hub until it is asked to end; whether it is to be started again.

    `prepare` may add sources, `started` is called once it listens.
    """
    app = App(directory, settings, asyncio.get_running_loop())
    try:
        prepare(app)
        listening = await app.start(host, port)
        started(app, listening)
        await app.stopped()
    finally:
        await app.stop()
    return app.again
