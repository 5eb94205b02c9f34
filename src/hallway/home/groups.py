"""Groups: named sets of devices, shown as `group.<id>`: on while any member is on.

It must not know how members are switched; that is the service `homeassistant.turn_on`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import msgspec

from hallway.errors import InvalidConfiguration, NotFound
from hallway.home.changes import State
from hallway.home.ids import check_device_id
from hallway.home.values import Attributes

ON_STATES = frozenset({"on", "open", "playing", "running", "home"})


class Group(msgspec.Struct, frozen=True):
    """A group: its members are devices; rules and variables stand in it for the order on screens."""

    id: str
    name: str
    devices: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()
    variables: tuple[str, ...] = ()


def group_of(config: Attributes) -> Group:
    """A group from its definition; InvalidConfiguration names what is wrong."""
    group_id = check_device_id(config.get("id"))
    lists: dict[str, tuple[str, ...]] = {}
    for key in ("devices", "rules", "variables"):
        given = config.get(key) or []
        if not isinstance(given, list) or not all(isinstance(item, str) for item in given):
            raise InvalidConfiguration(f"group {group_id}: {key} must be a list of ids")
        lists[key] = tuple(str(item) for item in given)
    return Group(group_id, str(config.get("name") or group_id), **lists)


class Groups:
    """All groups, and in which of them a device stands."""

    def __init__(self) -> None:
        self._all: dict[str, Group] = {}
        self._of_device: dict[str, tuple[str, ...]] = {}

    def put(self, group: Group) -> None:
        """Keep a group, in place of the one of that id."""
        self._all[group.id] = group
        self._of_device = {}
        for known in self._all.values():
            for device_id in known.devices:
                self._of_device[device_id] = (*self._of_device.get(device_id, ()), known.id)

    def get(self, group_id: str) -> Group:
        try:
            return self._all[group_id]
        except KeyError:
            raise NotFound(f"there is no group {group_id[:60]}") from None

    def of_device(self, device_id: str) -> tuple[str, ...]:
        """The groups in which a device stands."""
        return self._of_device.get(device_id, ())


def shown(group: Group, members: Iterable[str], state_of: Callable[[str], State | None]) -> tuple[str, Attributes]:
    """A group's state and attributes from its members' entities."""
    entity_ids = list(members)
    states = [state_of(entity_id) for entity_id in entity_ids]
    on = any(state is not None and state.state in ON_STATES for state in states)
    return "on" if on else "off", {"auto": False, "entity_id": list(entity_ids), "friendly_name": group.name}
