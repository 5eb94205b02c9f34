"""A home in virtual time for the tests: short ways to speak to it, and all that happened in it since it was made."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest

from hallway.clock import VirtualClock
from hallway.errors import HallwayError
from hallway.home.calls import Call
from hallway.home.changes import AnyChange, Context, Defined, Fired, Planned, State, StateChange, Updated, VariableSet
from hallway.home.devices import Device
from hallway.home.home import Home
from hallway.home.values import Attributes, Value
from hallway.language.expressions import parse

NOW = 1_800_000_000.0
TEST = Context("test", user="somebody")


def a_device(class_name: str, device_id: str = "it", **options: Value) -> Attributes:
    """The config of a device."""
    return {"id": device_id, "class": class_name, **options}


class House:
    """A home with its clock, and the changes since it was complete. Devices, variables and groups are configs."""

    def __init__(
        self,
        *devices: Attributes,
        variables: Any = (),
        groups: Any = (),
        kept_ids: dict[str, str] | None = None,
        seq: int = 0,
    ) -> None:
        self.clock = VirtualClock(NOW)
        self.home = Home(self.clock, hub_id="hub", language=parse, kept_ids=kept_ids, seq=seq, chance=lambda: 0.5)
        for device in devices:
            self.home.add_device(device, "store")
        if variables:
            self.home.add_variables(variables)
        for group in groups:
            self.home.add_group(group, source="file")
        self.home.bind_formulas()
        self.changes: list[AnyChange] = []
        self.home.changes.subscribe(self.changes.append)

    # ------------------------------------------------------------------ what is said to it

    def act(self, device_id: str, action: str, /, **arguments: Any) -> Value:
        return self.home.act(device_id, action, arguments, TEST)

    def call(self, name: str, /, **data: Any) -> Call:
        domain, _, service = name.partition(".")
        return self.home.call_service(domain, service, data, TEST)

    def report(self, entity_id: str, state: str, /, **attributes: Any) -> tuple[State, bool]:
        return self.home.report(entity_id, state, attributes, TEST)

    # ------------------------------------------------------------------ what it says

    def device(self, device_id: str = "it") -> Device:
        return self.home.device(device_id)

    def value(self, attribute: str, device_id: str = "it") -> Value:
        return self.home.device(device_id).value(attribute)

    def values(self, device_id: str = "it") -> Attributes:
        device = self.home.device(device_id)
        return {name: device.value(name) for name in device.attributes}

    def shown(self, entity_id: str) -> State:
        state = self.home.state(entity_id)
        assert state is not None, f"there is no {entity_id}, only {list(self.home.entities.states)}"
        return state

    def shows(self, entity_id: str) -> tuple[str, Attributes]:
        """State and attributes of an entity."""
        return self.shown(entity_id).state, self.shown(entity_id).attributes

    def plans(self) -> dict[tuple[str, str], float]:
        """What devices are going to do: seconds from now by device and name."""
        return {(due.device_id, due.name): due.at - self.clock.now() for due in self.home.pending.all()}

    def updates(self) -> list[Updated]:
        return [change for change in self.changes if isinstance(change, Updated)]

    def fired(self) -> list[Fired]:
        return [change for change in self.changes if isinstance(change, Fired)]

    def planned(self) -> list[Planned]:
        return [change for change in self.changes if isinstance(change, Planned)]

    def sets(self) -> list[VariableSet]:
        return [change for change in self.changes if isinstance(change, VariableSet)]

    def definitions(self) -> list[Defined]:
        return [change for change in self.changes if isinstance(change, Defined)]

    def edits(self) -> list[str]:
        """What was edited, in order: `device lamp added`, `group g changed`, `rule r removed`."""
        return [
            f"{change.kind} {change.key} {'added' if change.old is None else 'changed' if change.new else 'removed'}"
            for change in self.definitions()
        ]

    def moved(self) -> list[StateChange]:
        """Every entity that showed something else, in order."""
        with_states = (c for c in self.changes if isinstance(c, Updated | VariableSet | Defined))
        return [moved for change in with_states for moved in change.states]

    def everything(self) -> Mapping[str, Any]:
        """All that a home knows, to compare it with what it knows later."""
        home = self.home
        return {
            "seq": home.changes.seq,
            "states": home.states(),
            "values": {
                (device.id, name): (held.value, held.updated, held.changed, list(held.history))
                for device in home.devices.values()
                for name in device.attributes
                for held in [device.held(name)]
            },
            "variables": list(home.variables),
            "plans": home.pending.all(),
            "kept ids": dict(home.entities.kept),
            "devices": [(device.config, device.error) for device in home.devices.values()],
            "rules": home.rules.all(),
            "pages": home.pages.all(),
            "groups": home.groups.all(),
            "messages": home.messages.all(),
            "services": {domain: list(services) for domain, services in home.services.listing().items()},
        }

    @contextmanager
    def refuses(self, error: type[HallwayError], *words: str) -> Iterator[None]:
        """What happens in this block is refused with that error, which holds all these words; nothing changes."""
        before = self.everything()
        with pytest.raises(error) as caught:
            yield
        assert type(caught.value) is error
        assert [word for word in words if word not in caught.value.message] == [], caught.value.message
        assert self.everything() == before

    @contextmanager
    def nothing_happens(self) -> Iterator[None]:
        """What happens in this block is right and leads to nothing."""
        before = self.everything()
        yield
        assert self.everything() == before


def only(items: list[Any]) -> Any:
    """The only one there is."""
    assert len(items) == 1, items
    return items[0]
