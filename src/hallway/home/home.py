"""The home: one object that holds everything and through which alone everything changes.

Commands are checked first, then applied, then handed out as numbered changes; nothing is half applied. It is
synchronous and belongs to one thread. It must not know doors, stores, links or drivers: they call it and listen to it.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, tzinfo

import msgspec

from hallway.clock import Clock
from hallway.errors import Conflict, HallwayError, InvalidConfiguration, NotFound, NoValueYet
from hallway.home.announcing import BUILT_IN, FILE, START, STORE, Announcer
from hallway.home.bus import Bus
from hallway.home.calls import Call
from hallway.home.changes import (
    MAX_CAUSES,
    Changes,
    Context,
    Defined,
    Fired,
    Kind,
    Planned,
    State,
    StateChange,
    Updated,
)
from hallway.home.classes import REPORTED
from hallway.home.derived import Derived
from hallway.home.device_edits import DeviceEdits
from hallway.home.devices import NOTHING, Attribute, Device, Effects
from hallway.home.entities import Entities, Owner
from hallway.home.entity_services import EntityServices, Mirror
from hallway.home.formulas import Formulas
from hallway.home.groups import Group, Groups, group_of
from hallway.home.ids import check_entity_id, reported_device_id
from hallway.home.messages import Messages
from hallway.home.notifiers import Notifiers
from hallway.home.orders import LaterOrder, Orders
from hallway.home.pages import Pages
from hallway.home.pending import Pending
from hallway.home.reported import reported_attributes, reported_value
from hallway.home.rule_services import RuleServices
from hallway.home.rules import Rules
from hallway.home.scenes import Scenes
from hallway.home.services import Services
from hallway.home.values import Attributes, Value, same
from hallway.home.variable_edits import VariableEdits
from hallway.home.variables import Formula, Language, Variable, Variables, compute

__all__ = ["BUILT_IN", "FILE", "START", "STORE", "Home"]


class Home:
    """Devices, entity states, variables, rules, groups, pages, scenes, messages, events and services of one home."""

    def __init__(
        self,
        clock: Clock,
        *,
        hub_id: str = "hallway",
        language: Language | None = None,
        seq: int = 0,
        kept_ids: dict[str, str] | None = None,
        time_zone: tzinfo = UTC,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self.clock = clock
        self._time_zone = time_zone
        self.random = chance
        self.trial = False
        """Whether it is only made to see what would be wrong, so that nobody wants to read of it in the log."""
        self.hub_id = hub_id
        self.changes = Changes(seq)
        self.bus = Bus(self.changes)
        self.services = Services(clock, self.changes, self.fire, hub_id)
        self.entities = Entities(kept_ids)
        self.announcer = Announcer(clock, self.changes)
        self.devices: dict[str, Device] = {}
        self.entity_ids: dict[str, tuple[str, ...]] = {}
        self.variables = Variables(language)
        self.groups = Groups(self.announcer, self.entities, self.entities_of)
        self.pages = Pages(self.announcer)
        self.rules = Rules(self.announcer, self.entities, self)
        self.messages = Messages(self.announcer)
        self.scenes = Scenes(self.announcer, self)
        self.notifiers = Notifiers(self)
        self.pending = Pending(clock, self._happen, self._note_plan)
        self.formulas = Formulas(self)
        self.mirrors: dict[str, Mirror] = {}
        self.derived = Derived(self)
        self.entity_services = EntityServices(self)
        self.rule_services = RuleServices(self.services, self.entities, self.rules)
        self.device_order = LaterOrder(self.devices.keys())
        self.orders = Orders(
            self.announcer,
            {
                "device": self.device_order,
                "variable": self.variables,
                "rule": self.rules,
                "page": self.pages,
                "group": self.groups,
                "scene": self.scenes,
            },
        )
        self._device_edits = DeviceEdits(self)
        self._variable_edits = VariableEdits(self)
        self.entity_services.offer_general(START)

    # ------------------------------------------------------------------ reading

    def state(self, entity_id: str) -> State | None:
        """What an entity shows now; the id in any case."""
        return self.entities.states.get(entity_id) or self.entities.states.get(entity_id.lower())

    def states(self) -> list[State]:
        """What all entities show now, in the order in which they came."""
        return list(self.entities.states.values())

    def device(self, device_id: str) -> Device:
        """The device; NotFound otherwise."""
        try:
            return self.devices[device_id]
        except KeyError:
            raise NotFound(f"there is no device {device_id[:60]}") from None

    def entities_of(self, device_id: str) -> tuple[str, ...]:
        """The ids of the entities that show a device."""
        return self.entity_ids.get(device_id, ())

    def value(self, name: str) -> Value:
        """The value of a variable, or of an attribute as `device.attribute`; NotFound: there is none; NoValueYet."""
        device_id, dot, attribute = name.partition(".")
        if not dot or name in self.variables:
            return self.variables.get(name).value
        device = self.device(device_id)
        if device.class_name == REPORTED:
            return reported_value(self._reported_state(device), attribute)
        if device.held(attribute).value is msgspec.UNSET:
            raise NoValueYet(f"{name} has no value yet")
        return device.value(attribute)

    def unit(self, name: str) -> str:
        """The unit of a variable or attribute, empty when it has none."""
        device_id, dot, attribute = name.partition(".")
        if not dot or name in self.variables:
            return self.variables.get(name).unit
        known = self._attributes(self.device(device_id)).get(attribute)
        return (known.unit or "") if known else ""

    def now(self) -> float:
        """Wall-clock time in seconds since 1970, for expressions."""
        return self.clock.now()

    def time_zone(self) -> tzinfo:
        """Where the home's clocks hang."""
        return self._time_zone

    def value_names(self) -> set[str]:
        """The names of everything that has a value: variables, and attributes as `device.attribute`."""
        names = set(self.variables.names())
        for device in self.devices.values():
            names |= {f"{device.id}.{attribute}" for attribute in self._attributes(device)}
        return names

    def _attributes(self, device: Device) -> Mapping[str, Attribute]:
        return reported_attributes(self._reported_state(device)) if device.class_name == REPORTED else device.attributes

    def _reported_state(self, device: Device) -> State:
        return self.entities.states[self.entities_of(device.id)[0]]

    # ------------------------------------------------------------------ definitions

    def add_device(self, config: Attributes, source: str, context: Context = START) -> Device:
        """Take a device into the home. InvalidInput, InvalidConfiguration: it cannot be; Conflict: its id is taken."""
        return self._device_edits.add(config, source, context)

    def park_device(self, config: Attributes, source: str, error: str) -> Device:
        """Keep a device that cannot be used as it stands, and show why. InvalidInput, Conflict: as in add_device."""
        return self._device_edits.park(config, source, error)

    def change_device(self, config: Attributes, context: Context) -> Device:
        """Give a device another config; a parked one comes alive. The values of what it still has stay.

        NotFound: there is none of that id; InvalidConfiguration: it cannot be; Conflict: it stands in the file.
        """
        return self._device_edits.change(config, context)

    def remove_device(self, device_id: str, context: Context) -> Device:
        """Take a device out of the home, out of groups and pages first. NotFound; Conflict: it stands in the file."""
        return self._device_edits.remove(device_id, context)

    def bind_formulas(self) -> list[tuple[str, str]]:
        """Compute the attributes that are expressions, and let fields show their variables.

        To be called when all devices and variables are there, since each may name any other. What cannot be: device id
        and reason.
        """
        return self.formulas.bind_all()

    def add_group(self, config: Attributes, context: Context = START, source: str = STORE) -> Group:
        """Take a group into the home, in place of the one of its id; `groups.add` refuses one that is there."""
        return self.groups.put(group_of(config, source), context)

    def add_variable(self, config: Attributes, context: Context = START, source: str = STORE) -> Variable:
        """Take a variable into the home: name and either value or expression; unit is optional.

        What an expression uses must exist by now; variables that use each other come together, by `add_variables`.
        Conflict: there is one of that name, or it would depend on itself.
        """
        return self._variable_edits.add_new(config, context, source)

    def add_variables(
        self, configs: tuple[Attributes, ...], context: Context = START, source: str = STORE
    ) -> tuple[Variable, ...]:
        """Take several variables at once, which may use each other in any order. All are checked first."""
        return self._variable_edits.add(configs, context, source)

    def keep_variables(self, configs: tuple[Attributes, ...]) -> list[tuple[str, HallwayError]]:
        """At start: take variables that the store kept, whose sources may be gone; those that cannot be, and why."""
        return self._variable_edits.keep(configs)

    def check_variable(self, config: Attributes, names: set[str], beside: Mapping[str, Formula | None]) -> Variable:
        """What add_variables would make of that one; the errors are its errors.

        names: those that will exist; beside: the formulas of the variables that come together with it, by name.
        """
        return self._variable_edits.check(config, names, beside)

    def change_variable(self, config: Attributes, context: Context) -> Variable:
        """Give a variable another value or expression, and the unit in the config (none: it has none from now on).

        NotFound: there is none of that name; InvalidInput, Conflict: the expression cannot be read, or is circular.
        """
        return self._variable_edits.change(config, context)

    def remove_variable(self, name: str, context: Context) -> Variable:
        """Take a variable out of the home. What is computed from it keeps its value. NotFound: there is none."""
        return self._variable_edits.remove(name, context)

    def offer_rules(self, context: Context) -> None:
        """The services of rules, once there is one."""
        self.rule_services.offer(context)

    def order(self, kind: Kind) -> tuple[str, ...]:
        """The ids of all there is of a kind, in the order in which people want to see them."""
        return self.orders.get(kind)

    def set_order(self, kind: Kind, order: Iterable[str], context: Context) -> tuple[str, ...]:
        """Put a kind in order: the ids given come first, the others follow as they were. The order as given."""
        return self.orders.set(kind, order, context)

    # ------------------------------------------------------------------ commands

    def act(self, device_id: str, action: str, arguments: Mapping[str, Value], context: Context) -> Value:
        """Let a device do something; its result. Everything is checked before anything changes."""
        self.check_causes(context)
        effects = self.effects_of(device_id, action, arguments)
        self.pending.follow(device_id, effects, context)
        self.set_values(device_id, effects.values, context)
        for name, value in effects.variables.items():
            self.set_variable(name, value, context)
        return effects.result

    def effects_of(self, device_id: str, action: str, arguments: Mapping[str, Value]) -> Effects:
        """What `act` would lead to; its errors are those of `act`, and nothing happens."""
        device = self.device(device_id)
        if device.error is not None:
            raise InvalidConfiguration(f"device {device_id} is parked: {device.error}")
        chosen = device.action(action)
        effects = chosen.run(device, chosen.arguments(arguments))
        for name in effects.variables:
            self._variable_edits.check_settable(name)
        return effects

    def set_values(self, device_id: str, values: Mapping[str, Value], context: Context) -> None:
        """A device has these attribute values now: what its hardware, source or action says."""
        device = self.device(device_id)
        now = self.clock.now()
        old, new = _take(device, values, now)
        if new:
            states = tuple(self.entities.show_device(self.entity_ids[device_id], now))
            self.changes.emit(Updated(self.changes.next(), now, context, device_id, old, new, states))

    def set_variable(self, name: str, value: Value, context: Context) -> None:
        """Give a variable a value. NotFound: there is none; InvalidInput: it is computed."""
        self._variable_edits.set_value(name, value, context)

    def report(self, entity_id: str, state: str, attributes: Attributes, context: Context) -> tuple[State, bool]:
        """An entity shows this state now: what it shows, and whether it is new.

        Attributes replace the old ones. Nothing happens when nothing differs; `last_changed` moves with the state only.
        A new id becomes a device of class *reported*; for the entity of a device it is what that device says.
        """
        entities = self.entities
        old = entities.states.get(entity_id)
        if old is None:
            entity_id = check_entity_id(entity_id)
            old = entities.states.get(entity_id)
            if old is None:
                return self.report_new(entity_id, state, attributes, context), True
        if old.attributes == attributes and same(old.attributes, attributes):
            if old.state == state:
                return old, False
            attributes = old.attributes  # the same one: it takes no memory of its own, and is known to be as before
        now = self.clock.now()
        new = State(entity_id, state, attributes, old.last_changed if old.state == state else now, now)
        owner = entities.owners[entity_id]
        entities.states[entity_id] = new
        if owner.kind == "reported":
            moved = (StateChange(entity_id, old, new, owner.told_by),)
            self.changes.emit(Updated(self.changes.next(), now, context, owner.key, NOTHING, NOTHING, moved))
        else:
            self._report_owned(owner, StateChange(entity_id, old, new, REPORTED), context)
        return new, False

    def report_new(
        self, entity_id: str, state: str, attributes: Attributes, context: Context, told_by: str = REPORTED
    ) -> State:
        """The first report of an entity: it becomes a device."""
        now = self.clock.now()
        new = State(entity_id, state, attributes, now, now)
        device = self.adopt(new, told_by)
        moved = (StateChange(entity_id, None, new, told_by),)
        seq = self.changes.next()
        self.changes.emit(Defined(seq, now, context, "device", device.id, None, device.config, moved, told_by))
        return new

    def adopt(self, state: State, told_by: str = REPORTED) -> Device:
        """Keep a reported state with its device, silently: at start, and before its first change is told."""
        device_id = self._free_device_id(reported_device_id(state.entity_id))
        name = str(state.attributes.get("friendly_name") or state.entity_id)
        config: Attributes = {"id": device_id, "name": name, "class": REPORTED, "entity": state.entity_id}
        device = Device(config, (), told_by)
        self.devices[device_id] = device
        self.entity_ids[device_id] = (state.entity_id,)
        self.entities.own(state.entity_id, Owner("reported", device_id, device, told_by=told_by))
        self.entities.states[state.entity_id] = state
        return device

    def fire(self, event_type: str, data: Attributes, context: Context, *, remote: bool = False) -> None:
        """Send an event over the bus. remote: it was fired over the network."""
        self.check_causes(context)
        self.changes.emit(Fired(self.changes.next(), self.clock.now(), context, event_type, data, remote))

    def call_service(self, domain: str, service: str, data: Attributes, context: Context) -> Call:
        """Ask for a service by name; NotFound and InvalidInput come before anything happens."""
        self.check_causes(context)
        return self.services.call(domain, service, data, context)

    # ------------------------------------------------------------------ for what is derived

    def put_computed(self, node: str, formula: Formula, context: Context) -> None:
        """Compute a variable or attribute again; it keeps its value when that cannot be done now."""
        device_id, dot, attribute = node.partition(".")
        if not dot or node in self.variables:
            self._variable_edits.put_computed(node, formula, context)
        elif device_id in self.devices:
            held = self.device(device_id).value(attribute)
            value = compute(node, formula, self)
            confirmed = self.formulas.complete and context.origin != START.origin
            if value is not msgspec.UNSET and (confirmed or not same(value, held)):
                self.set_values(device_id, {attribute: value}, context)

    def put_variable(self, name: str, value: Value, context: Context) -> None:
        """A variable has that value, also one that is computed: as it was worked out, or put back at the start."""
        self._variable_edits.put(name, value, context)

    # ------------------------------------------------------------------ inside

    def _report_owned(self, owner: Owner, moved: StateChange, context: Context) -> None:
        """What somebody says about the entity of a device or variable is what that device says, or the variable is."""
        now = self.clock.now()
        if owner.kind == "variable" and moved.new is not None:
            self._variable_edits.report(owner.key.removeprefix("variable:"), moved, moved.new.state, context)
            return
        old: Mapping[str, Value] = NOTHING
        new: Mapping[str, Value] = NOTHING
        others: tuple[StateChange, ...] = ()
        if owner.device is not None and owner.ability is not None and moved.new is not None:
            told = owner.ability.read(owner.device, moved.new.state, moved.new.attributes)
            old, new = _take(owner.device, told, now)
            entity_ids = self.entity_ids[owner.device.id]
            others = tuple(self.entities.show_device(entity_ids, now, but=moved.entity_id))
        key = owner.device.id if owner.device is not None else owner.key
        self.changes.emit(Updated(self.changes.next(), now, context, key, old, new, (moved, *others)))

    def check_causes(self, context: Context) -> None:
        """Conflict: the chain of causes is too long."""
        if context.depth >= MAX_CAUSES:
            raise Conflict(f"a chain of {MAX_CAUSES} changes that cause each other was cut: look for rules in a circle")

    def _free_device_id(self, wanted: str) -> str:
        device_id, number = wanted, 1
        while device_id in self.devices:
            number += 1
            device_id = f"{wanted}_{number}"
        return device_id

    def _happen(self, device_id: str, name: str, context: Context) -> None:
        """Something that a device planned is due."""
        device = self.devices.get(device_id)
        ability = next((a for a in device.abilities if a.owns(name)), None) if device else None
        if device is not None and ability is not None:
            effects = ability.due(device, name)
            self.pending.follow(device_id, effects, context)
            self.set_values(device_id, effects.values, context)

    def _note_plan(self, device_id: str, name: str, due: float | None, context: Context) -> None:
        self.changes.emit(Planned(self.changes.next(), self.clock.now(), context, device_id, name, due))


def _take(device: Device, values: Mapping[str, Value], now: float) -> tuple[dict[str, Value], dict[str, Value]]:
    """Give a device these values: the old and the new ones of those attributes for which that means something."""
    old: dict[str, Value] = {}
    new: dict[str, Value] = {}
    known = {name: device.held(name) for name in values}
    for name, value in values.items():
        held = known[name]
        if device.attributes[name].always or held.value != value or type(held.value) is not type(value):
            old[name] = device.value(name)
            new[name] = value
            held.take(value, now)
    return old, new
