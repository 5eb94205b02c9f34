"""From definitions to a home: those of the configuration first, then those that the store kept.

A device that cannot be used is parked, a rule that cannot be read is kept and does not run, and the rest goes on;
everything else that is wrong with the file is a problem of the file. What stands in both is that of the file. It must
not know how the file was read, what the store is or where the home is served.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple, Protocol, cast

from hallway.clock import VirtualClock
from hallway.errors import Conflict, HallwayError
from hallway.home.changes import Kind
from hallway.home.home import FILE, STORE, Home
from hallway.home.orders import rearrange
from hallway.home.rules import RuleLanguage
from hallway.home.values import Attributes
from hallway.home.variables import Formula, Language
from hallway.settings import Entry, Problem, Settings

log = logging.getLogger(__name__)


class Kept(Protocol):
    """A definition as the store has it. seq: the number of the change that brought it; since: the first one's."""

    @property
    def body(self) -> Attributes | None: ...
    @property
    def seq(self) -> int: ...
    @property
    def since(self) -> int: ...


KeptOfKind = Callable[[str], Mapping[str, Kept]]
"""The present definitions of a kind by id, in the order in which they came."""


def nothing_kept(_kind: str) -> Mapping[str, Kept]:
    """A home without a store."""
    return {}


class Populated(NamedTuple):
    """What was wrong with the file: devices that are parked, rules that do not run; what keeps it from starting."""

    parked: tuple[Problem, ...]
    problems: tuple[Problem, ...]


def populate(home: Home, settings: Settings, kept: KeptOfKind = nothing_kept) -> Populated:
    """Take everything into the home that the configuration declares and the store kept; what was wrong with the file.

    What the file declares may name what it declares itself; rules may name anything. To be called before the values
    are put back.
    """
    parked = [problem for entry in settings.devices if (problem := _add_device(home, entry)) is not None]
    problems = [*_add_variables(home, settings.variables), *_add_groups(home, settings.groups)]
    problems += _add_each(settings.pages, home.pages.add)
    problems += _add_each(settings.scenes, home.scenes.add)
    _load_things(home, kept)
    for entry in settings.rules:
        parked_rule, problem = _add_rule(home, entry)
        parked += [parked_rule] if parked_rule else []
        problems += [problem] if problem else []
    _load_rules(home, kept)
    _load_orders(home, kept)
    return Populated(tuple(parked), tuple(problems))


def load_kept(home: Home, kept: KeptOfKind) -> None:
    """Take everything into the home that the store kept; what stands there already, from the file, goes first."""
    _load_things(home, kept)
    _load_rules(home, kept)
    _load_orders(home, kept)


def _load_things(home: Home, kept: KeptOfKind) -> None:
    """All but rules, which may name any of them."""
    _load_devices(home, kept)
    _load_variables(home, kept)
    _load_groups_pages_scenes(home, kept)


# ---------------------------------------------------------------------- of the file


def _add_device(home: Home, entry: Entry) -> Problem | None:
    try:
        home.add_device(entry.config, FILE)  # nobody writes in it, and a copy of each takes room in a large home
    except HallwayError as error:
        if not isinstance(error, Conflict):
            home.park_device(entry.config, FILE, error.message)
        return Problem(entry.where, f"device {entry.config['id']}: {error.message}", "")
    return None


def _add_variables(home: Home, entries: tuple[Entry, ...]) -> list[Problem]:
    problems: list[Problem] = []
    coming = [str(entry.config["name"]) for entry in entries]
    names, beside = home.value_names().union(coming), dict[str, Formula | None].fromkeys(coming)
    good = []
    for entry in entries:
        try:
            variable = home.check_variable(dict(entry.config), names, beside)
        except HallwayError as error:
            problems.append(Problem(entry.where, error.message, ""))
        else:
            beside[variable.name] = variable.formula
            good.append(dict(entry.config))
    if good and not problems:
        home.add_variables(tuple(good), source=FILE)
    return problems


def _add_groups(home: Home, entries: tuple[Entry, ...]) -> list[Problem]:
    problems: list[Problem] = []
    for entry in entries:
        try:
            group = home.add_group(dict(entry.config), source=FILE)
        except HallwayError as error:
            problems.append(Problem(entry.where, error.message, ""))
            continue
        missing = [device_id for device_id in group.devices if device_id not in home.devices]
        if missing:
            known = ", ".join(list(home.devices)[:10]) or "none"
            problems.append(
                Problem(
                    entry.where, f"group {group.id}: there is no device {', '.join(missing)}", f"there are: {known}"
                )
            )
    return problems


def _add_each(entries: tuple[Entry, ...], add: Callable[..., object]) -> Iterator[Problem]:
    for entry in entries:
        try:
            add(dict(entry.config), source=FILE)
        except HallwayError as error:
            yield Problem(entry.where, error.message, "")


def _add_rule(home: Home, entry: Entry) -> tuple[Problem | None, Problem | None]:
    """What keeps it from running, and what is so wrong with it that the home should not start."""
    try:
        rule = home.rules.keep(dict(entry.config), FILE)
    except HallwayError as error:
        return None, Problem(entry.where, error.message, "")
    if rule.error is None:
        return None, None
    return Problem(entry.where, f"rule {rule.id} does not run: {rule.error}", ""), None


# ---------------------------------------------------------------------- of the store


def _kept(kind: str, kept: KeptOfKind) -> Iterator[tuple[str, Attributes]]:
    for key, definition in kept(kind).items():
        if definition.body is not None:
            yield key, definition.body


def _left_out(what: str, error: HallwayError) -> None:
    log.warning("%s of the store is left out: %s", what, error.message)


def _load_devices(home: Home, kept: KeptOfKind) -> None:
    for key, config in _kept("device", kept):
        try:
            home.add_device(config, STORE)
        except Conflict as error:
            _left_out(f"device {key}", error)
        except HallwayError as error:
            _park(home, key, config, error.message)


def _park(home: Home, key: str, config: Attributes, why: str) -> None:
    try:
        home.park_device(config, STORE, why)
    except HallwayError as error:
        _left_out(f"device {key}", error)
    else:
        log.warning("device %s is parked: %s", key, why)


def _load_variables(home: Home, kept: KeptOfKind) -> None:
    configs = [config for _key, config in _kept("variable", kept)]
    for name, error in home.keep_variables(tuple(configs)):
        _left_out(f"variable ${name}", error)


def _load_groups_pages_scenes(home: Home, kept: KeptOfKind) -> None:
    for kind, add in (("group", home.groups.add), ("page", home.pages.add), ("scene", home.scenes.add)):
        for key, config in _kept(kind, kept):
            try:
                add(config)
            except HallwayError as error:
                _left_out(f"{kind} {key}", error)


def _load_rules(home: Home, kept: KeptOfKind) -> None:
    for key, config in _kept("rule", kept):
        try:
            home.rules.keep(config, STORE)
        except HallwayError as error:
            _left_out(f"rule {key}", error)


def _load_orders(home: Home, kept: KeptOfKind) -> None:
    """What came after an order was made stands behind."""
    for key, order in kept("order").items():
        given = order.body.get("order") if order.body is not None else None
        if not home.orders.has(key) or not isinstance(given, list):
            continue
        later = {name for name, definition in kept(key).items() if definition.since > order.seq}
        kind = cast("Kind", key)
        home.orders.put_back(kind, tuple(str(name) for name in given), later)
        if kind == "device":
            rearrange(home.devices, home.order("device"))


# ---------------------------------------------------------------------- looking at a file


def _loose_ends(home: Home, settings: Settings) -> tuple[Problem, ...]:
    """Definitions that can stand as they are and will not do what was meant."""
    where = {str(entry.config["id"]): entry.where for entry in settings.devices}
    found = [Problem(where[i], f"device {i}: {why}", "") for i, why in home.bind_formulas() if i in where]
    for entry in settings.groups:
        group = home.groups.get(str(entry.config["id"]))
        missing = [f"rule {rule}" for rule in group.rules if rule not in home.rules]
        missing += [f"variable {name}" for name in group.variables if name not in home.value_names()]
        if missing:
            found.append(Problem(entry.where, f"group {group.id}: there is no {', no '.join(missing)}", ""))
    return tuple(found)


def expected(settings: Settings, language: Language) -> list[str]:
    """What expressions name and nothing declares: states that somebody has to report, or slips of the pen."""
    home = Home(VirtualClock(), language=language)
    populate(home, settings)
    home.bind_formulas()
    unknown = sorted({name for name in home.variables.sources() if "." in name} - home.value_names())
    return [
        f"{settings.source.name}: ${name} has no value until somebody reports a state of that name" for name in unknown
    ]


def check(settings: Settings, language: Language, rules: RuleLanguage | None = None) -> tuple[Problem, ...]:
    """Everything that is wrong with the definitions of a configuration, without starting anything."""
    home = Home(VirtualClock(), language=language)
    home.rules.language = rules
    found = populate(home, settings)
    return found.parked + (found.problems or _loose_ends(home, settings))
