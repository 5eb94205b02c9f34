"""A hub in memory over a real store, whose edits can be undone: asked as the doors ask, restarted, killed.

The whole of what people define can be looked at in one piece.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any, cast

import msgspec

from hallway.access.callers import EVERYTHING, Caller, granted
from hallway.access.roles import BUILT_IN
from hallway.api.operations.differences import essence
from hallway.api.operations.pimatic.configuration import variable_definition
from hallway.api.operations.pimatic.forms import Forms
from hallway.api.operations.pimatic.kept import Kept
from hallway.api.operations.pimatic.recent import Recent
from hallway.api.operations.table import OPERATIONS
from hallway.api.pimatic.calls import Calls
from hallway.clock import VirtualClock
from hallway.definitions import load_kept
from hallway.home.changes import Context, Kind
from hallway.home.home import Home
from hallway.home.saved import restore
from hallway.home.values import Attributes
from hallway.language.expressions import parse
from hallway.language.kinds import built_in
from hallway.language.rules import RuleParser
from hallway.residents import people_of
from hallway.store.store import Store
from tests.api.operations.pimatic.desk import Desk, asked
from tests.store.homes import committed, leave_as_killed

NOW = 1_800_000_000.0
ANN = Caller("ann", EVERYTHING, Context("pimatic", user="ann"), role="admin")
ORDERED: tuple[Kind, ...] = ("device", "variable", "rule", "page", "group", "scene")
FILED: Attributes = {"id": "filed", "class": "DummySwitch", "name": "Of the file"}
Picture = dict[tuple[str, str], Any]


def somebody(**permissions: Any) -> Caller:
    """A caller with these permissions."""
    return Caller("bob", granted(permissions), Context("pimatic", user="bob"), role="bob")


class Revised:
    """A hub, and what it keeps in a directory. One device stands in the file."""

    def __init__(self, folder: Path) -> None:
        self.clock = VirtualClock(NOW)
        self._folder = folder
        self._directory = folder / "0"
        self._ends = 0
        self.begin()

    # ------------------------------------------------------------------ life

    def begin(self) -> None:
        self.store = Store.open(self._directory, self.clock, 5)
        saved = self.store.saved
        self.home = Home(self.clock, language=parse, seq=saved.seq, kept_ids=dict(saved.kept_ids))
        language = RuleParser(built_in())
        self.home.rules.language = language
        self.home.add_device(FILED, "file")
        load_kept(self.home, self.store.definitions)
        self.home.bind_formulas()
        restore(self.home, saved)
        self.people = people_of(self.clock, self.home, self.store.definitions)
        if self.people.role("admin") is None:
            self.people.put_role("admin", BUILT_IN["admin"].permissions)
        kept = Kept(self.home)
        for kind in ("plugin", "setting"):
            known = self.store.definitions(kind).items()
            kept.load(cast("Any", kind), {key: found.body for key, found in known if found.body is not None})
        self.hub = msgspec.structs.replace(
            Desk().hub,
            home=self.home,
            store=self.store,
            people=self.people,
            forms=Forms(self.home, Recent(self.home)),
            kept=kept,
            revisions=self.store.revisions,
        )
        self._calls = Calls(self.hub, OPERATIONS)
        self.store.attach(self.home, asyncio.get_running_loop())

    async def restart(self) -> None:
        await self.store.close()
        self.begin()

    async def kill(self) -> None:
        """As with kill -9: the next hub finds what stands on the disk just now."""
        self._ends += 1
        left = leave_as_killed(self._directory, self._folder / str(self._ends))
        await self.store.close()
        self._directory = left
        self.begin()

    async def commit(self) -> None:
        """Let everything get out of the redo log into home.db."""
        await committed(self.store, self.clock)

    # ------------------------------------------------------------------ asking

    async def ask(self, name: str, /, caller: Caller = ANN, **data: Any) -> Any:
        """The result of an operation, as its JSON reads."""
        return await asked(self._calls, self.hub, name, caller, data)

    async def newest(self, **data: Any) -> Any:
        """The newest revision, as the list tells it."""
        return (await self.ask("getRevisions", limit=1, **data))[0]

    # ------------------------------------------------------------------ looking

    def picture(self) -> Picture:
        """All that people define, without values."""
        home = self.home
        bodies: dict[tuple[str, str], Attributes] = {
            ("device", device.id): device.config for device in home.devices.values() if device.source == "store"
        }
        bodies |= {("rule", rule.id): rule.config for rule in home.rules.all()}
        bodies |= {("variable", variable.name): variable_definition(variable) for variable in home.variables}
        bodies |= {("page", page.id): page.config for page in home.pages.all()}
        bodies |= {("group", group.id): group.config for group in home.groups.all()}
        bodies |= {("scene", scene.id): scene.config for scene in home.scenes.all()}
        bodies |= {("user", person.username): person.kept() for person in self.people.users()}
        bodies |= {("plugin", name): dict(body) for name, body in self.hub.kept.all("plugin").items()}
        bodies |= {("setting", name): dict(body) for name, body in self.hub.kept.all("setting").items()}
        bodies |= {
            ("role", role.name): {"permissions": role.permissions}
            for role in self.people.roles()
            if role is not BUILT_IN.get(role.name)
        }
        orders: Picture = {("order", kind): home.order(kind) for kind in ORDERED}
        return {which: essence(which[0], body) for which, body in bodies.items()} | orders
