"""Moving in from another program and out again: reads files, asks what the home has, writes all of it or nothing.

Used by the command line, on a home that nobody runs. It must not know what a configuration of another program means:
that stands in `links.importers`.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import msgspec

from hallway.clock import Clock
from hallway.errors import Conflict, InvalidInput, NotFound
from hallway.home.rules import RuleLanguage
from hallway.home.values import Attributes, encode
from hallway.home.variables import Language
from hallway.links.importers import pimatic_config, pimatic_database
from hallway.links.importers.merging import There, compared, hash_there, orders, with_hash
from hallway.links.importers.pimatic_config import Item, Moving
from hallway.links.importers.pimatic_database import LastValue, Remembered
from hallway.links.importers.pimatic_export import Exported, config_of
from hallway.links.importers.trial import Tried, tried
from hallway.moving_files import local_time_zone, read_text, write_private
from hallway.settings import FILE, Settings, load
from hallway.store.definitions import Definition
from hallway.store.offline import Resting, looked_at, resting
from hallway.store.rows import AnyRow, DeviceFresh, ValueRow, VariableFresh

BringPast = Callable[[Path, Path | None, Callable[[str, str, str], bool]], Iterable[str]]
"""Database, home (None: only tell what would come), whether an attribute is there (device, name, type) → sentences."""
DOOR = "import"
TICK = 1e-6
"""Seconds between two definitions that come together, so that they have come in their order."""
SHOWN = 10
"""Names in one sentence."""


class Import(msgspec.Struct, frozen=True, kw_only=True):
    """An import as it was asked for. replace: what the home has otherwise gives way to what comes."""

    config: Path
    home: Path
    database: Path | None = None
    dry_run: bool = False
    replace: bool = False


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What an import is going to write. configuration: the text of configuration.yaml, if there is none yet."""

    items: tuple[Item, ...]
    last: tuple[LastValue, ...]
    configuration: str | None


def import_pimatic(
    asked: Import, clock: Clock, language: Language, rules: RuleLanguage, bring_past: BringPast | None = None
) -> tuple[str, ...]:
    """Bring a configuration of pimatic into a home; what became of it, one sentence each.

    language, rules: what reads expressions and rules, to tell what will not work; bring_past: what brings the past of a
    database into a home whose definitions are there. InvalidInput: a file cannot be used; Conflict: the home has other
    definitions under the same names; Unavailable: a hub runs on it, or the disk refuses. No definition is written then;
    of the past, which comes last, what has come stays, and doing the same again goes on from there.
    """
    try:
        moving = pimatic_config.read(read_text(asked.config))
    except InvalidInput as error:
        raise InvalidInput(f"{asked.config}: {error.message}") from None
    remembered = pimatic_database.read(asked.database) if asked.database is not None else Remembered((), 0, 0)
    settings = load(asked.home)
    trial = tried(moving.items, language, rules)
    with (looked_at if asked.dry_run else resting)(asked.home, clock) as home:
        there: There = {(known.kind, known.id): known.body or {} for known in home.definitions()}
        plan = _plan(asked, moving, remembered, trial, there)
        try:
            if not asked.dry_run:
                _carry_out(plan, asked, home, clock)
            past = _told_of_past(asked, settings, trial, bring_past)
        except KeyboardInterrupt:
            raise KeyboardInterrupt(*(() if asked.dry_run else (came_so_far(asked.home),))) from None
    return (
        *_told_of_definitions(asked, moving, plan),
        *(f"left out: {sentence}" for sentence in moving.left_out),
        *(f"parked: {sentence}" for sentence in trial.parked),
        *(f"remark: {sentence}" for sentence in trial.remarks),
        *_told_of_plugins(moving),
        *_told_of_twice(moving, settings),
        *_told_of_values(remembered, plan),
        *past,
        *_told_of_login(moving, there),
        *_told_of_file(asked, moving, plan),
    )


def came_so_far(home: Path) -> str:
    """What is to be said to who stops an import once something may have come."""
    return f"what came into {home} stays, and the same command once more does the rest"


def _plan(asked: Import, moving: Moving, remembered: Remembered, trial: Tried, there: There) -> Plan:
    found = compared(moving, there)
    if found.different and not asked.replace:
        names = _some(f"{item.kind} {item.key}" for item in found.different)
        raise Conflict(
            f"{asked.home} has other definitions under {len(found.different)} of these names ({names}); nothing was "
            "changed. Give --replace to put those of the file in their place (home.db keeps the old ones as earlier "
            "versions), or another --home"
        )
    coming = (*found.new, *found.different)
    fresh = {item.key for item in coming if item.kind == "device"}
    return Plan(
        items=(
            *(with_hash(item, moving, there) if item.kind == "user" else item for item in coming),
            *orders(moving, there, replace=asked.replace),
        ),
        last=tuple(value for value in remembered.last if value.device_id in fresh and trial.can_use(value)),
        configuration=None if (asked.home / FILE).exists() else _configuration(moving),
    )


def _carry_out(plan: Plan, asked: Import, home: Resting, clock: Clock) -> None:
    if plan.items:
        now, act = clock.now(), home.saved.seq + 1
        wanted = [
            Definition(item.kind, item.key, 0, now + number * TICK, None, DOOR, item.body, act + number, act=act)
            for number, item in enumerate(plan.items)
        ]
        home.write(wanted, _rows(plan))
    if plan.configuration is not None:
        write_private(asked.home / FILE, plan.configuration)


def _rows(plan: Plan) -> Iterator[AnyRow]:
    """What comes begins anew, with the values that came along."""
    for item in plan.items:
        if item.kind == "device":
            yield DeviceFresh(item.key)
        elif item.kind == "variable":
            yield VariableFresh(item.key)
    for value in plan.last:
        yield ValueRow(value.device_id, value.attribute, value.value, value.at, value.at)


def _configuration(moving: Moving) -> str:
    """configuration.yaml of a home that moves in. One with a login gets a password for the Home Assistant API too."""
    place = moving.place
    where = f", latitude: {place.latitude}, longitude: {place.longitude}" if place is not None else ""
    password = f', api_password: "{secrets.token_urlsafe(12)}"' if moving.authentication else ""
    return (
        "# Written when this home moved in from pimatic; docs/configuration.md tells what else may stand here.\n"
        f"home: {{name: Home{where}, time_zone: {local_time_zone()}}}\n"
        f"http: {{host: 127.0.0.1, port: 8123{password}}}\n"
    )


# ---------------------------------------------------------------------- what is told


def _told_of_definitions(asked: Import, moving: Moving, plan: Plan) -> Iterator[str]:
    numbers = [(len(moving.orders[kind]), name) for name, kind, _key in pimatic_config.LISTS]
    counts = [f"{number} {name if number > 1 else name.removesuffix('s')}" for number, name in numbers if number]
    yield f"{asked.config}: {', '.join(counts) or 'no definitions'}, settings"
    if not plan.items:
        yield f"{asked.home} has all of it already"
    elif asked.dry_run:
        yield f"{len(plan.items)} definitions would go into {asked.home}; this was a dry run, nothing was written"
    else:
        yield f"{len(plan.items)} definitions are now in {asked.home}"


def _told_of_plugins(moving: Moving) -> Iterator[str]:
    plugins = moving.orders["plugin"]
    if plugins:
        yield f"plugins are kept with their settings, but pimatic's plugins do not run here: {_some(plugins)}"


def _told_of_twice(moving: Moving, settings: Settings) -> Iterator[str]:
    from_file = {(item.kind, item.key) for item in _items_of_file(settings)}
    for item in moving.items:
        if (item.kind, item.key) in from_file:
            yield f"{item.kind} {item.key} stands in {FILE} too, and what stands there counts"


def _told_of_values(remembered: Remembered, plan: Plan) -> Iterator[str]:
    if remembered.last:
        yield f"{len(plan.last)} last values of attributes came over"
    unused = len(remembered.last) - len(plan.last)
    if unused:
        yield f"{unused} last values did not: there is no such attribute here, or the home had the device before"


def _told_of_past(asked: Import, settings: Settings, trial: Tried, bring_past: BringPast | None) -> tuple[str, ...]:
    """Bring the older values and the messages; sentences about them."""
    if asked.database is None or bring_past is None:
        return ()
    if settings.store.url and not asked.dry_run:
        told = (
            "older values and messages stay behind: this home keeps its history in PostgreSQL; bring them into a home "
        )
        return (f"{told}without `store: url`, and move that one",)
    return tuple(bring_past(asked.database, None if asked.dry_run else asked.home, trial.has))


def _told_of_login(moving: Moving, there: There) -> Iterator[str]:
    users = moving.orders["user"]
    if moving.passwords:
        yield "passwords are kept as hashes only; config.json still shows them, so delete it when all is well"
    locked_out = [name for name in users if name not in moving.passwords and not hash_there(name, there)]
    if locked_out:
        yield f"these came without a password and cannot log in: {_some(locked_out)}"
    if not moving.authentication:
        yield "authentication is off, as it was: whoever reaches the hub may do everything"
    elif not users:
        yield "there are no users, so nobody can log in by name"


def _told_of_file(asked: Import, moving: Moving, plan: Plan) -> Iterator[str]:
    if plan.configuration is None:
        yield f"{asked.home / FILE} is left as it is"
        return
    written = "would be" if asked.dry_run else "was"
    yield f"{asked.home / FILE} {written} written: the hub will listen at 127.0.0.1:8123, which you can change there"
    if moving.authentication:
        yield "it holds a new api_password, which the Home Assistant API will ask for"


def _some(names: Iterable[str]) -> str:
    listed = list(names)
    more = len(listed) - SHOWN
    return ", ".join(listed[:SHOWN]) + (f" and {more} more" if more > 0 else "")


# ---------------------------------------------------------------------- moving out


def export_pimatic(directory: Path, clock: Clock) -> tuple[str, tuple[str, ...]]:
    """The text of a config.json with everything that a home has, and what did not get into it, one sentence each.

    NotFound: there is no home in that directory; Unavailable: a hub runs on it.
    """
    settings = load(directory)
    if not (directory / FILE).exists() and not (directory / "home.db").exists():
        raise NotFound(f"there is no home in {directory}: neither {FILE} nor home.db")
    with looked_at(directory, clock) as home:
        kept = [Item(known.kind, known.id, known.body or {}) for known in home.definitions()]
        values = home.saved.variables
    exported = config_of((*_items_of_file(settings), *kept), values)
    text = json.dumps(json.loads(encode(exported.config)), indent=2, ensure_ascii=False) + "\n"
    return text, (*exported.left_out, *_told_of_passwords(exported))


def _told_of_passwords(exported: Exported) -> Iterator[str]:
    if exported.config["users"]:
        yield (
            "passwords are kept as hashes and cannot be written: every user has an empty one there, to be filled in "
            "before pimatic uses it; when it comes back here, such users keep the passwords that they have"
        )


def _items_of_file(settings: Settings) -> Iterator[Item]:
    """What configuration.yaml declares; it counts, whatever else is kept under the same name."""
    lists: dict[str, tuple[Attributes, ...]] = {
        "device": tuple(entry.config for entry in settings.devices),
        "rule": tuple(entry.config for entry in settings.rules),
        "page": tuple(entry.config for entry in settings.pages),
        "group": tuple(entry.config for entry in settings.groups),
    }
    for kind, configs in lists.items():
        for config in configs:
            yield Item(kind, str(config["id"]), config)
    for variable in settings.variables:
        yield Item("variable", str(variable.config["name"]), variable.config)
    for user in settings.users:
        yield Item("user", user.username, {"username": user.username, "role": user.role})
