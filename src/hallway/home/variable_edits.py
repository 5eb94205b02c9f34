"""How variables are added, changed, set and removed, and how they are computed.

Everything is checked before anything changes. It must not know doors, nor the language of expressions.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Protocol

import msgspec

from hallway.errors import Conflict, HallwayError, InvalidInput
from hallway.home.announcing import FILE, MAX_DEFINITION, START, STORE, Announcer, check_definition, check_editable
from hallway.home.changes import Changes, Context, StateChange, VariableSet
from hallway.home.entities import Entities, Owner
from hallway.home.entity_services import EntityServices
from hallway.home.formulas import Formulas
from hallway.home.groups import Groups
from hallway.home.ids import MAX_ID, object_id
from hallway.home.rules import Rules
from hallway.home.values import Attributes, Value, encode, python_text
from hallway.home.variables import NAME, Formula, Scope, Variable, Variables, as_value, compute

_VARIABLE = re.compile(r"\$([A-Za-z0-9_-]+)")
_ATTRIBUTE = re.compile(r"\$([A-Za-z0-9_-]+\.[A-Za-z0-9_-]+)")


class Varies(Scope, Protocol):
    """What the home does for its variables."""

    announcer: Announcer
    changes: Changes
    entities: Entities
    entity_services: EntityServices
    formulas: Formulas
    groups: Groups
    rules: Rules
    variables: Variables

    def value_names(self) -> set[str]: ...
    def put_computed(self, node: str, formula: Formula, context: Context) -> None: ...
    def check_causes(self, context: Context) -> None: ...


class VariableEdits:
    """What can be done to the variables of a home."""

    def __init__(self, home: Varies) -> None:
        self._home = home

    # ------------------------------------------------------------------ definitions

    def add(self, configs: tuple[Attributes, ...], context: Context, source: str) -> tuple[Variable, ...]:
        """Take several variables at once, which may use each other in any order. All are checked first."""
        coming = [_name(config) for config in configs]
        names, beside = self._home.value_names().union(coming), dict[str, Formula | None].fromkeys(coming)
        parsed = []
        for config in configs:
            parsed.append(self.check(config, names, beside, source))
            beside[parsed[-1].name] = parsed[-1].formula
        return self._take_in(parsed, context)

    def keep(self, configs: tuple[Attributes, ...]) -> list[tuple[str, HallwayError]]:
        """At start: as `add`, of those that the store kept; those that cannot be, and why."""
        there = self._home.value_names()
        beside = dict[str, Formula | None].fromkeys(str(config.get("name")) for config in configs)
        names, kept, refused = there.union(beside), list[Variable](), list[tuple[str, HallwayError]]()
        for config in configs:
            try:
                if config.get("name") in there:
                    raise Conflict("there is one of that name already")
                variable = self._check_kept(config, names, beside)
            except HallwayError as error:
                refused.append((str(config.get("name")), error))
            else:
                beside[variable.name] = variable.formula
                kept.append(variable)
        self._take_in(kept, START)
        return refused

    def _take_in(self, parsed: Sequence[Variable], context: Context) -> tuple[Variable, ...]:
        if not parsed:
            return ()
        self._home.entity_services.offer_variables(context)
        for variable in parsed:
            self._home.variables.put(variable)
            self._home.variables.bind(variable.name, variable.formula)
        with self._home.announcer.act():
            for variable in parsed:
                self._home.entities.claim(Owner("variable", _key(variable.name)), "variable", object_id(variable.name))
                self._tell(variable, None, context, self._moved(variable))
        self._compute({variable.name for variable in parsed}, context)
        self._home.rules.read_again(context, only_invalid=True)
        return tuple(self._home.variables.get(variable.name) for variable in parsed)

    def add_new(self, config: Attributes, context: Context, source: str) -> Variable:
        """As `add`, of one that nobody has yet; Conflict otherwise."""
        name = _name(config)
        if name in self._home.variables or name in self._home.value_names():
            raise Conflict(f"there is a variable ${name[:60]} already")
        return self.add((config,), context, source)[0]

    def check(
        self, config: Attributes, names: set[str], beside: Mapping[str, Formula | None], source: str = STORE
    ) -> Variable:
        """What `add` would make of that one; the errors are its errors.

        names: those that will exist; beside: the formulas of the variables that come together with it, by name.
        """
        name, text, unit = _name(config), config.get("expression"), config.get("unit")
        _check_kept(config)
        formula = None if text is None else self._parse(name, text, names, beside)
        shown_unit = "" if unit is None else python_text(unit)
        return Variable(name, as_value(config.get("value")), shown_unit, formula, dict(config), source)

    def _check_kept(self, config: Attributes, names: set[str], beside: Mapping[str, Formula | None]) -> Variable:
        """As `check`, of one that was right when it was written: what it uses may be gone since."""
        text = str(config.get("expression"))
        mentioned = names.union(_VARIABLE.findall(text))
        for known in (names, mentioned):
            try:
                return self.check(config, known, beside)
            except HallwayError:
                continue
        return self.check(config, mentioned.union(_ATTRIBUTE.findall(text)), beside)

    def change(self, config: Attributes, context: Context) -> Variable:
        """Give a variable another value or expression, and the unit in the config (none: it has none from now on).

        NotFound: there is none of that name; InvalidInput, Conflict: the expression cannot be read, or is circular.
        """
        self._home.check_causes(context)
        name = str(config.get("name"))
        known = self._home.variables.get(name)
        if config.get("expression") is not None:
            return self._change_expression(known, config, context)
        _name(config)
        _check_kept(config)
        unit = config.get("unit")
        new_unit = "" if unit is None else python_text(unit)
        plain = known.formula is None and (new_unit == known.unit or (known.source == FILE and unit is None))
        if plain:
            self.put(name, as_value(config.get("value")), context)
            return self._home.variables.get(name)
        check_editable(f"variable ${name}", known.source)
        self._home.variables.bind(name, None)
        value = as_value(config.get("value"))
        new = Variable(name, value, new_unit, None, dict(config), known.source)
        self._put(known, new, context)
        self._tell(new, known, context, ())
        return self._home.variables.get(name)

    def _change_expression(self, known: Variable, config: Attributes, context: Context) -> Variable:
        check_editable(f"variable ${known.name}", known.source)
        checked = self.check(config, self._home.value_names(), {}, known.source)
        new = msgspec.structs.replace(checked, value=known.value)
        self._home.variables.put(new)
        self._home.variables.bind(new.name, new.formula)
        self._tell(new, known, context, self._moved(new))
        self._compute({new.name}, context)
        return self._home.variables.get(new.name)

    def remove(self, name: str, context: Context) -> Variable:
        """Take a variable out of the home. What is computed from it keeps its value. NotFound: there is none."""
        if name not in self._home.variables and name in self._home.value_names():
            raise InvalidInput(f"${name} is the attribute of a device and goes with it")
        variable = self._home.variables.get(name)
        check_editable(f"variable ${name}", variable.source)
        with self._home.announcer.act():
            self._home.groups.forget("variable", name, context)
            self._home.variables.remove(name)
            entity_id = self._home.entities.kept[_key(name)]
            states = (StateChange(entity_id, self._home.entities.drop(entity_id), None),)
            self._home.announcer.tell_removed(
                ("variable", name), variable, variable.definition, context, variable.source, states
            )
        if variable.formula is None:
            self._home.announcer.lasts.take_variable(name, variable.value)
        self._home.rules.read_again(context)
        return variable

    # ------------------------------------------------------------------ values

    def set_value(self, name: str, value: Value, context: Context) -> None:
        """Give a variable a value. NotFound: there is none; InvalidInput: it is computed."""
        self._home.check_causes(context)
        self.check_settable(name)
        self.put(name, as_value(value), context)

    def check_settable(self, name: str) -> None:
        """InvalidInput: nobody can set it; NotFound: there is none."""
        if "." in name and name not in self._home.variables:
            raise InvalidInput(f"${name} is the attribute of a device: let the device do it")
        if self._home.variables.get(name).formula is not None:
            raise InvalidInput(f"${name} is computed by an expression and cannot be set")

    def put(self, name: str, value: Value, context: Context) -> None:
        """A variable has that value, also one that is computed."""
        known = self._home.variables.get(name)
        self._put(known, msgspec.structs.replace(known, value=value), context)

    def put_computed(self, name: str, formula: Formula, context: Context) -> None:
        """Compute it again; it keeps its value when that cannot be done now."""
        computed = compute(name, formula, self._home)
        value = self._home.variables.get(name).value if computed is msgspec.UNSET else as_value(computed)
        self.put(name, value, context)

    def report(self, name: str, moved: StateChange, state: str, context: Context) -> None:
        """Somebody says what its entity shows; one that is computed keeps its value and only shows what was said."""
        known = self._home.variables.get(name)
        value = known.value if known.formula is not None else as_value(state)
        self._put(known, msgspec.structs.replace(known, value=value), context, (moved,))

    # ------------------------------------------------------------------ inside

    def _parse(self, name: str, text: Value, names: set[str], beside: Mapping[str, Formula | None]) -> Formula:
        if not isinstance(text, str):
            raise InvalidInput(f"the expression of ${name} must be a text")
        return self._home.variables.parse(name, text, names | self._home.formulas.to_come(text, names), beside)

    def _put(
        self, old: Variable, new: Variable, context: Context, states: tuple[StateChange, ...] | None = None
    ) -> None:
        self._home.variables.put(new)
        moved = self._moved(new) if states is None else states
        changes, now = self._home.changes, self._home.now()
        changes.emit(VariableSet(changes.next(), now, context, new.name, old.value, new.value, moved))

    def _tell(
        self, variable: Variable, old: Variable | None, context: Context, states: tuple[StateChange, ...]
    ) -> None:
        bodies = (None if old is None else old.definition, variable.definition)
        self._home.announcer.tell(("variable", variable.name), bodies, context, variable.source, states)

    def _moved(self, variable: Variable) -> tuple[StateChange, ...]:
        return tuple(self._home.entities.show(_key(variable.name), *_shown(variable), self._home.now()))

    def _compute(self, names: set[str], context: Context) -> None:
        for node, formula in self._home.variables.affected(names, itself=True):
            self._home.put_computed(node, formula, context)


def _check_kept(config: Attributes) -> None:
    """CannotStore, TooLarge: nobody could keep it. Its value is none of the definition and may be large."""
    if len(encode(config)) > MAX_DEFINITION:
        check_definition({name: given for name, given in config.items() if name != "value"})


def _key(name: str) -> str:
    return f"variable:{name}"


def _name(config: Attributes) -> str:
    """The name of a variable; one that is computed may have any."""
    name = config.get("name")
    free = config.get("expression") is not None
    if not isinstance(name, str) or len(name) > MAX_ID or not (NAME.fullmatch(name) or (free and _is_printable(name))):
        raise InvalidInput(
            f"variable name {str(name)[:40]!r} is not allowed: use letters, digits, - and _ only, {MAX_ID} at most"
        )
    return name


def _is_printable(name: str) -> bool:
    return bool(name.strip()) and name.isprintable()


def _shown(variable: Variable) -> tuple[str, Attributes]:
    attributes: Attributes = {"friendly_name": f"${variable.name}"}
    if variable.unit:
        attributes["unit_of_measurement"] = variable.unit
    if variable.formula is not None:
        attributes["expression"] = variable.formula.text
    return "unknown" if variable.value is None else python_text(variable.value), attributes
