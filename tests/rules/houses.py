"""A house with rules in virtual time that can be killed and started again, made of real parts and real tables."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterable
from datetime import UTC, tzinfo
from typing import Any

from hallway.clock import VirtualClock
from hallway.home.changes import AnyChange, Context, Said
from hallway.home.home import Home
from hallway.home.rules import Rule
from hallway.home.saved import restore
from hallway.home.values import Attributes, Value
from hallway.language.expressions import parse
from hallway.language.kinds import built_in
from hallway.language.rules import RuleParser
from hallway.rules.engine import RuleEngine
from hallway.rules.sun import Place
from hallway.rules.traces import Trace
from hallway.rules.trying import Trial, Wanted, attempt
from hallway.rules.why import Answer
from hallway.store import tables
from hallway.store.migrations import migrate
from hallway.store.rows import Batch, rows_of

NOW = 1_800_000_000.0
"""Friday, 15 January 2027, 08:00 UTC."""
SOMEBODY = Context("test", user="somebody")
DEVICES: tuple[Attributes, ...] = (
    {"id": "lamp", "class": "DummySwitch", "name": "Lamp"},
    {"id": "fan", "class": "DummySwitch", "name": "Fan"},
    {"id": "light", "class": "DummyDimmer", "name": "Light"},
    {"id": "air", "class": "DummyTemperatureSensor", "name": "Air"},
    {"id": "door", "class": "DummyContactSensor", "name": "Door"},
    {"id": "bell", "class": "ButtonsDevice", "name": "Bell", "buttons": [{"id": "ding", "text": "Ding"}]},
)
VARIABLES: tuple[Attributes, ...] = (
    {"name": "x", "value": 0},
    {"name": "y", "value": 0},
    {"name": "word", "value": "hello"},
    {"name": "double", "expression": "$x * 2"},
)


class RuledHouse:
    """A home with some devices and variables, an engine for its rules, and what was said since it started."""

    def __init__(
        self,
        *rules: str | Attributes,
        now: float = NOW,
        zone: tzinfo = UTC,
        place: Place | None = None,
        devices: Iterable[Attributes] = DEVICES,
        variables: Iterable[Attributes] = VARIABLES,
        start: bool = True,
    ) -> None:
        self.clock = VirtualClock(now)
        self.zone = zone
        self.place = place
        self.devices = tuple(devices)
        self.variables = tuple(variables)
        self.rules = [rule_config(number, rule) for number, rule in enumerate(rules)]
        self._tables = sqlite3.connect(":memory:", isolation_level=None)
        migrate(self._tables)
        self._build()
        if start:
            self.start()

    def _build(self) -> None:
        """A home from what is defined and what the tables have, as the app makes it."""
        self.said: list[str] = []
        self.errors: list[str] = []
        self.changes: list[AnyChange] = []
        self._batch = Batch()
        saved = tables.read(self._tables)
        self.home = Home(self.clock, hub_id="hub", language=parse, seq=saved.seq, time_zone=self.zone,
                         kept_ids=dict(saved.kept_ids), chance=lambda: 0.5)  # fmt: skip
        parser = RuleParser(built_in())
        self.home.rules.language = parser
        for device in self.devices:
            self.home.add_device(device, "store")
        self.home.add_variables(self.variables)
        for rule in self.rules:
            self.home.rules.keep(rule, "store")
        restore(self.home, saved)
        self.home.changes.subscribe(self._keep)
        self.engine = RuleEngine(self.home, parser, self.clock, saved.notes, self.place)

    def _keep(self, change: AnyChange) -> None:
        self.changes.append(change)
        rows = rows_of(change)
        if rows:
            self._batch.put(change.seq, rows)
        if isinstance(change, Said):
            (self.said if change.message.level == "info" else self.errors).append(change.message.text)

    # ------------------------------------------------------------------ its life

    def start(self) -> None:
        self.engine.start()

    def kill(self) -> None:
        """Nobody has time to say goodbye; what was written stays."""
        self._batch.seq = self.home.changes.seq
        tables.write(self._tables, self._batch)
        self.clock._timers.clear()
        self.rules = [rule.config for rule in self.home.rules.all()]

    def restart(self, after: float = 0.0) -> None:
        """Kill it, and start it again after that many seconds."""
        self.kill()
        self.clock.advance(after)
        self._build()
        self.start()
        self.wait(0)

    def wait(self, seconds: float) -> None:
        self.clock.advance(seconds)

    # ------------------------------------------------------------------ what happens

    def rule(self, text: str, rule_id: str = "r", **config: Any) -> Rule:
        return self.home.rules.add({"id": rule_id, "name": rule_id, "rule": text, **config}, SOMEBODY)

    def turn(self, device_id: str, on: bool, context: Context = SOMEBODY) -> None:
        self.home.act(device_id, "changeStateTo", {"state": on}, context)

    def warm(self, degrees: float) -> None:
        self.home.act("air", "changeTemperatureTo", {"temperature": degrees}, SOMEBODY)

    def ring(self) -> None:
        self.home.act("bell", "buttonPressed", {"buttonId": "ding"}, SOMEBODY)

    def set(self, name: str, value: Value) -> None:
        self.home.set_variable(name, value, SOMEBODY)

    # ------------------------------------------------------------------ what is

    def on(self, device_id: str) -> Value:
        return self.home.device(device_id).value("state")

    def heard(self) -> list[str]:
        """What the rules said since the last look, without their names when there is only one."""
        said, self.said[:] = list(self.said), []
        ids = {line.partition(": ")[0] for line in said}
        return [line.partition(": ")[2] for line in said] if len(ids) <= 1 else said

    def traces(self, rule_id: str = "r0") -> list[Trace]:
        return self.engine.traces.of(rule_id)

    def why(self, name: str) -> Answer:
        return asyncio.run(self.engine.why(name))

    def tried(self, text: str, days: float = 1.0, again: str = "ignore") -> Trial:
        wanted = Wanted(text, days, again, self.place)
        return asyncio.run(attempt(self.home, RuleParser(built_in()), self.engine.recent, wanted))

    def results(self, rule_id: str = "r0") -> list[str]:
        return [trace.result for trace in self.traces(rule_id) for _ in range(trace.times)]

    def plans(self) -> dict[str, float]:
        """What is planned, by name, in seconds from now."""
        return {
            f"{note.owner}/{note.name}": round(note.due - self.clock.now(), 3)
            for note in self.engine.tasks()
            if note.due is not None
        }


def rule_config(number: int, rule: str | Attributes) -> Attributes:
    config: Attributes = {"id": f"r{number}", "name": f"r{number}"}
    return config | ({"rule": rule} if isinstance(rule, str) else rule)
