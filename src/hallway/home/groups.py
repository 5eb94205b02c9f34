"""Groups: named sets of devices, shown as `group.<id>`: on while any member is on.

Rules and variables stand in a group for their order on screens. Whatever somebody puts into a group leaves the one in
which it was. It must not know how members are switched; that is the service `homeassistant.turn_on`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import Literal

import msgspec

from hallway.errors import Conflict, InvalidConfiguration, NotFound
from hallway.home.announcing import FILE, START, STORE, Announcer, check_definition, check_editable
from hallway.home.changes import Context, State, StateChange
from hallway.home.entities import Entities, Owner
from hallway.home.ids import check_id, group_object_id
from hallway.home.orders import arranged, rearrange
from hallway.home.values import Attributes, Value, is_label

ON_STATES = frozenset({"on", "open", "playing", "running", "home"})
Member = Literal["device", "rule", "variable"]


class Group(msgspec.Struct, frozen=True):
    """A group: its members are devices; rules and variables stand in it for the order on screens."""

    id: str
    name: Value
    devices: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()
    variables: tuple[str, ...] = ()
    source: str = STORE

    @property
    def config(self) -> Attributes:
        """Its definition."""
        return {
            "id": self.id,
            "name": self.name,
            "devices": list[Value](self.devices),
            "rules": list[Value](self.rules),
            "variables": list[Value](self.variables),
        }

    def members(self, kind: Member) -> tuple[str, ...]:
        """Its members of a kind."""
        return {"device": self.devices, "rule": self.rules, "variable": self.variables}[kind]

    def with_members(self, kind: Member, members: tuple[str, ...]) -> Group:
        """The same group with other members of that kind."""
        return msgspec.structs.replace(self, **{f"{kind}s": members})


def group_of(config: Attributes, source: str = STORE) -> Group:
    """A group from its definition; InvalidConfiguration names what is wrong."""
    group_id = check_id("group", config.get("id"))
    check_definition(config)
    name = config.get("name")
    if name is not None and not is_label(name):
        raise InvalidConfiguration(f"group {group_id}: name must be a text")
    lists: dict[str, tuple[str, ...]] = {}
    for key in ("devices", "rules", "variables"):
        given = config.get(key) or []
        if not isinstance(given, list) or not all(isinstance(item, str) for item in given):
            raise InvalidConfiguration(f"group {group_id}: {key} must be a list of ids")
        lists[key] = tuple(str(item) for item in given)
    return Group(group_id, group_id if name is None else name, **lists, source=source)


class Groups:
    """All groups in order, and in which of them a device stands. entities_of: the entities that show a device."""

    def __init__(self, announcer: Announcer, entities: Entities, entities_of: Callable[[str], Iterable[str]]) -> None:
        self._announcer = announcer
        self._entities = entities
        self._entities_of = entities_of
        self._all: dict[str, Group] = {}
        self._of_device: dict[str, tuple[str, ...]] = {}

    # ------------------------------------------------------------------ reading

    def all(self) -> list[Group]:
        return list(self._all.values())

    def ids(self) -> Collection[str]:
        return self._all.keys()

    def arrange(self, order: tuple[str, ...]) -> None:
        """Put them into that order."""
        rearrange(self._all, order)

    def get(self, group_id: str) -> Group:
        try:
            return self._all[group_id]
        except KeyError:
            raise NotFound(f"there is no group {group_id[:60]}") from None

    def of_device(self, device_id: str) -> tuple[str, ...]:
        """The groups in which a device stands."""
        return self._of_device.get(device_id, ())

    # ------------------------------------------------------------------ editing

    def put(self, group: Group, context: Context = START) -> Group:
        """Take a group into the home, in place of the one of its id."""
        old = self._all.get(group.id)
        self._all[group.id] = group
        if old is None or old.devices != group.devices:
            self._index()
        if old is None:
            self._entities.claim(Owner("group", _key(group.id)), "group", group_object_id(group.id))
        moved = self._moved(group)
        bodies = (None if old is None else old.config, group.config)
        self._announcer.tell(("group", group.id), bodies, context, group.source, moved)
        return group

    def add(self, config: Attributes, context: Context = START, source: str = STORE) -> Group:
        """Take a new group into the home. InvalidConfiguration: it cannot be; Conflict: its id is taken."""
        group = group_of(config, source)
        if group.id in self._all:
            raise Conflict(f"there is a group {group.id} already")
        return self.put(group, context)

    def change(self, group_id: str, config: Attributes, context: Context) -> Group:
        """Change what the config names: name, devices, rules, variables; devicesOrder and its like sort the members."""
        group = self._editable(group_id)
        given: Attributes = {key: config[key] for key in ("name", "devices", "rules", "variables") if key in config}
        changed = group_of({**group.config, **given, "id": group_id})
        kinds: tuple[Member, ...] = ("device", "rule", "variable")
        for kind in kinds:
            order = config.get(f"{kind}sOrder")
            if isinstance(order, list):
                ordered = arranged(changed.members(kind), [str(item) for item in order])
                changed = changed.with_members(kind, tuple(ordered))
        return self.put(changed, context)

    def remove(self, group_id: str, context: Context) -> Group:
        """Take a group out of the home. NotFound: there is none."""
        group = self._editable(group_id)
        del self._all[group_id]
        self._index()
        entity_id = self._entities.kept[_key(group_id)]
        states = (StateChange(entity_id, self._entities.drop(entity_id), None),)
        self._announcer.tell_removed(("group", group_id), group, group.config, context, group.source, states)
        return group

    def add_member(self, group_id: str, kind: Member, key: str, context: Context, position: int | None = None) -> Group:
        """Put something into a group, at the end or at a position; it leaves the group in which it was.

        A position before the first or behind the last is theirs, one below 0 counts from the end. Nobody checks
        whether it exists. A group of the file keeps it too.
        """
        known = self._editable(group_id)
        check_definition(known.with_members(kind, (*known.members(kind), key)).config)
        with self._announcer.act():
            for other in self.all():
                if key in other.members(kind) and other.id != group_id and other.source != FILE:
                    self.put(other.with_members(kind, _without(other.members(kind), key)), context)
            group = self._all[group_id]
            members = list(_without(group.members(kind), key))
            last = len(members)
            members.insert(last if position is None else max(-last, min(position, last)), key)
            return self.put(group.with_members(kind, tuple(members)), context)

    def remove_member(self, group_id: str, kind: Member, key: str, context: Context) -> Group:
        """Take something out of a group. NotFound: it is not in it."""
        group = self._all.get(group_id)
        if group is None or key not in group.members(kind):
            inside = next((other.id for other in self._all.values() if key in other.members(kind)), None)
            hint = f"it is in {inside}" if inside else "it is in no group"
            raise NotFound(f"{kind} {key[:60]} is not in the group {group_id[:60]}: {hint}")
        check_editable(f"group {group_id}", group.source)
        return self.put(group.with_members(kind, _without(group.members(kind), key)), context)

    def forget(self, kind: Member, key: str, context: Context) -> None:
        """Something is going: take it out of all groups. Those of the file stay as they are written."""
        for group in self.all():
            if group.source != FILE and key in group.members(kind):
                self.remove_member(group.id, kind, key, context)

    # ------------------------------------------------------------------ showing

    def show(self, group_id: str, context: Context) -> None:
        """A member changed: the group shows it, if it is still there."""
        group = self._all.get(group_id)
        moved = self._moved(group) if group is not None else ()
        if moved:
            self._announcer.tell_shown(_key(group_id), moved, context)

    def _moved(self, group: Group) -> tuple[StateChange, ...]:
        members = [entity_id for device_id in group.devices for entity_id in self._entities_of(device_id)]
        return self._entities.show(
            _key(group.id), *shown(group, members, self._entities.states.get), self._announcer.now()
        )

    # ------------------------------------------------------------------ inside

    def _editable(self, group_id: str) -> Group:
        group = self.get(group_id)
        check_editable(f"group {group_id}", group.source)
        return group

    def _index(self) -> None:
        self._of_device = {}
        for known in self._all.values():
            for device_id in known.devices:
                self._of_device[device_id] = (*self._of_device.get(device_id, ()), known.id)


def _key(group_id: str) -> str:
    return f"group:{group_id}"


def _without(members: tuple[str, ...], key: str) -> tuple[str, ...]:
    return tuple(member for member in members if member != key)


def shown(group: Group, members: Iterable[str], state_of: Callable[[str], State | None]) -> tuple[str, Attributes]:
    """A group's state and attributes from its members' entities."""
    entity_ids = list(members)
    states = [state_of(entity_id) for entity_id in entity_ids]
    on = any(state is not None and state.state in ON_STATES for state in states)
    return "on" if on else "off", {"auto": False, "entity_id": list(entity_ids), "friendly_name": str(group.name)}
