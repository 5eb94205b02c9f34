"""From the configuration to a home: devices, variables, groups, and what is wrong with them.

A device that cannot be used is parked and the rest goes on; everything else that is wrong is a problem of the file.
It must not know how the file was read or where the home is served.
"""

from __future__ import annotations

from typing import NamedTuple

from hallway.clock import VirtualClock
from hallway.errors import Conflict, HallwayError
from hallway.home.home import Home
from hallway.home.variables import Formula, Language
from hallway.settings import Entry, Problem, Settings

FILE = "file"


class Populated(NamedTuple):
    """What was wrong: devices that are parked, and definitions without which the home should not start."""

    parked: tuple[Problem, ...]
    problems: tuple[Problem, ...]


def populate(home: Home, settings: Settings) -> Populated:
    """Take everything into the home that the configuration declares, and tell what was wrong with it."""
    parked = tuple(problem for entry in settings.devices if (problem := _add_device(home, entry)) is not None)
    return Populated(parked, (*_add_variables(home, settings.variables), *_add_groups(home, settings.groups)))


def _add_device(home: Home, entry: Entry) -> Problem | None:
    try:
        home.add_device(dict(entry.config), FILE)
    except HallwayError as error:
        if not isinstance(error, Conflict):
            home.park_device(dict(entry.config), FILE, error.message)
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
        home.add_variables(tuple(good))
    return problems


def _add_groups(home: Home, entries: tuple[Entry, ...]) -> list[Problem]:
    problems: list[Problem] = []
    for entry in entries:
        try:
            group = home.add_group(dict(entry.config))
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


def not_used_yet(settings: Settings) -> list[str]:
    """What the configuration declares and nothing in this version makes use of, one sentence each."""
    kept = (("rules", settings.rules), ("pages", settings.pages), ("users", settings.users))
    return [
        f"{settings.source.name}: {name} ({len(entries)}) are read and checked, but this version does nothing with them"
        for name, entries in kept
        if entries
    ]


def _loose_ends(home: Home, settings: Settings) -> tuple[Problem, ...]:
    """Definitions that can stand as they are and will not do what was meant."""
    where = {str(entry.config["id"]): entry.where for entry in settings.devices}
    found = [Problem(where[i], f"device {i}: {why}", "") for i, why in home.bind_formulas() if i in where]
    rules = {str(entry.config["id"]) for entry in settings.rules}
    for entry in settings.groups:
        group = home.groups.get(str(entry.config["id"]))
        missing = [f"rule {rule}" for rule in group.rules if rule not in rules]
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


def check(settings: Settings, language: Language) -> tuple[Problem, ...]:
    """Everything that is wrong with the definitions of a configuration, without starting anything."""
    home = Home(VirtualClock(), language=language)
    found = populate(home, settings)
    return found.parked + (found.problems or _loose_ends(home, settings))
