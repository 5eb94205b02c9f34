"""The home: one object that holds everything and through which alone everything changes.

Commands are checked first, then applied, then handed out as numbered changes; nothing is half applied. It is
synchronous and belongs to one thread. It must not know doors, stores, links or drivers: they call it and listen to it.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Mapping
from datetime import UTC, tzinfo

import msgspec

from hallway.clock import Clock
from hallway.errors import Conflict, HallwayError, InvalidConfiguration, InvalidInput, NotFound
from hallway.home.abilities.base import Ability
from hallway.home.bus import Bus
from hallway.home.calls import Call
from hallway.home.changes import (
    MAX_CAUSES,
    Changes,
    Context,
    Defined,
    Fired,
    Planned,
    State,
    StateChange,
    Updated,
    VariableSet,
)
from hallway.home.classes import REPORTED, class_named
from hallway.home.derived import Derived, variables_shown
from hallway.home.devices import NOTHING, Attribute, Device, Effects
from hallway.home.entities import Entities, Owner
from hallway.home.entity_services import EntityServices, Mirror
from hallway.home.groups import Group, Groups, group_of, shown
from hallway.home.ids import check_device_id, check_entity_id, device_object_id, object_id, reported_device_id
from hallway.home.pending import Pending
from hallway.home.reported import reported_attributes, reported_value
from hallway.home.services import Services
from hallway.home.values import Attributes, Value, python_text, same
from hallway.home.variables import NAME, Formula, Language, Variable, Variables, as_value, compute

START = Context("start")
_ATTRIBUTE = re.compile(r"\$([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)")
BUILT_IN = "built-in"
"""Source of the devices that the hub itself feeds."""


class Home:
    """Devices, entity states, variables, groups, events and services of one home."""

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
        self.hub_id = hub_id
        self.changes = Changes(seq)
        self.bus = Bus(self.changes)
        self.services = Services(self.changes, self.fire, hub_id)
        self.entities = Entities(kept_ids)
        self.devices: dict[str, Device] = {}
        self.variables = Variables(language)
        self.groups = Groups()
        self.pending = Pending(clock, self._happen, self._note_plan)
        self._entity_ids: dict[str, tuple[str, ...]] = {}
        self.mirrors: dict[str, Mirror] = {}
        self._derived = Derived(self)
        self._entity_services = EntityServices(self)
        self._entity_services.offer_general(START)

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
        return self._entity_ids.get(device_id, ())

    def value(self, name: str) -> Value:
        """The value of a variable, or of an attribute as `device.attribute`; NotFound: there is none, or none yet."""
        device_id, dot, attribute = name.partition(".")
        if not dot:
            return self.variables.get(name).value
        device = self.device(device_id)
        if device.class_name == REPORTED:
            return reported_value(self._reported_state(device), attribute)
        if device.held(attribute).value is msgspec.UNSET:
            raise NotFound(f"{name} has no value yet")
        return device.value(attribute)

    def unit(self, name: str) -> str:
        """The unit of a variable or attribute, empty when it has none."""
        device_id, dot, attribute = name.partition(".")
        if not dot:
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
        self._check_free(config.get("id"))
        chosen = class_named(config.get("class"))
        if chosen.built_in and source != BUILT_IN:
            raise InvalidConfiguration(f"class {chosen.name} is the hub's own and cannot be used in a definition")
        return self._take_in(Device(config, chosen.abilities(config), source), context)

    def park_device(self, config: Attributes, source: str, error: str, context: Context = START) -> Device:
        """Keep a device that cannot be used as it stands, and show why. InvalidInput, Conflict: as in add_device."""
        self._check_free(config.get("id"))
        return self._take_in(Device(config, (), source, error), context)

    def _check_free(self, wanted: Value) -> None:
        device_id = check_device_id(wanted)
        if device_id in self.devices:
            raise Conflict(f"there is a device {device_id} already")

    def _take_in(self, device: Device, context: Context) -> Device:
        self.devices[device.id] = device
        claimed = [self._claim(device, ability) for ability in device.abilities if ability.domain]
        if device.error is not None:
            parked = Owner("parked", f"parked:{device.id}", device)
            claimed.append(self.entities.claim(parked, "problem", device_object_id(device.id)))
        self._entity_ids[device.id] = tuple(claimed)
        self._derived.watch_fields(device)
        now = self.clock.now()
        states = tuple(self.entities.show_device(claimed, now))
        self.changes.emit(Defined(self.changes.next(), now, context, "device", device.id, None, device.config, states))
        return device

    def _claim(self, device: Device, ability: Ability) -> str:
        self._entity_services.offer(ability, START)
        suffix = ability.suffix and f"_{object_id(ability.suffix)}"
        owner = Owner("device", f"device:{device.id}:{ability.domain}{ability.suffix}", device, ability)
        return self.entities.claim(owner, ability.domain, (ability.object_id or device_object_id(device.id)) + suffix)

    def remove_device(self, device_id: str, context: Context) -> None:
        """Take a device out of the home, with its entities and all that it was going to do."""
        device = self.device(device_id)
        self.pending.cancel_all(device_id, context)
        entity_ids = self._entity_ids.pop(device_id, ())
        states = tuple(StateChange(entity_id, self.entities.drop(entity_id), None) for entity_id in entity_ids)
        for name in device.attributes:
            self.variables.bind(f"{device_id}.{name}", None)
        self._derived.forget_fields(device)
        del self.devices[device_id]
        now = self.clock.now()
        self.changes.emit(Defined(self.changes.next(), now, context, "device", device_id, device.config, None, states))

    def bind_formulas(self, context: Context = START) -> list[tuple[str, str]]:
        """Compute the attributes that are expressions, and let fields show their variables.

        To be called when all devices and variables are there, since each may name any other. What cannot be: device id
        and reason.
        """
        names, loose = self.value_names(), list[tuple[str, str]]()
        for device in self.devices.values():
            for item in _computed(device):
                why = self._bind_formula(f"{device.id}.{item['name']}", str(item["expression"]), names)
                loose += [(device.id, f"{item['name']} is not computed: {why}")] if why else []
            for variable in variables_shown(device):
                if variable in self.variables:
                    self.set_values(device.id, {"input": self.variables.get(variable).value}, context)
                else:
                    loose.append((device.id, f"there is no variable ${variable}"))
        for node, formula in self.variables.affected(names, itself=True):
            self.put_computed(node, formula, context)
        return loose

    def _bind_formula(self, node: str, text: str, names: set[str]) -> str:
        """Why the node cannot be computed; empty when it is from now on."""
        try:
            self.variables.bind(node, self.variables.parse(node, text, (names | self._to_come(text, names)) - {node}))
        except HallwayError as error:
            return error.message
        return ""

    def _to_come(self, text: str, names: set[str]) -> set[str]:
        """The attributes in an expression whose device is not there: a reported state may become it any time.

        A variable with a dot after it is none: `"$price.00"`.
        """
        return {
            f"{device_id}.{attribute}"
            for device_id, attribute in _ATTRIBUTE.findall(text)
            if device_id not in self.devices and device_id not in names
        }

    def add_group(self, config: Attributes, context: Context = START) -> Group:
        """Take a group into the home, in place of the one of its id."""
        group = group_of(config)
        self.groups.put(group)
        self.entities.claim(Owner("group", f"group:{group.id}"), "group", device_object_id(group.id))
        now = self.clock.now()
        states = tuple(self.entities.show(f"group:{group.id}", *self._shown_group(group), now))
        self.changes.emit(Defined(self.changes.next(), now, context, "group", group.id, None, config, states))
        return group

    def add_variable(self, config: Attributes, context: Context = START) -> Variable:
        """Take a variable into the home: name and either value or expression; unit is optional.

        What an expression uses must exist by now; variables that use each other come together, by `add_variables`.
        """
        return self.add_variables((config,), context)[0]

    def add_variables(self, configs: tuple[Attributes, ...], context: Context = START) -> tuple[Variable, ...]:
        """Take several variables at once, which may use each other in any order. All are checked first."""
        coming = [_variable_name(config) for config in configs]
        names, beside = self.value_names().union(coming), dict[str, Formula | None].fromkeys(coming)
        parsed = []
        for config in configs:
            parsed.append(self.check_variable(config, names, beside))
            beside[parsed[-1].name] = parsed[-1].formula
        self._entity_services.offer_variables(context)
        for variable in parsed:
            self.variables.put(variable)
            self.variables.bind(variable.name, variable.formula)
        for variable, config in zip(parsed, configs, strict=True):
            self.entities.claim(Owner("variable", f"variable:{variable.name}"), "variable", object_id(variable.name))
            now = self.clock.now()
            states = tuple(self.entities.show(f"variable:{variable.name}", *_shown_variable(variable), now))
            self.changes.emit(
                Defined(self.changes.next(), now, context, "variable", variable.name, None, config, states)
            )
        for node, formula in self.variables.affected({v.name for v in parsed}, itself=True):
            self.put_computed(node, formula, context)
        return tuple(self.variables.get(variable.name) for variable in parsed)

    def check_variable(self, config: Attributes, names: set[str], beside: Mapping[str, Formula | None]) -> Variable:
        """What add_variables would make of that one; the errors are its errors.

        names: those that will exist; beside: the formulas of the variables that come together with it, by name.
        """
        name, text, unit = _variable_name(config), config.get("expression"), config.get("unit")
        if text is None:
            formula = None
        else:
            formula = self.variables.parse(name, str(text), names | self._to_come(str(text), names), beside)
        return Variable(name, as_value(config.get("value")), "" if unit is None else str(unit), formula)

    # ------------------------------------------------------------------ commands

    def act(self, device_id: str, action: str, arguments: Mapping[str, Value], context: Context) -> Value:
        """Let a device do something; its result. Everything is checked before anything changes."""
        self._check_causes(context)
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
            self._check_settable(name)
        return effects

    def set_values(self, device_id: str, values: Mapping[str, Value], context: Context) -> None:
        """A device has these attribute values now: what its hardware, source or action says."""
        device = self.device(device_id)
        now = self.clock.now()
        old, new = _take(device, values, now)
        if new:
            states = tuple(self.entities.show_device(self._entity_ids[device_id], now))
            self.changes.emit(Updated(self.changes.next(), now, context, device_id, old, new, states))

    def set_variable(self, name: str, value: Value, context: Context) -> None:
        """Give a variable a value. NotFound: there is none; InvalidInput: it is computed."""
        self._check_causes(context)
        self._check_settable(name)
        self.put_variable(name, as_value(value), context)

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
        if old.state == state and old.attributes == attributes and same(old.attributes, attributes):
            return old, False
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
        self.changes.emit(Defined(self.changes.next(), now, context, "device", device.id, None, device.config, moved))
        return new

    def adopt(self, state: State, told_by: str = REPORTED) -> Device:
        """Keep a reported state with its device, silently: at start, and before its first change is told."""
        device_id = self._free_device_id(reported_device_id(state.entity_id))
        name = str(state.attributes.get("friendly_name") or state.entity_id)
        config: Attributes = {"id": device_id, "name": name, "class": REPORTED, "entity": state.entity_id}
        device = Device(config, (), told_by)
        self.devices[device_id] = device
        self._entity_ids[device_id] = (state.entity_id,)
        self.entities.own(state.entity_id, Owner("reported", device_id, device, told_by=told_by))
        self.entities.states[state.entity_id] = state
        return device

    def fire(self, event_type: str, data: Attributes, context: Context, *, remote: bool = False) -> None:
        """Send an event over the bus. remote: it was fired over the network."""
        self._check_causes(context)
        self.changes.emit(Fired(self.changes.next(), self.clock.now(), context, event_type, data, remote))

    def call_service(self, domain: str, service: str, data: Attributes, context: Context) -> Call:
        """Ask for a service by name; NotFound and InvalidInput come before anything happens."""
        self._check_causes(context)
        return self.services.call(domain, service, data, context)

    # ------------------------------------------------------------------ for what is derived

    def put_computed(self, node: str, formula: Formula, context: Context) -> None:
        """Compute a variable or attribute again; it keeps its value when that cannot be done now.

        Conflict: it is the end of a long chain, such as a field that shows what is computed from it.
        """
        self._check_causes(context)
        device_id, dot, attribute = node.partition(".")
        if not dot:
            computed = compute(node, formula, self, self.variables.get(node).value)
            self.put_variable(node, as_value(computed), context)
        elif device_id in self.devices:
            value = compute(node, formula, self, self.device(device_id).value(attribute))
            self.set_values(device_id, {attribute: value}, context)

    def put_variable(self, name: str, value: Value, context: Context) -> None:
        """A variable has that value, also one that is computed: as it was worked out, or put back at the start."""
        known = self.variables.get(name)
        variable = Variable(name, value, known.unit, known.formula)
        self.variables.put(variable)
        now = self.clock.now()
        states = tuple(self.entities.show(f"variable:{name}", *_shown_variable(variable), now))
        self.changes.emit(VariableSet(self.changes.next(), now, context, name, known.value, value, states))

    def show_group(self, group_id: str, context: Context) -> None:
        """A member changed: the group shows it."""
        group = self.groups.get(group_id)
        now = self.clock.now()
        moved = tuple(self.entities.show(f"group:{group_id}", *self._shown_group(group), now))
        if moved:
            self.changes.emit(Updated(self.changes.next(), now, context, f"group:{group_id}", NOTHING, NOTHING, moved))

    # ------------------------------------------------------------------ inside

    def _report_owned(self, owner: Owner, moved: StateChange, context: Context) -> None:
        """What somebody says about the entity of a device or variable is what that device says, or the variable is."""
        now = self.clock.now()
        if owner.kind == "variable" and moved.new is not None:
            self._report_variable(owner, moved, moved.new.state, context)
            return
        old: Mapping[str, Value] = NOTHING
        new: Mapping[str, Value] = NOTHING
        others: tuple[StateChange, ...] = ()
        if owner.device is not None and owner.ability is not None and moved.new is not None:
            told = owner.ability.read(owner.device, moved.new.state, moved.new.attributes)
            old, new = _take(owner.device, told, now)
            entity_ids = self._entity_ids[owner.device.id]
            others = tuple(self.entities.show_device(entity_ids, now, but=moved.entity_id))
        key = owner.device.id if owner.device is not None else owner.key
        self.changes.emit(Updated(self.changes.next(), now, context, key, old, new, (moved, *others)))

    def _report_variable(self, owner: Owner, moved: StateChange, state: str, context: Context) -> None:
        """A variable has that value now; one that is computed keeps its value and only shows what was said."""
        known = self.variables.get(owner.key.removeprefix("variable:"))
        value = known.value if known.formula is not None else as_value(state)
        self.variables.put(Variable(known.name, value, known.unit, known.formula))
        change = VariableSet(self.changes.next(), self.clock.now(), context, known.name, known.value, value, (moved,))
        self.changes.emit(change)

    def _check_causes(self, context: Context) -> None:
        if context.depth >= MAX_CAUSES:
            raise Conflict(f"a chain of {MAX_CAUSES} changes that cause each other was cut: look for rules in a circle")

    def _check_settable(self, name: str) -> None:
        if "." in name:
            raise InvalidInput(f"${name} is the attribute of a device: let the device do it")
        if self.variables.get(name).formula is not None:
            raise InvalidInput(f"${name} is computed by an expression and cannot be set")

    def _shown_group(self, group: Group) -> tuple[str, Attributes]:
        members = [entity_id for device_id in group.devices for entity_id in self.entities_of(device_id)]
        return shown(group, members, self.entities.states.get)

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


def _computed(device: Device) -> list[Attributes]:
    given = device.config.get("variables") if device.class_name == "VariablesDevice" else None
    return [item for item in given if isinstance(item, dict)] if isinstance(given, list) else []


def _variable_name(config: Attributes) -> str:
    name = config.get("name")
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise InvalidInput(f"variable name {str(name)[:40]!r} is not allowed: use letters, digits, - and _ only")
    return name


def _shown_variable(variable: Variable) -> tuple[str, Attributes]:
    attributes: Attributes = {"friendly_name": f"${variable.name}"}
    if variable.unit:
        attributes["unit_of_measurement"] = variable.unit
    if variable.formula is not None:
        attributes["expression"] = variable.formula.text
    return "unknown" if variable.value is None else python_text(variable.value), attributes
