"""A hub in memory to which operations of pimatic are put, as the doors put them: parameters gathered, permission asked.

The store only counts what it was asked to keep.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from inspect import isawaitable
from typing import Any, cast

import orjson
import pytest

from hallway.access.callers import EVERYTHING, Caller
from hallway.access.people import Person
from hallway.access.roles import BUILT_IN
from hallway.api.operations.base import Edited, Forwarding, Hub, Info
from hallway.api.operations.pimatic.attribute_times import logging_of
from hallway.api.operations.pimatic.forms import Forms
from hallway.api.operations.pimatic.history import PastHistory
from hallway.api.operations.pimatic.kept import Kept
from hallway.api.operations.pimatic.recent import Recent
from hallway.api.operations.table import OPERATIONS
from hallway.api.pimatic.calls import Calls
from hallway.api.pimatic.gathering import gather
from hallway.errors import HallwayError, Told
from hallway.home.changes import Context
from hallway.home.messages import LastMessages
from hallway.home.values import Attributes
from hallway.language.kinds import built_in
from hallway.language.rules import RuleParser
from hallway.residents import people_of
from hallway.store.history.recorder import HistoryRecorder
from tests.home.homes import House
from tests.home.listed_past import ListedPast, Written

ADMIN = Caller("admin", EVERYTHING, Context("pimatic", user="admin"), role="admin")
INFO = Info("Home", "1.0", None, None, "UTC", "metric")


class CountingStore:
    """Up to which change it was asked to keep."""

    def __init__(self) -> None:
        self.kept_up_to = 0

    async def durable(self, seq: int) -> None:
        self.kept_up_to = max(self.kept_up_to, seq)

    def when_durable(self, seq: int, told: Told) -> None:
        self.kept_up_to = max(self.kept_up_to, seq)
        told(None)


class Desk:
    """A house, and what can be asked of its hub."""

    def __init__(self, *devices: Attributes, variables: Any = (), groups: Any = ()) -> None:
        self.house = House(*devices, variables=variables, groups=groups)
        self.home = self.house.home
        language = RuleParser(built_in())
        self.home.rules.language = language
        self.store = CountingStore()
        self.people = people_of(self.house.clock, self.home, lambda _kind: {})
        self.people.put_role("admin", BUILT_IN["admin"].permissions)
        self.restarts = 0
        recent = Recent(self.home)
        self.kept = Kept(self.home)
        self.past = ListedPast()
        self.recorder = HistoryRecorder(self.home, Written(self.past), lambda: logging_of(self.kept), 30 * 86_400)
        self.hub = Hub(
            self.home,
            INFO,
            cast("Forwarding", None),
            lambda _link, _event_type, _data, _context: None,
            list,
            self.store,
            self.people,
            Forms(self.home, recent),
            self.kept,
            PastHistory(self.past, self.past.tidy),
            LastMessages(self.home.messages),
            rule_language=language,
            restart=self._restart,
            past=self.past,
        )
        self._calls = Calls(self.hub, OPERATIONS)

    def _restart(self) -> None:
        self.restarts += 1

    def let_in(self, username: str, password: str, role: str = "admin") -> None:
        """Somebody whose password is known to be right."""
        self.people.put_user(Person(username, role, "no hash that fits", "stamp"), password)

    async def ask(self, name: str, /, caller: Caller = ADMIN, **data: Any) -> Any:
        """The result of an operation, as its JSON reads."""
        return await asked(self._calls, self.hub, name, caller, data)

    async def kept_after(self, name: str, /, **data: Any) -> Any:
        """Likewise, of an edit: it changed something and waited until all of it was kept."""
        before = self.home.changes.seq
        result = await self.ask(name, **data)
        assert self.home.changes.seq > before
        assert self.store.kept_up_to == self.home.changes.seq
        return result

    @contextmanager
    def refuses(self, *words: str, status: int = 400) -> Iterator[None]:
        """What happens in this block is refused with a sentence that holds these words; nothing changes."""
        before = self.house.everything()
        with pytest.raises(HallwayError) as caught:
            yield
        assert caught.value.status == status
        assert [word for word in words if word not in caught.value.message] == [], caught.value.message
        assert self.house.everything() == before


async def asked(calls: Calls, hub: Hub, name: str, caller: Caller, data: dict[str, Any]) -> Any:
    """The result of an operation, as its JSON reads. What it says of itself must hold: whether it needs a task."""
    operation = calls.operation(name)
    in_path = {known.name for known in operation.parameters if known.where == "path"}
    path = {key: str(data[key]) for key in in_path if key in data}
    body = {key: value for key, value in data.items() if key not in in_path}
    started = calls.start(operation, gather(operation, path, {}, body), caller)
    if isawaitable(started):
        says_so = operation.at_once(hub)
        assert says_so is isinstance(started, Edited), f"{name} says {says_so} to whether it needs no task"
        started = await started
        if isinstance(started, Edited):
            started = await started
    return orjson.loads(orjson.dumps(started))
